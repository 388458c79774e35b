//! A row as an array, which the compiler vectorises as far as the target allows.

use super::strip::{Strip, define_unit_tier};
use super::{LANES, Row};
use std::array::from_fn;

define_unit_tier!(Array, Portable, [inline(never)]);

/// The samples of a row.
#[derive(Clone, Copy)]
struct Array([f64; LANES]);

/// The methods are unsafe for the other tiers' sake; only pointers matter here.
impl Strip for Array {
    type Mask = u8;

    #[inline(always)]
    unsafe fn splat(value: f64) -> Self {
        Array([value; LANES])
    }

    #[inline(always)]
    unsafe fn load(from: *const f64) -> Self {
        // SAFETY: as for the trait; rows are aligned to their size.
        Array(unsafe { (*from.cast::<Row>()).0 })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f64) {
        // SAFETY: as for `load`.
        unsafe { *to.cast::<Row>() = Row(self.0) }
    }

    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        Array(from_fn(|s| self.0[s] * other.0[s]))
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        Array(from_fn(|s| self.0[s] + other.0[s]))
    }

    #[inline(always)]
    unsafe fn fma(self, factor: Self, term: Self) -> Self {
        // Without the instruction a fused product would be a call for each lane.
        Array(from_fn(|s| self.0[s] * factor.0[s] + term.0[s]))
    }

    #[inline(always)]
    unsafe fn exceeds(self, other: Self) -> u8 {
        bits_where(|s| self.0[s] > other.0[s] || self.0[s].is_nan())
    }

    #[inline(always)]
    unsafe fn is_between_zero_and(self, other: Self) -> u8 {
        bits_where(|s| self.0[s] > 0.0 && self.0[s] < other.0[s])
    }

    #[inline(always)]
    unsafe fn where_positive(self, other: Self) -> Self {
        Array(from_fn(|s| if other.0[s] > 0.0 { self.0[s] } else { 0.0 }))
    }

    #[inline(always)]
    unsafe fn is_zero(self) -> bool {
        self.0 == [0.0; LANES]
    }

    #[inline(always)]
    unsafe fn total(self) -> f64 {
        self.0.iter().sum()
    }

    #[inline(always)]
    unsafe fn nowhere() -> u8 {
        0
    }

    #[inline(always)]
    unsafe fn or(a: u8, b: u8) -> u8 {
        a | b
    }

    #[inline(always)]
    unsafe fn bits(mask: u8) -> u8 {
        mask
    }
}

#[inline(always)]
fn bits_where(holds: impl Fn(usize) -> bool) -> u8 {
    (0..LANES).fold(0, |bits, s| bits | u8::from(holds(s)) << s)
}
