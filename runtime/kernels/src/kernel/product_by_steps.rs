//! Products of blocks and discrete leaves the precise way: factor by factor, checked after each, and
//! normalised where it must be. Products of many factors go this way, and what the fast way does not accept.

use super::bundle::Strip;
use super::guard::{floor, raised};
use super::product::Product;
use super::scale::{LEAST_TOP, MOST_TOP, before_and_after, is_out_of_range, is_outside};
use super::{TWO_POW_M60, TWO_POW_M120, least_where};
use crate::lanes::{Lanes, Vector};
use crate::{Factor, GUARD_ENTRY, GUARD_MAXIMUM, GUARD_RAISE, LEAF, TILE, ZERO_EXPONENT};

/// How many powers of two a product may fall under the product of its factors' maxima.
const MOST_FALL: f32 = 56.0;

/// What is known of the product of the first factors, besides its mantissas.
struct SoFar<V: Vector> {
    /// Its exponent.
    power: V,
    /// The product of the factors' maxima, as a mantissa and an exponent.
    bound: V,
    bound_power: V,
    /// Samples that must be marked.
    bad: V::Mask,
}

impl Product {
    /// Computes a strip of one vector.
    #[inline(always)]
    pub(crate) unsafe fn by_steps<V: Vector>(&self, strip: Strip) {
        // SAFETY: the strip lies within the caller's rows.
        unsafe {
            let mut so_far = self.first::<V>(*self.factors, strip.at);
            for i in 1..self.n {
                self.take_in(&mut so_far, *self.factors.add(i), strip.at, i == self.n - 1);
            }
            so_far.power.store(self.exponent.add(strip.at));
            if self.n > 2 {
                so_far.check_fall();
                so_far.mark(self.vanished(so_far.power, strip.at));
            }
            strip.mark::<V>(so_far.bad);
        }
    }

    /// Copies the first factor.
    #[inline(always)]
    unsafe fn first<V: Vector>(&self, factor: Factor, at: usize) -> SoFar<V> {
        // SAFETY: as for the caller.
        unsafe {
            let (mut largest, scale) = (V::splat(0.0), self.scale::<V>(factor, at));
            for first in (0..self.source.width).step_by(4) {
                let four = self.four(factor, first, scale, at);
                for i in 0..4.min(self.source.width - first) {
                    largest = largest.max(four[i]);
                    four[i].store(self.out.add((first + i) * TILE + at));
                }
            }
            let power = self.source.power::<V>(factor, at);
            let power = V::select(largest.is_positive(), power, V::splat(ZERO_EXPONENT));
            SoFar { power, bound: largest, bound_power: power, bad: V::nowhere() }
        }
    }

    /// Multiplies by another factor.
    #[inline(always)]
    unsafe fn take_in<V: Vector>(&self, so_far: &mut SoFar<V>, factor: Factor, at: usize, is_last: bool) {
        // SAFETY: as for the caller.
        unsafe {
            // Only what no further factor lifts may be raised.
            let is_raised = is_last && self.guard & GUARD_RAISE != 0;
            let zero = V::splat(0.0);
            let (mut largest, mut of_factor, mut least) = (zero, zero, V::splat(f32::MAX));
            let (mut any, scale) = (zero, self.scale::<V>(factor, at));
            for first in (0..self.source.width).step_by(4) {
                let four = self.four(factor, first, scale, at);
                for i in 0..4.min(self.source.width - first) {
                    let to = self.out.add((first + i) * TILE + at);
                    let left = V::load(to);
                    let (product, smaller) = (left.mul(four[i]), left.min(four[i]));
                    any = any.max(smaller);
                    largest = largest.max(product);
                    of_factor = of_factor.max(four[i]);
                    least = least_where(smaller.is_positive(), product, least);
                    if !is_raised {
                        product.store(to);
                    }
                }
            }
            if self.guard & GUARD_MAXIMUM != 0 {
                so_far.mark(V::and(any.is_positive(), V::splat(TWO_POW_M60).gt(largest)));
            }
            let of_factor_power = self.source.power::<V>(factor, at);
            so_far.raise_bound(of_factor, of_factor_power);
            so_far.power = so_far.power.add(of_factor_power);
            let live = largest.is_positive();
            let mut by = V::splat(1.0);
            if V::bits(V::and(live, is_outside(largest, LEAST_TOP, MOST_TOP))) != 0 {
                by = V::select(live, largest.inverse_power(), by);
                least = least.min(least.mul(by));
                so_far.power = so_far.power.add(largest.exponent());
                if !is_raised {
                    self.multiply_all(by, at);
                }
            }
            if is_raised {
                self.multiply_raised(factor, scale, [by, floor(largest)], at);
            } else if self.guard & (GUARD_ENTRY | GUARD_RAISE) != 0 {
                so_far.mark(V::splat(TWO_POW_M120).gt(least));
            }
            so_far.mark(V::and(live, is_out_of_range(so_far.power)));
            so_far.power = V::select(live, so_far.power, V::splat(ZERO_EXPONENT));
        }
    }

    /// Multiplies what is stored by a factor and by a power of two, and raises to the floor.
    #[inline(always)]
    unsafe fn multiply_raised<V: Vector>(&self, factor: Factor, scale: V, [by, floor]: [V; 2], at: usize) {
        // SAFETY: as for the caller.
        unsafe {
            let (before, after) = before_and_after(by);
            for first in (0..self.source.width).step_by(4) {
                let four = self.four(factor, first, scale, at);
                for i in 0..4.min(self.source.width - first) {
                    let to = self.out.add((first + i) * TILE + at);
                    let left = V::load(to);
                    let product = left.mul(before).mul(four[i]).mul(after);
                    raised(product, floor, left, four[i]).store(to);
                }
            }
        }
    }

    /// Where the group is all zero though some unit is positive in every factor: what dominated that unit
    /// when it was flushed met a zero later.
    #[inline(always)]
    unsafe fn vanished<V: Vector>(&self, power: V, at: usize) -> V::Mask {
        // SAFETY: as for the caller.
        unsafe {
            let dead = V::splat(ZERO_EXPONENT / 2.0).gt(power);
            let mut any = V::splat(0.0);
            if V::bits(dead) != 0 {
                for first in (0..self.source.width).step_by(4) {
                    let mut least = [V::splat(f32::MAX); 4];
                    for i in 0..self.n {
                        let four = self.four(*self.factors.add(i), first, V::splat(1.0), at);
                        for i in 0..4 {
                            least[i] = least[i].min(four[i]);
                        }
                    }
                    for i in 0..4 {
                        any = any.max(least[i]);
                    }
                }
            }
            V::and(dead, any.is_positive())
        }
    }

    /// What a factor's numbers are multiplied by: a leaf's table rows are normalised.
    #[inline(always)]
    unsafe fn scale<V: Vector>(&self, factor: Factor, at: usize) -> V {
        // SAFETY: as for the caller.
        unsafe {
            match factor.exponent {
                LEAF => {
                    let shift = self.source.row_exponent::<V>(factor, at);
                    V::splat(1.0).scale(Lanes::sub(V::splat(0.0), shift))
                }
                _ => V::splat(1.0),
            }
        }
    }

    /// Four units of a factor from `first` on; those that don't exist are 0.
    #[inline(always)]
    unsafe fn four<V: Vector>(&self, factor: Factor, first: usize, scale: V, at: usize) -> [V; 4] {
        // SAFETY: as for the caller.
        unsafe {
            let [mut four] = match factor.exponent {
                LEAF => self.source.leaf::<V, true, 1>(factor, first, at),
                _ => self.source.block::<V, true, 1>(factor, first, at),
            };
            for i in 0..4 {
                four[i] = four[i].mul(scale);
            }
            four
        }
    }

    /// Multiplies the product so far.
    #[inline(always)]
    pub(super) unsafe fn multiply_all<V: Vector>(&self, by: V, at: usize) {
        for unit in 0..self.source.width {
            // SAFETY: as for the caller.
            unsafe {
                let to = self.out.add(unit * TILE + at);
                V::load(to).mul(by).store(to);
            }
        }
    }
}

impl<V: Vector> SoFar<V> {
    #[inline(always)]
    unsafe fn mark(&mut self, bad: V::Mask) {
        // SAFETY: as for the traits.
        self.bad = unsafe { V::or(self.bad, bad) };
    }

    /// Multiplies the bound by a factor's maximum.
    #[inline(always)]
    unsafe fn raise_bound(&mut self, largest: V, power: V) {
        // SAFETY: as for the traits.
        unsafe {
            let product = self.bound.mul(largest);
            let shift = product.exponent();
            self.bound_power = self.bound_power.add(power).add(shift);
            self.bound = product.mul(product.inverse_power());
        }
    }

    /// Marks where the largest fell: what one factor makes small the next may make large again, but not
    /// then.
    #[inline(always)]
    unsafe fn check_fall(&mut self) {
        // SAFETY: as for the traits.
        unsafe {
            let live = self.power.gt(V::splat(ZERO_EXPONENT / 2.0));
            let fallen = self.bound_power.sub(self.power).gt(V::splat(MOST_FALL));
            self.mark(V::and(live, fallen));
        }
    }
}
