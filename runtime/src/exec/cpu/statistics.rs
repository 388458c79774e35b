//! Expected statistics as the workers left them, in pieces that an M-step takes one after another.
//!
//! In: each worker's arrays, laid out alike. Out: their sum, in the order of the workers, averaged with earlier
//! batches where that is asked for, and zeros for the next batch, all while a piece is in the cache.

use crate::train::momentum::average;
use std::ops::Range;

/// Statistics of consecutive tables, or of consecutive rows of one.
#[derive(Debug, Default)]
pub(super) struct Statistics<'a> {
    /// Those of linear code; for sums and mixtures not yet times their weights. The first takes the sum.
    linear: Vec<&'a mut [f32]>,
    /// Those of marked rows, times the weights.
    exact: Vec<&'a mut [f64]>,
    /// Moving averages, and the share of this batch in them.
    averages: Option<(&'a mut [f32], f32)>,
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

    /// Lets sums be averaged with those of earlier batches.
    pub(super) fn average(&mut self, averages: &'a mut [f32], share: f32) {
        self.averages = Some((averages, share));
    }

    /// The averages of a range, if there are any.
    pub(super) fn averages(&mut self, range: Range<usize>) -> Option<&mut [f32]> {
        self.averages.as_mut().map(|(averages, _)| &mut averages[range])
    }

    /// Splits the first `n` of them off.
    pub(super) fn take(&mut self, n: usize) -> Self {
        Statistics {
            linear: self.linear.iter_mut().map(|sums| take(sums, n)).collect(),
            exact: self.exact.iter_mut().map(|sums| take(sums, n)).collect(),
            averages: self.averages.as_mut().map(|(averages, share)| (take(averages, n), *share)),
        }
    }

    /// Adds up a range, times weights if there are any, and averages it. What was added is zero afterwards.
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
        if let Some((averages, share)) = &mut self.averages {
            average(sums, *share, &mut averages[range]);
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
