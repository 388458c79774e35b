//! Where centres start: k-means++ (Arthur and Vassilvitskii, 2007).
//!
//! Each next centre is a point drawn with probability proportional to its squared distance from the nearest
//! centre so far. Of many points only some are looked at, drawn without preference, since a pass over all
//! of them for each centre would take longer than the clustering.

use super::nearest::{Points, squared_distance};
use crate::train::Stream;

/// Points that are looked at for each centre.
const POINTS_OF_A_CENTRE: usize = 32;

/// At least so many points are looked at.
const FEWEST_POINTS: usize = 1 << 13;

/// Draws `k` centres. Where points are fewer, repetitions counted once, centres repeat.
pub(super) fn plus_plus(points: Points, k: usize, stream: &mut Stream) -> Vec<f32> {
    let chosen = sample(points.n(), (POINTS_OF_A_CENTRE * k).max(FEWEST_POINTS), stream);
    let row = |i: usize| points.row(chosen[i]);
    let mut centres = Vec::with_capacity(k * points.width);
    centres.extend_from_slice(row(stream.below(chosen.len())));
    let mut distances = vec![f32::INFINITY; chosen.len()];
    for last in 0..k - 1 {
        let last = &centres[last * points.width..][..points.width];
        for (i, distance) in distances.iter_mut().enumerate() {
            *distance = distance.min(squared_distance(row(i), last));
        }
        let drawn = stream.draw(distances.iter().map(|&d| f64::from(d)));
        let next = row(drawn.unwrap_or_else(|| stream.below(chosen.len())));
        centres.extend_from_slice(next);
    }
    centres
}

/// At most `most` of the numbers under `n`, in increasing order.
fn sample(n: usize, most: usize, stream: &mut Stream) -> Vec<usize> {
    let mut left = most.min(n);
    let mut chosen = Vec::with_capacity(left);
    for i in 0..n {
        if stream.below(n - i) < left {
            chosen.push(i);
            left -= 1;
        }
    }
    chosen
}
