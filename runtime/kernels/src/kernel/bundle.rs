//! Walking over the tiles of a bundle, strip by strip.
//!
//! A strip is as many samples as a few vectors hold. Where all 64 samples count it is a
//! [`Quad`](crate::lanes::Quad), whose four chains of arithmetic hide latencies; where fewer do, one
//! vector, so that samples that don't count are left alone.

use crate::Tiles;
use crate::lanes::{Lanes, Quad, Vector};

/// Where a strip lies.
#[derive(Clone, Copy)]
pub(crate) struct Strip {
    /// Numbers from a row of the first tile to the strip of the same row.
    pub(super) at: usize,
    /// The strip's first sample within its tile.
    pub(super) sample: usize,
    /// The marks of its tile.
    pub(super) marks: *mut u64,
}

impl Strip {
    /// The strip of a tile that begins at a sample.
    #[inline(always)]
    pub(super) fn of(tiles: &Tiles, tile: usize, sample: usize) -> Strip {
        // The address of marks alone; whoever writes there answers for it.
        let marks = tiles.marks.wrapping_add(tile);
        Strip { at: tile * tiles.stride + sample, sample, marks }
    }

    /// Marks the samples of the mask.
    #[inline(always)]
    pub(super) unsafe fn mark<L: Lanes>(self, mask: L::Mask) {
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
            if tiles.lanes.is_multiple_of(Quad::<V>::N) {
                for sample in (0..tiles.lanes).step_by(Quad::<V>::N) {
                    work.on::<Quad<V>>(Strip::of(tiles, tile, sample));
                }
            } else {
                for sample in (0..tiles.lanes).step_by(V::N) {
                    work.on::<V>(Strip::of(tiles, tile, sample));
                }
            }
        }
    }
}
