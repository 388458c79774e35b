//! The statistics of normal leaves: sums over samples of flows, and of flows times distances from the mean and
//! their squares.
//!
//! Units lie across vectors here, so the flows are transposed first. Sums of several leaves stay in registers
//! over all samples of a bundle.

use super::flow::transpose_rows;
use super::normal::Leaves;
use crate::lanes::{MAX_LANES, Vector};
use crate::{NormalLeaf, TILE, Tiles};

/// See [`Kernels::normal_down`](crate::Kernels::normal_down).
#[inline(always)]
pub(crate) unsafe fn normal_down<V: Vector>(
    tiles: *const Tiles,
    n: usize,
    units: usize,
    base: *const f32,
    tables: *const f32,
    leaves: *const NormalLeaf,
    flow: *const f32,
    stats: *mut f32,
    scratch: *mut f32,
) {
    // SAFETY: the caller's buffers have these sizes.
    unsafe {
        let tiles = &*tiles;
        let padded = units.next_multiple_of(V::N);
        for tile in 0..tiles.n {
            let rows = scratch.add(tile * padded * TILE);
            transpose_rows::<V>(tiles.lanes, units, flow.add(tile * tiles.stride), rows, padded);
        }
        let leaves = Leaves { n, units, base, tables, leaves };
        for first in (0..units).step_by(V::N) {
            let flows = Flows { tiles, flows: scratch.add(first), padded };
            Statistics { leaves, flows, first, stats }.all_leaves::<V>();
        }
    }
}

/// The flows of a vector of units, sample by sample.
#[derive(Clone, Copy)]
struct Flows<'t> {
    tiles: &'t Tiles,
    flows: *const f32,
    padded: usize,
}

impl Flows<'_> {
    /// The flows of a tile's first sample.
    #[inline(always)]
    unsafe fn of_tile(&self, tile: usize) -> *const f32 {
        // SAFETY: there are flows for each tile.
        unsafe { self.flows.add(tile * TILE * self.padded) }
    }

    /// The sums over all samples.
    #[inline(always)]
    unsafe fn totals<V: Vector>(&self) -> V {
        // SAFETY: there are flows for each sample.
        unsafe {
            let mut totals = V::splat(0.0);
            for tile in 0..self.tiles.n {
                let flows = self.of_tile(tile);
                for sample in 0..self.tiles.lanes {
                    totals = totals.add(V::load(flows.add(sample * self.padded)));
                }
            }
            totals
        }
    }
}

/// The statistics of a vector of units, from `first` on, of some leaves.
struct Statistics<'t> {
    leaves: Leaves,
    flows: Flows<'t>,
    first: usize,
    stats: *mut f32,
}

/// The sums of a leaf's statistics.
#[derive(Clone, Copy)]
struct Sums<V> {
    flow: V,
    /// Of flow times the mean's distance from the value, the other way round than it is asked for.
    back: V,
    square: V,
}

impl Statistics<'_> {
    /// Goes through the leaves, as many at a time as registers hold sums for.
    #[inline(always)]
    unsafe fn all_leaves<V: Vector>(&self) {
        // SAFETY: as for the traits; a part has no more leaves than are left.
        unsafe {
            let total = self.flows.totals::<V>();
            let most = if V::N == MAX_LANES { 8 } else { 4 };
            for first in (0..self.leaves.n).step_by(most) {
                let leaves = self.leaves.part(first, most);
                let part = Statistics { leaves, ..*self };
                match (part.may_miss::<V>(), leaves.n) {
                    (false, 8) if V::N == MAX_LANES => part.some_leaves::<V, 8, false>(0, total),
                    (false, n) => part.few_at_a_time::<V, false>(n, total),
                    (true, n) => part.few_at_a_time::<V, true>(n, total),
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn may_miss<V: Vector>(&self) -> bool {
        let Tiles { n, stride, lanes, .. } = *self.flows.tiles;
        let mut strips = (0..n).flat_map(|tile| (0..lanes).step_by(V::N).map(move |s| tile * stride + s));
        // SAFETY: each strip lies within the caller's rows.
        strips.any(|at| unsafe { self.leaves.may_miss::<V>(at) })
    }

    /// The first `n` leaves, by fours and one by one.
    #[inline(always)]
    unsafe fn few_at_a_time<V: Vector, const IS_MISSED: bool>(&self, n: usize, total: V) {
        let mut i = 0;
        // SAFETY: no more leaves are taken than are left.
        unsafe {
            while i + 4 <= n {
                self.some_leaves::<V, 4, IS_MISSED>(i, total);
                i += 4;
            }
            while i < n {
                self.some_leaves::<V, 1, IS_MISSED>(i, total);
                i += 1;
            }
        }
    }

    /// `N` leaves from `first_leaf` on. Without missing values their flows are `total`.
    #[inline(always)]
    unsafe fn some_leaves<V: Vector, const N: usize, const IS_MISSED: bool>(
        &self,
        first_leaf: usize,
        total: V,
    ) {
        // SAFETY: there are that many leaves, each with a row of values and a table.
        unsafe {
            let width = V::N.min(self.leaves.units - self.first);
            let zero = V::splat(0.0);
            let mut sums = [Sums { flow: zero, back: zero, square: zero }; N];
            let (mut values, mut means) = ([std::ptr::null(); N], [zero; N]);
            for i in 0..N {
                let (row, table) = self.leaves.leaf(first_leaf + i);
                (values[i], means[i]) = (row, load::<V>(table.add(self.first), width));
            }
            for tile in 0..self.flows.tiles.n {
                let flows = self.flows.of_tile(tile);
                let values = values.map(|row| row.add(tile * self.flows.tiles.stride));
                for sample in 0..self.flows.tiles.lanes {
                    let flow = V::load(flows.add(sample * self.flows.padded));
                    for i in 0..N {
                        sums[i].add::<IS_MISSED>(flow, means[i], *values[i].add(sample));
                    }
                }
            }
            for i in 0..N {
                if !IS_MISSED {
                    sums[i].flow = total;
                }
                let stats = self.stats.add((*self.leaves.leaves.add(first_leaf + i)).stats as usize);
                sums[i].add_to(stats.add(self.first), self.leaves.units, width);
            }
        }
    }
}

impl<V: Vector> Sums<V> {
    #[inline(always)]
    unsafe fn add<const IS_MISSED: bool>(&mut self, flow: V, mean: V, x: f32) {
        // SAFETY: as for the traits.
        unsafe {
            let x = V::splat(x);
            let (mut flow, mut back) = (flow, mean.sub(x));
            if IS_MISSED {
                let missing = x.is_nan();
                (flow, back) =
                    (V::select(missing, V::splat(0.0), flow), V::select(missing, V::splat(0.0), back));
                self.flow = self.flow.add(flow);
            }
            let first = flow.mul(back);
            self.back = self.back.add(first);
            self.square = first.fma(back, self.square);
        }
    }

    /// Adds the first `width` lanes to three rows, `units` apart.
    #[inline(always)]
    unsafe fn add_to(self, stats: *mut f32, units: usize, width: usize) {
        // SAFETY: the caller's rows have `width` numbers.
        unsafe {
            let distance = V::splat(0.0).sub(self.back);
            for (row, sum) in [self.flow, distance, self.square].into_iter().enumerate() {
                let to = stats.add(row * units);
                let sum = load::<V>(to, width).add(sum);
                if width < V::N { sum.store_part(to, width) } else { sum.store(to) }
            }
        }
    }
}

/// The first `width` lanes from memory.
#[inline(always)]
unsafe fn load<V: Vector>(from: *const f32, width: usize) -> V {
    // SAFETY: the caller's memory holds `width` numbers.
    unsafe { if width < V::N { V::load_part(from, width) } else { V::load(from) } }
}
