//! Which edges of a table of weights are there, after some were pruned.
//!
//! The mask lies with the table: layers that share one share what was pruned. A weight without an edge is zero
//! and stays so; in the text form four edges are one hexadecimal digit, the first edge its lowest bit.

use std::ops::Range;

/// One bit for each number of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeMask {
    words: Vec<u64>,
    len: usize,
}

impl EdgeMask {
    /// A mask of these edges, in the order of the table's numbers.
    pub fn of(is_live: impl IntoIterator<Item = bool>) -> Self {
        let mut mask = EdgeMask { words: Vec::new(), len: 0 };
        for is_live in is_live {
            if mask.len.is_multiple_of(64) {
                mask.words.push(0);
            }
            let last = mask.words.len() - 1;
            mask.words[last] |= u64::from(is_live) << (mask.len % 64);
            mask.len += 1;
        }
        mask
    }

    /// How many numbers the table has.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether the table has none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether an edge is there.
    pub fn is_live(&self, at: usize) -> bool {
        self.words[at / 64] >> (at % 64) & 1 == 1
    }

    /// Whether all are.
    pub fn is_whole(&self) -> bool {
        self.n_live() == self.len
    }

    /// How many are there.
    pub fn n_live(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// How many of a range are there.
    pub fn n_live_in(&self, range: Range<usize>) -> usize {
        range.filter(|&at| self.is_live(at)).count()
    }

    /// Sets the numbers without an edge to zero; they are those of the table from `first` on.
    pub fn clear(&self, first: usize, numbers: &mut [f32]) {
        let numbers = numbers.iter_mut().enumerate();
        numbers.filter(|(i, _)| !self.is_live(first + i)).for_each(|(_, x)| *x = 0.0);
    }

    /// The digits of the text form.
    pub(super) fn digits(&self) -> String {
        let digit = |at: usize| char::from_digit((self.words[at / 64] >> (at % 64) & 15) as u32, 16);
        (0..self.len).step_by(4).filter_map(digit).collect()
    }

    /// A mask of so many edges from its digits; `None` where they are none, or not so many.
    pub(super) fn from_digits(digits: &str, len: usize) -> Option<Self> {
        if digits.len() != len.div_ceil(4) {
            return None;
        }
        let digits: Vec<u32> = digits.chars().map(|c| c.to_digit(16)).collect::<Option<_>>()?;
        let mask = EdgeMask::of((0..len).map(|at| digits[at / 4] >> (at % 4) & 1 == 1));
        // Bits beyond the last edge would give one mask two texts.
        (mask.digits().chars().last().and_then(|c| c.to_digit(16)) == digits.last().copied()).then_some(mask)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_is_its_bits() {
        for len in [1, 3, 4, 64, 65, 131] {
            let is_live = |at: usize| at.is_multiple_of(3) || at % 7 == 2;
            let mask = EdgeMask::of((0..len).map(is_live));
            let live: Vec<usize> = (0..len).filter(|&at| mask.is_live(at)).collect();
            assert_eq!(live, (0..len).filter(|&at| is_live(at)).collect::<Vec<_>>());
            assert_eq!((mask.len(), mask.n_live()), (len, live.len()));
            assert_eq!(mask.n_live_in(1..len), live.iter().filter(|&&at| at > 0).count());
            assert_eq!(EdgeMask::from_digits(&mask.digits(), len), Some(mask.clone()));
            let mut numbers = vec![1.0; len - 1];
            mask.clear(1, &mut numbers);
            assert!(numbers.iter().enumerate().all(|(i, &x)| (x == 1.0) == is_live(i + 1)));
        }
        assert!(EdgeMask::of([true, true]).is_whole());
        assert_eq!(EdgeMask::of([true, false, true, true, false, true]).digits(), "d2");
    }

    #[test]
    fn malformed_digits_are_no_mask() {
        for (digits, len) in [("", 4), ("ff", 4), ("g", 4), ("8", 3), ("-", 1)] {
            assert_eq!(EdgeMask::from_digits(digits, len), None, "{digits} {len}");
        }
    }
}
