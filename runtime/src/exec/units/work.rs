//! Running strips: filling leaves, running the tape, and sending marked rows to wide numbers.
//!
//! In: a job (evidence and an engine) and workers. Out: one logarithm for each row, statistics in the workers,
//! derivatives by the weights of literals. A worker takes a contiguous share of the strips, so results never
//! depend on timing.

use super::engine::{Engine, Memory};
use super::leaf::Evidence;
use super::soft::LiteralWeights;
use super::wide::{Wide, WideRows};
use pcc_ir::Params;
use pcc_ir::units::NO_PLACE;
use pcc_kernels::units::{LANES, Row, UnitKernels};
use std::ops::Range;

/// What all workers read.
#[derive(Clone, Copy)]
pub(super) struct Job<'a> {
    pub(super) kernels: &'static UnitKernels,
    pub(super) engine: &'a Engine,
    pub(super) params: &'a Params,
    pub(super) evidence: Evidence<'a>,
    /// The weights of rows; only for flows.
    pub(super) weights: Option<&'a [f32]>,
    pub(super) way: Way,
}

/// What a job asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Values alone.
    Up,
    /// Values and statistics.
    Flows,
    /// Values, and derivatives by the weights of literals.
    Derivatives,
}

/// What one thread gathers.
#[derive(Default)]
pub(super) struct Worker {
    /// Statistics of all tables; empty when there were none.
    pub(super) stats: Vec<f64>,
    /// The rows that left the range.
    pub(super) marked: Vec<usize>,
    /// The first of its rows.
    first_row: usize,
    /// The logarithm's derivatives by all leaves, strip after strip.
    derivatives: Vec<Row>,
    /// Those of marked rows: leaf, row and derivative.
    wide_derivatives: Vec<(u32, usize, f64)>,
}

/// Gives each worker that the engine has memory for its share of the strips, and the calling thread the last
/// one's.
pub(super) fn share(job: &Job, workers: &mut [Worker], logs: &mut [f64]) {
    let n_strips = logs.len().div_ceil(LANES);
    let n_threads = workers.len().min(job.engine.memory.len()).min(n_strips);
    std::thread::scope(|scope| {
        let (mut logs, mut first_row) = (logs, 0);
        for (thread, worker) in workers.iter_mut().enumerate().take(n_threads) {
            let end = ((thread + 1) * n_strips / n_threads * LANES).min(first_row + logs.len());
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

impl Worker {
    /// Runs the strips of the rows from `first_row` on, as many as there are logarithms to be written.
    fn run(&mut self, job: &Job, thread: usize, first_row: usize, logs: &mut [f64]) {
        let mut memory = job.engine.memory[thread].lock().expect("no worker panicked");
        memory.make_room(job);
        self.marked.clear();
        self.first_row = first_row;
        for (strip, logs) in logs.chunks_mut(LANES).enumerate() {
            let first = first_row + strip * LANES;
            let rows = first..first + logs.len();
            let marks = self.run_strip(job, &mut memory, &rows, logs);
            self.marked.extend(rows.filter(|row| marks >> (row - first) & 1 == 1));
        }
        drop(memory);
        self.run_marked(job, first_row, logs);
    }

    /// Runs one strip, and gives the marks of its rows.
    fn run_strip(&mut self, job: &Job, memory: &mut Memory, rows: &Range<usize>, logs: &mut [f64]) -> u8 {
        let engine = job.engine;
        let n_leaves = engine.program.leaves.len();
        let _denormals = pcc_kernels::denormals_off();
        let marks = engine.leaves.fill(job.evidence, rows, &mut memory.rows[1..=n_leaves]);
        let marks = marks | engine.tape.up(job.kernels, engine.weights.as_deref(), &mut memory.rows);
        let marks = marks & samples(rows.len());
        let root = memory.rows[engine.program.root as usize];
        let shift = engine.root_offset as f64 * std::f64::consts::LN_2;
        logs.iter_mut().zip(root.0).for_each(|(log, value)| *log = value.ln() + shift);
        match job.way {
            Way::Up => marks,
            Way::Flows => {
                self.flows_of_strip(job, memory, rows, marks);
                marks
            }
            Way::Derivatives => marks | self.derivatives_of_strip(job, memory, rows, marks),
        }
    }

    fn flows_of_strip(&mut self, job: &Job, memory: &mut Memory, rows: &Range<usize>, marks: u8) {
        let engine = job.engine;
        let good = samples(rows.len()) & !marks;
        if good == 0 {
            return;
        }
        let n_leaves = engine.program.leaves.len();
        if marks != 0 {
            // Numbers of marked samples need not be finite, and zero times those would spread. A good sample
            // takes their place, with no weight.
            memory.rows[1..=n_leaves].iter_mut().for_each(|row| replace(row, good));
            engine.tape.up(job.kernels, engine.weights.as_deref(), &mut memory.rows);
        }
        let root = memory.rows[engine.program.root as usize];
        let mut start = Row::splat(0.0);
        for (s, row) in rows.clone().enumerate() {
            if good >> s & 1 == 1 && root.0[s] > 0.0 {
                start.0[s] = job.weights.map_or(1.0, |weights| f64::from(weights[row])) / root.0[s];
            }
        }
        memory.derivatives[engine.program.root as usize] = start;
        let stats = engine.links.as_ref().map(|links| (links, self.stats.as_mut_slice()));
        let Memory { rows: values, derivatives } = memory;
        engine.tape.down(job.kernels, engine.weights.as_deref(), values, derivatives, stats);
        let Evidence::Batch(batch) = job.evidence else { return };
        for leaf in (0..n_leaves).filter(|&leaf| engine.leaves.learns(leaf)) {
            for (s, row) in rows.clone().enumerate() {
                let (value, derivative) = (values[leaf + 1].0[s], derivatives[leaf + 1].0[s]);
                let flow = if value > 0.0 { value * derivative } else { 0.0 };
                engine.leaves.observe(leaf, batch, row, flow, &mut self.stats);
            }
        }
        derivatives[..=n_leaves].fill(Row::splat(0.0));
    }

    /// Derivatives by all leaves. Gives marks of samples in which one is beyond plain numbers: that by what a
    /// zero is multiplied with may be.
    fn derivatives_of_strip(&mut self, job: &Job, memory: &mut Memory, rows: &Range<usize>, marks: u8) -> u8 {
        let (engine, all) = (job.engine, &mut memory.rows);
        let (n_rows, root) = (engine.program.n_rows, engine.program.root as usize);
        let back = engine.back.as_ref().expect("it was made before the rows were run");
        all[n_rows + root] = Row(all[root].0.map(|value| if value > 0.0 { value.recip() } else { 0.0 }));
        back.run(job.kernels, all);
        let start = self.derivatives.len();
        self.derivatives.extend_from_slice(&all[n_rows + 1..=n_rows + engine.program.leaves.len()]);
        let of_leaves = &mut self.derivatives[start..];
        let beyond = of_leaves.iter().fold(0, |bits, row| bits | not_finite(row));
        let good = samples(rows.len()) & !(marks | beyond);
        if good != u8::MAX {
            of_leaves.iter_mut().for_each(|row| clear_others(row, good));
        }
        engine.leaves.unscale(of_leaves);
        beyond & samples(rows.len())
    }

    /// Computes marked rows with exponents of their own.
    fn run_marked(&mut self, job: &Job, first_row: usize, logs: &mut [f64]) {
        if self.marked.is_empty() {
            return;
        }
        let engine = job.engine;
        let mut wide = WideRows::of(&engine.tape);
        let weight = |term: usize| engine.weight(term, job.params);
        for &row in &self.marked {
            for leaf in 0..engine.program.leaves.len() {
                wide.values[leaf + 1] = engine.leaves.wide(leaf, job.evidence, row);
            }
            let root = wide.up(&engine.tape, engine.program.root, weight, |_, _| ());
            logs[row - first_row] = root.ln();
            if root.is_zero() || job.way == Way::Up {
                continue;
            }
            let scale = job.weights.map_or(1.0, |weights| f64::from(weights[row]));
            let stats = &mut self.stats;
            let derivatives = wide.down(
                &engine.tape,
                weight,
                (engine.program.root, Wide::of(scale).over(root)),
                |term, share| {
                    let place = engine.program.places[term].stat;
                    if place != NO_PLACE && job.way == Way::Flows {
                        stats[place as usize] += share.to_f64();
                    }
                },
            );
            let of_leaves: Vec<Wide> = derivatives[1..=engine.program.leaves.len()].to_vec();
            for (leaf, derivative) in of_leaves.into_iter().enumerate() {
                match job.evidence {
                    Evidence::Batch(batch) => {
                        let flow = derivative.times(wide.values[leaf + 1]).to_f64();
                        engine.leaves.observe(leaf, batch, row, flow, &mut self.stats);
                    }
                    Evidence::Weights(_) => {
                        self.wide_derivatives.push((leaf as u32, row, derivative.to_f64()));
                    }
                }
            }
        }
    }

    /// Adds the derivatives by leaves to those by weights, and forgets them.
    pub(super) fn add_derivatives(&mut self, engine: &Engine, into: &mut LiteralWeights) {
        let mut first = self.first_row;
        for of_leaves in self.derivatives.chunks(engine.program.leaves.len().max(1)) {
            let rows = first..into.n_rows().min(first + LANES);
            for (leaf, own) in of_leaves.iter().enumerate() {
                engine.leaves.add_derivatives(leaf, rows.clone(), &own.0, into);
            }
            first += LANES;
        }
        for &(leaf, row, derivative) in &self.wide_derivatives {
            engine.leaves.add_derivatives(leaf as usize, row..row + 1, &[derivative], into);
        }
        self.derivatives.clear();
        self.wide_derivatives.clear();
    }
}

impl Memory {
    fn make_room(&mut self, job: &Job) {
        let n_rows = job.engine.program.n_rows;
        if self.rows.is_empty() {
            self.rows.resize(n_rows, Row::splat(1.0));
        }
        if job.way == Way::Derivatives {
            self.rows.resize(2 * n_rows, Row::splat(0.0));
        }
        if job.way == Way::Flows && self.derivatives.is_empty() {
            self.derivatives.resize(n_rows, Row::splat(0.0));
        }
    }
}

/// Bits of samples that are infinite or not a number.
fn not_finite(row: &Row) -> u8 {
    row.0.iter().enumerate().fold(0, |bits, (s, value)| bits | u8::from(!value.is_finite()) << s)
}

/// Zero for all samples but the good ones.
fn clear_others(row: &mut Row, good: u8) {
    row.0.iter_mut().enumerate().filter(|(s, _)| good >> s & 1 == 0).for_each(|(_, other)| *other = 0.0);
}

/// Puts the first good sample in the place of those that are not.
fn replace(row: &mut Row, good: u8) {
    let value = row.0[good.trailing_zeros() as usize];
    row.0.iter_mut().enumerate().filter(|(s, _)| good >> s & 1 == 0).for_each(|(_, other)| *other = value);
}

/// The first `n` bits.
fn samples(n: usize) -> u8 {
    if n >= LANES { u8::MAX } else { (1 << n) - 1 }
}
