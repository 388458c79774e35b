//! Soft evidence: for some variables of a row, a weight for each value.
//!
//! A variable that is known softly stands for a part of a circuit that was computed before: the weight of a value
//! is the likelihood of what the row says there. An indicator of the value has that weight, and a leaf is the sum of
//! its values' probabilities times their weights.
//!
//! In: logarithms of weights, row by row. Out: the same, or what compiled code reads of them. The weights of a
//! variable in a row share a power of two, and the largest is in `[1, 2]`; zero stays zero. One that is so small
//! beside the largest that a 32-bit float can't hold it is kept by its logarithm, as a negative number, so that no
//! span of weights loses any of them. Nothing here knows where weights come from.

use crate::{Graph, VarId};
use std::sync::Arc;

/// Weights under two to this, relative to their row's power of two, are kept by their logarithms.
const LEAST_EXPONENT: f64 = -125.0;

/// The power of two of a row whose weights are all zero, so that it loses every comparison.
const ZERO_EXPONENT: f32 = -1_073_741_824.0;

/// The largest size of a power of two: sums of some are still exact in 32 bits.
const LARGEST_EXPONENT: f64 = 4_194_304.0;

/// Weights for the values of some variables, row after row.
#[derive(Clone, Debug, PartialEq)]
pub struct SoftTable {
    variables: Vec<VarId>,
    /// Where each variable's weights start in a row, and where the last end.
    starts: Vec<usize>,
    /// Row after row: mantissas, or binary logarithms where they are negative.
    weights: Vec<f32>,
    /// Row after row: the power of two of each variable.
    exponents: Vec<f32>,
    /// For each row, how many known values it stands for.
    known: Vec<u32>,
}

// No number in it is a NaN.
impl Eq for SoftTable {}

/// A weight that can't be kept: not a number, infinite, or over 2^4,194,304 or the reciprocal of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UnfitWeight {
    /// The variable.
    pub var: VarId,
    /// Its natural logarithm.
    pub log: f64,
}

impl SoftTable {
    /// No rows yet, for these variables.
    ///
    /// # Panics
    /// When a variable has no bounded number of values, or is named twice.
    pub fn new(graph: &Graph, variables: &[VarId]) -> Self {
        let mut starts = vec![0];
        for (i, &var) in variables.iter().enumerate() {
            assert!(!variables[..i].contains(&var), "every variable has one set of weights");
            let n_values =
                graph.variable(var).domain.n_values().expect("soft evidence is over finitely many values");
            starts.push(starts[i] + n_values as usize);
        }
        let variables = variables.to_vec();
        SoftTable { variables, starts, weights: Vec::new(), exponents: Vec::new(), known: Vec::new() }
    }

    /// Appends a row: the natural logarithms of the weights of all values of all variables, one after another,
    /// and how many known values of data they stand for.
    ///
    /// # Errors
    /// When a weight is unfit. The row is not appended then.
    ///
    /// # Panics
    /// When there are more or fewer weights than values.
    pub fn push(&mut self, logs: &[f64], known: u32) -> Result<(), UnfitWeight> {
        assert_eq!(logs.len(), self.row_len(), "there is a weight for each value");
        let (n_weights, n_exponents) = (self.weights.len(), self.exponents.len());
        for (i, &var) in self.variables.iter().enumerate() {
            let logs = &logs[self.starts[i]..self.starts[i + 1]];
            match exponent_of(logs) {
                Ok(exponent) => {
                    self.exponents.push(exponent);
                    self.weights.extend(logs.iter().map(|&log| entry(log, exponent)));
                }
                Err(log) => {
                    self.weights.truncate(n_weights);
                    self.exponents.truncate(n_exponents);
                    return Err(UnfitWeight { var, log });
                }
            }
        }
        self.known.push(known);
        Ok(())
    }

    /// The variables that it has weights for.
    pub fn variables(&self) -> &[VarId] {
        &self.variables
    }

    /// How many rows there are.
    pub fn n_rows(&self) -> usize {
        self.known.len()
    }

    /// Weights of a row.
    pub fn row_len(&self) -> usize {
        self.starts[self.variables.len()]
    }

    /// All weights, [`SoftTable::row_len`] for each row: not negative, a mantissa that belongs to a power of two
    /// of [`SoftTable::exponents`]; negative, the binary logarithm of one under `2^-125`, right to the 24 bits of its
    /// distance from the largest.
    pub fn weights(&self) -> &[f32] {
        &self.weights
    }

    /// Exponents of two, one for each row and variable; -2^30 where all weights are zero.
    pub fn exponents(&self) -> &[f32] {
        &self.exponents
    }

    /// How many known values of data a row stands for.
    pub fn known(&self, row: usize) -> u32 {
        self.known[row]
    }

    /// The weights of one of its variables in a row.
    pub fn of(&self, row: usize, slot: usize) -> SoftValue<'_> {
        let first = row * self.row_len();
        SoftValue {
            weights: &self.weights[first + self.starts[slot]..first + self.starts[slot + 1]],
            exponent: self.exponents[row * self.variables.len() + slot],
        }
    }

    /// Bytes of a table of so many weights, variables and rows.
    pub fn bytes(row_len: u64, n_variables: u64, n_rows: u64) -> u64 {
        4 * n_rows.saturating_mul(row_len + n_variables + 1)
    }
}

/// The largest power of two not over the largest weight. Errors: an unfit weight.
fn exponent_of(logs: &[f64]) -> Result<f32, f64> {
    let is_fit = |log: f64| log < f64::INFINITY;
    if let Some(&log) = logs.iter().find(|&&log| !is_fit(log)) {
        return Err(log);
    }
    let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let exponent = (largest * std::f64::consts::LOG2_E).floor();
    match largest == f64::NEG_INFINITY {
        true => Ok(ZERO_EXPONENT),
        false if exponent.abs() > LARGEST_EXPONENT => Err(largest),
        false => Ok(exponent as f32),
    }
}

/// What is kept of a weight.
fn entry(log: f64, exponent: f32) -> f32 {
    let binary = log * std::f64::consts::LOG2_E - f64::from(exponent);
    match binary {
        f64::NEG_INFINITY => 0.0,
        _ if log == f64::NEG_INFINITY => 0.0,
        small if small < LEAST_EXPONENT => small as f32,
        _ => binary.exp2() as f32,
    }
}

/// The weights of one variable in one row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SoftValue<'a> {
    weights: &'a [f32],
    exponent: f32,
}

impl SoftValue<'_> {
    /// How many values there are.
    pub fn n_values(&self) -> u32 {
        self.weights.len() as u32
    }

    /// The natural logarithm of a value's weight; minus infinity for a value that there is not.
    pub fn log(&self, value: u32) -> f64 {
        let binary = match self.weights.get(value as usize) {
            None | Some(0.0) => return f64::NEG_INFINITY,
            Some(&small) if small < 0.0 => f64::from(small),
            Some(&mantissa) => f64::from(mantissa).log2(),
        };
        (binary + f64::from(self.exponent)) * std::f64::consts::LN_2
    }
}

/// The soft evidence of the rows of a batch: rows of a table that many batches share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoftRows {
    table: Arc<SoftTable>,
    rows: Vec<u32>,
}

impl SoftRows {
    /// Some rows of a table.
    ///
    /// # Panics
    /// When the table has no such row.
    pub fn new(table: &Arc<SoftTable>, rows: &[u32]) -> Self {
        assert!(rows.iter().all(|&row| (row as usize) < table.n_rows()), "the table has these rows");
        SoftRows { table: table.clone(), rows: rows.to_vec() }
    }

    /// The table.
    pub fn table(&self) -> &Arc<SoftTable> {
        &self.table
    }

    /// The table's row of each row of the batch.
    pub fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// Whether a variable is known softly.
    pub fn covers(&self, var: VarId) -> bool {
        self.table.variables.contains(&var)
    }

    /// The weights of a variable in a row of the batch, where it has some.
    pub fn get(&self, row: usize, var: VarId) -> Option<SoftValue<'_>> {
        let slot = self.table.variables.iter().position(|&own| own == var)?;
        Some(self.table.of(self.rows[row] as usize, slot))
    }
}

#[cfg(test)]
mod tests {
    use super::{SoftTable, UnfitWeight};
    use crate::{Domain, Graph, GraphBuilder, VarId};
    use pcc_diag::Span;

    /// A circuit over two variables, of three values and of two.
    fn graph() -> Graph {
        let mut builder = GraphBuilder::new();
        builder.variables("Y", &[1], Domain::Cat(3), true);
        builder.variables("Z", &[1], Domain::Bool, true);
        let root = builder.literal(VarId(0), 0, 1, 1, Span::default());
        builder.finish(root).unwrap()
    }

    fn table() -> SoftTable {
        SoftTable::new(&graph(), &[VarId(1), VarId(0)])
    }

    #[test]
    fn logarithms_come_back_whatever_their_span() {
        let rows = [
            [0.0, -0.5, -1000.0, 3.0, f64::NEG_INFINITY],
            [f64::NEG_INFINITY, f64::NEG_INFINITY, -87.5, -86.0, -2000.25],
            [-123.456, -1e-9, 88.0, -12.0, -13.0],
        ];
        let mut table = table();
        rows.iter().for_each(|row| table.push(row, 7).unwrap());
        assert_eq!((table.n_rows(), table.row_len(), table.known(2)), (3, 5, 7));
        for (i, row) in rows.iter().enumerate() {
            for (j, &log) in row.iter().enumerate() {
                let (slot, value) = if j < 2 { (0, j) } else { (1, j - 2) };
                let found = table.of(i, slot).log(value as u32);
                // What is kept of a tiny weight is its distance from the largest of its variable, in 32 bits.
                let all = if slot == 0 { &row[..2] } else { &row[2..] };
                let distance = all.iter().copied().fold(f64::NEG_INFINITY, f64::max) - log;
                let is_same = found == log || (found - log).abs() <= 1e-7 * distance.max(log.abs()).max(1.0);
                assert!(is_same, "{found} for {log}");
            }
        }
        assert_eq!(table.of(0, 0).log(2), f64::NEG_INFINITY);
    }

    #[test]
    fn mantissas_are_what_compiled_code_reads() {
        let mut table = table();
        let ln2 = std::f64::consts::LN_2;
        table.push(&[0.0, -ln2, 4.0 * ln2, -121.0 * ln2, -122.5 * ln2], 0).unwrap();
        assert_eq!(table.exponents(), [0.0, 4.0]);
        assert_eq!(table.weights()[..3], [1.0, 0.5, 1.0]);
        assert_eq!(table.weights()[3], 2.0_f32.powi(-125));
        assert!((table.weights()[4] + 126.5).abs() < 1e-4);
        table.push(&[f64::NEG_INFINITY; 5], 0).unwrap();
        assert_eq!(table.exponents()[2..], [-(2.0_f32.powi(30)); 2]);
        assert_eq!(table.weights()[5..], [0.0; 5]);
    }

    #[test]
    fn what_is_no_weight_is_refused_and_leaves_nothing_behind() {
        for log in [f64::INFINITY, f64::NAN, 1e8, -1e8] {
            let mut table = table();
            let refused = table.push(&[0.0, 0.0, log, f64::NEG_INFINITY, f64::NEG_INFINITY], 1).unwrap_err();
            let UnfitWeight { var, log: found } = refused;
            assert_eq!((var, found.to_bits()), (VarId(0), log.to_bits()));
            assert_eq!((table.n_rows(), table.weights().len(), table.exponents().len()), (0, 0, 0));
        }
    }
}
