//! Flows through sums: to the weights, and to the terms.
//!
//! Flows over values come first, all tiles side by side in scratch: `[m][samples of the bundle]`. They are
//! the left operand of the weights' flows and the right operand of the terms'.

use super::dense::{Panel, Sink, Spot};
use super::fetch::Fetcher;
use super::flow::Flow;
use super::power_of_two;
use crate::lanes::{Lanes, Quad, Vector};
use crate::{TILE, Tiles};

/// See [`Kernels::sum_down`](crate::Kernels::sum_down).
#[inline(always)]
pub(crate) unsafe fn sum_down<V: Vector>(
    tiles: *const Tiles,
    m: usize,
    k: usize,
    w: *const f32,
    flow: *const f32,
    value: *const f32,
    value_exponent: *const f32,
    terms: *const f32,
    term_exponent: *const f32,
    dw: *mut f32,
    child_flow: *mut f32,
    is_added: usize,
    scratch: *mut f32,
) {
    // SAFETY: the caller's buffers have these sizes; scratch is cut into ratios and packed terms.
    unsafe {
        let tiles = &*tiles;
        let samples = tiles.n * tiles.lanes;
        let (ratios, packed) = (scratch, scratch.add(m * samples));
        let ratio = Ratio { m, flow, value, value_exponent, term_exponent, ratios, samples };
        ratio.all::<V>(tiles);
        Flow { tiles, m, k, ratios, terms, dw, packed }.add::<V>();
        let mut fetcher = Fetcher::take(tiles, tiles.n * k.div_ceil(4) * m);
        if !child_flow.is_null() {
            for tile in 0..tiles.n {
                let (e, at) = (ratios.add(tile * tiles.lanes), tile * tiles.stride);
                let panel =
                    Panel { rows: k, depth: m, w, w_row_stride: 1, w_col_stride: k, e, e_stride: samples };
                let (terms, to) = (terms.add(at), child_flow.add(at));
                let fetcher = &mut fetcher;
                let mut share = Share { terms, to, is_added: is_added != 0, fetcher };
                V::multiply_panel(panel, &mut share, tiles.lanes);
            }
        }
    }
}

/// Flows over values, with the values as they were before normalising.
struct Ratio {
    m: usize,
    flow: *const f32,
    value: *const f32,
    value_exponent: *const f32,
    term_exponent: *const f32,
    ratios: *mut f32,
    /// Those of the whole bundle, between one row of ratios and the next.
    samples: usize,
}

impl Ratio {
    #[inline(always)]
    unsafe fn all<V: Vector>(&self, tiles: &Tiles) {
        for tile in 0..tiles.n {
            let (at, to) = (tile * tiles.stride, tile * tiles.lanes);
            // SAFETY: the strips lie within the caller's rows.
            unsafe {
                if tiles.lanes.is_multiple_of(Quad::<V>::N) {
                    for s in (0..tiles.lanes).step_by(Quad::<V>::N) {
                        self.strip::<Quad<V>>(at + s, to + s);
                    }
                } else {
                    for s in (0..tiles.lanes).step_by(V::N) {
                        self.strip::<V>(at + s, to + s);
                    }
                }
            }
        }
    }

    /// A strip at `at` of the rows, and at `to` of the ratios.
    #[inline(always)]
    unsafe fn strip<L: Lanes>(&self, at: usize, to: usize) {
        // SAFETY: as for the caller.
        unsafe {
            let shift = L::load(self.value_exponent.add(at)).sub(L::load(self.term_exponent.add(at)));
            let zero = L::splat(0.0);
            if L::bits(L::or(shift.gt(zero), zero.gt(shift))) == 0 {
                self.rows::<L>(None, at, to);
            } else {
                // The value was a normal number before normalising, so one factor holds the shift.
                self.rows(Some(power_of_two(shift)), at, to);
            }
        }
    }

    /// A strip whose values were divided by `factor`.
    #[inline(always)]
    unsafe fn rows<L: Lanes>(&self, factor: Option<L>, at: usize, to: usize) {
        // SAFETY: as for the caller.
        unsafe {
            for i in 0..self.m {
                let flow = L::load(self.flow.add(i * TILE + at));
                let value = L::load(self.value.add(i * TILE + at));
                let unscaled = if let Some(factor) = factor { value.mul(factor) } else { value };
                let quotient = flow.mul(unscaled.reciprocal());
                // A flow of 0 gives 0 whatever the value: marked samples are excluded that way.
                let ratio = L::select(value.is_positive(), quotient, L::splat(0.0));
                ratio.store(self.ratios.add(i * self.samples + to));
            }
        }
    }
}

/// Flows to the terms of one tile: sums are multiplied by the terms, and stored or added.
struct Share<'a> {
    terms: *const f32,
    to: *mut f32,
    is_added: bool,
    fetcher: &'a mut Fetcher,
}

impl<V: Vector> Sink<V> for Share<'_> {
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
        for i in 0..MR {
            for v in 0..NV {
                // SAFETY: the tile has these rows, and a multiple of 16 samples.
                unsafe {
                    let at = (at.row + i) * TILE + at.column + v * V::N;
                    let (term, to) = (V::load(self.terms.add(at)), self.to.add(at));
                    let before = if self.is_added { V::load(to) } else { V::splat(0.0) };
                    term.fma(sums[i][v], before).store(to);
                }
            }
        }
    }
}
