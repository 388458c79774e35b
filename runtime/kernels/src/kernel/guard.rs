//! Guards: marks for samples in which something may have been lost to underflow.
//!
//! Every rule is sound, that is, a sample in which a positive number was flushed or fell under the rule's
//! threshold is marked; exact zeros never mark. The usual path reads each row once. Looking through pairs
//! or terms one by one happens only for samples whose extremes say that something may be wrong.

use super::{TWO_POW_M60, TWO_POW_M120, TWO_POW_M125, least_where, mark, strips_of_a_row};
use crate::lanes::{Lanes, Quad, Vector};
use crate::{GUARD_ENTRY, GUARD_MAXIMUM, TILE, ZERO_EXPONENT};

/// How many powers of two a product may fall under the product of its factors' maxima. Mantissas are
/// within a factor of two of their exponents, so the true fall is less than one more.
const MOST_FALL: f32 = 56.0;

/// See [`Kernels::guard_product`](crate::Kernels::guard_product).
#[inline(always)]
pub(crate) unsafe fn guard_product<V: Vector>(
    n: usize,
    a: *const f32,
    b: *const f32,
    guard: usize,
    marks: *mut u64,
) {
    // SAFETY: the caller's buffers have `n` rows; nothing is stored.
    unsafe { check_products::<V, false>(n, a, b, std::ptr::null_mut(), guard, marks) }
}

/// Forms the products of `n` pairs of rows, keeps them in `out` where `STORE`, and checks them.
#[inline(always)]
pub(super) unsafe fn check_products<V: Vector, const STORE: bool>(
    n: usize,
    a: *const f32,
    b: *const f32,
    out: *mut f32,
    guard: usize,
    marks: *mut u64,
) {
    // SAFETY: as for the caller.
    unsafe {
        if guard & GUARD_ENTRY != 0 {
            check_products_by::<V, STORE, true>(n, a, b, out, guard, marks);
        } else {
            check_products_by::<V, STORE, false>(n, a, b, out, guard, marks);
        }
    }
}

/// [`check_products`], with the rule for entries compiled in or out.
#[inline(always)]
unsafe fn check_products_by<V: Vector, const STORE: bool, const ENTRY: bool>(
    n: usize,
    a: *const f32,
    b: *const f32,
    out: *mut f32,
    guard: usize,
    marks: *mut u64,
) {
    for s in strips_of_a_row::<V>() {
        // SAFETY: `s` plus a strip stays within each of the `n` rows.
        unsafe {
            let mut largest = Quad::<V>::splat(0.0);
            let mut least = Quad::<V>::splat(f32::MAX);
            for i in 0..n {
                let (x, y) = (Quad::load(a.add(i * TILE + s)), Quad::load(b.add(i * TILE + s)));
                let product: Quad<V> = x.mul(y);
                if STORE {
                    product.store(out.add(i * TILE + s));
                }
                largest = largest.max(product);
                if ENTRY {
                    least = least_where(x.min(y).is_positive(), product, least);
                }
            }
            if ENTRY {
                mark::<Quad<V>>(marks, s, Quad::splat(TWO_POW_M120).gt(least));
            }
            if guard & GUARD_MAXIMUM != 0 {
                let low = Quad::splat(TWO_POW_M60).gt(largest);
                if Quad::<V>::bits(low) != 0 {
                    let positive = any_pair_positive::<V>(n, a.add(s), b.add(s));
                    mark::<Quad<V>>(marks, s, Quad::<V>::and(low, positive));
                }
            }
        }
    }
}

/// Where some pair of a strip has both factors positive, whatever became of their product.
#[inline(always)]
unsafe fn any_pair_positive<V: Vector>(n: usize, a: *const f32, b: *const f32) -> <Quad<V> as Lanes>::Mask {
    // SAFETY: the caller's pointers are at a strip of `n` rows.
    unsafe {
        let mut any = Quad::<V>::nowhere();
        for i in 0..n {
            let smaller = Quad::<V>::load(a.add(i * TILE)).min(Quad::load(b.add(i * TILE)));
            any = Quad::<V>::or(any, smaller.is_positive());
        }
        any
    }
}

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

/// See [`Kernels::guard_outer`](crate::Kernels::guard_outer).
#[inline(always)]
pub(crate) unsafe fn guard_outer<V: Vector>(
    na: usize,
    nb: usize,
    a: *const f32,
    b: *const f32,
    guard: usize,
    marks: *mut u64,
) {
    for s in strips_of_a_row::<V>() {
        // SAFETY: `s` plus a strip stays within each row.
        unsafe {
            let (largest_a, largest_b) = (largest::<Quad<V>>(na, a.add(s)), largest::<Quad<V>>(nb, b.add(s)));
            let positive = largest_a.min(largest_b).is_positive();
            let mut lost = Quad::<V>::nowhere();
            if guard & GUARD_ENTRY != 0 {
                let least =
                    least_positive::<Quad<V>>(na, a.add(s)).mul(least_positive::<Quad<V>>(nb, b.add(s)));
                lost = Quad::splat(TWO_POW_M120).gt(least);
            }
            if guard & GUARD_MAXIMUM != 0 {
                lost = Quad::<V>::or(lost, Quad::splat(TWO_POW_M60).gt(largest_a.mul(largest_b)));
            }
            mark::<Quad<V>>(marks, s, Quad::<V>::and(lost, positive));
        }
    }
}

/// See [`Kernels::guard_fall`](crate::Kernels::guard_fall).
#[inline(always)]
pub(crate) unsafe fn guard_fall<V: Vector>(
    n: usize,
    width: usize,
    base: *const f32,
    children: *const u32,
    exponent: *const f32,
    marks: *mut u64,
) {
    for s in strips_of_a_row::<V>() {
        // SAFETY: `s` plus a strip stays within each row that the caller's list names.
        unsafe {
            // The product of the maxima, as a mantissa in [1, 2) and an exponent.
            let mut mantissa = Quad::<V>::splat(1.0);
            let mut bound = Quad::<V>::splat(0.0);
            for i in 0..n {
                let rows = base.add(*children.add(2 * i) as usize * TILE + s);
                let of_child = Quad::<V>::load(base.add(*children.add(2 * i + 1) as usize * TILE + s));
                let product = mantissa.mul(largest::<Quad<V>>(width, rows));
                let shift = product.exponent();
                bound = bound.add(of_child).add(shift);
                mantissa = product.scale(Quad::<V>::splat(0.0).sub(shift));
            }
            let found = Quad::<V>::load(exponent.add(s));
            let live = found.gt(Quad::splat(ZERO_EXPONENT / 2.0));
            let fallen = bound.sub(found).gt(Quad::splat(MOST_FALL));
            mark::<Quad<V>>(marks, s, Quad::<V>::and(live, fallen));
        }
    }
}

/// See [`Kernels::guard_sum`](crate::Kernels::guard_sum).
#[inline(always)]
pub(crate) unsafe fn guard_sum<V: Vector>(
    m: usize,
    k: usize,
    w: *const f32,
    w_row_stride: usize,
    w_col_stride: usize,
    w_floor: *const f32,
    e: *const f32,
    out: *const f32,
    marks: *mut u64,
) {
    let weights = Weights { m, k, w, row_stride: w_row_stride, col_stride: w_col_stride, floor: w_floor };
    for s in strips_of_a_row::<V>() {
        // SAFETY: `s` plus a strip stays within each row.
        unsafe { mark::<Quad<V>>(marks, s, weights.flushed::<Quad<V>>(e.add(s), out.add(s))) }
    }
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
