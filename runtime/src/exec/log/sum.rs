//! Sums of logarithms: shifted and linear where that is exact enough, term by term where not.

use std::ops::Range;

/// A linear sum, shifted by its largest input, is good down to this: what it loses to underflow is at most
/// 1e-308 a term.
pub(super) const SMALLEST_LINEAR_SUM: f64 = 1e-200;

/// The inputs of a sum, linear, each row relative to its largest.
pub(super) struct Shifted {
    pub(super) max: Vec<f64>,
    /// `[input][row]`.
    pub(super) terms: Vec<f64>,
    pub(super) width: usize,
}

impl Shifted {
    pub(super) fn of(values: &[f64], inputs: &[Range<usize>], width: usize) -> Self {
        let mut max = vec![f64::NEG_INFINITY; width];
        for input in inputs {
            max.iter_mut().zip(&values[input.clone()]).for_each(|(m, &v)| *m = m.max(v));
        }
        // All zero: any shift will do, and this one is finite.
        max.iter_mut().filter(|m| **m == f64::NEG_INFINITY).for_each(|m| *m = 0.0);
        let shift = |input: &Range<usize>| values[input.clone()].iter().zip(&max).map(|(v, m)| (v - m).exp());
        let terms = inputs.iter().flat_map(shift).collect();
        Shifted { max, terms, width }
    }

    /// The weighted sum of each row.
    pub(super) fn weigh(&self, weights: &[f32]) -> Vec<f64> {
        let mut sums = vec![0.0; self.width];
        for (terms, &weight) in self.terms.chunks_exact(self.width).zip(weights) {
            sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum += f64::from(weight) * term);
        }
        sums
    }
}

/// The logarithm of a weighted sum, each term in log space.
pub(super) fn log_sum(values: &[f64], inputs: &[Range<usize>], weights: &[f32], row: usize) -> f64 {
    let term = |(input, &weight): (&Range<usize>, &f32)| f64::from(weight).ln() + values[input.start + row];
    let terms: Vec<f64> = inputs.iter().zip(weights).map(term).collect();
    let max = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    match max {
        f64::NEG_INFINITY => max,
        _ => max + terms.iter().map(|t| (t - max).exp()).sum::<f64>().ln(),
    }
}
