//! Leaves over discrete values that are written to rows: indicators and literals.

use crate::lanes::Vector;
use crate::{MISSING, TILE, ZERO_EXPONENT};

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
