//! Products of normal densities, many leaves at a time.
//!
//! The logarithm of such a product is a sum over leaves of `norm - z^2 / 2`, with `z` a value's distance from
//! the mean in deviations. It has the shape of a matrix product, and is computed by register tiles like one:
//! some units by a strip of samples, summed over leaves. Written out as a product with `x` and `x^2` it would
//! take as many multiplications, since the difference falls to the adders; but those terms cancel where means
//! lie apart, and these don't.

use super::EXPONENT_LIMIT;
use super::bundle::{OnStrip, Strip, each_strip};
use super::log::{LN_2_HEAD, LN_2_TAIL, clamp, strip_from_log};
use crate::lanes::{Lanes, Vector};
use crate::{NormalLeaf, TILE, Tiles};
use std::f32::consts::LOG2_E;

/// Leaves that are summed at a time: few enough for their rows to stay in the first cache and for their sum to
/// keep its last bits.
const LEAVES_OF_A_SUM: usize = 64;

/// Under any logarithm that a density can have without being marked, yet finite: no density is 0.
const SMALLEST_LOG: f32 = -1e30;

/// See [`Kernels::normal`](crate::Kernels::normal).
#[inline(always)]
pub(crate) unsafe fn normal<V: Vector>(
    tiles: *const Tiles,
    n: usize,
    units: usize,
    base: *const f32,
    tables: *const f32,
    leaves: *const NormalLeaf,
    out: *mut f32,
    exponent: *mut f32,
) {
    let leaves = Leaves { n, units, base, tables, leaves };
    // SAFETY: the caller's buffers have these sizes.
    unsafe { each_strip::<V>(&*tiles, &Densities { leaves, out, exponent }) }
}

/// Normal leaves with the same units, their values and tables.
#[derive(Clone, Copy)]
pub(super) struct Leaves {
    pub(super) n: usize,
    pub(super) units: usize,
    pub(super) base: *const f32,
    pub(super) tables: *const f32,
    pub(super) leaves: *const NormalLeaf,
}

impl Leaves {
    /// The leaves from a position on, at most so many.
    #[inline(always)]
    pub(super) unsafe fn part(self, first: usize, most: usize) -> Leaves {
        // SAFETY: `first` is at most the number of leaves.
        unsafe { Leaves { n: most.min(self.n - first), leaves: self.leaves.add(first), ..self } }
    }

    /// The first tile's values of a leaf, and its table.
    #[inline(always)]
    pub(super) unsafe fn leaf(&self, i: usize) -> (*const f32, *const f32) {
        // SAFETY: `i` is less than the number of leaves.
        unsafe {
            let leaf = *self.leaves.add(i);
            (self.base.add(leaf.row as usize * TILE), self.tables.add(leaf.table as usize))
        }
    }

    /// Whether the strip at `at` may miss a value.
    #[inline(always)]
    pub(super) unsafe fn may_miss<L: Lanes>(&self, at: usize) -> bool {
        // SAFETY: the caller's rows have a strip there.
        unsafe {
            let mut sum = L::splat(0.0);
            for i in 0..self.n {
                sum = sum.add(L::load(self.leaf(i).0.add(at)));
            }
            // NaN outlasts every sum.
            L::bits(sum.is_nan()) != 0
        }
    }
}

/// The arguments of [`normal`].
struct Densities {
    leaves: Leaves,
    out: *mut f32,
    exponent: *mut f32,
}

impl OnStrip for Densities {
    #[inline(always)]
    unsafe fn on<L: Lanes>(&self, strip: Strip) {
        // SAFETY: the strip lies within the caller's rows.
        unsafe {
            let out = self.out.add(strip.at);
            let mut power = L::splat(0.0);
            for first in (0..self.leaves.n).step_by(LEAVES_OF_A_SUM) {
                if first > 0 {
                    power = power.add(take_out_power::<L>(self.leaves.units, out));
                }
                let leaves = self.leaves.part(first, LEAVES_OF_A_SUM);
                let sum = Sum { leaves, at: strip.at, out, is_added: first > 0 };
                match leaves.may_miss::<L>(strip.at) {
                    false => sum.all_units::<L, false>(),
                    true => sum.all_units::<L, true>(),
                }
            }
            let exponent = self.exponent.add(strip.at);
            strip.mark::<L>(strip_from_log::<L>(self.leaves.units, out, power, out, exponent));
        }
    }
}

/// Makes logarithms relative to a power of two about as large as the largest, and gives its exponent: how units
/// differ is then not rounded to the last place of a large common logarithm.
#[inline(always)]
unsafe fn take_out_power<L: Lanes>(n: usize, logs: *mut f32) -> L {
    // SAFETY: the caller's pointer is at a strip of `n` rows.
    unsafe {
        let largest = (0..n).fold(L::splat(SMALLEST_LOG), |top, i| L::load(logs.add(i * TILE)).max(top));
        let power = clamp(largest.mul(L::splat(LOG2_E)), EXPONENT_LIMIT).floor();
        let back = L::splat(0.0).sub(power);
        for i in 0..n {
            let log = back.fma(L::splat(LN_2_HEAD), L::load(logs.add(i * TILE)));
            back.fma(L::splat(LN_2_TAIL), log).store(logs.add(i * TILE));
        }
        power
    }
}

/// A sum over some leaves, to be stored in rows or added to them.
struct Sum {
    leaves: Leaves,
    at: usize,
    out: *mut f32,
    is_added: bool,
}

impl Sum {
    /// Computes all units, by register tiles: 16 vectors of sums for strips of four wide vectors, eight for
    /// others.
    #[inline(always)]
    unsafe fn all_units<L: Lanes, const IS_MISSED: bool>(&self) {
        // SAFETY: as for the traits; a tile has no more units than are left.
        unsafe {
            let mut unit = 0;
            while unit < self.leaves.units {
                unit += match (L::N, self.leaves.units - unit) {
                    (..=16, 8..) => self.some_units::<L, 8, IS_MISSED>(unit),
                    (64, 4..) => self.some_units::<L, 4, IS_MISSED>(unit),
                    (_, 2..) => self.some_units::<L, 2, IS_MISSED>(unit),
                    _ => self.some_units::<L, 1, IS_MISSED>(unit),
                };
            }
        }
    }

    /// Computes `N` units from `unit` on; gives `N`.
    #[inline(always)]
    unsafe fn some_units<L: Lanes, const N: usize, const IS_MISSED: bool>(&self, unit: usize) -> usize {
        // SAFETY: the caller's rows and tables have these units.
        unsafe {
            let logs = self.logs::<L, N, IS_MISSED>(unit);
            for i in 0..N {
                let to = self.out.add((unit + i) * TILE);
                (if self.is_added { logs[i].add(L::load(to)) } else { logs[i] }).store(to);
            }
            N
        }
    }

    /// The logarithms of the products of `N` units from `unit` on.
    #[inline(always)]
    unsafe fn logs<L: Lanes, const N: usize, const IS_MISSED: bool>(&self, unit: usize) -> [L; N] {
        // SAFETY: each leaf has a row of values, and a table of three rows with these units.
        unsafe {
            let units = self.leaves.units;
            let (zero, one) = (L::splat(0.0), L::splat(1.0));
            let (mut squares, mut observed_norms, mut norms) = ([zero; N], [zero; N], [0.0_f32; N]);
            for leaf in 0..self.leaves.n {
                let (values, table) = self.leaves.leaf(leaf);
                let x = L::load(values.add(self.at));
                let missing = x.is_nan();
                let (x, observed) = match IS_MISSED {
                    true => (L::select(missing, zero, x), L::select(missing, zero, one)),
                    false => (x, one),
                };
                for i in 0..N {
                    let unit = table.add(unit + i);
                    let (mean, per_sd, norm) = (*unit, *unit.add(units), *unit.add(2 * units));
                    let z = x.sub(L::splat(mean)).mul(L::splat(per_sd));
                    if IS_MISSED {
                        squares[i] = z.mul(observed).fma(z, squares[i]);
                        observed_norms[i] = observed.fma(L::splat(norm), observed_norms[i]);
                    } else {
                        squares[i] = z.fma(z, squares[i]);
                        norms[i] += norm;
                    }
                }
            }
            let mut logs = squares;
            for i in 0..N {
                let norm = if IS_MISSED { observed_norms[i] } else { L::splat(norms[i]) };
                // The maximum's operands are so that NaN gives the bound.
                logs[i] = squares[i].fma(L::splat(-0.5), norm).max(L::splat(SMALLEST_LOG));
            }
            logs
        }
    }
}
