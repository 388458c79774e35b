//! Whether what is computed again on the way down equals what was computed on the way up.
//!
//! Values are numbered: two steps of the same kind, over equal values and of the same shape, have equal
//! results. In: a plan whose entries, shapes and lives were checked. Out: blocks that are computed twice,
//! steps of the downward half that compute what no upward step did, and sums, mixes and unit sums whose flow
//! goes down over other values than they were computed from.

use super::{Check, Fault, ensure, place};
use crate::BlockId;
use crate::plan::{Plan, Step};
use rustc_hash::FxHashMap;

pub(super) fn faults(plan: &Plan) -> Vec<Fault> {
    let mut values = Values { plan, numbers: vec![None; plan.blocks.len()], first: FxHashMap::default() };
    let mut faults = Vec::new();
    for (i, step) in plan.steps.iter().enumerate() {
        let is_up = i < plan.n_up as usize;
        let check = match step.out() {
            Some(out) => values.compute(step, out, is_up),
            None => values.pass_on(step),
        };
        faults.extend(check.err().map(|problem| Fault { place: place(i, step), problem }));
    }
    faults
}

/// What is known of two steps with the same key: they compute the same.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    /// The step, over the first blocks that have the values it reads, and with no output of its own.
    step: Step,
    groups: u32,
    width: u32,
}

struct Values<'p> {
    plan: &'p Plan,
    /// The first block that has a block's value.
    numbers: Vec<Option<BlockId>>,
    first: FxHashMap<Key, BlockId>,
}

impl Values<'_> {
    fn compute(&mut self, step: &Step, out: BlockId, is_up: bool) -> Check {
        ensure(self.numbers[out.index()].is_none(), "no block is computed twice")?;
        let key = self.key(step.clone(), out)?;
        let known = self.first.get(&key).copied();
        ensure(is_up || known.is_some(), "the downward half computes only what the upward half did")?;
        self.numbers[out.index()] = known.or(Some(out));
        self.first.entry(key).or_insert(out);
        Ok(())
    }

    /// Whether a step that passes on a sum's flow reads the sum and what it was computed from.
    fn pass_on(&self, step: &Step) -> Check {
        let (out, sum) = match step.clone() {
            Step::SumDown { out, child, table, .. } => (out, Step::Sum { out, child, table }),
            Step::MixDown { out, child, table, .. } => (out, Step::Mix { out, child, table }),
            Step::SumUnitsDown { out, children, table, .. } => (out, Step::SumUnits { out, children, table }),
            _ => return Ok(()),
        };
        let first = self.first.get(&self.key(sum, out)?).copied();
        let is_same = first.is_some() && first == self.numbers[out.index()];
        ensure(is_same, "its flow goes down over what it was computed from")
    }

    fn key(&self, mut step: Step, out: BlockId) -> Result<Key, &'static str> {
        for read in step.reads_mut() {
            *read = self.numbers[read.index()].ok_or("what it reads was computed")?;
        }
        if let Some(out) = step.out_mut() {
            *out = BlockId(0);
        }
        let block = self.plan.block(out);
        Ok(Key { step, groups: block.groups, width: block.width })
    }
}
