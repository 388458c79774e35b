//! Four vectors side by side: 64 samples of a row with AVX-512, 32 with the other tiers.
//!
//! Walking rows in such strips gives four independent chains of arithmetic, enough to hide latencies.

use super::{Lanes, Vector};

/// Four vectors, as one.
#[derive(Clone, Copy)]
pub(crate) struct Quad<V>([V; 4]);

/// Elementwise methods that pass each operand's part to the same method of the vector.
macro_rules! by_parts {
    ($($name:ident($($arg:ident),*);)*) => { $(
        #[inline(always)]
        unsafe fn $name(self, $($arg: Self),*) -> Self {
            let mut out = self;
            for v in 0..4 {
                // SAFETY: as for the trait.
                out.0[v] = unsafe { self.0[v].$name($($arg.0[v]),*) };
            }
            out
        }
    )* };
}

/// Methods on masks, likewise.
macro_rules! masks_by_parts {
    ($($name:ident);*) => { $(
        #[inline(always)]
        unsafe fn $name(a: Self::Mask, b: Self::Mask) -> Self::Mask {
            let mut out = a;
            for v in 0..4 {
                // SAFETY: as for the trait.
                out[v] = unsafe { V::$name(a[v], b[v]) };
            }
            out
        }
    )* };
}

impl<V: Vector> Lanes for Quad<V> {
    type Mask = [V::Mask; 4];
    const N: usize = 4 * V::N;

    by_parts! {
        add(other); sub(other); mul(other); div(other); max(other); min(other); fma(factor, term);
        floor(); exponent(); inverse_power(); reciprocal(); scale(by); scale_once(by);
    }
    masks_by_parts! { and; or; and_not }

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        // SAFETY: as for the trait.
        Quad([unsafe { V::splat(value) }; 4])
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: as for the trait; the caller's memory holds `4 * V::N` values.
        unsafe {
            Quad([
                V::load(from),
                V::load(from.add(V::N)),
                V::load(from.add(2 * V::N)),
                V::load(from.add(3 * V::N)),
            ])
        }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        for v in 0..4 {
            // SAFETY: as for the trait; the caller's memory holds `4 * V::N` values.
            unsafe { self.0[v].store(to.add(v * V::N)) };
        }
    }

    #[inline(always)]
    unsafe fn gt(self, other: Self) -> Self::Mask {
        // SAFETY: as for the trait.
        unsafe {
            [
                self.0[0].gt(other.0[0]),
                self.0[1].gt(other.0[1]),
                self.0[2].gt(other.0[2]),
                self.0[3].gt(other.0[3]),
            ]
        }
    }

    #[inline(always)]
    unsafe fn is_nan(self) -> Self::Mask {
        // SAFETY: as for the trait.
        unsafe { [self.0[0].is_nan(), self.0[1].is_nan(), self.0[2].is_nan(), self.0[3].is_nan()] }
    }

    #[inline(always)]
    unsafe fn has_bits_of(self, other: Self) -> Self::Mask {
        // SAFETY: as for the trait.
        let mut out = unsafe { Self::nowhere() };
        for v in 0..4 {
            // SAFETY: as for the trait.
            out[v] = unsafe { self.0[v].has_bits_of(other.0[v]) };
        }
        out
    }

    #[inline(always)]
    unsafe fn select(mask: Self::Mask, yes: Self, no: Self) -> Self {
        let mut out = yes;
        for v in 0..4 {
            // SAFETY: as for the trait.
            out.0[v] = unsafe { V::select(mask[v], yes.0[v], no.0[v]) };
        }
        out
    }

    #[inline(always)]
    unsafe fn bits(mask: Self::Mask) -> u64 {
        let mut out = 0;
        for v in 0..4 {
            // SAFETY: as for the trait.
            out |= unsafe { V::bits(mask[v]) } << (v * V::N);
        }
        out
    }

    #[inline(always)]
    unsafe fn total(self) -> f32 {
        // SAFETY: as for the trait.
        unsafe { self.0[0].add(self.0[1]).add(self.0[2].add(self.0[3])).total() }
    }
}
