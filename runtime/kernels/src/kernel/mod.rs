//! The kernels themselves, each written once over the traits of `lanes`.
//!
//! In: the arguments of the table's entries, whose comments are the specification. Out: the caller's
//! buffers and marks. A kernel reads its operands in strips of a [`Quad`](crate::lanes::Quad) and must not
//! allocate or panic. The functions here carry the names of the table's fields.

pub(crate) mod dense;
pub(crate) mod flow;

pub(crate) mod bundle;
mod factor;
mod fetch;
mod given;
mod guard;
mod leaf;
mod log;
mod mix;
mod normal;
mod normal_down;
mod outer;
mod pack;
pub(crate) mod product;
mod product_by_steps;
mod row;
mod scale;
mod scatter;
pub(crate) mod sum;
mod sum_down;
mod unit;
mod unit_flow;

pub(crate) use dense::matmul;
pub(crate) use fetch::fetch;
pub(crate) use given::leaf_given;
pub(crate) use leaf::{leaf_indicator, leaf_literal};
pub(crate) use mix::{guard_mix, mix_backward, mix_forward};
pub(crate) use normal::normal;
pub(crate) use normal_down::normal_down;
pub(crate) use outer::{outer, outer_left, outer_right};
pub(crate) use pack::pack;
pub(crate) use product::product;
pub(crate) use row::{add, copy, zero};
pub(crate) use scale::{align, max_exponent, ratio, rescale};
pub(crate) use scatter::scatter;
pub(crate) use sum::sum;
pub(crate) use sum_down::sum_down;
pub(crate) use unit::{product_units, sum_units};
pub(crate) use unit_flow::sum_units_flow;

use crate::TILE;
use crate::lanes::{Lanes, Quad};

/// Powers of two that the guards compare with.
pub(crate) const TWO_POW_100: f32 = f32::from_bits((127 + 100) << 23);
pub(crate) const TWO_POW_M60: f32 = f32::from_bits((127 - 60) << 23);
pub(crate) const TWO_POW_M100: f32 = f32::from_bits((127 - 100) << 23);
pub(crate) const TWO_POW_M120: f32 = f32::from_bits((127 - 120) << 23);
pub(crate) const TWO_POW_M125: f32 = f32::from_bits((127 - 125) << 23);

/// The largest size of an exponent that is not marked; the sum of two is still exact in `f32`.
pub(crate) const EXPONENT_LIMIT: f32 = 8_388_608.0;

/// The sample at which each strip of a row begins.
#[inline(always)]
fn strips_of_a_row<V: crate::lanes::Vector>() -> impl Iterator<Item = usize> {
    (0..TILE / Quad::<V>::N).map(|strip| strip * Quad::<V>::N)
}

/// `2^by` for integer-valued `by`: 0 under `2^-126` and infinite from `2^128` on.
///
/// Multiplying a strip of many rows by it is cheaper than scaling each.
#[inline(always)]
unsafe fn power_of_two<L: Lanes>(by: L) -> L {
    // SAFETY: as for the traits.
    unsafe { L::splat(1.0).scale(by) }
}

/// The smaller of `x` and `least` where the mask is set, else `least`.
///
/// Rules on tiny values keep such a minimum and compare once, which is cheaper than joining masks.
#[inline(always)]
pub(crate) unsafe fn least_where<L: Lanes>(mask: L::Mask, x: L, least: L) -> L {
    // SAFETY: as for the traits.
    unsafe { L::select(mask, x.min(least), least) }
}

/// Sets the marks of the strip that begins at `sample`.
///
/// # Safety
/// `marks` is valid for reading and writing.
#[inline(always)]
unsafe fn mark<L: Lanes>(marks: *mut u64, sample: usize, mask: L::Mask) {
    // SAFETY: the caller's `marks` is valid, and `bits` has the safety condition of the traits.
    unsafe { *marks |= L::bits(mask) << sample };
}
