//! Training by EM: epochs of batches of flows, each followed by an M-step.
//!
//! Rows are shuffled anew in every epoch, by a stream keyed by the seed and the epoch; batches of an epoch
//! differ in size by at most one row, so that no update rests on a small remainder. Between two epochs the
//! whole stage is a [`TrainState`]: it can be kept, and training goes on from it with the same bits.
//! Full-batch EM does not shuffle, as the order means nothing to it.

use super::ahead::for_each_chunk_ahead;
use super::em::Update;
use super::impossible::{first_impossible, zero_likelihood};
use super::keyed::{Purpose, Stream};
use super::metrics::{CountedVariables, Measured, empty_data, measure};
use super::momentum::Momentum;
use super::observe::{EpochReport, Event, Observer};
use super::rows::{Rows, chunk_rows, weights_of};
use super::start::start;
use super::state::{EpochRecord, TrainState};
use super::unset::refuse_unset;
use crate::exec::Executor;
use pcc_diag::Diagnostic;
use pcc_ir::Batch;
use pcc_ir::recipe::{BatchSize, EmOptions, Metric, Rule};
use std::time::Instant;

/// Settings of a stage.
#[derive(Clone, Debug)]
pub struct FitOptions {
    /// EM's own.
    pub em: EmOptions,
    /// When to stop early.
    pub stop: Option<StopRule>,
    /// The seed of starts and shuffles.
    pub seed: u64,
    /// For each table, whether it stays as it is beside those that are fixed.
    pub held: Vec<bool>,
    /// How many threads the M-step uses. The result does not depend on it.
    pub threads: usize,
}

/// When a stage stops early. Whatever ends it, its parameters are then the best that were met.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StopRule {
    /// What is watched on the validation data.
    pub metric: Metric,
    /// Epochs without improvement that end the stage.
    pub patience: u32,
    /// What counts as an improvement.
    pub min_delta: f64,
}

/// How training ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ended {
    /// The stage is over. The executor has the state's parameters, or the best of it under a [`StopRule`].
    Done(TrainState),
    /// The observer cancelled. The state is that of the last whole epoch.
    Cancelled(TrainState),
}

/// Trains a circuit. `from` resumes a stage; `keep` is handed the state after every epoch.
///
/// # Errors
/// `empty-data` without rows, `zero-likelihood` for a training row that the circuit excludes,
/// `unset-parameter` for a fixed table without values, `missing-validation` when a [`StopRule`] has no data
/// to watch, and whatever `keep` reports.
pub fn fit(
    executor: &mut dyn Executor,
    train: &dyn Rows,
    valid: Option<&dyn Rows>,
    options: &FitOptions,
    from: Option<TrainState>,
    observer: &mut dyn Observer,
    keep: &mut dyn FnMut(&TrainState) -> Result<(), Diagnostic>,
) -> Result<Ended, Diagnostic> {
    check(train, valid, options)?;
    let mut state = begin(executor, train, options, from)?;
    let decay = options.em.rule.momentum();
    let kept = state.momentum.clone();
    let momentum = decay.map(|decay| kept.unwrap_or_else(|| Momentum::new(executor.graph(), decay)));
    let mut stage = Training {
        counted: CountedVariables::of(executor.graph()),
        n_variables: executor.graph().variables().len(),
        executor,
        train,
        options,
        observer,
        rows: 0.0,
        momentum,
    };
    let (first_epoch, epochs) = (state.epoch() + 1, options.em.epochs);
    stage.observer.event(Event::Stage { first_epoch, epochs, rows: train.n_rows() });
    while state.epoch() < epochs && !options.stop.is_some_and(|stop| state.has_plateaued(stop.patience)) {
        if !stage.epoch(valid, &mut state)? {
            return Ok(Ended::Cancelled(state));
        }
        keep(&state)?;
    }
    stage.restore_best(&state);
    Ok(Ended::Done(state))
}

fn check(train: &dyn Rows, valid: Option<&dyn Rows>, options: &FitOptions) -> Result<(), Diagnostic> {
    if train.n_rows() == 0 {
        return Err(empty_data("there is nothing to learn from"));
    }
    if options.stop.is_some() && valid.is_none_or(|v| v.n_rows() == 0) {
        let message = "early stopping watches validation data, and there is none";
        return Err(Diagnostic::error("missing-validation", message)
            .help("name a data set with rows in `until plateau(..)`, or leave `until` out"));
    }
    Ok(())
}

/// The state to go on from, and the executor with its parameters.
fn begin(
    executor: &mut dyn Executor,
    train: &dyn Rows,
    options: &FitOptions,
    from: Option<TrainState>,
) -> Result<TrainState, Diagnostic> {
    let state = from.unwrap_or_else(|| {
        let mut params = executor.params().clone();
        start(executor.graph(), train, options.em.start, options.seed, &mut params);
        TrainState::new(params)
    });
    refuse_unset(executor.graph(), &state.params)?;
    executor.update(&mut |params| params.clone_from(&state.params));
    Ok(state)
}

/// How many batches an epoch has (epochs counted from zero); they are as equal as whole rows allow.
pub fn n_batches(batch: BatchSize, epoch: u32, rows: usize) -> usize {
    let size = match batch {
        BatchSize::Full => rows,
        BatchSize::Rows(n) => n as usize,
        BatchSize::Growing(first, last) => u64::from(last).min(u64::from(first) << epoch.min(32)) as usize,
    };
    rows.div_ceil(size.max(1))
}

/// Rows of an epoch that are evaluated together.
struct Chunk<'r> {
    rows: &'r [u32],
    /// How many rows of the epoch are done after them.
    end: usize,
    /// Whether an update follows.
    ends_batch: bool,
}

/// Cuts the rows of an epoch into batches as equal as whole rows allow, and these into chunks of at most so
/// many rows.
fn chunks(rows: &[u32], batches: usize, most: usize) -> Vec<Chunk<'_>> {
    let mut chunks = Vec::new();
    for batch in 0..batches {
        let [from, to] = [batch, batch + 1].map(|b| b * rows.len() / batches);
        let mut end = from;
        for rows in rows[from..to].chunks(most) {
            end += rows.len();
            chunks.push(Chunk { rows, end, ends_batch: end == to });
        }
    }
    chunks
}

/// What one epoch works with.
struct Training<'a> {
    counted: CountedVariables,
    n_variables: usize,
    executor: &'a mut dyn Executor,
    train: &'a dyn Rows,
    options: &'a FitOptions,
    observer: &'a mut dyn Observer,
    /// The rows of the batch so far, by weight.
    rows: f64,
    /// Moving averages, where the rule has them.
    momentum: Option<Momentum>,
}

impl Training<'_> {
    /// Runs the next epoch; `false` when it was cancelled, and the state is as before.
    fn epoch(&mut self, valid: Option<&dyn Rows>, state: &mut TrainState) -> Result<bool, Diagnostic> {
        let begun = Instant::now();
        let epoch = state.epoch();
        let rows = self.order(epoch);
        let batches = n_batches(self.options.em.batch, epoch, rows.len());
        let chunks = chunks(&rows, batches, chunk_rows(self.n_variables));
        let words: Vec<&[u32]> = chunks.iter().map(|chunk| chunk.rows).collect();
        let mut train = Measured::default();
        self.rows = 0.0;
        let mut step = 0.0;
        let mut updates = state.updates;
        let is_whole = for_each_chunk_ahead(self.n_variables, self.train, &words, |i, batch| {
            let chunk = &chunks[i];
            if self.observer.is_cancelled() {
                return Ok(false);
            }
            self.gather(chunk, batch, &mut train)?;
            let event = Event::Batch { epoch: epoch + 1, rows_done: chunk.end, rows: rows.len() };
            self.observer.event(event);
            if chunk.ends_batch {
                step = self.options.em.step.at(self.position(updates));
                self.move_parameters(step);
                updates += 1;
            }
            Ok::<bool, Diagnostic>(true)
        })?;
        if !is_whole {
            self.executor.forget();
            return Ok(false);
        }
        let valid = valid.map(|valid| measure(self.executor, valid)).transpose()?;
        let edge_visits = self.executor.graph().n_edges() * rows.len() as u64;
        let record = EpochRecord { epoch: epoch + 1, train, valid, step, edge_visits };
        self.finish_epoch(state, record, batches, begun);
        Ok(true)
    }

    fn order(&self, epoch: u32) -> Vec<u32> {
        let mut rows: Vec<u32> = (0..self.train.n_rows() as u32).collect();
        if self.options.em.batch != BatchSize::Full {
            Stream::new(self.options.seed, Purpose::Order, &[u64::from(epoch)]).shuffle(&mut rows);
        }
        rows
    }

    /// Gathers the statistics of a chunk of rows.
    fn gather(&mut self, chunk: &Chunk, batch: &Batch, measured: &mut Measured) -> Result<(), Diagnostic> {
        let weights = weights_of(self.train, chunk.rows);
        let logs = self.executor.gather(batch, weights.as_deref());
        measured.add(&self.counted, chunk.rows, batch, weights.as_deref(), &logs);
        self.rows += match &weights {
            Some(weights) => weights.iter().map(|&weight| f64::from(weight)).sum(),
            None => chunk.rows.len() as f64,
        };
        match first_impossible(&logs, weights.as_deref()) {
            Some(row) => {
                let number = self.train.number(chunk.rows[row]);
                Err(zero_likelihood(self.executor, batch, row, number))
            }
            None => Ok(()),
        }
    }

    /// Where an update lies between the first (0) and the last (1) of the stage.
    fn position(&self, update: u64) -> f64 {
        let em = &self.options.em;
        let batches = |epoch| n_batches(em.batch, epoch, self.train.n_rows()) as u64;
        let all: u64 = (0..em.epochs).map(batches).sum();
        update as f64 / all.saturating_sub(1).max(1) as f64
    }

    fn move_parameters(&mut self, step: f64) {
        let FitOptions { em, held, threads, .. } = self.options;
        let rows = std::mem::take(&mut self.rows);
        // A batch without weight says nothing of the size of batches either.
        let mut momentum = self.momentum.as_mut().filter(|_| rows > 0.0);
        let rows = momentum.as_mut().map_or(rows, |momentum| momentum.count(rows));
        let rows = matches!(em.rule, Rule::Anemone { .. }).then_some(rows);
        let update = Update { step, pseudocount: em.pseudocount, per: em.per, rows, held, threads: *threads };
        self.executor.maximize(&update, momentum);
    }

    fn finish_epoch(&mut self, state: &mut TrainState, record: EpochRecord, batches: usize, begun: Instant) {
        state.params.clone_from(self.executor.params());
        state.momentum.clone_from(&self.momentum);
        state.updates += batches as u64;
        state.history.push(record.clone());
        if let (Some(stop), Some(valid)) = (self.options.stop, &record.valid) {
            state.note(stop.metric, valid.get(stop.metric), stop.min_delta);
        }
        self.observer.event(Event::Epoch(&EpochReport {
            epoch: record.epoch,
            seconds: begun.elapsed().as_secs_f64(),
            train: record.train,
            valid: record.valid,
            updates: state.updates,
            step: record.step,
        }));
    }

    fn restore_best(&mut self, state: &TrainState) {
        if let (Some(_), Some(best)) = (self.options.stop, &state.best) {
            self.executor.update(&mut |params| params.clone_from(&best.params));
            self.observer.event(Event::Restored { epoch: best.epoch, value: best.value });
        }
    }
}
