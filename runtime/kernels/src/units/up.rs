//! The way up: every unit of a tape, a sum of products of two rows.

use super::strip::Strip;
use super::{LANES, LARGEST, SMALLEST, Term, UnitSum};

/// What one upward run reads and writes.
pub(super) struct Up<'t> {
    pub(super) sums: &'t [UnitSum],
    pub(super) terms: *const Term,
    /// Null where all weights are 1.
    pub(super) weights: *const f64,
    /// Rows of [`LANES`] numbers.
    pub(super) rows: *mut f64,
}

/// Runs a tape upwards; see [`super::Tape::up`].
#[inline(always)]
pub(super) unsafe fn up<S: Strip>(work: Up) -> u8 {
    // SAFETY: as for the caller.
    unsafe {
        match work.weights.is_null() {
            true => run::<S, false>(work),
            false => run::<S, true>(work),
        }
    }
}

#[inline(always)]
unsafe fn run<S: Strip, const IS_WEIGHTED: bool>(work: Up) -> u8 {
    // SAFETY: rows, terms and weights are as many as the checked tape says.
    unsafe {
        let (smallest, largest) = (S::splat(SMALLEST), S::splat(LARGEST));
        let (mut term, mut weight, mut bad) = (work.terms, work.weights, S::nowhere());
        for sum in work.sums {
            let mut total = S::splat(0.0);
            for _ in 0..sum.n_terms {
                let [a, b] = *term;
                let a = S::load(work.rows.add(a as usize * LANES));
                let b = S::load(work.rows.add(b as usize * LANES));
                total = match IS_WEIGHTED {
                    // Weight last: it may be so large that it would overflow one factor alone.
                    true => a.mul(b).fma(S::splat(*weight), total),
                    false => a.fma(b, total),
                };
                term = term.add(1);
                if IS_WEIGHTED {
                    weight = weight.add(1);
                }
            }
            bad = S::or(bad, S::or(total.exceeds(largest), total.is_between_zero_and(smallest)));
            total.store(work.rows.add(sum.out as usize * LANES));
        }
        S::bits(bad)
    }
}
