//! Keys: randomness that is a pure function of what made the key.
//!
//! A key is a 64-bit state; children are made by hashing the state with a number, and a stream of numbers
//! by counting. The mixing function is the finaliser of SplitMix64 (Steele, Lea and Flood, 2014).

/// A source of keyed randomness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key(u64);

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

impl Key {
    /// The key of a sequence of numbers.
    pub(crate) fn new(numbers: &[i64]) -> Self {
        numbers.iter().fold(Key(GOLDEN), |key, &n| key.child(n as u64))
    }

    /// The key that a number leads to.
    pub(crate) fn child(self, n: u64) -> Key {
        Key(mix(mix(self.0.wrapping_add(GOLDEN)) ^ mix(n.wrapping_add(GOLDEN))))
    }

    /// The same values in a random order, each order equally likely (Fisher and Yates).
    pub(crate) fn shuffle<T>(self, values: &mut [T]) {
        for (draw, last) in (1..values.len()).rev().enumerate() {
            values.swap(self.below(draw as u64, last as u64 + 1) as usize, last);
        }
    }

    /// The number of a draw, between 0 and `bound - 1`.
    ///
    /// The 64 bits are scaled down by a product; the bias is below `bound / 2^64`.
    fn below(self, draw: u64, bound: u64) -> u64 {
        let bits = mix(self.0.wrapping_add(GOLDEN.wrapping_mul(draw + 1)));
        ((u128::from(bits) * u128::from(bound)) >> 64) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_keys_give_equal_orders_and_others_do_not() {
        let order = |key: Key| {
            let mut values: Vec<u32> = (0..50).collect();
            key.shuffle(&mut values);
            values
        };
        let key = Key::new(&[7, 1]);
        assert_eq!(order(key), order(Key::new(&[7, 1])));
        assert_ne!(order(key), order(Key::new(&[1, 7])));
        assert_ne!(order(key.child(1)), order(key.child(2)));
        let mut sorted = order(key);
        sorted.sort_unstable();
        assert_eq!(sorted, (0..50).collect::<Vec<_>>());
    }

    #[test]
    fn every_position_is_about_equally_likely() {
        let mut counts = [0_u32; 5];
        for seed in 0..5_000 {
            let mut values = [0, 1, 2, 3, 4];
            Key::new(&[seed]).shuffle(&mut values);
            counts[values.iter().position(|v| *v == 0).unwrap()] += 1;
        }
        // A binomial count of mean 1,000 has a standard deviation of 28.
        assert!(counts.iter().all(|c| (880..1120).contains(c)), "{counts:?}");
    }
}
