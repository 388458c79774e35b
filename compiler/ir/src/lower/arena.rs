//! Rows for buffers: those that never live at the same time share them.
//!
//! In: a plan whose steps are complete. Out: the first row of every buffer, and how many rows there are.
//! A buffer lives from the first to the last step that touches it; in a plan for values, blocks live to
//! the end. Free ranges are kept by size and by place, and the smallest that fits is taken.

use crate::plan::{Mode, Plan};
use std::collections::{BTreeMap, BTreeSet};

/// Assigns rows. Errors: more than 2^32 of them.
pub(super) fn assign(plan: &mut Plan) -> Result<(), String> {
    let lives = lives(plan);
    let mut ends: Vec<Vec<usize>> = vec![Vec::new(); plan.steps.len()];
    let mut starts = ends.clone();
    for (buffer, life) in lives.iter().enumerate() {
        if let Some((first, last)) = *life {
            starts[first].push(buffer);
            ends[last].push(buffer);
        }
    }
    let mut free = FreeRows::default();
    for (born, dead) in starts.iter().zip(&ends) {
        for &buffer in born {
            plan.buffers[buffer].first = free.take(plan.buffers[buffer].rows)?;
        }
        for &buffer in dead {
            free.give_back(plan.buffers[buffer].first, plan.buffers[buffer].rows);
        }
    }
    plan.arena_rows = free.n_rows;
    Ok(())
}

/// The first and last step of each buffer.
fn lives(plan: &Plan) -> Vec<Option<(usize, usize)>> {
    let mut lives: Vec<Option<(usize, usize)>> = vec![None; plan.buffers.len()];
    for (i, step) in plan.steps.iter().enumerate() {
        step.each_buffer(plan, &mut |buffer, _| {
            let life = &mut lives[buffer.index()];
            *life = Some((life.map_or(i, |(first, _)| first), i));
        });
    }
    let last_up = (plan.n_up as usize).saturating_sub(1);
    let mut keep = |block: crate::BlockId, until: usize| {
        if let Some((_, last)) = &mut lives[plan.block(block).buffer.index()] {
            *last = until.max(*last);
        }
    };
    keep(plan.root, last_up);
    if plan.mode == Mode::Values {
        plan.layers.iter().flatten().for_each(|&block| keep(block, last_up));
    }
    lives
}

/// Free ranges of rows.
#[derive(Default)]
struct FreeRows {
    by_place: BTreeMap<u32, u32>,
    by_size: BTreeSet<(u32, u32)>,
    n_rows: u32,
}

impl FreeRows {
    fn take(&mut self, rows: u32) -> Result<u32, String> {
        let best = self.by_size.range((rows, 0)..).next().copied();
        if let Some((size, first)) = best {
            self.remove(first, size);
            self.insert(first + rows, size - rows);
            return Ok(first);
        }
        let first = self.n_rows;
        self.n_rows = first.checked_add(rows).ok_or("the circuit needs more than 2^32 rows for one tile")?;
        Ok(first)
    }

    fn give_back(&mut self, first: u32, rows: u32) {
        let (mut first, mut rows) = (first, rows);
        let before = self.by_place.range(..first).next_back().map(|(&f, &r)| (f, r));
        if let Some((place, size)) = before.filter(|(place, size)| place + size == first) {
            self.remove(place, size);
            (first, rows) = (place, rows + size);
        }
        if let Some(&size) = self.by_place.get(&(first + rows)) {
            self.remove(first + rows, size);
            rows += size;
        }
        self.insert(first, rows);
    }

    fn insert(&mut self, first: u32, rows: u32) {
        if rows > 0 {
            self.by_place.insert(first, rows);
            self.by_size.insert((rows, first));
        }
    }

    fn remove(&mut self, first: u32, rows: u32) {
        self.by_place.remove(&first);
        self.by_size.remove(&(rows, first));
    }
}
