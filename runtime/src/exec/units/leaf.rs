//! Leaves of a program: what they are worth under evidence, and what they learn from a flow.

use super::soft::LiteralWeights;
use super::wide::Wide;
use pcc_ir::units::{UnitLeaf, UnitProgram};
use pcc_ir::{Batch, Family, Graph, Param, ParamShape, Params, Value, VarId};
use pcc_kernels::units::{LANES, LARGEST, Row, SMALLEST};
use std::ops::Range;

/// Densities are computed where the size of their logarithm, after the offset, is at most this: within
/// [`SMALLEST`] and [`LARGEST`].
const LARGEST_LOG: f64 = 207.0;

/// What is known of each row.
#[derive(Clone, Copy)]
pub(super) enum Evidence<'a> {
    /// Values.
    Batch(&'a Batch),
    /// Weights of values.
    Weights(&'a LiteralWeights),
}

impl Evidence<'_> {
    pub(super) fn n_rows(&self) -> usize {
        match self {
            Evidence::Batch(batch) => batch.n_rows(),
            Evidence::Weights(weights) => weights.n_rows(),
        }
    }
}

/// One leaf.
enum Leaf {
    Literal { var: VarId, value: u32 },
    Input(Input),
}

/// A leaf of a family.
struct Input {
    var: VarId,
    family: Family,
    /// How many values it has, if these are finitely many, else 0.
    n_values: u32,
    /// Where its parameters and the masses of its values start in [`Leaves::numbers`].
    theta: u32,
    masses: u32,
    /// Where its first parameter and statistic lie among all, and how far the next is away.
    param: u32,
    stat: u32,
    stride: u32,
}

impl Input {
    /// Whether its value is a mass, else a density.
    fn is_discrete(&self) -> bool {
        self.n_values > 0
    }

    fn stat(&self, r: usize) -> usize {
        self.stat as usize + r * self.stride as usize
    }
}

/// All leaves of a program with the parameters of the day.
pub(super) struct Leaves {
    leaves: Vec<Leaf>,
    numbers: Vec<f64>,
    /// The power of two that each leaf's stored values are divided by.
    offsets: Vec<i64>,
    /// Which variables hold real numbers.
    is_real: Vec<bool>,
}

impl Leaves {
    /// Leaves that have no parameters yet.
    pub(super) fn of(program: &UnitProgram, graph: &Graph) -> Self {
        let [params, stats] = [Param::len, Param::stats_len].map(|len| starts(graph, len));
        let mut n_numbers = 0;
        let leaves = program.leaves.iter().map(|&leaf| match leaf {
            UnitLeaf::Literal { var, value } => Leaf::Literal { var, value },
            UnitLeaf::Input { var, param, table, unit } => {
                let declared = graph.param(param);
                let ParamShape::Input { family, units } = declared.shape else {
                    unreachable!("the table of an input layer is of a family")
                };
                let n_values = family.get().n_values().unwrap_or(0);
                let (theta, masses) = (n_numbers, n_numbers + family.n_params() as u32);
                n_numbers = masses + n_values;
                let place = |starts: &[u32], len: usize| starts[param.index()] + table * len as u32 + unit;
                let stat = place(&stats, declared.group_stats_len());
                let param = place(&params, declared.group_len());
                Leaf::Input(Input { var, family, n_values, theta, masses, param, stat, stride: units })
            }
        });
        let leaves: Vec<Leaf> = leaves.collect();
        let is_real = graph.variables().iter().map(|v| !v.domain.is_discrete()).collect();
        let offsets = vec![0; leaves.len()];
        Leaves { leaves, numbers: vec![0.0; n_numbers as usize], offsets, is_real }
    }

    /// Takes over changed parameters.
    pub(super) fn update(&mut self, params: &Params) {
        for leaf in &self.leaves {
            let Leaf::Input(input) = leaf else { continue };
            let own = &mut self.numbers[input.theta as usize..];
            let (theta, masses) = own.split_at_mut(input.family.n_params());
            let read = params.values()[input.param as usize..].iter().step_by(input.stride as usize);
            theta.iter_mut().zip(read).for_each(|(own, &new)| *own = f64::from(new));
            for (code, mass) in (0..input.n_values).zip(masses) {
                *mass = input.family.get().log_density(theta, Value::Code(code)).exp();
            }
        }
    }

    pub(super) fn set_offsets(&mut self, offsets: &[i64]) {
        self.offsets.copy_from_slice(offsets);
    }

    fn theta(&self, input: &Input) -> &[f64] {
        &self.numbers[input.theta as usize..input.masses as usize]
    }

    fn masses(&self, input: &Input) -> &[f64] {
        &self.numbers[input.masses as usize..][..input.n_values as usize]
    }

    /// Fills the leaves' rows with up to [`LANES`] rows of evidence; what is left of a strip repeats the
    /// first. Gives samples in which a value is out of range.
    pub(super) fn fill(&self, evidence: Evidence, rows: &Range<usize>, into: &mut [Row]) -> u8 {
        let mut marks = 0;
        for ((leaf, &offset), row) in self.leaves.iter().zip(&self.offsets).zip(into) {
            if let (Leaf::Literal { var, value }, 0) = (leaf, offset) {
                *row = literals(evidence, rows, *var, *value);
                marks |= out_of_range(row);
                continue;
            }
            for s in 0..LANES {
                let at = if s < rows.len() { rows.start + s } else { rows.start };
                let value = match leaf {
                    Leaf::Input(input) if !input.is_discrete() => {
                        exp_in_range(self.log_density(input, evidence, at), offset)
                    }
                    _ => match self.plain(leaf, evidence, at) {
                        value if offset == 0 && value >= SMALLEST => Some(value),
                        _ => in_range(self.wide_of(leaf, evidence, at).scaled(-offset)),
                    },
                };
                marks |= u8::from(value.is_none()) << s;
                row.0[s] = value.unwrap_or(0.0);
            }
            marks |= out_of_range(row);
        }
        marks
    }

    /// A leaf's value, not offset.
    pub(super) fn wide(&self, leaf: usize, evidence: Evidence, row: usize) -> Wide {
        self.wide_of(&self.leaves[leaf], evidence, row)
    }

    fn wide_of(&self, leaf: &Leaf, evidence: Evidence, row: usize) -> Wide {
        let input = match leaf {
            Leaf::Literal { .. } => return Wide::of(self.plain(leaf, evidence, row)),
            Leaf::Input(input) => input,
        };
        match evidence {
            Evidence::Weights(weights) if input.is_discrete() => {
                let term =
                    |code| self.wide_mass(input, code).times(Wide::of(weights.get(input.var, code, row)));
                (0..input.n_values).map(term).fold(Wide::ZERO, Wide::plus)
            }
            Evidence::Batch(batch) if input.is_discrete() => match batch.row(row)[input.var.index()] {
                pcc_ir::MISSING => Wide::ONE,
                code => self.wide_mass(input, code),
            },
            _ => Wide::exp(self.log_density(input, evidence, row)),
        }
    }

    /// The mass of a value; its logarithm says more of one that is tiny.
    fn wide_mass(&self, input: &Input, code: u32) -> Wide {
        match self.masses(input).get(code as usize) {
            None => Wide::ZERO,
            Some(&mass) if mass >= SMALLEST => Wide::of(mass),
            Some(_) => Wide::exp(input.family.get().log_density(self.theta(input), Value::Code(code))),
        }
    }

    /// The logarithm of a density; that of one where real numbers have weights, which sums them out.
    fn log_density(&self, input: &Input, evidence: Evidence, row: usize) -> f64 {
        match evidence {
            Evidence::Batch(batch) => {
                input.family.get().log_density(self.theta(input), self.value(batch, row, input.var))
            }
            Evidence::Weights(_) => 0.0,
        }
    }

    fn value(&self, batch: &Batch, row: usize, var: VarId) -> Value {
        Value::from_word(batch.row(row)[var.index()], !self.is_real[var.index()])
    }

    /// The value of a leaf as a plain number.
    fn plain(&self, leaf: &Leaf, evidence: Evidence, row: usize) -> f64 {
        match (leaf, evidence) {
            (Leaf::Literal { var, value }, Evidence::Batch(batch)) => {
                let seen = batch.row(row)[var.index()];
                f64::from(u8::from(seen == *value || seen == pcc_ir::MISSING))
            }
            (Leaf::Literal { var, value }, Evidence::Weights(weights)) => weights.get(*var, *value, row),
            (Leaf::Input(input), Evidence::Batch(batch)) if input.is_discrete() => {
                match batch.row(row)[input.var.index()] {
                    pcc_ir::MISSING => 1.0,
                    code => self.masses(input).get(code as usize).copied().unwrap_or(0.0),
                }
            }
            (Leaf::Input(input), Evidence::Weights(weights)) if input.is_discrete() => {
                let term = |(mass, code): (&f64, u32)| mass * weights.get(input.var, code, row);
                self.masses(input).iter().zip(0..).map(term).sum()
            }
            (Leaf::Input(input), _) => self.log_density(input, evidence, row).exp(),
        }
    }

    /// Adds what a leaf's flow in one row says of its parameters.
    pub(super) fn observe(&self, leaf: usize, batch: &Batch, row: usize, flow: f64, stats: &mut [f64]) {
        if flow == 0.0 {
            return;
        }
        let Leaf::Input(input) = &self.leaves[leaf] else { return };
        if input.is_discrete() {
            let code = batch.row(row)[input.var.index()];
            if code < input.n_values {
                stats[input.stat(code as usize)] += flow;
            }
            return;
        }
        let mut own = vec![0.0; input.family.n_stats()];
        input.family.get().observe(self.theta(input), self.value(batch, row, input.var), flow, &mut own);
        own.iter().enumerate().for_each(|(r, s)| stats[input.stat(r)] += s);
    }

    /// Adds a leaf's derivatives in some rows to those of the weights that it reads.
    pub(super) fn add_derivatives(
        &self,
        leaf: usize,
        rows: Range<usize>,
        own: &[f64],
        into: &mut LiteralWeights,
    ) {
        match &self.leaves[leaf] {
            Leaf::Literal { var, value } => into.add(*var, *value, rows, own, 1.0),
            Leaf::Input(input) => {
                let each = self.masses(input).iter().zip(0..);
                each.for_each(|(&mass, value)| into.add(input.var, value, rows.clone(), own, mass));
            }
        }
    }

    /// Makes derivatives by leaves' stored values, which are finite, those by their values.
    pub(super) fn unscale(&self, derivatives: &mut [Row]) {
        for (row, &offset) in derivatives.iter_mut().zip(&self.offsets).filter(|(_, offset)| **offset != 0) {
            *row = Row(row.0.map(|derivative| Wide::of(derivative).scaled(-offset).to_f64()));
        }
    }

    /// Whether leaves learn.
    pub(super) fn learns(&self, leaf: usize) -> bool {
        !matches!(self.leaves[leaf], Leaf::Literal { .. })
    }
}

/// The values of a literal in a strip.
fn literals(evidence: Evidence, rows: &Range<usize>, var: VarId, value: u32) -> Row {
    let mut row = Row::splat(0.0);
    match evidence {
        Evidence::Weights(weights) => {
            let Some(own) = weights.of(var, value).get(rows.clone()) else { return row };
            row = Row::splat(own[0]);
            row.0[..own.len()].copy_from_slice(own);
        }
        Evidence::Batch(batch) => {
            for (s, own) in row.0.iter_mut().enumerate() {
                let at = if s < rows.len() { rows.start + s } else { rows.start };
                let seen = batch.row(at)[var.index()];
                *own = f64::from(u8::from(seen == value || seen == pcc_ir::MISSING));
            }
        }
    }
    row
}

/// Bits of the samples that are neither zero nor in range.
fn out_of_range(row: &Row) -> u8 {
    let is_out = |value: f64| value != 0.0 && !(SMALLEST..=LARGEST).contains(&value);
    row.0.iter().enumerate().fold(0, |bits, (s, &value)| bits | u8::from(is_out(value)) << s)
}

/// A number, or none out of range.
fn in_range(value: Wide) -> Option<f64> {
    (value.is_zero() || value.exponent().abs() < 300).then(|| value.to_f64())
}

/// `exp(log) / 2^offset`, or none out of range.
fn exp_in_range(log: f64, offset: i64) -> Option<f64> {
    let scaled = log - offset as f64 * std::f64::consts::LN_2;
    (log == f64::NEG_INFINITY || scaled.abs() <= LARGEST_LOG).then(|| scaled.exp())
}

/// Where the numbers of each table start.
fn starts(graph: &Graph, len: fn(&Param) -> usize) -> Vec<u32> {
    let next = |end: &mut u32, param| Some(std::mem::replace(end, *end + len(param) as u32));
    graph.params().iter().scan(0, next).collect()
}
