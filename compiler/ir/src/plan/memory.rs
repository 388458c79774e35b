//! How much memory running a plan takes, and how to run it within a budget.
//!
//! In: a plan, and threads, tiles or a budget. Out: bytes, or the widest run that fits. What the machine has
//! is not looked at, and nothing is allocated. Programs of units are fitted by the same rule.

use super::{Plan, ROW_BYTES, Source};
use std::fmt::{Display, Formatter};

/// Tiles that take more bytes than this come four at a time, not eight: memory matters more then than reading each
/// weight less often.
const MOST_ARENA_BYTES: u64 = 1 << 24;

/// How a plan is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Threads, each with an arena and sums of statistics of its own.
    pub threads: u32,
    /// Tiles in each arena: each weight is read once for all of them.
    pub tiles: u32,
    /// Whether the statistics of many rows have a total beside them, which they are moved to before they
    /// outgrow 32 bits.
    pub has_totals: bool,
}

impl Run {
    /// From the largest to the least.
    fn all(threads: u32, most_tiles: u32) -> impl Iterator<Item = Run> {
        (1..=threads.max(1)).rev().flat_map(move |threads| {
            let of = move |tiles, has_totals| Run { threads, tiles, has_totals };
            [of(most_tiles, true), of(most_tiles, false), of(4, false), of(2, false), of(1, false)]
        })
    }
}

/// Bytes that a run takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Parameters, and what is derived from them: prepared tables, an exponent for each of their rows, and
    /// what guards watch.
    pub tables: u64,
    /// Sums of statistics of all threads, and their totals.
    pub statistics: u64,
    /// Arenas of all threads.
    pub arenas: u64,
}

impl Memory {
    /// All of it.
    pub fn total(&self) -> u64 {
        self.tables.saturating_add(self.statistics).saturating_add(self.arenas)
    }
}

impl Display for Memory {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let megabytes = |bytes: u64| bytes as f64 / 1e6;
        let [tables, statistics, arenas] = [self.tables, self.statistics, self.arenas].map(megabytes);
        let total = megabytes(self.total());
        write!(f, "{total:.1} MB: tables {tables:.1}, statistics {statistics:.1}, arenas {arenas:.1}")
    }
}

impl Plan {
    /// What a run takes.
    pub fn memory(&self, run: Run) -> Memory {
        let rows: u64 = self.tables.iter().map(|t| u64::from(t.rows) * u64::from(t.groups)).sum();
        let numbers = self.source_len(Source::Params) + self.source_len(Source::Prepared) + rows;
        let watched = 12 * self.tables.len() as u64;
        let sums = if self.down().is_empty() { 0 } else { 4 * self.stats_len() };
        let statistics = sums * (1 + u64::from(run.has_totals));
        let tile_bytes = self.arena_bytes() + u64::from(self.scratch_rows()) * ROW_BYTES;
        let threads = u64::from(run.threads);
        Memory {
            tables: 4 * numbers + watched,
            statistics: threads.saturating_mul(statistics),
            arenas: threads.saturating_mul(u64::from(run.tiles)).saturating_mul(tile_bytes),
        }
    }

    /// The largest run that takes no more than a budget in bytes, if there is one: first totals are left out,
    /// then tiles, and at last threads.
    ///
    /// # Errors
    /// What the least run takes, when that is too much.
    pub fn fit(&self, threads: u32, budget: Option<u64>) -> Result<Run, Memory> {
        let most_tiles = if self.arena_bytes() <= MOST_ARENA_BYTES { 8 } else { 4 };
        first_within(budget, Run::all(threads, most_tiles), |run| self.memory(run))
    }
}

/// The first of several ways to run, from the largest to the least, that takes no more than a budget in bytes.
///
/// # Errors
/// What the last takes, when all are too much.
pub(crate) fn first_within<R: Copy>(
    budget: Option<u64>,
    runs: impl Iterator<Item = R>,
    memory: impl Fn(R) -> Memory,
) -> Result<R, Memory> {
    let mut least = Memory { tables: 0, statistics: 0, arenas: 0 };
    for run in runs {
        least = memory(run);
        if budget.is_none_or(|budget| least.total() <= budget) {
            return Ok(run);
        }
    }
    Err(least)
}
