//! Sets of rows of a table, in the order in which they came.

/// A set of numbers below a bound.
#[derive(Clone, Debug, Default)]
pub(super) struct RowSet {
    bound: usize,
    is_in: Vec<u64>,
    rows: Vec<u32>,
}

impl RowSet {
    /// The empty set, for rows below `n`.
    pub(super) fn of(n: usize) -> Self {
        RowSet { bound: n, is_in: vec![0; n.div_ceil(64)], rows: Vec::new() }
    }

    /// What rows are below.
    pub(super) fn bound(&self) -> usize {
        self.bound
    }

    /// Adds a row, unless it is there.
    #[inline]
    pub(super) fn insert(&mut self, row: usize) {
        let (word, bit) = (&mut self.is_in[row / 64], 1 << (row % 64));
        if *word & bit == 0 {
            *word |= bit;
            self.rows.push(row as u32);
        }
    }

    /// Whether a row is there.
    pub(super) fn contains(&self, row: usize) -> bool {
        self.is_in[row / 64] >> (row % 64) & 1 == 1
    }

    /// The rows, first come first.
    pub(super) fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// Leaves only the first `n` rows.
    pub(super) fn truncate(&mut self, n: usize) {
        for row in self.rows.drain(n..) {
            self.is_in[row as usize / 64] &= !(1 << (row % 64));
        }
    }

    /// Takes all rows out.
    pub(super) fn clear(&mut self) {
        self.truncate(0);
    }
}
