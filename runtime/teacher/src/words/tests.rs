//! Word vectors against counts by hand, a closed form and another decomposition.

use super::cooccurrence::{Sparse, positive_mutual_information};
use super::factorize::factorize;
use super::*;
use crate::sample::{table, text};
use pcc_diag::Span;
use pcc_ir::Domain;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

fn entries(matrix: &Sparse) -> Vec<(usize, usize, f64)> {
    (0..matrix.n_rows()).flat_map(|row| matrix.row(row).map(move |(column, v)| (row, column, v))).collect()
}

fn assert_entries(matrix: &Sparse, wanted: &[(usize, usize, f64)]) {
    let found = entries(matrix);
    assert_eq!(found.len(), wanted.len(), "{found:?}");
    for (found, wanted) in found.iter().zip(wanted) {
        assert_eq!((found.0, found.1), (wanted.0, wanted.1));
        assert!((found.2 - wanted.2).abs() < 1e-6, "{found:?} is not {wanted:?}");
    }
}

/// Code 0 is `<unk>`; of equally frequent words the first to appear comes first.
fn information(content: &str, row: usize, window: usize) -> Sparse {
    let data = text(content, row, 4);
    positive_mutual_information(&Text::of(&data, Span::NONE).unwrap(), window)
}

#[test]
fn information_is_that_of_counts_by_hand() {
    // a-a once, which counts twice, and a-b once: c(a) = 3, c(b) = 1, N = 4; a-a has ln(8/9), which is negative.
    let b = (4.0_f64 / 3.0).ln();
    assert_entries(&information("a a b", 3, 1), &[(1, 2, b), (2, 1, b)]);
    // Every pair once: c = 2 for each word and N = 6.
    let all = 1.5_f64.ln();
    let pairs = [(1, 2), (1, 3), (2, 1), (2, 3), (3, 1), (3, 2)];
    assert_entries(&information("a b c", 3, 2), &pairs.map(|(i, j)| (i, j, all)));
    // Words of different rows are not near each other.
    // c comes first as the most frequent; c(c) = 2, the others 1, N = 4.
    let (two, four) = (2.0_f64.ln(), 4.0_f64.ln());
    assert_entries(&information("a b c c", 2, 5), &[(1, 1, two), (2, 3, four), (3, 2, four)]);
}

#[test]
fn vectors_are_those_of_the_closed_form() {
    // a-b twice and a-c once: both ln 2. Its singular values are sqrt(2) ln 2, twice.
    let data = text("a b a c", 4, 4);
    let text = Text::of(&data, Span::NONE).unwrap();
    let vectors = WordVectors::learn(&text, &WordVectorOptions { dim: 2, window: 1, seed: 3 });
    let dot = |i, j| -> f32 { vectors.of_word(i).iter().zip(vectors.of_word(j)).map(|(x, y)| x * y).sum() };
    let largest = 2.0_f32.sqrt() * 2.0_f32.ln();
    for (i, j, wanted) in
        [(0, 0, 0.0), (1, 1, largest), (1, 2, 0.0), (2, 2, largest / 2.0), (2, 3, largest / 2.0)]
    {
        assert!((dot(i, j) - wanted).abs() < 1e-6, "{i} {j}: {} is not {wanted}", dot(i, j));
    }
}

/// Singular values and left vectors by one-sided rotations of rows (Hestenes, 1958), largest first.
fn singular(mut rows: Vec<Vec<f64>>) -> Vec<(f64, Vec<f64>)> {
    let n = rows.len();
    let mut left: Vec<Vec<f64>> = (0..n).map(|i| (0..n).map(|j| f64::from(i == j)).collect()).collect();
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    let turn = |rows: &mut [Vec<f64>], i: usize, j: usize, angle: f64| {
        for k in 0..n {
            let (x, y) = (rows[i][k], rows[j][k]);
            rows[i][k] = angle.cos() * x + angle.sin() * y;
            rows[j][k] = angle.cos() * y - angle.sin() * x;
        }
    };
    for _ in 0..60 {
        for (i, j) in (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j))) {
            let (a, b, c) = (dot(&rows[i], &rows[i]), dot(&rows[j], &rows[j]), dot(&rows[i], &rows[j]));
            let angle = 0.5 * (2.0 * c).atan2(a - b);
            turn(&mut rows, i, j, angle);
            turn(&mut left, i, j, angle);
        }
    }
    let mut found: Vec<_> = rows.iter().map(|row| dot(row, row).sqrt()).zip(left).collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    found
}

/// A full symmetric matrix whose singular values about halve from one to the next, of either sign.
fn halving(n: usize) -> Sparse {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(5);
    let factors: Vec<Vec<f64>> =
        (0..n).map(|_| (0..n).map(|_| random.random_range(-1.0..1.0)).collect()).collect();
    let entry = |i: usize, j: usize| -> f64 {
        factors.iter().enumerate().map(|(k, f)| (-0.5_f64).powi(k as i32) * f[i] * f[j]).sum()
    };
    let values = (0..n * n).map(|at| entry((at / n).min(at % n), (at / n).max(at % n)) as f32).collect();
    let columns = (0..n * n).map(|at| (at % n) as u32).collect();
    Sparse { starts: (0..=n).map(|row| row * n).collect(), columns, values }
}

#[test]
fn the_factor_is_that_of_a_dense_decomposition() {
    let (n, rank) = (30, 6);
    let matrix = halving(n);
    let dense =
        matrix.values.chunks_exact(n).map(|row| row.iter().map(|&v| f64::from(v)).collect()).collect();
    let factor = factorize(&matrix, rank, 9);
    for (column, (value, vector)) in singular(dense).iter().take(rank).enumerate() {
        let found: Vec<f64> = (0..n).map(|row| f64::from(factor[row * rank + column])).collect();
        let same: f64 = found.iter().zip(vector).map(|(x, y)| x * y).sum();
        for (x, y) in found.iter().zip(vector) {
            let wanted = y * value.sqrt() * same.signum();
            assert!((x - wanted).abs() < 1e-5, "column {column}: {x} is not {wanted}");
        }
    }
}

#[test]
fn columns_beyond_the_rank_are_zero() {
    let factor = factorize(&information("a b a c", 4, 1), 6, 1);
    assert_eq!(factor.len(), 4 * 6);
    assert!(factor.chunks_exact(6).all(|word| word[2..].iter().all(|x| *x == 0.0)));
    assert!(factor.iter().all(|x| x.is_finite()));
}

#[test]
fn contexts_decay_and_missing_words_count_as_zeros() {
    let data = table("1,2,,3,1,2\n", 6, Domain::Token(4));
    let text = Text::of(&data, Span::NONE).unwrap();
    let vectors = WordVectors { width: 2, vectors: vec![9.0, 9.0, 1.0, 0.0, 0.0, 1.0, 10.0, 100.0] };
    let of = |view| vectors.of_rows(&text, view);
    let words = of(TeacherView::Words);
    assert_eq!((words.rows, words.positions, words.width), (1, 6, 2));
    assert_eq!(words.values[..6], [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
    let close = |found: &[f32], wanted: [f32; 2]| found.iter().zip(wanted).all(|(x, y)| (x - y).abs() < 1e-4);
    let suffixes = of(TeacherView::Suffixes).values;
    // Word 1, then 2, none, 3 and 1: 1 + 0.343 * 10 + 0.2401, and 0.7 + 0.343 * 100.
    assert!(close(&suffixes[..2], [4.6701, 35.0]), "{suffixes:?}");
    assert!(close(&suffixes[10..], [0.0, 1.0]), "{suffixes:?}");
    let prefixes = of(TeacherView::Prefixes).values;
    assert!(close(&prefixes[..2], [0.0, 0.0]), "{prefixes:?}");
    // Before the last: 1, 3, none and 2.
    assert!(close(&prefixes[10..], [1.0 + 7.0, 70.0 + 0.343]), "{prefixes:?}");
}

#[test]
fn numbers_are_no_words() {
    let data = table("1,2\n", 2, Domain::Cat(4));
    assert_eq!(Text::of(&data, Span::NONE).err().unwrap().code, "kind-mismatch");
}
