//! Expected statistics as the workers left them, in pieces that an M-step takes one after another.
//!
//! In: each worker's arrays, laid out alike. Out: their sum, in the order of the workers, and zeros for the
//! next batch, both while a piece is in the cache.

use std::ops::Range;

/// Statistics of consecutive tables, or of consecutive rows of one.
#[derive(Debug, Default)]
pub(super) struct Statistics<'a> {
    /// Those of linear code; for sums and mixtures not yet times their weights. The first takes the sum.
    linear: Vec<&'a mut [f32]>,
    /// Those of marked rows, times the weights.
    exact: Vec<&'a mut [f64]>,
}

impl<'a> Statistics<'a> {
    /// Adds an array of all statistics, unless it is empty.
    pub(super) fn push_linear(&mut self, sums: &'a mut [f32]) {
        if !sums.is_empty() {
            self.linear.push(sums);
        }
    }

    /// Adds an array of all statistics, unless it is empty.
    pub(super) fn push_exact(&mut self, sums: &'a mut [f64]) {
        if !sums.is_empty() {
            self.exact.push(sums);
        }
    }

    /// Splits the first `n` of them off.
    pub(super) fn take(&mut self, n: usize) -> Self {
        Statistics {
            linear: self.linear.iter_mut().map(|sums| take(sums, n)).collect(),
            exact: self.exact.iter_mut().map(|sums| take(sums, n)).collect(),
        }
    }

    /// Adds up a range, times weights if there are any. What was added is zero afterwards.
    #[inline(always)]
    pub(super) fn collect(&mut self, range: Range<usize>, weights: Option<&[f32]>) -> &mut [f32] {
        let (first, others) = self.linear.split_first_mut().expect("something was gathered");
        let sums = &mut first[range.clone()];
        for other in others.iter_mut().map(|other| &mut other[range.clone()]) {
            sums.iter_mut().zip(&*other).for_each(|(sum, x)| *sum += x);
            other.fill(0.0);
        }
        if let Some(weights) = weights {
            sums.iter_mut().zip(weights).for_each(|(sum, weight)| *sum *= weight);
        }
        for exact in self.exact.iter_mut().map(|exact| &mut exact[range.clone()]) {
            sums.iter_mut().zip(&*exact).for_each(|(sum, &x)| *sum += x as f32);
            exact.fill(0.0);
        }
        sums
    }

    /// The sums of a range that was collected.
    #[inline(always)]
    pub(super) fn collected(&mut self, range: Range<usize>) -> &mut [f32] {
        &mut self.linear[0][range]
    }

    /// Sets a range to zero.
    pub(super) fn clear(&mut self, range: Range<usize>) {
        self.linear.iter_mut().for_each(|sums| sums[range.clone()].fill(0.0));
        self.exact.iter_mut().for_each(|sums| sums[range.clone()].fill(0.0));
    }
}

/// Splits the first `n` numbers off.
pub(super) fn take<'a, T>(numbers: &mut &'a mut [T], n: usize) -> &'a mut [T] {
    let (taken, after) = std::mem::take(numbers).split_at_mut(n);
    *numbers = after;
    taken
}
