//! Keyed randomness: every random number of a run comes from a seed and a place.
//!
//! A stream is named by a seed and a path of numbers (what it is for, which table, which epoch), so that
//! streams do not depend on the order in which they are used, and a resumed run draws what an
//! uninterrupted one would have drawn. Uniform numbers and permutations are made here and not by a
//! library, so that the same seed gives the same bits whatever versions a build uses.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

/// What a stream is for; the first step of its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Where a table of parameters starts; the next step is the table.
    Start = 1,
    /// The order of rows in an epoch; the next step is the epoch.
    Order = 2,
    /// Samples; the next steps are the row of evidence and the number of the sample.
    Sample = 3,
    /// Starts of clusterings; the next steps are the position and the number of the start.
    Cluster = 4,
    /// Weights, order and masks of a network; the next steps are what it is, the epoch, the batch and the shard.
    Teach = 5,
    /// Noise on units that were doubled; the next step is the table.
    Grow = 6,
}

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub struct Stream(Xoshiro256PlusPlus);

impl Stream {
    /// The stream of a seed and a path.
    pub fn new(seed: u64, purpose: Purpose, path: &[u64]) -> Self {
        let mut key = scramble(seed ^ scramble(purpose as u64));
        for &step in path {
            key = scramble(key ^ scramble(step));
        }
        Stream(Xoshiro256PlusPlus::seed_from_u64(key))
    }

    /// A uniform number in [0, 1), a multiple of 2^-53.
    pub fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 * 2f64.powi(-53)
    }

    /// A whole number below `n`, by Lemire's multiplication; its bias of n / 2^64 is beyond notice.
    pub fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.0.next_u64()) * n as u128) >> 64) as usize
    }

    /// Puts items into a random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }

    /// Draws an index with probability proportional to its weight; `None` when no weight is positive.
    pub fn draw(&mut self, weights: impl Iterator<Item = f64> + Clone) -> Option<usize> {
        let mut left = self.uniform() * weights.clone().sum::<f64>();
        let mut last = None;
        for (i, weight) in weights.enumerate().filter(|&(_, w)| w > 0.0) {
            last = Some(i);
            left -= weight;
            if left < 0.0 {
                break;
            }
        }
        last
    }
}

/// A bijection of 64-bit words in which every input bit reaches every output bit: the step of splitmix64
/// (Steele, Lea and Flood, 2014).
fn scramble(x: u64) -> u64 {
    let mut z = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_with_different_paths_differ_and_equal_ones_agree() {
        let first = |path: &[u64]| Stream::new(7, Purpose::Order, path).uniform();
        assert_eq!(first(&[1]).to_bits(), first(&[1]).to_bits());
        assert_ne!(first(&[1]), first(&[2]));
        assert_ne!(first(&[1]), first(&[1, 0]));
        assert_ne!(first(&[1]), Stream::new(8, Purpose::Order, &[1]).uniform());
        assert_ne!(first(&[1]), Stream::new(7, Purpose::Start, &[1]).uniform());
    }

    #[test]
    fn uniform_numbers_have_the_moments_of_the_uniform_distribution() {
        let mut stream = Stream::new(1, Purpose::Sample, &[]);
        let n = 100_000;
        let draws: Vec<f64> = (0..n).map(|_| stream.uniform()).collect();
        let mean = draws.iter().sum::<f64>() / f64::from(n);
        let square = draws.iter().map(|x| x * x).sum::<f64>() / f64::from(n);
        // Five standard errors of the mean of x and of x squared.
        assert!((mean - 0.5).abs() < 5.0 * (1.0f64 / 12.0 / f64::from(n)).sqrt());
        assert!((square - 1.0 / 3.0).abs() < 5.0 * (4.0f64 / 45.0 / f64::from(n)).sqrt());
        assert!(draws.iter().all(|x| (0.0..1.0).contains(x)));
    }

    #[test]
    fn a_shuffle_is_a_permutation_and_all_are_about_equally_likely() {
        let mut stream = Stream::new(2, Purpose::Order, &[]);
        let mut counts = std::collections::BTreeMap::new();
        for _ in 0..6000 {
            let mut items = [0, 1, 2];
            stream.shuffle(&mut items);
            *counts.entry(items).or_insert(0u32) += 1;
        }
        assert_eq!(counts.len(), 6);
        // Expected 1000 each with a deviation of 29.
        assert!(counts.values().all(|&c| c.abs_diff(1000) < 150), "{counts:?}");
    }

    #[test]
    fn a_draw_never_takes_a_weight_of_zero() {
        let mut stream = Stream::new(3, Purpose::Sample, &[]);
        for _ in 0..1000 {
            assert_eq!(stream.draw([0.0, 2.0, 0.0].into_iter()), Some(1));
        }
        assert_eq!(stream.draw([0.0].into_iter()), None);
    }
}
