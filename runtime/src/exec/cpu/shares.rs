//! Dividing rows among threads, and a thread's rows into bundles of tiles.
//!
//! In: how many rows and threads there are. Out: ranges of rows, the same for the same numbers, so that
//! results never depend on timing. Few rows are spread over the threads as tiles of which only 32 or 16
//! samples count, where the program allows that.

use pcc_ir::plan::TILE;
use std::ops::Range;

/// The least samples of a tile that a run can be told to count.
const FEWEST: usize = 16;

/// How rows are divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shares {
    n_rows: usize,
    n_threads: usize,
    /// Rows of a tile.
    lanes: usize,
    /// Tiles of a bundle.
    n_tiles: usize,
}

/// Rows of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bundle {
    pub(super) rows: Range<usize>,
    /// Samples of each tile that count.
    pub(super) lanes: usize,
}

impl Shares {
    /// Divides rows among at most `n_threads`, in bundles of at most `n_tiles`.
    pub(super) fn of(n_rows: usize, n_threads: usize, n_tiles: usize, are_narrow_allowed: bool) -> Self {
        let narrowest = if are_narrow_allowed { FEWEST } else { TILE };
        let mut lanes = TILE;
        while lanes > narrowest && n_rows.div_ceil(lanes) < n_threads {
            lanes /= 2;
        }
        let shares = n_threads.min(n_rows.div_ceil(lanes)).max(1);
        // A single tile of few rows is no wider than they need.
        while lanes > narrowest && n_rows.div_ceil(shares) <= lanes / 2 {
            lanes /= 2;
        }
        Shares { n_rows, n_threads: shares, lanes, n_tiles }
    }

    /// How many threads have work.
    pub(super) fn n_threads(&self) -> usize {
        self.n_threads
    }

    /// The rows of a thread.
    pub(super) fn rows(&self, thread: usize) -> Range<usize> {
        let n_pieces = self.n_rows.div_ceil(self.lanes);
        let end = |thread: usize| (thread * n_pieces / self.n_threads * self.lanes).min(self.n_rows);
        end(thread)..end(thread + 1)
    }

    /// The bundles of a thread, in order.
    pub(super) fn bundles(self, thread: usize) -> impl Iterator<Item = Bundle> {
        let rows = self.rows(thread);
        let step = self.lanes * self.n_tiles;
        rows.clone()
            .step_by(step)
            .map(move |first| Bundle { rows: first..rows.end.min(first + step), lanes: self.lanes })
    }
}

impl Bundle {
    /// How many tiles its rows take.
    pub(super) fn n_tiles(&self) -> usize {
        self.rows.len().div_ceil(self.lanes)
    }

    /// The rows of a tile.
    pub(super) fn tile(&self, tile: usize) -> Range<usize> {
        let first = self.rows.start + tile * self.lanes;
        first..self.rows.end.min(first + self.lanes)
    }
}

#[cfg(test)]
mod tests {
    use super::{Bundle, Shares};

    fn bundles(shares: Shares) -> Vec<Vec<Bundle>> {
        (0..shares.n_threads()).map(|thread| shares.bundles(thread).collect()).collect()
    }

    #[test]
    fn every_row_is_in_one_tile_of_one_thread_in_order() {
        for n_rows in [1, 2, 15, 16, 17, 31, 33, 63, 64, 65, 127, 129, 256, 300, 513, 5000] {
            for n_threads in [1, 2, 3, 7] {
                for n_tiles in [1, 2, 4] {
                    for are_narrow_allowed in [false, true] {
                        let shares = Shares::of(n_rows, n_threads, n_tiles, are_narrow_allowed);
                        assert!((1..=n_threads).contains(&shares.n_threads()));
                        let bundles = bundles(shares).concat();
                        let tiles = bundles.iter().flat_map(|b| (0..b.n_tiles()).map(|t| b.tile(t)));
                        let mut next = 0;
                        for tile in tiles {
                            assert_eq!(tile.start, next);
                            assert!(!tile.is_empty());
                            next = tile.end;
                        }
                        assert_eq!(next, n_rows);
                        assert!(bundles.iter().all(|b| b.n_tiles() <= n_tiles));
                        assert!(bundles.iter().all(|b| [16, 32, 64].contains(&b.lanes)));
                        assert!(are_narrow_allowed || bundles.iter().all(|b| b.lanes == 64));
                    }
                }
            }
        }
    }

    #[test]
    fn few_rows_are_spread_as_narrow_tiles() {
        let lanes = |n_rows, n_threads| {
            let shares = Shares::of(n_rows, n_threads, 4, true);
            (shares.n_threads(), shares.bundles(0).next().unwrap().lanes)
        };
        assert_eq!(lanes(64, 2), (2, 32));
        assert_eq!(lanes(1, 2), (1, 16));
        assert_eq!(lanes(20, 1), (1, 32));
        assert_eq!(lanes(20, 2), (2, 16));
        assert_eq!(lanes(128, 2), (2, 64));
        assert_eq!(lanes(600, 2), (2, 64));
    }

    #[test]
    fn no_rows_are_no_bundles() {
        assert!(bundles(Shares::of(0, 2, 4, true)).concat().is_empty());
    }
}
