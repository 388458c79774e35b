//! The AVX-512 tier: 16 lanes, 32 registers, masks in registers of their own.
//!
//! A register tile of 4 rows by 64 samples has 16 accumulators, enough to keep both multipliers busy
//! through their latency; measured at 98 % of peak from 16 x 16 up.

// SAFETY: throughout this file: the trait's methods are called only from wrappers that have the target
// feature, on pointers that their callers vouch for.

use super::{Lanes, MAX_LANES, Vector, define_tier};
use crate::kernel::dense::{Panel, strips, tail_strip};
use crate::kernel::flow::dot_rows;
use crate::table::with_kernels;
use std::arch::x86_64::*;

with_kernels!(define_tier, __m512, Avx512, [target_feature(enable = "avx512f")]);

impl Lanes for __m512 {
    /// Whole lanes, not a mask register's integer: the compiler would pack those into vectors to combine them.
    type Mask = __m512i;
    const N: usize = 16;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        unsafe { _mm512_set1_ps(value) }
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        unsafe { _mm512_loadu_ps(from) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        unsafe { _mm512_storeu_ps(to, self) }
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        unsafe { _mm512_add_ps(self, other) }
    }
    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        unsafe { _mm512_sub_ps(self, other) }
    }
    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        unsafe { _mm512_mul_ps(self, other) }
    }
    #[inline(always)]
    unsafe fn div(self, other: Self) -> Self {
        unsafe { _mm512_div_ps(self, other) }
    }
    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        unsafe { _mm512_max_ps(self, other) }
    }
    #[inline(always)]
    unsafe fn min(self, other: Self) -> Self {
        unsafe { _mm512_min_ps(self, other) }
    }
    #[inline(always)]
    unsafe fn fma(self, factor: Self, term: Self) -> Self {
        unsafe { _mm512_fmadd_ps(self, factor, term) }
    }
    #[inline(always)]
    unsafe fn floor(self) -> Self {
        // The immediate: round down, report no inexact result, keep no fraction bits.
        unsafe { _mm512_roundscale_ps::<0x09>(self) }
    }
    #[inline(always)]
    unsafe fn exponent(self) -> Self {
        unsafe { _mm512_getexp_ps(self) }
    }
    #[inline(always)]
    unsafe fn scale(self, by: Self) -> Self {
        unsafe { _mm512_scalef_ps(self, by) }
    }
    #[inline(always)]
    unsafe fn scale_once(self, by: Self) -> Self {
        unsafe { self.scale(by) }
    }
    #[inline(always)]
    unsafe fn gt(self, other: Self) -> __m512i {
        unsafe { lanes_of(_mm512_cmp_ps_mask::<_CMP_GT_OQ>(self, other)) }
    }
    #[inline(always)]
    unsafe fn is_nan(self) -> __m512i {
        unsafe { lanes_of(_mm512_cmp_ps_mask::<_CMP_UNORD_Q>(self, self)) }
    }
    #[inline(always)]
    unsafe fn and(a: __m512i, b: __m512i) -> __m512i {
        unsafe { _mm512_and_si512(a, b) }
    }
    #[inline(always)]
    unsafe fn or(a: __m512i, b: __m512i) -> __m512i {
        unsafe { _mm512_or_si512(a, b) }
    }
    #[inline(always)]
    unsafe fn and_not(a: __m512i, b: __m512i) -> __m512i {
        unsafe { _mm512_andnot_si512(b, a) }
    }
    #[inline(always)]
    unsafe fn select(mask: __m512i, yes: Self, no: Self) -> Self {
        unsafe { _mm512_mask_blend_ps(_mm512_test_epi32_mask(mask, mask), no, yes) }
    }
    #[inline(always)]
    unsafe fn bits(mask: __m512i) -> u64 {
        unsafe { u64::from(_mm512_test_epi32_mask(mask, mask)) }
    }
    #[inline(always)]
    unsafe fn total(self) -> f32 {
        unsafe { _mm512_reduce_add_ps(self) }
    }
}

impl Vector for __m512 {
    // Zen 4 shuffles half as many whole registers a cycle, and a block of 8 needs fewer steps.
    type Block = __m256;

    #[inline(always)]
    unsafe fn load_part(from: *const f32, n: usize) -> Self {
        unsafe { _mm512_maskz_loadu_ps((1 << n) - 1, from) }
    }
    #[inline(always)]
    unsafe fn store_part(self, to: *mut f32, n: usize) {
        unsafe { _mm512_mask_storeu_ps(to, (1 << n) - 1, self) }
    }
    #[inline(always)]
    unsafe fn totals(of: [Self; 4]) -> [f32; 4] {
        unsafe {
            let [a, b, c, d] = [quarter(of[0]), quarter(of[1]), quarter(of[2]), quarter(of[3])];
            let ab = _mm_add_ps(_mm_unpacklo_ps(a, b), _mm_unpackhi_ps(a, b));
            let cd = _mm_add_ps(_mm_unpacklo_ps(c, d), _mm_unpackhi_ps(c, d));
            let sums = _mm_add_ps(_mm_movelh_ps(ab, cd), _mm_movehl_ps(cd, ab));
            let mut out = [0.0; 4];
            _mm_storeu_ps(out.as_mut_ptr(), sums);
            out
        }
    }
    #[inline(always)]
    unsafe fn transpose(block: &mut [Self; MAX_LANES]) {
        unsafe {
            interleave_singles_and_pairs(block);
            let mut t = *block;
            for i in 0..4 {
                t[i] = _mm512_shuffle_f32x4::<0x88>(block[i], block[i + 4]);
                t[i + 4] = _mm512_shuffle_f32x4::<0xdd>(block[i], block[i + 4]);
                t[i + 8] = _mm512_shuffle_f32x4::<0x88>(block[i + 8], block[i + 12]);
                t[i + 12] = _mm512_shuffle_f32x4::<0xdd>(block[i + 8], block[i + 12]);
            }
            for i in 0..8 {
                block[i] = _mm512_shuffle_f32x4::<0x88>(t[i], t[i + 8]);
                block[i + 8] = _mm512_shuffle_f32x4::<0xdd>(t[i], t[i + 8]);
            }
        }
    }
    #[inline(always)]
    unsafe fn multiply_panel(panel: Panel, columns: usize) {
        unsafe {
            let (panel, columns) = strips::<Self, 4, 4>(panel, columns);
            let (panel, columns) = strips::<Self, 8, 2>(panel, columns);
            let (panel, columns) = strips::<Self, 16, 1>(panel, columns);
            tail_strip::<Self, 16>(panel, columns);
        }
    }
    #[inline(always)]
    unsafe fn dot_rows(m: usize, k: usize, r: *const f32, e: *const f32, dw: *mut f32, row_stride: usize) {
        unsafe { dot_rows::<Self, 4>(m, k, r, e, dw, row_stride) }
    }
}

/// All bits of the lanes whose bit is set; the compiler sees through it and keeps mask registers.
#[inline(always)]
unsafe fn lanes_of(mask: __mmask16) -> __m512i {
    unsafe { _mm512_maskz_set1_epi32(mask, -1) }
}

/// The sums of lanes 0, 4, 8, 12, of lanes 1, 5, 9, 13, and so on.
#[inline(always)]
unsafe fn quarter(v: __m512) -> __m128 {
    unsafe {
        let high = _mm256_castpd_ps(_mm512_extractf64x4_pd::<1>(_mm512_castps_pd(v)));
        let half = _mm256_add_ps(_mm512_castps512_ps256(v), high);
        _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps::<1>(half))
    }
}

/// Transposes each 4 x 4 block within four rows, the first half of a 16 x 16 transpose.
#[inline(always)]
unsafe fn interleave_singles_and_pairs(block: &mut [__m512; MAX_LANES]) {
    unsafe {
        let mut t = *block;
        for i in 0..8 {
            t[2 * i] = _mm512_unpacklo_ps(block[2 * i], block[2 * i + 1]);
            t[2 * i + 1] = _mm512_unpackhi_ps(block[2 * i], block[2 * i + 1]);
        }
        for i in 0..8 {
            // Rows 0, 1 of a block of four with rows 2, 3.
            let (low, row) = (4 * (i / 2) + i % 2, 4 * (i / 2) + 2 * (i % 2));
            let (a, b) = (_mm512_castps_pd(t[low]), _mm512_castps_pd(t[low + 2]));
            block[row] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, b));
            block[row + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, b));
        }
    }
}
