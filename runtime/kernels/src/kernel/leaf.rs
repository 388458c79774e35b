//! Leaves over discrete values: tables, indicators and literals.
//!
//! A table is value-major, so that a sample's units lie together: blocks of samples by units are
//! transposed in registers on the way between table and rows. Groups of very few units go one by one.

use super::flow::load_rows;
use crate::lanes::Vector;
use crate::{MISSING, TILE, Tiles, ZERO_EXPONENT};

/// Whether a block of a vector's width would be mostly empty.
#[inline(always)]
fn is_narrow<V: Vector>(units: usize) -> bool {
    4 * units <= V::N
}

/// See [`Kernels::scatter`](crate::Kernels::scatter).
#[inline(always)]
pub(crate) unsafe fn scatter<V: Vector>(
    tiles: *const Tiles,
    units: usize,
    codes: *const u32,
    flow: *const f32,
    counts: *mut f32,
) {
    // SAFETY: the caller's buffers have these sizes.
    unsafe {
        let tiles = &*tiles;
        for tile in 0..tiles.n {
            let at = tile * tiles.stride;
            scatter_samples::<V>(tiles.lanes, units, codes.add(at), flow.add(at), counts);
        }
    }
}

/// Adds the flows of the first `samples` of a tile to counts.
#[inline(always)]
unsafe fn scatter_samples<V: Vector>(
    samples: usize,
    units: usize,
    codes: *const u32,
    flow: *const f32,
    counts: *mut f32,
) {
    // SAFETY: the caller's buffers have these sizes, and the counts a row for each code.
    unsafe {
        if is_narrow::<V::Block>(units) {
            scatter_one_by_one(samples, units, codes, flow, counts);
        } else {
            scatter_blocks::<V::Block>(samples, units, codes, flow, counts);
        }
    }
}

/// Adds flows to counts, one at a time.
#[inline(always)]
unsafe fn scatter_one_by_one(
    samples: usize,
    units: usize,
    codes: *const u32,
    flow: *const f32,
    counts: *mut f32,
) {
    for sample in 0..samples {
        // SAFETY: the samples have codes, each missing or with a row of counts.
        unsafe {
            let code = *codes.add(sample);
            if code != MISSING {
                for u in 0..units {
                    *counts.add(code as usize * units + u) += *flow.add(u * TILE + sample);
                }
            }
        }
    }
}

/// Adds flows to counts, by transposed blocks; samples one after the other, since codes may repeat.
#[inline(always)]
unsafe fn scatter_blocks<V: Vector>(
    samples: usize,
    units: usize,
    codes: *const u32,
    flow: *const f32,
    counts: *mut f32,
) {
    for first in (0..units).step_by(V::N) {
        let width = V::N.min(units - first);
        for sample in (0..samples).step_by(V::N) {
            // SAFETY: the samples have codes, each missing or with counts; only `width` units are touched.
            unsafe {
                let mut block = load_rows::<V>(flow.add(first * TILE + sample), width);
                V::transpose(&mut block);
                for i in 0..V::N {
                    let code = *codes.add(sample + i);
                    if code != MISSING {
                        add_to(block[i], counts.add(code as usize * units + first), width);
                    }
                }
            }
        }
    }
}

/// Adds the first `width` lanes to memory.
#[inline(always)]
unsafe fn add_to<V: Vector>(lanes: V, to: *mut f32, width: usize) {
    // SAFETY: the caller has `width <= V::N` values at `to`.
    unsafe {
        if width == V::N {
            lanes.add(V::load(to)).store(to);
        } else {
            lanes.add(V::load_part(to, width)).store_part(to, width);
        }
    }
}

/// See [`Kernels::leaf_indicator`](crate::Kernels::leaf_indicator).
#[inline(always)]
pub(crate) unsafe fn leaf_indicator<V: Vector>(
    units: usize,
    first: usize,
    codes: *const u32,
    out: *mut f32,
    exponent: *mut f32,
) {
    // SAFETY: the caller's buffers have these sizes.
    unsafe {
        super::zero::<V>(units, out);
        for sample in 0..TILE {
            let code = *codes.add(sample);
            // A code under `first` wraps around to a unit that does not exist.
            let unit = (code as usize).wrapping_sub(first);
            *exponent.add(sample) = if code == MISSING || unit < units { 0.0 } else { ZERO_EXPONENT };
            if code == MISSING {
                for u in 0..units {
                    *out.add(u * TILE + sample) = 1.0;
                }
            } else if unit < units {
                *out.add(unit * TILE + sample) = 1.0;
            }
        }
    }
}

/// See [`Kernels::leaf_literal`](crate::Kernels::leaf_literal).
#[inline(always)]
pub(crate) unsafe fn leaf_literal<V: Vector>(
    units: usize,
    value: usize,
    codes: *const u32,
    out: *mut f32,
    exponent: *mut f32,
) {
    // SAFETY: the caller's buffers have these sizes.
    unsafe {
        let mut row = [0.0; TILE];
        for sample in 0..TILE {
            let code = *codes.add(sample);
            let holds = code == MISSING || code as usize == value;
            row[sample] = if holds { 1.0 } else { 0.0 };
            *exponent.add(sample) = if holds { 0.0 } else { ZERO_EXPONENT };
        }
        for u in 0..units {
            super::copy::<V>(1, row.as_ptr(), out.add(u * TILE));
        }
    }
}
