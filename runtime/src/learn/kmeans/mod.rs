//! K-means: Lloyd's algorithm from k-means++ starts, or mini-batches for data that is too large for it.
//!
//! Points go in, centres and the nearest of them to each point come out. Distances are matrix products of
//! the kernels that circuits run on; sums are 64-bit, cluster by cluster in the order of the points, so that
//! the number of threads changes no bit. A cluster that loses its points gets the point that lies worst;
//! only where points are fewer than clusters, repetitions counted once, do clusters stay empty.

mod nearest;
mod start;
#[cfg(test)]
mod tests;

pub use nearest::{Nearest, Points, nearest};

use crate::train::{Purpose, Stream};
use pcc_ir::recipe::KmeansOptions;
use std::thread::scope;

/// What a clustering found.
#[derive(Clone, Debug, PartialEq)]
pub struct Clustering {
    /// `[cluster][width]`; the centre of a cluster without points is that of another one.
    pub centres: Vec<f32>,
    /// The nearest centre of each point, and how far it is.
    pub nearest: Nearest,
}

/// Clusters points. `place` tells apart clusterings of one seed, such as those of positions.
///
/// # Panics
/// Without points.
pub fn kmeans(points: Points, options: &KmeansOptions, place: u64, threads: usize) -> Clustering {
    assert!(points.n() > 0, "there is something to cluster");
    let starts = (0..u64::from(options.restarts.max(1))).map(|restart| {
        let mut stream = Stream::new(options.seed, Purpose::Cluster, &[place, restart]);
        let centres = start::plus_plus(points, options.k as usize, &mut stream);
        match options.batch {
            Some(batch) if (batch as usize) < points.n() => {
                by_batches(points, centres, options, batch as usize, &mut stream, threads)
            }
            _ => by_rounds(points, centres, options.iterations, threads),
        }
    });
    starts
        .reduce(|best, next| match next.nearest.inertia() < best.nearest.inertia() {
            true => next,
            false => best,
        })
        .expect("there is at least one start")
}

/// Rounds of Lloyd's algorithm (1982), until no point changes its cluster.
fn by_rounds(points: Points, mut centres: Vec<f32>, rounds: u32, threads: usize) -> Clustering {
    let mut found = nearest(points, &centres, threads);
    for _ in 0..rounds {
        let members = Members::of(&found.labels, centres.len() / points.width);
        move_to_means(points, &members, &mut centres, threads);
        give_to_empty(points, &members, &found, &mut centres);
        let next = nearest(points, &centres, threads);
        let is_settled = next.labels == found.labels;
        found = next;
        if is_settled {
            break;
        }
    }
    Clustering { centres, nearest: found }
}

/// Mini-batch k-means (Sculley, 2010): a centre is the mean of all points it was ever nearest to.
fn by_batches(
    points: Points,
    mut centres: Vec<f32>,
    options: &KmeansOptions,
    batch: usize,
    stream: &mut Stream,
    threads: usize,
) -> Clustering {
    let width = points.width;
    let mut counts = vec![0_u64; centres.len() / width];
    let mut chosen = Vec::with_capacity(batch * width);
    for _ in 0..options.iterations {
        chosen.clear();
        (0..batch).for_each(|_| chosen.extend_from_slice(points.row(stream.below(points.n()))));
        let chosen = Points { width, values: &chosen };
        let found = nearest(chosen, &centres, threads);
        for (i, &label) in found.labels.iter().enumerate() {
            let label = label as usize;
            counts[label] += 1;
            let share = 1.0 / counts[label] as f32;
            let centre = &mut centres[label * width..][..width];
            centre.iter_mut().zip(chosen.row(i)).for_each(|(c, x)| *c += share * (x - *c));
        }
    }
    // A last full round settles what batches left in motion, and finds the clusters that are empty.
    by_rounds(points, centres, 1, threads)
}

/// The points of each cluster, in their order.
struct Members {
    starts: Vec<usize>,
    points: Vec<u32>,
}

impl Members {
    fn of(labels: &[u32], k: usize) -> Members {
        let mut starts = vec![0; k + 1];
        labels.iter().for_each(|&label| starts[label as usize + 1] += 1);
        (0..k).for_each(|j| starts[j + 1] += starts[j]);
        let mut ends = starts.clone();
        let mut points = vec![0; labels.len()];
        for (i, &label) in labels.iter().enumerate() {
            let end = &mut ends[label as usize];
            points[*end] = i as u32;
            *end += 1;
        }
        Members { starts, points }
    }

    fn of_cluster(&self, j: usize) -> &[u32] {
        &self.points[self.starts[j]..self.starts[j + 1]]
    }
}

/// Moves every centre that has points to their mean.
fn move_to_means(points: Points, members: &Members, centres: &mut [f32], threads: usize) {
    let width = points.width;
    let share = (centres.len() / width).div_ceil(threads.max(1)).max(1);
    scope(|scope| {
        for (t, centres) in centres.chunks_mut(share * width).enumerate() {
            scope.spawn(move || {
                let mut sums = vec![0.0_f64; width];
                for (j, centre) in centres.chunks_exact_mut(width).enumerate() {
                    let own = members.of_cluster(t * share + j);
                    if own.is_empty() {
                        continue;
                    }
                    sums.fill(0.0);
                    for &i in own {
                        sums.iter_mut().zip(points.row(i as usize)).for_each(|(s, x)| *s += f64::from(*x));
                    }
                    let n = own.len() as f64;
                    centre.iter_mut().zip(&sums).for_each(|(c, s)| *c = (s / n) as f32);
                }
            });
        }
    });
}

/// Puts each centre without points on the point that is farthest from its own centre, each on another one.
fn give_to_empty(points: Points, members: &Members, found: &Nearest, centres: &mut [f32]) {
    let width = points.width;
    let empty: Vec<usize> =
        (0..centres.len() / width).filter(|&j| members.of_cluster(j).is_empty()).collect();
    if empty.is_empty() {
        return;
    }
    let mut worst: Vec<usize> = (0..points.n()).filter(|&i| found.distances[i] > 0.0).collect();
    worst.sort_by(|&a, &b| found.distances[b].total_cmp(&found.distances[a]).then(a.cmp(&b)));
    worst.dedup_by(|a, b| points.row(*a) == points.row(*b));
    for (j, i) in empty.into_iter().zip(worst) {
        centres[j * width..][..width].copy_from_slice(points.row(i));
    }
}
