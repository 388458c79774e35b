//! A row as one 512-bit register.

use super::strip::{Strip, define_unit_tier};
use crate::lanes::by_instructions;
use std::arch::x86_64::*;

define_unit_tier!(__m512d, Avx512, [target_feature(enable = "avx512f,avx2,fma")]);

impl Strip for __m512d {
    type Mask = __mmask8;

    by_instructions! {
        splat(value: f64) -> Self = _mm512_set1_pd(value);
        load(from: *const f64) -> Self = _mm512_load_pd(from);
        store(self: Self, to: *mut f64) -> () = _mm512_store_pd(to, self);
        mul(self: Self, other: Self) -> Self = _mm512_mul_pd(self, other);
        add(self: Self, other: Self) -> Self = _mm512_add_pd(self, other);
        fma(self: Self, factor: Self, term: Self) -> Self = _mm512_fmadd_pd(self, factor, term);
        exceeds(self: Self, other: Self) -> __mmask8 = _mm512_cmp_pd_mask::<_CMP_NLE_UQ>(self, other);
        is_between_zero_and(self: Self, other: Self) -> __mmask8 = {
            let is_positive = _mm512_cmp_pd_mask::<_CMP_GT_OQ>(self, _mm512_setzero_pd());
            _mm512_mask_cmp_pd_mask::<_CMP_LT_OQ>(is_positive, self, other)
        };
        where_positive(self: Self, other: Self) -> Self = {
            let is_positive = _mm512_cmp_pd_mask::<_CMP_GT_OQ>(other, _mm512_setzero_pd());
            _mm512_maskz_mov_pd(is_positive, self)
        };
        is_zero(self: Self) -> bool = _mm512_cmp_pd_mask::<_CMP_NEQ_UQ>(self, _mm512_setzero_pd()) == 0;
        total(self: Self) -> f64 = _mm512_reduce_add_pd(self);
    }

    #[inline(always)]
    unsafe fn nowhere() -> __mmask8 {
        0
    }

    #[inline(always)]
    unsafe fn or(a: __mmask8, b: __mmask8) -> __mmask8 {
        a | b
    }

    #[inline(always)]
    unsafe fn bits(mask: __mmask8) -> u8 {
        mask
    }
}
