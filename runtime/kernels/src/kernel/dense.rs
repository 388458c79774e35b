//! Matrix products of weights with rows.
//!
//! A product is cut into strips of columns and each strip into register tiles: some rows of weights by some
//! vectors of columns, accumulated in registers over the whole depth. Weights are read in place with any
//! strides, so the downward pass needs no transposed copy; neither packing nor blocking the depth paid up
//! to a depth of 1024. What becomes of a register tile's sums is up to a [`Sink`], so that whatever follows
//! a product is done while they are in registers.

use crate::TILE;
use crate::lanes::Vector;

/// The operands of `sum over j of w[i * w_row_stride + j * w_col_stride] * e[j][c]`, for all rows `i`.
#[derive(Clone, Copy)]
pub(crate) struct Panel {
    /// Rows of `w`.
    pub rows: usize,
    /// Columns of `w`, rows of `e`.
    pub depth: usize,
    pub w: *const f32,
    pub w_row_stride: usize,
    pub w_col_stride: usize,
    /// Rows of `e` are `e_stride` apart, and padded to whole vectors.
    pub e: *const f32,
    pub e_stride: usize,
}

/// Where the sums of a panel go, a register tile at a time.
pub(crate) trait Sink<V: Vector> {
    /// What sums begin with.
    #[inline(always)]
    unsafe fn start<const MR: usize, const NV: usize, const PART: bool>(&self, _: Spot) -> [[V; NV]; MR] {
        // SAFETY: as for the traits.
        [[unsafe { V::splat(0.0) }; NV]; MR]
    }

    /// Is called for each row of `e` and register tile, for what can be done beside the arithmetic.
    #[inline(always)]
    unsafe fn pulse(&mut self) {}

    /// Takes the sums.
    unsafe fn put<const MR: usize, const NV: usize, const PART: bool>(
        &mut self,
        at: Spot,
        sums: [[V; NV]; MR],
    );

    /// All rows of `NV` vectors of columns from `column` on have been put.
    #[inline(always)]
    unsafe fn end<const NV: usize>(&mut self, _column: usize) {}
}

/// Which sums a register tile has.
#[derive(Clone, Copy)]
pub(crate) struct Spot {
    /// The first row and column.
    pub row: usize,
    pub column: usize,
    /// How many columns there are, where that is less than a vector.
    pub width: usize,
}

/// Stores sums, or adds them to what is there.
pub(crate) struct Rows {
    pub to: *mut f32,
    pub stride: usize,
    pub is_added: bool,
}

impl Rows {
    #[inline(always)]
    unsafe fn at(&self, spot: Spot, i: usize) -> *mut f32 {
        // SAFETY: the panel has this row and column.
        unsafe { self.to.add((spot.row + i) * self.stride + spot.column) }
    }
}

impl<V: Vector> Sink<V> for Rows {
    #[inline(always)]
    unsafe fn start<const MR: usize, const NV: usize, const PART: bool>(&self, at: Spot) -> [[V; NV]; MR] {
        // SAFETY: the panel has these rows and columns.
        unsafe {
            let mut sums = [[V::splat(0.0); NV]; MR];
            if self.is_added {
                for i in 0..MR {
                    for v in 0..NV {
                        let from = self.at(at, i).add(v * V::N);
                        sums[i][v] = if PART { V::load_part(from, at.width) } else { V::load(from) };
                    }
                }
            }
            sums
        }
    }

    #[inline(always)]
    unsafe fn put<const MR: usize, const NV: usize, const PART: bool>(
        &mut self,
        at: Spot,
        sums: [[V; NV]; MR],
    ) {
        for i in 0..MR {
            for v in 0..NV {
                // SAFETY: the panel has these rows and columns.
                unsafe {
                    let to = self.at(at, i).add(v * V::N);
                    if PART { sums[i][v].store_part(to, at.width) } else { sums[i][v].store(to) }
                }
            }
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
    let panel = Panel { rows: m, depth: k, w, w_row_stride, w_col_stride, e, e_stride: TILE };
    let mut rows = Rows { to: out, stride: TILE, is_added: accumulate != 0 };
    // SAFETY: the caller's buffers have these sizes.
    unsafe { V::multiply_panel(panel, &mut rows, TILE) }
}

/// A panel's columns that are not computed yet.
#[derive(Clone, Copy)]
pub(crate) struct Columns {
    pub next: usize,
    pub end: usize,
}

/// Computes as many strips of `NV` vectors as there are, by tiles of `MR` rows; gives what is left.
#[inline(always)]
pub(crate) unsafe fn strips<V: Vector, S: Sink<V>, const MR: usize, const NV: usize>(
    panel: Panel,
    sink: &mut S,
    mut columns: Columns,
) -> Columns {
    while columns.next + NV * V::N <= columns.end {
        // SAFETY: the strip is within the panel.
        unsafe {
            strip::<V, S, MR, NV, false>(panel, sink, columns.next, 0);
            sink.end::<NV>(columns.next);
        }
        columns.next += NV * V::N;
    }
    columns
}

/// Computes the last columns, less than a vector of them, by tiles of `MR` rows.
#[inline(always)]
pub(crate) unsafe fn tail_strip<V: Vector, S: Sink<V>, const MR: usize>(
    panel: Panel,
    sink: &mut S,
    columns: Columns,
) {
    let width = columns.end - columns.next;
    if width > 0 {
        // SAFETY: the panel has these columns, and rows of `e` are padded to a whole vector.
        unsafe { strip::<V, S, MR, 1, true>(panel, sink, columns.next, width) }
    }
}

/// One strip, by tiles of `MR` rows and smaller ones for the rows left over.
#[inline(always)]
unsafe fn strip<V: Vector, S: Sink<V>, const MR: usize, const NV: usize, const PART: bool>(
    p: Panel,
    sink: &mut S,
    column: usize,
    width: usize,
) {
    let mut at = Spot { row: 0, column, width };
    // SAFETY: each tile has no more rows than are left.
    unsafe {
        while at.row + MR <= p.rows {
            at.row += tile::<V, S, MR, NV, PART>(p, sink, at);
        }
        while at.row < p.rows {
            at.row += match p.rows - at.row {
                8.. if MR > 8 => tile::<V, S, 8, NV, PART>(p, sink, at),
                4.. if MR > 4 => tile::<V, S, 4, NV, PART>(p, sink, at),
                3.. => tile::<V, S, 3, NV, PART>(p, sink, at),
                2 => tile::<V, S, 2, NV, PART>(p, sink, at),
                _ => tile::<V, S, 1, NV, PART>(p, sink, at),
            };
        }
    }
}

/// `MR` rows by `NV` vectors, or by `at.width` lanes of one vector where `PART`; gives `MR`.
#[inline(always)]
unsafe fn tile<V: Vector, S: Sink<V>, const MR: usize, const NV: usize, const PART: bool>(
    p: Panel,
    sink: &mut S,
    at: Spot,
) -> usize {
    // SAFETY: the panel has these rows and columns.
    unsafe {
        let mut sums = sink.start::<MR, NV, PART>(at);
        let (mut e, mut w) = (p.e.add(at.column), p.w.add(at.row * p.w_row_stride));
        for _ in 0..p.depth {
            sink.pulse();
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
        sink.put::<MR, NV, PART>(at, sums);
        MR
    }
}
