//! Weights of values, row by row: soft evidence, and the literal weights of weighted model counting.

use pcc_ir::{Graph, VarId};
use std::fmt;
use std::ops::Range;

/// A weight for each value of each variable in each row, `[variable][value][row]`. The value of a circuit
/// under such weights is the sum over all assignments of its value there times the weights of their values.
/// Variables without finitely many values have no weights, and are summed out.
#[derive(Clone, Debug, PartialEq)]
pub struct LiteralWeights {
    /// Where each variable's values start among all values, and where the last ends.
    starts: Vec<usize>,
    n_rows: usize,
    weights: Vec<f64>,
}

/// A weight that is negative, infinite or not a number; or too few of them.
#[derive(Clone, Debug, PartialEq)]
pub enum BadWeights {
    /// A weight that stands for nothing.
    NotAWeight {
        /// The row.
        row: usize,
        /// What was given.
        weight: f64,
    },
    /// One weight for each row is needed.
    Rows {
        /// Rows there are.
        expected: usize,
        /// Weights there were.
        found: usize,
    },
    /// The variable has no such value.
    NoSuchValue {
        /// The variable.
        var: VarId,
        /// The code.
        value: u32,
    },
}

impl fmt::Display for BadWeights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadWeights::NotAWeight { row, weight } => {
                write!(f, "the weight of row {row} is {weight}, but weights are finite and not negative")
            }
            BadWeights::Rows { expected, found } => {
                write!(f, "there are {found} weights, but {expected} rows")
            }
            BadWeights::NoSuchValue { var, value } => write!(f, "variable {var} has no value {value}"),
        }
    }
}

impl std::error::Error for BadWeights {}

impl LiteralWeights {
    /// All weights 1, so that nothing is known.
    pub fn ones(graph: &Graph, n_rows: usize) -> Self {
        let mut starts = vec![0];
        for variable in graph.variables() {
            let n_values = variable.domain.n_values().unwrap_or(0) as usize;
            starts.push(starts[starts.len() - 1] + n_values);
        }
        let weights = vec![1.0; starts[starts.len() - 1] * n_rows];
        LiteralWeights { starts, n_rows, weights }
    }

    /// How many rows there are.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// The weights of a value, one for each row; none where the variable has no such value.
    pub fn of(&self, var: VarId, value: u32) -> &[f64] {
        self.range(var, value).map_or(&[], |range| &self.weights[range])
    }

    /// The weight of a value in a row; 0 where there is no such value.
    pub(super) fn get(&self, var: VarId, value: u32, row: usize) -> f64 {
        self.of(var, value).get(row).copied().unwrap_or(0.0)
    }

    /// Sets the weights of a value, one for each row.
    ///
    /// # Errors
    /// When there is no such value, another number of rows, or a weight that is negative or not finite.
    pub fn set(&mut self, var: VarId, value: u32, weights: &[f64]) -> Result<(), BadWeights> {
        let range = self.range(var, value).ok_or(BadWeights::NoSuchValue { var, value })?;
        if weights.len() != self.n_rows {
            return Err(BadWeights::Rows { expected: self.n_rows, found: weights.len() });
        }
        if let Some(row) = weights.iter().position(|w| !(w.is_finite() && *w >= 0.0)) {
            return Err(BadWeights::NotAWeight { row, weight: weights[row] });
        }
        self.weights[range].copy_from_slice(weights);
        Ok(())
    }

    /// Whether the weights of each variable's values sum to 1 in each row, up to rounding.
    pub fn sum_to_one(&self) -> bool {
        let is_one = |var: usize, row: usize| {
            let values = self.starts[var]..self.starts[var + 1];
            let total: f64 = values.clone().map(|value| self.weights[value * self.n_rows + row]).sum();
            values.is_empty() || (total - 1.0).abs() <= values.len() as f64 * f64::EPSILON
        };
        (0..self.starts.len() - 1).all(|var| (0..self.n_rows).all(|row| is_one(var, row)))
    }

    /// Adds numbers times a factor to the weights of a value in some rows.
    pub(super) fn add(&mut self, var: VarId, value: u32, rows: Range<usize>, more: &[f64], factor: f64) {
        if let Some(range) = self.range(var, value) {
            let own = &mut self.weights[range][rows];
            own.iter_mut().zip(more).for_each(|(weight, more)| *weight += factor * more);
        }
    }

    /// The same variables and rows, all zero.
    pub(super) fn zeros(&self) -> Self {
        LiteralWeights { weights: vec![0.0; self.weights.len()], ..self.clone() }
    }

    fn range(&self, var: VarId, value: u32) -> Option<Range<usize>> {
        let at = self.starts.get(var.index())? + value as usize;
        (at < *self.starts.get(var.index() + 1)?).then(|| at * self.n_rows..(at + 1) * self.n_rows)
    }
}
