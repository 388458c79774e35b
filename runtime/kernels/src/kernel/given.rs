//! Indicators of variables that are known softly: weights from rows of samples to rows of units.

use super::{TWO_POW_M125, bundle::Strip};
use crate::lanes::{Lanes, MAX_LANES, Vector};
use crate::{GUARD_ENTRY, GivenRows, TILE, Tiles};

/// See [`Kernels::leaf_given`](crate::Kernels::leaf_given).
#[inline(always)]
pub(crate) unsafe fn leaf_given<V: Vector>(
    tiles: *const Tiles,
    given: *const GivenRows,
    units: usize,
    first: usize,
    slot: usize,
    out: *mut f32,
    exponent: *mut f32,
    guard: usize,
) {
    // SAFETY: the caller's tiles, table and rows are as the table of kernels says.
    unsafe {
        let (tiles, given) = (&*tiles, &*given);
        for tile in 0..tiles.n {
            let rows = given.rows.add(tile * TILE);
            for sample in 0..tiles.lanes {
                let row = *rows.add(sample) as usize;
                *exponent.add(tile * tiles.stride + sample) =
                    *given.exponents.add(row * given.n_slots + slot);
            }
            for sample in (0..tiles.lanes).step_by(<V::Block as Lanes>::N) {
                let strip = Strip::of(tiles, tile, sample);
                let weights = block_rows::<V::Block>(given, rows.add(sample), first);
                let faint = transpose::<V::Block>(&weights, units, out.add(strip.at));
                if guard & GUARD_ENTRY != 0 {
                    strip.mark::<V::Block>(faint);
                }
            }
        }
    }
}

/// Where the weights of a block's samples begin.
#[inline(always)]
unsafe fn block_rows<V: Vector>(
    given: &GivenRows,
    rows: *const u32,
    first: usize,
) -> [*const f32; MAX_LANES] {
    let mut weights = [given.weights; MAX_LANES];
    for i in 0..V::N {
        // SAFETY: the table has this row, and weights from `first` on.
        unsafe { weights[i] = given.weights.add(*rows.add(i) as usize * given.row_len + first) }
    }
    weights
}

/// Writes the weights of a block of samples unit by unit, those that are kept by their logarithms as the least
/// that stands beside the largest. Returns the samples that have such a one.
#[inline(always)]
unsafe fn transpose<V: Vector>(weights: &[*const f32; MAX_LANES], units: usize, out: *mut f32) -> V::Mask {
    // SAFETY: each sample has `units` weights, and `out` is at a strip of as many rows.
    unsafe {
        let (zero, least) = (V::splat(0.0), V::splat(TWO_POW_M125));
        let mut faint = V::nowhere();
        for first in (0..units).step_by(V::N) {
            let width = V::N.min(units - first);
            let mut block = [zero; MAX_LANES];
            for i in 0..V::N {
                let from = weights[i].add(first);
                block[i] = if width == V::N { V::load(from) } else { V::load_part(from, width) };
            }
            V::transpose(&mut block);
            for j in 0..width {
                let is_faint = zero.gt(block[j]);
                faint = V::or(faint, is_faint);
                V::select(is_faint, least, block[j]).store(out.add((first + j) * TILE));
            }
        }
        faint
    }
}
