//! Leaves with normal densities, and the sums that learn them.

use super::log::strip_from_log;
use super::{mark, strips_of_a_row};
use crate::TILE;
use crate::lanes::{Lanes, Quad, Vector};

/// Under any logarithm that a density can have without being marked, yet finite: no density is 0.
const SMALLEST_LOG: f32 = -1e30;

/// See [`Kernels::leaf_gaussian`](crate::Kernels::leaf_gaussian).
#[inline(always)]
pub(crate) unsafe fn leaf_gaussian<V: Vector>(
    units: usize,
    params: *const f32,
    xs: *const f32,
    out: *mut f32,
    exponent: *mut f32,
    marks: *mut u64,
) {
    for s in strips_of_a_row::<V>() {
        // SAFETY: `s` plus a strip stays within each row, and there are three parameters for each unit.
        unsafe {
            let x = Quad::<V>::load(xs.add(s));
            let missing = x.is_nan();
            for u in 0..units {
                let log = log_density(x, params.add(u), units);
                // A missing value integrates to 1. The maximum's operands are so that NaN gives the bound.
                let log = log.max(Quad::splat(SMALLEST_LOG));
                Quad::select(missing, Quad::splat(0.0), log).store(out.add(u * TILE + s));
            }
            let bad = strip_from_log::<V>(units, out.add(s), out.add(s), exponent.add(s));
            mark::<Quad<V>>(marks, s, bad);
        }
    }
}

/// `-((x - mean) / sd)^2 / 2 - ln(sd) - ln(2 pi) / 2`, from parameters `units` apart.
#[inline(always)]
unsafe fn log_density<L: Lanes>(x: L, params: *const f32, units: usize) -> L {
    // SAFETY: the caller's pointer is at a unit's mean; the other two follow at multiples of `units`.
    unsafe {
        let (mean, reciprocal_sd) = (L::splat(*params), L::splat(*params.add(units)));
        let z = x.sub(mean).mul(reciprocal_sd);
        z.mul(L::splat(-0.5)).fma(z, L::splat(*params.add(2 * units)))
    }
}

/// See [`Kernels::leaf_gaussian_stats`](crate::Kernels::leaf_gaussian_stats).
#[inline(always)]
pub(crate) unsafe fn leaf_gaussian_stats<V: Vector>(
    units: usize,
    xs: *const f32,
    flow: *const f32,
    stats: *mut f32,
) {
    for s in strips_of_a_row::<V>() {
        // SAFETY: `s` plus a strip stays within each row, and there are three sums for each unit.
        unsafe {
            let zero = Quad::<V>::splat(0.0);
            let (missing, x) = (Quad::<V>::load(xs.add(s)).is_nan(), Quad::<V>::load(xs.add(s)));
            let x = Quad::select(missing, zero, x);
            for u in 0..units {
                let flow = Quad::select(missing, zero, Quad::load(flow.add(u * TILE + s)));
                let first = flow.mul(x);
                *stats.add(u) += flow.total();
                *stats.add(units + u) += first.total();
                *stats.add(2 * units + u) += first.mul(x).total();
            }
        }
    }
}
