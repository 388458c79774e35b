//! Running bundles: packing rows, running the program, and sending marked rows to log space.
//!
//! In: a job (a batch and a compiled plan) and workers. Out: one log-likelihood for each row, and flows in
//! the workers. A worker takes a contiguous share of the rows, so results never depend on timing.

use super::engine::{Engine, FARTHEST_LOG};
use super::few;
use super::gathered::Gathered;
use super::shares::{Bundle, Shares};
use crate::exec::Values;
use crate::exec::log::{LogSpace, Rows};
use pcc_cpu::{Arena, DerivedTables, Inputs, SampleWeights};
use pcc_ir::plan::{Mode, TILE};
use pcc_ir::{Batch, Graph, LayerId, Params};
use pcc_kernels::MAX_TILES;
use std::ops::Range;

/// What is asked of a circuit.
#[derive(Clone, Copy)]
pub(super) struct Question<'a> {
    pub(super) graph: &'a Graph,
    pub(super) params: &'a Params,
    pub(super) batch: &'a Batch,
    pub(super) weights: Option<&'a [f32]>,
    pub(super) mode: Mode,
}

/// What all workers read.
#[derive(Clone, Copy)]
pub(super) struct Job<'a> {
    pub(super) question: Question<'a>,
    pub(super) derived: &'a DerivedTables,
    pub(super) engine: &'a Engine,
}

impl Question<'_> {
    fn weight(&self, row: usize) -> f32 {
        self.weights.map_or(1.0, |weights| weights[row])
    }

    /// The words of some rows.
    fn words(&self, rows: Range<usize>) -> &[u32] {
        let n = self.batch.n_variables();
        &self.batch.words()[rows.start * n..rows.end * n]
    }
}

impl Job<'_> {
    pub(super) fn inputs(&self) -> Inputs<'_> {
        Inputs { params: self.question.params, derived: self.derived, guards: &self.engine.guards }
    }

    fn shares(&self, n_workers: usize) -> Shares {
        let n_rows = self.question.batch.n_rows();
        let flops = self.engine.flops.saturating_mul(n_rows as u64);
        let n_threads = n_workers.min((flops / FLOPS_OF_A_THREAD) as usize + 1);
        Shares::of(n_rows, n_threads, self.engine.run.tiles as usize, self.engine.are_narrow_allowed)
    }
}

/// Operations that are worth waking another thread for: about 50 microseconds.
const FLOPS_OF_A_THREAD: u64 = 2_000_000;

/// What belongs to one thread.
#[derive(Clone)]
pub(super) struct Worker {
    pub(super) gathered: Gathered,
    /// Rows that were marked.
    pub(super) n_marked: usize,
    log_space: LogSpace,
    /// What single rows are computed in.
    pub(super) numbers: Vec<f32>,
}

/// Gives each worker its share of the rows, and the calling thread the last one's.
pub(super) fn share(job: &Job, workers: &mut [Worker], logs: &mut [f64]) {
    if let Some(single) = few::single(job) {
        return workers[0].run_one_by_one(job, single, logs);
    }
    let shares = job.shares(workers.len().min(job.engine.run.threads as usize));
    let n_threads = shares.n_threads();
    if n_threads == 1 {
        return workers[0].run(job, 0, shares, logs);
    }
    std::thread::scope(|scope| {
        let mut logs = logs;
        for (thread, worker) in workers.iter_mut().enumerate().take(n_threads) {
            let (own, rest) = logs.split_at_mut(shares.rows(thread).len());
            logs = rest;
            let mut run = move || worker.run(job, thread, shares, own);
            match thread + 1 == n_threads {
                true => run(),
                false => drop(scope.spawn(run)),
            }
        }
    });
}

/// The values of units for all rows, as many as there is room for.
pub(super) fn values(job: &Job, worker: &mut Worker, values: &mut Values) {
    let n_rows = job.question.batch.n_rows();
    let mut marked = Vec::new();
    {
        let _denormals = pcc_kernels::denormals_off();
        let mut arena = job.engine.memory[0].lock().expect("no worker panicked");
        for bundle in Shares::of(n_rows, 1, job.engine.run.tiles as usize, true).bundles(0) {
            let refused = up(job, &mut arena, &bundle);
            for tile in 0..bundle.n_tiles() {
                let rows = bundle.tile(tile);
                let marks = refused[tile] | arena.marks(tile) | copy_values(job, &arena, tile, &rows, values);
                marked.extend(marked_rows(marks, rows));
            }
        }
    }
    worker.n_marked += marked.len();
    worker.each_log_pass(&job.question, &marked, |_, space, rows, _| space.copy_values(rows, values));
}

/// The same without compiled code.
pub(super) fn values_in_log_space(question: &Question, worker: &mut Worker, values: &mut Values) {
    let rows: Vec<usize> = (0..question.batch.n_rows()).collect();
    worker.each_log_pass(question, &rows, |_, space, rows, _| space.copy_values(rows, values));
}

/// Packs the rows of a bundle and runs the upward steps. Returns the samples of each tile that have a value
/// which tables lack.
fn up(job: &Job, arena: &mut Arena, bundle: &Bundle) -> [u64; MAX_TILES] {
    let mut refused = [0; MAX_TILES];
    for tile in 0..bundle.n_tiles() {
        refused[tile] = arena.pack(tile, job.question.words(bundle.tile(tile)), bundle.lanes);
        if let Some(soft) = job.question.batch.soft() {
            arena.give(tile, soft, bundle.tile(tile), bundle.lanes);
        }
    }
    arena.select(0..bundle.n_tiles(), bundle.lanes);
    job.engine.program.up(job.inputs(), arena);
    refused
}

/// Runs a tile again with a good sample in the place of those that are not. Numbers of marked samples need not
/// be finite, and even zero times those would spread; the stand-ins will have no weight.
fn replace(job: &Job, arena: &mut Arena, tile: usize, lanes: usize, good: u64, stand_in: (usize, usize)) {
    (0..lanes).filter(|s| good >> s & 1 == 0).for_each(|s| arena.copy_sample(stand_in, (tile, s)));
    arena.select(tile..tile + 1, lanes);
    job.engine.program.up(job.inputs(), arena);
}

/// Bit s: the logarithm is finite and under a limit.
fn too_far(logs: &[f64], limit: f64) -> u64 {
    let is_far = |log: f64| u64::from(log > f64::NEG_INFINITY && log < limit);
    logs.iter().enumerate().fold(0, |bits, (s, &log)| bits | is_far(log) << s)
}

/// The first `n` bits.
fn samples(n: usize) -> u64 {
    if n >= TILE { u64::MAX } else { (1 << n) - 1 }
}

/// The rows of a tile whose samples are marked.
fn marked_rows(marks: u64, rows: Range<usize>) -> impl Iterator<Item = usize> {
    let first = rows.start;
    rows.filter(move |row| marks >> (row - first) & 1 == 1)
}

/// Copies the values of a tile that there is room for. Returns marks of samples that are to be computed again:
/// where all values are asked for, those in which one is too far below its group's largest to be exact, as
/// densities in a normal's tails are; where some are, the program's own guards have said which. An unlikely row
/// may owe it to such densities.
fn copy_values(job: &Job, arena: &Arena, tile: usize, rows: &Range<usize>, values: &mut Values) -> u64 {
    let (plan, graph, farthest_log) =
        (job.engine.program.plan(), job.question.graph, job.engine.farthest_log);
    let are_all = job.question.mode == Mode::Values;
    let mut marks = 0;
    if !are_all {
        let mut logs = [0.0; TILE];
        arena.write_logs(plan, tile, plan.root, 0, &mut logs);
        marks |= too_far(&logs, farthest_log);
    }
    for (layer, block) in plan.layers.iter().enumerate() {
        let id = LayerId::new(layer);
        for unit in 0..values.n_units(id) {
            let logs = block.map_or([0.0; TILE], |block| arena.logs(plan, tile, block, unit as u32));
            if are_all {
                marks |= block.map_or(0, |block| arena.faint(plan, tile, block, unit as u32));
                if farthest_log.is_finite() && graph.layer(id).kind.var().is_some() {
                    marks |= too_far(&logs, FARTHEST_LOG);
                }
            }
            rows.clone().zip(logs).for_each(|(row, log)| values.set(id, unit, row, log));
        }
    }
    marks
}

impl Worker {
    pub(super) fn of(log_space: LogSpace) -> Self {
        Worker { gathered: Gathered::default(), n_marked: 0, log_space, numbers: Vec::new() }
    }

    /// Runs a thread's share. There is a logarithm to be written for each of its rows.
    fn run(&mut self, job: &Job, thread: usize, shares: Shares, logs: &mut [f64]) {
        let _denormals = pcc_kernels::denormals_off();
        let mut arena = job.engine.memory[thread].lock().expect("no worker panicked");
        let first_row = shares.rows(thread).start;
        let mut marked = Vec::new();
        for bundle in shares.bundles(thread) {
            let logs = &mut logs[bundle.rows.start - first_row..bundle.rows.end - first_row];
            let marks = self.run_bundle(job, &mut arena, &bundle, logs);
            for tile in (0..bundle.n_tiles()).filter(|&tile| marks[tile] != 0) {
                marked.extend(marked_rows(marks[tile], bundle.tile(tile)));
            }
        }
        drop(arena);
        self.n_marked += marked.len();
        self.run_in_log_space(&job.question, &marked, first_row, logs);
    }

    /// Runs a bundle and writes its rows' logarithms. Returns the marks of each tile.
    fn run_bundle(
        &mut self,
        job: &Job,
        arena: &mut Arena,
        bundle: &Bundle,
        logs: &mut [f64],
    ) -> [u64; MAX_TILES] {
        let mut marks = up(job, arena, bundle);
        let plan = job.engine.program.plan();
        for (tile, logs) in logs.chunks_mut(bundle.lanes).enumerate() {
            arena.write_logs(plan, tile, plan.root, 0, logs);
            marks[tile] |= arena.marks(tile) | too_far(logs, job.engine.farthest_log);
            marks[tile] &= samples(logs.len());
        }
        if job.question.mode == Mode::Flows {
            self.down(job, arena, bundle, &marks, logs);
        }
        marks
    }

    /// Runs the downward steps for the rows that are not marked and not impossible.
    fn down(
        &mut self,
        job: &Job,
        arena: &mut Arena,
        bundle: &Bundle,
        marks: &[u64; MAX_TILES],
        logs: &[f64],
    ) {
        let good = |tile| samples(bundle.tile(tile).len()) & !marks[tile];
        let Some(stand_in) = (0..bundle.n_tiles()).find(|&tile| good(tile) != 0) else { return };
        let stand_in = (stand_in, good(stand_in).trailing_zeros() as usize);
        let mut weights: SampleWeights = [[0.0; TILE]; MAX_TILES];
        for tile in 0..bundle.n_tiles() {
            let (rows, good) = (bundle.tile(tile), good(tile));
            for (s, row) in rows.enumerate() {
                let is_possible = logs[row - bundle.rows.start] > f64::NEG_INFINITY;
                if good >> s & 1 == 1 && is_possible {
                    weights[tile][s] = job.question.weight(row);
                }
            }
            if marks[tile] != 0 {
                replace(job, arena, tile, bundle.lanes, good, stand_in);
            }
        }
        arena.select(0..bundle.n_tiles(), bundle.lanes);
        let program = &job.engine.program;
        let flows = self.gathered.flows_of(program.n_statistics());
        program.down(job.inputs(), arena, flows, &weights);
        if job.engine.run.has_totals {
            self.gathered.note_rows(bundle.rows.len());
        }
    }

    /// Computes rows in log space. `logs` are those of the rows from `first_row` on.
    pub(super) fn run_in_log_space(
        &mut self,
        question: &Question,
        rows: &[usize],
        first_row: usize,
        logs: &mut [f64],
    ) {
        self.each_log_pass(question, rows, |gathered, space, rows, row_logs| {
            rows.rows.iter().zip(row_logs).for_each(|(row, log)| logs[row - first_row] = log);
            if question.mode == Mode::Flows {
                let weights: Vec<f64> =
                    rows.rows.iter().map(|&row| f64::from(question.weight(row))).collect();
                space.down(rows, &weights, gathered.log_flows_of(space.n_stats()));
            }
        });
    }

    /// Runs upward passes in log space over rows, and calls `visit` after each.
    fn each_log_pass(
        &mut self,
        question: &Question,
        rows: &[usize],
        mut visit: impl FnMut(&mut Gathered, &mut LogSpace, Rows, Vec<f64>),
    ) {
        let Question { graph, params, batch, .. } = *question;
        for rows in rows.chunks(self.log_space.width) {
            let rows = Rows { graph, params, batch, rows };
            let logs = self.log_space.up(rows);
            visit(&mut self.gathered, &mut self.log_space, rows, logs);
        }
    }
}
