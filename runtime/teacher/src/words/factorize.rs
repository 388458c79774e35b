//! A truncated factorisation of a large sparse symmetric matrix, by subspace iteration from a random start
//! (Halko, Martinsson and Tropp, 2011, algorithms 4.4 and 5.3).

use super::cooccurrence::Sparse;
use super::eigen::eigen;
use rand::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;

/// Directions that are followed besides those that are wanted; the last of those converge the better for it.
const SPARE: usize = 16;
/// Products with the matrix before directions are read off.
const ROUNDS: usize = 6;
/// What is smaller than this share of what it is taken from is rounding noise.
const NOISE: f64 = 1e-12;

/// `U sqrt(S)` of the singular value decomposition `U S V^T`, its first `rank` columns: `[row][rank]`.
/// Columns beyond the rank of the matrix are zero.
pub(crate) fn factorize(matrix: &Sparse, rank: usize, seed: u64) -> Vec<f32> {
    let n = matrix.n_rows();
    let n_directions = n.min(rank + SPARE);
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut basis: Vec<f64> = (0..n * n_directions).map(|_| StandardNormal.sample(&mut random)).collect();
    orthonormalize(&mut basis, n);
    for _ in 0..ROUNDS {
        basis = product(matrix, &basis);
        orthonormalize(&mut basis, n);
    }
    // Of a symmetric matrix the singular vectors are the eigenvectors, and the singular values their sizes.
    let mut pairs = eigen(within(matrix, &basis), n_directions);
    pairs.sort_by(|a, b| b.0.abs().total_cmp(&a.0.abs()));
    let least = NOISE * pairs.first().map_or(0.0, |(largest, _)| largest.abs());
    let mut factor = vec![0.0; n * rank];
    let counting = pairs.iter().take(rank).take_while(|(value, _)| value.abs() > least);
    for (column, (value, weights)) in counting.enumerate() {
        for (direction, weight) in basis.chunks_exact(n).zip(weights) {
            for (row, x) in direction.iter().enumerate() {
                factor[row * rank + column] += (x * weight * value.abs().sqrt()) as f32;
            }
        }
    }
    factor
}

/// The matrix seen from the basis, `Q M Q^T`.
fn within(matrix: &Sparse, basis: &[f64]) -> Vec<f64> {
    let n = matrix.n_rows();
    let image = product(matrix, basis);
    let entries = basis.chunks_exact(n).flat_map(|x| image.chunks_exact(n).map(move |y| dot(x, y)));
    entries.collect()
}

/// The product of each vector of length n with the matrix. Threads share the vectors out, and no number depends
/// on how many there are.
fn product(matrix: &Sparse, vectors: &[f64]) -> Vec<f64> {
    let n = matrix.n_rows();
    let mut products = vec![0.0; vectors.len()];
    let n_threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let share = (vectors.len() / n).div_ceil(n_threads) * n;
    std::thread::scope(|scope| {
        for (vectors, products) in vectors.chunks(share).zip(products.chunks_mut(share)) {
            scope.spawn(|| multiply(matrix, vectors, products));
        }
    });
    products
}

/// Vectors are taken eight at a time, so that an entry of the matrix is read once for eight of them.
fn multiply(matrix: &Sparse, vectors: &[f64], products: &mut [f64]) {
    const AT_ONCE: usize = 8;
    let n = matrix.n_rows();
    let mut columns = vec![[0.0; AT_ONCE]; n];
    for (vectors, products) in vectors.chunks(AT_ONCE * n).zip(products.chunks_mut(AT_ONCE * n)) {
        for (i, vector) in vectors.chunks_exact(n).enumerate() {
            columns.iter_mut().zip(vector).for_each(|(column, x)| column[i] = *x);
        }
        for row in 0..n {
            let mut sums = [0.0; AT_ONCE];
            for (column, value) in matrix.row(row) {
                sums.iter_mut().zip(&columns[column]).for_each(|(sum, x)| *sum += value * x);
            }
            for (i, product) in products.chunks_exact_mut(n).enumerate() {
                product[row] = sums[i];
            }
        }
    }
}

/// Makes vectors of length n orthogonal and of length one, in order, each twice since once leaves rounding
/// errors; one that depends on those before it becomes zero.
fn orthonormalize(vectors: &mut [f64], n: usize) {
    for i in 0..vectors.len() / n {
        let (before, rest) = vectors.split_at_mut(i * n);
        let vector = &mut rest[..n];
        let whole = dot(vector, vector).sqrt();
        for _ in 0..2 {
            for other in before.chunks_exact(n) {
                let share = dot(vector, other);
                vector.iter_mut().zip(other).for_each(|(x, y)| *x -= share * y);
            }
        }
        let left = dot(vector, vector).sqrt();
        let scale = if left > NOISE * whole { 1.0 / left } else { 0.0 };
        vector.iter_mut().for_each(|x| *x *= scale);
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}
