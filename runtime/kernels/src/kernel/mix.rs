//! Elementwise weighted sums over children, one child at a time.

use super::{mark, strips_of_a_row};
use crate::TILE;
use crate::lanes::{Lanes, Quad, Vector};

/// See [`Kernels::mix_forward`](crate::Kernels::mix_forward).
#[inline(always)]
pub(crate) unsafe fn mix_forward<V: Vector>(
    n: usize,
    w: *const f32,
    stride: usize,
    child: *const f32,
    out: *mut f32,
    accumulate: usize,
) {
    for i in 0..n {
        for s in strips_of_a_row::<V>() {
            // SAFETY: `s` plus a strip stays within row `i`, and there are `n` weights.
            unsafe {
                let weight = Quad::<V>::splat(*w.add(i * stride));
                let child = Quad::load(child.add(i * TILE + s));
                let to = out.add(i * TILE + s);
                let sum = if accumulate != 0 { Quad::load(to) } else { Quad::splat(0.0) };
                weight.fma(child, sum).store(to);
            }
        }
    }
}

/// See [`Kernels::mix_backward`](crate::Kernels::mix_backward).
#[inline(always)]
pub(crate) unsafe fn mix_backward<V: Vector>(
    n: usize,
    w: *const f32,
    stride: usize,
    r: *const f32,
    child: *const f32,
    dw: *mut f32,
    dw_stride: usize,
    child_flow: *mut f32,
) {
    for i in 0..n {
        for s in strips_of_a_row::<V>() {
            // SAFETY: `s` plus a strip stays within row `i`, and there are `n` weights and sums.
            unsafe {
                let at = i * TILE + s;
                let share = Quad::<V>::load(r.add(at)).mul(Quad::load(child.add(at)));
                let to = child_flow.add(at);
                Quad::splat(*w.add(i * stride)).fma(share, Quad::load(to)).store(to);
                *dw.add(i * dw_stride) += share.total();
            }
        }
    }
}

/// See [`Kernels::guard_mix`](crate::Kernels::guard_mix).
#[inline(always)]
pub(crate) unsafe fn guard_mix<V: Vector>(
    n: usize,
    w: *const f32,
    stride: usize,
    child: *const f32,
    out: *const f32,
    marks: *mut u64,
) {
    for s in strips_of_a_row::<V>() {
        // SAFETY: `s` plus a strip stays within each row, and there are `n` weights.
        unsafe {
            let mut lost = Quad::<V>::nowhere();
            for i in 0..n {
                let weight = Quad::<V>::splat(*w.add(i * stride));
                let term = weight.min(Quad::load(child.add(i * TILE + s))).is_positive();
                let sum = Quad::<V>::load(out.add(i * TILE + s)).is_positive();
                lost = Quad::<V>::or(lost, Quad::<V>::and_not(term, sum));
            }
            mark::<Quad<V>>(marks, s, lost);
        }
    }
}
