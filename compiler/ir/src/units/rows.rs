//! Which row holds which node, and when a row is free again.
//!
//! Nodes that several terms read come in *groups*, computed one after another; a group gets rows side by
//! side and keeps them until its last reader is done. A node with one reader gets a row of a small pool.

use std::collections::BTreeMap;

/// Marks a row of the pool until it is known how many others there are.
const OF_POOL: u32 = 1 << 31;

/// At most so many gaps are looked at before rows are taken from the end.
const MOST_GAPS: usize = 64;

/// Rows of a program that is being made.
#[derive(Debug)]
pub(super) struct Rows {
    /// Free rows below `end`: first row and length.
    gaps: BTreeMap<u32, u32>,
    end: u32,
    pool: Vec<u32>,
    pool_end: u32,
}

impl Rows {
    /// Rows after the first `n_taken`, which are never free.
    pub(super) fn after(n_taken: u32) -> Self {
        Rows { gaps: BTreeMap::new(), end: n_taken, pool: Vec::new(), pool_end: 0 }
    }

    /// Rows side by side.
    pub(super) fn take(&mut self, n: u32) -> u32 {
        let fitting = self.gaps.iter().take(MOST_GAPS).find(|(_, len)| **len >= n);
        let Some((&first, &len)) = fitting else {
            self.end += n;
            return self.end - n;
        };
        self.gaps.remove(&first);
        if len > n {
            self.gaps.insert(first + n, len - n);
        }
        first
    }

    /// Gives rows back.
    pub(super) fn free(&mut self, first: u32, n: u32) {
        let (mut first, mut n) = (first, n);
        if let Some(after) = self.gaps.remove(&(first + n)) {
            n += after;
        }
        if let Some((&before, &len)) =
            self.gaps.range(..first).next_back().filter(|(b, l)| **b + **l == first)
        {
            self.gaps.remove(&before);
            (first, n) = (before, n + len);
        }
        self.gaps.insert(first, n);
    }

    /// The row of the pool that was free last.
    pub(super) fn take_of_pool(&mut self) -> u32 {
        self.pool.pop().unwrap_or_else(|| {
            self.pool_end += 1;
            (self.pool_end - 1) | OF_POOL
        })
    }

    /// Gives it back.
    pub(super) fn free_of_pool(&mut self, row: u32) {
        self.pool.push(row);
    }

    /// How many rows there are, and the final number of a row.
    pub(super) fn finish(&self) -> (usize, impl Fn(u32) -> u32 + use<>) {
        let end = self.end;
        let last = move |row: u32| if row & OF_POOL == 0 { row } else { end + (row & !OF_POOL) };
        ((self.end + self.pool_end) as usize, last)
    }
}

#[cfg(test)]
mod tests {
    use super::Rows;

    #[test]
    fn rows_are_used_again_side_by_side() {
        let mut rows = Rows::after(2);
        let (a, b, c) = (rows.take(3), rows.take(2), rows.take(1));
        assert_eq!([a, b, c], [2, 5, 7]);
        rows.free(a, 3);
        rows.free(b, 2);
        assert_eq!(rows.take(4), 2);
        assert_eq!(rows.take(2), 8);
        assert_eq!(rows.take(1), 6);
        let pooled = rows.take_of_pool();
        rows.free_of_pool(pooled);
        assert_eq!(rows.take_of_pool(), pooled);
        let (n_rows, last) = rows.finish();
        assert_eq!((n_rows, last(pooled), last(3)), (11, 10, 3));
    }
}
