//! A program for one use: its tape, the weights of the day, and the powers of two that keep its numbers in
//! range.
//!
//! Every unit's stored value is its value divided by a power of two of its own, its *offset*, folded into the
//! weights of the terms. Dividing by powers of two is exact, so offsets never change a result; they only
//! decide which rows are out of range. They are taken from rows that were, as the mean of each unit's
//! exponents there.

use super::leaf::{Evidence, Leaves};
use super::wide::{Wide, WideRows};
use pcc_ir::units::{NO_PLACE, TooManyUnits, UnitOptions, UnitProgram, unit_program};
use pcc_ir::{Graph, Params};
use pcc_kernels::units::{FORBIDDEN, Links, Row, Tape, UnitSum};
use std::sync::Mutex;

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
    pub(super) leaves: Leaves,
    /// The weights of terms as the tape takes them; none where all are 1.
    pub(super) weights: Option<Vec<f64>>,
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
    pub(super) rows: Vec<Row>,
    /// All zero between runs.
    pub(super) derivatives: Vec<Row>,
}

struct Offsets {
    leaves: Vec<i64>,
    sums: Vec<i64>,
}

impl Engine {
    pub(super) fn new(
        graph: &Graph,
        params: &Params,
        options: UnitOptions,
        n_threads: usize,
    ) -> Result<Self, TooManyUnits> {
        let mut program = unit_program(graph, options)?;
        let sums = std::mem::take(&mut program.sums).into_iter();
        let sums = sums.map(|sum| UnitSum { out: sum.out, n_terms: sum.n_terms }).collect();
        let tape = Tape::new(program.n_rows, sums, std::mem::take(&mut program.terms));
        let links = options
            .is_for_flows
            .then(|| Links::new(program.places.iter().map(|places| places.stat).collect()))
            .filter(|links| !links.is_empty());
        let mut engine = Engine {
            options,
            leaves: Leaves::of(&program, graph, params),
            program,
            tape,
            links,
            weights: None,
            offsets: None,
            root_offset: 0,
            is_probed: false,
            n_calibrations: 0,
            memory: (0..n_threads).map(|_| Mutex::default()).collect(),
        };
        engine.update(graph, params);
        Ok(engine)
    }

    /// Takes over changed parameters.
    pub(super) fn update(&mut self, graph: &Graph, params: &Params) {
        self.leaves = Leaves::of(&self.program, graph, params);
        self.apply_offsets(params);
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
        let weights: Vec<f64> = match &self.offsets {
            None => (0..self.tape.terms().len()).map(|term| self.weight(term, params)).collect(),
            Some(offsets) => self.offset_weights(offsets, params),
        };
        self.root_offset = self.offsets.as_ref().map_or(0, |offsets| self.offset_of_root(offsets));
        if let Some(offsets) = &self.offsets {
            self.leaves.set_offsets(&offsets.leaves);
        }
        self.weights = weights.iter().any(|&weight| weight != 1.0).then_some(weights);
    }

    fn offset_weights(&self, offsets: &Offsets, params: &Params) -> Vec<f64> {
        let mut of_row = self.rows_with(&offsets.leaves);
        let (mut weights, mut term) = (Vec::with_capacity(self.tape.terms().len()), 0);
        for (sum, &offset) in self.tape.sums().iter().zip(&offsets.sums) {
            for _ in 0..sum.n_terms {
                let [a, b] = self.tape.terms()[term].map(|row| of_row[row as usize]);
                weights.push(offset_weight(self.weight(term, params), a + b - offset));
                term += 1;
            }
            of_row[sum.out as usize] = offset;
        }
        weights
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
