//! Who owns each row of the arena, step after step.
//!
//! In: a plan whose entries and shapes were checked. Out: steps that read rows which no step wrote, or
//! which another buffer took over since.

use super::{Access, Fault, place};
use crate::BufferId;
use crate::plan::{Buffer, Plan, Step};

pub(super) fn faults(plan: &Plan) -> Vec<Fault> {
    let mut rows = Rows { owners: vec![None; plan.arena_rows as usize] };
    let mut faults = Vec::new();
    for (i, step) in plan.steps.iter().enumerate() {
        if i == plan.n_up as usize {
            faults.extend(root_fault(plan, &rows));
        }
        let problem = rows.run(plan, step);
        faults.extend(problem.map(|problem| Fault { place: place(i, step), problem }));
    }
    if plan.n_up as usize == plan.steps.len() {
        faults.extend(root_fault(plan, &rows));
    }
    faults
}

fn root_fault(plan: &Plan, rows: &Rows) -> Option<Fault> {
    let buffer = plan.block(plan.root).buffer;
    let problem = "its value is there when the upward steps are done";
    let is_there = rows.are_owned(plan.buffer(buffer), buffer);
    (!is_there).then(|| Fault { place: "root".into(), problem })
}

struct Rows {
    owners: Vec<Option<BufferId>>,
}

impl Rows {
    fn run(&mut self, plan: &Plan, step: &Step) -> Option<&'static str> {
        let mut accesses = Vec::new();
        step.each_buffer(plan, &mut |buffer, access| accesses.push((buffer, access)));
        let mut is_sound = true;
        for &(id, access) in &accesses {
            match access {
                Access::Write => self.range(plan.buffer(id)).fill(Some(id)),
                Access::Read | Access::Update => is_sound &= self.are_owned(plan.buffer(id), id),
            }
        }
        if !is_sound {
            return Some("what it reads was written and is still there");
        }
        let are_apart = accesses.iter().all(|&(id, _)| self.are_owned(plan.buffer(id), id));
        let mut read: Vec<BufferId> =
            accesses.iter().filter(|(_, access)| *access == Access::Read).map(|(id, _)| *id).collect();
        read.sort_unstable();
        let is_both =
            |&(id, access): &(BufferId, Access)| access != Access::Read && read.binary_search(&id).is_ok();
        let is_broken = !are_apart || accesses.iter().any(is_both);
        is_broken.then_some("it writes no rows that it reads")
    }

    fn range(&mut self, buffer: Buffer) -> &mut [Option<BufferId>] {
        &mut self.owners[buffer.first as usize..(buffer.first + buffer.rows) as usize]
    }

    fn are_owned(&self, buffer: Buffer, by: BufferId) -> bool {
        let range = buffer.first as usize..(buffer.first + buffer.rows) as usize;
        self.owners[range].iter().all(|owner| *owner == Some(by))
    }
}
