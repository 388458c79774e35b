//! Table rows asked for before they are used.
//!
//! The rows of a tile's codes lie anywhere in a table, and all tables together are larger than the near
//! caches. A processor waits for a few dozen rows at a time; asked for one by one while a matrix product
//! computes, they are there when a leaf needs them. So [`fetch`] only notes what will be needed, and the next
//! product asks.

use crate::{Ahead, MISSING, Tiles, lanes};

/// Numbers in a cache line.
const LINE: usize = 16;

/// See [`Kernels::fetch`](crate::Kernels::fetch).
#[inline(always)]
#[allow(clippy::extra_unused_type_parameters, reason = "every kernel is made for each tier")]
pub(crate) unsafe fn fetch<V>(tiles: *const Tiles, units: usize, codes: *const u32, table: *const f32) {
    // SAFETY: the caller's list, if there is one, is used by this thread alone.
    unsafe {
        if let Some(ahead) = (*tiles).ahead.as_mut() {
            ahead.note(units, codes, table);
        }
    }
}

/// What a product asks for while it computes.
pub(crate) struct Fetcher {
    /// What was noted and is not begun.
    list: Ahead,
    codes: *const u32,
    table: *const f32,
    units: usize,
    /// The next sample of the bundle to ask for.
    sample: usize,
    n: usize,
    stride: usize,
    lanes: usize,
    /// Rows that are asked for at each step of the product.
    at_once: usize,
}

impl Fetcher {
    /// Takes what was noted, for a product of so many steps.
    #[inline(always)]
    pub(crate) unsafe fn take(tiles: &Tiles, steps: usize) -> Fetcher {
        // SAFETY: as for `fetch`.
        let list = unsafe { tiles.ahead.as_mut() }.map_or(Ahead::NOTHING, std::mem::take);
        let n = tiles.n * tiles.lanes;
        let at_once = (list.n * n).div_ceil(steps.max(1));
        let Tiles { stride, lanes, .. } = *tiles;
        let nothing = std::ptr::null();
        Fetcher {
            list,
            codes: nothing,
            table: nothing.cast(),
            units: 0,
            sample: n,
            n,
            stride,
            lanes,
            at_once,
        }
    }

    /// Asks for a few rows.
    #[inline(always)]
    pub(crate) unsafe fn pulse(&mut self) {
        for _ in 0..self.at_once {
            if self.sample == self.n {
                let Some((units, codes, table)) = self.list.next() else {
                    self.at_once = 0;
                    return;
                };
                (self.units, self.codes, self.table, self.sample) = (units, codes, table, 0);
            }
            // SAFETY: the sample has a code, which is missing or has a row.
            unsafe { self.ask() }
            self.sample += 1;
        }
    }

    #[inline(always)]
    unsafe fn ask(&self) {
        // SAFETY: as for the caller.
        unsafe {
            let (tile, sample) = (self.sample / self.lanes, self.sample % self.lanes);
            let code = *self.codes.add(tile * self.stride + sample);
            let row = if code == MISSING { 0 } else { code as usize };
            let first = self.table.add(row * self.units);
            if self.units <= LINE {
                return lanes::fetch(first);
            }
            // Longer rows would crowd the product's own operands out of the first cache.
            for unit in (0..self.units).step_by(LINE) {
                lanes::fetch_far(first.add(unit));
            }
        }
    }
}
