//! Products of a single row's groups and leaves.
//!
//! Up to four factors are multiplied in one pass over vectors of units, and accepted where the largest entry
//! is of ordinary size and, where entries matter, every one is `2^-100`: then no more is lost than by the
//! kernel over tiles. Other products are formed again in 64 bits ([`super::exact`]).

use super::{Group, Part, Run};
use crate::kernel::{EXPONENT_LIMIT, TWO_POW_M100, least_where};
use crate::lanes::{Vector, fetch};
use crate::{Factor, GUARD_ENTRY, GUARD_RAISE, LEAF, MISSING};

/// The most factors that are multiplied in 32 bits.
const MOST_AT_ONCE: usize = 4;

/// Factors after which a leaf's table row is asked for: some hundred nanoseconds.
const AHEAD: usize = 12;

/// The largest entries between which products are accepted as they are.
const LEAST_TOP: f32 = 1.0 / 256.0;
const MOST_TOP: f32 = 256.0;

/// The largest entries that are brought to about one in 32 bits.
const LOW: f32 = f32::from_bits((127 - 40) << 23);
const HIGH: f32 = f32::from_bits((127 + 20) << 23);

/// The powers of two in leaves' rows that products are accepted with.
const LEAST_LEAF_POWER: f32 = -100.0;
const MOST_LEAF_POWER: f32 = 8.0;

/// Numbers to multiply by, times a power of two.
#[derive(Clone, Copy)]
struct Operand {
    from: *const f32,
    scale: f32,
}

impl Run<'_> {
    #[inline(always)]
    pub(super) unsafe fn product<V: Vector>(
        &mut self,
        out: Group,
        factors: Part,
        is_prepared: bool,
        guard: u32,
    ) {
        // SAFETY: the caller's groups and tables have these sizes.
        unsafe {
            let all = &self.steps.factors[factors.first as usize..];
            self.fetch(all, factors.n as usize, out.width as usize, is_prepared);
            let guard = self.tables.guards[guard as usize] as usize;
            let factors = &all[..factors.n as usize];
            if factors.len() > MOST_AT_ONCE {
                return self.product_by_steps(out, factors, is_prepared, guard);
            }
            let mut operands = [Operand { from: std::ptr::null(), scale: 1.0 }; MOST_AT_ONCE];
            let (mut n, mut power, mut of_leaves) = (0, 0.0, 0.0);
            for &factor in factors {
                if let Some((from, exponent)) = self.operand(factor, is_prepared, out.width) {
                    let is_leaf = factor.exponent == LEAF;
                    of_leaves += if is_leaf { exponent } else { 0.0 };
                    power += exponent;
                    let scale = if is_leaf { two_to(-exponent) } else { 1.0 };
                    operands[n % MOST_AT_ONCE] = Operand { from, scale };
                    n += 1;
                }
            }
            let is_odd = !(LEAST_LEAF_POWER..=MOST_LEAF_POWER).contains(&of_leaves);
            let is_odd = is_odd || power.abs() > EXPONENT_LIMIT;
            let are_entries_watched = guard & (GUARD_ENTRY | GUARD_RAISE) != 0;
            let is_done = !is_odd
                && match n {
                    1 => self.multiply::<V, 1>(out, &operands, power, are_entries_watched),
                    2 => self.multiply::<V, 2>(out, &operands, power, are_entries_watched),
                    3 => self.multiply::<V, 3>(out, &operands, power, are_entries_watched),
                    4 => self.multiply::<V, 4>(out, &operands, power, are_entries_watched),
                    _ => false,
                };
            if !is_done {
                self.product_by_steps(out, factors, is_prepared, guard);
            }
        }
    }

    /// Where a factor's numbers lie, and the exponent that is taken out of them; none for a leaf that is
    /// missing, which is one.
    #[inline(always)]
    pub(super) unsafe fn operand(
        &self,
        factor: Factor,
        is_prepared: bool,
        width: u32,
    ) -> Option<(*const f32, f32)> {
        // SAFETY: the caller's groups and tables have these sizes.
        unsafe {
            if factor.exponent != LEAF {
                return Some((self.numbers.add(factor.rows as usize), self.get(factor.exponent)));
            }
            let code = *self.codes.get_unchecked(factor.rows as usize);
            if code == MISSING {
                return None;
            }
            let tables = if is_prepared { self.tables.prepared } else { self.tables.params };
            let row = tables.as_ptr().add(factor.table as usize + code as usize * width as usize);
            let exponents = self.tables.row_exponents.as_ptr();
            Some((row, *exponents.add(factor.row_exponents as usize + code as usize)))
        }
    }

    /// Asks for the table row of a leaf some factors further on, if its groups are as wide. A guess that is
    /// wrong asks for another line; nothing is read.
    #[inline(always)]
    unsafe fn fetch(&self, factors: &[Factor], n: usize, width: usize, is_prepared: bool) {
        for factor in factors.iter().skip(AHEAD).take(n).filter(|factor| factor.exponent == LEAF) {
            let code = self.codes[factor.rows as usize];
            if code == MISSING {
                continue;
            }
            let tables = if is_prepared { self.tables.prepared } else { self.tables.params };
            let row = tables.as_ptr().wrapping_add(factor.table as usize + code as usize * width);
            let exponents = self.tables.row_exponents.as_ptr();
            // SAFETY: nothing is read.
            unsafe {
                (0..width.min(256)).step_by(16).for_each(|unit| fetch(row.wrapping_add(unit)));
                fetch(exponents.wrapping_add(factor.row_exponents as usize + code as usize));
            }
        }
    }

    /// Multiplies `N` factors and stores what comes of it; false where it may have lost what matters.
    #[inline(always)]
    unsafe fn multiply<V: Vector, const N: usize>(
        &mut self,
        out: Group,
        operands: &[Operand; MOST_AT_ONCE],
        power: f32,
        are_entries_watched: bool,
    ) -> bool {
        // SAFETY: the caller's groups and tables have these sizes.
        unsafe {
            let (width, to) = (out.width as usize, self.numbers.add(out.units as usize));
            let (mut largest, mut least) = (V::splat(0.0), V::splat(f32::MAX));
            for unit in (0..width).step_by(V::N) {
                let n = V::N.min(width - unit);
                let [mut product, mut smallest] = [load::<V>(operands[0], unit, n); 2];
                for operand in &operands[1..N] {
                    let factor = load::<V>(*operand, unit, n);
                    product = product.mul(factor);
                    smallest = smallest.min(factor);
                }
                largest = largest.max(product);
                least = least_where(smallest.is_positive(), product, least);
                if n == V::N { product.store(to.add(unit)) } else { product.store_part(to.add(unit), n) }
            }
            let is_tiny = V::splat(TWO_POW_M100).gt(least);
            if are_entries_watched && V::bits(is_tiny) != 0 {
                return false;
            }
            let is_usual =
                V::bits(largest.gt(V::splat(LEAST_TOP))) != 0 && V::bits(largest.gt(V::splat(MOST_TOP))) == 0;
            if is_usual {
                self.set(out.exponent, power);
                return true;
            }
            self.normalise(out, top(largest), power)
        }
    }

    /// Brings the largest mantissa of a group to about one where that loses nothing.
    #[inline(always)]
    unsafe fn normalise(&mut self, out: Group, top: f32, power: f32) -> bool {
        if !(LOW..HIGH).contains(&top) {
            return false;
        }
        let shift = exponent_of(top);
        let factor = two_to(-shift);
        for unit in out.units..out.units + out.width {
            // SAFETY: the group lies within the caller's numbers.
            unsafe { self.set(unit, self.get(unit) * factor) };
        }
        // SAFETY: as above.
        unsafe { self.set_exponent(out, power + shift) };
        true
    }

    /// All pairs of two groups.
    #[inline(always)]
    pub(super) unsafe fn outer(&mut self, out: Group, left: Group, right: Group, guard: u32) {
        let guard = self.tables.guards[guard as usize] as usize;
        let are_entries_watched = guard & (GUARD_ENTRY | GUARD_RAISE) != 0;
        let (mut largest, mut least) = (0.0_f32, f32::MAX);
        // SAFETY: the groups lie within the caller's numbers.
        unsafe {
            let power = self.get(left.exponent) + self.get(right.exponent);
            for i in 0..left.width {
                let factor = self.get(left.units + i);
                for j in 0..right.width {
                    let other = self.get(right.units + j);
                    let product = factor * other;
                    largest = largest.max(product);
                    least = if factor.min(other) > 0.0 { least.min(product) } else { least };
                    self.set(out.units + i * right.width + j, product);
                }
            }
            let is_lost = are_entries_watched && least < TWO_POW_M100 || power.abs() > EXPONENT_LIMIT;
            if is_lost || !self.normalise(out, largest, power) {
                self.outer_exactly(out, left, right, guard);
            }
        }
    }
}

/// `n` numbers of an operand from a unit on, zeros behind them.
#[inline(always)]
unsafe fn load<V: Vector>(operand: Operand, unit: usize, n: usize) -> V {
    // SAFETY: the operand has these numbers.
    unsafe {
        let from = operand.from.add(unit);
        let numbers = if n == V::N { V::load(from) } else { V::load_part(from, n) };
        numbers.mul(V::splat(operand.scale))
    }
}

/// The largest lane.
#[inline(always)]
unsafe fn top<V: Vector>(lanes: V) -> f32 {
    let mut numbers = [0.0_f32; crate::lanes::MAX_LANES];
    // SAFETY: there is room for the lanes of any vector.
    unsafe { lanes.store(numbers.as_mut_ptr()) };
    numbers.into_iter().fold(0.0, f32::max)
}

/// `floor(log2(x))` of a positive normal number.
pub(super) fn exponent_of(x: f32) -> f32 {
    ((x.to_bits() >> 23) as i32 - 127) as f32
}

/// `2^by` for integers from -126 to 127; of others that of the nearest of these.
pub(super) fn two_to(by: f32) -> f32 {
    f32::from_bits(((by.clamp(-126.0, 127.0) as i32 + 127) as u32) << 23)
}
