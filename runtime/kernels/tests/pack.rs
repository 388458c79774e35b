//! Packing turns rows into columns, bit by bit.

mod support;

use pcc_kernels::{MISSING, PACKED, TILE};
use support::{Numbers, each_tier};

#[test]
fn words_of_rows_become_words_of_samples() {
    let mut numbers = Numbers::new(163);
    for n in [0, 1, 7, 8, 9, 16, 31, 33, 784] {
        for first in [0, 16, 48] {
            // Missing values and signalling patterns among them, which must not change.
            let word = |numbers: &mut Numbers| match numbers.below(4) {
                0 => MISSING,
                1 => 0x7f80_0001,
                _ => numbers.bits() as u32,
            };
            let rows: Vec<Vec<u32>> =
                (0..PACKED).map(|_| (0..n).map(|_| word(&mut numbers)).collect()).collect();
            let pointers: Vec<*const u32> = rows.iter().map(|row| row.as_ptr()).collect();
            each_tier(|kernels| {
                let mut out = vec![7; n * TILE + 1];
                // SAFETY: each row has `n` words, and there is room for `n` rows of a tile.
                unsafe { (kernels.pack)(n, pointers.as_ptr(), out.as_mut_ptr().wrapping_add(first)) };
                for (at, &found) in out.iter().enumerate() {
                    let (variable, sample) = (at / TILE, at % TILE);
                    let is_packed = variable < n && (first..first + PACKED).contains(&sample);
                    let expected = if is_packed { rows[sample - first][variable] } else { 7 };
                    assert_eq!(found, expected, "{:?}: variable {variable}, sample {sample}", kernels.tier);
                }
            });
        }
    }
}
