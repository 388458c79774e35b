//! Bundles of tiles for tests: rows that begin as poison, so that a sample that does not count cannot be
//! used unnoticed, and shapes that cross every boundary.

use super::{Buffer, Numbers};
use pcc_kernels::{MAX_TILES, TILE, Tiles};

/// How many tiles, and how many samples of each count.
pub const SHAPES: [(usize, usize); 6] = [(1, 16), (1, 32), (1, 64), (2, 64), (3, 32), (MAX_TILES, 64)];

/// The rows of a few tiles, one tile after another.
pub struct Bundle {
    pub n: usize,
    pub lanes: usize,
    rows: usize,
    data: Buffer,
    pub marks: [u64; MAX_TILES],
}

impl Bundle {
    /// Rows of NaN, which as a code is in no table.
    pub fn new((n, lanes): (usize, usize), rows: usize) -> Bundle {
        Bundle { n, lanes, rows, data: Buffer::constant(n * rows * TILE, f32::NAN), marks: [0; MAX_TILES] }
    }

    pub fn copy(&self) -> Bundle {
        Bundle { data: self.data.copy(), ..*self }
    }

    /// The tile and sample of every sample that counts.
    pub fn samples(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let lanes = self.lanes;
        (0..self.n).flat_map(move |tile| (0..lanes).map(move |s| (tile, s)))
    }

    pub fn at(&self, row: usize, (tile, s): (usize, usize)) -> f32 {
        self.data[(tile * self.rows + row) * TILE + s]
    }

    pub fn f64(&self, row: usize, at: (usize, usize)) -> f64 {
        f64::from(self.at(row, at))
    }

    pub fn set(&mut self, row: usize, (tile, s): (usize, usize), value: f32) {
        self.data[(tile * self.rows + row) * TILE + s] = value;
    }

    /// Fills rows from `first` on, the samples that count.
    pub fn fill(
        &mut self,
        rows: std::ops::Range<usize>,
        mut value: impl FnMut(usize, (usize, usize)) -> f32,
    ) {
        for at in self.samples() {
            for row in rows.clone() {
                self.set(row, at, value(row - rows.start, at));
            }
        }
    }

    /// The first tile's row.
    pub fn row(&mut self, row: usize) -> *mut f32 {
        assert!(row < self.rows);
        self.data[row * TILE..].as_mut_ptr()
    }

    pub fn tiles(&mut self) -> Tiles {
        Tiles {
            n: self.n,
            stride: self.rows * TILE,
            lanes: self.lanes,
            marks: self.marks.as_mut_ptr(),
            ahead: std::ptr::null_mut(),
        }
    }

    pub fn is_marked(&self, (tile, s): (usize, usize)) -> bool {
        self.marks[tile] >> s & 1 == 1
    }

    /// Fails if a sample that does not count, or all of a tile that does not exist, is marked.
    pub fn check_marks(&self) {
        for tile in 0..MAX_TILES {
            let counted = if tile < self.n { u64::MAX >> (64 - self.lanes) } else { 0 };
            assert_eq!(self.marks[tile] & !counted, 0, "a mark where there is no sample");
        }
    }
}

/// A roughly normalised group: the largest of each sample in `[2^-8, 2^8)`, others down to `2^-depth` of it,
/// some zero, and an exponent between -40 and 40; a twentieth of the samples are zero groups.
pub fn fill_group(bundle: &mut Bundle, first: usize, width: usize, depth: f64, numbers: &mut Numbers) {
    for at in bundle.samples() {
        let is_zero = numbers.below(20) == 0;
        let (peak, top) = (numbers.below(width), numbers.power(-8.0, 7.99));
        for u in 0..width {
            let other = if numbers.below(5) == 0 { 0.0 } else { top * numbers.power(-depth, 0.0) };
            bundle.set(
                first + u,
                at,
                if is_zero {
                    0.0
                } else if u == peak {
                    top
                } else {
                    other
                },
            );
        }
        let exponent = if is_zero { pcc_kernels::ZERO_EXPONENT } else { numbers.below(81) as f32 - 40.0 };
        bundle.set(first + width, at, exponent);
    }
}
