//! Layer normalisation without a scale or shift of its own (Ba, Kiros and Hinton, 2016): what follows it is a matrix,
//! which can do both.

use super::{numbers, sum};
use candle_core::{CpuStorage, CustomOp1, CustomOp2, D, Layout, Result, Shape, Tensor};
use pcc_kernels::{Loops, at_full_width};

/// Moves each row to mean zero and scales it to variance one; `least` is added to a variance.
pub(crate) fn normalise(x: &Tensor, least: f32) -> Result<Tensor> {
    let rows = RowsOf { width: x.dim(D::Minus1)?, least };
    x.contiguous()?.apply_op1(Normalise(rows))
}

#[derive(Clone, Copy)]
struct RowsOf {
    width: usize,
    least: f32,
}

struct Normalise(RowsOf);
struct NormaliseDown(RowsOf);

/// The mean of a row, and one by its deviation.
#[inline(always)]
fn mean_and_scale(row: &[f32], least: f32) -> (f32, f32) {
    let n = row.len() as f32;
    let mean = sum(row, |x| x) / n;
    let variance = sum(row, |x| (x - mean) * (x - mean)) / n;
    (mean, 1.0 / (variance + least).sqrt())
}

struct Up<'a> {
    rows: RowsOf,
    x: &'a [f32],
}

impl Loops for Up<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn run(self) -> Vec<f32> {
        let mut values = self.x.to_vec();
        for row in values.chunks_exact_mut(self.rows.width) {
            let (mean, scale) = mean_and_scale(row, self.rows.least);
            row.iter_mut().for_each(|x| *x = (*x - mean) * scale);
        }
        values
    }
}

struct Down<'a> {
    rows: RowsOf,
    x: &'a [f32],
    gradient: &'a [f32],
}

impl Loops for Down<'_> {
    type Output = Vec<f32>;

    /// With y the normalised row and g its gradient: (g - mean(g) - y mean(g y)) / deviation.
    #[inline(always)]
    fn run(self) -> Vec<f32> {
        let RowsOf { width, least } = self.rows;
        let n = width as f32;
        let mut values = self.gradient.to_vec();
        let mut y = vec![0.0; width];
        for (g, row) in values.chunks_exact_mut(width).zip(self.x.chunks_exact(width)) {
            let (mean, scale) = mean_and_scale(row, least);
            y.iter_mut().zip(row).for_each(|(y, x)| *y = (x - mean) * scale);
            let of_g = sum(g, |g| g) / n;
            // The product takes the place of y until its mean is known.
            y.iter_mut().zip(&*g).for_each(|(y, g)| *y *= g);
            let of_product = sum(&y, |x| x) / n;
            for (g, x) in g.iter_mut().zip(row) {
                *g = (*g - of_g - (x - mean) * scale * of_product) * scale;
            }
        }
        values
    }
}

impl CustomOp1 for Normalise {
    fn name(&self) -> &'static str {
        "normalise"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let values = at_full_width(Up { rows: self.0, x: numbers(storage, layout)? });
        Ok((CpuStorage::F32(values), layout.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        x.apply_op2_no_bwd(&gradient.contiguous()?, &NormaliseDown(self.0)).map(Some)
    }
}

impl CustomOp2 for NormaliseDown {
    fn name(&self) -> &'static str {
        "normalise-down"
    }

    fn cpu_fwd(
        &self,
        of_x: &CpuStorage,
        x: &Layout,
        of_gradient: &CpuStorage,
        gradient: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let shape = x.shape().clone();
        let (x, gradient) = (numbers(of_x, x)?, numbers(of_gradient, gradient)?);
        Ok((CpuStorage::F32(at_full_width(Down { rows: self.0, x, gradient })), shape))
    }
}
