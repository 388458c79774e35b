//! The M-step of compiled circuits: from the workers' statistics to parameters and what is derived from them.
//!
//! In: statistics, parameters and derived numbers, cut into pieces ([`super::pieces`]). A piece is read and
//! written once, block by block: statistics are added up, parameters moved, derived numbers computed and
//! statistics set to zero while the block is in the cache. Out: everything ready for the next batch.
//!
//! The number of threads changes no bit but by the order in which the workers' sums are added.

use super::pieces::{Piece, Scratch, Work, cut, for_each_piece};
use super::sparse::SparseTable;
use super::statistics::Statistics;
use crate::train::em::TableUpdate;
use crate::train::leaf_tables::{self, Blends};
use crate::train::momentum::{is_centred, recentre};
use crate::train::{Reach, Update, weight_tables};
use pcc_cpu::{DerivedPart, DerivedSize, DerivedTables, Extremes, row_exponent};
use pcc_ir::plan::Plan;
use pcc_ir::{Family, Graph, Param, ParamId, ParamShape, Params};
use pcc_kernels::{Loops, at_full_width};
use std::ops::Range;

/// Weights that are moved at a time: with their statistics they stay in the first cache.
const BLOCK: usize = 1 << 11;

/// What all pieces read.
#[derive(Clone, Copy)]
struct Step<'a> {
    graph: &'a Graph,
    plan: &'a Plan,
    update: &'a Update<'a>,
    reach: Option<&'a Reach>,
}

impl<'a> Step<'a> {
    fn param(&self, table: usize) -> &'a Param {
        self.graph.param(ParamId::new(table))
    }

    /// The update of a table, unless it stays as it is.
    fn of(&self, table: usize) -> Option<TableUpdate<'a>> {
        let stays = self.param(table).is_fixed || self.update.held[table];
        (!stays).then(|| self.update.of_table(self.graph, ParamId::new(table), self.reach))
    }
}

/// Moves all tables by what was gathered, and brings what is derived from them up to date. The plan must have
/// been made from the graph; `sparse` are tables that may have been touched in a few rows only.
pub(super) fn maximize(
    graph: &Graph,
    plan: &Plan,
    update: &Update,
    statistics: Statistics,
    params: &mut Params,
    derived: &mut DerivedTables,
    sparse: &mut [SparseTable],
) {
    let reach = update.reach(graph, params);
    let step = Step { graph, plan, update, reach: reach.as_ref() };
    let mut pieces = cut(graph, plan, statistics, params, derived, sparse);
    for_each_piece(&mut pieces, update.threads, |piece| run(piece, step));
    if share_columns(&mut pieces, step) {
        for_each_piece(&mut pieces, update.threads, finish);
    }
    let mut of_tables: Vec<(usize, Extremes)> = Vec::new();
    for (table, extremes) in pieces.into_iter().flat_map(|piece| piece.extremes) {
        match of_tables.last_mut() {
            Some((last, all)) if *last == table => *all = all.and(extremes),
            _ => of_tables.push((table, extremes)),
        }
    }
    of_tables.into_iter().for_each(|(table, extremes)| derived.watch_table(ParamId::new(table), extremes));
}

/// Moves what can be moved without knowing other pieces.
fn run(piece: &mut Piece, step: Step) {
    let Piece { work, theta, statistics, derived, scratch, extremes } = piece;
    match work {
        Work::Tables(tables) => {
            let mut at = (0, 0);
            for table in tables.clone() {
                let param = step.param(table);
                let theta = &mut theta[at.0..at.0 + param.len()];
                let range = at.1..at.1 + param.stats_len();
                at = (at.0 + param.len(), range.end);
                let derived = derived.take(DerivedSize::of(&step.plan.tables[table]));
                let Some(update) = step.of(table) else {
                    statistics.clear(range);
                    continue;
                };
                let found = move_table(param, update, statistics, range.start, theta, derived, scratch);
                extremes.extend(found.map(|found| (table, found)));
            }
        }
        Work::Weights { table, first_unit } => match (step.of(*table), step.param(*table).shape) {
            (Some(update), ParamShape::Sum { columns: n, .. } | ParamShape::Mix { children: n, .. }) => {
                let (cells, update) = (n as usize, update.starting_at(*first_unit));
                let found = at_full_width(Weights { cells, update, statistics, first: 0, theta });
                extremes.push((*table, found));
            }
            _ => statistics.clear(0..theta.len()),
        },
        Work::Values { table, .. } => match (step.of(*table), step.param(*table).shape) {
            (Some(update), ParamShape::Input { units, .. }) => {
                scratch.columns.reset(units as usize);
                at_full_width(AddColumns { update, statistics, theta, scratch });
            }
            _ => statistics.clear(0..theta.len()),
        },
        Work::Touched(table) => {
            let update = step.of(table.id().index());
            table.maximize(update, statistics, theta, derived.row_exponents());
        }
    }
}

/// Moves a whole table. Its statistics are those from `first` on. Weights have extremes.
fn move_table(
    param: &Param,
    update: TableUpdate,
    statistics: &mut Statistics,
    first: usize,
    theta: &mut [f32],
    mut derived: DerivedPart,
    scratch: &mut Scratch,
) -> Option<Extremes> {
    match param.shape {
        ParamShape::Sum { columns: n, .. } | ParamShape::Mix { children: n, .. } => {
            Some(at_full_width(Weights { cells: n as usize, update, statistics, first, theta }))
        }
        ParamShape::Input { family: Family::Categorical(_), units } => {
            let units = units as usize;
            let exponents = derived.row_exponents();
            let groups = theta.chunks_exact_mut(param.group_len());
            for (i, (theta, exponents)) in
                groups.zip(exponents.chunks_exact_mut(param.group_len() / units)).enumerate()
            {
                let first = first + i * param.group_len();
                let rows = Rows { statistics, first, theta, exponents };
                let update = update.starting_at(i * units);
                at_full_width(Categorical { units, update, rows, scratch });
            }
            None
        }
        ParamShape::Input { family, units } => {
            let n_stats = param.group_stats_len();
            for (i, theta) in theta.chunks_exact_mut(param.group_len()).enumerate() {
                let range = first + i * n_stats..first + (i + 1) * n_stats;
                let update = update.starting_at(i * units as usize);
                let old = is_centred(param).then(|| theta.to_vec());
                let flows = statistics.collect(range.clone(), None);
                leaf_tables::maximize(family, units as usize, flows, update, theta);
                flows.fill(0.0);
                if let (Some(old), Some(averages)) = (old, statistics.averages(range)) {
                    recentre(param, &old, theta, averages);
                }
            }
            flush(theta);
            derived.set(param, theta);
            None
        }
    }
}

/// Gives the pieces of a large categorical group the sums over all its values. Returns whether there are any.
fn share_columns(pieces: &mut [Piece], step: Step) -> bool {
    let mut is_any = false;
    let is_values = |piece: &Piece| matches!(piece.work, Work::Values { .. });
    let ends_group =
        |piece: &Piece| !is_values(piece) || matches!(piece.work, Work::Values { is_last: true, .. });
    for group in pieces.chunk_by_mut(|piece, _| !ends_group(piece)) {
        // A run of other pieces before a group is a chunk of its own, as each of them ends one.
        let Work::Values { table, first_unit, .. } = group[0].work else { continue };
        let Some(update) = step.of(table).map(|update| update.starting_at(first_unit)) else { continue };
        let mut sums = std::mem::take(&mut group[0].scratch.columns);
        group[1..].iter().for_each(|piece| sums.join(&piece.scratch.columns));
        let values = group.iter().map(|piece| piece.theta.len()).sum::<usize>() / sums.used.len();
        group.iter_mut().for_each(|piece| piece.scratch.blends.set(&update, values, &sums.used, &sums.mass));
        is_any = true;
    }
    is_any
}

/// Moves values of a large categorical group, which had to wait for the sums over all of them.
fn finish(piece: &mut Piece) {
    let Piece { work: Work::Values { .. }, theta, statistics, derived, scratch, .. } = piece else { return };
    if scratch.blends.n_units() > 0 {
        let rows = Rows { statistics, first: 0, theta, exponents: derived.row_exponents() };
        at_full_width(BlendRows { blends: &scratch.blends, rows });
    }
}

/// Rows of weights, with the statistics from `first` on.
struct Weights<'p, 's, 'u> {
    cells: usize,
    update: TableUpdate<'u>,
    statistics: &'p mut Statistics<'s>,
    first: usize,
    theta: &'p mut [f32],
}

impl Loops for Weights<'_, '_, '_> {
    type Output = Extremes;

    #[inline(always)]
    fn run(self) -> Extremes {
        let block = (BLOCK / self.cells).max(1) * self.cells;
        let (mut first, mut update) = (self.first, self.update);
        let mut extremes = Extremes::NONE;
        for theta in self.theta.chunks_mut(block) {
            let flows = self.statistics.collect(first..first + theta.len(), Some(theta));
            weight_tables::maximize(self.cells, flows, update, theta);
            flows.fill(0.0);
            flush(theta);
            extremes = extremes.and(Extremes::of(theta));
            first += theta.len();
            update = update.starting_at(theta.len() / self.cells);
        }
        extremes
    }
}

/// Values of a categorical group, with the statistics from `first` on.
struct Rows<'p, 's> {
    statistics: &'p mut Statistics<'s>,
    first: usize,
    theta: &'p mut [f32],
    exponents: &'p mut [f32],
}

impl Rows<'_, '_> {
    fn range(&self) -> Range<usize> {
        self.first..self.first + self.theta.len()
    }

    /// Moves them, once statistics are collected.
    #[inline(always)]
    fn blend(&mut self, blends: &Blends) {
        let units = blends.n_units();
        let range = self.range();
        let counts = self.statistics.collected(range).chunks_exact_mut(units);
        for ((row, counts), exponent) in
            self.theta.chunks_exact_mut(units).zip(counts).zip(&mut *self.exponents)
        {
            blends.blend_row(counts, row);
            counts.fill(0.0);
            flush(row);
            *exponent = row_exponent(row);
        }
    }
}

/// A whole categorical group.
struct Categorical<'p, 's, 'u> {
    units: usize,
    update: TableUpdate<'u>,
    rows: Rows<'p, 's>,
    scratch: &'p mut Scratch,
}

impl Loops for Categorical<'_, '_, '_> {
    type Output = ();

    #[inline(always)]
    fn run(mut self) {
        let Scratch { columns, blends } = self.scratch;
        let flows = self.rows.statistics.collect(self.rows.range(), None);
        columns.reset(self.units);
        columns.add(flows, self.rows.theta, &self.update);
        blends.set(&self.update, self.rows.exponents.len(), &columns.used, &columns.mass);
        self.rows.blend(blends);
    }
}

/// Sums of a part of a large categorical group.
struct AddColumns<'p, 's, 'u> {
    update: TableUpdate<'u>,
    statistics: &'p mut Statistics<'s>,
    theta: &'p mut [f32],
    scratch: &'p mut Scratch,
}

impl Loops for AddColumns<'_, '_, '_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let flows = self.statistics.collect(0..self.theta.len(), None);
        self.scratch.columns.add(flows, self.theta, &self.update);
    }
}

/// The move of a part of a large categorical group.
struct BlendRows<'p, 's> {
    blends: &'p Blends,
    rows: Rows<'p, 's>,
}

impl Loops for BlendRows<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run(mut self) {
        self.rows.blend(self.blends);
    }
}

/// Takes numbers without a normal 32-bit form for zero, as kernels do. Where a thread can have that done by its
/// arithmetic it must, by [`pcc_kernels::denormals_off`], and nothing is left to do here.
#[inline(always)]
pub(super) fn flush(numbers: &mut [f32]) {
    if cfg!(not(target_arch = "x86_64")) {
        numbers.iter_mut().filter(|x| x.is_subnormal()).for_each(|x| *x = 0.0);
    }
}
