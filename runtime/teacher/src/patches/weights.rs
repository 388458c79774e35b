//! The weights of a network that is trained here: matrices, all in one row of numbers.

use candle_core::{Device, Result, Tensor, Var};
use pcc_runtime::train::{Purpose, Stream};

/// A matrix, and how it starts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Matrix {
    /// Numbers of a column.
    pub(crate) rows: usize,
    /// Numbers of a row.
    pub(crate) columns: usize,
    /// The standard deviation of its numbers, which have mean zero.
    pub(crate) deviation: f64,
}

impl Matrix {
    /// A map that keeps the variance of what goes in.
    pub(crate) fn map(from: usize, to: usize) -> Self {
        Matrix { rows: from, columns: to, deviation: 1.0 / (from as f64).sqrt() }
    }

    /// The same with other deviations.
    pub(crate) fn scaled(self, factor: f64) -> Self {
        Matrix { deviation: factor * self.deviation, ..self }
    }

    fn len(&self) -> usize {
        self.rows * self.columns
    }
}

/// How many numbers all of these have.
pub(crate) fn total(matrices: &[Matrix]) -> usize {
    matrices.iter().map(Matrix::len).sum()
}

/// Where training starts.
pub(crate) fn start(matrices: &[Matrix], seed: u64) -> Vec<f32> {
    let of_matrix = |(i, matrix): (usize, &Matrix)| {
        let mut stream = Stream::new(seed, Purpose::Teach, &[0, i as u64]);
        let deviation = matrix.deviation;
        (0..matrix.len()).map(|_| (deviation * normal(&mut stream)) as f32).collect::<Vec<_>>()
    };
    matrices.iter().enumerate().flat_map(of_matrix).collect()
}

/// A standard normal number (Box and Muller, 1958).
fn normal(stream: &mut Stream) -> f64 {
    let (u, v) = (1.0 - stream.uniform(), stream.uniform());
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

/// The matrices as tensors whose gradients are wanted.
///
/// # Errors
/// What the network library reports.
pub(crate) fn variables(matrices: &[Matrix], values: &[f32]) -> Result<Vec<Tensor>> {
    of_each(matrices, values, |values, shape| Ok(Var::from_slice(values, shape, &Device::Cpu)?.into_inner()))
}

/// The matrices as tensors that stay as they are.
///
/// # Errors
/// What the network library reports.
pub(crate) fn constants(matrices: &[Matrix], values: &[f32]) -> Result<Vec<Tensor>> {
    of_each(matrices, values, |values, shape| Tensor::from_slice(values, shape, &Device::Cpu))
}

fn of_each(
    matrices: &[Matrix],
    mut values: &[f32],
    make: impl Fn(&[f32], (usize, usize)) -> Result<Tensor>,
) -> Result<Vec<Tensor>> {
    let mut made = Vec::with_capacity(matrices.len());
    for matrix in matrices {
        let (own, rest) = values.split_at(matrix.len());
        made.push(make(own, (matrix.rows, matrix.columns))?);
        values = rest;
    }
    Ok(made)
}
