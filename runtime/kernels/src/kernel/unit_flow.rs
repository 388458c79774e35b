//! Flows of single units to their children.

use super::strips_of_a_row;
use super::unit::child;
use crate::lanes::{Lanes, Quad, Vector};
use crate::{NO_FLOW, TILE};

/// See [`Kernels::sum_units_flow`](crate::Kernels::sum_units_flow).
#[inline(always)]
pub(crate) unsafe fn sum_units_flow<V: Vector>(
    n: usize,
    weights: *const f32,
    base: *const f32,
    children: *const u32,
    value: *const f32,
    exponent: *const f32,
    flow: *const f32,
    flow_base: *mut f32,
    flow_children: *const u32,
    dw: *mut f32,
) {
    for s in strips_of_a_row::<V>() {
        // SAFETY: `s` plus a strip stays within each row; there are `n` weights, sums and children.
        unsafe {
            let zero = Quad::<V>::splat(0.0);
            let (value, flow) = (Quad::<V>::load(value.add(s)), Quad::<V>::load(flow.add(s)));
            let exponent = Quad::<V>::load(exponent.add(s));
            let live = value.min(flow).is_positive();
            let ratio = Quad::select(live, flow.div(value), zero);
            for j in 0..n {
                let weight = *weights.add(j);
                if weight == 0.0 {
                    continue;
                }
                let (of_child, power) = child::<V>(base, children, j, s);
                // A term is at most the sum, so this stays under the weight's reciprocal.
                let shift = Quad::select(live, power.sub(exponent), zero);
                let share = ratio.mul(of_child.scale(shift));
                *dw.add(j) += share.total();
                add_flow(share.mul(Quad::splat(weight)), flow_base, *flow_children.add(j), s);
            }
        }
    }
}

/// Adds a strip of flow to a child's flow row, unless it has none.
#[inline(always)]
unsafe fn add_flow<L: Lanes>(flow: L, flow_base: *mut f32, row: u32, s: usize) {
    if row != NO_FLOW {
        // SAFETY: the caller's row is within the buffer at `flow_base`.
        unsafe {
            let to = flow_base.add(row as usize * TILE + s);
            flow.add(L::load(to)).store(to);
        }
    }
}
