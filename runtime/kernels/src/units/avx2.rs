//! A row as two 256-bit registers.

use super::strip::{Strip, define_unit_tier};
use crate::lanes::by_instructions;
use std::arch::x86_64::*;

define_unit_tier!(Halves, Avx2, [target_feature(enable = "avx2,fma")]);

/// Samples 0 to 3 and 4 to 7.
#[derive(Clone, Copy)]
struct Halves(__m256d, __m256d);

impl Strip for Halves {
    type Mask = (__m256d, __m256d);

    by_instructions! {
        splat(value: f64) -> Self = Halves(_mm256_set1_pd(value), _mm256_set1_pd(value));
        load(from: *const f64) -> Self = Halves(_mm256_load_pd(from), _mm256_load_pd(from.add(4)));
        store(self: Self, to: *mut f64) -> () = {
            _mm256_store_pd(to, self.0);
            _mm256_store_pd(to.add(4), self.1);
        };
        mul(self: Self, other: Self) -> Self =
            Halves(_mm256_mul_pd(self.0, other.0), _mm256_mul_pd(self.1, other.1));
        add(self: Self, other: Self) -> Self =
            Halves(_mm256_add_pd(self.0, other.0), _mm256_add_pd(self.1, other.1));
        fma(self: Self, factor: Self, term: Self) -> Self = Halves(
            _mm256_fmadd_pd(self.0, factor.0, term.0),
            _mm256_fmadd_pd(self.1, factor.1, term.1),
        );
        exceeds(self: Self, other: Self) -> Self::Mask = (
            _mm256_cmp_pd::<_CMP_NLE_UQ>(self.0, other.0),
            _mm256_cmp_pd::<_CMP_NLE_UQ>(self.1, other.1),
        );
        is_between_zero_and(self: Self, other: Self) -> Self::Mask = {
            let zero = _mm256_setzero_pd();
            let below = |a, b| _mm256_and_pd(
                _mm256_cmp_pd::<_CMP_GT_OQ>(a, zero),
                _mm256_cmp_pd::<_CMP_LT_OQ>(a, b),
            );
            (below(self.0, other.0), below(self.1, other.1))
        };
        where_positive(self: Self, other: Self) -> Self = {
            let zero = _mm256_setzero_pd();
            let keep = |a, b| _mm256_and_pd(a, _mm256_cmp_pd::<_CMP_GT_OQ>(b, zero));
            Halves(keep(self.0, other.0), keep(self.1, other.1))
        };
        is_zero(self: Self) -> bool = {
            let zero = _mm256_setzero_pd();
            let differs = _mm256_or_pd(
                _mm256_cmp_pd::<_CMP_NEQ_UQ>(self.0, zero),
                _mm256_cmp_pd::<_CMP_NEQ_UQ>(self.1, zero),
            );
            _mm256_movemask_pd(differs) == 0
        };
        total(self: Self) -> f64 = {
            let four = _mm256_add_pd(self.0, self.1);
            let two = _mm_add_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd::<1>(four));
            _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)))
        };
        nowhere() -> Self::Mask = (_mm256_setzero_pd(), _mm256_setzero_pd());
        or(a: Self::Mask, b: Self::Mask) -> Self::Mask = (_mm256_or_pd(a.0, b.0), _mm256_or_pd(a.1, b.1));
        bits(mask: Self::Mask) -> u8 =
            (_mm256_movemask_pd(mask.0) | _mm256_movemask_pd(mask.1) << 4) as u8;
    }
}
