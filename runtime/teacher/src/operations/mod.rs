//! Operations on tensors that candle has slowly or without gradients: gelu, normalisation, attention.
//!
//! Each works on the calling thread alone, over rows of 32-bit numbers, in an order that depends on nothing but
//! the sizes: teachers share out rows among threads, and threads within threads would only wait for each other.
//! Loops run over whole vectors, as wide as the processor has them.

mod attention;
mod gelu;
mod normalise;
#[cfg(test)]
mod tests;

pub(crate) use attention::{Sequences, attention};
pub(crate) use gelu::gelu;
pub(crate) use normalise::normalise;

use candle_core::{CpuStorage, Layout, Result};

/// Numbers of a vector register, or of two.
const LANES: usize = 16;

/// The numbers of a tensor that lies row by row in memory.
fn numbers<'s>(storage: &'s CpuStorage, layout: &Layout) -> Result<&'s [f32]> {
    let Some((start, end)) = layout.contiguous_offsets() else {
        candle_core::bail!("a tensor does not lie row by row");
    };
    Ok(&storage.as_slice::<f32>()?[start..end])
}

/// e^x within two units in the last place; zero and infinity are as far as 2^-126 and 2^127.
///
/// x = n ln 2 + r with |r| <= ln 2 / 2, and e^r by a polynomial (Moshier's Cephes library); there is no branch and
/// no call, so that a loop over it becomes vector instructions.
#[inline(always)]
fn exp(x: f32) -> f32 {
    /// Adding this rounds to a whole number, which then stands in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    /// ln 2 in two parts; a small multiple of the first is exact.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    let x = x.clamp(-87.3, 88.0);
    let rounded = x * std::f32::consts::LOG2_E + ROUND;
    let n = rounded - ROUND;
    let r = (x - n * LN_2[0]) - n * LN_2[1];
    let mut sum = 1.987_569_1e-4_f32;
    for coefficient in [1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
        sum = sum * r + coefficient;
    }
    let power = f32::from_bits(rounded.to_bits().wrapping_add(127) << 23);
    (sum * r * r + r + 1.0) * power
}

/// The sum of what is made of each number, in so many lanes that it need not wait for each addition.
#[inline(always)]
fn sum(row: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    let mut lanes = [0.0; LANES];
    let blocks = row.chunks_exact(LANES);
    let rest: f32 = blocks.remainder().iter().map(|x| of(*x)).sum();
    for block in blocks {
        lanes.iter_mut().zip(block).for_each(|(lane, x)| *lane += of(*x));
    }
    lanes.iter().sum::<f32>() + rest
}
