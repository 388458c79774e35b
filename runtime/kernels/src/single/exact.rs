//! The precise ways of a single row: products in 64 bits, and groups under one exponent.
//!
//! Products of four 32-bit numbers are in range of 64 bits, so nothing is lost before a group is brought back
//! to 32. What is lost then, far under the largest, is marked or raised as the guard says, and a largest under
//! `2^-60` is marked: beside it the raised densities of normal leaves would count.

use super::product::two_to;
use super::{Group, Part, Run};
use crate::kernel::{TWO_POW_M60, TWO_POW_M120, TWO_POW_M125};
use crate::{Factor, GUARD_ENTRY, GUARD_MAXIMUM, GUARD_RAISE, LEAF};

/// Factors that are multiplied before a group is brought back to 32 bits.
const AT_ONCE: usize = 3;

/// The least that a positive entry may become.
const SMALLEST: f32 = f32::MIN_POSITIVE;

impl Run<'_> {
    /// A product, some factors at a time.
    #[cold]
    pub(super) unsafe fn product_by_steps(
        &mut self,
        out: Group,
        factors: &[Factor],
        is_prepared: bool,
        guard: usize,
    ) {
        // SAFETY: the caller's groups and tables have these sizes.
        unsafe {
            (out.units..out.units + out.width).for_each(|unit| self.set(unit, 1.0));
            self.set(out.exponent, 0.0);
            let n_chunks = factors.len().div_ceil(AT_ONCE);
            for (i, chunk) in factors.chunks(AT_ONCE).enumerate() {
                let mut power = self.get(out.exponent);
                let mut operands: [Option<(*const f32, f64)>; AT_ONCE] = [None; AT_ONCE];
                for (operand, &factor) in operands.iter_mut().zip(chunk) {
                    let is_leaf = factor.exponent == LEAF;
                    *operand = self.operand(factor, is_prepared, out.width).map(|(from, exponent)| {
                        power += exponent;
                        (from, if is_leaf { two_to_wide(-exponent as i32) } else { 1.0 })
                    });
                }
                // What is lost before the last factors is not seen by the guard.
                let guard = if i + 1 == n_chunks { guard } else { GUARD_MAXIMUM | GUARD_ENTRY };
                self.write_exactly(out, power, guard, &|run, unit| {
                    let first = Entry::of(f64::from(run.get(out.units + unit)));
                    operands.iter().flatten().fold(first, |product, &(from, scale)| {
                        product.times(f64::from(*from.add(unit as usize)) * scale)
                    })
                });
            }
        }
    }

    /// All pairs of two groups.
    #[cold]
    pub(super) unsafe fn outer_exactly(&mut self, out: Group, left: Group, right: Group, guard: usize) {
        // SAFETY: the groups lie within the caller's numbers.
        unsafe {
            let power = self.get(left.exponent) + self.get(right.exponent);
            self.write_exactly(out, power, guard, &|run, unit| {
                let [a, b] = [left.units + unit / right.width, right.units + unit % right.width];
                Entry::of(f64::from(run.get(a))).times(f64::from(run.get(b)))
            });
        }
    }

    /// Brings 64-bit products back to 32 under one exponent, and marks by the rules for products.
    unsafe fn write_exactly(
        &mut self,
        out: Group,
        power: f32,
        guard: usize,
        entry: &dyn Fn(&Self, u32) -> Entry,
    ) {
        let most = (0..out.width).map(|unit| entry(self, unit).product).fold(0.0, f64::max);
        if most == 0.0 {
            // SAFETY: the group lies within the caller's numbers.
            return unsafe { self.fill(out, |_| false) };
        }
        self.is_marked |= guard & GUARD_MAXIMUM != 0 && most < f64::from(TWO_POW_M60);
        let shift = exponent_of(most);
        let scale = two_to_wide(-shift);
        for unit in 0..out.width {
            let Entry { product, least_factor } = entry(self, unit);
            let exact = product * scale;
            let is_tiny = |x: f64| x > 0.0 && x < f64::from(TWO_POW_M120);
            let mut rounded = if exact < f64::from(SMALLEST) { 0.0 } else { exact as f32 };
            if guard & GUARD_ENTRY != 0 {
                self.is_marked |= is_tiny(product) || is_tiny(exact);
            } else if guard & GUARD_RAISE != 0 && exact > 0.0 {
                // What was raised before must not come back as something larger.
                self.is_marked |= is_tiny(least_factor);
                rounded = rounded.max(TWO_POW_M125);
            }
            // SAFETY: the group lies within the caller's numbers.
            unsafe { self.set(out.units + unit, rounded) };
        }
        // SAFETY: as above.
        unsafe { self.set_exponent(out, power + shift as f32) }
    }

    /// One unit, the product of single units.
    #[inline(always)]
    pub(super) unsafe fn product_units(&mut self, out: Group, groups: Part) {
        let (mut product, mut power) = (1.0_f64, 0.0_f32);
        // SAFETY: the groups lie within the caller's numbers.
        unsafe {
            for &group in &self.steps.groups[groups.first as usize..][..groups.n as usize] {
                let factor = self.get(group.units);
                product *= f64::from(factor);
                if product == 0.0 {
                    break;
                }
                // One of a wider group may have been raised.
                self.is_marked |= factor < TWO_POW_M120;
                let shift = exponent_of(product);
                product *= two_to_wide(-shift);
                power += self.get(group.exponent) + shift as f32;
            }
            self.set_unit(out, product, power);
        }
    }

    /// Stores a group of one unit.
    #[inline(always)]
    pub(super) unsafe fn set_unit(&mut self, out: Group, value: f64, power: f32) {
        // SAFETY: the group lies within the caller's numbers.
        unsafe {
            if value == 0.0 {
                return self.fill(out, |_| false);
            }
            let shift = exponent_of(value);
            self.set(out.units, (value * two_to_wide(-shift)) as f32);
            self.set_exponent(out, power + shift as f32);
        }
    }

    /// Groups one after another under the largest of their exponents.
    #[inline(always)]
    pub(super) unsafe fn concat(&mut self, out: Group, groups: Part, guard: u32) {
        let guard = self.tables.guards[guard as usize] as usize;
        // SAFETY: the groups lie within the caller's numbers.
        unsafe {
            let most = self.groups(groups).map(|g| self.get(g.exponent)).fold(f32::NEG_INFINITY, f32::max);
            let (mut unit, steps) = (out.units, self.steps);
            for group in &steps.groups[groups.first as usize..][..groups.n as usize] {
                let by = self.get(group.exponent) - most;
                for place in group.units..group.units + group.width {
                    let from = self.get(place);
                    let scaled = if by == 0.0 { from } else { scale(from, by) };
                    let is_lost = from > 0.0 && scaled == 0.0;
                    self.is_marked |= is_lost && guard & GUARD_ENTRY != 0;
                    let is_raised = is_lost && guard & GUARD_RAISE != 0;
                    self.set(unit, if is_raised { SMALLEST } else { scaled });
                    unit += 1;
                }
            }
            self.set(out.exponent, most);
        }
    }
}

/// A product of mantissas.
#[derive(Clone, Copy)]
struct Entry {
    product: f64,
    least_factor: f64,
}

impl Entry {
    fn of(factor: f64) -> Self {
        Entry { product: factor, least_factor: factor }
    }

    fn times(self, factor: f64) -> Self {
        Entry { product: self.product * factor, least_factor: self.least_factor.min(factor) }
    }
}

/// `x * 2^by` for `by` up to 0; 0 where that is no normal number.
fn scale(x: f32, by: f32) -> f32 {
    if by < -253.0 {
        return 0.0;
    }
    let half = (by / 2.0).trunc();
    let exact = f64::from(x) * f64::from(two_to(half)) * f64::from(two_to(by - half));
    if exact < f64::from(SMALLEST) { 0.0 } else { exact as f32 }
}

/// `floor(log2(x))` of a positive normal number.
fn exponent_of(x: f64) -> i32 {
    (x.to_bits() >> 52) as i32 - 1023
}

/// `2^by` for `by` from -1022 to 1023.
pub(super) fn two_to_wide(by: i32) -> f64 {
    f64::from_bits(((by.clamp(-1022, 1023) + 1023) as u64) << 52)
}
