//! The Gaussian error linear unit, x P(N < x) for a standard normal N (Hendrycks and Gimpel, 2016).

use super::{exp, numbers};
use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor};
use pcc_kernels::{Loops, at_full_width};

/// x P(N < x) for each number.
pub(crate) fn gelu(x: &Tensor) -> Result<Tensor> {
    x.contiguous()?.apply_op1(Gelu)
}

struct Gelu;
struct GeluDown;

/// P(N < x) and the density of N at x, by formula 7.1.26 of Abramowitz and Stegun (1964), which errs by less than
/// 1.5e-7.
#[inline(always)]
fn normal(x: f32) -> (f32, f32) {
    const RECIPROCAL_ROOT_OF_TWO_PI: f32 = 0.398_942_3;
    let bell = exp(-0.5 * x * x);
    let t = 1.0 / (1.0 + 0.327_591_1 * std::f32::consts::FRAC_1_SQRT_2 * x.abs());
    let mut sum = 1.061_405_4_f32;
    for coefficient in [-1.453_152_1, 1.421_413_8, -0.284_496_72, 0.254_829_6] {
        sum = sum * t + coefficient;
    }
    let tail = 0.5 * sum * t * bell;
    (if x < 0.0 { tail } else { 1.0 - tail }, bell * RECIPROCAL_ROOT_OF_TWO_PI)
}

struct Up<'a>(&'a [f32]);

impl Loops for Up<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn run(self) -> Vec<f32> {
        let mut values = self.0.to_vec();
        values.iter_mut().for_each(|x| *x *= normal(*x).0);
        values
    }
}

/// Numbers, and the gradients of what was made of them.
struct Down<'a>(&'a [f32], &'a [f32]);

impl Loops for Down<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn run(self) -> Vec<f32> {
        let mut gradients = self.1.to_vec();
        for (g, x) in gradients.iter_mut().zip(self.0) {
            let (below, density) = normal(*x);
            *g *= below + x * density;
        }
        gradients
    }
}

impl CustomOp1 for Gelu {
    fn name(&self) -> &'static str {
        "gelu"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let values = at_full_width(Up(numbers(storage, layout)?));
        Ok((CpuStorage::F32(values), layout.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        x.apply_op2_no_bwd(&gradient.contiguous()?, &GeluDown).map(Some)
    }
}

impl CustomOp2 for GeluDown {
    fn name(&self) -> &'static str {
        "gelu-down"
    }

    fn cpu_fwd(
        &self,
        of_x: &CpuStorage,
        x: &Layout,
        of_gradient: &CpuStorage,
        gradient: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let gradients = at_full_width(Down(numbers(of_x, x)?, numbers(of_gradient, gradient)?));
        Ok((CpuStorage::F32(gradients), x.shape().clone()))
    }
}
