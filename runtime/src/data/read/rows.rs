//! Which rows of a file are kept, and where the kept ones go.

use crate::data::cells::Cells;
use crate::data::column::Columns;
use crate::data::fault::{Origin, grouped};
use pcc_diag::Diagnostic;
use pcc_ir::recipe::Rows;

/// Takes the rows of a file one by one and packs those that are wanted.
pub(super) struct RowSink<'a> {
    /// What messages call the data.
    pub(super) origin: &'a Origin,
    /// What the columns hold.
    pub(super) columns: &'a Columns,
    rows: Rows,
    n_seen: u64,
    cells: Cells,
}

impl<'a> RowSink<'a> {
    /// No rows yet.
    pub(super) fn new(origin: &'a Origin, columns: &'a Columns, rows: Rows) -> Self {
        RowSink { origin, columns, rows, n_seen: 0, cells: cells_for(columns) }
    }

    /// Whether the next row is kept, so that its values need to be read.
    pub(super) fn is_next_kept(&self) -> bool {
        self.n_seen >= self.rows.start && self.rows.end.is_none_or(|end| self.n_seen < end)
    }

    /// Passes over a row that is not kept.
    pub(super) fn skip(&mut self) {
        self.n_seen += 1;
    }

    /// Takes a row of checked words, one for each column.
    pub(super) fn push(&mut self, words: &[u32]) {
        self.cells.extend(words);
        self.n_seen += 1;
    }

    /// The packed rows, when there are as many as were asked for.
    pub(super) fn finish(self) -> Result<Cells, Diagnostic> {
        check_range(self.rows, self.n_seen, self.origin)?;
        Ok(self.cells)
    }
}

/// Empty cells that are wide enough for every column.
pub(super) fn cells_for(columns: &Columns) -> Cells {
    let widest = columns.iter().map(|c| c.n_codes()).reduce(|a, b| Some(a?.max(b?)));
    Cells::for_codes(widest.flatten())
}

/// Checks that a range names at least one row and only rows that exist.
pub(super) fn check_range(rows: Rows, n_rows: u64, origin: &Origin) -> Result<(), Diagnostic> {
    let end = rows.end.unwrap_or(n_rows);
    if end > n_rows {
        let (end, n) = (grouped(end), grouped(n_rows));
        return Err(origin.shape(format!("rows up to {end} are wanted, but there are {n}")));
    }
    if n_rows == 0 {
        return Err(origin.shape("there are no rows"));
    }
    if rows.start >= end {
        return Err(origin.shape(format!("the rows {} .. {} are none", grouped(rows.start), grouped(end))));
    }
    Ok(())
}
