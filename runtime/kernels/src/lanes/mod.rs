//! Vectors of a tier, so that a kernel is written once.
//!
//! [`Lanes`] is elementwise arithmetic on a vector of `f32`; [`Vector`] is what a machine register can do
//! besides (transposing, register tiles); [`Quad`] is four registers side by side, which is how rows are
//! walked. One file for each tier implements the traits and makes its table of wrappers.
//! No kernel's meaning may live here.
//!
//! Every method is `#[inline(always)]` and has no target feature of its own: it becomes part of a wrapper
//! that has. Hence the one safety condition of all of them: the CPU has the instructions of the tier, and
//! pointers are valid for what is read or written through them.

pub(crate) mod portable;
mod quad;

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;

pub(crate) use quad::Quad;

use crate::kernel::bundle::Strip;
use crate::kernel::dense::{Panel, Sink};
use crate::kernel::flow::Flow;
use crate::kernel::product::Product;
use crate::kernel::sum::Sums;

/// Elementwise arithmetic on `N` values.
pub(crate) trait Lanes: Copy {
    /// One truth value for each lane.
    type Mask: Copy;
    /// The number of lanes.
    const N: usize;

    unsafe fn splat(value: f32) -> Self;
    unsafe fn load(from: *const f32) -> Self;
    unsafe fn store(self, to: *mut f32);
    unsafe fn add(self, other: Self) -> Self;
    unsafe fn sub(self, other: Self) -> Self;
    unsafe fn mul(self, other: Self) -> Self;
    unsafe fn div(self, other: Self) -> Self;
    /// The larger of two; `other` where either is NaN.
    unsafe fn max(self, other: Self) -> Self;
    /// `1 / self`, nearly correctly rounded, for positive normal values.
    unsafe fn reciprocal(self) -> Self;
    /// The smaller of two; `other` where either is NaN.
    unsafe fn min(self, other: Self) -> Self;
    /// `self * factor + term`, rounded once where the tier can.
    unsafe fn fma(self, factor: Self, term: Self) -> Self;
    /// The largest integer not over `self`, for values up to `2^24` in size.
    unsafe fn floor(self) -> Self;
    /// `floor(log2(self))` of positive normal values, minus infinity of 0; of others, some value.
    unsafe fn exponent(self) -> Self;
    /// `2^-floor(log2(self))` of positive normal values under `2^127`, and `2^127` of 0.
    unsafe fn inverse_power(self) -> Self;
    /// `self * 2^by` for integer-valued `by` of any size, for results that are 0, normal or infinite.
    unsafe fn scale(self, by: Self) -> Self;
    /// `self * 2^by` for integer-valued `by` up to 127, but 0 where `by` is under -126.
    unsafe fn scale_once(self, by: Self) -> Self;
    /// Where `self > other`; false for NaN.
    unsafe fn gt(self, other: Self) -> Self::Mask;
    unsafe fn is_nan(self) -> Self::Mask;
    /// Where the two have the same bits, whatever numbers those are.
    unsafe fn has_bits_of(self, other: Self) -> Self::Mask;
    unsafe fn and(a: Self::Mask, b: Self::Mask) -> Self::Mask;
    unsafe fn or(a: Self::Mask, b: Self::Mask) -> Self::Mask;
    /// Where `a` and not `b`.
    unsafe fn and_not(a: Self::Mask, b: Self::Mask) -> Self::Mask;
    /// `yes` where the mask is set, else `no`.
    unsafe fn select(mask: Self::Mask, yes: Self, no: Self) -> Self;
    /// Lane `i` as bit `i`.
    unsafe fn bits(mask: Self::Mask) -> u64;
    /// The sum of all lanes.
    unsafe fn total(self) -> f32;

    /// Where `self` is positive.
    #[inline(always)]
    unsafe fn is_positive(self) -> Self::Mask {
        // SAFETY: as for the trait.
        unsafe { self.gt(Self::splat(0.0)) }
    }

    /// No lane at all.
    #[inline(always)]
    unsafe fn nowhere() -> Self::Mask {
        // SAFETY: as for the trait.
        unsafe { Self::splat(0.0).gt(Self::splat(0.0)) }
    }
}

/// The largest `N` of a [`Vector`].
pub(crate) const MAX_LANES: usize = 16;

/// One machine vector, at most [`MAX_LANES`] wide; its width divides 64.
pub(crate) trait Vector: Lanes {
    /// The vector whose blocks this tier transposes fastest.
    type Block: Vector;

    /// The first `n < N` lanes from memory, the others 0.
    unsafe fn load_part(from: *const f32, n: usize) -> Self;
    /// The first `n < N` lanes to memory.
    unsafe fn store_part(self, to: *mut f32, n: usize);
    /// The sums of all lanes of four vectors.
    unsafe fn totals(of: [Self; 4]) -> [f32; 4];
    /// Transposes the leading `N x N` block.
    unsafe fn transpose(block: &mut [Self; MAX_LANES]);
    /// Four columns of `N` rows, from `first` on, of which the first `n` exist; the others are 0.
    unsafe fn columns(rows: &[*const f32; MAX_LANES], first: usize, n: usize) -> [Self; 4];
    /// [`Product::by_steps`], not inlined.
    unsafe fn product_by_steps(product: &Product, strip: Strip);
    /// [`Sums::normalise`], not inlined.
    unsafe fn normalise_sums(sums: &Sums, strip: Strip);
    /// Runs a panel of a matrix product over its first columns, by the tier's register tiles.
    unsafe fn multiply_panel<S: Sink<Self>>(panel: Panel, sink: &mut S, columns: usize);
    /// [`Flow::dot`] by the tier's register tile.
    unsafe fn dot_rows(flow: Flow);
}

/// Asks for a cache line that will be needed soon.
///
/// # Safety
/// None but that of the pointer's arithmetic: nothing is read.
#[inline(always)]
pub(crate) unsafe fn fetch(line: *const f32) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every x86-64 has the instruction, and it faults nowhere.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(line.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = line;
}

/// Asks for a cache line that will be needed, but not at once: it comes as near as the second cache.
///
/// # Safety
/// As for [`fetch`].
#[inline(always)]
pub(crate) unsafe fn fetch_far(line: *const f32) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every x86-64 has the instruction, and it faults nowhere.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T1>(line.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = line;
}

/// Methods of a tier, each one expression over instructions.
#[cfg(target_arch = "x86_64")]
macro_rules! by_instructions {
    ($($name:ident($($arg:ident : $ty:ty),*) -> $out:ty = $expression:expr;)*) => { $(
        #[inline(always)]
        unsafe fn $name($($arg: $ty),*) -> $out {
            // SAFETY: inlined only into wrappers that have the tier's instructions, on pointers that the
            // caller vouches for.
            unsafe { $expression }
        }
    )* };
}
#[cfg(target_arch = "x86_64")]
pub(crate) use by_instructions;

/// Makes a tier: a C wrapper for each kernel, with the tier's target features, and the table of them.
macro_rules! define_tier {
    ($lanes:ident $tier:ident $attribute:tt ;
     $( $(#[$doc:meta])* $name:ident ( $($arg:ident : $ty:ty),* $(,)? ); )*) => {
        mod wrapper {
            use super::$lanes;
            use crate::{Factor, GivenRows, NormalLeaf, Tiles};
            $(
                # $attribute
                pub(super) unsafe extern "C" fn $name($($arg: $ty),*) {
                    // SAFETY: the caller keeps the kernel's contract, and a table is only handed out on a
                    // CPU that has the tier's instructions.
                    unsafe { crate::kernel::$name::<$lanes>($($arg),*) }
                }
            )*
        }

        /// [`Product::by_steps`](crate::kernel::product::Product::by_steps), called where it is rarely needed.
        # $attribute
        #[cold]
        unsafe fn product_by_steps(
            product: &crate::kernel::product::Product,
            strip: crate::kernel::bundle::Strip,
        ) {
            // SAFETY: as for the caller.
            unsafe { product.by_steps::<$lanes>(strip) }
        }

        /// [`Sums::normalise`](crate::kernel::sum::Sums::normalise), likewise.
        # $attribute
        #[cold]
        unsafe fn normalise_sums(sums: &crate::kernel::sum::Sums, strip: crate::kernel::bundle::Strip) {
            // SAFETY: as for the caller.
            unsafe { sums.normalise::<$lanes>(strip) }
        }

        /// The wrappers of this tier.
        pub(crate) static KERNELS: crate::Kernels =
            crate::Kernels { tier: crate::Tier::$tier, $($name: wrapper::$name),* };
    };
}
pub(crate) use define_tier;
