//! Table rows asked for before they are used.
//!
//! The rows of a tile's codes lie anywhere in a table, and all tables together are larger than the near
//! caches. A processor waits for a few dozen rows at a time; asked for one by one while a matrix product
//! computes, they are there when a leaf needs them. So [`fetch`] only notes what will be needed, and the next
//! product asks. Where a bundle has so many samples that they look up most of a table, all of it is asked for,
//! line after line.

use crate::tiles::Note;
use crate::{Ahead, MISSING, Tiles, lanes};

/// Numbers in a cache line.
const LINE: usize = 16;

/// See [`Kernels::fetch`](crate::Kernels::fetch).
#[inline(always)]
#[allow(clippy::extra_unused_type_parameters, reason = "every kernel is made for each tier")]
pub(crate) unsafe fn fetch<V>(
    tiles: *const Tiles,
    units: usize,
    n_rows: usize,
    codes: *const u32,
    table: *const f32,
) {
    // SAFETY: the caller's list, if there is one, is used by this thread alone.
    unsafe {
        let Some(ahead) = (*tiles).ahead.as_mut() else { return };
        let (n_codes, n_lines) = ((*tiles).n * (*tiles).lanes, (n_rows * units).div_ceil(LINE));
        // So many codes choose nearly all lines, and asked for in order they come sooner.
        if n_lines <= n_codes {
            ahead.note(Note { units, codes: std::ptr::null(), table, n_asks: n_lines });
        } else if units >= LINE {
            ahead.note(Note { units, codes, table, n_asks: n_codes });
        }
    }
}

/// What a product asks for while it computes.
pub(crate) struct Fetcher {
    /// What was noted and is not begun.
    list: Ahead,
    /// What it is at.
    note: Note,
    /// How many times it has asked for that.
    asked: usize,
    /// Numbers between tiles, and samples of each that count.
    stride: usize,
    lanes: usize,
    /// How many times it asks at each step of the product.
    at_once: usize,
}

impl Fetcher {
    /// Takes what was noted, for a product of so many steps.
    #[inline(always)]
    pub(crate) unsafe fn take(tiles: &Tiles, steps: usize) -> Fetcher {
        // SAFETY: as for `fetch`.
        let list = unsafe { tiles.ahead.as_mut() }.map_or(Ahead::NOTHING, std::mem::take);
        let at_once = list.n_asks().div_ceil(steps.max(1));
        let Tiles { stride, lanes, .. } = *tiles;
        Fetcher { list, note: Note::NOTHING, asked: 0, stride, lanes, at_once }
    }

    /// Asks a few times.
    #[inline(always)]
    pub(crate) unsafe fn pulse(&mut self) {
        for _ in 0..self.at_once {
            if self.asked == self.note.n_asks {
                let Some(note) = self.list.next() else {
                    self.at_once = 0;
                    return;
                };
                (self.note, self.asked) = (note, 0);
            }
            // SAFETY: each of the samples has a code, which is missing or has a row.
            unsafe { self.ask() }
            self.asked += 1;
        }
    }

    #[inline(always)]
    unsafe fn ask(&self) {
        let Note { units, codes, table, .. } = self.note;
        // SAFETY: as for the caller.
        unsafe {
            if codes.is_null() {
                let line = table.add(self.asked * LINE);
                return if units <= LINE { lanes::fetch(line) } else { lanes::fetch_far(line) };
            }
            let (tile, sample) = (self.asked / self.lanes, self.asked % self.lanes);
            let code = *codes.add(tile * self.stride + sample);
            let row = if code == MISSING { 0 } else { code as usize };
            let first = table.add(row * units);
            if units <= LINE {
                return lanes::fetch(first);
            }
            // Longer rows would crowd the product's own operands out of the first cache.
            for unit in (0..units).step_by(LINE) {
                lanes::fetch_far(first.add(unit));
            }
        }
    }
}
