//! Evidence: what is known of each variable, row by row.

use crate::{Graph, VarId};

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
/// a discrete value, the bits of an `f32` for a real one, or [`MISSING`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    n_variables: usize,
    words: Vec<u32>,
}

impl Batch {
    /// `n_rows` rows in which nothing is known.
    pub fn missing(n_variables: usize, n_rows: usize) -> Self {
        Batch { n_variables, words: vec![MISSING; n_variables * n_rows] }
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

    /// Appends a row of words; it must have one for each variable.
    pub fn push(&mut self, row: &[u32]) {
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
