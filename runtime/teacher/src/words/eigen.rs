//! Eigenvalues and eigenvectors of small symmetric matrices, by rotations (Jacobi, 1846).

/// Rounds over all pairs; some ten are enough for any matrix, since convergence is quadratic.
const MOST_ROUNDS: usize = 50;

/// Eigenvalues, and the eigenvector of each, of a symmetric `n x n` matrix; in no order.
pub(crate) fn eigen(mut matrix: Vec<f64>, n: usize) -> Vec<(f64, Vec<f64>)> {
    // Rows become eigenvectors.
    let mut vectors: Vec<f64> = (0..n * n).map(|i| if i / n == i % n { 1.0 } else { 0.0 }).collect();
    let noise = f64::EPSILON * matrix.iter().fold(0.0, |largest: f64, x| largest.max(x.abs()));
    let mut rounds = 0..MOST_ROUNDS;
    while rotate_all(&mut matrix, &mut vectors, n, noise) && rounds.next().is_some() {}
    (0..n).map(|i| (matrix[i * n + i], vectors[i * n..][..n].to_vec())).collect()
}

/// Makes each entry off the diagonal zero in turn; whether any was larger than `noise`.
fn rotate_all(matrix: &mut [f64], vectors: &mut [f64], n: usize, noise: f64) -> bool {
    let mut has_rotated = false;
    for i in 0..n {
        for j in i + 1..n {
            let (a, b, c) = (matrix[i * n + i], matrix[j * n + j], matrix[i * n + j]);
            if c.abs() <= noise {
                continue;
            }
            has_rotated = true;
            let (cos, sin) = rotation(a, b, c);
            turn_columns(matrix, n, i, j, cos, sin);
            turn_rows(matrix, n, i, j, cos, sin);
            turn_rows(vectors, n, i, j, cos, sin);
        }
    }
    has_rotated
}

/// The smaller of the two angles that make `c` zero between the diagonal entries `a` and `b`.
fn rotation(a: f64, b: f64, c: f64) -> (f64, f64) {
    let theta = (b - a) / (2.0 * c);
    let tan = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
    let cos = 1.0 / (tan * tan + 1.0).sqrt();
    (cos, tan * cos)
}

fn turn_columns(matrix: &mut [f64], n: usize, i: usize, j: usize, cos: f64, sin: f64) {
    for row in matrix.chunks_exact_mut(n) {
        (row[i], row[j]) = (cos * row[i] - sin * row[j], sin * row[i] + cos * row[j]);
    }
}

fn turn_rows(matrix: &mut [f64], n: usize, i: usize, j: usize, cos: f64, sin: f64) {
    let (upper, lower) = matrix.split_at_mut(j * n);
    for (x, y) in upper[i * n..][..n].iter_mut().zip(&mut lower[..n]) {
        (*x, *y) = (cos * *x - sin * *y, sin * *x + cos * *y);
    }
}
