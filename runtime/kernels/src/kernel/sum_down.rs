//! Flows through sums: to the weights, and to the terms.

use super::bundle::{OnStrip, Strip, each_strip};
use super::dense::Panel;
use super::flow::flow_of;
use super::power_of_two;
use crate::lanes::{Lanes, Vector};
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
    // SAFETY: the caller's buffers have these sizes; scratch is cut into ratios, sums and packed terms.
    unsafe {
        let tiles = &*tiles;
        let ratios = scratch;
        let sums = ratios.add(tiles.n * m * TILE);
        let packed = sums.add(tiles.n * k.next_multiple_of(16) * TILE);
        for tile in 0..tiles.n {
            let at = tile * tiles.stride;
            let one = Tiles { n: 1, marks: tiles.marks.add(tile), ..*tiles };
            let (flow, value, terms) = (flow.add(at), value.add(at), terms.add(at));
            let (value_exponent, term_exponent) = (value_exponent.add(at), term_exponent.add(at));
            each_strip::<V>(&one, &Ratio { m, flow, value, value_exponent, term_exponent, ratios });
            flow_of::<V>(tiles.lanes, m, k, ratios, terms, dw, k, packed);
            if !child_flow.is_null() {
                V::multiply_panel(Panel::of_rows(k, m, w, 1, k, ratios, sums), tiles.lanes);
                let (child_flow, is_added) = (child_flow.add(at), is_added != 0);
                each_strip::<V>(&one, &Share { k, terms, sums, child_flow, is_added });
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
}

impl OnStrip for Ratio {
    #[inline(always)]
    unsafe fn on<L: Lanes>(&self, Strip { at, .. }: Strip) {
        // SAFETY: the strip lies within the caller's rows.
        unsafe {
            let shift = L::load(self.value_exponent.add(at)).sub(L::load(self.term_exponent.add(at)));
            // The value was a normal number before normalising, so one factor holds the shift.
            let factor = power_of_two(shift);
            for i in 0..self.m {
                let flow = L::load(self.flow.add(i * TILE + at));
                let value = L::load(self.value.add(i * TILE + at));
                let quotient = flow.div(value.mul(factor));
                // A flow of 0 gives 0 whatever the value: marked samples are excluded that way.
                let live = value.min(flow).is_positive();
                L::select(live, quotient, L::splat(0.0)).store(self.ratios.add(i * TILE + at));
            }
        }
    }
}

/// Flows to the terms.
struct Share {
    k: usize,
    terms: *const f32,
    sums: *const f32,
    child_flow: *mut f32,
    is_added: bool,
}

impl OnStrip for Share {
    #[inline(always)]
    unsafe fn on<L: Lanes>(&self, Strip { at, .. }: Strip) {
        for j in 0..self.k {
            // SAFETY: the strip lies within the caller's rows.
            unsafe {
                let share = L::load(self.terms.add(j * TILE + at)).mul(L::load(self.sums.add(j * TILE + at)));
                let to = self.child_flow.add(j * TILE + at);
                let before = if self.is_added { L::load(to) } else { L::splat(0.0) };
                share.add(before).store(to);
            }
        }
    }
}
