//! The nearest centre of each point.
//!
//! `|x - c|^2 = |x|^2 - 2 x.c + |c|^2`, so the nearest centre has the largest `x.c - |c|^2 / 2`, which is a matrix
//! product of all centres with 64 points at a time. The distance to the chosen centre is then computed from
//! differences, since the products cancel where it is small.

use pcc_kernels::{Kernels, Loops, TILE, at_full_width, kernels};
use std::thread::scope;

/// Vectors of one width, row after row.
#[derive(Clone, Copy, Debug)]
pub struct Points<'p> {
    /// Numbers of a point.
    pub width: usize,
    /// `[point][width]`
    pub values: &'p [f32],
}

impl<'p> Points<'p> {
    /// How many there are.
    pub fn n(&self) -> usize {
        self.values.len() / self.width
    }

    /// One of them.
    pub fn row(&self, i: usize) -> &'p [f32] {
        &self.values[i * self.width..][..self.width]
    }
}

/// The nearest centre of each point.
#[derive(Clone, Debug, PartialEq)]
pub struct Nearest {
    /// Its number.
    pub labels: Vec<u32>,
    /// The squared distance to it.
    pub distances: Vec<f32>,
}

impl Nearest {
    /// The sum of all squared distances.
    pub fn inertia(&self) -> f64 {
        self.distances.iter().map(|&d| f64::from(d)).sum()
    }
}

/// Centres that are looked at together: their scores of a tile fill half of the first cache.
const BLOCK: usize = 64;

/// Finds the nearest of `[centre][width]` for each point; of equal ones the first.
pub fn nearest(points: Points, centres: &[f32], threads: usize) -> Nearest {
    let half_norms: Vec<f32> =
        centres.chunks_exact(points.width).map(|c| 0.5 * c.iter().map(|x| x * x).sum::<f32>()).collect();
    let mut found = Nearest { labels: vec![0; points.n()], distances: vec![0.0; points.n()] };
    let share = points.n().div_ceil(threads.max(1)).next_multiple_of(TILE);
    let kernels = kernels().expect("the tier was chosen when pcc started");
    scope(|scope| {
        let parts = found.labels.chunks_mut(share).zip(found.distances.chunks_mut(share));
        for (t, (labels, distances)) in parts.enumerate() {
            let half_norms = &half_norms;
            scope.spawn(move || {
                let mut search = Search::new(kernels, points, centres, half_norms);
                for (i, labels) in labels.chunks_mut(TILE).enumerate() {
                    search.tile(t * share + i * TILE, labels);
                }
                for (i, (label, distance)) in labels.iter().zip(distances).enumerate() {
                    let centre = &centres[*label as usize * points.width..][..points.width];
                    *distance = squared_distance(points.row(t * share + i), centre);
                }
            });
        }
    });
    found
}

/// The squared distance of two vectors.
pub(super) fn squared_distance(a: &[f32], b: &[f32]) -> f32 {
    at_full_width(Distance { a, b })
}

struct Distance<'p> {
    a: &'p [f32],
    b: &'p [f32],
}

impl Loops for Distance<'_> {
    type Output = f32;

    #[inline(always)]
    fn run(self) -> f32 {
        const LANES: usize = 16;
        let mut sums = [0.0_f32; LANES];
        let (a, b) = (self.a.chunks_exact(LANES), self.b.chunks_exact(LANES));
        let rest: f32 = a.remainder().iter().zip(b.remainder()).map(|(x, y)| (x - y) * (x - y)).sum();
        for (x, y) in a.zip(b) {
            for i in 0..LANES {
                let d = x[i] - y[i];
                sums[i] += d * d;
            }
        }
        sums.iter().sum::<f32>() + rest
    }
}

/// What one thread works with.
struct Search<'p> {
    kernels: &'static Kernels,
    points: Points<'p>,
    centres: &'p [f32],
    half_norms: &'p [f32],
    /// `[width][TILE]`: points side by side.
    tile: Vec<[f32; TILE]>,
    /// `[BLOCK][TILE]`
    scores: Vec<[f32; TILE]>,
}

impl<'p> Search<'p> {
    fn new(kernels: &'static Kernels, points: Points<'p>, centres: &'p [f32], half_norms: &'p [f32]) -> Self {
        let tile = vec![[0.0; TILE]; points.width];
        Search { kernels, points, centres, half_norms, tile, scores: vec![[0.0; TILE]; BLOCK] }
    }

    /// Finds the centres of up to [`TILE`] points from `first` on.
    fn tile(&mut self, first: usize, labels: &mut [u32]) {
        for i in 0..labels.len() {
            self.tile.iter_mut().zip(self.points.row(first + i)).for_each(|(row, x)| row[i] = *x);
        }
        let mut best = Best { scores: [f32::NEG_INFINITY; TILE], labels: [0; TILE] };
        for (block, half_norms) in self.half_norms.chunks(BLOCK).enumerate() {
            let width = self.points.width;
            let w = self.centres[block * BLOCK * width..].as_ptr();
            let (m, e, out) = (half_norms.len(), self.tile.as_ptr().cast(), self.scores.as_mut_ptr().cast());
            // SAFETY: there are `m` centres of `width` numbers from `w` on, `width` rows of a tile behind `e`,
            // and at least `m` rows behind `out`, which nothing else points to.
            unsafe { (self.kernels.matmul)(m, width, w, width, 1, e, out, 0) };
            at_full_width(TakeBetter {
                best: &mut best,
                scores: &self.scores,
                half_norms,
                first: block * BLOCK,
            });
        }
        labels.copy_from_slice(&best.labels[..labels.len()]);
    }
}

/// The best score of each point of a tile so far, and whose it is.
struct Best {
    scores: [f32; TILE],
    labels: [u32; TILE],
}

/// Compares the scores of some centres with the best so far.
struct TakeBetter<'s> {
    best: &'s mut Best,
    scores: &'s [[f32; TILE]],
    half_norms: &'s [f32],
    first: usize,
}

impl Loops for TakeBetter<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (j, (scores, half_norm)) in self.scores.iter().zip(self.half_norms).enumerate() {
            let label = (self.first + j) as u32;
            for i in 0..TILE {
                let score = scores[i] - half_norm;
                let is_better = score > self.best.scores[i];
                self.best.scores[i] = if is_better { score } else { self.best.scores[i] };
                self.best.labels[i] = if is_better { label } else { self.best.labels[i] };
            }
        }
    }
}
