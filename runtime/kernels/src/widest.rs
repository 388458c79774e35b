//! Plain loops at the full width of this CPU's vectors.
//!
//! In: [`Loops`], some work as a value. Out: what it returns. Loops that the compiler turns into vector code
//! by itself need no kernel of their own, but a build for any x86-64 gives them 128-bit vectors; here the same
//! loops are compiled once for each tier. No tier contracts a product and a sum, so all give the same bits.

use crate::tier::{Tier, kernels};

/// Work whose loops profit from wide vectors.
pub trait Loops {
    /// What comes of it.
    type Output;

    /// Does it. This function, and what it calls in its loops, should be `#[inline(always)]`: only what is
    /// inlined is widened.
    fn run(self) -> Self::Output;
}

/// Does the work with the vectors of the tier that [`kernels`] chose.
#[inline]
pub fn at_full_width<L: Loops>(work: L) -> L::Output {
    match kernels().map_or(Tier::Portable, |kernels| kernels.tier) {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: a tier is only chosen when the CPU has its instructions.
        Tier::Avx512 => unsafe { with_avx512(work) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Tier::Avx2 => unsafe { with_avx2(work) },
        _ => work.run(),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx2,fma")]
fn with_avx512<L: Loops>(work: L) -> L::Output {
    work.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn with_avx2<L: Loops>(work: L) -> L::Output {
    work.run()
}
