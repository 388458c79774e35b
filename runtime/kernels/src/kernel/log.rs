//! From natural logarithms to mantissas and exponents.
//!
//! A logarithm `l` is `m * ln 2 + r` with an integer `m` and a small rest `r`; its mantissa is
//! `exp(r) * 2^(m - n)`, where `n` is the exponent of the group's largest. So nothing leaves the range of
//! `f32`, however far `l` is out.

use super::EXPONENT_LIMIT;
use super::scale::is_out_of_range;
use crate::lanes::Lanes;
use crate::{TILE, ZERO_EXPONENT};
use std::f32::consts::{LN_2, LOG2_E};

/// `ln 2` in two parts, the first with so few bits that its small multiples are exact.
pub(super) const LN_2_HEAD: f32 = 0.693_359_4;
pub(super) const LN_2_TAIL: f32 = -2.121_944_4e-4;

/// The exponent of the smallest mantissa that a positive number is given. In far tails the rest `r` may be
/// as low as -1, and the mantissa must still not be flushed.
const SMALLEST: f32 = -124.0;

/// Brings over one strip of logarithms of values over `2^power`; gives the samples that must be marked. The
/// results are finite in any case.
#[inline(always)]
pub(super) unsafe fn strip_from_log<L: Lanes>(
    n: usize,
    logs: *const f32,
    power: L,
    out: *mut f32,
    exponent: *mut f32,
) -> L::Mask {
    // SAFETY: the caller's pointers are at a strip of `n` rows and of the exponents.
    unsafe {
        let zero_log = L::splat(f32::NEG_INFINITY);
        let (mut largest, mut bad) = (zero_log, L::nowhere());
        for i in 0..n {
            let log = L::load(logs.add(i * TILE));
            bad = L::or(bad, log.is_nan());
            largest = largest.max(log);
        }
        let live = largest.gt(zero_log);
        let top = largest.mul(L::splat(LOG2_E));
        let is_far = L::or(is_out_of_range(top), is_out_of_range(top.add(power)));
        bad = L::or(bad, L::and(live, is_far));
        let top = clamp(top, EXPONENT_LIMIT).floor();
        let sum = clamp(top.add(power), EXPONENT_LIMIT);
        L::select(live, sum, L::splat(ZERO_EXPONENT)).store(exponent);
        for i in 0..n {
            let log = L::load(logs.add(i * TILE));
            let mantissa = exp_over(clamp(log, EXPONENT_LIMIT * LN_2), top);
            L::select(log.gt(zero_log), mantissa, L::splat(0.0)).store(out.add(i * TILE));
        }
        bad
    }
}

/// `x` within `[-limit, limit]`, and `-limit` where it is NaN.
#[inline(always)]
pub(super) unsafe fn clamp<L: Lanes>(x: L, limit: f32) -> L {
    // SAFETY: as for the traits.
    unsafe { x.max(L::splat(-limit)).min(L::splat(limit)) }
}

/// `exp(x) * 2^-top`, but at least about `2^SMALLEST`, within a relative 2e-7 of what is exact for `x`.
///
/// Cephes' polynomial for `expf`, of degree 5 after taking out the nearest power of two.
#[inline(always)]
unsafe fn exp_over<L: Lanes>(x: L, top: L) -> L {
    // SAFETY: as for the traits.
    unsafe {
        let power = x.fma(L::splat(LOG2_E), L::splat(0.5)).floor();
        let back = L::splat(0.0).sub(power);
        let r = back.fma(L::splat(LN_2_TAIL), back.fma(L::splat(LN_2_HEAD), x));
        let mut p = L::splat(1.987_569_1e-4);
        for coefficient in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
            p = p.fma(r, L::splat(coefficient));
        }
        p.fma(r.mul(r), r.add(L::splat(1.0))).scale(power.sub(top).max(L::splat(SMALLEST)))
    }
}
