//! Downward steps as calls of kernels: flows to children, statistics to tables.
//!
//! What each step does is said at [`Step`]. Flows are plain rows; a flow into rows that hold nothing yet is
//! written, any other is added.

use super::place::row_of_tile;
use super::up::{ARENA, TILES, call, input_rows};
use super::{Argument, Emitter, Lists, Place};
use crate::context::Field;
use crate::kernel::Kernel;
use pcc_ir::plan::{FlowInto, Plan, Source, Step};
use pcc_ir::{BlockId, BufferId, ParamId, VarId};
use pcc_kernels::NO_FLOW;

pub(super) struct Down<'e, 'f> {
    pub(super) plan: &'e Plan,
    pub(super) lists: &'e mut Lists,
    pub(super) emitter: &'e mut Emitter<'f>,
}

impl Down<'_, '_> {
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
            Step::GatherDown { var, table, flow } => self.leaf(*var, *table, *flow),
            Step::NormalDown { flow, .. } | Step::NormalProductDown { flow, .. } => {
                self.normal(&step.leaves(), *flow);
            }
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
            Step::SumDown { out, child, table, flow, child_flow } => {
                self.sum(*out, *child, *table, *flow, *child_flow);
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

    fn leaf(&mut self, var: VarId, table: ParamId, flow: BufferId) {
        let plan = self.plan;
        let groups = plan.leaf_groups(table, plan.buffer(flow).rows);
        let width = plan.table(table).columns;
        let rows = Place::flow(plan, flow, width);
        let (words, stats) = (Place::evidence(var), Place::stats(plan, table, groups));
        self.emitter.each_group(groups, |e| call!(e, Scatter(TILES, width, words, rows, stats)));
    }

    fn normal(&mut self, leaves: &[(VarId, ParamId)], flow: BufferId) {
        let plan = self.plan;
        let Some(&(_, table)) = leaves.first() else { return };
        let groups = plan.leaf_groups(table, plan.buffer(flow).rows);
        let width = plan.table(table).columns;
        let list = self.lists.normal_leaves(plan, leaves, groups);
        let (tables, rows) = (Place::source(Source::Prepared), Place::flow(plan, flow, width));
        let (n, stats, scratch) = (leaves.len(), Place::of(Field::Flows, 0), Place::of(Field::Scratch, 0));
        self.emitter.each_group(groups, |e| {
            call!(e, NormalDown(TILES, n, width, ARENA, tables, list, rows, stats, scratch));
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
    ) {
        let plan = self.plan;
        let (block, k) = (plan.block(out), plan.block(child).width);
        let part = |id| (Place::mantissas(plan, id), Place::exponents(plan, id));
        let [(value, value_exponent), (terms, term_exponent)] = [out, child].map(part);
        let weights = Place::table(plan, table, block.groups);
        let stats = Place::stats(plan, table, block.groups);
        let flow = Place::flow(plan, flow, block.width);
        let into = child_flow.map_or(Argument::Size(0), |into| Place::flow(plan, into.buffer, k).into());
        let is_added = child_flow.is_some_and(|into| into.is_added);
        let scratch = Place::of(Field::Scratch, 0);
        self.emitter.each_group(block.groups, |e| {
            call!(
                e,
                SumDown(
                    TILES,
                    block.width,
                    k,
                    weights,
                    flow,
                    value,
                    value_exponent,
                    terms,
                    term_exponent,
                    stats,
                    into,
                    usize::from(is_added),
                    scratch
                )
            );
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
        let (weights, stats) =
            (Place::table(plan, table, block.groups), Place::stats(plan, table, block.groups));
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
        let inputs = input_rows(plan, &mut self.lists.rows, block.groups, children);
        let flows = self.flow_rows(block.groups, children, child_flows);
        let n = plan.table(table).columns;
        let (weights, stats) =
            (Place::table(plan, table, block.groups), Place::stats(plan, table, block.groups));
        let (rows, exponent) = (Place::mantissas(plan, out), Place::exponents(plan, out));
        let flow = Place::flow(plan, flow, 1);
        self.emitter.each_group(block.groups, |e| {
            call!(e, SumUnitsFlow(n, weights, ARENA, inputs, rows, exponent, flow, ARENA, flows, stats));
        });
    }

    /// Lists, for each group, the flow rows of all single units that it reads.
    fn flow_rows(&mut self, groups: u32, children: &[BlockId], flows: &[Option<BufferId>]) -> Place {
        let first = self.lists.rows.len();
        for group in 0..groups {
            for (&child, flow) in children.iter().zip(flows) {
                let part = self.plan.block(child).units() / groups;
                let first = flow.map(|flow| row_of_tile(self.plan, self.plan.buffer(flow).first));
                let row = |unit| first.map_or(NO_FLOW, |first| first + unit);
                self.lists.rows.extend((group * part..(group + 1) * part).map(row));
            }
        }
        Place::row_list(first, (self.lists.rows.len() - first) / groups as usize)
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
