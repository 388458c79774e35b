//! Clusterings against clouds that lie apart, plain loops, and each other.

use super::{Points, kmeans, nearest};
use crate::train::{Purpose, Stream};
use pcc_ir::recipe::{Clusters, KmeansOptions};

fn options(k: u32) -> KmeansOptions {
    KmeansOptions { k, clusters: Clusters::Shared, seed: 1, restarts: 3, iterations: 50, batch: None }
}

/// `k` clouds of points of radius under `spread` around corners of a lattice 10 apart.
fn clouds(k: usize, each: usize, width: usize, spread: f64) -> Vec<f32> {
    let mut stream = Stream::new(7, Purpose::Cluster, &[]);
    let mut values = Vec::new();
    for i in 0..k * each {
        let corner = |d: usize| if (i % k) >> (d % 5) & 1 == 1 { 10.0 } else { 0.0 };
        values.extend((0..width).map(|d| (corner(d) + spread * (stream.uniform() - 0.5)) as f32));
    }
    values
}

#[test]
fn clouds_that_lie_apart_are_found() {
    let (k, each, width) = (8, 50, 5);
    let values = clouds(k, each, width, 1.0);
    let found = kmeans(Points { width, values: &values }, &options(k as u32), 0, 2);
    for i in 0..k * each {
        for j in 0..k * each {
            let is_together = found.nearest.labels[i] == found.nearest.labels[j];
            assert_eq!(is_together, i % k == j % k, "points {i} and {j}");
        }
    }
}

#[test]
fn the_nearest_centre_is_that_of_a_plain_loop() {
    // Widths and numbers that fill no vector, tile or block.
    for (n, k, width) in [(1, 1, 1), (63, 3, 5), (130, 65, 17), (200, 129, 33)] {
        let mut stream = Stream::new(3, Purpose::Cluster, &[n as u64]);
        let mut numbers = |n: usize| (0..n).map(|_| stream.uniform() as f32).collect::<Vec<f32>>();
        let (values, centres) = (numbers(n * width), numbers(k * width));
        let points = Points { width, values: &values };
        let found = nearest(points, &centres, 2);
        for i in 0..n {
            let distance =
                |c: &[f32]| c.iter().zip(points.row(i)).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>();
            let least = centres.chunks_exact(width).map(distance).fold(f64::INFINITY, f64::min);
            let chosen = distance(&centres[found.labels[i] as usize * width..][..width]);
            assert!(chosen <= least + 1e-5, "{chosen} is not {least}");
            assert!((f64::from(found.distances[i]) - chosen).abs() < 1e-4 * (1.0 + chosen));
        }
    }
}

#[test]
fn threads_change_no_bit_and_seeds_do() {
    let values = clouds(8, 40, 6, 30.0);
    let points = Points { width: 6, values: &values };
    let one = kmeans(points, &options(11), 0, 1);
    assert_eq!(one, kmeans(points, &options(11), 0, 3));
    assert_ne!(one, kmeans(points, &KmeansOptions { seed: 2, ..options(11) }, 0, 1));
    assert_ne!(one, kmeans(points, &options(11), 1, 1));
}

#[test]
fn more_rounds_and_more_starts_are_never_worse() {
    let values = clouds(8, 60, 4, 25.0);
    let points = Points { width: 4, values: &values };
    let inertia = |restarts, iterations| {
        let options = KmeansOptions { restarts, iterations, ..options(12) };
        kmeans(points, &options, 0, 1).nearest.inertia()
    };
    let by_rounds: Vec<f64> = [0, 1, 2, 5, 50].map(|rounds| inertia(1, rounds)).into();
    assert!(by_rounds.is_sorted_by(|a, b| *a >= *b * (1.0 - 1e-6)), "{by_rounds:?}");
    assert!(by_rounds[4] < by_rounds[0], "{by_rounds:?}");
    assert!(inertia(5, 50) <= inertia(1, 50));
}

#[test]
fn no_cluster_is_empty_while_there_are_points_for_it() {
    // Nearly all points are one and the same, so that starts and means collide.
    let mut values = vec![0.0_f32; 2 * 500];
    (0..20).for_each(|i| values[i] = 1.0 + i as f32);
    let points = Points { width: 2, values: &values };
    let found = kmeans(points, &KmeansOptions { restarts: 1, ..options(11) }, 0, 1);
    let used: std::collections::BTreeSet<u32> = found.nearest.labels.iter().copied().collect();
    assert_eq!(used.len(), 11, "ten pairs of numbers and the many zeros");
    assert_eq!(found.nearest.inertia(), 0.0);
}

#[test]
fn fewer_points_than_clusters_leave_clusters_empty() {
    let values = [0.0, 1.0, 2.0, 1.0];
    let found = kmeans(Points { width: 1, values: &values }, &options(8), 0, 2);
    assert_eq!(found.nearest.inertia(), 0.0);
    assert_eq!(found.centres.len(), 8);
    assert_eq!(found.nearest.labels[1], found.nearest.labels[3]);
}

#[test]
fn batches_come_near_to_rounds() {
    let values = clouds(8, 200, 5, 1.0);
    let points = Points { width: 5, values: &values };
    let whole = kmeans(points, &options(8), 0, 1).nearest.inertia();
    let batches = KmeansOptions { batch: Some(128), ..options(8) };
    let found = kmeans(points, &batches, 0, 1).nearest.inertia();
    assert!(found < 1.1 * whole, "{found} is far from {whole}");
}
