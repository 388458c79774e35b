//! Values on the way down: which are kept, and steps that compute the others again.
//!
//! What a sum was computed from is mostly a product of few blocks, that takes no longer to compute than to fetch
//! from memory, and need not be there in the meantime. (An EM step of HCLTs over 784 variables, K = 8 to 128,
//! takes as long either way, within what other work on the machine adds; this way it needs half the memory.)
//!
//! Sums over few units are not worth fetching either. The upward steps are cut into *stretches*, whose rows fit
//! a near cache. Of a stretch only those sums are kept that later stretches read; when the flows come to it,
//! the others are computed again, and stay until the flows have left it. Other sums are kept: they took long.
//!
//! In: the upward half of a plan. Out: blocks that hold a value again, just before it is read.

use super::Lowering;
use crate::BlockId;
use crate::plan::{Plan, Step};

/// A block is kept if computing it again takes more passes over its rows than this. It bounds the work
/// where shared products are factors of shared products.
const MOST_PASSES: u64 = 8;

/// Rows of all values of a stretch; eight tiles of them fit the second cache.
const STRETCH_ROWS: u64 = 400;

/// Sums over more units than this take longer to compute again than to fetch.
const MOST_TERMS: u32 = 32;

/// Outside its stretch a value computed again serves readers that are no more steps apart than this, so that its
/// rows are soon free.
const REACH: usize = 16;

/// What there is of the values of upward steps, block by block.
pub(super) struct Again {
    /// The step that computes a block, unless its value is kept.
    makers: Vec<Option<usize>>,
    /// Where a value lies that was computed again, and how many steps there were when it was last read.
    recent: Vec<Option<(BlockId, usize)>>,
    /// The stretch of the step that computes a block.
    stretches: Vec<usize>,
    /// The stretch that the steps on the way down are at.
    current: usize,
}

impl Again {
    /// Decides what is kept of an upward half.
    pub(super) fn of(plan: &Plan) -> Again {
        let stretches = stretches(plan);
        let is_inner = inner_sums(plan, &stretches);
        let mut makers = vec![None; plan.blocks.len()];
        let mut costs = vec![0; plan.blocks.len()];
        for (i, step) in plan.up().iter().enumerate() {
            let Some(out) = step.out() else { continue };
            if is_inner[out.index()] {
                makers[out.index()] = Some(i);
                continue;
            }
            let units = u64::from(plan.block(out).units());
            let Some(own) = passes(step) else { continue };
            let below: u64 = step.reads().iter().map(|b| costs[b.index()]).sum();
            let cost = units * own + below;
            if cost <= MOST_PASSES * units {
                makers[out.index()] = Some(i);
                costs[out.index()] = cost;
            }
        }
        let recent = vec![None; makers.len()];
        Again { makers, recent, stretches, current: usize::MAX }
    }

    /// The steps on the way down have come to the counterpart of the step that computes a block.
    pub(super) fn reach(&mut self, block: BlockId) {
        self.current = self.stretches[block.index()];
    }
}

/// The stretch of the upward steps in which each block is computed.
fn stretches(plan: &Plan) -> Vec<usize> {
    let mut stretches = vec![0; plan.blocks.len()];
    let (mut stretch, mut rows) = (0, 0);
    for out in plan.up().iter().filter_map(Step::out) {
        let own = u64::from(plan.buffer(plan.block(out).buffer).rows);
        rows += own;
        if rows > STRETCH_ROWS {
            (stretch, rows) = (stretch + 1, own);
        }
        stretches[out.index()] = stretch;
    }
    stretches
}

/// Sums that only their own stretch needs.
fn inner_sums(plan: &Plan, stretches: &[usize]) -> Vec<bool> {
    let mut is_inner = vec![false; plan.blocks.len()];
    if stretches.iter().all(|&stretch| stretch == 0) {
        return is_inner;
    }
    // The last stretch that reads a block, itself or what is computed again from it.
    let mut last = stretches.to_vec();
    last[plan.root.index()] = usize::MAX;
    for step in plan.up().iter().rev() {
        let Some(out) = step.out() else { continue };
        let by = if passes(step).is_some() { last[out.index()] } else { stretches[out.index()] };
        step.reads().iter().for_each(|b| last[b.index()] = last[b.index()].max(by));
        if let Step::Sum { child, .. } = step {
            let is_cheap = plan.block(*child).width <= MOST_TERMS;
            is_inner[out.index()] = is_cheap && last[out.index()] == stretches[out.index()];
        }
    }
    is_inner
}

/// Passes over its rows that a step takes besides its operands; none where it is not to be repeated.
fn passes(step: &Step) -> Option<u64> {
    match step {
        Step::Multiply { factors, .. } => Some(factors.len() as u64),
        Step::MultiplyUnits { children, .. } => Some(children.len() as u64),
        Step::Ones { .. } | Step::Literal { .. } | Step::Indicator { .. } | Step::Given { .. } => Some(1),
        Step::Outer { .. } | Step::Concat { .. } => Some(1),
        _ => None,
    }
}

impl Lowering<'_> {
    /// A block that holds the value of a block of the upward half: itself, or one that is computed again.
    pub(super) fn value(&mut self, again: &mut Again, block: BlockId) -> BlockId {
        let Some(maker) = again.makers[block.index()] else { return block };
        let n_steps = self.plan.steps.len();
        let is_here = again.stretches[block.index()] == again.current;
        if let Some((copy, last)) = &mut again.recent[block.index()]
            && (n_steps - *last <= REACH || is_here)
        {
            *last = n_steps;
            return *copy;
        }
        let mut step = self.plan.steps[maker].clone();
        step.reads_mut().into_iter().for_each(|read| *read = self.value(again, *read));
        let shape = self.plan.block(block);
        let copy = self.block(shape.groups, shape.width);
        if let Some(out) = step.out_mut() {
            *out = copy;
        }
        self.push(step);
        again.recent[block.index()] = Some((copy, self.plan.steps.len()));
        copy
    }
}
