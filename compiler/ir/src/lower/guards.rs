//! When the entries of products must be watched: computed from the root down.
//!
//! In: a plan whose upward steps are complete. Out: its guards, and every product's place among them.
//! Rows of sums are always watched, so what is decided here ends at a sum; between a product and the sums
//! that read it, through other products and concatenations, conditions pile up.

use crate::plan::{Guard, Mode, Plan, Step};
use crate::{BlockId, ParamId};
use rustc_hash::FxHashMap;

/// Past this many tables a product is simply always watched.
const MANY_TABLES: usize = 16;

/// Sets the guard of every product.
pub(super) fn set(plan: &mut Plan) {
    let mut steps = std::mem::take(&mut plan.steps);
    // Where every value is asked for, no entry may be lost.
    let is_always = plan.mode == Mode::Values;
    let mut needs = vec![Guard { is_always, ..Guard::default() }; plan.blocks.len()];
    let mut ids = FxHashMap::default();
    for step in steps.iter_mut().rev() {
        match step {
            Step::Sum { child, table, .. } | Step::Mix { child, table, .. } => {
                add_table(&mut needs[child.index()], *table);
            }
            Step::Multiply { out, children, guard, .. } => {
                *guard = intern(plan, &mut ids, &needs[out.index()]);
                pass_on(plan, &mut needs, *out, children);
            }
            Step::Outer { out, left, right, guard, .. } => {
                *guard = intern(plan, &mut ids, &needs[out.index()]);
                pass_on(plan, &mut needs, *out, &[*left, *right]);
            }
            Step::Concat { out, children } | Step::MultiplyUnits { out, children } => {
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
    *ids.entry(guard.clone()).or_insert_with(|| {
        plan.guards.push(guard.clone());
        plan.guards.len() as u32 - 1
    })
}
