//! When the entries of products and of concatenations must be watched: computed from the root down.
//!
//! In: a plan whose upward steps are complete. Out: its guards, and each such step's place among them.
//! A sum with no small weights lifts every unit to within 2^-40 of the largest, so what lies far below that
//! is no loss. Nothing lifts units between a product and another, or a mixture: what one factor makes
//! small the next may make large again, so such a product is always watched. Rows of sums and mixtures are
//! always watched, hence conditions end there. Where conditions are tables alone, sums alone read the entries.

use crate::plan::{Guard, Mode, Plan, Step};
use crate::{BlockId, ParamId};
use rustc_hash::FxHashMap;

/// Past this many tables a product is simply always watched.
const MANY_TABLES: usize = 16;

/// Sets the guard of every step that has one.
pub(super) fn set(plan: &mut Plan) {
    let mut steps = std::mem::take(&mut plan.steps);
    // Where every value is asked for, no entry may be lost.
    let is_always = plan.mode == Mode::Values;
    let mut needs = vec![Guard { is_always, ..Guard::default() }; plan.blocks.len()];
    let mut ids = FxHashMap::default();
    for step in steps.iter_mut().rev() {
        match step {
            Step::Sum { child, table, .. } => add_table(&mut needs[child.index()], *table),
            Step::Mix { child, .. } => needs[child.index()].is_always = true,
            Step::Given { out, guard, .. } => *guard = intern(plan, &mut ids, &needs[out.index()]),
            Step::Multiply { out, factors, guard } => {
                *guard = intern(plan, &mut ids, &needs[out.index()]);
                factors.iter().filter_map(|f| f.block()).for_each(|c| needs[c.index()].is_always = true);
            }
            Step::Outer { out, left, right, guard } => {
                *guard = intern(plan, &mut ids, &needs[out.index()]);
                [left, right].into_iter().for_each(|c| needs[c.index()].is_always = true);
            }
            Step::MultiplyUnits { children, .. } => {
                children.iter().for_each(|c| needs[c.index()].is_always = true);
            }
            Step::Concat { out, children, guard } => {
                *guard = intern(plan, &mut ids, &needs[out.index()]);
                pass_on(plan, &mut needs, *out, children);
            }
            _ => {}
        }
    }
    plan.steps = steps;
}

/// What is needed of a block is needed of those it is computed from; and where a part of a group is read
/// by itself, its entries count whatever the maximum of the whole group is.
fn pass_on(plan: &Plan, needs: &mut [Guard], out: BlockId, children: &[BlockId]) {
    let need = needs[out.index()].clone();
    for &child in children {
        let is_split = !plan.block(child).groups.is_multiple_of(plan.block(out).groups);
        let of_child = &mut needs[child.index()];
        of_child.is_always |= need.is_always || is_split;
        need.tables.iter().for_each(|&table| add_table(of_child, table));
    }
}

fn add_table(guard: &mut Guard, table: ParamId) {
    if guard.is_always || guard.tables.contains(&table) {
        return;
    }
    let mut tables = std::mem::take(&mut guard.tables).into_vec();
    tables.push(table);
    tables.sort_unstable();
    guard.is_always = tables.len() > MANY_TABLES;
    guard.tables = if guard.is_always { Box::default() } else { tables.into() };
}

fn intern(plan: &mut Plan, ids: &mut FxHashMap<Guard, u32>, guard: &Guard) -> u32 {
    let guard = if guard.is_always { &Guard { is_always: true, ..Guard::default() } } else { guard };
    *ids.entry(guard.clone()).or_insert_with(|| {
        plan.guards.push(guard.clone());
        plan.guards.len() as u32 - 1
    })
}
