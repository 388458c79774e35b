//! What a core can do at best: matrix products of a square matrix and a tile that never leave its cache.
//!
//! In: kernels and a width. Out: floating-point operations, to be divided by a time that the caller takes.
//! This is the yardstick of `pcc bench` and knows nothing of clocks or circuits.

use crate::{Kernels, TILE};

/// A square matrix, the rows it is multiplied by, and those of the result.
#[derive(Clone, Debug)]
pub struct Multiplication {
    kernels: &'static Kernels,
    k: usize,
    weights: Vec<Line>,
    rows: Vec<Line>,
    out: Vec<Line>,
}

/// A cache line of numbers.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Line([f32; 16]);

impl Multiplication {
    /// A product of `k x k` numbers with `k` rows of one tile. All numbers are `1 / k`, so that repeating it
    /// changes nothing.
    pub fn new(kernels: &'static Kernels, k: usize) -> Self {
        let lines = |n: usize| vec![Line([1.0 / k as f32; 16]); n.div_ceil(16)];
        Multiplication { kernels, k, weights: lines(k * k), rows: lines(k * TILE), out: lines(k * TILE) }
    }

    /// Multiplies so many times, and says how many operations that were.
    pub fn run(&mut self, repeats: usize) -> u64 {
        let (weights, rows) = (self.weights.as_ptr().cast(), self.rows.as_ptr().cast());
        let out = self.out.as_mut_ptr().cast();
        for _ in 0..repeats {
            // SAFETY: the weights have at least k * k numbers, rows and out k rows of a tile each, and the three
            // are different allocations.
            unsafe { (self.kernels.matmul)(self.k, self.k, weights, self.k, 1, rows, out, 0) }
        }
        2 * (repeats * self.k * self.k * TILE) as u64
    }

    /// One number of the result.
    pub fn result(&self) -> f32 {
        self.out[0].0[0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_of_equal_numbers_is_their_square_times_the_width() {
        let kernels = crate::kernels().expect("kernels for this machine");
        for k in [1, 3, 64] {
            let mut product = Multiplication::new(kernels, k);
            assert_eq!(product.run(2), 4 * (k * k * TILE) as u64);
            assert!((product.result() - 1.0 / k as f32).abs() < 1e-6 / k as f32, "{k}");
        }
    }
}
