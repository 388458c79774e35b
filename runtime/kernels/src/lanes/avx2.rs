//! The AVX2 and FMA tier: 8 lanes, 16 registers.
//!
//! A register tile of 6 rows by 16 samples has 12 accumulators and leaves room for its operands.

use super::{Lanes, MAX_LANES, Vector, by_instructions, define_tier};
use crate::kernel::bundle::Strip;
use crate::kernel::dense::{Columns, Panel, Sink, strips, tail_strip};
use crate::kernel::flow::Flow;
use crate::kernel::product::Product;
use crate::kernel::sum::Sums;
use crate::table::with_kernels;
use std::arch::x86_64::*;

with_kernels!(define_tier, __m256, Avx2, [target_feature(enable = "avx2,fma")]);

impl Lanes for __m256 {
    type Mask = __m256;
    const N: usize = 8;

    by_instructions! {
        splat(value: f32) -> Self = _mm256_set1_ps(value);
        load(from: *const f32) -> Self = _mm256_loadu_ps(from);
        store(self: Self, to: *mut f32) -> () = _mm256_storeu_ps(to, self);
        add(self: Self, other: Self) -> Self = _mm256_add_ps(self, other);
        sub(self: Self, other: Self) -> Self = _mm256_sub_ps(self, other);
        mul(self: Self, other: Self) -> Self = _mm256_mul_ps(self, other);
        div(self: Self, other: Self) -> Self = _mm256_div_ps(self, other);
        reciprocal(self: Self) -> Self = _mm256_div_ps(_mm256_set1_ps(1.0), self);
        max(self: Self, other: Self) -> Self = _mm256_max_ps(self, other);
        min(self: Self, other: Self) -> Self = _mm256_min_ps(self, other);
        fma(self: Self, factor: Self, term: Self) -> Self = _mm256_fmadd_ps(self, factor, term);
        floor(self: Self) -> Self = _mm256_floor_ps(self);
        exponent(self: Self) -> Self = {
            let biased = _mm256_srli_epi32::<23>(_mm256_castps_si256(self));
            let exponent = _mm256_cvtepi32_ps(_mm256_sub_epi32(biased, _mm256_set1_epi32(127)));
            Self::select(self.is_positive(), exponent, Self::splat(f32::NEG_INFINITY))
        };
        inverse_power(self: Self) -> Self = {
            let bits = _mm256_and_si256(_mm256_castps_si256(self), _mm256_set1_epi32(0x7f80_0000));
            _mm256_castsi256_ps(_mm256_sub_epi32(_mm256_set1_epi32(254 << 23), bits))
        };
        scale(self: Self, by: Self) -> Self = {
            // Two factors of at most 2^126 each way, since one cannot hold the whole range.
            let limit = _mm256_set1_ps(252.0);
            let by = by.min(limit).max(Lanes::sub(_mm256_setzero_ps(), limit));
            let by = _mm256_cvtps_epi32(by);
            let half = _mm256_srai_epi32::<1>(by);
            let rest = _mm256_sub_epi32(by, half);
            _mm256_mul_ps(_mm256_mul_ps(self, power(half)), power(rest))
        };
        scale_once(self: Self, by: Self) -> Self = {
            let biased = _mm256_add_ps(_mm256_set1_ps(127.0), by);
            let biased = _mm256_cvtps_epi32(_mm256_max_ps(biased, _mm256_setzero_ps()));
            _mm256_mul_ps(self, _mm256_castsi256_ps(_mm256_slli_epi32::<23>(biased)))
        };
        gt(self: Self, other: Self) -> __m256 = _mm256_cmp_ps::<_CMP_GT_OQ>(self, other);
        is_nan(self: Self) -> __m256 = _mm256_cmp_ps::<_CMP_UNORD_Q>(self, self);
        has_bits_of(self: Self, other: Self) -> __m256 = _mm256_castsi256_ps(
            _mm256_cmpeq_epi32(_mm256_castps_si256(self), _mm256_castps_si256(other)),
        );
        and(a: __m256, b: __m256) -> __m256 = _mm256_and_ps(a, b);
        or(a: __m256, b: __m256) -> __m256 = _mm256_or_ps(a, b);
        and_not(a: __m256, b: __m256) -> __m256 = _mm256_andnot_ps(b, a);
        select(mask: __m256, yes: Self, no: Self) -> Self = _mm256_blendv_ps(no, yes, mask);
        // The cast to `u8` keeps the eight sign bits and no more.
        bits(mask: __m256) -> u64 = u64::from(_mm256_movemask_ps(mask) as u8);
        total(self: Self) -> f32 = {
            let half = halves(self);
            let pair = _mm_add_ps(half, _mm_movehl_ps(half, half));
            _mm_cvtss_f32(_mm_add_ss(pair, _mm_shuffle_ps::<1>(pair, pair)))
        };
    }
}

impl Vector for __m256 {
    type Block = __m256;

    by_instructions! {
        load_part(from: *const f32, n: usize) -> Self = _mm256_maskload_ps(from, first(n));
        store_part(self: Self, to: *mut f32, n: usize) -> () = _mm256_maskstore_ps(to, first(n), self);
        totals(of: [Self; 4]) -> [f32; 4] = {
            let [a, b, c, d] = [halves(of[0]), halves(of[1]), halves(of[2]), halves(of[3])];
            let ab = _mm_add_ps(_mm_unpacklo_ps(a, b), _mm_unpackhi_ps(a, b));
            let cd = _mm_add_ps(_mm_unpacklo_ps(c, d), _mm_unpackhi_ps(c, d));
            let sums = _mm_add_ps(_mm_movelh_ps(ab, cd), _mm_movehl_ps(cd, ab));
            let mut out = [0.0; 4];
            _mm_storeu_ps(out.as_mut_ptr(), sums);
            out
        };
        transpose(block: &mut [Self; MAX_LANES]) -> () = {
            let mut t = *block;
            for i in 0..4 {
                t[2 * i] = _mm256_unpacklo_ps(block[2 * i], block[2 * i + 1]);
                t[2 * i + 1] = _mm256_unpackhi_ps(block[2 * i], block[2 * i + 1]);
            }
            for i in 0..4 {
                // Rows 0, 1 of a block of four with rows 2, 3.
                let (low, row) = (4 * (i / 2) + i % 2, 4 * (i / 2) + 2 * (i % 2));
                block[row] = _mm256_shuffle_ps::<0x44>(t[low], t[low + 2]);
                block[row + 1] = _mm256_shuffle_ps::<0xee>(t[low], t[low + 2]);
            }
            for i in 0..4 {
                let (a, b) = (block[i], block[i + 4]);
                block[i] = _mm256_permute2f128_ps::<0x20>(a, b);
                block[i + 4] = _mm256_permute2f128_ps::<0x31>(a, b);
            }
        };
        columns(rows: &[*const f32; MAX_LANES], first: usize, n: usize) -> [Self; 4] = match n {
            4.. => columns(rows, |row| _mm_loadu_ps(row.add(first))),
            _ => {
                let exists = _mm_cmpgt_epi32(_mm_set1_epi32(n as i32), _mm_setr_epi32(0, 1, 2, 3));
                columns(rows, |row| _mm_maskload_ps(row.add(first), exists))
            }
        };
        product_by_steps(product: &Product, strip: Strip) -> () = product_by_steps(product, strip);
        normalise_sums(sums: &Sums, strip: Strip) -> () = normalise_sums(sums, strip);
        dot_rows(flow: Flow) -> () = flow.dot::<Self, 2>();
    }

    #[inline(always)]
    unsafe fn multiply_panel<S: Sink<Self>>(panel: Panel, sink: &mut S, columns: usize) {
        // SAFETY: as for the trait.
        unsafe {
            let columns = Columns { next: 0, end: columns };
            let columns = strips::<Self, S, 6, 2>(panel, sink, columns);
            let columns = strips::<Self, S, 8, 1>(panel, sink, columns);
            tail_strip::<Self, S, 8>(panel, sink, columns);
        }
    }
}

/// `2^n` in each lane, for `n` from -126 to 127.
#[inline(always)]
unsafe fn power(n: __m256i) -> __m256 {
    // SAFETY: as for the traits.
    unsafe { _mm256_castsi256_ps(_mm256_slli_epi32::<23>(_mm256_add_epi32(n, _mm256_set1_epi32(127)))) }
}

/// A mask of the first `n` lanes.
#[inline(always)]
unsafe fn first(n: usize) -> __m256i {
    // SAFETY: as for the traits.
    unsafe {
        let lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
        _mm256_cmpgt_epi32(_mm256_set1_epi32(n as i32), lane)
    }
}

/// The lower half plus the upper half.
#[inline(always)]
unsafe fn halves(v: __m256) -> __m128 {
    // SAFETY: as for the traits.
    unsafe { _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps::<1>(v)) }
}

/// The four columns of eight rows, each loaded by `load`: pairs of rows share a vector, so that two steps
/// within 128 bits transpose them.
#[inline(always)]
unsafe fn columns(rows: &[*const f32; MAX_LANES], load: impl Fn(*const f32) -> __m128) -> [__m256; 4] {
    // SAFETY: as for the traits.
    unsafe {
        let mut pair = [_mm256_setzero_ps(); 4];
        for i in 0..4 {
            pair[i] = _mm256_insertf128_ps::<1>(_mm256_castps128_ps256(load(rows[i])), load(rows[i + 4]));
        }
        let low = [_mm256_unpacklo_ps(pair[0], pair[1]), _mm256_unpacklo_ps(pair[2], pair[3])];
        let high = [_mm256_unpackhi_ps(pair[0], pair[1]), _mm256_unpackhi_ps(pair[2], pair[3])];
        [
            _mm256_shuffle_ps::<0x44>(low[0], low[1]),
            _mm256_shuffle_ps::<0xee>(low[0], low[1]),
            _mm256_shuffle_ps::<0x44>(high[0], high[1]),
            _mm256_shuffle_ps::<0xee>(high[0], high[1]),
        ]
    }
}
