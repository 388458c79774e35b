//! Rows of data with labels for latents beside them, or labels alone.

use super::rows::{Rows, WeightedRows};
use pcc_ir::recipe::Labels;
use pcc_ir::{Batch, MISSING, VarGroup, VarId};
use std::ops::Range;
use std::sync::Arc;

/// Labels of the variables of one latent.
#[derive(Clone, Debug)]
pub struct Attached {
    variables: Range<usize>,
    labels: Arc<Labels>,
}

impl Attached {
    /// Labels for a latent.
    ///
    /// # Panics
    /// When they are of another number of positions than the latent has variables.
    pub fn new(latent: &VarGroup, labels: Arc<Labels>) -> Self {
        assert_eq!(latent.len(), labels.positions, "every variable has its labels");
        let first = latent.first.index();
        Attached { variables: first..first + latent.len(), labels }
    }

    /// Whether they are values of the variable.
    pub fn covers(&self, variable: VarId) -> bool {
        self.variables.contains(&variable.index())
    }

    /// How many rows they label.
    pub fn n_rows(&self) -> usize {
        self.labels.labels.len() / self.labels.positions
    }

    /// Whether no label is missing.
    pub fn is_complete(&self) -> bool {
        !self.labels.labels.contains(&MISSING)
    }

    fn of_row(&self, row: usize) -> &[u32] {
        &self.labels.labels[row * self.labels.positions..][..self.labels.positions]
    }
}

/// Rows of a circuit's variables in which labelled latents are observed. What neither data nor labels cover is
/// missing.
#[derive(Clone, Debug)]
pub struct LabelledRows {
    data: Option<WeightedRows>,
    n_rows: usize,
    n_variables: usize,
    attached: Vec<Attached>,
}

impl LabelledRows {
    /// Data with labels beside it.
    ///
    /// # Panics
    /// When labels are for another number of rows.
    pub fn new(data: WeightedRows, n_variables: usize, attached: Vec<Attached>) -> Self {
        let n_rows = data.n_rows();
        assert!(attached.iter().all(|a| a.n_rows() == n_rows), "every row has its labels");
        LabelledRows { data: Some(data), n_rows, n_variables, attached }
    }

    /// Labels alone.
    pub fn alone(n_variables: usize, attached: Attached) -> Self {
        LabelledRows { data: None, n_rows: attached.n_rows(), n_variables, attached: vec![attached] }
    }
}

impl Rows for LabelledRows {
    fn n_rows(&self) -> usize {
        self.n_rows
    }

    fn batch(&self, rows: &[u32], into: &mut Batch) {
        match &self.data {
            Some(data) => data.batch(rows, into),
            None => *into = Batch::missing(self.n_variables, rows.len()),
        }
        for (i, &row) in rows.iter().enumerate() {
            let words = into.row_mut(i);
            for attached in &self.attached {
                words[attached.variables.clone()].copy_from_slice(attached.of_row(row as usize));
            }
        }
    }

    fn weights(&self) -> Option<&[f32]> {
        self.data.as_ref().and_then(WeightedRows::weights)
    }
}
