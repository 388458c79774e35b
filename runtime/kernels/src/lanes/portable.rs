//! The portable tier: arrays of 8 lanes, which the compiler vectorises as far as the target allows.
//!
//! It must give what the other tiers give, up to rounding: comparisons with NaN and the choice of `max` and
//! `min` are those of the x86 instructions.

use super::{Lanes, MAX_LANES, Vector, define_tier};
use crate::kernel::bundle::Strip;
use crate::kernel::dense::{Columns, Panel, Sink, strips, tail_strip};
use crate::kernel::flow::Flow;
use crate::kernel::product::Product;
use crate::kernel::sum::Sums;
use crate::table::with_kernels;

with_kernels!(define_tier, Array, Portable, [inline(never)]);

/// The number of lanes.
const N: usize = 8;

/// Eight lanes.
#[derive(Clone, Copy)]
#[repr(align(32))]
pub(crate) struct Array([f32; N]);

/// Elementwise methods, by a formula on one lane of each operand.
macro_rules! by_lane {
    ($($name:ident($x:ident $(, $arg:ident)*) = $formula:expr;)*) => { $(
        #[inline(always)]
        unsafe fn $name(self, $($arg: Self),*) -> Self {
            let mut out = self;
            for lane in 0..N {
                let ($x, $($arg),*) = (self.0[lane], $($arg.0[lane]),*);
                out.0[lane] = $formula;
            }
            out
        }
    )* };
}

/// Methods that give a mask, likewise; a lane of a mask has all bits set, or none.
macro_rules! masks_by_lane {
    ($($name:ident($($arg:ident : $ty:ty),*) = $formula:expr;)*) => { $(
        #[inline(always)]
        unsafe fn $name($($arg: $ty),*) -> [u32; N] {
            let mut out = [0; N];
            for lane in 0..N {
                let ($($arg,)*) = ($($arg[lane],)*);
                out[lane] = $formula;
            }
            out
        }
    )* };
}

impl Lanes for Array {
    type Mask = [u32; N];
    const N: usize = N;

    by_lane! {
        add(x, y) = x + y;
        sub(x, y) = x - y;
        mul(x, y) = x * y;
        div(x, y) = x / y;
        max(x, y) = if x > y { x } else { y };
        min(x, y) = if x < y { x } else { y };
        fma(x, factor, term) = multiply_add(x, factor, term);
        floor(x) = floor(x);
        exponent(x) = exponent(x);
        reciprocal(x) = 1.0 / x;
        inverse_power(x) = f32::from_bits((254_u32 << 23).wrapping_sub(x.to_bits() & 0x7f80_0000));
        scale(x, by) = scale(x, by);
        scale_once(x, by) = scale_once(x, by);
    }
    masks_by_lane! {
        and(a: Self::Mask, b: Self::Mask) = a & b;
        or(a: Self::Mask, b: Self::Mask) = a | b;
        and_not(a: Self::Mask, b: Self::Mask) = a & !b;
    }

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        Array([value; N])
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller's memory holds `N` values; alignment is not assumed.
        Array(unsafe { from.cast::<[f32; N]>().read_unaligned() })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller's memory has room for `N` values; alignment is not assumed.
        unsafe { to.cast::<[f32; N]>().write_unaligned(self.0) }
    }
    #[inline(always)]
    unsafe fn gt(self, other: Self) -> [u32; N] {
        let mut out = [0; N];
        for lane in 0..N {
            out[lane] = all_bits_if(self.0[lane] > other.0[lane]);
        }
        out
    }
    #[inline(always)]
    unsafe fn is_nan(self) -> [u32; N] {
        let mut out = [0; N];
        for lane in 0..N {
            out[lane] = all_bits_if(self.0[lane].is_nan());
        }
        out
    }
    #[inline(always)]
    unsafe fn has_bits_of(self, other: Self) -> [u32; N] {
        let mut out = [0; N];
        for lane in 0..N {
            out[lane] = all_bits_if(self.0[lane].to_bits() == other.0[lane].to_bits());
        }
        out
    }
    #[inline(always)]
    unsafe fn select(mask: [u32; N], yes: Self, no: Self) -> Self {
        let mut out = no;
        for lane in 0..N {
            let bits = yes.0[lane].to_bits() & mask[lane] | no.0[lane].to_bits() & !mask[lane];
            out.0[lane] = f32::from_bits(bits);
        }
        out
    }
    #[inline(always)]
    unsafe fn bits(mask: [u32; N]) -> u64 {
        let mut out = 0;
        for lane in 0..N {
            out |= u64::from(mask[lane] & 1) << lane;
        }
        out
    }
    #[inline(always)]
    unsafe fn total(self) -> f32 {
        let x = &self.0;
        ((x[0] + x[4]) + (x[2] + x[6])) + ((x[1] + x[5]) + (x[3] + x[7]))
    }
}

impl Vector for Array {
    type Block = Array;

    #[inline(always)]
    unsafe fn load_part(from: *const f32, n: usize) -> Self {
        let mut out = Array([0.0; N]);
        for lane in 0..n.min(N) {
            // SAFETY: the caller's memory holds `n` values.
            out.0[lane] = unsafe { *from.add(lane) };
        }
        out
    }
    #[inline(always)]
    unsafe fn store_part(self, to: *mut f32, n: usize) {
        for lane in 0..n.min(N) {
            // SAFETY: the caller's memory has room for `n` values.
            unsafe { *to.add(lane) = self.0[lane] };
        }
    }
    #[inline(always)]
    unsafe fn totals(of: [Self; 4]) -> [f32; 4] {
        // SAFETY: `total` has no condition in this tier.
        unsafe { [of[0].total(), of[1].total(), of[2].total(), of[3].total()] }
    }
    #[inline(always)]
    unsafe fn transpose(block: &mut [Self; MAX_LANES]) {
        let before = *block;
        for row in 0..N {
            for lane in 0..N {
                block[row].0[lane] = before[lane].0[row];
            }
        }
    }
    #[inline(always)]
    unsafe fn columns(rows: &[*const f32; MAX_LANES], first: usize, n: usize) -> [Self; 4] {
        let mut out = [Array([0.0; N]); 4];
        for column in 0..n.min(4) {
            for row in 0..N {
                // SAFETY: the caller's rows have these columns.
                out[column].0[row] = unsafe { *rows[row].add(first + column) };
            }
        }
        out
    }
    #[inline(always)]
    unsafe fn product_by_steps(product: &Product, strip: Strip) {
        // SAFETY: as for the trait.
        unsafe { product_by_steps(product, strip) }
    }
    #[inline(always)]
    unsafe fn normalise_sums(sums: &Sums, strip: Strip) {
        // SAFETY: as for the trait.
        unsafe { normalise_sums(sums, strip) }
    }
    #[inline(always)]
    unsafe fn dot_rows(flow: Flow) {
        // SAFETY: as for the trait.
        unsafe { flow.dot::<Self, 1>() }
    }
    #[inline(always)]
    unsafe fn multiply_panel<S: Sink<Self>>(panel: Panel, sink: &mut S, columns: usize) {
        // SAFETY: as for the trait.
        unsafe {
            let columns = Columns { next: 0, end: columns };
            let columns = strips::<Self, S, 4, 1>(panel, sink, columns);
            tail_strip::<Self, S, 4>(panel, sink, columns);
        }
    }
}

/// `x * factor + term`, fused where the target has an instruction for it: a library call would be slow.
#[inline(always)]
fn multiply_add(x: f32, factor: f32, term: f32) -> f32 {
    if cfg!(any(target_feature = "fma", target_arch = "aarch64")) {
        x.mul_add(factor, term)
    } else {
        x * factor + term
    }
}

/// `floor(log2(x))` of a positive normal value, minus infinity of what is not positive.
#[inline(always)]
fn exponent(x: f32) -> f32 {
    let exponent = ((x.to_bits() >> 23) as i32 - 127) as f32;
    if x > 0.0 { exponent } else { f32::NEG_INFINITY }
}

/// `x` without its fraction, for `x` within `[-2^24, 2^24]`; one of these bounds for others and NaN.
#[inline(always)]
fn truncate(x: f32) -> i32 {
    const LIMIT: f32 = 16_777_216.0;
    let x = if x > -LIMIT { x } else { -LIMIT };
    let x = if x < LIMIT { x } else { LIMIT };
    // SAFETY: after the bounds the value is not NaN and fits.
    unsafe { x.to_int_unchecked() }
}

/// The largest integer not over `x`, for `x` up to `2^24` in size, without a library call.
#[inline(always)]
fn floor(x: f32) -> f32 {
    let truncated = truncate(x) as f32;
    if truncated > x { truncated - 1.0 } else { truncated }
}

/// `x * 2^by`, by two factors of at most `2^126` each way, since one cannot hold the whole range.
#[inline(always)]
fn scale(x: f32, by: f32) -> f32 {
    let by = if by > -252.0 { by } else { -252.0 };
    let by = truncate(if by < 252.0 { by } else { 252.0 });
    let half = by >> 1;
    x * power(half) * power(by - half)
}

/// `x * 2^by` for `by` up to 127, but 0 where `by` is under -126.
#[inline(always)]
fn scale_once(x: f32, by: f32) -> f32 {
    let biased = by + 127.0;
    let biased = truncate(if biased > 0.0 { biased } else { 0.0 });
    x * f32::from_bits((biased as u32) << 23)
}

/// `2^n`, for `n` from -126 to 127.
#[inline(always)]
fn power(n: i32) -> f32 {
    f32::from_bits(((n + 127) as u32) << 23)
}

/// A lane of a mask.
#[inline(always)]
fn all_bits_if(condition: bool) -> u32 {
    if condition { u32::MAX } else { 0 }
}
