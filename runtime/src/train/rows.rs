//! Rows of evidence, wherever they come from.
//!
//! Learners, metrics and reports ask for rows by number and get a [`Batch`] over all variables of the
//! circuit; what the data does not cover is missing. Nothing here reads files or knows formats.

use super::ahead::for_each_chunk_ahead;
use crate::data::{Dataset, Weights};
use pcc_ir::Batch;
use std::convert::Infallible;
use std::sync::Arc;

/// A source of rows. They are fetched by a thread of their own.
pub trait Rows: Sync {
    /// How many rows there are.
    fn n_rows(&self) -> usize;

    /// Replaces `into` by the rows of these numbers, in this order.
    fn batch(&self, rows: &[u32], into: &mut Batch);

    /// How a person counts a row, in the data that it comes from.
    fn number(&self, row: u32) -> u64 {
        u64::from(row) + 1
    }

    /// How much each row counts, when not all count one. Weights are finite and not negative.
    fn weights(&self) -> Option<&[f32]> {
        None
    }
}

/// Rows that lie in memory as evidence.
#[derive(Clone, Debug)]
pub struct EvidenceRows {
    batch: Batch,
    weights: Option<Vec<f32>>,
}

impl EvidenceRows {
    /// Rows that count one each.
    pub fn new(batch: Batch) -> Self {
        EvidenceRows { batch, weights: None }
    }

    /// Rows with weights.
    ///
    /// # Panics
    /// When the numbers of rows and weights differ, or a weight is negative or not finite.
    pub fn weighted(batch: Batch, weights: Vec<f32>) -> Self {
        assert_eq!(batch.n_rows(), weights.len(), "every row has one weight");
        assert!(weights.iter().all(|w| *w >= 0.0 && w.is_finite()), "weights are finite and not negative");
        EvidenceRows { batch, weights: Some(weights) }
    }

    /// The rows.
    pub fn evidence(&self) -> &Batch {
        &self.batch
    }
}

impl Rows for EvidenceRows {
    fn n_rows(&self) -> usize {
        self.batch.n_rows()
    }

    fn batch(&self, rows: &[u32], into: &mut Batch) {
        if (into.n_variables(), into.n_rows()) != (self.batch.n_variables(), rows.len()) {
            *into = Batch::missing(self.batch.n_variables(), rows.len());
        }
        for (i, &row) in rows.iter().enumerate() {
            into.row_mut(i).copy_from_slice(self.batch.row(row as usize));
        }
    }

    fn weights(&self) -> Option<&[f32]> {
        self.weights.as_deref()
    }
}

impl Rows for Dataset {
    fn n_rows(&self) -> usize {
        Dataset::n_rows(self)
    }

    fn batch(&self, rows: &[u32], into: &mut Batch) {
        Dataset::batch(self, rows.iter().map(|&row| row as usize), into);
    }
}

/// The rows of a data set with their weights, if they have any.
#[derive(Clone, Debug)]
pub struct WeightedRows {
    data: Arc<Dataset>,
    weights: Option<Arc<Weights>>,
}

impl WeightedRows {
    /// Rows of data, each counted as often as its weight says, or once.
    ///
    /// # Panics
    /// When the numbers of rows and weights differ.
    pub fn new(data: Arc<Dataset>, weights: Option<Arc<Weights>>) -> Self {
        let n_weights = weights.as_ref().map_or(data.n_rows(), |w| w.values().len());
        assert_eq!(data.n_rows(), n_weights, "every row has one weight");
        WeightedRows { data, weights }
    }
}

impl Rows for WeightedRows {
    fn n_rows(&self) -> usize {
        self.data.n_rows()
    }

    fn batch(&self, rows: &[u32], into: &mut Batch) {
        Rows::batch(&*self.data, rows, into);
    }

    fn weights(&self) -> Option<&[f32]> {
        self.weights.as_ref().map(|weights| weights.values())
    }
}

/// The weights of some rows, or `None` when all count one.
pub(crate) fn weights_of(data: &dyn Rows, rows: &[u32]) -> Option<Vec<f32>> {
    data.weights().map(|w| rows.iter().map(|&row| w[row as usize]).collect())
}

/// How many rows are evaluated at a time: enough to keep every thread busy, few enough that their
/// evidence stays within about 16 MiB.
pub fn chunk_rows(n_variables: usize) -> usize {
    ((4 << 20) / n_variables.max(1)).clamp(64, 8192)
}

/// Calls `visit` with all rows of a circuit's variables, a chunk of row numbers and their evidence at a time, in order. It stops
/// when `visit` says so by returning `false`.
pub fn for_each_chunk(n_variables: usize, data: &dyn Rows, mut visit: impl FnMut(&[u32], &Batch) -> bool) {
    let all: Vec<u32> = (0..data.n_rows() as u32).collect();
    let chunks: Vec<&[u32]> = all.chunks(chunk_rows(n_variables)).collect();
    let visited = for_each_chunk_ahead(n_variables, data, &chunks, |i, batch| {
        Ok::<bool, Infallible>(visit(chunks[i], batch))
    });
    match visited {
        Ok(_) => {}
    }
}
