//! All pairs of two groups, and the flows back to each group.

use super::strips_of_a_row;
use crate::TILE;
use crate::lanes::{Lanes, Quad, Vector};

/// See [`Kernels::outer`](crate::Kernels::outer).
#[inline(always)]
pub(crate) unsafe fn outer<V: Vector>(na: usize, nb: usize, a: *const f32, b: *const f32, out: *mut f32) {
    for i in 0..na {
        for s in strips_of_a_row::<V>() {
            // SAFETY: `s` plus a strip stays within each of the caller's rows.
            unsafe {
                let left = Quad::<V>::load(a.add(i * TILE + s));
                for j in 0..nb {
                    let right = Quad::load(b.add(j * TILE + s));
                    left.mul(right).store(out.add((i * nb + j) * TILE + s));
                }
            }
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
