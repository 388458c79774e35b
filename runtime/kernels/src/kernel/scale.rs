//! Exponents: rescaling groups, aligning blocks, and the ratio that starts the downward pass.
//!
//! All scaling is by powers of two and exact, but for what is flushed under `2^-126`.

use super::guard::{largest, least_positive};
use super::{
    EXPONENT_LIMIT, TWO_POW_100, TWO_POW_M60, TWO_POW_M100, TWO_POW_M120, least_where, mark, power_of_two,
    strips_of_a_row,
};
use crate::lanes::{Lanes, Quad, Vector};
use crate::{GUARD_ENTRY, GUARD_MAXIMUM, GUARD_RAISE, TILE, ZERO_EXPONENT};

/// See [`Kernels::rescale`](crate::Kernels::rescale).
#[inline(always)]
pub(crate) unsafe fn rescale<V: Vector>(
    n: usize,
    rows: *mut f32,
    exponent: *mut f32,
    guard: usize,
    marks: *mut u64,
) {
    for s in strips_of_a_row::<V>() {
        // SAFETY: `s` plus a strip stays within each of the caller's rows.
        unsafe {
            let (rows, exponent) = (rows.add(s), exponent.add(s));
            let top = Top::<V>::of(n, rows);
            let sum = Quad::<V>::load(exponent).sub(top.shift);
            top.exponent(sum).store(exponent);
            let mut bad = Quad::<V>::and(top.live, is_out_of_range::<Quad<V>>(sum));
            bad = Quad::<V>::or(bad, top.largest.gt(Quad::splat(TWO_POW_100)));
            if guard & GUARD_MAXIMUM != 0 {
                let low = Quad::splat(TWO_POW_M60).gt(top.largest);
                bad = Quad::<V>::or(bad, Quad::<V>::and(top.live, low));
            }
            if guard & GUARD_ENTRY != 0 {
                let threshold = Quad::splat(TWO_POW_M100).max(top.largest.mul(Quad::splat(TWO_POW_M120)));
                bad = Quad::<V>::or(bad, threshold.gt(least_positive::<Quad<V>>(n, rows)));
            }
            top.apply(n, rows);
            mark::<Quad<V>>(marks, s, bad);
        }
    }
}

/// What normalising a strip of a group needs to know.
pub(super) struct Top<V: Vector> {
    /// The largest mantissa of each sample.
    pub largest: Quad<V>,
    /// Where it is positive and finite.
    pub live: <Quad<V> as Lanes>::Mask,
    /// The power of two to multiply by.
    pub shift: Quad<V>,
}

impl<V: Vector> Top<V> {
    /// Looks through `n` rows, `rows` being at a strip of them.
    #[inline(always)]
    pub unsafe fn of(n: usize, rows: *const f32) -> Top<V> {
        // SAFETY: the caller's pointer is at a strip of `n` rows.
        unsafe {
            let zero = Quad::<V>::splat(0.0);
            let largest = largest::<Quad<V>>(n, rows);
            let finite = Quad::splat(f32::INFINITY).gt(largest);
            let live = Quad::<V>::and(largest.is_positive(), finite);
            Top { largest, live, shift: Quad::select(live, zero.sub(largest.exponent()), zero) }
        }
    }

    /// `of_live` where the sample is neither zero nor infinite, else the exponent of a zero group.
    #[inline(always)]
    pub unsafe fn exponent(&self, of_live: Quad<V>) -> Quad<V> {
        // SAFETY: as for the traits.
        unsafe { Quad::select(self.live, of_live, Quad::splat(ZERO_EXPONENT)) }
    }

    /// Normalises the rows; infinite samples become zero, since `0 * infinity` would spread to flows.
    #[inline(always)]
    pub unsafe fn apply(&self, n: usize, rows: *mut f32) {
        // SAFETY: the caller's pointer is at a strip of `n` rows.
        unsafe {
            let factor = power_of_two(self.shift);
            for i in 0..n {
                Quad::<V>::load(rows.add(i * TILE)).mul(factor).store(rows.add(i * TILE));
            }
            let infinite = self.largest.gt(Quad::splat(f32::MAX));
            if Quad::<V>::bits(infinite) != 0 {
                for i in 0..n {
                    let row = Quad::<V>::load(rows.add(i * TILE));
                    Quad::select(infinite, Quad::splat(0.0), row).store(rows.add(i * TILE));
                }
            }
        }
    }
}

/// How a group whose maxima are known is brought back to about 1.
pub(super) struct Scaling<L: Lanes> {
    /// The maxima.
    pub largest: L,
    /// What its mantissas are to be multiplied by.
    pub factor: L,
    /// Its exponent afterwards.
    pub power: L,
    /// Where that must be marked.
    pub is_out_of_range: L::Mask,
}

impl<L: Lanes> Scaling<L> {
    /// For a group with these maxima, finite, and this exponent.
    #[inline(always)]
    pub unsafe fn of(largest: L, power: L) -> Self {
        // SAFETY: as for the traits.
        unsafe {
            let zero = L::splat(0.0);
            let live = largest.is_positive();
            let shift = L::select(live, zero.sub(largest.exponent()), zero);
            let power = L::select(live, power.sub(shift), L::splat(ZERO_EXPONENT));
            let is_out_of_range = L::and(live, is_out_of_range(power));
            Scaling { largest, factor: power_of_two(shift), power, is_out_of_range }
        }
    }
}

/// The parts of a factor of two mantissas' products: what to multiply by before they are multiplied, and after.
/// What is flushed on the way would be so at the end too. The first part is bounded, so that nothing becomes
/// infinite.
#[inline(always)]
pub(super) unsafe fn before_and_after<L: Lanes>(factor: L) -> (L, L) {
    // SAFETY: as for the traits.
    unsafe {
        let one = L::splat(1.0);
        (factor.max(one).min(L::splat(TWO_POW_100)), factor.min(one))
    }
}

/// The largest entries between which a group counts as normalised.
pub(super) const LEAST_TOP: f32 = f32::from_bits((127 - 8) << 23);
pub(super) const MOST_TOP: f32 = f32::from_bits((127 + 8) << 23);

/// Where `x` is under `low` or over `high`.
#[inline(always)]
pub(super) unsafe fn is_outside<L: Lanes>(x: L, low: f32, high: f32) -> L::Mask {
    // SAFETY: as for the traits.
    unsafe { L::or(L::splat(low).gt(x), x.gt(L::splat(high))) }
}

/// Where an exponent is too large in size to be marked as sound.
#[inline(always)]
pub(super) unsafe fn is_out_of_range<L: Lanes>(exponent: L) -> L::Mask {
    // SAFETY: as for the traits.
    unsafe { exponent.max(L::splat(0.0).sub(exponent)).gt(L::splat(EXPONENT_LIMIT)) }
}

/// See [`Kernels::max_exponent`](crate::Kernels::max_exponent).
#[inline(always)]
pub(crate) unsafe fn max_exponent<V: Vector>(a: *const f32, b: *const f32, out: *mut f32) {
    for s in strips_of_a_row::<V>() {
        // SAFETY: `s` plus a strip stays within the row.
        unsafe { Quad::<V>::load(a.add(s)).max(Quad::load(b.add(s))).store(out.add(s)) }
    }
}

/// See [`Kernels::align`](crate::Kernels::align).
#[inline(always)]
pub(crate) unsafe fn align<V: Vector>(
    n: usize,
    rows: *const f32,
    from: *const f32,
    to: *const f32,
    out: *mut f32,
    guard: usize,
    marks: *mut u64,
) {
    for s in strips_of_a_row::<V>() {
        // SAFETY: `s` plus a strip stays within each of the caller's rows.
        unsafe {
            let shift = Quad::<V>::load(from.add(s)).sub(Quad::load(to.add(s)));
            // Two factors: a mantissa over 1 may stay normal though `2^shift` alone would not.
            let head = shift.max(Quad::splat(-126.0));
            let (head, tail) = (power_of_two(head), power_of_two(shift.sub(head)));
            let mut least = Quad::<V>::splat(f32::MAX);
            let floor = Quad::splat(if guard & GUARD_RAISE != 0 { f32::MIN_POSITIVE } else { 0.0 });
            for i in 0..n {
                let before = Quad::<V>::load(rows.add(i * TILE + s));
                let after = before.mul(head).mul(tail);
                least = least_where(before.is_positive(), after, least);
                let after = after.max(before.min(floor));
                after.store(out.add(i * TILE + s));
            }
            if guard & GUARD_ENTRY != 0 {
                mark::<Quad<V>>(marks, s, Quad::splat(f32::MIN_POSITIVE).gt(least));
            }
        }
    }
}

/// See [`Kernels::ratio`](crate::Kernels::ratio).
#[inline(always)]
pub(crate) unsafe fn ratio<V: Vector>(
    n: usize,
    flow: *const f32,
    value: *const f32,
    value_exponent: *const f32,
    term_exponent: *const f32,
    out: *mut f32,
) {
    for s in strips_of_a_row::<V>() {
        // SAFETY: `s` plus a strip stays within each of the caller's rows.
        unsafe {
            let shift = Quad::<V>::load(value_exponent.add(s)).sub(Quad::load(term_exponent.add(s)));
            // The value was a normal number before rescaling, so one factor holds the shift.
            let factor = power_of_two(shift);
            for i in 0..n {
                let flow = Quad::<V>::load(flow.add(i * TILE + s));
                let value = Quad::<V>::load(value.add(i * TILE + s));
                let quotient = flow.div(value.mul(factor));
                // A flow of 0 gives 0 whatever the value: marked samples are excluded that way.
                let live = value.min(flow).is_positive();
                Quad::select(live, quotient, Quad::splat(0.0)).store(out.add(i * TILE + s));
            }
        }
    }
}
