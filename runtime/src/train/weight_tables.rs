//! The M-step of sum and mixing weights: row after row, each row the edges of one unit.
//!
//! Rows are contiguous, so that a row of flows and a row of weights are read, and the weights written
//! while both are still in the first cache.

use super::blend::{Blend, LARGEST_SCALE};
use super::em::TableUpdate;
use super::strips::{each_strip, row_sum, strip, strip_mut};

/// Moves rows of `cells` weights each; the update is that of the first row and those after it.
#[inline(always)]
pub(crate) fn maximize(cells: usize, flows: &[f32], update: TableUpdate, theta: &mut [f32]) {
    for (unit, (flow, weights)) in flows.chunks_exact(cells).zip(theta.chunks_exact_mut(cells)).enumerate() {
        let mass = if update.step < 1.0 { row_sum(weights) } else { 1.0 };
        let blend = Blend::of(&update, unit, update.n_cells(unit, cells), row_sum(flow), mass);
        match blend.scale > LARGEST_SCALE {
            true => weights.iter_mut().zip(flow).for_each(|(w, f)| *w = blend.apply(*w, *f)),
            false => blend_row(flow, [blend.keep, blend.scale, blend.share].map(|x| x as f32), weights),
        }
        update.clear_pruned(unit, weights);
    }
}

/// `weights <- keep weights + scale flow + share`.
#[inline(always)]
fn blend_row(flow: &[f32], [keep, scale, share]: [f32; 3], weights: &mut [f32]) {
    each_strip!(weights.len(), |at, N| {
        let (flow, weights) = (*strip::<N, f32>(flow, at), strip_mut::<N, f32>(weights, at));
        let old = *weights;
        *weights = std::array::from_fn(|i| keep * old[i] + (scale * flow[i] + share));
    });
}
