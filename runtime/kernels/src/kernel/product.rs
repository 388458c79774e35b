//! Products of blocks and discrete leaves.
//!
//! All factors are multiplied in one pass, four units by a vector of samples at a time: a leaf's table rows
//! are transposed in registers on the way. What is lost to flushing is then so far under the largest entry
//! that nothing later can see it, unless that entry is small itself; such tiles are computed again the
//! precise way (`product_by_steps`).

use super::bundle::Strip;
use super::factor::Source;
use super::scale::{LEAST_TOP, MOST_TOP, is_outside};
use super::{EXPONENT_LIMIT, TWO_POW_M100, least_where, power_of_two};
use crate::lanes::{Lanes, Vector};
use crate::{Factor, GUARD_ENTRY, GUARD_RAISE, LEAF, TILE, Tiles};

/// The most factors that are multiplied without normalising in between: what is flushed on the way is
/// under `2^-126`, and grows by at most the maxima of two further factors, `2^16`.
const MOST_AT_ONCE: usize = 4;

/// The largest entries between which a product is accepted as it is: over the first, what was flushed is
/// under `2^-70` of it; under the second, normalising makes no entry over `2^-100` smaller than `2^-120`.
const LOW: f32 = f32::from_bits((127 - 40) << 23);
const HIGH: f32 = f32::from_bits((127 + 20) << 23);

/// The powers of two in the rows of leaves' tables, together, between which wide products are formed at once.
const LEAST_LEAF_POWER: f32 = -100.0;
const MOST_LEAF_POWER: f32 = 8.0;

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
    let source = Source { width, base, tables, row_exponents };
    let product = Product { source, n, factors, out, exponent, guard };
    // SAFETY: the caller's factors and buffers have these sizes.
    unsafe {
        let tiles = &*tiles;
        if n > MOST_AT_ONCE {
            for tile in 0..tiles.n {
                product.tile_by_steps::<V>(tiles, tile);
            }
            return;
        }
        let mut factors = [*factors; MOST_AT_ONCE];
        let n_leaves = product.leaves_first(&mut factors);
        let at_once = AtOnce { product, factors, n_leaves };
        match (n, n_leaves) {
            (2, 0) => at_once.each::<V, 2, 0>(tiles),
            (2, 1) => at_once.each::<V, 2, 1>(tiles),
            (3, 1) => at_once.each::<V, 3, 1>(tiles),
            (_, 0) => at_once.each_of::<V, 0, 0, true, 0>(tiles),
            _ => at_once.each_of::<V, 0, 1, true, 0>(tiles),
        }
    }
}

/// The arguments of [`product`].
#[derive(Clone, Copy)]
pub(crate) struct Product {
    pub(super) source: Source,
    pub(super) n: usize,
    pub(super) factors: *const Factor,
    pub(super) out: *mut f32,
    pub(super) exponent: *mut f32,
    pub(super) guard: usize,
}

impl Product {
    /// A tile the precise way.
    #[inline(always)]
    unsafe fn tile_by_steps<V: Vector>(&self, tiles: &Tiles, tile: usize) {
        for sample in (0..tiles.lanes).step_by(V::N) {
            // SAFETY: the strip lies within the caller's rows.
            unsafe { V::product_by_steps(self, Strip::of(tiles, tile, sample)) }
        }
    }

    /// Copies the factors, leaves in front; gives how many those are.
    #[inline(always)]
    unsafe fn leaves_first(&self, to: &mut [Factor; MOST_AT_ONCE]) -> usize {
        let (mut n_leaves, mut end) = (0, self.n);
        for i in 0..self.n.min(MOST_AT_ONCE) {
            // SAFETY: the caller has `n` factors.
            let factor = unsafe { *self.factors.add(i) };
            let is_leaf = factor.exponent == LEAF;
            end -= usize::from(!is_leaf);
            to[if is_leaf { n_leaves } else { end } % MOST_AT_ONCE] = factor;
            n_leaves += usize::from(is_leaf);
        }
        n_leaves
    }
}

/// A product of few factors, in one pass. It is passed by value, so that it lives in registers.
#[derive(Clone, Copy)]
struct AtOnce {
    product: Product,
    /// The factors, leaves in front.
    factors: [Factor; MOST_AT_ONCE],
    n_leaves: usize,
}

impl AtOnce {
    /// All tiles of a product of `N` factors, of which the first `LEAVES` are leaves.
    #[inline(always)]
    unsafe fn each<V: Vector, const N: usize, const LEAVES: usize>(self, tiles: &Tiles) {
        // SAFETY: as for the caller.
        unsafe {
            match (self.product.source.width, self.product.guard & (GUARD_ENTRY | GUARD_RAISE) != 0) {
                (4, false) => self.each_of::<V, N, LEAVES, false, 1>(tiles),
                (8, false) => self.each_of::<V, N, LEAVES, false, 2>(tiles),
                (16, false) => self.each_of::<V, N, LEAVES, false, 4>(tiles),
                (_, false) => self.each_of::<V, N, LEAVES, false, 0>(tiles),
                (4, true) => self.each_of::<V, N, LEAVES, true, 1>(tiles),
                (8, true) => self.each_of::<V, N, LEAVES, true, 2>(tiles),
                (_, true) => self.each_of::<V, N, LEAVES, true, 0>(tiles),
            }
        }
    }

    /// The same for groups of `4 * B` units, or of any width where `B` is 0, and for any number of factors
    /// where `N` is 0, of which the first is a leaf if `LEAVES` is not 0; `ENTRY` where entries matter.
    #[inline(always)]
    unsafe fn each_of<V: Vector, const N: usize, const LEAVES: usize, const ENTRY: bool, const B: usize>(
        self,
        tiles: &Tiles,
    ) {
        for tile in 0..tiles.n {
            // SAFETY: the strips lie within the caller's rows.
            unsafe {
                let mut watch = Watch::<V>::nothing();
                for sample in (0..tiles.lanes).step_by(V::N) {
                    let at = tile * tiles.stride + sample;
                    match B {
                        0 => self.wide::<V, N, LEAVES, ENTRY>(at, &mut watch),
                        _ => self.narrow::<V, N, LEAVES, ENTRY, B>(at, &mut watch),
                    }
                }
                if !watch.is_fine::<ENTRY>() {
                    // A copy, so that the compiler need not keep this one in memory.
                    let product = self.product;
                    product.tile_by_steps::<V>(tiles, tile);
                }
            }
        }
    }

    /// Multiplies and normalises in registers.
    #[inline(always)]
    unsafe fn narrow<V: Vector, const N: usize, const LEAVES: usize, const ENTRY: bool, const B: usize>(
        self,
        at: usize,
        watch: &mut Watch<V>,
    ) {
        // SAFETY: the strip lies within the caller's rows.
        unsafe {
            let mut largest = V::splat(0.0);
            let values = self.chunk::<V, N, LEAVES, ENTRY, false, B>(0, None, at, &mut largest, watch);
            let power = self.block_powers::<V, N, LEAVES>(at);
            watch.see(largest, power);
            let factor = largest.inverse_power();
            power.add(largest.exponent()).store(self.product.exponent.add(at));
            let out = self.product.out.add(at);
            for b in 0..B {
                for i in 0..4 {
                    values[b][i].mul(factor).store(out.add((4 * b + i) * TILE));
                }
            }
        }
    }

    /// Multiplies and stores chunk by chunk, leaves scaled by their rows' exponents, and normalises where it
    /// must.
    #[inline(always)]
    unsafe fn wide<V: Vector, const N: usize, const LEAVES: usize, const ENTRY: bool>(
        self,
        at: usize,
        watch: &mut Watch<V>,
    ) {
        // SAFETY: the strip lies within the caller's rows.
        unsafe {
            let (mut largest, mut power) = (V::splat(0.0), self.block_powers::<V, N, LEAVES>(at));
            let mut scale = None;
            if LEAVES > 0 {
                let of_leaves = self.leaf_powers::<V, N, LEAVES>(at);
                power = power.add(of_leaves);
                watch.see_leaves(of_leaves);
                scale = Some(power_of_two(Lanes::sub(V::splat(0.0), of_leaves)));
            }
            let (width, mut first) = (self.product.source.width, 0);
            while first + 8 <= width {
                self.pass::<V, N, LEAVES, ENTRY, false, 2>(first, scale, at, &mut largest, watch);
                first += 8;
            }
            while first < width {
                self.pass::<V, N, LEAVES, ENTRY, true, 1>(first, scale, at, &mut largest, watch);
                first += 4;
            }
            watch.see(largest, power);
            if V::bits(is_outside(largest, LEAST_TOP, MOST_TOP)) != 0 {
                self.product.multiply_all(largest.inverse_power(), at);
                power = power.add(largest.exponent());
            }
            power.store(self.product.exponent.add(at));
        }
    }

    /// Multiplies and stores one chunk.
    #[inline(always)]
    unsafe fn pass<
        V: Vector,
        const N: usize,
        const LEAVES: usize,
        const ENTRY: bool,
        const PART: bool,
        const B: usize,
    >(
        self,
        first: usize,
        scale: Option<V>,
        at: usize,
        largest: &mut V,
        watch: &mut Watch<V>,
    ) {
        // SAFETY: as for the caller.
        unsafe {
            let values = self.chunk::<V, N, LEAVES, ENTRY, PART, B>(first, scale, at, largest, watch);
            let out = self.product.out.add(first * TILE + at);
            for b in 0..B {
                for i in 0..4 {
                    if !PART || first + 4 * b + i < self.product.source.width {
                        values[b][i].store(out.add((4 * b + i) * TILE));
                    }
                }
            }
        }
    }

    /// The products of `4 * B` units from `first` on; where `PART`, those that don't exist are 0.
    #[inline(always)]
    unsafe fn chunk<
        V: Vector,
        const N: usize,
        const LEAVES: usize,
        const ENTRY: bool,
        const PART: bool,
        const B: usize,
    >(
        self,
        first: usize,
        scale: Option<V>,
        at: usize,
        largest: &mut V,
        watch: &mut Watch<V>,
    ) -> [[V; 4]; B] {
        // SAFETY: as for the caller.
        unsafe {
            let source = self.product.source;
            let mut values = match LEAVES {
                0 => source.block::<V, PART, B>(self.factors[0], first, at),
                _ => source.leaf::<V, PART, B>(self.factors[0], first, at),
            };
            if let Some(scale) = scale {
                for b in 0..B {
                    for i in 0..4 {
                        values[b][i] = values[b][i].mul(scale);
                    }
                }
            }
            for i in 1..self.n::<N>() {
                let right = match i < self.n_leaves::<N, LEAVES>() {
                    false => source.block::<V, PART, B>(self.factors[i], first, at),
                    true => source.leaf::<V, PART, B>(self.factors[i], first, at),
                };
                multiply::<V, ENTRY, B>(&mut values, &right, watch);
            }
            for b in 0..B {
                let [v, w, x, y] = values[b];
                *largest = v.max(w).max(x.max(y)).max(*largest);
            }
            values
        }
    }

    /// The sum of the exponents of all blocks.
    #[inline(always)]
    unsafe fn block_powers<V: Vector, const N: usize, const LEAVES: usize>(self, at: usize) -> V {
        // SAFETY: as for the caller.
        unsafe {
            let mut sum = V::splat(0.0);
            for i in self.n_leaves::<N, LEAVES>()..self.n::<N>() {
                let row = self.factors[i].exponent as usize;
                sum = sum.add(V::load(self.product.source.base.add(row * TILE + at)));
            }
            sum
        }
    }

    /// The sum of the exponents of all leaves.
    #[inline(always)]
    unsafe fn leaf_powers<V: Vector, const N: usize, const LEAVES: usize>(self, at: usize) -> V {
        // SAFETY: as for the caller.
        unsafe {
            let mut sum = V::splat(0.0);
            for i in 0..self.n_leaves::<N, LEAVES>() {
                sum = sum.add(self.product.source.row_exponent(self.factors[i], at));
            }
            sum
        }
    }

    /// The number of factors, `N` where that is not 0; at most [`MOST_AT_ONCE`].
    #[inline(always)]
    fn n<const N: usize>(self) -> usize {
        if N > 0 { N } else { self.product.n.min(MOST_AT_ONCE) }
    }

    /// The number of leaves.
    #[inline(always)]
    fn n_leaves<const N: usize, const LEAVES: usize>(self) -> usize {
        if N > 0 { LEAVES } else { self.n_leaves.min(self.n::<N>()) }
    }
}

/// `left *= right`.
#[inline(always)]
unsafe fn multiply<V: Vector, const ENTRY: bool, const B: usize>(
    left: &mut [[V; 4]; B],
    right: &[[V; 4]; B],
    watch: &mut Watch<V>,
) {
    for b in 0..B {
        for i in 0..4 {
            // SAFETY: as for the traits.
            unsafe {
                let product = left[b][i].mul(right[b][i]);
                if ENTRY {
                    let is_positive = left[b][i].min(right[b][i]).is_positive();
                    watch.least = least_where(is_positive, product, watch.least);
                }
                left[b][i] = product;
            }
        }
    }
}

/// What is kept of a tile's numbers to decide whether it can be accepted.
struct Watch<V> {
    /// The smallest and largest of the samples' largest entries.
    low: V,
    high: V,
    /// The largest exponent in size.
    far: V,
    /// The smallest product of positive numbers, where entries matter.
    least: V,
}

impl<V: Vector> Watch<V> {
    #[inline(always)]
    unsafe fn nothing() -> Self {
        // SAFETY: as for the traits.
        unsafe {
            let (zero, most) = (V::splat(0.0), V::splat(f32::MAX));
            Watch { low: most, high: zero, far: zero, least: most }
        }
    }

    #[inline(always)]
    unsafe fn see(&mut self, largest: V, power: V) {
        // SAFETY: as for the traits.
        unsafe {
            self.low = self.low.min(largest);
            self.high = self.high.max(largest);
            self.far = self.far.max(power.max(Lanes::sub(V::splat(0.0), power)));
        }
    }

    /// Leaves' exponents out of bounds count as numbers out of bounds.
    #[inline(always)]
    unsafe fn see_leaves(&mut self, power: V) {
        // SAFETY: as for the traits.
        unsafe {
            let is_odd = is_outside(power, LEAST_LEAF_POWER, MOST_LEAF_POWER);
            self.high = V::select(is_odd, V::splat(f32::MAX), self.high);
        }
    }

    /// Whether nothing that matters can have been lost, and no sample must be marked.
    #[inline(always)]
    unsafe fn is_fine<const ENTRY: bool>(&self) -> bool {
        // SAFETY: as for the traits.
        unsafe {
            let odd = V::or(V::splat(LOW).gt(self.low), self.high.gt(V::splat(HIGH)));
            let odd = V::or(odd, self.far.gt(V::splat(EXPONENT_LIMIT)));
            V::bits(odd) == 0 && (!ENTRY || V::bits(V::splat(TWO_POW_M100).gt(self.least)) == 0)
        }
    }
}
