//! Blocks of a transformer that normalises before each part (Xiong et al., 2020) and has no biases.
//!
//! Places enter through queries and keys alone, so the state of a token that sees nothing but itself is a function
//! of its content, the same at every place.

use super::weights::Matrix;
use crate::operations;
use crate::operations::{Sequences, attention, gelu};
use candle_core::{Device, Result, Tensor};

/// The wide part of a block is so many times as wide as its tokens.
const WIDE: usize = 2;
/// The deviation of what places add to queries and keys at the start.
const OF_PLACES: f64 = 0.3;
/// What is added to a variance.
const LEAST_VARIANCE: f32 = 1e-5;
/// Matrices of a block.
const MATRICES: usize = 5;

/// Sizes of a stack of blocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    /// Numbers of a token.
    pub(crate) width: usize,
    /// Blocks.
    pub(crate) depth: usize,
    /// Heads of a block.
    pub(crate) heads: usize,
    /// Places that a token may have.
    pub(crate) places: usize,
}

impl Sizes {
    /// The matrices of all blocks.
    pub(crate) fn matrices(&self) -> Vec<Matrix> {
        let width = self.width;
        // What a block adds is small at the start, the more so the more blocks add.
        let share = 1.0 / (2.0 * self.depth as f64).sqrt();
        let of_block = [
            Matrix::map(width, 3 * width),
            Matrix { rows: self.places, columns: 3 * width, deviation: OF_PLACES },
            Matrix::map(width, width).scaled(share),
            Matrix::map(width, WIDE * width),
            Matrix::map(WIDE * width, width).scaled(share),
        ];
        of_block.repeat(self.depth)
    }

    /// Multiplications that a token takes, its attention to others aside.
    pub(crate) fn per_token(&self) -> f64 {
        let width = self.width as f64;
        self.depth as f64 * (4.0 + 2.0 * WIDE as f64) * width * width
    }

    /// Multiplications that its attention to another token takes.
    pub(crate) fn per_pair(&self) -> f64 {
        2.0 * (self.depth * self.width) as f64
    }

    /// The states of tokens after all blocks, normalised. `matrices` begin with those of the blocks, `places` are the
    /// tokens' places.
    ///
    /// # Errors
    /// What the network library reports.
    pub(crate) fn apply(
        &self,
        matrices: &[Tensor],
        tokens: Tensor,
        places: &Tensor,
        sequences: &Sequences,
    ) -> Result<Tensor> {
        let mut states = tokens;
        for matrices in matrices.chunks_exact(MATRICES).take(self.depth) {
            let [table, of_places, attended, widen, narrow] = matrices else { continue };
            let of_places = (of_places.broadcast_mul(&self.without_values()?)?).index_select(places, 0)?;
            let table = (normalise(&states)?.matmul(table)? + of_places)?;
            states = (states + attention(&table, sequences, self.heads)?.matmul(attended)?)?;
            let wide = gelu(&normalise(&states)?.matmul(widen)?)?;
            states = (states + wide.matmul(narrow)?)?;
        }
        normalise(&states)
    }

    /// One for queries and keys, zero for values.
    fn without_values(&self) -> Result<Tensor> {
        let row: Vec<f32> = (0..3 * self.width).map(|i| if i < 2 * self.width { 1.0 } else { 0.0 }).collect();
        Tensor::from_vec(row, (1, 3 * self.width), &Device::Cpu)
    }

    /// Matrices of all blocks.
    pub(crate) fn n_matrices(&self) -> usize {
        MATRICES * self.depth
    }
}

/// Rows of mean zero and variance one.
///
/// # Errors
/// What the network library reports.
pub(super) fn normalise(x: &Tensor) -> Result<Tensor> {
    operations::normalise(x, LEAST_VARIANCE)
}
