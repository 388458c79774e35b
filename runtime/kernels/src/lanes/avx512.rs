//! The AVX-512 tier: 16 lanes, 32 registers, masks in registers of their own.
//!
//! A register tile of 4 rows by 64 samples has 16 accumulators, enough to keep both multipliers busy
//! through their latency; measured at 98 % of peak from 16 x 16 up.

use super::{Lanes, MAX_LANES, Vector, by_instructions, define_tier};
use crate::kernel::bundle::Strip;
use crate::kernel::dense::{Columns, Panel, Sink, strips, tail_strip};
use crate::kernel::flow::Flow;
use crate::kernel::product::Product;
use crate::kernel::sum::Sums;
use crate::table::with_kernels;
use std::arch::x86_64::*;

with_kernels!(define_tier, __m512, Avx512, [target_feature(enable = "avx512f,avx512vl")]);

impl Lanes for __m512 {
    /// Whole lanes, not a mask register's integer: the compiler would pack those into vectors to combine them.
    type Mask = __m512i;
    const N: usize = 16;

    by_instructions! {
        splat(value: f32) -> Self = _mm512_set1_ps(value);
        load(from: *const f32) -> Self = _mm512_loadu_ps(from);
        store(self: Self, to: *mut f32) -> () = _mm512_storeu_ps(to, self);
        add(self: Self, other: Self) -> Self = _mm512_add_ps(self, other);
        sub(self: Self, other: Self) -> Self = _mm512_sub_ps(self, other);
        mul(self: Self, other: Self) -> Self = _mm512_mul_ps(self, other);
        div(self: Self, other: Self) -> Self = _mm512_div_ps(self, other);
        reciprocal(self: Self) -> Self = {
            // One step of Newton's: the estimate has 14 bits.
            let estimate = _mm512_rcp14_ps(self);
            let error = _mm512_fnmadd_ps(self, estimate, _mm512_set1_ps(1.0));
            _mm512_fmadd_ps(estimate, error, estimate)
        };
        max(self: Self, other: Self) -> Self = _mm512_max_ps(self, other);
        min(self: Self, other: Self) -> Self = _mm512_min_ps(self, other);
        fma(self: Self, factor: Self, term: Self) -> Self = _mm512_fmadd_ps(self, factor, term);
        // The immediate: round down, report no inexact result, keep no fraction bits.
        floor(self: Self) -> Self = _mm512_roundscale_ps::<0x09>(self);
        exponent(self: Self) -> Self = _mm512_getexp_ps(self);
        inverse_power(self: Self) -> Self = {
            let bits = _mm512_and_si512(_mm512_castps_si512(self), _mm512_set1_epi32(0x7f80_0000));
            _mm512_castsi512_ps(_mm512_sub_epi32(_mm512_set1_epi32(254 << 23), bits))
        };
        scale(self: Self, by: Self) -> Self = _mm512_scalef_ps(self, by);
        scale_once(self: Self, by: Self) -> Self = self.scale(by);
        gt(self: Self, other: Self) -> Self::Mask = lanes_of(_mm512_cmp_ps_mask::<_CMP_GT_OQ>(self, other));
        is_nan(self: Self) -> Self::Mask = lanes_of(_mm512_cmp_ps_mask::<_CMP_UNORD_Q>(self, self));
        has_bits_of(self: Self, other: Self) -> Self::Mask =
            lanes_of(_mm512_cmpeq_epi32_mask(_mm512_castps_si512(self), _mm512_castps_si512(other)));
        and(a: __m512i, b: __m512i) -> Self::Mask = _mm512_and_si512(a, b);
        or(a: __m512i, b: __m512i) -> Self::Mask = _mm512_or_si512(a, b);
        and_not(a: __m512i, b: __m512i) -> Self::Mask = _mm512_andnot_si512(b, a);
        select(mask: __m512i, yes: Self, no: Self) -> Self =
            _mm512_mask_blend_ps(_mm512_test_epi32_mask(mask, mask), no, yes);
        bits(mask: __m512i) -> u64 = u64::from(_mm512_test_epi32_mask(mask, mask));
        total(self: Self) -> f32 = _mm512_reduce_add_ps(self);
    }
}

impl Vector for __m512 {
    // Zen 4 shuffles half as many whole registers a cycle, and a block of 8 needs fewer steps.
    type Block = __m256;

    by_instructions! {
        load_part(from: *const f32, n: usize) -> Self = _mm512_maskz_loadu_ps((1 << n) - 1, from);
        store_part(self: Self, to: *mut f32, n: usize) -> () =
            _mm512_mask_storeu_ps(to, (1 << n) - 1, self);
        totals(of: [Self; 4]) -> [f32; 4] = {
            let [a, b, c, d] = [quarter(of[0]), quarter(of[1]), quarter(of[2]), quarter(of[3])];
            let ab = _mm_add_ps(_mm_unpacklo_ps(a, b), _mm_unpackhi_ps(a, b));
            let cd = _mm_add_ps(_mm_unpacklo_ps(c, d), _mm_unpackhi_ps(c, d));
            let sums = _mm_add_ps(_mm_movelh_ps(ab, cd), _mm_movehl_ps(cd, ab));
            let mut out = [0.0; 4];
            _mm_storeu_ps(out.as_mut_ptr(), sums);
            out
        };
        transpose(block: &mut [Self; MAX_LANES]) -> () = {
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
        };
        columns(rows: &[*const f32; MAX_LANES], first: usize, n: usize) -> [Self; 4] = match n {
            4.. => columns(rows, first, 0xf),
            _ => columns(rows, first, (1 << n) - 1),
        };
        product_by_steps(product: &Product, strip: Strip) -> () = product_by_steps(product, strip);
        normalise_sums(sums: &Sums, strip: Strip) -> () = normalise_sums(sums, strip);
        dot_rows(flow: Flow) -> () = flow.dot::<Self, 4>();
    }

    #[inline(always)]
    unsafe fn multiply_panel<S: Sink<Self>>(panel: Panel, sink: &mut S, columns: usize) {
        // SAFETY: as for the trait.
        unsafe {
            let columns = Columns { next: 0, end: columns };
            let columns = strips::<Self, S, 4, 4>(panel, sink, columns);
            let columns = strips::<Self, S, 8, 2>(panel, sink, columns);
            let columns = strips::<Self, S, 16, 1>(panel, sink, columns);
            tail_strip::<Self, S, 16>(panel, sink, columns);
        }
    }
}

/// All bits of the lanes whose bit is set; the compiler sees through it and keeps mask registers.
#[inline(always)]
unsafe fn lanes_of(mask: __mmask16) -> __m512i {
    // SAFETY: as for the traits.
    unsafe { _mm512_maskz_set1_epi32(mask, -1) }
}

/// Four columns of sixteen rows, `mask` of them: each vector takes four numbers of four rows, so that two
/// steps within 128 bits transpose them.
#[inline(always)]
unsafe fn columns(rows: &[*const f32; MAX_LANES], first: usize, mask: __mmask8) -> [__m512; 4] {
    // SAFETY: as for the traits.
    unsafe {
        let mut rows_of_four = [_mm512_setzero_ps(); 4];
        for i in 0..4 {
            let quarter = |row: usize| _mm_maskz_loadu_ps(mask, rows[row].add(first));
            let four = _mm512_castps128_ps512(quarter(i));
            let four = _mm512_mask_broadcast_f32x4(four, 0x00f0, quarter(i + 4));
            let four = _mm512_mask_broadcast_f32x4(four, 0x0f00, quarter(i + 8));
            rows_of_four[i] = _mm512_mask_broadcast_f32x4(four, 0xf000, quarter(i + 12));
        }
        let [a, b, c, d] = rows_of_four;
        let (low, high) = (_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
        let (next_low, next_high) = (_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
        [
            _mm512_shuffle_ps::<0x44>(low, next_low),
            _mm512_shuffle_ps::<0xee>(low, next_low),
            _mm512_shuffle_ps::<0x44>(high, next_high),
            _mm512_shuffle_ps::<0xee>(high, next_high),
        ]
    }
}

/// The sums of lanes 0, 4, 8, 12, of lanes 1, 5, 9, 13, and so on.
#[inline(always)]
unsafe fn quarter(v: __m512) -> __m128 {
    // SAFETY: as for the traits.
    unsafe {
        let high = _mm256_castpd_ps(_mm512_extractf64x4_pd::<1>(_mm512_castps_pd(v)));
        let half = _mm256_add_ps(_mm512_castps512_ps256(v), high);
        _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps::<1>(half))
    }
}

/// Transposes each 4 x 4 block within four rows, the first half of a 16 x 16 transpose.
#[inline(always)]
unsafe fn interleave_singles_and_pairs(block: &mut [__m512; MAX_LANES]) {
    // SAFETY: as for the traits.
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
