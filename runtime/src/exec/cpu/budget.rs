//! How much of a machine's memory a plan's runs take, and how to take less.
//!
//! In: a plan, the number of threads, and a limit. Out: an [`Extent`]: bundles of fewer tiles, sums over many
//! rows without a total, and at last fewer threads, whichever is needed and in this order; or what is missing,
//! in words. Nothing is allocated here.

use pcc_cpu::Arena;
use pcc_ir::Plan;
use pcc_ir::plan::Mode;

/// How a plan is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    /// Threads that run it; each gathers statistics of its own.
    pub(super) n_threads: usize,
    /// Tiles of a bundle.
    pub(super) n_tiles: usize,
    /// Whether statistics of many rows have a total beside them.
    pub(super) has_totals: bool,
}

impl Extent {
    /// The largest that fits into so many bytes, or what a run takes at least.
    pub(super) fn within(plan: &Plan, n_threads: usize, bytes: Option<u64>) -> Result<Extent, u64> {
        let fits = |extent: &Extent| bytes.is_none_or(|bytes| extent.bytes(plan) <= bytes);
        let least = Extent { n_threads: 1, n_tiles: 1, has_totals: false };
        extents(n_threads).find(fits).ok_or_else(|| least.bytes(plan))
    }

    /// The bytes that it takes at most.
    pub(super) fn bytes(self, plan: &Plan) -> u64 {
        let statistics = if plan.mode == Mode::Flows { 4 * plan.stats_len() } else { 0 };
        let of_statistics = statistics * (1 + u64::from(self.has_totals));
        self.n_threads as u64 * (Arena::bytes(plan, self.n_tiles) + of_statistics)
    }
}

/// From the largest to the least.
fn extents(n_threads: usize) -> impl Iterator<Item = Extent> {
    (1..=n_threads).rev().flat_map(|n_threads| {
        let of = move |n_tiles, has_totals| Extent { n_threads, n_tiles, has_totals };
        [of(4, true), of(4, false), of(2, false), of(1, false)]
    })
}

#[cfg(test)]
mod tests {
    use super::Extent;
    use pcc_ir::lower::{Options, graph_to_plan};
    use pcc_ir::plan::Mode;
    use pcc_ir::random::{Taste, circuit};

    #[test]
    fn less_memory_means_less_at_a_time_until_nothing_fits() {
        let taste = Taste { n_variables: 8, depth: 2, zero_weights: 0.0, is_single: false };
        let graph = circuit(3, taste);
        let plan = graph_to_plan(&graph, &Options::all_observed(&graph, Mode::Flows)).unwrap();
        let all = Extent { n_threads: 2, n_tiles: 4, has_totals: true };
        assert_eq!(Extent::within(&plan, 2, None), Ok(all));
        let mut bytes = all.bytes(&plan);
        let mut found = vec![all];
        while let Ok(extent) = Extent::within(&plan, 2, Some(bytes)) {
            assert!(extent.bytes(&plan) <= bytes);
            found.push(extent);
            bytes = extent.bytes(&plan) - 1;
        }
        let last = found[found.len() - 1];
        assert_eq!(last, Extent { n_threads: 1, n_tiles: 1, has_totals: false });
        assert_eq!(Extent::within(&plan, 2, Some(bytes)), Err(last.bytes(&plan)));
        assert!(found.len() > 4, "{found:?}");
    }
}
