//! Circuits of single units in 64-bit floats: a tape of sums of products, run over rows of eight samples.
//!
//! An irregular circuit (a PSDD, an SDD, a learned tree) has no matrices, and a million units are too many
//! for a million calls. Here the circuit is data: a [`Tape`] lists its units, children first, each as a sum
//! of products of two rows. One [`Row`] is a cache line, so that reading a child wherever it lies costs one
//! line and no more; what a unit costs is its loads.
//!
//! In: a tape, weights of its terms, rows that hold the leaves. Out: the rows of all units, marks of samples
//! whose numbers left the safe range, and on the way down derivatives and statistics.
//! Tapes are checked once, when they are made; from then on running them is safe.
//!
//! # Range
//!
//! Values are linear, without exponents. A value that is neither zero nor within [`SMALLEST`] and
//! [`LARGEST`] marks its sample. Where all weights are within `2^-400` and `2^400`, no product of a term then
//! leaves the normal numbers, so no value is lost unseen: an exact zero is one. A weight beyond those may be
//! stood for by [`FORBIDDEN`], which marks every sample in which its term is not zero.

mod down;
mod portable;
mod strip;
mod tape;
mod up;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;

pub use tape::{Links, Tape, Term, UnitSum};

use crate::{Tier, kernels};

/// Samples of a row.
pub const LANES: usize = 8;

/// The row that always holds ones: the second factor of a term that has one.
pub const ONE: u32 = 0;

/// Values other than zero are at least this.
pub const SMALLEST: f64 = 1.0 / LARGEST;

/// Values are at most this, `2^300`.
pub const LARGEST: f64 = f64::from_bits((1023 + 300) << 52);

/// The weight, `2^1000`, of a term that no good sample may have.
pub const FORBIDDEN: f64 = f64::from_bits((1023 + 1000) << 52);

/// A unit's numbers for eight samples, as long as a cache line and aligned to one.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C, align(64))]
pub struct Row(pub [f64; LANES]);

impl Row {
    /// The same number for each sample.
    pub const fn splat(value: f64) -> Self {
        Row([value; LANES])
    }
}

/// The kernels of one tier.
pub struct UnitKernels {
    /// The tier.
    pub tier: Tier,
    up: unsafe fn(up::Up) -> u8,
    down: unsafe fn(down::Down),
}

/// The kernels to use, of the same tier as those of [`kernels`].
///
/// # Errors
/// As for [`kernels`].
pub fn unit_kernels() -> Result<&'static UnitKernels, String> {
    let tier = kernels()?.tier;
    unit_tier(tier).ok_or_else(|| format!("this CPU lacks {}", tier.name()))
}

/// The kernels of a tier, or `None` where the CPU lacks it.
pub fn unit_tier(tier: Tier) -> Option<&'static UnitKernels> {
    if !tier.is_supported() {
        return None;
    }
    match tier {
        #[cfg(target_arch = "x86_64")]
        Tier::Avx512 => Some(&avx512::KERNELS),
        #[cfg(target_arch = "x86_64")]
        Tier::Avx2 => Some(&avx2::KERNELS),
        Tier::Portable => Some(&portable::KERNELS),
        #[cfg(not(target_arch = "x86_64"))]
        Tier::Avx512 | Tier::Avx2 => None,
    }
}
