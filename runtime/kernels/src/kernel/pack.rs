//! Rows of data, turned into rows of a tile.

use crate::TILE;
use crate::lanes::{MAX_LANES, Vector};

/// See [`Kernels::pack`](crate::Kernels::pack).
#[inline(always)]
pub(crate) unsafe fn pack<V: Vector>(n: usize, rows: *const *const u32, out: *mut u32) {
    for first in (0..n).step_by(V::N) {
        let width = V::N.min(n - first);
        for sample in (0..crate::PACKED).step_by(V::N) {
            // SAFETY: the caller's rows have `n` words, and `out` has a row for each.
            unsafe {
                let rows = rows.add(sample);
                let mut block = [V::splat(0.0); MAX_LANES];
                for i in 0..V::N {
                    // Words pass through as they are, whatever number they would be.
                    let row = (*rows.add(i)).add(first).cast();
                    block[i] = if width == V::N { V::load(row) } else { V::load_part(row, width) };
                }
                V::transpose(&mut block);
                let to = out.add(first * TILE + sample).cast::<f32>();
                for i in 0..V::N {
                    if i < width {
                        block[i].store(to.add(i * TILE));
                    }
                }
            }
        }
    }
}
