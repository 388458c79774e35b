//! Word vectors: a truncated factorisation of positive pointwise mutual information (Levy and Goldberg, 2014).
//!
//! Rows of words go in, a vector for each word of the vocabulary comes out, and from these a vector for each row
//! and position. The same rows, settings and seed give the same vectors.

mod cooccurrence;
mod eigen;
mod factorize;
#[cfg(test)]
mod tests;

use crate::text::Text;
use cooccurrence::positive_mutual_information;
use factorize::factorize;
use pcc_ir::recipe::{TeacherView, WordVectorOptions};
use pcc_runtime::learn::FeatureRows;

/// What changes when the same rows give other vectors; it is part of every key.
pub(crate) const VERSION: &str = "word vectors 1";

/// A neighbour counts so much of what the next nearer one counts.
const DECAY: f32 = 0.7;
/// Words on one side that count.
const REACH: usize = 4;

/// A vector for each word.
pub(crate) struct WordVectors {
    width: usize,
    /// `[word][width]`
    vectors: Vec<f32>,
}

impl WordVectors {
    /// Learns the vectors of the words of a text.
    pub(crate) fn learn(text: &Text, options: &WordVectorOptions) -> Self {
        let near = positive_mutual_information(text, options.window as usize);
        let width = options.dim as usize;
        WordVectors { width, vectors: factorize(&near, width, options.seed) }
    }

    fn of_word(&self, code: u32) -> &[f32] {
        &self.vectors[code as usize * self.width..][..self.width]
    }

    /// A vector for each word of each row: its own for `words`; for `suffixes` its own, 0.7 of the next word's,
    /// 0.49 of the one after it, and so on for four words; for `prefixes` the same of the four words before it,
    /// without its own. A missing word counts as zero.
    pub(crate) fn of_rows(&self, text: &Text, view: TeacherView) -> FeatureRows {
        let (rows, positions) = (text.data.n_rows(), text.n_positions());
        let mut values = vec![0.0; rows * positions * self.width];
        let mut vectors = values.chunks_exact_mut(self.width);
        for row in 0..rows {
            let words = text.row(row);
            for (position, vector) in (0..positions).zip(&mut vectors) {
                self.add_context(&words, position, view, vector);
            }
        }
        FeatureRows { rows, positions, width: self.width, values }
    }

    fn add_context(&self, words: &[Option<u32>], position: usize, view: TeacherView, vector: &mut [f32]) {
        let (before, from_here) = words.split_at(position);
        match view {
            TeacherView::Suffixes => self.add_decaying(from_here.iter().take(REACH + 1), vector),
            TeacherView::Prefixes => self.add_decaying(before.iter().rev().take(REACH), vector),
            _ => self.add_decaying(from_here.iter().take(1), vector),
        }
    }

    fn add_decaying<'w>(&self, words: impl Iterator<Item = &'w Option<u32>>, vector: &mut [f32]) {
        let mut weight = 1.0;
        for word in words {
            if let Some(code) = word {
                vector.iter_mut().zip(self.of_word(*code)).for_each(|(sum, x)| *sum += weight * x);
            }
            weight *= DECAY;
        }
    }
}
