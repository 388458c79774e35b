//! A data set in memory: rows over some of a circuit's variables.

use super::cells::Cells;
use super::column::Columns;
use super::mask::Mask;
use super::vocabulary::Vocabulary;
use pcc_diag::Diagnostic;
use pcc_ir::recipe::Labels;
use pcc_ir::{Batch, Domain, MISSING, Value, VarGroup, VarId};
use std::sync::Arc;

/// Rows of checked values, row-major, as narrow as their domains allow.
#[derive(Clone, Debug)]
pub struct Dataset {
    pub(super) name: String,
    pub(super) columns: Columns,
    pub(super) cells: Cells,
    pub(super) hash: blake3::Hash,
    pub(super) vocabulary: Option<Arc<Vocabulary>>,
}

impl Dataset {
    /// Labels as a data set of their own, over one discrete variable for each position.
    pub fn of_labels(name: &str, labels: &Labels) -> Self {
        let group = VarGroup {
            name: name.into(),
            extents: vec![labels.positions as u32],
            domain: Domain::Cat(labels.n_values),
            is_latent: false,
            first: VarId::new(0),
        };
        let columns = Columns::of_group(group);
        let mut cells = Cells::for_codes(Some(labels.n_values));
        cells.extend(&labels.labels);
        let mut hasher = blake3::Hasher::new();
        for label in &labels.labels {
            hasher.update(&label.to_le_bytes());
        }
        Dataset { name: name.into(), columns, cells, hash: hasher.finalize(), vocabulary: None }
    }

    /// Its name in the source.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many rows it has.
    pub fn n_rows(&self) -> usize {
        self.cells.len().checked_div(self.columns.len()).unwrap_or(0)
    }

    /// Its columns, with the variables they hold.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// The words of text data, shared by all texts over the same variables.
    pub fn vocabulary(&self) -> Option<&Arc<Vocabulary>> {
        self.vocabulary.as_ref()
    }

    /// A key of its content: the hexadecimal BLAKE3 hash of the decompressed file, how it was read, over
    /// which variables and with which vocabulary. Equal keys mean equal rows.
    pub fn key(&self) -> String {
        self.hash.to_hex().to_string()
    }

    /// Whether any value is missing.
    pub fn has_missing(&self) -> bool {
        self.cells.has_missing()
    }

    /// The word at a row and column (see [`Batch`]).
    pub fn word(&self, row: usize, column: usize) -> u32 {
        self.cells.get(row * self.columns.len() + column)
    }

    /// The value at a row and column.
    pub fn value(&self, row: usize, column: usize) -> Value {
        Value::from_word(self.word(row, column), self.columns.get(column).domain != Domain::Real)
    }

    /// Copies the words of one row, one for each column.
    pub fn copy_row(&self, row: usize, into: &mut [u32]) {
        assert_eq!(into.len(), self.columns.len(), "a row has one word for each column");
        self.cells.copy_to(row * self.columns.len(), into);
    }

    /// Fills a batch with the rows of the given numbers, in that order; variables without a column are
    /// missing. The batch keeps its memory when it has the right shape already.
    pub fn batch(&self, rows: impl ExactSizeIterator<Item = usize>, into: &mut Batch) {
        let n_variables = self.columns.n_variables();
        if into.n_variables() != n_variables || into.n_rows() != rows.len() {
            *into = Batch::missing(n_variables, rows.len());
        }
        let first = self.first_if_consecutive();
        for (i, row) in rows.enumerate() {
            let words = into.row_mut(i);
            match first {
                Some(first) => {
                    let end = first + self.columns.len();
                    self.copy_row(row, &mut words[first..end]);
                    words[..first].fill(MISSING);
                    words[end..].fill(MISSING);
                }
                None => self.scatter_row(row, words),
            }
        }
    }

    /// All rows at once, for small data.
    pub fn to_batch(&self) -> Batch {
        let mut batch = Batch::default();
        self.batch(0..self.n_rows(), &mut batch);
        batch
    }

    /// Makes the masked values missing.
    ///
    /// # Errors
    /// `data-shape` when the mask has other rows or columns than the data.
    pub fn hide(&mut self, mask: &Mask) -> Result<(), Diagnostic> {
        if (mask.n_rows(), mask.n_columns()) != (self.n_rows(), self.columns.len()) {
            let message = format!(
                "the mask has {} rows of {} values, but data set `{}` has {} rows of {}",
                mask.n_rows(),
                mask.n_columns(),
                self.name,
                self.n_rows(),
                self.columns.len()
            );
            return Err(Diagnostic::error("data-shape", message));
        }
        for index in mask.hidden() {
            self.cells.hide(index);
        }
        self.hash = blake3::keyed_hash(self.hash.as_bytes(), mask.bytes());
        Ok(())
    }

    /// The first variable, when columns are consecutive variables: then a row is copied in one go.
    fn first_if_consecutive(&self) -> Option<usize> {
        let first = self.columns.iter().next()?.variable.index();
        let is_next = |(i, c): (usize, &super::Column)| c.variable.index() == first + i;
        self.columns.iter().enumerate().all(is_next).then_some(first)
    }

    fn scatter_row(&self, row: usize, words: &mut [u32]) {
        words.fill(MISSING);
        for (i, column) in self.columns.iter().enumerate() {
            words[column.variable.index()] = self.word(row, i);
        }
    }
}
