//! What guards look at: the extremes of a group, and sums that lost every term to underflow.
//!
//! Every rule is sound, that is, a sample in which a positive number was flushed or fell under the rule's
//! threshold is marked; exact zeros never mark. Looking through terms one by one happens only for samples
//! whose extremes say that something may be wrong.

use super::{TWO_POW_M125, least_where};
use crate::TILE;
use crate::lanes::Lanes;

/// The smallest positive entry of a strip of `n` rows, huge where there is none.
#[inline(always)]
pub(super) unsafe fn least_positive<L: Lanes>(n: usize, rows: *const f32) -> L {
    // SAFETY: the caller's pointer is at a strip of `n` rows.
    unsafe {
        let mut least = L::splat(f32::MAX);
        for i in 0..n {
            let row = L::load(rows.add(i * TILE));
            least = least_where(row.is_positive(), row, least);
        }
        least
    }
}

/// The largest entry of a strip of `n` rows.
#[inline(always)]
pub(super) unsafe fn largest<L: Lanes>(n: usize, rows: *const f32) -> L {
    // SAFETY: the caller's pointer is at a strip of `n` rows.
    unsafe {
        let mut largest = L::splat(0.0);
        for i in 0..n {
            largest = largest.max(L::load(rows.add(i * TILE)));
        }
        largest
    }
}

/// To what products of mantissas are raised, at most: not at all in a group that is zero as a whole.
#[inline(always)]
pub(super) unsafe fn floor<L: Lanes>(largest: L) -> L {
    // SAFETY: as for the traits.
    unsafe { L::select(largest.is_positive(), L::splat(TWO_POW_M125), L::splat(0.0)) }
}

/// A product of two mantissas, scaled, or the least of `floor` and both where that is more: 0 only where one
/// is, or the floor.
#[inline(always)]
pub(super) unsafe fn raised<L: Lanes>(product: L, floor: L, left: L, right: L) -> L {
    // SAFETY: as for the traits.
    unsafe { product.max(floor.min(left).min(right)) }
}

/// The weights of a sum layer.
pub(super) struct Weights {
    pub m: usize,
    pub k: usize,
    pub w: *const f32,
    pub row_stride: usize,
    pub col_stride: usize,
    /// The smallest positive one.
    pub floor: *const f32,
}

impl Weights {
    /// Where some sum of a strip is 0 though a term of it is positive.
    #[inline(always)]
    pub unsafe fn flushed<L: Lanes>(&self, terms: *const f32, out: *const f32) -> L::Mask {
        // SAFETY: the caller's pointers are at strips of `k` and `m` rows.
        unsafe {
            let mut flushed = L::nowhere();
            let least_term = least_positive::<L>(self.k, terms).mul(L::splat(*self.floor));
            let suspicious = L::splat(TWO_POW_M125).gt(least_term);
            if L::bits(suspicious) == 0 {
                return flushed;
            }
            for i in 0..self.m {
                let zero = L::and_not(suspicious, L::load(out.add(i * TILE)).is_positive());
                if L::bits(zero) != 0 {
                    let w = self.w.add(i * self.row_stride);
                    let any = any_term_positive::<L>(self.k, w, self.col_stride, terms);
                    flushed = L::or(flushed, L::and(zero, any));
                }
            }
            flushed
        }
    }
}

/// Where some row of a strip is positive and has a positive weight.
#[inline(always)]
unsafe fn any_term_positive<L: Lanes>(k: usize, w: *const f32, w_stride: usize, e: *const f32) -> L::Mask {
    // SAFETY: the caller's pointers are at a strip of `k` rows and at `k` weights.
    unsafe {
        let mut any = L::nowhere();
        for j in 0..k {
            if *w.add(j * w_stride) > 0.0 {
                any = L::or(any, L::load(e.add(j * TILE)).is_positive());
            }
        }
        any
    }
}
