//! Rows for buffers: those that never live at the same time share them.
//!
//! In: a plan whose steps are complete. Out: the first row of every buffer, and how many rows there are.
//! A buffer lives from the first to the last step that touches it; blocks that are kept, in a plan for values
//! all, live to the end of the upward steps. Free ranges are kept by size and by place; one of the smallest that fit is taken, and
//! within it the rows at which the step that writes them is not held up by what it reads.

use crate::BlockId;
use crate::plan::{Access, Mode, PAGE_ROWS, Plan, Step};
use std::collections::{BTreeMap, BTreeSet};

/// Assigns rows, with some blocks kept besides those that the mode keeps. Errors: more than 2^32 rows.
pub(super) fn assign(plan: &mut Plan, kept: &[BlockId]) -> Result<(), String> {
    let lives = lives(plan, kept);
    let mut ends: Vec<Vec<usize>> = vec![Vec::new(); plan.steps.len()];
    let mut starts = ends.clone();
    for (buffer, life) in lives.iter().enumerate() {
        if let Some((first, last)) = *life {
            starts[first].push(buffer);
            ends[last].push(buffer);
        }
    }
    let mut free = FreeRows::default();
    for (i, (born, dead)) in starts.iter().zip(&ends).enumerate() {
        let read = if born.is_empty() { Vec::new() } else { rows_read(plan, &plan.steps[i]) };
        for &buffer in born {
            plan.buffers[buffer].first = free.take(plan.buffers[buffer].rows, &read)?;
        }
        for &buffer in dead {
            free.give_back(plan.buffers[buffer].first, plan.buffers[buffer].rows);
        }
    }
    plan.arena_rows = free.n_rows;
    Ok(())
}

/// The first rows of the buffers that a step reads while it writes row by row. A sum reads all of them for each
/// few rows that it writes, so that no place is better for it than another.
fn rows_read(plan: &Plan, step: &Step) -> Vec<u32> {
    let mut rows = Vec::new();
    if matches!(step, Step::Sum { .. } | Step::SumUnits { .. } | Step::MultiplyUnits { .. }) {
        return rows;
    }
    step.each_buffer(plan, &mut |buffer, access| {
        if access == Access::Read {
            rows.push(plan.buffer(buffer).first);
        }
    });
    rows
}

/// What it costs to write rows from `first` on while reading others, row by row. A core that finds the low
/// twelve bits of a load in a store which is still under way waits for it: rows that are read must not lie a
/// little before those that are written, modulo a page. Products of 32 rows took up to six times as long with
/// the worst phase, 15, a fifth more with 8, and no longer than alone below that.
fn collisions(first: u32, read: &[u32]) -> u32 {
    const WAITS: [u32; PAGE_ROWS as usize] = [0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 6, 10, 20, 40];
    let phase = |&row: &u32| row.wrapping_sub(first) as usize % WAITS.len();
    read.iter().map(|row| WAITS[phase(row)]).sum()
}

/// The first and last step of each buffer.
fn lives(plan: &Plan, kept: &[BlockId]) -> Vec<Option<(usize, usize)>> {
    let mut lives: Vec<Option<(usize, usize)>> = vec![None; plan.buffers.len()];
    for (i, step) in plan.steps.iter().enumerate() {
        step.each_buffer(plan, &mut |buffer, _| {
            let life = &mut lives[buffer.index()];
            *life = Some((life.map_or(i, |(first, _)| first), i));
        });
    }
    let last_up = (plan.n_up as usize).saturating_sub(1);
    let mut keep = |block: BlockId, until: usize| {
        if let Some((_, last)) = &mut lives[plan.block(block).buffer.index()] {
            *last = until.max(*last);
        }
    };
    keep(plan.root, last_up);
    kept.iter().for_each(|&block| keep(block, last_up));
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

/// Free ranges that are looked at for one that reads and writes of a step don't collide in.
const N_CANDIDATES: usize = 4;

/// For so many rows taken at the end one may be left free before them.
const SHARE_SKIPPED: u32 = 4;

impl FreeRows {
    /// Takes rows for a step that reads others: from a range that fits well, else from the end.
    fn take(&mut self, rows: u32, read: &[u32]) -> Result<u32, String> {
        let n_candidates = if read.is_empty() { 1 } else { N_CANDIDATES };
        let most_skipped = if read.is_empty() { 0 } else { PAGE_ROWS as u32 - 1 };
        let fitting = self.by_size.range((rows, 0)..).take(n_candidates);
        let places = fitting.flat_map(|&(size, start)| {
            let slack = (size - rows).min(most_skipped);
            (start..=start + slack).map(move |first| (first, start, size))
        });
        if let Some((first, start, size)) = places.min_by_key(|place| collisions(place.0, read)) {
            self.remove(start, size);
            self.insert(start, first - start);
            self.insert(first + rows, start + size - first - rows);
            return Ok(first);
        }
        let end = self.n_rows;
        let last = end.saturating_add(most_skipped.min(rows / SHARE_SKIPPED));
        let first = (end..=last).min_by_key(|&first| collisions(first, read)).unwrap_or(end);
        self.n_rows = first.checked_add(rows).ok_or("the circuit needs more than 2^32 rows for one tile")?;
        self.insert(end, first - end);
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
