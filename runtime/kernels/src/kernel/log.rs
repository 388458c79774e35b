//! From natural logarithms to mantissas and exponents.
//!
//! A logarithm `l` is `n * ln 2 + y`, with one integer `n` for the group's largest; `exp(y)` is then within
//! range for every unit that matters, however far `l` is out.

use super::scale::is_out_of_range;
use super::{EXPONENT_LIMIT, mark, strips_of_a_row};
use crate::lanes::{Lanes, Quad, Vector};
use crate::{TILE, ZERO_EXPONENT};
use std::f32::consts::{LN_2, LOG2_E};

/// `ln 2` less its nearest `f32`.
const LN_2_REST: f32 = -1.904_654_3e-9;

/// The logarithm of the smallest mantissa that a positive number is given: `-125 ln 2`, rounded up.
const SMALLEST: f32 = -86.643_394;

/// See [`Kernels::from_log`](crate::Kernels::from_log).
#[inline(always)]
pub(crate) unsafe fn from_log<V: Vector>(
    n: usize,
    logs: *const f32,
    out: *mut f32,
    exponent: *mut f32,
    marks: *mut u64,
) {
    for s in strips_of_a_row::<V>() {
        // SAFETY: `s` plus a strip stays within each of the caller's rows.
        unsafe {
            let bad = strip_from_log::<V>(n, logs.add(s), out.add(s), exponent.add(s));
            mark::<Quad<V>>(marks, s, bad);
        }
    }
}

/// Brings over one strip; gives the samples that must be marked. The results are finite in any case.
#[inline(always)]
pub(super) unsafe fn strip_from_log<V: Vector>(
    n: usize,
    logs: *const f32,
    out: *mut f32,
    exponent: *mut f32,
) -> <Quad<V> as Lanes>::Mask {
    // SAFETY: the caller's pointers are at a strip of `n` rows and of the exponents.
    unsafe {
        let zero_log = Quad::<V>::splat(f32::NEG_INFINITY);
        let (mut largest, mut bad) = (zero_log, Quad::<V>::nowhere());
        for i in 0..n {
            let log = Quad::<V>::load(logs.add(i * TILE));
            bad = Quad::<V>::or(bad, log.is_nan());
            largest = largest.max(log);
        }
        let live = largest.gt(zero_log);
        let power = largest.mul(Quad::splat(LOG2_E));
        bad = Quad::<V>::or(bad, Quad::<V>::and(live, is_out_of_range::<Quad<V>>(power)));
        let limit = Quad::splat(EXPONENT_LIMIT);
        let power = power.max(Quad::splat(-EXPONENT_LIMIT)).min(limit).floor();
        Quad::select(live, power, Quad::splat(ZERO_EXPONENT)).store(exponent);
        let back = Quad::<V>::splat(0.0).sub(power);
        for i in 0..n {
            let log = Quad::<V>::load(logs.add(i * TILE));
            let rest = back.fma(Quad::splat(LN_2_REST), back.fma(Quad::splat(LN_2), log));
            let rest = rest.max(Quad::splat(SMALLEST)).min(Quad::splat(1.0));
            Quad::select(log.gt(zero_log), exp::<Quad<V>>(rest), Quad::splat(0.0)).store(out.add(i * TILE));
        }
        bad
    }
}

/// `exp(x)` for `x` in `[-87, 1]`, within a relative 2e-7: Cephes' polynomial for `expf`, of degree 5 after
/// taking out the nearest power of two.
#[inline(always)]
unsafe fn exp<L: Lanes>(x: L) -> L {
    // SAFETY: as for the traits.
    unsafe {
        let n = x.fma(L::splat(LOG2_E), L::splat(0.5)).floor();
        let back = L::splat(0.0).sub(n);
        let r = back.fma(L::splat(LN_2_REST), back.fma(L::splat(LN_2), x));
        let mut p = L::splat(1.987_569_1e-4);
        for coefficient in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
            p = p.fma(r, L::splat(coefficient));
        }
        p.fma(r.mul(r), r.add(L::splat(1.0))).scale(n)
    }
}
