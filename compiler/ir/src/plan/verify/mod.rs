//! The verifier of plans. What it verifies:
//!
//! - every id and guard of a step is in range, every buffer lies in the arena, every block fills its buffer;
//! - tables have groups, rows and columns, and do not overlap others of their source;
//! - each step's blocks, tables and flow rows have the sizes that the step needs ([`shapes`]);
//! - a step reads only rows that an earlier step wrote and that no other buffer overwrote since, and
//!   never writes rows that it reads ([`life`]);
//! - no block is computed twice; what the downward half computes, it computes from the same values as a
//!   step of the upward half, and each sum's flow goes down over what the sum was computed from ([`again`]);
//! - upward steps compute blocks; only a plan for flows has a downward half;
//! - the root has one unit, and still holds its value when the upward steps are done.
//!
//! Not verified: that the plan computes the circuit it was made from. Differential tests do that.

mod again;
mod life;
mod shapes;

use super::{Access, Mode, Plan, Step};
use std::ops::Deref;

/// What is wrong with a plan, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The entry or step, in words.
    pub place: String,
    /// The rule that it breaks.
    pub problem: &'static str,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.place, self.problem)
    }
}

/// Something that the verifier found no fault with. Only [`verify`] makes one.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified<T>(T);

impl<T> Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// Checks a plan. Errors: the first fault of each entry or step that has one.
pub fn verify(plan: Plan) -> Result<Verified<Plan>, Vec<Fault>> {
    let mut faults = entry_faults(&plan);
    if faults.is_empty() {
        faults.extend(step_faults(&plan));
    }
    if faults.is_empty() {
        faults.extend(life::faults(&plan));
    }
    if faults.is_empty() {
        faults.extend(again::faults(&plan));
    }
    if faults.is_empty() { Ok(Verified(plan)) } else { Err(faults) }
}

type Check = Result<(), &'static str>;

/// The rule, as an error where it is broken.
fn ensure(holds: bool, rule: &'static str) -> Check {
    if holds { Ok(()) } else { Err(rule) }
}

fn entry_faults(plan: &Plan) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut note = |kind: &str, i: usize, check: Check| {
        let place = || format!("{kind} {i}");
        faults.extend(check.err().map(|problem| Fault { place: place(), problem }));
    };
    (0..plan.tables.len()).for_each(|i| note("table", i, check_table(plan, i)));
    (0..plan.guards.len()).for_each(|i| note("guard", i, check_guard(plan, i)));
    (0..plan.buffers.len()).for_each(|i| note("buffer", i, check_buffer(plan, i)));
    (0..plan.blocks.len()).for_each(|i| note("block", i, check_block(plan, i)));
    for (i, block) in plan.layers.iter().enumerate() {
        let is_known = block.is_none_or(|b| b.index() < plan.blocks.len());
        note("layer", i, ensure(is_known, "its block exists"));
    }
    let root = plan.blocks.get(plan.root.index());
    note("root", plan.root.index(), ensure(root.is_some_and(|r| r.units() == 1), "the root has one unit"));
    let has_down = (plan.n_up as usize) < plan.steps.len();
    note("mode", 0, ensure(has_down <= (plan.mode == Mode::Flows), "only a plan for flows goes down"));
    faults
}

fn check_table(plan: &Plan, i: usize) -> Check {
    let table = &plan.tables[i];
    ensure(table.groups > 0 && table.rows > 0 && table.columns > 0, "it has groups, rows and columns")?;
    let len = table.group_len().checked_mul(u64::from(table.groups)).filter(|&len| len < 1 << 40);
    ensure(len.is_some() && table.start < 1 << 40 && table.stats < 1 << 40, "it fits in memory")?;
    let before = plan.tables[..i].iter().rev().find(|t| t.source == table.source);
    ensure(before.is_none_or(|b| b.start + b.len() <= table.start), "it starts after the one before it")?;
    let stats_end = i.checked_sub(1).map_or(0, |b| plan.tables[b].stats + plan.tables[b].len());
    ensure(stats_end <= table.stats, "its statistics start after those before them")
}

fn check_guard(plan: &Plan, i: usize) -> Check {
    let is_known = plan.guards[i].tables.iter().all(|t| t.index() < plan.tables.len());
    ensure(is_known, "its tables exist")
}

fn check_buffer(plan: &Plan, i: usize) -> Check {
    let buffer = plan.buffers[i];
    let end = buffer.first.checked_add(buffer.rows);
    ensure(end.is_some_and(|end| end <= plan.arena_rows), "it lies in the arena")
}

fn check_block(plan: &Plan, i: usize) -> Check {
    let block = plan.blocks[i];
    let rows = block.width.checked_add(1).and_then(|rows| rows.checked_mul(block.groups));
    ensure(rows.is_some_and(|rows| rows > 0) && block.width > 0, "it has groups and units")?;
    let buffer = plan.buffers.get(block.buffer.index());
    ensure(buffer.map(|b| b.rows) == rows, "its buffer has a row for each unit and each group")
}

fn step_faults(plan: &Plan) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (i, step) in plan.steps.iter().enumerate() {
        let is_up = i < plan.n_up as usize;
        let check = ensure(step.out().is_some() || !is_up, "upward steps compute blocks")
            .and_then(|()| shapes::check_ids(plan, step))
            .and_then(|()| shapes::check_shape(plan, step));
        faults.extend(check.err().map(|problem| Fault { place: place(i, step), problem }));
    }
    faults
}

fn place(i: usize, step: &Step) -> String {
    let mut fields = String::new();
    step.write_fields(&mut fields);
    format!("step {i}, {}{fields}", step.word())
}
