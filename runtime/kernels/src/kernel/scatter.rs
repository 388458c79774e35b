//! Flows of discrete leaves, added to the rows of a table of counts.
//!
//! Additions to one row wait for each other, and in real data many samples of a tile have the same code. So
//! the flows of a common code are summed in registers first; what is left is transposed in registers, block
//! by block, and added row by row.

use super::flow::load_rows;
use crate::lanes::{Lanes, MAX_LANES, Vector};
use crate::{TILE, Tiles};
use std::mem::MaybeUninit;

/// From how many samples on a code is summed by itself.
const MANY: u32 = 8;

/// How many pairs of samples are compared to find a code that is common.
const PAIRS: usize = 4;

/// Units from which rows are so long that they are fetched ahead.
const LONG_ROW: usize = 128;

/// See [`Kernels::scatter`](crate::Kernels::scatter).
#[inline(always)]
pub(crate) unsafe fn scatter<V: Vector>(
    tiles: *const Tiles,
    units: usize,
    codes: *const u32,
    flow: *const f32,
    counts: *mut f32,
) {
    // SAFETY: the caller's buffers have these sizes.
    unsafe {
        let tiles = &*tiles;
        for tile in 0..tiles.n {
            let at = tile * tiles.stride;
            let (codes, flow, samples) = (codes.add(at), flow.add(at), tiles.lanes);
            Scatter { units, codes, flow, counts, samples }.tile::<V>();
        }
    }
}

/// One tile of flows.
#[derive(Clone, Copy)]
struct Scatter {
    units: usize,
    codes: *const u32,
    flow: *const f32,
    counts: *mut f32,
    /// How many count.
    samples: usize,
}

impl Scatter {
    #[inline(always)]
    unsafe fn tile<V: Vector>(self) {
        // SAFETY: as for the caller.
        unsafe {
            let mut left = self.known::<V>();
            if let Some(code) = self.common(left) {
                let same = self.samples_of::<V>(code);
                if same.count_ones() >= MANY {
                    self.add_common::<V>(code, same);
                    left &= !same;
                }
            }
            if left == 0 {
                return;
            }
            if 4 * self.units <= V::Block::N {
                self.add_one_by_one(left);
            } else {
                self.add_blocks::<V::Block>(left);
            }
        }
    }

    /// The samples whose codes are not missing.
    #[inline(always)]
    unsafe fn known<V: Vector>(self) -> u64 {
        let mut known = 0;
        for sample in (0..self.samples).step_by(V::N) {
            // SAFETY: the samples have codes; read as a number, a missing one is NaN.
            let missing = unsafe { V::bits(V::load(self.codes.add(sample).cast()).is_nan()) };
            known |= (missing ^ (u64::MAX >> (64 - V::N))) << sample;
        }
        known
    }

    /// A code that two samples share, one in each half of the tile.
    #[inline(always)]
    unsafe fn common(self, known: u64) -> Option<u32> {
        for sample in 0..PAIRS {
            // SAFETY: there are at least 16 samples.
            let pair = unsafe { [*self.codes.add(sample), *self.codes.add(self.samples / 2 + sample)] };
            if pair[0] == pair[1] && known >> sample & 1 == 1 {
                return Some(pair[0]);
            }
        }
        None
    }

    /// The samples that have a code.
    #[inline(always)]
    unsafe fn samples_of<V: Vector>(self, code: u32) -> u64 {
        let mut same = 0;
        for sample in (0..self.samples).step_by(V::N) {
            // SAFETY: the samples have codes.
            unsafe {
                let codes = V::load(self.codes.add(sample).cast());
                same |= V::bits(codes.has_bits_of(V::splat(f32::from_bits(code)))) << sample;
            }
        }
        same
    }

    /// Adds the flows of all samples with one code, four units at a time.
    #[inline(always)]
    unsafe fn add_common<V: Vector>(self, code: u32, same: u64) {
        // SAFETY: the code has a row of counts; each unit has a row of flow.
        unsafe {
            let (zero, wanted) = (V::splat(0.0), V::splat(f32::from_bits(code)));
            let row = self.counts.add(code as usize * self.units);
            for first in (0..self.units).step_by(4) {
                let n = 4.min(self.units - first);
                let mut sums = [zero; 4];
                for sample in (0..self.samples).step_by(V::N) {
                    if same >> sample & (u64::MAX >> (64 - V::N)) == 0 {
                        continue;
                    }
                    let mask = V::load(self.codes.add(sample).cast()).has_bits_of(wanted);
                    for i in 0..n {
                        let flow = V::load(self.flow.add((first + i) * TILE + sample));
                        sums[i] = sums[i].add(V::select(mask, flow, zero));
                    }
                }
                let totals = V::totals(sums);
                for i in 0..n {
                    *row.add(first + i) += totals[i];
                }
            }
        }
    }

    /// Adds the flows of some samples, one at a time.
    #[inline(always)]
    unsafe fn add_one_by_one(self, mut left: u64) {
        while left != 0 {
            let sample = left.trailing_zeros() as usize;
            left &= left - 1;
            // SAFETY: the sample's code has a row of counts.
            unsafe {
                let row = self.counts.add(*self.codes.add(sample) as usize * self.units);
                for u in 0..self.units {
                    *row.add(u) += *self.flow.add(u * TILE + sample);
                }
            }
        }
    }

    /// Adds the flows of some samples, by transposed blocks; one sample after the other, since codes may
    /// repeat.
    #[inline(always)]
    unsafe fn add_blocks<V: Vector>(self, left: u64) {
        let all = u64::MAX >> (64 - V::N);
        // SAFETY: the samples that are left have codes with rows of counts; only existing units are touched.
        unsafe {
            if self.units >= LONG_ROW {
                self.fetch(left & all);
            }
            for sample in (0..self.samples).step_by(V::N) {
                let here = left >> sample & all;
                if self.units >= LONG_ROW && sample + V::N < self.samples {
                    self.fetch(left & all << (sample + V::N));
                }
                if here == 0 {
                    continue;
                }
                for first in (0..self.units).step_by(V::N) {
                    let width = V::N.min(self.units - first);
                    let mut block = load_rows::<V>(self.flow.add(first * TILE + sample), width);
                    V::transpose(&mut block);
                    if here == all {
                        for i in 0..V::N {
                            add_to(block[i], self.row(sample + i).add(first), width);
                        }
                    } else {
                        self.add_some(block, here, sample, first, width);
                    }
                }
            }
        }
    }

    /// Adds the rows of a transposed block whose bits are set.
    #[inline(always)]
    unsafe fn add_some<V: Vector>(
        self,
        block: [V; MAX_LANES],
        mut set: u64,
        sample: usize,
        first: usize,
        width: usize,
    ) {
        // In memory, so that rows can be chosen; the block itself stays in registers.
        let mut rows = MaybeUninit::<[V; MAX_LANES]>::uninit();
        let rows = rows.as_mut_ptr().cast::<f32>();
        // SAFETY: as for the caller; `rows` has room for the block.
        unsafe {
            for i in 0..V::N {
                block[i].store(rows.add(i * V::N));
            }
            while set != 0 {
                let i = set.trailing_zeros() as usize;
                set &= set - 1;
                add_to(V::load(rows.add(i * V::N)), self.row(sample + i).add(first), width);
            }
        }
    }

    /// The row of counts of a sample's code.
    #[inline(always)]
    unsafe fn row(self, sample: usize) -> *mut f32 {
        // SAFETY: the caller's sample has a code, and that a row.
        unsafe { self.counts.add(*self.codes.add(sample) as usize * self.units) }
    }

    /// Asks for the rows of some samples' codes: those of large vocabularies lie in far memory.
    #[inline(always)]
    unsafe fn fetch(self, mut samples: u64) {
        while samples != 0 {
            let sample = samples.trailing_zeros() as usize;
            samples &= samples - 1;
            for first in (0..self.units).step_by(16) {
                // SAFETY: the row has this unit.
                unsafe { crate::lanes::fetch(self.row(sample).add(first)) };
            }
        }
    }
}

/// Adds the first `width` lanes to memory.
#[inline(always)]
unsafe fn add_to<V: Vector>(lanes: V, to: *mut f32, width: usize) {
    // SAFETY: the caller has `width <= V::N` values at `to`.
    unsafe {
        if width == V::N {
            lanes.add(V::load(to)).store(to);
        } else {
            lanes.add(V::load_part(to, width)).store_part(to, width);
        }
    }
}
