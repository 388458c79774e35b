//! Plain arithmetic on rows, sample by sample.

use crate::TILE;
use crate::lanes::{Lanes, Quad, Vector};

/// The first sample of each strip of `n` rows.
#[inline(always)]
fn strips<V: Vector>(n: usize) -> impl Iterator<Item = usize> {
    (0..n * TILE / Quad::<V>::N).map(|strip| strip * Quad::<V>::N)
}

/// See [`Kernels::zero`](crate::Kernels::zero).
#[inline(always)]
pub(crate) unsafe fn zero<V: Vector>(n: usize, out: *mut f32) {
    for s in strips::<V>(n) {
        // SAFETY: the strip is within the caller's `n` rows.
        unsafe { Quad::<V>::splat(0.0).store(out.add(s)) }
    }
}

/// See [`Kernels::copy`](crate::Kernels::copy).
#[inline(always)]
pub(crate) unsafe fn copy<V: Vector>(n: usize, a: *const f32, out: *mut f32) {
    for s in strips::<V>(n) {
        // SAFETY: the strip is within the caller's `n` rows.
        unsafe { Quad::<V>::load(a.add(s)).store(out.add(s)) }
    }
}

/// See [`Kernels::add`](crate::Kernels::add).
#[inline(always)]
pub(crate) unsafe fn add<V: Vector>(n: usize, a: *const f32, b: *const f32, out: *mut f32) {
    for s in strips::<V>(n) {
        // SAFETY: the strip is within the caller's `n` rows.
        unsafe { Quad::<V>::load(a.add(s)).add(Quad::load(b.add(s))).store(out.add(s)) }
    }
}
