//! Asking for the table rows of coming leaves.
//!
//! A matrix product computes for longer than memory needs to answer. So before one is emitted, the steps
//! that follow it up to the next are looked through for rows that codes choose: those of leaves that are
//! looked up, and those that their flows are added to. They are noted, and the product asks for them while it
//! computes. Results do not depend on it.

use super::up::{TILES, call};
use super::{Argument, Emitter, Layout, Place};
use crate::kernel::Kernel;
use pcc_ir::plan::{Plan, Source, Step, Table};
use pcc_ir::{ParamId, VarId};

/// Tables of so many numbers stay in the second cache, and are not asked for.
const NEAR: u64 = 1 << 17;

/// Shorter rows, of which the product before has no time to ask for all, gain nothing; longer ones are read
/// well ahead by the processor itself.
const ROWS: std::ops::RangeInclusive<u32> = 4..=256;

/// Whether rows of the plan's tables are worth asking for.
pub(crate) fn are_tables_far(plan: &Plan) -> bool {
    plan.source_len(Source::Params) + plan.source_len(Source::Prepared) > NEAR
}

/// Emits the asking before the first of `steps`, if that is a matrix product.
pub(crate) fn fetch_ahead(emitter: &mut Emitter, layout: &Layout, steps: &[Step]) {
    let plan = layout.plan;
    let is_product = |step: &Step| matches!(step, Step::Sum { .. } | Step::SumDown { .. });
    if !layout.are_tables_far || !is_product(&steps[0]) {
        return;
    }
    for step in steps[1..].iter().take_while(|step| !is_product(step)) {
        match step {
            Step::Multiply { out, factors, .. } => {
                let groups = plan.block(*out).groups;
                for (var, table) in factors.iter().filter_map(|f| f.leaf()) {
                    fetch(emitter, plan, var, table, groups, Place::table(plan, table, groups));
                }
            }
            &Step::GatherDown { var, table, flow } => {
                let groups = plan.leaf_groups(table, plan.buffer(flow).rows);
                fetch(emitter, plan, var, table, groups, Place::stats(plan, table, groups));
            }
            _ => {}
        }
    }
}

fn fetch(emitter: &mut Emitter, plan: &Plan, var: VarId, table: ParamId, groups: u32, rows: Place) {
    let Table { rows: n_rows, columns: width, .. } = plan.table(table);
    if ROWS.contains(&width) {
        emitter.each_group(groups, |e| call!(e, Fetch(TILES, width, n_rows, Place::evidence(var), rows)));
    }
}
