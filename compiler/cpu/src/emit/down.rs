//! Downward steps as calls of kernels: flows to children, statistics to tables.
//!
//! What each step does is said at [`Step`]. Flows are plain rows; a flow into rows that hold nothing yet is
//! written, any other is added.

use super::up::{ARENA, call, input_rows};
use super::{Argument, Emitter, Place};
use crate::context::Field;
use crate::kernel::Kernel;
use pcc_ir::plan::{FlowInto, Plan, Step};
use pcc_ir::{BlockId, BufferId, ParamId};
use pcc_kernels::NO_FLOW;

pub(super) struct Down<'e, 'f, 'm> {
    pub(super) plan: &'e Plan,
    pub(super) rows: &'e mut Vec<u32>,
    pub(super) emitter: &'e mut Emitter<'f, 'm>,
}

impl Down<'_, '_, '_> {
    pub(super) fn step(&mut self, step: &Step) {
        let plan = self.plan;
        match step {
            Step::Seed { flow } => {
                let weights = Place::of(Field::Weights, 0);
                call!(self.emitter, Copy(1_u32, weights, Place::flow(plan, *flow, 0)));
            }
            Step::Zero { flow } => {
                call!(self.emitter, Zero(plan.buffer(*flow).rows, Place::flow(plan, *flow, 0)));
            }
            Step::GatherDown { .. } | Step::NormalDown { .. } => self.leaf(step),
            Step::MultiplyDown { flow, children } => {
                let (rows, n) = (Place::flow(plan, *flow, 0), plan.buffer(*flow).rows);
                for &into in children {
                    send(self.emitter, n, rows, Place::flow(plan, into.buffer, 0), into);
                }
            }
            Step::OuterDown { left, right, flow, into_left, into_right, groups } => {
                self.outer([*left, *right], *flow, [*into_left, *into_right], *groups);
            }
            Step::ConcatDown { flow, groups, parts, children } => {
                self.concat(*flow, *groups, parts, children);
            }
            Step::SumDown { out, child, table, flow, child_flow, scratch } => {
                self.sum(*out, *child, *table, *flow, *child_flow, *scratch);
            }
            Step::MixDown { out, child, table, flow, child_flow, scratch } => {
                self.mix(*out, *child, *table, *flow, *child_flow, *scratch);
            }
            Step::SumUnitsDown { out, children, table, flow, child_flows } => {
                self.sum_units(*out, children, *table, *flow, child_flows);
            }
            _ => unreachable!("an upward step has an output"),
        }
    }

    fn leaf(&mut self, step: &Step) {
        let plan = self.plan;
        let (Step::GatherDown { out, var, table, flow } | Step::NormalDown { out, var, table, flow }) = step
        else {
            return;
        };
        let block = plan.block(*out);
        let rows = Place::flow(plan, *flow, block.width);
        let (words, stats) = (Place::evidence(*var), Place::stats(plan, *table, block));
        self.emitter.each_group(block.groups, |e| match step {
            Step::GatherDown { .. } => call!(e, LeafScatter(block.width, words, rows, stats)),
            _ => call!(e, LeafGaussianStats(block.width, words, rows, stats)),
        });
    }

    fn outer(&mut self, children: [BlockId; 2], flow: BufferId, into: [Option<BufferId>; 2], groups: u32) {
        let plan = self.plan;
        let [a, b] = children.map(|id| plan.block(id).width);
        let rows = Place::flow(plan, flow, a * b);
        self.emitter.each_group(groups, |e| {
            if let Some(into) = into[0] {
                call!(e, OuterLeft(a, b, rows, Place::flow(plan, into, a)));
            }
            if let Some(into) = into[1] {
                call!(e, OuterRight(a, b, rows, Place::flow(plan, into, b)));
            }
        });
    }

    fn concat(&mut self, flow: BufferId, groups: u32, parts: &[u32], children: &[Option<FlowInto>]) {
        let plan = self.plan;
        let mut rows = Place::flow(plan, flow, parts.iter().sum());
        self.emitter.each_group(groups, |e| {
            for (&part, into) in parts.iter().zip(children) {
                if let Some(into) = *into {
                    send(e, part, rows, Place::flow(plan, into.buffer, part), into);
                }
                rows = rows.skip_rows(part);
            }
        });
    }

    fn sum(
        &mut self,
        out: BlockId,
        child: BlockId,
        table: ParamId,
        flow: BufferId,
        child_flow: Option<FlowInto>,
        scratch: BufferId,
    ) {
        let plan = self.plan;
        let (block, k) = (plan.block(out), plan.block(child).width);
        let m = block.width;
        let terms = Place::mantissas(plan, child);
        let weights = Place::table(plan, table, block);
        let stats = Place::stats(plan, table, block);
        let ratios = Place::flow(plan, scratch, 0);
        let packed = ratios.skip_rows(m);
        let sums = packed.skip_rows(k.next_multiple_of(16));
        self.emitter.each_group(block.groups, |e| {
            ratio(e, plan, out, child, flow, ratios);
            call!(e, Flow(m, k, ratios, terms, stats, k, packed));
            let Some(into) = child_flow else { return };
            let rows = Place::flow(plan, into.buffer, k);
            let sums = if into.is_added { sums } else { rows };
            call!(e, Matmul(k, m, weights, 1_u32, k, ratios, sums, 0_u32));
            match into.is_added {
                true => call!(e, MultiplyAccumulate(k, sums, terms, rows)),
                false => call!(e, Multiply(k, sums, terms, rows)),
            }
        });
    }

    fn mix(
        &mut self,
        out: BlockId,
        child: BlockId,
        table: ParamId,
        flow: BufferId,
        child_flow: BufferId,
        scratch: BufferId,
    ) {
        let plan = self.plan;
        let (block, n) = (plan.block(out), plan.table(table).columns);
        let (terms, rows) = (Place::mantissas(plan, child), Place::flow(plan, child_flow, n * block.width));
        let (weights, stats) = (Place::table(plan, table, block), Place::stats(plan, table, block));
        let ratios = Place::flow(plan, scratch, 0);
        self.emitter.each_group(block.groups, |e| {
            ratio(e, plan, out, child, flow, ratios);
            for i in 0..n {
                let [weights, stats] = [weights, stats].map(|p| p.skip_numbers(i as usize));
                let [terms, rows] = [terms, rows].map(|p| p.skip_rows(i * block.width));
                call!(e, MixBackward(block.width, weights, n, ratios, terms, stats, n, rows));
            }
        });
    }

    fn sum_units(
        &mut self,
        out: BlockId,
        children: &[BlockId],
        table: ParamId,
        flow: BufferId,
        child_flows: &[Option<BufferId>],
    ) {
        let plan = self.plan;
        let block = plan.block(out);
        let inputs = input_rows(plan, self.rows, block.groups, children);
        let flows = self.flow_rows(block.groups, children, child_flows);
        let n = plan.table(table).columns;
        let (weights, stats) = (Place::table(plan, table, block), Place::stats(plan, table, block));
        let (rows, exponent) = (Place::mantissas(plan, out), Place::exponents(plan, out));
        let flow = Place::flow(plan, flow, 1);
        self.emitter.each_group(block.groups, |e| {
            call!(e, SumUnitsFlow(n, weights, ARENA, inputs, rows, exponent, flow, ARENA, flows, stats));
        });
    }

    /// Lists, for each group, the flow rows of all single units that it reads.
    fn flow_rows(&mut self, groups: u32, children: &[BlockId], flows: &[Option<BufferId>]) -> Place {
        let first = self.rows.len();
        for group in 0..groups {
            for (&child, flow) in children.iter().zip(flows) {
                let part = self.plan.block(child).units() / groups;
                let row = |unit| flow.map_or(NO_FLOW, |flow| self.plan.buffer(flow).first + unit);
                self.rows.extend((group * part..(group + 1) * part).map(row));
            }
        }
        Place::row_list(first, (self.rows.len() - first) / groups as usize)
    }
}

/// The flow over the unscaled value of a sum: what each of its terms is multiplied by.
fn ratio(e: &mut Emitter, plan: &Plan, out: BlockId, child: BlockId, flow: BufferId, ratios: Place) {
    let width = plan.block(out).width;
    let (value, exponent) = (Place::mantissas(plan, out), Place::exponents(plan, out));
    let flow = Place::flow(plan, flow, width);
    call!(e, Ratio(width, flow, value, exponent, Place::exponents(plan, child), ratios));
}

/// Writes or adds `n` rows of flow.
fn send(e: &mut Emitter, n: u32, from: Place, rows: Place, into: FlowInto) {
    match into.is_added {
        true => call!(e, Add(n, rows, from, rows)),
        false => call!(e, Copy(n, from, rows)),
    }
}
