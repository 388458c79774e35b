//! Flows of weights: products of rows with rows, summed over the samples of a tile.
//!
//! Two forms. From a vector's width of columns on, `e` is transposed in registers into `scratch` and the
//! matrix kernel runs over it, at 93 to 107 GFLOP/s where the dot form gives 75. Below, and where there are
//! too few rows to pay for transposing, sums over samples stay in vectors and are folded at the end.

use super::dense::Panel;
use crate::TILE;
use crate::lanes::{MAX_LANES, Vector};

/// Rows from which transposing pays.
const MIN_ROWS: usize = 4;

/// See [`Kernels::flow`](crate::Kernels::flow).
#[inline(always)]
pub(crate) unsafe fn flow<V: Vector>(
    m: usize,
    k: usize,
    r: *const f32,
    e: *const f32,
    dw: *mut f32,
    row_stride: usize,
    scratch: *mut f32,
) {
    // SAFETY: as for the caller.
    unsafe { flow_of::<V>(TILE, m, k, r, e, dw, row_stride, scratch) }
}

/// The same over the first `samples` of the tile.
#[inline(always)]
pub(super) unsafe fn flow_of<V: Vector>(
    samples: usize,
    m: usize,
    k: usize,
    r: *const f32,
    e: *const f32,
    dw: *mut f32,
    row_stride: usize,
    scratch: *mut f32,
) {
    // SAFETY: the caller's buffers have these sizes; `scratch` holds 64 rows of `k` padded to 16.
    unsafe {
        if m < MIN_ROWS || k < V::N {
            return V::dot_rows(samples, m, k, r, e, dw, row_stride);
        }
        let padded = k.next_multiple_of(V::N);
        transpose_rows::<V>(samples, k, e, scratch, padded);
        let panel = Panel {
            rows: m,
            depth: samples,
            w: r,
            w_row_stride: TILE,
            w_col_stride: 1,
            e: scratch,
            e_stride: padded,
            out: dw,
            out_stride: row_stride,
            accumulate: true,
        };
        V::multiply_panel(panel, k);
    }
}

/// `out[s * padded + j] = e[j][s]`, and 0 for `j` from `k` to `padded`.
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

/// The dot form, by tiles of `MR` rows of `r` and four of `e`.
#[inline(always)]
pub(crate) unsafe fn dot_rows<V: Vector, const MR: usize>(
    samples: usize,
    m: usize,
    k: usize,
    r: *const f32,
    e: *const f32,
    dw: *mut f32,
    row_stride: usize,
) {
    let mut i = 0;
    while i < m {
        let rows = if m - i >= MR { MR } else { 1 };
        for j in (0..k).step_by(4) {
            // SAFETY: tiles begin within the matrix; `dot_tile` reads and writes only the part inside.
            unsafe {
                let (r, e) = (r.add(i * TILE), e.add(j * TILE));
                let dw = dw.add(i * row_stride + j);
                match (rows == MR, k - j) {
                    (true, 4..) => dot_tile::<V, MR, 4>(samples, r, e, dw, row_stride),
                    (true, 3) => dot_tile::<V, MR, 3>(samples, r, e, dw, row_stride),
                    (true, 2) => dot_tile::<V, MR, 2>(samples, r, e, dw, row_stride),
                    (true, _) => dot_tile::<V, MR, 1>(samples, r, e, dw, row_stride),
                    (false, 4..) => dot_tile::<V, 1, 4>(samples, r, e, dw, row_stride),
                    (false, 3) => dot_tile::<V, 1, 3>(samples, r, e, dw, row_stride),
                    (false, 2) => dot_tile::<V, 1, 2>(samples, r, e, dw, row_stride),
                    (false, _) => dot_tile::<V, 1, 1>(samples, r, e, dw, row_stride),
                }
            }
        }
        i += rows;
    }
}

/// `dw[x * row_stride + y] += sum of r[x] * e[y]` for `x < MR` and `y < WIDTH <= 4`.
#[inline(always)]
unsafe fn dot_tile<V: Vector, const MR: usize, const WIDTH: usize>(
    samples: usize,
    r: *const f32,
    e: *const f32,
    dw: *mut f32,
    row_stride: usize,
) {
    // SAFETY: the caller's tile lies within the matrix.
    unsafe {
        let mut sums = [[V::splat(0.0); 4]; MR];
        for sample in (0..samples).step_by(V::N) {
            for x in 0..MR {
                let left = V::load(r.add(x * TILE + sample));
                for y in 0..WIDTH {
                    sums[x][y] = left.fma(V::load(e.add(y * TILE + sample)), sums[x][y]);
                }
            }
        }
        for x in 0..MR {
            let totals = V::totals(sums[x]);
            for y in 0..WIDTH {
                *dw.add(x * row_stride + y) += totals[y];
            }
        }
    }
}
