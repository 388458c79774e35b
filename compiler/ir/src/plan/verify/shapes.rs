//! The sizes that each step needs. In: a plan whose entries were checked. Out: the first broken rule.

use super::{Check, ensure};
use crate::plan::{Block, Factor, FlowInto, Plan, Source, Step, Table};
use crate::{BlockId, BufferId, ParamId, VarId};

/// Whether everything that a step names exists.
pub(super) fn check_ids(plan: &Plan, step: &Step) -> Check {
    let mut blocks = step.reads();
    blocks.extend(step.out());
    if let Step::OuterDown { left, right, .. } = step {
        blocks.extend([*left, *right]);
    }
    ensure(blocks.iter().all(|b| b.index() < plan.blocks.len()), "its blocks exist")?;
    let mut are_buffers_known = true;
    step.each_buffer(plan, &mut |buffer, _| are_buffers_known &= buffer.index() < plan.buffers.len());
    ensure(are_buffers_known, "its buffers exist")?;
    let leaves = step.leaves();
    let (var, table, guard) = operands(step);
    let vars = leaves.iter().map(|leaf| leaf.0).chain(var);
    let tables = leaves.iter().map(|leaf| leaf.1).chain(table);
    ensure(vars.into_iter().all(|v| v.0 < plan.n_variables), "its variable exists")?;
    ensure(tables.into_iter().all(|t| t.index() < plan.tables.len()), "its table exists")?;
    ensure(guard.is_none_or(|g| (g as usize) < plan.guards.len()), "its guard exists")
}

/// What a step names besides blocks, buffers and leaves.
fn operands(step: &Step) -> (Option<VarId>, Option<ParamId>, Option<u32>) {
    match *step {
        Step::Literal { var, .. } | Step::Indicator { var, .. } => (Some(var), None, None),
        Step::Given { guard, .. }
        | Step::Multiply { guard, .. }
        | Step::Outer { guard, .. }
        | Step::Concat { guard, .. } => (None, None, Some(guard)),
        Step::Sum { table, .. }
        | Step::Mix { table, .. }
        | Step::SumUnits { table, .. }
        | Step::SumDown { table, .. }
        | Step::MixDown { table, .. }
        | Step::SumUnitsDown { table, .. } => (None, Some(table), None),
        _ => (None, None, None),
    }
}

/// Whether sizes agree; every id must exist.
pub(super) fn check_shape(plan: &Plan, step: &Step) -> Check {
    let shape = Shape { plan };
    match step {
        Step::Ones { .. } | Step::Literal { .. } | Step::Indicator { .. } | Step::Zero { .. } => Ok(()),
        Step::Given { out, first, slot, .. } => {
            let ends = first.checked_add(plan.block(*out).width).is_some() && *slot < u32::MAX;
            ensure(ends, "its weights can be counted")
        }
        Step::Normal { out, table, .. } => shape.normal(*out, *table),
        Step::NormalProduct { out, leaves } => {
            ensure_distinct(leaves)?;
            leaves.iter().try_for_each(|leaf| shape.normal(*out, leaf.1))
        }
        Step::Multiply { out, factors, .. } => shape.multiply(*out, factors),
        Step::MultiplyUnits { out, children } => shape.multiply_units(*out, children),
        Step::Outer { out, left, right, .. } => shape.outer(*out, *left, *right),
        Step::Concat { out, children, .. } => shape.concat(*out, children),
        Step::Sum { out, child, table } => shape.sum(*out, *child, *table),
        Step::Mix { out, child, table } => shape.mix(*out, *child, *table),
        Step::SumUnits { out, children, table } => shape.sum_units(*out, children, *table),
        Step::Seed { flow } => shape.rows(*flow, 1),
        Step::GatherDown { table, flow, .. } => shape.leaf_flow(*flow, *table),
        Step::NormalDown { table, flow, .. } => shape.normal_flow(*flow, *table),
        Step::NormalProductDown { leaves, flow } => {
            ensure_distinct(leaves)?;
            let width = |leaf: &(VarId, ParamId)| plan.table(leaf.1).columns;
            let are_equal = leaves.windows(2).all(|pair| width(&pair[0]) == width(&pair[1]));
            ensure(are_equal, "its leaves have the same units")?;
            leaves.iter().try_for_each(|leaf| shape.normal_flow(*flow, leaf.1))
        }
        Step::MultiplyDown { flow, children } => {
            let rows = plan.buffer(*flow).rows;
            children.iter().try_for_each(|into| shape.rows(into.buffer, rows))
        }
        Step::OuterDown { left, right, flow, into_left, into_right, groups } => {
            shape.outer_down(*left, *right, *flow, [*into_left, *into_right], *groups)
        }
        Step::ConcatDown { flow, groups, parts, children } => {
            shape.concat_down(*flow, *groups, parts, children)
        }
        Step::SumDown { out, child, table, flow, child_flow } => {
            shape.sum(*out, *child, *table)?;
            shape.flow(*flow, *out)?;
            child_flow.iter().try_for_each(|into| shape.flow(into.buffer, *child))
        }
        Step::MixDown { out, child, table, flow, child_flow, scratch } => {
            shape.mix(*out, *child, *table)?;
            shape.flow(*flow, *out)?;
            shape.flow(*child_flow, *child)?;
            shape.rows(*scratch, plan.block(*out).width)
        }
        Step::SumUnitsDown { out, children, table, flow, child_flows } => {
            shape.sum_units(*out, children, *table)?;
            shape.flow(*flow, *out)?;
            ensure(children.len() == child_flows.len(), "every child has its flow or `-`")?;
            let mut pairs = children.iter().zip(child_flows);
            pairs.try_for_each(|(&child, flow)| flow.map_or(Ok(()), |flow| shape.flow(flow, child)))
        }
    }
}

/// Whether leaves are several, and each of a variable of its own.
fn ensure_distinct(leaves: &[(VarId, ParamId)]) -> Check {
    let mut vars: Vec<VarId> = leaves.iter().map(|leaf| leaf.0).collect();
    vars.sort_unstable();
    let are_distinct = vars.windows(2).all(|pair| pair[0] != pair[1]);
    ensure(vars.len() > 1 && are_distinct, "it has several leaves, over distinct variables")
}

struct Shape<'p> {
    plan: &'p Plan,
}

impl Shape<'_> {
    fn rows(&self, buffer: BufferId, rows: u32) -> Check {
        ensure(self.plan.buffer(buffer).rows == rows, "its flow and scratch rows fit its blocks")
    }

    fn flow(&self, flow: BufferId, of: BlockId) -> Check {
        self.rows(flow, self.plan.block(of).units())
    }

    /// The table, if a layer with as many groups as the block can share it.
    fn shared(&self, out: BlockId, table: ParamId) -> Result<(Block, Table), &'static str> {
        let (out, table) = (self.plan.block(out), self.plan.table(table));
        let is_shared = out.groups.is_multiple_of(table.groups);
        ensure(is_shared, "its groups are a multiple of the table's").map(|()| (out, table))
    }

    fn leaf(&self, out: BlockId, table: ParamId) -> Check {
        let (out, table) = self.shared(out, table)?;
        ensure(out.width == table.columns, "its table has a column for each unit of a group")
    }

    /// Whether a flow is that of a leaf with this table.
    fn leaf_flow(&self, flow: BufferId, table: ParamId) -> Check {
        let (flow, table) = (self.plan.buffer(flow), self.plan.table(table));
        let is_fit = flow.rows > 0 && flow.rows.is_multiple_of(table.columns);
        ensure(is_fit, "its flow has rows for each column of its table")?;
        let groups = flow.rows / table.columns;
        ensure(groups.is_multiple_of(table.groups), "its groups are a multiple of the table's")
    }

    fn normal(&self, out: BlockId, table: ParamId) -> Check {
        self.leaf(out, table)?;
        self.prepared_normal(table)
    }

    fn normal_flow(&self, flow: BufferId, table: ParamId) -> Check {
        self.prepared_normal(table)?;
        self.leaf_flow(flow, table)
    }

    fn prepared_normal(&self, table: ParamId) -> Check {
        let table = self.plan.table(table);
        ensure(
            table.source == Source::Prepared && table.rows == 3,
            "its table is prepared and has three rows",
        )
    }

    fn multiply(&self, out: BlockId, factors: &[Factor]) -> Check {
        let product = self.plan.block(out);
        let is_fit = |b: Block| b.units() == product.units() && product.groups.is_multiple_of(b.groups);
        let are_fit = factors.iter().filter_map(|f| f.block()).all(|b| is_fit(self.plan.block(b)));
        ensure(are_fit, "its blocks have its units, and groups that divide its own")?;
        let mut tables = factors.iter().filter_map(|f| f.leaf()).map(|(_, table)| table);
        tables.clone().try_for_each(|table| self.leaf(out, table))?;
        let source = |table| self.plan.table(table).source;
        let first = tables.next();
        let is_one = tables.all(|table| first.is_some_and(|first| source(first) == source(table)));
        ensure(is_one, "its leaves read tables of one source")?;
        ensure(factors.len() > usize::from(first.is_none()), "it has two factors or more, or a leaf")
    }

    fn multiply_units(&self, out: BlockId, children: &[BlockId]) -> Check {
        let out = self.plan.block(out);
        ensure(!children.is_empty() && out.width == 1, "its groups have one unit")?;
        let are_fit = children.iter().all(|&c| self.plan.block(c).units() == out.units());
        ensure(are_fit, "its children have its units")
    }

    fn outer(&self, out: BlockId, left: BlockId, right: BlockId) -> Check {
        let [out, left, right] = [out, left, right].map(|b| self.plan.block(b));
        let are_equal = left.groups == out.groups && right.groups == out.groups;
        ensure(are_equal, "its children have its groups")?;
        let width = left.width.checked_mul(right.width);
        ensure(width == Some(out.width), "its width is the product of its children's")
    }

    fn concat(&self, out: BlockId, children: &[BlockId]) -> Check {
        let out = self.plan.block(out);
        let units = || children.iter().map(|&c| self.plan.block(c).units());
        ensure(units().all(|u| u.is_multiple_of(out.groups)), "its groups divide its children's units")?;
        let width: u64 = units().map(|u| u64::from(u / out.groups)).sum();
        ensure(width == u64::from(out.width), "its width is that of all parts together")
    }

    fn sum(&self, out: BlockId, child: BlockId, table: ParamId) -> Check {
        let child = self.plan.block(child);
        let (out, table) = self.shared(out, table)?;
        ensure(out.groups == child.groups, "its child has its groups")?;
        let is_fit = table.rows == out.width && table.columns == child.width;
        ensure(is_fit, "its table has a row for each unit and a column for each of the child's")
    }

    fn mix(&self, out: BlockId, child: BlockId, table: ParamId) -> Check {
        let child = self.plan.block(child);
        let (out, table) = self.shared(out, table)?;
        ensure(out.groups == child.groups && table.rows == out.width, "its child and table have its units")?;
        let width = u64::from(table.columns) * u64::from(out.width);
        ensure(width == u64::from(child.width), "its table has a column for each part of the child")
    }

    fn sum_units(&self, out: BlockId, children: &[BlockId], table: ParamId) -> Check {
        let (out, table) = self.shared(out, table)?;
        ensure(out.width == 1 && table.rows == 1, "its groups have one unit")?;
        let child = |&c: &BlockId| self.plan.block(c);
        let is_fit = |c: Block| c.width == 1 && c.groups.is_multiple_of(out.groups);
        ensure(children.iter().map(child).all(is_fit), "every unit of a child has its own exponent")?;
        let inputs: u64 = children.iter().map(|c| u64::from(child(c).groups / out.groups)).sum();
        ensure(inputs == u64::from(table.columns), "its table has a column for each child's unit")
    }

    fn outer_down(
        &self,
        left: BlockId,
        right: BlockId,
        flow: BufferId,
        into: [Option<BufferId>; 2],
        groups: u32,
    ) -> Check {
        let [a, b] = [left, right].map(|b| self.plan.block(b));
        ensure(a.groups == groups && b.groups == groups, "its children have its groups")?;
        let rows = a.units().checked_mul(b.width).ok_or("its flow fits its blocks")?;
        self.rows(flow, rows)?;
        into[0].map_or(Ok(()), |into| self.flow(into, left))?;
        into[1].map_or(Ok(()), |into| self.flow(into, right))
    }

    fn concat_down(
        &self,
        flow: BufferId,
        groups: u32,
        parts: &[u32],
        children: &[Option<FlowInto>],
    ) -> Check {
        ensure(parts.len() == children.len(), "every part has its flow or `-`")?;
        let rows: u64 = parts.iter().map(|&p| u64::from(p) * u64::from(groups)).sum();
        ensure(u64::from(self.plan.buffer(flow).rows) == rows, "its flow has the rows of all parts")?;
        let mut pairs = parts.iter().zip(children);
        pairs.try_for_each(|(&part, into)| into.map_or(Ok(()), |i| self.rows(i.buffer, part * groups)))
    }
}
