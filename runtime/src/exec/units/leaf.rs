//! Leaves of a program: what they are worth under evidence, and what they learn from a flow.

use super::soft::LiteralWeights;
use super::wide::Wide;
use pcc_ir::units::{UnitLeaf, UnitProgram};
use pcc_ir::{Batch, Family, Flows, Graph, ParamShape, Params, Value, VarId};
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
    Literal {
        var: VarId,
        value: u32,
    },
    /// A family with finitely many values: the mass of each.
    Masses {
        var: VarId,
        masses: Vec<f64>,
        /// Their logarithms, which say more of those that are tiny.
        logs: Vec<f64>,
        stats: usize,
        units: usize,
    },
    Density {
        var: VarId,
        family: Family,
        theta: Vec<f64>,
        stats: usize,
        units: usize,
    },
}

/// All leaves of a program with the parameters of the day.
pub(super) struct Leaves {
    leaves: Vec<Leaf>,
    /// The power of two that each leaf's stored values are divided by.
    offsets: Vec<i64>,
    /// Which variables hold real numbers.
    is_real: Vec<bool>,
}

impl Leaves {
    pub(super) fn of(program: &UnitProgram, graph: &Graph, params: &Params) -> Self {
        let flows = Flows::zero(graph);
        let leaves = program.leaves.iter().map(|&leaf| Leaf::of(leaf, graph, params, &flows)).collect();
        let is_real = graph.variables().iter().map(|v| !v.domain.is_discrete()).collect();
        Leaves { leaves, offsets: vec![0; program.leaves.len()], is_real }
    }

    pub(super) fn set_offsets(&mut self, offsets: &[i64]) {
        self.offsets.copy_from_slice(offsets);
    }

    /// Fills the leaves' rows with up to [`LANES`] rows of evidence; what is left of a strip repeats the
    /// first. Gives samples in which a value is out of range.
    pub(super) fn fill(&self, evidence: Evidence, rows: &Range<usize>, into: &mut [Row]) -> u8 {
        let mut marks = 0;
        for ((leaf, &offset), row) in self.leaves.iter().zip(&self.offsets).zip(into) {
            for s in 0..LANES {
                let at = if s < rows.len() { rows.start + s } else { rows.start };
                let value = match leaf {
                    Leaf::Density { .. } => exp_in_range(self.log_density(leaf, evidence, at), offset),
                    Leaf::Literal { .. } if offset == 0 => Some(self.plain(leaf, evidence, at)),
                    _ => match self.plain(leaf, evidence, at) {
                        value if offset == 0 && value >= SMALLEST => Some(value),
                        _ => in_range(self.wide_of(leaf, evidence, at).scaled(-offset)),
                    },
                };
                marks |= u8::from(value.is_none()) << s;
                let value = value.unwrap_or(0.0);
                marks |= u8::from(value != 0.0 && !(SMALLEST..=LARGEST).contains(&value)) << s;
                row.0[s] = value;
            }
        }
        marks
    }

    /// A leaf's value, not offset.
    pub(super) fn wide(&self, leaf: usize, evidence: Evidence, row: usize) -> Wide {
        self.wide_of(&self.leaves[leaf], evidence, row)
    }

    fn wide_of(&self, leaf: &Leaf, evidence: Evidence, row: usize) -> Wide {
        match (leaf, evidence) {
            (Leaf::Density { .. }, _) => Wide::exp(self.log_density(leaf, evidence, row)),
            (Leaf::Masses { var, logs, .. }, Evidence::Batch(batch)) => {
                let log = |code: u32| logs.get(code as usize).copied().unwrap_or(f64::NEG_INFINITY);
                match batch.row(row)[var.index()] {
                    pcc_ir::MISSING => Wide::ONE,
                    code => Wide::exp(log(code)),
                }
            }
            (Leaf::Masses { var, logs, .. }, Evidence::Weights(weights)) => {
                let weight = |value: usize| weights.of(*var, value as u32).get(row).copied().unwrap_or(0.0);
                let term = |(value, &log): (usize, &f64)| Wide::exp(log).times(Wide::of(weight(value)));
                logs.iter().enumerate().map(term).fold(Wide::ZERO, Wide::plus)
            }
            (Leaf::Literal { .. }, _) => Wide::of(self.plain(leaf, evidence, row)),
        }
    }

    /// The logarithm of a density; that of one where real numbers have weights, which sums them out.
    fn log_density(&self, leaf: &Leaf, evidence: Evidence, row: usize) -> f64 {
        match (leaf, evidence) {
            (Leaf::Density { var, family, theta, .. }, Evidence::Batch(batch)) => {
                family.get().log_density(theta, self.value(batch, row, *var))
            }
            _ => 0.0,
        }
    }

    fn value(&self, batch: &Batch, row: usize, var: VarId) -> Value {
        Value::from_word(batch.row(row)[var.index()], !self.is_real[var.index()])
    }

    /// The value of a leaf with finitely many values.
    fn plain(&self, leaf: &Leaf, evidence: Evidence, row: usize) -> f64 {
        match (leaf, evidence) {
            (Leaf::Literal { var, value }, Evidence::Batch(batch)) => {
                let seen = batch.row(row)[var.index()];
                f64::from(u8::from(seen == *value || seen == pcc_ir::MISSING))
            }
            (Leaf::Literal { var, value }, Evidence::Weights(weights)) => {
                weights.of(*var, *value).get(row).copied().unwrap_or(0.0)
            }
            (Leaf::Masses { var, masses, .. }, Evidence::Batch(batch)) => match batch.row(row)[var.index()] {
                pcc_ir::MISSING => 1.0,
                code => masses.get(code as usize).copied().unwrap_or(0.0),
            },
            (Leaf::Masses { var, masses, .. }, Evidence::Weights(weights)) => {
                let weight = |value: usize| weights.of(*var, value as u32).get(row).copied().unwrap_or(0.0);
                masses.iter().enumerate().map(|(value, mass)| mass * weight(value)).sum()
            }
            (Leaf::Density { .. }, _) => self.log_density(leaf, evidence, row).exp(),
        }
    }

    /// Adds what a leaf's flow in one row says of its parameters.
    pub(super) fn observe(&self, leaf: usize, batch: &Batch, row: usize, flow: f64, stats: &mut [f64]) {
        if flow == 0.0 {
            return;
        }
        match &self.leaves[leaf] {
            Leaf::Literal { .. } => {}
            Leaf::Masses { var, masses, stats: first, units, .. } => {
                let code = batch.row(row)[var.index()] as usize;
                if code < masses.len() {
                    stats[first + code * units] += flow;
                }
            }
            Leaf::Density { var, family, theta, stats: first, units } => {
                let mut own = vec![0.0; family.n_stats()];
                family.get().observe(theta, self.value(batch, row, *var), flow, &mut own);
                own.iter().enumerate().for_each(|(r, s)| stats[first + r * units] += s);
            }
        }
    }

    /// Adds a leaf's derivative in one row to those of the weights that it reads.
    pub(super) fn add_derivative(&self, leaf: usize, row: usize, derivative: f64, into: &mut LiteralWeights) {
        match &self.leaves[leaf] {
            Leaf::Literal { var, value } => into.add(*var, *value, row, derivative),
            Leaf::Masses { var, masses, .. } => {
                let each = masses.iter().enumerate();
                each.for_each(|(value, mass)| into.add(*var, value as u32, row, derivative * mass));
            }
            Leaf::Density { .. } => {}
        }
    }

    /// What a leaf's derivative by its stored value is times, to be that by its value.
    pub(super) fn unscale(&self, leaf: usize, derivative: f64) -> f64 {
        Wide::of(derivative).scaled(-self.offsets[leaf]).to_f64()
    }

    /// Whether leaves learn.
    pub(super) fn learns(&self, leaf: usize) -> bool {
        !matches!(self.leaves[leaf], Leaf::Literal { .. })
    }
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

impl Leaf {
    fn of(leaf: UnitLeaf, graph: &Graph, params: &Params, flows: &Flows) -> Self {
        let (var, param, table, unit) = match leaf {
            UnitLeaf::Literal { var, value } => return Leaf::Literal { var, value },
            UnitLeaf::Input { var, param, table, unit } => (var, param, table as usize, unit as usize),
        };
        let declared = graph.param(param);
        let ParamShape::Input { family, units } = declared.shape else {
            return Leaf::Masses { var, masses: Vec::new(), logs: Vec::new(), stats: 0, units: 0 };
        };
        let (units, len) = (units as usize, declared.group_len());
        let numbers = &params.table(param)[table * len..(table + 1) * len];
        let theta: Vec<f64> = (0..family.n_params()).map(|r| f64::from(numbers[r * units + unit])).collect();
        let stats = flows.range(param).start + table * declared.group_stats_len() + unit;
        match family.get().n_values() {
            None => Leaf::Density { var, family, theta, stats, units },
            Some(n) => {
                let log = |code| family.get().log_density(&theta, Value::Code(code));
                let logs: Vec<f64> = (0..n).map(log).collect();
                let masses = logs.iter().map(|log| log.exp()).collect();
                Leaf::Masses { var, masses, logs, stats, units }
            }
        }
    }
}
