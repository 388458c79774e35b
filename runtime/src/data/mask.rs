//! Masks: which values of a data set are treated as missing. A mask file is a numpy array of booleans or
//! bytes with one element for each value; an element that is not zero hides its value.

use super::place::read_file;
use super::read::npy;
use pcc_diag::Diagnostic;
use std::io::Write;
use std::path::Path;

/// Which values are hidden, row-major.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask {
    n_columns: usize,
    is_hidden: Vec<u8>,
}

impl Mask {
    /// A mask in which nothing is hidden.
    pub fn none(n_rows: usize, n_columns: usize) -> Self {
        Mask { n_columns, is_hidden: vec![0; n_rows * n_columns] }
    }

    /// Reads a `.npy` file, compressed or not, of booleans or whole numbers with rows first.
    ///
    /// # Errors
    /// `missing-file` and `unreadable-file`, `data-format` when it is no such array, `data-shape` when it
    /// has no rows or is cut short.
    pub fn read(path: &Path) -> Result<Self, Diagnostic> {
        let name = path.display().to_string();
        let content = read_file(path)?;
        let array = npy::read_array(&content).map_err(|fault| fault.about_file(&name))?;
        let bytes = array.elements.into_bytes().ok_or_else(|| {
            Diagnostic::error(
                "data-format",
                format!("`{name}` is no mask: it holds values other than 0 and 1"),
            )
        })?;
        let n_columns = array.shape.iter().skip(1).product();
        Ok(Mask { n_columns, is_hidden: bytes })
    }

    /// Writes it as a `.npy` array of booleans, rows by columns.
    ///
    /// # Errors
    /// What the writer reports.
    pub fn write(&self, to: &mut dyn Write) -> std::io::Result<()> {
        let flags: Vec<bool> = self.is_hidden.iter().map(|&byte| byte != 0).collect();
        super::write::write_array(to, &[self.n_rows() as u64, self.n_columns as u64], flags)
    }

    /// Hides a value.
    pub fn hide(&mut self, row: usize, column: usize) {
        self.is_hidden[row * self.n_columns + column] = 1;
    }

    /// Whether a value is hidden.
    pub fn is_hidden(&self, row: usize, column: usize) -> bool {
        self.is_hidden[row * self.n_columns + column] != 0
    }

    /// How many rows it has.
    pub fn n_rows(&self) -> usize {
        self.is_hidden.len().checked_div(self.n_columns).unwrap_or(0)
    }

    /// How many columns it has.
    pub fn n_columns(&self) -> usize {
        self.n_columns
    }

    /// The positions of hidden values, row-major.
    pub(super) fn hidden(&self) -> impl Iterator<Item = usize> + '_ {
        self.is_hidden.iter().enumerate().filter(|(_, byte)| **byte != 0).map(|(i, _)| i)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.is_hidden
    }
}
