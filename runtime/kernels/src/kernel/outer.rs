//! All pairs of two groups, and the flows back to each group.

use super::bundle::{OnStrip, Strip, each_strip};
use super::guard::{floor, largest, least_positive, raised};
use super::scale::{Scaling, before_and_after};
use super::{TWO_POW_M60, TWO_POW_M120, TWO_POW_M125, strips_of_a_row};
use crate::lanes::{Lanes, Quad, Vector};
use crate::{GUARD_ENTRY, GUARD_MAXIMUM, GUARD_RAISE, TILE, Tiles};

/// See [`Kernels::outer`](crate::Kernels::outer).
#[inline(always)]
pub(crate) unsafe fn outer<V: Vector>(
    tiles: *const Tiles,
    na: usize,
    nb: usize,
    a: *const f32,
    a_exponent: *const f32,
    b: *const f32,
    b_exponent: *const f32,
    out: *mut f32,
    exponent: *mut f32,
    guard: usize,
) {
    let work = Pairs { na, nb, a, a_exponent, b, b_exponent, out, exponent, guard };
    // SAFETY: the caller's buffers have these sizes.
    unsafe { each_strip::<V>(&*tiles, &work) }
}

/// The arguments of [`outer`].
struct Pairs {
    na: usize,
    nb: usize,
    a: *const f32,
    a_exponent: *const f32,
    b: *const f32,
    b_exponent: *const f32,
    out: *mut f32,
    exponent: *mut f32,
    guard: usize,
}

impl OnStrip for Pairs {
    #[inline(always)]
    unsafe fn on<L: Lanes>(&self, strip: Strip) {
        // SAFETY: the strip lies within the caller's rows.
        unsafe {
            let (a, b) = (self.a.add(strip.at), self.b.add(strip.at));
            // The largest pair is that of the largest units, and the smallest positive one likewise.
            let largest = largest::<L>(self.na, a).mul(largest::<L>(self.nb, b));
            let power = L::load(self.a_exponent.add(strip.at)).add(L::load(self.b_exponent.add(strip.at)));
            let scaling = Scaling::<L>::of(largest, power);
            scaling.power.store(self.exponent.add(strip.at));
            if self.guard & GUARD_RAISE != 0 && self.is_any_tiny(&scaling, a, b) {
                self.store_raised(&scaling, a, b, strip.at);
            } else {
                self.store(&scaling, a, b, strip.at);
            }
            strip.mark::<L>(self.lost(largest, &scaling, a, b));
        }
    }
}

impl Pairs {
    /// Stores a strip of all pairs.
    #[inline(always)]
    unsafe fn store<L: Lanes>(&self, scaling: &Scaling<L>, a: *const f32, b: *const f32, at: usize) {
        // SAFETY: the caller's pointers are at strips of the two groups, and `at` is one of the result.
        unsafe {
            for i in 0..self.na {
                let left = L::load(a.add(i * TILE)).mul(scaling.factor);
                for j in 0..self.nb {
                    let to = self.out.add((i * self.nb + j) * TILE + at);
                    left.mul(L::load(b.add(j * TILE))).store(to);
                }
            }
        }
    }

    /// The same, none 0 whose factors are positive.
    #[inline(always)]
    unsafe fn store_raised<L: Lanes>(&self, scaling: &Scaling<L>, a: *const f32, b: *const f32, at: usize) {
        // SAFETY: as for `store`.
        unsafe {
            let floor = floor(scaling.largest);
            let (before, after) = before_and_after(scaling.factor);
            for i in 0..self.na {
                let left = L::load(a.add(i * TILE));
                let scaled = left.mul(before);
                for j in 0..self.nb {
                    let to = self.out.add((i * self.nb + j) * TILE + at);
                    let right = L::load(b.add(j * TILE));
                    raised(scaled.mul(right).mul(after), floor, left, right).store(to);
                }
            }
        }
    }

    /// Whether some pair may be under `2^-125`, though both are positive.
    #[inline(always)]
    unsafe fn is_any_tiny<L: Lanes>(&self, scaling: &Scaling<L>, a: *const f32, b: *const f32) -> bool {
        // SAFETY: as for `store`.
        unsafe { L::bits(L::splat(TWO_POW_M125).gt(self.least(scaling, a, b))) != 0 }
    }

    /// Less than any pair whose factors are positive, or equal.
    #[inline(always)]
    unsafe fn least<L: Lanes>(&self, scaling: &Scaling<L>, a: *const f32, b: *const f32) -> L {
        // SAFETY: as for `store`.
        unsafe {
            let least = least_positive::<L>(self.na, a).mul(scaling.factor.min(L::splat(1.0)));
            least.mul(least_positive::<L>(self.nb, b))
        }
    }

    /// The samples that must be marked.
    #[inline(always)]
    unsafe fn lost<L: Lanes>(&self, top: L, scaling: &Scaling<L>, a: *const f32, b: *const f32) -> L::Mask {
        // SAFETY: the caller's pointers are at strips of the two groups.
        unsafe {
            let mut lost = scaling.is_out_of_range;
            if self.guard & GUARD_MAXIMUM != 0 && L::bits(L::splat(TWO_POW_M60).gt(top)) != 0 {
                let positive = largest::<L>(self.na, a).min(largest::<L>(self.nb, b)).is_positive();
                lost = L::or(lost, L::and(positive, L::splat(TWO_POW_M60).gt(top)));
            }
            if self.guard & GUARD_ENTRY != 0 {
                let least = self.least(scaling, a, b);
                let positive = largest::<L>(self.na, a).min(largest::<L>(self.nb, b)).is_positive();
                lost = L::or(lost, L::and(positive, L::splat(TWO_POW_M120).gt(least)));
            }
            lost
        }
    }
}

/// See [`Kernels::outer_left`](crate::Kernels::outer_left).
#[inline(always)]
pub(crate) unsafe fn outer_left<V: Vector>(na: usize, nb: usize, f: *const f32, flow_a: *mut f32) {
    for i in 0..na {
        // SAFETY: the pairs of row `i` are `nb` rows of `f`.
        unsafe { add_rows::<V>(nb, f.add(i * nb * TILE), TILE, flow_a.add(i * TILE)) }
    }
}

/// See [`Kernels::outer_right`](crate::Kernels::outer_right).
#[inline(always)]
pub(crate) unsafe fn outer_right<V: Vector>(na: usize, nb: usize, f: *const f32, flow_b: *mut f32) {
    for j in 0..nb {
        // SAFETY: the pairs of row `j` are every `nb`-th row of `f`.
        unsafe { add_rows::<V>(na, f.add(j * TILE), nb * TILE, flow_b.add(j * TILE)) }
    }
}

/// Adds `n` rows, `stride` apart, to one row.
#[inline(always)]
unsafe fn add_rows<V: Vector>(n: usize, rows: *const f32, stride: usize, to: *mut f32) {
    for s in strips_of_a_row::<V>() {
        // SAFETY: `s` plus a strip stays within each of the caller's rows.
        unsafe {
            let mut sum = Quad::<V>::load(to.add(s));
            for i in 0..n {
                sum = sum.add(Quad::load(rows.add(i * stride + s)));
            }
            sum.store(to.add(s));
        }
    }
}
