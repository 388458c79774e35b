//! Products of blocks and discrete leaves.

use super::bundle::{OnStrip, Strip, each_strip};
use super::scale::is_out_of_range;
use super::{TWO_POW_M60, TWO_POW_M120, least_where, power_of_two};
use crate::lanes::{Lanes, Vector};
use crate::{Factor, GUARD_ENTRY, GUARD_MAXIMUM, LEAF, MISSING, TILE, Tiles, ZERO_EXPONENT};

/// How many powers of two a product may fall under the product of its factors' maxima.
const MOST_FALL: f32 = 56.0;

/// See [`Kernels::product`](crate::Kernels::product).
#[inline(always)]
pub(crate) unsafe fn product<V: Vector>(
    tiles: *const Tiles,
    n: usize,
    width: usize,
    base: *const f32,
    tables: *const f32,
    row_exponents: *const f32,
    factors: *const Factor,
    out: *mut f32,
    exponent: *mut f32,
    guard: usize,
) {
    // SAFETY: the caller's factors and buffers have these sizes.
    unsafe {
        let factors = std::slice::from_raw_parts(factors, n);
        let source = Source { width, base, tables, row_exponents };
        each_strip::<V>(&*tiles, &StepByStep { source, factors, out, exponent, guard });
    }
}

/// Where the values of factors lie.
struct Source {
    width: usize,
    base: *const f32,
    tables: *const f32,
    row_exponents: *const f32,
}

impl Source {
    /// A unit of a factor, over a strip.
    #[inline(always)]
    unsafe fn value<L: Lanes>(&self, factor: &Factor, unit: usize, at: usize) -> L {
        // SAFETY: the caller's factor has `unit`, its codes are in its table.
        unsafe {
            let row = self.base.add(factor.rows as usize * TILE + at);
            if factor.exponent != LEAF {
                return L::load(row.add(unit * TILE));
            }
            let table = self.tables.add(factor.table as usize + unit);
            let entry = |code| if code == MISSING { 1.0 } else { *table.add(code as usize * self.width) };
            let shift = L::splat(0.0).sub(self.leaf_exponent(factor, at));
            look_up::<L>(row.cast(), entry).scale(shift)
        }
    }

    /// The exponent of a factor, over a strip.
    #[inline(always)]
    unsafe fn exponent<L: Lanes>(&self, factor: &Factor, at: usize) -> L {
        // SAFETY: as for the caller.
        unsafe {
            match factor.exponent {
                LEAF => self.leaf_exponent(factor, at),
                row => L::load(self.base.add(row as usize * TILE + at)),
            }
        }
    }

    /// What a leaf's table row is divided by. Where that is all zero any exponent serves.
    #[inline(always)]
    unsafe fn leaf_exponent<L: Lanes>(&self, factor: &Factor, at: usize) -> L {
        // SAFETY: as for the caller.
        unsafe {
            let codes = self.base.add(factor.rows as usize * TILE + at).cast();
            let table = self.row_exponents.add(factor.row_exponents as usize);
            let entry = |code| if code == MISSING { 0.0 } else { *table.add(code as usize) };
            look_up::<L>(codes, entry).max(L::splat(-126.0)).min(L::splat(126.0))
        }
    }
}

/// `entry` of each sample's code.
#[inline(always)]
unsafe fn look_up<L: Lanes>(codes: *const u32, entry: impl Fn(u32) -> f32) -> L {
    let mut entries = [0.0; TILE];
    for sample in 0..L::N {
        // SAFETY: the caller's codes fill a strip.
        entries[sample] = entry(unsafe { *codes.add(sample) });
    }
    // SAFETY: a strip is at most a row.
    unsafe { L::load(entries.as_ptr()) }
}

/// The precise way: factor by factor, normalised and checked after each.
struct StepByStep<'a> {
    source: Source,
    factors: &'a [Factor],
    out: *mut f32,
    exponent: *mut f32,
    guard: usize,
}

impl OnStrip for StepByStep<'_> {
    #[inline(always)]
    unsafe fn on<L: Lanes>(&self, strip: Strip) {
        // SAFETY: the strip lies within the caller's rows.
        unsafe {
            let mut so_far = self.first::<L>(&self.factors[0], strip.at);
            for factor in &self.factors[1..] {
                self.multiply(&mut so_far, factor, strip.at);
            }
            so_far.power.store(self.exponent.add(strip.at));
            if self.factors.len() > 2 {
                so_far.check_fall();
                so_far.mark(self.vanished(so_far.power, strip.at));
            }
            strip.mark::<L>(so_far.bad);
        }
    }
}

/// What is known of the product of the first factors, besides its mantissas.
struct So<L: Lanes> {
    /// Its exponent.
    power: L,
    /// The product of the factors' maxima, as a mantissa and an exponent.
    bound: L,
    bound_power: L,
    /// Samples that must be marked.
    bad: L::Mask,
}

impl StepByStep<'_> {
    /// Copies the first factor.
    #[inline(always)]
    unsafe fn first<L: Lanes>(&self, factor: &Factor, at: usize) -> So<L> {
        // SAFETY: as for the caller.
        unsafe {
            let mut largest = L::splat(0.0);
            for unit in 0..self.source.width {
                let value = self.source.value::<L>(factor, unit, at);
                largest = largest.max(value);
                value.store(self.out.add(unit * TILE + at));
            }
            let power = self.source.exponent::<L>(factor, at);
            let power = L::select(largest.is_positive(), power, L::splat(ZERO_EXPONENT));
            So { power, bound: largest, bound_power: power, bad: L::nowhere() }
        }
    }

    /// Where the group is all zero though some unit is positive in every factor: what dominated that unit
    /// when it was flushed met a zero later.
    #[inline(always)]
    unsafe fn vanished<L: Lanes>(&self, power: L, at: usize) -> L::Mask {
        // SAFETY: as for the caller.
        unsafe {
            let dead = L::splat(ZERO_EXPONENT / 2.0).gt(power);
            let mut vanished = L::nowhere();
            if L::bits(dead) != 0 {
                for unit in 0..self.source.width {
                    let mut least = L::splat(f32::MAX);
                    for factor in self.factors {
                        least = least.min(self.source.value::<L>(factor, unit, at));
                    }
                    vanished = L::or(vanished, L::and(dead, least.is_positive()));
                }
            }
            vanished
        }
    }

    /// Takes another factor in, and normalises.
    #[inline(always)]
    unsafe fn multiply<L: Lanes>(&self, so_far: &mut So<L>, factor: &Factor, at: usize) {
        // SAFETY: as for the caller.
        unsafe {
            let zero = L::splat(0.0);
            let (mut largest, mut of_factor, mut least) = (zero, zero, L::splat(f32::MAX));
            let mut any = L::nowhere();
            for unit in 0..self.source.width {
                let to = self.out.add(unit * TILE + at);
                let (left, right) = (L::load(to), self.source.value::<L>(factor, unit, at));
                let (product, is_positive) = (left.mul(right), left.min(right).is_positive());
                any = L::or(any, is_positive);
                largest = largest.max(product);
                of_factor = of_factor.max(right);
                least = least_where(is_positive, product, least);
                product.store(to);
            }
            let live = largest.is_positive();
            let shift = L::select(live, zero.sub(largest.exponent()), zero);
            let scale = power_of_two(shift);
            for unit in 0..self.source.width {
                let to = self.out.add(unit * TILE + at);
                L::load(to).mul(scale).store(to);
            }
            if self.guard & GUARD_MAXIMUM != 0 {
                so_far.mark(L::and(any, L::splat(TWO_POW_M60).gt(largest)));
            }
            if self.guard & GUARD_ENTRY != 0 {
                so_far.mark(L::splat(TWO_POW_M120).gt(least.min(least.mul(scale))));
            }
            let of_factor_power = self.source.exponent::<L>(factor, at);
            let power = so_far.power.add(of_factor_power).sub(shift);
            so_far.mark(L::and(live, is_out_of_range(power)));
            so_far.power = L::select(live, power, L::splat(ZERO_EXPONENT));
            so_far.raise_bound(of_factor, of_factor_power);
        }
    }
}

impl<L: Lanes> So<L> {
    #[inline(always)]
    unsafe fn mark(&mut self, bad: L::Mask) {
        // SAFETY: as for the traits.
        self.bad = unsafe { L::or(self.bad, bad) };
    }

    /// Multiplies the bound by a factor's maximum.
    #[inline(always)]
    unsafe fn raise_bound(&mut self, largest: L, power: L) {
        // SAFETY: as for the traits.
        unsafe {
            let product = self.bound.mul(largest);
            let shift = product.exponent();
            self.bound_power = self.bound_power.add(power).add(shift);
            self.bound = product.scale(L::splat(0.0).sub(shift));
        }
    }

    /// Marks where the largest fell: what one factor makes small the next may make large again, but not
    /// then.
    #[inline(always)]
    unsafe fn check_fall(&mut self) {
        // SAFETY: as for the traits.
        unsafe {
            let live = self.power.gt(L::splat(ZERO_EXPONENT / 2.0));
            let fallen = self.bound_power.sub(self.power).gt(L::splat(MOST_FALL));
            self.mark(L::and(live, fallen));
        }
    }
}
