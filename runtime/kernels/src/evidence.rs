//! Evidence on its way into a tile.
//!
//! In: rows of data, one word for each variable. Out: rows of a tile, one word for each sample. What words mean
//! is not looked at. Unlike kernels this is safe to call: sizes are checked.

use crate::tier::{Tier, kernels, tier};
use crate::{PACKED, TILE};

/// Writes rows of words to `[variable][64]` words, as the samples from `first` on.
///
/// # Panics
/// When the rows differ in length, or there is no room for them.
pub fn pack(rows: [&[u32]; PACKED], first: usize, words: &mut [u32]) {
    let n = rows[0].len();
    assert!(rows.iter().all(|row| row.len() == n), "rows have the same variables");
    assert!(
        first + PACKED <= TILE && words.len() >= n * TILE,
        "there is room for {n} variables from {first}"
    );
    let kernels = kernels().ok().or_else(|| tier(Tier::Portable)).expect("the portable tier runs everywhere");
    let rows = rows.map(<[u32]>::as_ptr);
    // SAFETY: each row has `n` words; so many rows of a tile have room for them from the sample on.
    unsafe { (kernels.pack)(n, rows.as_ptr(), words.as_mut_ptr().wrapping_add(first)) }
}
