//! Downward steps: each upward step's counterpart, in reverse.
//!
//! The flow of a unit lies in one row. A child with one parent that is a product shares the product's rows;
//! any other gets rows of its own at the first flow that reaches it. A block below which no table lies gets
//! no flow at all. What a sum was computed from is there again when the sum's flow goes on ([`super::again`]).

use super::Lowering;
use super::again::Again;
use crate::plan::{FlowInto, Step};
use crate::{BlockId, BufferId};

/// What is known about the flows of blocks.
struct Flows {
    /// Whether a table lies below.
    is_needed: Vec<bool>,
    /// How many times blocks are read.
    uses: Vec<u32>,
    /// The rows, once a flow reached the block.
    rows: Vec<Option<BufferId>>,
}

impl Lowering<'_> {
    pub(super) fn lower_down(&mut self) {
        let mut flows = self.survey();
        let mut again = Again::of(&self.plan);
        let root = self.plan.root;
        if !flows.is_needed[root.index()] {
            return;
        }
        let flow = self.buffer(1);
        flows.rows[root.index()] = Some(flow);
        self.plan.steps.push(Step::Seed { flow });
        for i in (0..self.plan.n_up as usize).rev() {
            let step = self.plan.steps[i].clone();
            let Some(out) = step.out() else { continue };
            again.reach(out);
            if let Some(flow) = flows.rows[out.index()] {
                self.lower_step_down(&mut flows, &mut again, step, flow);
            }
        }
    }

    fn survey(&self) -> Flows {
        let n = self.plan.blocks.len();
        let mut flows = Flows { is_needed: vec![false; n], uses: vec![0; n], rows: vec![None; n] };
        for step in self.plan.up() {
            let children = step.reads();
            children.iter().for_each(|c| flows.uses[c.index()] += 1);
            let has_table = matches!(step, Step::Sum { .. } | Step::Mix { .. } | Step::SumUnits { .. })
                || !step.leaves().is_empty();
            let is_above = children.iter().any(|c| flows.is_needed[c.index()]);
            let out = step.out().expect("an upward step has an output");
            flows.is_needed[out.index()] = has_table || is_above;
        }
        flows
    }

    fn lower_step_down(&mut self, flows: &mut Flows, again: &mut Again, step: Step, flow: BufferId) {
        match step {
            Step::Normal { var, table, .. } => self.push_down(Step::NormalDown { var, table, flow }),
            Step::NormalProduct { leaves, .. } => self.push_down(Step::NormalProductDown { leaves, flow }),
            Step::Multiply { .. } => {
                self.multiply_down(flows, &step.reads(), flow);
                for (var, table) in step.leaves() {
                    self.push_down(Step::GatherDown { var, table, flow });
                }
            }
            Step::MultiplyUnits { children, .. } => self.multiply_down(flows, &children, flow),
            Step::Outer { out, left, right, .. } => {
                let [into_left, into_right] = [left, right].map(|b| self.zeroed(flows, b));
                let groups = self.plan.block(out).groups;
                self.push_down(Step::OuterDown { left, right, flow, into_left, into_right, groups });
            }
            Step::Concat { out, children, .. } => {
                let groups = self.plan.block(out).groups;
                let parts = children.iter().map(|&c| self.plan.block(c).units() / groups).collect();
                let children = children.iter().map(|&c| self.into(flows, c)).collect();
                self.push_down(Step::ConcatDown { flow, groups, parts, children });
            }
            Step::Sum { out, child, table } => {
                let child_flow = self.into(flows, child);
                let out = self.value(again, out);
                let child = self.value(again, child);
                self.push_down(Step::SumDown { out, child, table, flow, child_flow });
            }
            Step::Mix { out, child, table } => {
                let child_flow = match self.zeroed(flows, child) {
                    Some(rows) => rows,
                    None => self.unread(child),
                };
                let scratch = self.buffer(self.plan.block(out).width);
                let child = self.value(again, child);
                self.push_down(Step::MixDown { out, child, table, flow, child_flow, scratch });
            }
            Step::SumUnits { out, children, table } => {
                let child_flows = children.iter().map(|&c| self.zeroed(flows, c)).collect();
                let children = children.iter().map(|&c| self.value(again, c)).collect();
                self.push_down(Step::SumUnitsDown { out, children, table, flow, child_flows });
            }
            _ => {}
        }
    }

    fn push_down(&mut self, step: Step) {
        self.plan.steps.push(step);
    }

    fn multiply_down(&mut self, flows: &mut Flows, children: &[BlockId], flow: BufferId) {
        let mut others = Vec::new();
        for &child in children {
            if flows.is_needed[child.index()] && flows.uses[child.index()] == 1 {
                flows.rows[child.index()] = Some(flow);
            } else {
                others.extend(self.into(flows, child));
            }
        }
        if !others.is_empty() {
            self.push_down(Step::MultiplyDown { flow, children: others.into() });
        }
    }

    /// The rows of a block's flow, and whether they already hold something.
    fn into(&mut self, flows: &mut Flows, block: BlockId) -> Option<FlowInto> {
        if !flows.is_needed[block.index()] {
            return None;
        }
        if let Some(buffer) = flows.rows[block.index()] {
            return Some(FlowInto { buffer, is_added: true });
        }
        let buffer = self.buffer(self.plan.block(block).units());
        flows.rows[block.index()] = Some(buffer);
        Some(FlowInto { buffer, is_added: false })
    }

    /// The same, for steps that only add: rows that held nothing are set to zero first.
    fn zeroed(&mut self, flows: &mut Flows, block: BlockId) -> Option<BufferId> {
        let into = self.into(flows, block)?;
        if !into.is_added {
            self.push_down(Step::Zero { flow: into.buffer });
        }
        Some(into.buffer)
    }

    /// Rows for a flow that nobody reads, where a kernel writes one regardless.
    fn unread(&mut self, block: BlockId) -> BufferId {
        let flow = self.buffer(self.plan.block(block).units());
        self.push_down(Step::Zero { flow });
        flow
    }
}
