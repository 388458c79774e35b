//! Walking over the tiles of a bundle, strip by strip.
//!
//! A strip is as many samples as a few vectors hold. Where all 64 samples count it is a
//! [`Quad`](crate::lanes::Quad), whose four chains of arithmetic hide latencies; where fewer do, one
//! vector, so that samples that don't count are left alone.

use crate::Tiles;
use crate::lanes::{Lanes, Quad, Vector};

/// Where a strip lies.
#[derive(Clone, Copy)]
pub(super) struct Strip {
    /// Numbers from a row of the first tile to the strip of the same row.
    pub at: usize,
    /// The strip's first sample within its tile.
    pub sample: usize,
    /// The marks of its tile.
    pub marks: *mut u64,
}

impl Strip {
    /// Marks the samples of the mask.
    #[inline(always)]
    pub unsafe fn mark<L: Lanes>(self, mask: L::Mask) {
        // SAFETY: the strip's tile has marks.
        unsafe { super::mark::<L>(self.marks, self.sample, mask) }
    }
}

/// What is done to each strip.
pub(super) trait OnStrip {
    unsafe fn on<L: Lanes>(&self, strip: Strip);
}

/// Does `work` on all strips of the samples that count.
#[inline(always)]
pub(super) unsafe fn each_strip<V: Vector>(tiles: &Tiles, work: &impl OnStrip) {
    for tile in 0..tiles.n {
        // SAFETY: the caller's rows have strips at these offsets, and each tile has marks.
        unsafe {
            let (start, marks) = (tile * tiles.stride, tiles.marks.add(tile));
            if tiles.lanes.is_multiple_of(Quad::<V>::N) {
                for sample in (0..tiles.lanes).step_by(Quad::<V>::N) {
                    work.on::<Quad<V>>(Strip { at: start + sample, sample, marks });
                }
            } else {
                for sample in (0..tiles.lanes).step_by(V::N) {
                    work.on::<V>(Strip { at: start + sample, sample, marks });
                }
            }
        }
    }
}
