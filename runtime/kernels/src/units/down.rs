//! The way down: derivatives of the output by every row, and statistics of every term.
//!
//! A unit's derivative is known once all units that read it were visited, which the reversed order of the
//! tape sees to. It is taken from its row and the row set back to zero, so that no pass has to clear rows.

use super::strip::Strip;
use super::{LANES, ONE, Term, UnitSum};
use crate::units::Links;

/// What one downward run reads and writes.
pub(super) struct Down<'t> {
    pub(super) sums: &'t [UnitSum],
    pub(super) terms: *const Term,
    pub(super) n_terms: usize,
    /// Null where all weights are 1.
    pub(super) weights: *const f64,
    pub(super) rows: *const f64,
    pub(super) derivatives: *mut f64,
    /// Null where no statistics are gathered.
    pub(super) places: *const u32,
    pub(super) stats: *mut f64,
}

/// Runs a tape downwards; see [`super::Tape::down`].
#[inline(always)]
pub(super) unsafe fn down<S: Strip>(work: Down) {
    // SAFETY: as for the caller.
    unsafe {
        match (work.weights.is_null(), work.places.is_null()) {
            (true, true) => run::<S, false, false>(work),
            (true, false) => run::<S, false, true>(work),
            (false, true) => run::<S, true, false>(work),
            (false, false) => run::<S, true, true>(work),
        }
    }
}

#[inline(always)]
unsafe fn run<S: Strip, const IS_WEIGHTED: bool, const HAS_STATS: bool>(work: Down) {
    let mut end = work.n_terms;
    for sum in work.sums.iter().rev() {
        let first = end - sum.n_terms as usize;
        // SAFETY: the rows of the checked tape exist, and its terms, weights and places are as many as it says.
        unsafe {
            let own = work.derivatives.add(sum.out as usize * LANES);
            let mut derivative = S::load(own);
            S::splat(0.0).store(own);
            if HAS_STATS {
                derivative = derivative.where_positive(S::load(work.rows.add(sum.out as usize * LANES)));
            }
            if !derivative.is_zero() {
                for term in first..end {
                    pass::<S, IS_WEIGHTED, HAS_STATS>(&work, term, derivative);
                }
            }
        }
        end = first;
    }
}

/// Passes a unit's derivative to the two factors of one of its terms.
#[inline(always)]
unsafe fn pass<S: Strip, const IS_WEIGHTED: bool, const HAS_STATS: bool>(
    work: &Down,
    term: usize,
    derivative: S,
) {
    // SAFETY: as for `run`.
    unsafe {
        let [a, b] = *work.terms.add(term);
        let (of_a, of_b) = (a as usize * LANES, b as usize * LANES);
        let of_term = match IS_WEIGHTED {
            true => derivative.mul(S::splat(*work.weights.add(term))),
            false => derivative,
        };
        let (value_a, value_b) = (S::load(work.rows.add(of_a)), S::load(work.rows.add(of_b)));
        let to_a = of_term.mul(value_b);
        to_a.add(S::load(work.derivatives.add(of_a))).store(work.derivatives.add(of_a));
        // A row that all lonely factors share would make each wait for the last.
        if b != ONE {
            let to_b = of_term.mul(value_a);
            to_b.add(S::load(work.derivatives.add(of_b))).store(work.derivatives.add(of_b));
        }
        if HAS_STATS && *work.places.add(term) != Links::NOWHERE {
            *work.stats.add(*work.places.add(term) as usize) +=
                to_a.where_positive(value_a).mul(value_a).total();
        }
    }
}
