//! Cutting parameters, statistics and derived numbers into pieces that threads share out.
//!
//! In: arrays that lie table after table. Out: [`Piece`]s, each with its part of every array: a run of small
//! tables, some rows of a large one, or a table of which few rows were touched. How they are cut depends on
//! the tables alone, never on the number of threads. Nothing here computes.

use super::sparse::SparseTable;
use super::statistics::{Statistics, take};
use crate::train::leaf_tables::{Blends, Columns};
use pcc_cpu::{DerivedPart, DerivedSize, DerivedTables, Extremes};
use pcc_ir::plan::Plan;
use pcc_ir::{Family, Graph, Param, ParamShape, Params};
use std::ops::Range;

/// A table of more parameters is cut, so that threads can share it.
const LARGE_TABLE: usize = 1 << 18;

/// A run of tables, or of rows of a large one, ends after so many parameters.
const PIECE: usize = 1 << 16;

/// Below so many parameters for each thread, starting it costs more than it saves.
const WORTH_A_THREAD: usize = 1 << 16;

/// What is moved together.
pub(super) struct Piece<'a> {
    pub(super) work: Work<'a>,
    pub(super) theta: &'a mut [f32],
    pub(super) statistics: Statistics<'a>,
    pub(super) derived: DerivedPart<'a>,
    pub(super) scratch: Scratch,
    /// For each table of weights, the sizes of those in this piece.
    pub(super) extremes: Vec<(usize, Extremes)>,
}

/// What a piece consists of.
pub(super) enum Work<'a> {
    /// Whole tables.
    Tables(Range<usize>),
    /// Rows of a large table of weights.
    Weights { table: usize, first_unit: usize },
    /// Values of one group of a large categorical table.
    Values { table: usize, first_unit: usize, is_last: bool },
    /// A table of which few rows were touched.
    Touched(&'a mut SparseTable),
}

/// Sums over a categorical table's columns, and what follows from them.
#[derive(Default)]
pub(super) struct Scratch {
    pub(super) columns: Columns,
    pub(super) blends: Blends,
}

impl Piece<'_> {
    /// About how many parameters are read and written.
    fn cost(&self) -> usize {
        match &self.work {
            Work::Touched(table) => table.n_touched_numbers(),
            _ => self.theta.len(),
        }
    }
}

/// Cuts everything. `sparse` are in the order of their tables; one that is dense now is cut like any other.
pub(super) fn cut<'a>(
    graph: &Graph,
    plan: &Plan,
    statistics: Statistics<'a>,
    params: &'a mut Params,
    derived: &'a mut DerivedTables,
    sparse: &'a mut [SparseTable],
) -> Vec<Piece<'a>> {
    let mut cutter = Cutter {
        statistics,
        theta: params.values_mut(),
        derived: derived.part(),
        run: Run::default(),
        pieces: Vec::new(),
    };
    let mut sparse = sparse.iter_mut().peekable();
    for (i, param) in graph.params().iter().enumerate() {
        let size = DerivedSize::of(&plan.tables[i]);
        match sparse.next_if(|table| table.id().index() == i) {
            Some(table) if !table.is_dense() => cutter.cut_table(Work::Touched(table), param, size),
            _ if param.len() > LARGE_TABLE => cutter.cut_large(i, param, size),
            _ => cutter.add_to_run(i, param, size),
        }
    }
    cutter.end_run();
    cutter.pieces
}

/// What is left to be cut, and what was.
struct Cutter<'a> {
    statistics: Statistics<'a>,
    theta: &'a mut [f32],
    derived: DerivedPart<'a>,
    run: Run,
    pieces: Vec<Piece<'a>>,
}

/// Consecutive small tables, and how many numbers they have.
#[derive(Default)]
struct Run {
    tables: Range<usize>,
    theta: usize,
    statistics: usize,
    derived: DerivedSize,
}

impl<'a> Cutter<'a> {
    fn add_to_run(&mut self, table: usize, param: &Param, derived: DerivedSize) {
        let run = &mut self.run;
        if run.tables.is_empty() {
            run.tables = table..table;
        }
        run.tables.end += 1;
        run.theta += param.len();
        run.statistics += param.stats_len();
        run.derived = run.derived.and(derived);
        if run.theta >= PIECE {
            self.end_run();
        }
    }

    fn end_run(&mut self) {
        let Run { tables, theta, statistics, derived } = std::mem::take(&mut self.run);
        if !tables.is_empty() {
            self.cut(Work::Tables(tables), theta, statistics, derived);
        }
    }

    fn cut_table(&mut self, work: Work<'a>, param: &Param, derived: DerivedSize) {
        self.end_run();
        self.cut(work, param.len(), param.stats_len(), derived);
    }

    /// Cuts a large table into rows, if it is of a kind whose rows can be moved one by one.
    fn cut_large(&mut self, table: usize, param: &Param, derived: DerivedSize) {
        self.end_run();
        match param.shape {
            ParamShape::Sum { columns: n, .. } | ParamShape::Mix { children: n, .. } => {
                let weights = |first_unit, _| Work::Weights { table, first_unit };
                self.cut_rows(param.len() / n as usize, n as usize, weights);
            }
            ParamShape::Input { family: Family::Categorical(family), units } => {
                for group in 0..param.groups as usize {
                    let first_unit = group * units as usize;
                    let values = |_, is_last| Work::Values { table, first_unit, is_last };
                    self.cut_rows(family.n as usize, units as usize, values);
                }
            }
            ParamShape::Input { .. } => self.cut_table(Work::Tables(table..table + 1), param, derived),
        }
    }

    fn cut_rows(&mut self, rows: usize, columns: usize, work: impl Fn(usize, bool) -> Work<'a>) {
        let most = (PIECE / columns).max(1);
        for first in (0..rows).step_by(most) {
            let n = most.min(rows - first);
            self.cut(work(first, first + n == rows), n * columns, n * columns, DerivedSize::of_rows(n));
        }
    }

    fn cut(&mut self, work: Work<'a>, theta: usize, statistics: usize, derived: DerivedSize) {
        self.pieces.push(Piece {
            work,
            theta: take(&mut self.theta, theta),
            statistics: self.statistics.take(statistics),
            derived: self.derived.take(derived),
            scratch: Scratch::default(),
            extremes: Vec::new(),
        });
    }
}

/// Calls `work` for all pieces. Each thread takes a run of them with about equally many parameters.
pub(super) fn for_each_piece<'a>(
    pieces: &mut [Piece<'a>],
    threads: usize,
    work: impl Fn(&mut Piece<'a>) + Sync,
) {
    let total: usize = pieces.iter().map(Piece::cost).sum();
    let threads = threads.min(total / WORTH_A_THREAD).max(1);
    let work = |own: &mut [Piece<'a>]| {
        let _denormals = pcc_kernels::denormals_off();
        own.iter_mut().for_each(&work);
    };
    std::thread::scope(|scope| {
        let (mut rest, mut done) = (pieces, 0);
        for thread in 1..threads {
            let mut n = 0;
            while done + rest[n].cost() <= total * thread / threads {
                done += rest[n].cost();
                n += 1;
            }
            let (own, after) = rest.split_at_mut(n);
            rest = after;
            scope.spawn(move || work(own));
        }
        work(rest);
    });
}
