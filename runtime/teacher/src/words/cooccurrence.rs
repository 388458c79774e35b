//! Which words stand near each other: positive pointwise mutual information as a sparse matrix.

use crate::text::Text;
use rustc_hash::FxHashMap;

/// A symmetric matrix in compressed rows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sparse {
    /// Where each row's entries begin; one more than there are rows.
    pub(crate) starts: Vec<usize>,
    /// The column of each entry, in increasing order within a row.
    pub(crate) columns: Vec<u32>,
    /// The value of each entry.
    pub(crate) values: Vec<f32>,
}

impl Sparse {
    /// How many rows it has, and columns.
    pub(crate) fn n_rows(&self) -> usize {
        self.starts.len() - 1
    }

    /// The entries of a row.
    pub(crate) fn row(&self, row: usize) -> impl Iterator<Item = (usize, f64)> {
        let entries = self.starts[row]..self.starts[row + 1];
        entries.map(|at| (self.columns[at] as usize, f64::from(self.values[at])))
    }
}

/// `max(0, ln(c(a, b) N / (c(a) c(b))))`, where c(a, b) counts how often the words a and b stand at most `window`
/// words apart, in either order, c(a) is the sum over b, and N the sum over both (Levy and Goldberg, 2014).
/// Missing words are near to none.
pub(crate) fn positive_mutual_information(text: &Text, window: usize) -> Sparse {
    let mut pairs: Vec<((u32, u32), u64)> = count(text, window).into_iter().collect();
    pairs.sort_unstable();
    let mut of_word = vec![0_u64; text.n_words];
    for &((a, b), n) in &pairs {
        of_word[a as usize] += n;
        of_word[b as usize] += n;
    }
    let total = of_word.iter().sum::<u64>() as f64;
    let information = |(a, b): (u32, u32), n: u64| {
        // A pair of equal words counts in both orders, and both are the same entry.
        let n = if a == b { 2 * n } else { n } as f64;
        (n * total / (of_word[a as usize] as f64 * of_word[b as usize] as f64)).ln() as f32
    };
    let positive = pairs.into_iter().map(|(pair, n)| (pair, information(pair, n))).filter(|&(_, v)| v > 0.0);
    symmetric(text.n_words, &positive.collect::<Vec<_>>())
}

/// How often two words stand near each other; the pair has the smaller code first.
fn count(text: &Text, window: usize) -> FxHashMap<(u32, u32), u64> {
    let mut counts = FxHashMap::default();
    for row in 0..text.data.n_rows() {
        let words = text.row(row);
        for (position, word) in words.iter().enumerate() {
            let near = words.iter().skip(position + 1).take(window);
            for (a, b) in near.filter_map(|other| word.zip(*other)) {
                *counts.entry((a.min(b), a.max(b))).or_insert(0) += 1;
            }
        }
    }
    counts
}

/// The matrix with each value at (a, b) and at (b, a). Entries are sorted, with a <= b.
fn symmetric(n_rows: usize, entries: &[((u32, u32), f32)]) -> Sparse {
    let mut starts = vec![0; n_rows + 1];
    let mirrored = || entries.iter().filter(|((a, b), _)| a != b);
    for row in entries.iter().map(|((a, _), _)| *a).chain(mirrored().map(|((_, b), _)| *b)) {
        starts[row as usize + 1] += 1;
    }
    for row in 0..n_rows {
        starts[row + 1] += starts[row];
    }
    let (mut columns, mut values) = (vec![0; starts[n_rows]], vec![0.0; starts[n_rows]]);
    let mut next = starts.clone();
    let mut put = |row: u32, column: u32, value: f32| {
        let at = &mut next[row as usize];
        (columns[*at], values[*at]) = (column, value);
        *at += 1;
    };
    // Row b first gets all its columns a < b, in order, then those from b on.
    for &((a, b), value) in mirrored() {
        put(b, a, value);
    }
    for &((a, b), value) in entries {
        put(a, b, value);
    }
    Sparse { starts, columns, values }
}
