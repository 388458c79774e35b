//! Sums: a matrix product whose results are watched while they are in registers.
//!
//! Where the largest sum of every sample is of ordinary size and no sum is tiny, the block counts as
//! normalised and keeps its terms' exponent. Other strips are looked through again, and normalised.

use super::bundle::{OnStrip, Strip, each_strip};
use super::dense::{Panel, Rows, Sink, Spot};
use super::fetch::Fetcher;
use super::guard::{Weights, largest, least_positive};
use super::scale::{LEAST_TOP, MOST_TOP, Scaling, is_outside};
use super::{TWO_POW_100, TWO_POW_M100, TWO_POW_M120};
use crate::lanes::{Lanes, Vector};
use crate::{TILE, Tiles};

/// Tables of more numbers than this are read block by block, each for all tiles, so that they come from
/// far memory once.
const LARGE_TABLE: usize = 1 << 16;

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
        let sums = Sums { m, out, term_exponent, exponent };
        let panel =
            Panel { rows: m, depth: k, w, w_row_stride: k, w_col_stride: 1, e: terms, e_stride: TILE };
        let mut fetcher = Fetcher::take(tiles, tiles.n * m.div_ceil(4) * k);
        if m * k > LARGE_TABLE {
            multiply_by_blocks::<V>(tiles, panel, out);
            each_strip::<V>(tiles, &sums);
        } else {
            for tile in 0..tiles.n {
                let panel = Panel { e: terms.add(tile * tiles.stride), ..panel };
                V::multiply_panel(panel, &mut Watch::<V>::of(sums, tiles, tile, &mut fetcher), tiles.lanes);
            }
        }
        if is_watched != 0 {
            let weights = Weights { m, k, w, row_stride: k, col_stride: 1, floor };
            each_strip::<V>(tiles, &Flushed { weights, terms, out });
        }
    }
}

/// The product alone, some rows of weights for all tiles at a time.
#[inline(always)]
unsafe fn multiply_by_blocks<V: Vector>(tiles: &Tiles, panel: Panel, out: *mut f32) {
    let block = (LARGE_TABLE / 2 / panel.depth).next_multiple_of(4);
    for first in (0..panel.rows).step_by(block) {
        let rows = block.min(panel.rows - first);
        for tile in 0..tiles.n {
            // SAFETY: the panel has these rows, and each tile its terms and results.
            unsafe {
                let w = panel.w.add(first * panel.w_row_stride);
                let part = Panel { rows, w, e: panel.e.add(tile * tiles.stride), ..panel };
                let to = out.add(first * TILE + tile * tiles.stride);
                V::multiply_panel(part, &mut Rows { to, stride: TILE, is_added: false }, tiles.lanes);
            }
        }
    }
}

/// The results of a sum, unscaled or scaled.
#[derive(Clone, Copy)]
pub(crate) struct Sums {
    m: usize,
    out: *mut f32,
    term_exponent: *const f32,
    exponent: *mut f32,
}

impl Sums {
    /// Normalises a strip of sums and marks its samples.
    #[inline(always)]
    pub(crate) unsafe fn normalise<L: Lanes>(&self, strip: Strip) {
        // SAFETY: the strip lies within the caller's rows.
        unsafe {
            let rows = self.out.add(strip.at);
            let top = largest::<L>(self.m, rows);
            let power = L::load(self.term_exponent.add(strip.at));
            let scaling = Scaling::of(top.min(L::splat(f32::MAX)), power);
            let threshold = L::splat(TWO_POW_M100).max(top.mul(L::splat(TWO_POW_M120)));
            let lost = threshold.gt(least_positive::<L>(self.m, rows));
            strip.mark::<L>(L::or(L::or(lost, top.gt(L::splat(TWO_POW_100))), scaling.is_out_of_range));
            for i in 0..self.m {
                // A sample that overflowed must stay finite: `0 * infinity` would spread to flows.
                let row = L::load(rows.add(i * TILE)).min(L::splat(f32::MAX));
                row.mul(scaling.factor).store(rows.add(i * TILE));
            }
            scaling.power.store(self.exponent.add(strip.at));
        }
    }
}

impl OnStrip for Sums {
    #[inline(always)]
    unsafe fn on<L: Lanes>(&self, strip: Strip) {
        // SAFETY: as for the caller.
        unsafe { self.normalise::<L>(strip) }
    }
}

/// Stores sums of one tile and watches them go by.
struct Watch<'a, V> {
    sums: Sums,
    tiles: &'a Tiles,
    tile: usize,
    fetcher: &'a mut Fetcher,
    /// The largest sum so far of each sample of a strip, at most four vectors of them.
    largest: [V; 4],
    /// The smallest sums.
    least: V,
}

impl<'a, V: Vector> Watch<'a, V> {
    #[inline(always)]
    unsafe fn of(sums: Sums, tiles: &'a Tiles, tile: usize, fetcher: &'a mut Fetcher) -> Self {
        // SAFETY: as for the traits.
        let (zero, most) = unsafe { (V::splat(0.0), V::splat(f32::MAX)) };
        Watch { sums, tiles, tile, fetcher, largest: [zero; 4], least: most }
    }
}

impl<V: Vector> Sink<V> for Watch<'_, V> {
    #[inline(always)]
    unsafe fn pulse(&mut self) {
        // SAFETY: as for the traits.
        unsafe { self.fetcher.pulse() }
    }

    #[inline(always)]
    unsafe fn put<const MR: usize, const NV: usize, const PART: bool>(
        &mut self,
        at: Spot,
        sums: [[V; NV]; MR],
    ) {
        // SAFETY: the tile has these rows; strips are whole, since a tile has a multiple of 16 samples.
        unsafe {
            let to = self.sums.out.add(self.tile * self.tiles.stride + at.row * TILE + at.column);
            for v in 0..NV {
                let (mut most, mut least) = (sums[0][v], sums[0][v]);
                for i in 0..MR {
                    sums[i][v].store(to.add(i * TILE + v * V::N));
                    (most, least) = (most.max(sums[i][v]), least.min(sums[i][v]));
                }
                self.largest[v] = self.largest[v].max(most);
                self.least = self.least.min(least);
            }
        }
    }

    #[inline(always)]
    unsafe fn end<const NV: usize>(&mut self, column: usize) {
        // SAFETY: as for `put`.
        unsafe {
            let mut odd = V::splat(TWO_POW_M100).gt(self.least);
            for v in 0..NV {
                odd = V::or(odd, is_outside(self.largest[v], LEAST_TOP, MOST_TOP));
            }
            let is_odd = V::bits(odd) != 0;
            for v in 0..NV {
                let strip = Strip::of(self.tiles, self.tile, column + v * V::N);
                if is_odd {
                    let sums = self.sums;
                    V::normalise_sums(&sums, strip);
                } else {
                    let power = V::load(self.sums.term_exponent.add(strip.at));
                    power.store(self.sums.exponent.add(strip.at));
                }
            }
            (self.largest, self.least) = ([V::splat(0.0); 4], V::splat(f32::MAX));
        }
    }
}

/// Looks for sums of which every term was flushed.
struct Flushed {
    weights: Weights,
    terms: *const f32,
    out: *const f32,
}

impl OnStrip for Flushed {
    #[inline(always)]
    unsafe fn on<L: Lanes>(&self, strip: Strip) {
        // SAFETY: the strip lies within the caller's rows.
        unsafe {
            strip.mark::<L>(self.weights.flushed::<L>(self.terms.add(strip.at), self.out.add(strip.at)));
        }
    }
}
