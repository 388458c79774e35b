//! What every test of the kernels needs: tiers to run on, a generator of numbers, and buffers that notice
//! writes past their end. Expected values are float64 loops in the tests themselves.

// Each test binary uses its own part of this module.
#![allow(dead_code)]

pub mod bundle;

use pcc_kernels::{Kernels, TILE, Tier, denormals_off, tier};

/// Sizes that cross every boundary of a register tile or a vector.
pub const SIZES: [usize; 16] = [1, 2, 3, 4, 5, 7, 8, 16, 17, 31, 32, 33, 64, 100, 128, 257];

/// Runs `test` with the kernels of every tier that this CPU has, with denormals off as workers have them.
pub fn each_tier(test: impl Fn(&Kernels)) {
    let _guard = denormals_off();
    for kernels in Tier::ALL.into_iter().filter_map(tier) {
        test(kernels);
    }
}

/// A SplitMix64 generator: the same numbers at every run.
pub struct Numbers(u64);

impl Numbers {
    pub fn new(seed: u64) -> Numbers {
        Numbers(seed)
    }

    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// Uniform in `[0, 1)`.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Uniform below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        (self.unit() * n as f64) as usize
    }

    /// `2^x` with `x` uniform from `low` to `high`.
    pub fn power(&mut self, low: f64, high: f64) -> f32 {
        (low + (high - low) * self.unit()).exp2() as f32
    }

    /// A standard normal value, by Box and Muller.
    pub fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.unit()).ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos()
    }
}

/// What follows the last value of a buffer, and must still be there at the end.
const CANARY: u32 = 0x7fc0_beef;

/// A buffer of `f32` that checks on being dropped that nothing was written past its end.
pub struct Buffer {
    data: Vec<f32>,
    len: usize,
}

impl Buffer {
    pub fn filled(len: usize, mut value: impl FnMut() -> f32) -> Buffer {
        let mut data: Vec<f32> = (0..len).map(|_| value()).collect();
        data.resize(len + TILE, f32::from_bits(CANARY));
        Buffer { data, len }
    }

    pub fn constant(len: usize, value: f32) -> Buffer {
        Buffer::filled(len, || value)
    }

    /// `n` rows with the value that `value` gives for row and sample.
    pub fn rows(n: usize, mut value: impl FnMut(usize, usize) -> f32) -> Buffer {
        let mut at = 0;
        Buffer::filled(n * TILE, || {
            at += 1;
            value((at - 1) / TILE, (at - 1) % TILE)
        })
    }

    pub fn at(&self, row: usize, sample: usize) -> f64 {
        f64::from(self[row * TILE + sample])
    }

    pub fn copy(&self) -> Buffer {
        Buffer { data: self.data.clone(), len: self.len }
    }
}

impl std::ops::Deref for Buffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.data[..self.len]
    }
}

impl std::ops::DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.data[..self.len]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let intact = self.data[self.len..].iter().all(|x| x.to_bits() == CANARY);
        assert!(intact || std::thread::panicking(), "a kernel wrote past the end of a buffer");
    }
}

/// Rows in which a fifth is zero and the rest between `2^-125` and 1, each sample with a range of its own.
pub fn wide_rows(n: usize, numbers: &mut Numbers) -> Buffer {
    let low: Vec<f64> = (0..TILE).map(|_| -125.0 * numbers.unit().powi(2)).collect();
    Buffer::rows(n, |_, s| if numbers.below(5) == 0 { 0.0 } else { numbers.power(low[s], 0.0) })
}

/// Fails unless `got` is within `error` of `want`.
#[track_caller]
pub fn assert_near(got: f64, want: f64, error: f64, what: impl std::fmt::Display) {
    assert!((got - want).abs() <= error, "{what}: got {got:e}, want {want:e}, error over {error:e}");
}

/// The mask of the samples for which `holds`.
pub fn samples(holds: impl Fn(usize) -> bool) -> u64 {
    (0..TILE).filter(|&s| holds(s)).fold(0, |mask, s| mask | 1 << s)
}
