//! Matrix products of weights with rows.
//!
//! A product is cut into strips of columns and each strip into register tiles: some rows of weights by some
//! vectors of columns, accumulated in registers over the whole depth. Weights are read in place with any
//! strides, so the downward pass needs no transposed copy; neither packing nor blocking the depth paid up
//! to a depth of 1024.

use super::guard::check_products;
use crate::TILE;
use crate::lanes::Vector;

/// The operands of `out[i][c] (+)= sum over j of w[i * w_row_stride + j * w_col_stride] * e[j][c]`.
#[derive(Clone, Copy)]
pub(crate) struct Panel {
    /// Rows of `w` and `out`.
    pub rows: usize,
    /// Columns of `w`, rows of `e`.
    pub depth: usize,
    pub w: *const f32,
    pub w_row_stride: usize,
    pub w_col_stride: usize,
    /// Rows of `e` are `e_stride` apart, and padded to whole vectors.
    pub e: *const f32,
    pub e_stride: usize,
    /// Rows of `out` are `out_stride` apart.
    pub out: *mut f32,
    pub out_stride: usize,
    pub accumulate: bool,
}

impl Panel {
    /// The product of an `m x k` matrix with rows of one tile.
    #[inline(always)]
    pub fn of_rows(
        m: usize,
        k: usize,
        w: *const f32,
        w_row_stride: usize,
        w_col_stride: usize,
        e: *const f32,
        out: *mut f32,
    ) -> Panel {
        let (rows, depth, e_stride, out_stride) = (m, k, TILE, TILE);
        Panel { rows, depth, w, w_row_stride, w_col_stride, e, e_stride, out, out_stride, accumulate: false }
    }

    /// The same from column `c` on.
    #[inline(always)]
    unsafe fn skip_columns(self, c: usize) -> Panel {
        // SAFETY: the caller's panel has more than `c` columns, or nothing will be read through it.
        unsafe { Panel { e: self.e.add(c), out: self.out.add(c), ..self } }
    }

    /// The same from row `i` on, with `i` rows gone.
    #[inline(always)]
    unsafe fn skip_rows(self, i: usize) -> Panel {
        // SAFETY: `i` is at most the number of rows.
        unsafe {
            let (w, out) = (self.w.add(i * self.w_row_stride), self.out.add(i * self.out_stride));
            Panel { rows: self.rows - i, w, out, ..self }
        }
    }
}

/// See [`Kernels::matmul`](crate::Kernels::matmul).
#[inline(always)]
pub(crate) unsafe fn matmul<V: Vector>(
    m: usize,
    k: usize,
    w: *const f32,
    w_row_stride: usize,
    w_col_stride: usize,
    e: *const f32,
    out: *mut f32,
    accumulate: usize,
) {
    let accumulate = accumulate != 0;
    let panel = Panel { accumulate, ..Panel::of_rows(m, k, w, w_row_stride, w_col_stride, e, out) };
    // SAFETY: the caller's buffers have these sizes.
    unsafe { V::multiply_panel(panel, TILE) }
}

/// See [`Kernels::product_matmul`](crate::Kernels::product_matmul).
#[inline(always)]
pub(crate) unsafe fn product_matmul<V: Vector>(
    m: usize,
    k: usize,
    w: *const f32,
    w_row_stride: usize,
    w_col_stride: usize,
    a: *const f32,
    b: *const f32,
    out: *mut f32,
    accumulate: usize,
    scratch: *mut f32,
    guard: usize,
    marks: *mut u64,
) {
    // SAFETY: the caller's buffers have these sizes, `scratch` as many rows as `a` and `b`.
    unsafe {
        check_products::<V, true>(k, a, b, scratch, guard, marks);
        matmul::<V>(m, k, w, w_row_stride, w_col_stride, scratch, out, accumulate);
    }
}

/// Computes as many strips of `NV` vectors as `columns` has, by tiles of `MR` rows; gives what is left.
#[inline(always)]
pub(crate) unsafe fn strips<V: Vector, const MR: usize, const NV: usize>(
    mut panel: Panel,
    mut columns: usize,
) -> (Panel, usize) {
    while columns >= NV * V::N {
        // SAFETY: the strip is within the panel.
        unsafe {
            strip::<V, MR, NV, false>(panel, 0);
            panel = panel.skip_columns(NV * V::N);
        }
        columns -= NV * V::N;
    }
    (panel, columns)
}

/// Computes the last `columns < V::N` columns, by tiles of `MR` rows.
#[inline(always)]
pub(crate) unsafe fn tail_strip<V: Vector, const MR: usize>(panel: Panel, columns: usize) {
    if columns > 0 {
        // SAFETY: the panel has these columns, and rows of `e` are padded to a whole vector.
        unsafe { strip::<V, MR, 1, true>(panel, columns) }
    }
}

/// One strip, by tiles of `MR` rows and smaller ones for the rows left over.
#[inline(always)]
unsafe fn strip<V: Vector, const MR: usize, const NV: usize, const PART: bool>(mut p: Panel, width: usize) {
    // SAFETY: each tile has no more rows than are left.
    unsafe {
        while p.rows >= MR {
            tile::<V, MR, NV, PART>(p, width);
            p = p.skip_rows(MR);
        }
        while p.rows > 0 {
            let rows = match p.rows {
                8.. if MR > 8 => step::<V, 8, NV, PART>(p, width),
                4.. if MR > 4 => step::<V, 4, NV, PART>(p, width),
                3.. => step::<V, 3, NV, PART>(p, width),
                2 => step::<V, 2, NV, PART>(p, width),
                _ => step::<V, 1, NV, PART>(p, width),
            };
            p = p.skip_rows(rows);
        }
    }
}

/// One tile of `MR` rows; gives `MR`.
#[inline(always)]
unsafe fn step<V: Vector, const MR: usize, const NV: usize, const PART: bool>(
    panel: Panel,
    width: usize,
) -> usize {
    // SAFETY: as for `tile`.
    unsafe { tile::<V, MR, NV, PART>(panel, width) };
    MR
}

/// `MR` rows by `NV` vectors, or by the first `width` lanes of one vector where `PART`.
#[inline(always)]
unsafe fn tile<V: Vector, const MR: usize, const NV: usize, const PART: bool>(p: Panel, width: usize) {
    // SAFETY: the panel has these rows and columns, and only `width` lanes are touched where `PART`.
    unsafe {
        let mut sums = [[V::splat(0.0); NV]; MR];
        if p.accumulate {
            for i in 0..MR {
                for v in 0..NV {
                    let from = p.out.add(i * p.out_stride + v * V::N);
                    sums[i][v] = if PART { V::load_part(from, width) } else { V::load(from) };
                }
            }
        }
        let (mut e, mut w) = (p.e, p.w);
        for _ in 0..p.depth {
            let mut columns = [V::splat(0.0); NV];
            for v in 0..NV {
                columns[v] = V::load(e.add(v * V::N));
            }
            for i in 0..MR {
                let weight = V::splat(*w.add(i * p.w_row_stride));
                for v in 0..NV {
                    sums[i][v] = weight.fma(columns[v], sums[i][v]);
                }
            }
            e = e.add(p.e_stride);
            w = w.add(p.w_col_stride);
        }
        for i in 0..MR {
            for v in 0..NV {
                let to = p.out.add(i * p.out_stride + v * V::N);
                if PART { sums[i][v].store_part(to, width) } else { sums[i][v].store(to) }
            }
        }
    }
}
