//! A program for one use: its tape, the weights of the day, and the powers of two that keep its numbers in
//! range.
//!
//! Every unit's stored value is its value divided by a power of two of its own, its *offset*, folded into the
//! weights of the terms. Dividing by powers of two is exact, so offsets never change a result; they only
//! decide which rows are out of range. They are taken from rows that were, as the mean of each unit's
//! exponents there.

use super::back::Back;
use super::leaf::{Evidence, Leaves};
use super::wide::{Wide, WideRows};
use crate::exec::CpuOptions;
use pcc_cpu::CompileError;
use pcc_ir::units::{NO_PLACE, SAMPLES_OF_A_ROW, UnitOptions, UnitProgram, unit_program};
use pcc_ir::{Graph, Params};
use pcc_kernels::units::{FORBIDDEN, LANES, Links, Row, Tape, UnitSum};
use std::sync::Mutex;

const _: () = assert!(LANES == SAMPLES_OF_A_ROW, "memory is predicted for the rows that kernels take");

/// Weights beyond `2^-400 .. 2^400` could lose a term unseen.
const LARGEST_EXPONENT: i64 = 400;

/// Rows that offsets are taken from, at most.
const ROWS_OF_A_CALIBRATION: usize = 8;

/// A program that is made again and again out of range is left so.
const MOST_CALIBRATIONS: u32 = 8;

/// A program and what its runs need besides evidence.
pub(super) struct Engine {
    pub(super) options: UnitOptions,
    /// The program, but for its sums and terms, which are the tape.
    pub(super) program: UnitProgram,
    pub(super) tape: Tape,
    /// Where terms' statistics go; only in an engine for flows.
    pub(super) links: Option<Links>,
    /// The way down as a tape of its own; only where derivatives were asked for.
    pub(super) back: Option<Back>,
    pub(super) leaves: Leaves,
    /// The weights of terms as the tape takes them; none where all are 1.
    pub(super) weights: Option<Vec<f64>>,
    /// Whether parameters have changed since the weights were taken from them.
    is_stale: bool,
    offsets: Option<Offsets>,
    /// That of the circuit's value.
    pub(super) root_offset: i64,
    /// Whether rows were looked at to see if they are in range.
    pub(super) is_probed: bool,
    n_calibrations: u32,
    /// The memory of each thread; a lock is only ever taken by its own thread.
    pub(super) memory: Vec<Mutex<Memory>>,
}

/// What one thread writes to.
#[derive(Default)]
pub(super) struct Memory {
    /// Values, and after them the derivatives of a tape for the way down.
    pub(super) rows: Vec<Row>,
    /// Those of flows; all zero between runs.
    pub(super) derivatives: Vec<Row>,
}

struct Offsets {
    leaves: Vec<i64>,
    sums: Vec<i64>,
}

impl Engine {
    /// Makes a program for as many threads as memory allows. Errors: see [`super::UnitsExecutor::new`].
    pub(super) fn new(
        graph: &Graph,
        options: UnitOptions,
        limits: &CpuOptions,
    ) -> Result<Self, CompileError> {
        let mut program = unit_program(graph, options).map_err(|error| CompileError(error.to_string()))?;
        let fitting = program.fit(graph, limits.n_threads(), limits.memory);
        let n_threads = fitting.map_err(|least| limits.refuse(&least))?;
        let sums = std::mem::take(&mut program.sums).into_iter();
        let sums = sums.map(|sum| UnitSum { out: sum.out, n_terms: sum.n_terms }).collect();
        let tape = Tape::new(program.n_rows, sums, std::mem::take(&mut program.terms));
        let links = options
            .is_for_flows
            .then(|| Links::new(program.places.iter().map(|places| places.stat).collect()))
            .filter(|links| !links.is_empty());
        Ok(Engine {
            options,
            leaves: Leaves::of(&program, graph),
            program,
            tape,
            links,
            back: None,
            weights: None,
            is_stale: true,
            offsets: None,
            root_offset: 0,
            is_probed: false,
            n_calibrations: 0,
            memory: (0..n_threads).map(|_| Mutex::default()).collect(),
        })
    }

    /// Notes that parameters have changed.
    pub(super) fn forget_weights(&mut self) {
        self.is_stale = true;
    }

    /// Takes over changed parameters.
    pub(super) fn follow(&mut self, params: &Params) {
        if std::mem::take(&mut self.is_stale) {
            self.leaves.update(params);
            self.apply_offsets(params);
        }
    }

    /// Makes the way down for derivatives.
    pub(super) fn prepare_back(&mut self) {
        if self.back.is_none() {
            let mut back = Back::of(&self.tape);
            back.set_weights(self.weights.as_deref());
            self.back = Some(back);
        }
    }

    /// The weight of a term.
    pub(super) fn weight(&self, term: usize, params: &Params) -> f64 {
        match self.program.places[term].weight {
            NO_PLACE => 1.0,
            place => f64::from(params.values()[place as usize]),
        }
    }

    /// Takes offsets from rows that were out of range.
    pub(super) fn calibrate(&mut self, evidence: Evidence, rows: &[usize], params: &Params) {
        if self.n_calibrations == MOST_CALIBRATIONS || rows.is_empty() {
            return;
        }
        self.n_calibrations += 1;
        let (mut leaves, mut sums) =
            (vec![Mean::default(); self.program.leaves.len()], vec![Mean::default(); self.tape.sums().len()]);
        let mut wide = WideRows::of(&self.tape);
        for &row in &rows[..rows.len().min(ROWS_OF_A_CALIBRATION)] {
            for (leaf, mean) in leaves.iter_mut().enumerate() {
                let value = self.leaves.wide(leaf, evidence, row);
                mean.add(value);
                wide.values[leaf + 1] = value;
            }
            wide.up(
                &self.tape,
                self.program.root,
                |term| self.weight(term, params),
                |sum, value| sums[sum].add(value),
            );
        }
        let leaves: Vec<i64> = leaves.iter().map(|mean| mean.get().unwrap_or(0)).collect();
        let sums = self.offsets_of_sums(&leaves, &sums, params);
        self.offsets = Some(Offsets { leaves, sums });
        self.apply_offsets(params);
    }

    /// The offset of each sum; one that was zero in all rows gets that of its largest term.
    fn offsets_of_sums(&self, leaves: &[i64], means: &[Mean], params: &Params) -> Vec<i64> {
        let mut of_row = self.rows_with(leaves);
        let (mut offsets, mut term) = (Vec::with_capacity(means.len()), 0);
        for (sum, mean) in self.tape.sums().iter().zip(means) {
            let terms = term..term + sum.n_terms as usize;
            term = terms.end;
            let largest = || {
                let sized = terms.filter_map(|term| {
                    let weight = Wide::of(self.weight(term, params));
                    let [a, b] = self.tape.terms()[term].map(|row| of_row[row as usize]);
                    (!weight.is_zero()).then(|| weight.exponent() + a + b)
                });
                sized.max().unwrap_or(0)
            };
            let offset = mean.get().unwrap_or_else(largest);
            of_row[sum.out as usize] = offset;
            offsets.push(offset);
        }
        offsets
    }

    /// The offset of every row before the first sum.
    fn rows_with(&self, leaves: &[i64]) -> Vec<i64> {
        let mut of_row = vec![0; self.program.n_rows];
        of_row[1..=leaves.len()].copy_from_slice(leaves);
        of_row
    }

    /// Folds the offsets into the weights of the terms.
    fn apply_offsets(&mut self, params: &Params) {
        let mut weights = self.weights.take().unwrap_or_default();
        weights.clear();
        match &self.offsets {
            None => weights.extend((0..self.tape.terms().len()).map(|term| self.weight(term, params))),
            Some(offsets) => self.offset_weights(offsets, params, &mut weights),
        }
        self.root_offset = self.offsets.as_ref().map_or(0, |offsets| self.offset_of_root(offsets));
        if let Some(offsets) = &self.offsets {
            self.leaves.set_offsets(&offsets.leaves);
        }
        self.weights = weights.iter().any(|&weight| weight != 1.0).then_some(weights);
        if let Some(back) = &mut self.back {
            back.set_weights(self.weights.as_deref());
        }
    }

    fn offset_weights(&self, offsets: &Offsets, params: &Params, weights: &mut Vec<f64>) {
        let mut of_row = self.rows_with(&offsets.leaves);
        let mut term = 0;
        for (sum, &offset) in self.tape.sums().iter().zip(&offsets.sums) {
            for _ in 0..sum.n_terms {
                let [a, b] = self.tape.terms()[term].map(|row| of_row[row as usize]);
                weights.push(offset_weight(self.weight(term, params), a + b - offset));
                term += 1;
            }
            of_row[sum.out as usize] = offset;
        }
    }

    fn offset_of_root(&self, offsets: &Offsets) -> i64 {
        let last = self.tape.sums().iter().rposition(|sum| sum.out == self.program.root);
        let leaf = || (self.program.root as usize).checked_sub(1).map(|leaf| offsets.leaves[leaf]);
        last.map(|sum| offsets.sums[sum]).or_else(leaf).unwrap_or(0)
    }
}

/// A weight times a power of two, or what marks every sample in which its term counts.
fn offset_weight(weight: f64, by: i64) -> f64 {
    let wide = Wide::of(weight);
    match wide.is_zero() || (wide.exponent() + by).abs() <= LARGEST_EXPONENT {
        true => wide.scaled(by).to_f64(),
        false => FORBIDDEN,
    }
}

/// The mean exponent of a unit where it is not zero.
#[derive(Clone, Copy, Default)]
struct Mean {
    total: i64,
    n: i64,
}

impl Mean {
    fn add(&mut self, value: Wide) {
        if !value.is_zero() {
            self.total += value.exponent();
            self.n += 1;
        }
    }

    fn get(self) -> Option<i64> {
        self.total.checked_div(self.n)
    }
}
