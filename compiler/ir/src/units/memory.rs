//! What running a program of units takes: memory and operations.
//!
//! In: a program, its graph, and threads or a budget. Out: bytes, the most threads that fit, or operations.
//! Nothing is allocated. The executor of programs keeps to what is written here, and its tests hold it to that.

use super::{NO_PLACE, ONE_ROW, UnitLeaf, UnitProgram};
use crate::plan::{Memory, first_within};
use crate::{Graph, Param, ParamShape};

/// Samples that are computed side by side.
pub const SAMPLES_OF_A_ROW: usize = 8;

const ROW_BYTES: u64 = 8 * SAMPLES_OF_A_ROW as u64;

/// A sum is its row and its number of terms; a term is two rows, two places and a weight of 64 bits.
const SUM_BYTES: u64 = 8;
const TERM_BYTES: u64 = 8 + 8 + 8;

/// The place of a term's statistics once more, side by side for the way down.
const LINK_BYTES: u64 = 4;

/// A leaf: what it reads, where its numbers lie, and its power of two.
const LEAF_BYTES: u64 = 64;

impl UnitProgram {
    /// What a run on so many threads takes, but for rows that leave the range of plain numbers.
    pub fn memory(&self, graph: &Graph, threads: u32) -> Memory {
        let total = |len: fn(&Param) -> usize| graph.params().iter().map(|p| len(p) as u64).sum::<u64>();
        let (threads, is_for_flows) = (u64::from(threads), u64::from(self.options.is_for_flows));
        let of_terms = (TERM_BYTES + LINK_BYTES * is_for_flows) * self.terms.len() as u64;
        let of_leaves = self.leaves.iter().map(|&leaf| LEAF_BYTES + leaf_numbers(leaf, graph));
        let tape = SUM_BYTES * self.sums.len() as u64 + of_terms + of_leaves.sum::<u64>();
        // Every thread's sums in 64 bits, and in 32 what they leave for the M-step.
        let statistics = is_for_flows * total(Param::stats_len) * (8 * threads + 4);
        Memory {
            tables: 4 * total(Param::len) + tape,
            statistics,
            arenas: threads * (1 + is_for_flows) * ROW_BYTES * self.n_rows as u64,
        }
    }

    /// The most threads, up to a number of them, with which a run takes no more than a budget in bytes.
    ///
    /// # Errors
    /// What a run on one thread takes, when that is too much.
    pub fn fit(&self, graph: &Graph, threads: u32, budget: Option<u64>) -> Result<u32, Memory> {
        first_within(budget, (1..=threads.max(1)).rev(), |threads| self.memory(graph, threads))
    }

    /// Floating-point operations for one sample: a term is an addition, and a multiplication for each weight
    /// and second factor that it has. The way down takes twice as many.
    pub fn flops(&self) -> u64 {
        let each = self
            .terms
            .iter()
            .zip(&self.places)
            .map(|(&[_, b], places)| 1 + u64::from(b != ONE_ROW) + u64::from(places.weight != NO_PLACE));
        let up: u64 = each.sum();
        if self.options.is_for_flows { 3 * up } else { up }
    }
}

/// Bytes of a leaf's parameters, and of its masses where it has finitely many values, in 64 bits.
fn leaf_numbers(leaf: UnitLeaf, graph: &Graph) -> u64 {
    let UnitLeaf::Input { param, .. } = leaf else { return 0 };
    let ParamShape::Input { family, .. } = graph.param(param).shape else { return 0 };
    8 * (family.n_params() as u64 + u64::from(family.get().n_values().unwrap_or(0)))
}
