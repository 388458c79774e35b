//! Each operation, and its gradient, against the same written in candle's own operations.

use super::{Sequences, attention, exp, gelu, normalise};
use candle_core::{D, Device, Result, Tensor, Var};
use pcc_runtime::train::{Purpose, Stream};

fn random(rows: usize, columns: usize, seed: u64) -> Var {
    let mut stream = Stream::new(seed, Purpose::Sample, &[]);
    let values: Vec<f32> = (0..rows * columns).map(|_| (6.0 * stream.uniform() - 3.0) as f32).collect();
    Var::from_vec(values, (rows, columns), &Device::Cpu).unwrap()
}

fn assert_near(a: &Tensor, b: &Tensor, tolerance: f32) {
    let values = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    assert_eq!(a.dims(), b.dims());
    for (i, (a, b)) in values(a).into_iter().zip(values(b)).enumerate() {
        assert!((a - b).abs() <= tolerance * (1.0 + b.abs()), "number {i}: {a} and {b}");
    }
}

/// Compares values, and gradients of a sum in which every number has a weight of its own.
fn compare(x: &Var, ours: impl Fn(&Tensor) -> Result<Tensor>, other: impl Fn(&Tensor) -> Result<Tensor>) {
    let (ours, other) = (ours(x).unwrap(), other(x).unwrap());
    assert_near(&ours, &other, 1e-5);
    let (rows, columns) = other.dims2().unwrap();
    let weights = random(rows, columns, 9);
    let gradient = |value: &Tensor| {
        let sum = (value * weights.as_tensor()).unwrap().sum_all().unwrap();
        sum.backward().unwrap().get(x).unwrap().clone()
    };
    assert_near(&gradient(&ours), &gradient(&other), 1e-4);
}

#[test]
fn exp_is_that_of_the_library() {
    for i in -8700..8800 {
        let x = i as f32 / 100.0;
        let expected = f64::from(x).exp();
        assert!((f64::from(exp(x)) / expected - 1.0).abs() < 3e-7, "e^{x}");
    }
    assert_eq!(exp(0.0), 1.0);
    assert!(exp(f32::NEG_INFINITY) < 1.3e-38 && exp(f32::NAN).is_nan());
}

#[test]
fn gelu_is_that_of_candle() {
    compare(&random(7, 9, 1), gelu, Tensor::gelu_erf);
    let far = Tensor::new(&[[-40.0_f32, -6.0, 0.0, 6.0, 40.0]], &Device::Cpu).unwrap();
    assert_near(&gelu(&far).unwrap(), &far.gelu_erf().unwrap(), 1e-6);
}

#[test]
fn rows_are_normalised() {
    let composed = |x: &Tensor| {
        let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
        let variance = centred.sqr()?.mean_keepdim(D::Minus1)?;
        centred.broadcast_div(&(variance + 1e-5)?.sqrt()?)
    };
    compare(&random(5, 19, 2), |x| normalise(x, 1e-5), composed);
    compare(&random(4, 8, 3), |x| normalise(&x.t()?, 1e-5), |x| composed(&x.t()?));
}

#[test]
fn attention_stays_in_its_sequence() {
    let (heads, width) = (2, 3);
    let sequences = Sequences::new([4, 1, 6]);
    let of_sequence = |table: &Tensor| -> Result<Tensor> {
        let length = table.dim(0)?;
        let split = table.reshape((length, 3, heads, width))?.permute((1, 2, 0, 3))?;
        let part = |i: usize| split.get(i)?.contiguous();
        let answers = (part(0)?.matmul(&part(1)?.t()?)? * (1.0 / (width as f64).sqrt()))?;
        let shares = answers.exp()?;
        let shares = shares.broadcast_div(&shares.sum_keepdim(D::Minus1)?)?;
        let attended = shares.matmul(&part(2)?)?;
        attended.transpose(0, 1)?.reshape((length, heads * width))
    };
    let composed = |table: &Tensor| -> Result<Tensor> {
        let parts = sequences.ranges().map(|r| of_sequence(&table.narrow(0, r.start, r.len())?));
        Tensor::cat(&parts.collect::<Result<Vec<_>>>()?, 0)
    };
    let table = random(11, 3 * heads * width, 4);
    compare(&table, |table| attention(table, &sequences, heads), composed);
    assert!(attention(&table, &Sequences::new([3]), heads).is_err());
}
