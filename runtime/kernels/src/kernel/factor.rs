//! Reading the factors of products: rows of blocks, and table rows of discrete leaves.

use crate::lanes::{MAX_LANES, Vector};
use crate::{Factor, LEAF, TILE};
use std::mem::MaybeUninit;

/// Where the values of factors lie.
#[derive(Clone, Copy)]
pub(super) struct Source {
    pub width: usize,
    pub base: *const f32,
    pub tables: *const f32,
    pub row_exponents: *const f32,
}

impl Source {
    /// `4 * B` units of a block from `first` on; where `PART`, those that don't exist are 0.
    #[inline(always)]
    pub unsafe fn block<V: Vector, const PART: bool, const B: usize>(
        self,
        factor: Factor,
        first: usize,
        at: usize,
    ) -> [[V; 4]; B] {
        // SAFETY: the caller's factor has unit `first`, and a strip at `at`.
        unsafe {
            let rows = self.base.add((factor.rows as usize + first) * TILE + at);
            let mut values = [[V::splat(0.0); 4]; B];
            for b in 0..B {
                for i in 0..4 {
                    if !PART || first + 4 * b + i < self.width {
                        values[b][i] = V::load(rows.add((4 * b + i) * TILE));
                    }
                }
            }
            values
        }
    }

    /// `4 * B` units of a leaf from `first` on, as its table has them; where `PART`, those that don't exist
    /// are 0.
    #[inline(always)]
    pub unsafe fn leaf<V: Vector, const PART: bool, const B: usize>(
        self,
        factor: Factor,
        first: usize,
        at: usize,
    ) -> [[V; 4]; B] {
        // SAFETY: the caller's factor has unit `first`, codes at `at`, and a table row for each.
        unsafe {
            let mut known = MaybeUninit::uninit();
            let codes = Codes::<V>::of(self.base.add(factor.rows as usize * TILE + at), &mut known);
            let table = self.tables.add(factor.table as usize + first);
            let mut rows = [table; MAX_LANES];
            for i in 0..V::N {
                rows[i] = table.add(*codes.known.add(i) as usize * self.width);
            }
            let n = if PART { self.width - first } else { 4 * B };
            let mut values = [[V::splat(0.0); 4]; B];
            for b in 0..B {
                values[b] = V::columns(&rows, 4 * b, n - 4 * b);
            }
            if codes.is_any_missing {
                for b in 0..B {
                    for i in 0..4 {
                        let one = if 4 * b + i < n { 1.0 } else { 0.0 };
                        values[b][i] = V::select(codes.missing, V::splat(one), values[b][i]);
                    }
                }
            }
            values
        }
    }

    /// The exponent of a factor.
    #[inline(always)]
    pub unsafe fn power<V: Vector>(self, factor: Factor, at: usize) -> V {
        // SAFETY: as for the caller.
        unsafe {
            match factor.exponent {
                LEAF => self.row_exponent(factor, at),
                row => V::load(self.base.add(row as usize * TILE + at)),
            }
        }
    }

    /// The exponents of a leaf's table rows. Where a row is all zero any exponent serves.
    #[inline(always)]
    pub unsafe fn row_exponent<V: Vector>(self, factor: Factor, at: usize) -> V {
        // SAFETY: the caller's factor has codes at `at`, and an exponent for each.
        unsafe {
            let mut known = MaybeUninit::uninit();
            let codes = Codes::<V>::of(self.base.add(factor.rows as usize * TILE + at), &mut known);
            let exponents = self.row_exponents.add(factor.row_exponents as usize);
            let mut of_codes = [0.0_f32; MAX_LANES];
            for i in 0..V::N {
                of_codes[i] = *exponents.add(*codes.known.add(i) as usize);
            }
            let found = V::load(of_codes.as_ptr()).max(V::splat(-126.0)).min(V::splat(126.0));
            V::select(codes.missing, V::splat(0.0), found)
        }
    }
}

/// The codes of a vector of samples.
struct Codes<V: Vector> {
    /// Them, with 0 for those that are missing.
    known: *const u32,
    missing: V::Mask,
    is_any_missing: bool,
}

impl<V: Vector> Codes<V> {
    /// `known` is where codes go if some are missing.
    #[inline(always)]
    unsafe fn of(words: *const f32, known: &mut MaybeUninit<[u32; MAX_LANES]>) -> Self {
        // SAFETY: the caller has a vector of words; `known` has room for one.
        unsafe {
            // Read as a number, a missing code is NaN; no code that a table can have is.
            let numbers = V::load(words);
            let missing = numbers.is_nan();
            if V::bits(missing) == 0 {
                return Codes { known: words.cast(), missing, is_any_missing: false };
            }
            V::select(missing, V::splat(0.0), numbers).store(known.as_mut_ptr().cast());
            Codes { known: known.as_ptr().cast(), missing, is_any_missing: true }
        }
    }
}
