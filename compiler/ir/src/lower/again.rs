//! Values on the way down: which are kept, and steps that compute the others again.
//!
//! Outputs of sums are kept: they took long, and their shares of the flow are measured against them. What a
//! sum was computed from is mostly a product of few blocks, that takes no longer to compute than to fetch
//! from memory, and need not be there in the meantime. (An EM step of HCLTs over 784 variables, K = 8 to 128,
//! takes as long either way, within what other work on the machine adds; this way it needs half the memory.)
//!
//! In: the upward half of a plan. Out: blocks that hold a value again, just before it is read.

use super::Lowering;
use crate::BlockId;
use crate::plan::{Plan, Step};

/// A block is kept if computing it again takes more passes over its rows than this. It bounds the work
/// where shared products are factors of shared products.
const MOST_PASSES: u64 = 8;

/// A value computed again serves readers that are no more steps apart than this, so that its rows are soon free.
const REACH: usize = 16;

/// What there is of the values of upward steps, block by block.
pub(super) struct Again {
    /// The step that computes a block, unless its value is kept.
    makers: Vec<Option<usize>>,
    /// Where a value lies that was computed again, and how many steps there were when it was last read.
    recent: Vec<Option<(BlockId, usize)>>,
}

impl Again {
    /// Decides what is kept of an upward half.
    pub(super) fn of(plan: &Plan) -> Again {
        let mut makers = vec![None; plan.blocks.len()];
        let mut costs = vec![0; plan.blocks.len()];
        for (i, step) in plan.up().iter().enumerate() {
            let Some(out) = step.out() else { continue };
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
        Again { makers, recent }
    }
}

/// Passes over its rows that a step takes besides its operands; none where it is not to be repeated.
fn passes(step: &Step) -> Option<u64> {
    match step {
        Step::Multiply { factors, .. } => Some(factors.len() as u64),
        Step::MultiplyUnits { children, .. } => Some(children.len() as u64),
        Step::Ones { .. } | Step::Literal { .. } | Step::Indicator { .. } => Some(1),
        Step::Outer { .. } | Step::Concat { .. } => Some(1),
        _ => None,
    }
}

impl Lowering<'_> {
    /// A block that holds the value of a block of the upward half: itself, or one that is computed again.
    pub(super) fn value(&mut self, again: &mut Again, block: BlockId) -> BlockId {
        let Some(maker) = again.makers[block.index()] else { return block };
        let n_steps = self.plan.steps.len();
        if let Some((copy, last)) = &mut again.recent[block.index()]
            && n_steps - *last <= REACH
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
