//! Evidence: what is known of each variable, row by row.

use crate::soft::{SoftRows, SoftTable, SoftValue};
use crate::{Graph, VarId};
use std::sync::Arc;

/// The word of a value that is not known. It is no code, and as a float it is a NaN.
pub const MISSING: u32 = u32::MAX;

/// One value of one variable.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// Not known: summed out.
    Missing,
    /// The code of a value of a discrete domain.
    Code(u32),
    /// A value of `real`.
    Real(f64),
}

/// Rows of evidence over all variables of a graph, row-major, one 32-bit word for each value: the code of
/// a discrete value, the bits of an `f32` for a real one, or [`MISSING`]. Some variables may instead be known
/// softly: then weights of their values stand in the place of the words, which nobody reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    n_variables: usize,
    words: Vec<u32>,
    soft: Option<SoftRows>,
}

impl Batch {
    /// `n_rows` rows in which nothing is known.
    pub fn missing(n_variables: usize, n_rows: usize) -> Self {
        Batch { n_variables, words: vec![MISSING; n_variables * n_rows], soft: None }
    }

    /// No rows.
    pub fn empty(n_variables: usize) -> Self {
        Self::missing(n_variables, 0)
    }

    /// How many variables a row has.
    pub fn n_variables(&self) -> usize {
        self.n_variables
    }

    /// How many rows there are.
    pub fn n_rows(&self) -> usize {
        self.words.len().checked_div(self.n_variables).unwrap_or(0)
    }

    /// One row of words.
    pub fn row(&self, row: usize) -> &[u32] {
        &self.words[row * self.n_variables..(row + 1) * self.n_variables]
    }

    /// One row of words, to be changed.
    pub fn row_mut(&mut self, row: usize) -> &mut [u32] {
        &mut self.words[row * self.n_variables..(row + 1) * self.n_variables]
    }

    /// Appends a row of words; it must have one for each variable, and nothing may be known softly.
    pub fn push(&mut self, row: &[u32]) {
        assert!(self.soft.is_none(), "rows with soft evidence come all at once");
        assert_eq!(row.len(), self.n_variables, "a row has one word for each variable");
        self.words.extend_from_slice(row);
    }

    /// All words, row after row.
    pub fn words(&self) -> &[u32] {
        &self.words
    }

    /// Sets one value.
    pub fn set(&mut self, row: usize, var: VarId, value: Value) {
        self.row_mut(row)[var.index()] = value.to_word();
    }

    /// Lets rows of a table say what they say of its variables, one for each row here.
    ///
    /// # Panics
    /// When there are more or fewer rows, or the table has none of that number.
    pub fn observe_softly(&mut self, table: &Arc<SoftTable>, rows: &[u32]) {
        assert_eq!(rows.len(), self.n_rows(), "every row has its soft evidence");
        self.soft = Some(SoftRows::new(table, rows));
    }

    /// What is known softly, if anything is.
    pub fn soft(&self) -> Option<&SoftRows> {
        self.soft.as_ref()
    }

    /// The weights of a variable's values, where it is known softly.
    pub fn weights(&self, row: usize, var: VarId) -> Option<SoftValue<'_>> {
        self.soft.as_ref().and_then(|soft| soft.get(row, var))
    }

    /// A batch of one of its rows.
    pub fn one_row(&self, row: usize) -> Batch {
        let soft = self.soft.as_ref().map(|soft| SoftRows::new(soft.table(), &soft.rows()[row..=row]));
        Batch { n_variables: self.n_variables, words: self.row(row).to_vec(), soft }
    }

    /// What a row says of a variable, as values with the natural logarithms of their weights: one of weight 1, or
    /// all where it is known softly.
    pub fn alternatives(&self, graph: &Graph, row: usize, var: VarId) -> Vec<(Value, f64)> {
        match self.weights(row, var) {
            None => vec![(self.get(graph, row, var), 0.0)],
            Some(soft) => (0..soft.n_values()).map(|code| (Value::Code(code), soft.log(code))).collect(),
        }
    }

    /// One value, read with the variable's domain.
    pub fn get(&self, graph: &Graph, row: usize, var: VarId) -> Value {
        Value::from_word(self.row(row)[var.index()], graph.variable(var).domain.is_discrete())
    }
}

impl Value {
    /// The word that stands for it in a [`Batch`].
    pub fn to_word(self) -> u32 {
        match self {
            Value::Missing => MISSING,
            Value::Code(code) => code,
            Value::Real(x) => (x as f32).to_bits(),
        }
    }

    /// The value that a word stands for.
    pub fn from_word(word: u32, is_discrete: bool) -> Self {
        match (word, is_discrete) {
            (MISSING, _) => Value::Missing,
            (code, true) => Value::Code(code),
            (bits, false) if f32::from_bits(bits).is_nan() => Value::Missing,
            (bits, false) => Value::Real(f64::from(f32::from_bits(bits))),
        }
    }
}
