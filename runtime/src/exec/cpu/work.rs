//! Running tiles: packing rows, running the program, and sending marked rows to log space.
//!
//! In: a job (a batch and a compiled plan) and workers. Out: one log-likelihood for each row, and flows in
//! the workers. A worker takes a contiguous share of the tiles, so results never depend on timing.

use super::engine::{Engine, FARTHEST_LOG, Memory};
use crate::exec::Values;
use crate::exec::log::{LogSpace, Rows};
use pcc_cpu::DerivedTables;
use pcc_ir::plan::{Mode, TILE};
use pcc_ir::{Batch, Graph, LayerId, Params};
use std::ops::Range;

/// What all workers read.
#[derive(Clone, Copy)]
pub(super) struct Job<'a> {
    pub(super) graph: &'a Graph,
    pub(super) params: &'a Params,
    pub(super) derived: &'a DerivedTables,
    pub(super) engine: &'a Engine,
    pub(super) batch: &'a Batch,
    pub(super) weights: Option<&'a [f32]>,
}

/// After this many tiles a thread's flows are added to its total, so that a sum over millions of rows does
/// not outgrow what is added to it.
const TILES_OF_A_SUM: usize = 256;

/// What one thread gathers.
#[derive(Clone)]
pub(super) struct Worker {
    /// Statistics of the linear code, sums and mixtures not yet times their weights; empty when it had none.
    flows: Vec<f32>,
    /// Statistics of earlier tiles; empty when there were few.
    total: Vec<f32>,
    /// Flows of marked rows; empty when there were none.
    log_flows: Vec<f64>,
    /// Rows that were marked.
    pub(super) n_marked: usize,
    log_space: LogSpace,
}

impl Worker {
    pub(super) fn of(log_space: LogSpace) -> Self {
        Worker { flows: Vec::new(), total: Vec::new(), log_flows: Vec::new(), n_marked: 0, log_space }
    }

    /// Forgets all flows.
    pub(super) fn clear(&mut self) {
        self.flows.clear();
        self.total.clear();
        self.log_flows.clear();
    }

    /// Adds the flows of a table, those of the linear code times the table's weights if it has any.
    pub(super) fn add_flows(&self, range: Range<usize>, weights: Option<&[f32]>, to: &mut [f32]) {
        for linear in [&self.flows, &self.total].into_iter().filter(|f| !f.is_empty()) {
            let flows = to.iter_mut().zip(&linear[range.clone()]);
            match weights {
                Some(weights) => flows.zip(weights).for_each(|((to, flow), weight)| *to += flow * weight),
                None => flows.for_each(|(to, flow)| *to += flow),
            }
        }
        if !self.log_flows.is_empty() {
            to.iter_mut().zip(&self.log_flows[range]).for_each(|(to, &flow)| *to += flow as f32);
        }
    }

    /// Moves the flows to the total.
    fn settle(&mut self) {
        self.total.resize(self.flows.len(), 0.0);
        self.total.iter_mut().zip(&self.flows).for_each(|(total, flow)| *total += flow);
        self.flows.fill(0.0);
    }
}

/// Gives each worker its share of the tiles, and the calling thread the first one's.
pub(super) fn share(job: &Job, workers: &mut [Worker], logs: &mut [f64]) {
    let n_tiles = logs.len().div_ceil(TILE);
    let n_threads = workers.len().min(n_tiles);
    std::thread::scope(|scope| {
        let (mut logs, mut first_row) = (logs, 0);
        for (thread, worker) in workers.iter_mut().enumerate().take(n_threads) {
            let end = ((thread + 1) * n_tiles / n_threads * TILE).min(first_row + logs.len());
            let (own, rest) = logs.split_at_mut(end - first_row);
            let mut run = move || worker.run(job, thread, first_row, own);
            (logs, first_row) = (rest, end);
            match thread + 1 == n_threads {
                true => run(),
                false => drop(scope.spawn(run)),
            }
        }
    });
}

/// Every unit's value for all rows.
pub(super) fn values(job: &Job, worker: &mut Worker) -> Values {
    let n_rows = job.batch.n_rows();
    let mut values = Values::of(job.graph, n_rows);
    let mut marked = Vec::new();
    let _denormals = pcc_kernels::denormals_off();
    let mut memory = job.engine.memory[0].lock().expect("no worker panicked");
    for first in (0..n_rows).step_by(TILE) {
        let rows = first..n_rows.min(first + TILE);
        let marks = up(job, &mut memory, &rows) | copy_values(job, &memory, &rows, &mut values);
        marked.extend(rows.clone().filter(|row| marks >> (row - first) & 1 == 1));
    }
    worker.n_marked += marked.len();
    worker.each_log_pass(job, &marked, |_, space, rows, _| space.copy_values(rows, &mut values));
    values
}

/// Packs rows and runs the upward steps. Returns the marks, those of rows alone.
fn up(job: &Job, memory: &mut Memory, rows: &Range<usize>) -> u64 {
    let mut refused = 0_u64;
    for sample in 0..TILE {
        // What is left of the last tile repeats its first row.
        let row = if sample < rows.len() { rows.start + sample } else { rows.start };
        let is_whole = memory.tile.set(sample, job.batch.row(row));
        refused |= u64::from(!is_whole) << sample;
    }
    (refused | run_up(job, memory)) & samples(rows.len())
}

/// Bit s: the logarithm is finite and under a limit.
fn too_far(logs: &[f64], limit: f64) -> u64 {
    let is_far = |log: f64| u64::from(log > f64::NEG_INFINITY && log < limit);
    logs.iter().enumerate().fold(0, |bits, (s, &log)| bits | is_far(log) << s)
}

fn run_up(job: &Job, memory: &mut Memory) -> u64 {
    let Memory { arena, tile } = memory;
    job.engine.program.up(job.params, job.derived, &job.engine.guards, tile, arena)
}

/// The first `n` bits.
fn samples(n: usize) -> u64 {
    if n >= TILE { u64::MAX } else { (1 << n) - 1 }
}

/// Copies all values of a tile. Returns marks of samples in which a value is too far below its group's
/// largest to be exact, as densities in a normal's tails are.
fn copy_values(job: &Job, memory: &Memory, rows: &Range<usize>, values: &mut Values) -> u64 {
    let plan = job.engine.program.plan();
    let mut marks = 0;
    for (layer, block) in plan.layers.iter().enumerate() {
        let id = LayerId::new(layer);
        for unit in 0..job.graph.n_units(id) {
            let logs = block.map_or([0.0; TILE], |block| memory.arena.logs(plan, block, unit as u32));
            marks |= block.map_or(0, |block| memory.arena.faint(plan, block, unit as u32));
            if job.engine.farthest_log.is_finite() && job.graph.layer(id).kind.var().is_some() {
                marks |= too_far(&logs, FARTHEST_LOG);
            }
            rows.clone().zip(logs).for_each(|(row, log)| values.set(id, unit, row, log));
        }
    }
    marks
}

impl Worker {
    /// Runs the tiles of the rows from `first_row` on, as many as there are logarithms to be written.
    fn run(&mut self, job: &Job, thread: usize, first_row: usize, logs: &mut [f64]) {
        let _denormals = pcc_kernels::denormals_off();
        let mut memory = job.engine.memory[thread].lock().expect("no worker panicked");
        if job.engine.mode == Mode::Flows {
            self.flows.resize(job.engine.program.plan().stats_len() as usize, 0.0);
        }
        let mut marked = Vec::new();
        for (tile, logs) in logs.chunks_mut(TILE).enumerate() {
            let first = first_row + tile * TILE;
            let rows = first..first + logs.len();
            let mut marks = up(job, &mut memory, &rows);
            let plan = job.engine.program.plan();
            logs.copy_from_slice(&memory.arena.logs(plan, plan.root, 0)[..logs.len()]);
            marks |= too_far(logs, job.engine.farthest_log);
            if job.engine.mode == Mode::Flows {
                self.down(job, &mut memory, &rows, marks, logs);
                if tile % TILES_OF_A_SUM == TILES_OF_A_SUM - 1 {
                    self.settle();
                }
            }
            marked.extend(rows.clone().filter(|row| marks >> (row - first) & 1 == 1));
        }
        drop(memory);
        self.run_marked(job, first_row, &marked, logs);
    }

    /// Runs the downward steps for the rows that are not marked and not impossible.
    fn down(&mut self, job: &Job, memory: &mut Memory, rows: &Range<usize>, marks: u64, logs: &[f64]) {
        let good = samples(rows.len()) & !marks;
        if good == 0 {
            return;
        }
        if marks != 0 {
            // Numbers of marked samples need not be finite, and even zero times those would spread. A good
            // sample takes their place, with no weight.
            let first_good = good.trailing_zeros() as usize;
            (0..TILE).filter(|s| good >> s & 1 == 0).for_each(|s| memory.tile.copy(first_good, s));
            run_up(job, memory);
        }
        let mut weights = [0.0; TILE];
        for (s, row) in rows.clone().enumerate() {
            if good >> s & 1 == 1 && logs[s] > f64::NEG_INFINITY {
                weights[s] = job.weights.map_or(1.0, |w| w[row]);
            }
        }
        let Memory { arena, tile } = memory;
        let program = &job.engine.program;
        program.down(job.params, job.derived, &job.engine.guards, tile, arena, &mut self.flows, &weights);
    }

    /// Computes marked rows in log space.
    fn run_marked(&mut self, job: &Job, first_row: usize, marked: &[usize], logs: &mut [f64]) {
        self.n_marked += marked.len();
        let is_for_flows = job.engine.mode == Mode::Flows;
        if is_for_flows && !marked.is_empty() {
            self.log_flows.resize(job.engine.program.plan().stats_len() as usize, 0.0);
        }
        self.each_log_pass(job, marked, |log_flows, space, rows, row_logs| {
            rows.rows.iter().zip(row_logs).for_each(|(row, log)| logs[row - first_row] = log);
            if is_for_flows {
                let weight = |&row: &usize| job.weights.map_or(1.0, |w| f64::from(w[row]));
                let weights: Vec<f64> = rows.rows.iter().map(weight).collect();
                space.down(rows, &weights, log_flows);
            }
        });
    }

    /// Runs upward passes in log space over rows, and calls `visit` after each.
    fn each_log_pass(
        &mut self,
        job: &Job,
        rows: &[usize],
        mut visit: impl FnMut(&mut Vec<f64>, &mut LogSpace, Rows, Vec<f64>),
    ) {
        for rows in rows.chunks(self.log_space.width) {
            let rows = Rows { graph: job.graph, params: job.params, batch: job.batch, rows };
            let logs = self.log_space.up(rows);
            visit(&mut self.log_flows, &mut self.log_space, rows, logs);
        }
    }
}
