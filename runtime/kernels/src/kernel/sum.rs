//! Sums: a matrix product, the check of its results, and their exponent.

use super::bundle::{OnStrip, Strip, each_strip};
use super::dense::Panel;
use super::guard::{Weights, largest, least_positive};
use super::scale::Scaling;
use super::{TWO_POW_100, TWO_POW_M100, TWO_POW_M120};
use crate::lanes::{Lanes, Vector};
use crate::{TILE, Tiles};

/// See [`Kernels::sum`](crate::Kernels::sum).
#[inline(always)]
pub(crate) unsafe fn sum<V: Vector>(
    tiles: *const Tiles,
    m: usize,
    k: usize,
    w: *const f32,
    floor: *const f32,
    is_watched: usize,
    terms: *const f32,
    term_exponent: *const f32,
    out: *mut f32,
    exponent: *mut f32,
) {
    // SAFETY: the caller's buffers have these sizes.
    unsafe {
        let tiles = &*tiles;
        for tile in 0..tiles.n {
            let (terms, out) = (terms.add(tile * tiles.stride), out.add(tile * tiles.stride));
            V::multiply_panel(Panel::of_rows(m, k, w, k, 1, terms, out), tiles.lanes);
        }
        let weights = Weights { m, k, w, row_stride: k, col_stride: 1, floor };
        let is_watched = is_watched != 0;
        each_strip::<V>(tiles, &Finish { weights, is_watched, terms, term_exponent, out, exponent });
    }
}

/// What follows the matrix product.
struct Finish {
    weights: Weights,
    is_watched: bool,
    terms: *const f32,
    term_exponent: *const f32,
    out: *mut f32,
    exponent: *mut f32,
}

impl OnStrip for Finish {
    #[inline(always)]
    unsafe fn on<L: Lanes>(&self, strip: Strip) {
        // SAFETY: the strip lies within the caller's rows.
        unsafe {
            let out = self.out.add(strip.at);
            if self.is_watched {
                strip.mark::<L>(self.weights.flushed::<L>(self.terms.add(strip.at), out));
            }
            let power = L::load(self.term_exponent.add(strip.at));
            let (power, bad) = normalise::<L>(self.weights.m, out, power);
            power.store(self.exponent.add(strip.at));
            strip.mark::<L>(bad);
        }
    }
}

/// Normalises a strip of `n` sums; gives their exponent, and the samples that must be marked.
#[inline(always)]
unsafe fn normalise<L: Lanes>(n: usize, rows: *mut f32, power: L) -> (L, L::Mask) {
    // SAFETY: the caller's pointer is at a strip of `n` rows.
    unsafe {
        let top = largest::<L>(n, rows);
        let scaling = Scaling::of(top.min(L::splat(f32::MAX)), power);
        let threshold = L::splat(TWO_POW_M100).max(top.mul(L::splat(TWO_POW_M120)));
        let lost = threshold.gt(least_positive::<L>(n, rows));
        let bad = L::or(L::or(lost, top.gt(L::splat(TWO_POW_100))), scaling.is_out_of_range);
        for i in 0..n {
            // A sample that overflowed must stay finite: `0 * infinity` would spread to flows.
            let row = L::load(rows.add(i * TILE)).min(L::splat(f32::MAX));
            row.mul(scaling.factor).store(rows.add(i * TILE));
        }
        (scaling.power, bad)
    }
}
