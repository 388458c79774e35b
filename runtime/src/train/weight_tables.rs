//! The M-step of sum and mixing weights: row after row, each row the edges of one unit.
//!
//! Rows are contiguous, so that a row of flows and a row of weights are read, and the weights written
//! while both are still in the first cache.

use super::Update;

/// Moves all rows of a table of rows of `cells` weights.
pub(super) fn maximize(cells: usize, flows: &[f32], update: &Update, theta: &mut [f32]) {
    let count = update.count_of_unit(cells);
    for (flow, weights) in flows.chunks_exact(cells).zip(theta.chunks_exact_mut(cells)) {
        let total = sum(flow);
        if total > 0.0 {
            let scale = update.step / (total + count);
            let share = scale * count / cells as f64;
            blend_row(flow, scale, share, update.step, weights);
        }
    }
}

/// `weights <- (1 - step) normalised weights + scale flow + share`.
fn blend_row(flow: &[f32], scale: f64, share: f64, step: f64, weights: &mut [f32]) {
    if step == 1.0 {
        for (w, f) in weights.iter_mut().zip(flow) {
            *w = (scale * f64::from(*f) + share) as f32;
        }
        return;
    }
    // Rounding would let the sum of a row drift over thousands of updates; dividing by it costs a read.
    let keep = (1.0 - step) / sum(weights);
    for (w, f) in weights.iter_mut().zip(flow) {
        *w = (keep * f64::from(*w) + scale * f64::from(*f) + share) as f32;
    }
}

/// A sum in 64-bit floats over eight lanes, which the compiler turns into vector adds.
fn sum(numbers: &[f32]) -> f64 {
    let mut lanes = [0.0f64; 8];
    let chunks = numbers.chunks_exact(8);
    let rest: f64 = chunks.remainder().iter().map(|&x| f64::from(x)).sum();
    for chunk in chunks {
        for (lane, &x) in lanes.iter_mut().zip(chunk) {
            *lane += f64::from(x);
        }
    }
    lanes.iter().sum::<f64>() + rest
}
