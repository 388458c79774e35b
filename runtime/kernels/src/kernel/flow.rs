//! Flows of weights: products of rows with rows, summed over the samples of a bundle.
//!
//! Two forms. From [`MIN_COLUMNS`] on, terms are transposed in registers and the matrix kernel runs over
//! them. Below, and where there are too few rows to pay for transposing, sums over samples stay in vectors
//! and are folded at the end.

use super::dense::{Panel, Rows};
use crate::lanes::{MAX_LANES, Vector};
use crate::{TILE, Tiles};

/// Rows and columns from which transposing pays.
const MIN_ROWS: usize = 4;
const MIN_COLUMNS: usize = 32;

/// `dw[i * k + j] += sum over samples of ratios[i] * terms[j]`, for `i < m` and `j < k`.
#[derive(Clone, Copy)]
pub(crate) struct Flow<'a> {
    pub tiles: &'a Tiles,
    pub m: usize,
    pub k: usize,
    /// `[m][samples of the bundle]`.
    pub ratios: *const f32,
    pub terms: *const f32,
    pub dw: *mut f32,
    /// Room for `k` rows of each tile, `k` rounded up to a multiple of 16.
    pub packed: *mut f32,
}

impl Flow<'_> {
    #[inline(always)]
    pub unsafe fn add<V: Vector>(self) {
        // SAFETY: the caller's buffers have these sizes.
        unsafe {
            if self.m < MIN_ROWS || self.k < MIN_COLUMNS {
                V::dot_rows(self);
            } else {
                self.transposed::<V>();
            }
        }
    }

    fn samples(self) -> usize {
        self.tiles.n * self.tiles.lanes
    }

    #[inline(always)]
    unsafe fn transposed<V: Vector>(self) {
        let padded = self.k.next_multiple_of(V::N);
        let Flow { tiles, m, k, ratios, .. } = self;
        // SAFETY: as for the caller.
        unsafe {
            for tile in 0..tiles.n {
                let terms = self.terms.add(tile * tiles.stride);
                transpose_rows::<V>(
                    tiles.lanes,
                    k,
                    terms,
                    self.packed.add(tile * tiles.lanes * padded),
                    padded,
                );
            }
            let panel = Panel {
                rows: m,
                depth: self.samples(),
                w: ratios,
                w_row_stride: self.samples(),
                w_col_stride: 1,
                e: self.packed,
                e_stride: padded,
            };
            V::multiply_panel(panel, &mut Rows { to: self.dw, stride: k, is_added: true }, k);
        }
    }

    /// The dot form, by tiles of `MR` ratios and four terms.
    #[inline(always)]
    pub unsafe fn dot<V: Vector, const MR: usize>(self) {
        let mut i = 0;
        while i < self.m {
            let rows = if self.m - i >= MR { MR } else { 1 };
            for j in (0..self.k).step_by(4) {
                // SAFETY: tiles begin within the matrix; `dot_tile` reads and writes only the part inside.
                unsafe {
                    match (rows == MR, self.k - j) {
                        (true, 4..) => self.dot_tile::<V, MR, 4>(i, j),
                        (true, 3) => self.dot_tile::<V, MR, 3>(i, j),
                        (true, 2) => self.dot_tile::<V, MR, 2>(i, j),
                        (true, _) => self.dot_tile::<V, MR, 1>(i, j),
                        (false, 4..) => self.dot_tile::<V, 1, 4>(i, j),
                        (false, 3) => self.dot_tile::<V, 1, 3>(i, j),
                        (false, 2) => self.dot_tile::<V, 1, 2>(i, j),
                        (false, _) => self.dot_tile::<V, 1, 1>(i, j),
                    }
                }
            }
            i += rows;
        }
    }

    /// The sums of `MR` ratios from `i` on with `WIDTH <= 4` terms from `j` on.
    #[inline(always)]
    unsafe fn dot_tile<V: Vector, const MR: usize, const WIDTH: usize>(self, i: usize, j: usize) {
        let (Flow { tiles, k, .. }, samples) = (self, self.samples());
        // SAFETY: the caller's tile lies within the matrix.
        unsafe {
            let mut sums = [[V::splat(0.0); 4]; MR];
            for tile in 0..tiles.n {
                let r = self.ratios.add(i * samples + tile * tiles.lanes);
                let e = self.terms.add(tile * tiles.stride + j * TILE);
                for sample in (0..tiles.lanes).step_by(V::N) {
                    let mut right = [V::splat(0.0); WIDTH];
                    for y in 0..WIDTH {
                        right[y] = V::load(e.add(y * TILE + sample));
                    }
                    for x in 0..MR {
                        let left = V::load(r.add(x * samples + sample));
                        for y in 0..WIDTH {
                            sums[x][y] = left.fma(right[y], sums[x][y]);
                        }
                    }
                }
            }
            for x in 0..MR {
                let totals = V::totals(sums[x]);
                for y in 0..WIDTH {
                    *self.dw.add((i + x) * k + j + y) += totals[y];
                }
            }
        }
    }
}

/// `out[s * padded + j] = e[j][s]` for the first `samples`, and 0 for `j` from `k` to `padded`.
#[inline(always)]
pub(super) unsafe fn transpose_rows<V: Vector>(
    samples: usize,
    k: usize,
    e: *const f32,
    out: *mut f32,
    padded: usize,
) {
    for first in (0..k).step_by(V::N) {
        let height = V::N.min(k - first);
        for sample in (0..samples).step_by(V::N) {
            // SAFETY: `height` rows from `first` exist, and `out` is padded to whole vectors.
            unsafe {
                let mut block = load_rows::<V>(e.add(first * TILE + sample), height);
                V::transpose(&mut block);
                for i in 0..V::N {
                    block[i].store(out.add((sample + i) * padded + first));
                }
            }
        }
    }
}

/// A block of `height <= V::N` rows' parts, from `from` on; the rows that are missing are 0.
#[inline(always)]
pub(super) unsafe fn load_rows<V: Vector>(from: *const f32, height: usize) -> [V; MAX_LANES] {
    // SAFETY: only the rows that exist are read.
    unsafe {
        let mut block = [V::splat(0.0); MAX_LANES];
        if height == V::N {
            for i in 0..V::N {
                block[i] = V::load(from.add(i * TILE));
            }
        } else {
            for i in 0..height {
                block[i] = V::load(from.add(i * TILE));
            }
        }
        block
    }
}
