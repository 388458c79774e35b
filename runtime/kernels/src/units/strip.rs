//! Eight 64-bit lanes, whatever registers they take.
//!
//! As for the vectors of the dense kernels, every method is inlined into a wrapper that has its tier's
//! instructions. The safety condition of all: the CPU has them, and pointers are valid for eight numbers.

/// Arithmetic on the samples of a row.
pub(super) trait Strip: Copy {
    /// One truth value for each lane.
    type Mask: Copy;

    unsafe fn splat(value: f64) -> Self;
    unsafe fn load(from: *const f64) -> Self;
    unsafe fn store(self, to: *mut f64);
    unsafe fn mul(self, other: Self) -> Self;
    unsafe fn add(self, other: Self) -> Self;
    /// `self * factor + term`, rounded once where the tier can.
    unsafe fn fma(self, factor: Self, term: Self) -> Self;
    /// Where `self <= other` does not hold, so also where one is NaN.
    unsafe fn exceeds(self, other: Self) -> Self::Mask;
    /// Where `0 < self < other`.
    unsafe fn is_between_zero_and(self, other: Self) -> Self::Mask;
    /// `self` where `other` is positive, else 0.
    unsafe fn where_positive(self, other: Self) -> Self;
    /// Whether all lanes are zero.
    unsafe fn is_zero(self) -> bool;
    /// The sum of all lanes.
    unsafe fn total(self) -> f64;
    unsafe fn nowhere() -> Self::Mask;
    unsafe fn or(a: Self::Mask, b: Self::Mask) -> Self::Mask;
    /// Lane `i` as bit `i`.
    unsafe fn bits(mask: Self::Mask) -> u8;
}

/// Makes a tier's table from its strip and target features.
macro_rules! define_unit_tier {
    ($strip:ty, $tier:ident, $attribute:tt) => {
        # $attribute
        unsafe fn up(work: $crate::units::up::Up) -> u8 {
            // SAFETY: the tape was checked, and this is only called where the tier's instructions exist.
            unsafe { $crate::units::up::up::<$strip>(work) }
        }

        # $attribute
        unsafe fn down(work: $crate::units::down::Down) {
            // SAFETY: as above.
            unsafe { $crate::units::down::down::<$strip>(work) }
        }

        /// The kernels of this tier.
        pub(super) static KERNELS: $crate::units::UnitKernels =
            $crate::units::UnitKernels { tier: $crate::Tier::$tier, up, down };
    };
}
pub(super) use define_unit_tier;
