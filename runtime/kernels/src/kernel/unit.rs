//! Sums and products of single units, each with an exponent of its own.
//!
//! Irregular circuits (one unit a layer) have no matrices: a node reads its children's rows wherever they
//! lie. With an exponent for each unit nothing that matters is lost, so no guard is needed but the range
//! of exponents itself.

use super::scale::is_out_of_range;
use super::{mark, strips_of_a_row};
use crate::lanes::{Lanes, Quad, Vector};
use crate::{TILE, ZERO_EXPONENT};

/// A weight as a mantissa in `[1, 2)` and an exponent; none for 0.
#[inline(always)]
fn split(weight: f32) -> Option<(f32, f32)> {
    let biased = weight.to_bits() >> 23;
    let mantissa = f32::from_bits(weight.to_bits() & 0x007f_ffff | 127 << 23);
    (biased != 0).then_some((mantissa, biased as f32 - 127.0))
}

/// A strip of child `j`: mantissas and exponents.
#[inline(always)]
pub(super) unsafe fn child<V: Vector>(
    base: *const f32,
    children: *const u32,
    j: usize,
    s: usize,
) -> (Quad<V>, Quad<V>) {
    // SAFETY: the caller's table has two entries for child `j`, each a row from `base`.
    unsafe {
        let (mantissa, exponent) = (*children.add(2 * j) as usize, *children.add(2 * j + 1) as usize);
        (Quad::load(base.add(mantissa * TILE + s)), Quad::load(base.add(exponent * TILE + s)))
    }
}

/// See [`Kernels::sum_units`](crate::Kernels::sum_units).
#[inline(always)]
pub(crate) unsafe fn sum_units<V: Vector>(
    n: usize,
    weights: *const f32,
    base: *const f32,
    children: *const u32,
    out: *mut f32,
    exponent: *mut f32,
    marks: *mut u64,
) {
    for s in strips_of_a_row::<V>() {
        // SAFETY: `s` plus a strip stays within each row; there are `n` weights and children.
        unsafe {
            let mut top = Quad::<V>::splat(ZERO_EXPONENT);
            for j in 0..n {
                if let Some((_, shift)) = split(*weights.add(j)) {
                    let (value, power) = child::<V>(base, children, j, s);
                    top = power.add(Quad::splat(shift)).add(value.exponent()).max(top);
                }
            }
            let mut sum = Quad::<V>::splat(0.0);
            for j in 0..n {
                if let Some((weight, shift)) = split(*weights.add(j)) {
                    let (value, power) = child::<V>(base, children, j, s);
                    let shift = power.add(Quad::splat(shift)).sub(top);
                    sum = sum.add(value.mul(Quad::splat(weight)).scale_once(shift));
                }
            }
            let bad = finish(sum, top, out.add(s), exponent.add(s));
            mark::<Quad<V>>(marks, s, bad);
        }
    }
}

/// See [`Kernels::product_units`](crate::Kernels::product_units).
#[inline(always)]
pub(crate) unsafe fn product_units<V: Vector>(
    n: usize,
    base: *const f32,
    children: *const u32,
    out: *mut f32,
    exponent: *mut f32,
    marks: *mut u64,
) {
    for s in strips_of_a_row::<V>() {
        // SAFETY: `s` plus a strip stays within each row; there are `n` children.
        unsafe {
            let zero = Quad::<V>::splat(0.0);
            let (mut product, mut power) = (Quad::<V>::splat(1.0), zero);
            let mut inexact = Quad::<V>::nowhere();
            for j in 0..n {
                let (value, of_value) = child::<V>(base, children, j, s);
                product = product.mul(value);
                // Normalised after each factor, so that the next product is not under 2^-126.
                let excess = Quad::select(product.is_positive(), product.exponent(), zero);
                product = product.scale(zero.sub(excess));
                power = power.add(of_value).add(excess);
                inexact = Quad::<V>::or(inexact, is_out_of_range::<Quad<V>>(power));
            }
            let bad = finish(product, power, out.add(s), exponent.add(s));
            let inexact = Quad::<V>::and(inexact, product.is_positive());
            mark::<Quad<V>>(marks, s, Quad::<V>::or(bad, inexact));
        }
    }
}

/// Stores `value * 2^power`, normalised; gives where the exponent is out of range.
#[inline(always)]
unsafe fn finish<L: Lanes>(value: L, power: L, out: *mut f32, exponent: *mut f32) -> L::Mask {
    // SAFETY: the caller's pointers are at a strip of a row.
    unsafe {
        let live = value.is_positive();
        let excess = L::select(live, value.exponent(), L::splat(0.0));
        value.scale(L::splat(0.0).sub(excess)).store(out);
        let power = power.add(excess);
        L::select(live, power, L::splat(ZERO_EXPONENT)).store(exponent);
        L::and(live, is_out_of_range(power))
    }
}
