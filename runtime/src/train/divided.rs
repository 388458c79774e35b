//! Training the independent problems of a circuit that was cut at observed latents.
//!
//! Each problem is one copy of a part, on the rows whose label is its own: it runs its epochs by itself, and
//! stops by itself where a stage watches validation data. The rest of the circuit is one more problem, on all
//! rows. What an epoch reports is the sum over problems; one that stopped early goes on counting with its
//! last epoch. With full batches the parameters are those of training the whole circuit given the labels,
//! after every epoch.
//!
//! In: the whole circuit's parameters, all of them set. Out: the same with those of the problems moved.

use super::fit::{Ended, FitOptions, fit};
use super::observe::{EpochReport, Event, Observer};
use super::rows::{Rows, for_each_chunk};
use super::state::{EpochRecord, TrainState};
use crate::exec::{Executor, MakeExecutor};
use pcc_diag::{Diagnostic, grouped};
use pcc_ir::{Batch, Graph, MISSING, ParamId, Params};
use pcc_opt::{Division, Part};
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::time::Instant;

/// A stage over problems.
pub struct DividedStage<'a> {
    /// The whole circuit.
    pub graph: &'a Graph,
    /// Its problems.
    pub division: &'a Division,
    /// The rows, with labels for every latent at which it was cut, none missing.
    pub train: &'a dyn Rows,
    /// The rows that are watched, with labels too.
    pub valid: Option<&'a dyn Rows>,
    /// Settings; `held` is for the tables of the whole circuit.
    pub options: &'a FitOptions,
    /// How problems are run.
    pub executors: MakeExecutor<'a>,
}

/// What a divided stage did besides moving parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Divided {
    /// Problems that had rows to learn from.
    pub problems: usize,
    /// Copies without a row, which keep their start.
    pub empty: usize,
}

impl std::fmt::Display for Divided {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let word = |n: usize, one: &'static str, many| if n == 1 { one } else { many };
        let Divided { problems, empty } = *self;
        write!(
            f,
            "{} {} one by one",
            grouped(problems as u64),
            word(problems, "copy learned", "copies learned")
        )?;
        match empty {
            0 => Ok(()),
            n => write!(
                f,
                "; {} {} no rows and {} start",
                grouped(n as u64),
                word(n, "has", "have"),
                word(n, "keeps its", "keep their")
            ),
        }
    }
}

impl Divided {
    fn add(&mut self, has_rows: &[bool]) {
        let problems = has_rows.iter().filter(|&&has| has).count();
        self.problems += problems;
        self.empty += has_rows.len() - problems;
    }
}

impl DividedStage<'_> {
    /// Trains all problems that `state` has not done yet. `state` holds the parameters, and counts problems
    /// as updates and their epochs together as its history. It is handed to `keep` after each part.
    ///
    /// # Errors
    /// As [`fit`].
    pub fn train(
        &self,
        state: &mut TrainState,
        observer: &mut dyn Observer,
        keep: &mut dyn FnMut(&TrainState) -> Result<(), Diagnostic>,
    ) -> Result<Option<Divided>, Diagnostic> {
        let begun = Instant::now();
        let rows = self.train.n_rows();
        observer.event(Event::Stage { first_epoch: 1, epochs: self.options.em.epochs, rows });
        let mut done = Divided::default();
        let parts: Vec<&Part> = self.division.parts.iter().filter(|part| self.moves(&part.tables)).collect();
        let whole = 1 + parts.len();
        for part in &parts[..parts.len().min(state.updates as usize)] {
            done.add(&copies_with_rows(self.graph, part, self.train));
        }
        for (i, part) in parts.iter().enumerate().skip(state.updates as usize) {
            if !self.train_part(i, part, state, observer, &mut done)? {
                return Ok(None);
            }
            state.updates += 1;
            observer.event(Event::Batch { epoch: 1, rows_done: rows * (i + 1) / whole, rows });
            keep(state)?;
        }
        if self.moves(&self.division.rest_tables) && !self.train_rest(state, observer)? {
            return Ok(None);
        }
        observer.event(Event::Divided(done));
        self.report(begun.elapsed().as_secs_f64(), state, observer);
        Ok(Some(done))
    }

    /// Whether any of these tables is to be moved.
    fn moves(&self, tables: &[ParamId]) -> bool {
        tables.iter().any(|table| !self.options.held[table.index()] && !self.graph.param(*table).is_fixed)
    }

    fn train_part(
        &self,
        number: usize,
        part: &Part,
        state: &mut TrainState,
        observer: &mut dyn Observer,
        done: &mut Divided,
    ) -> Result<bool, Diagnostic> {
        let train = Labelled::gather(self.graph, part, self.train);
        let valid = self.valid.map(|valid| Labelled::gather(self.graph, part, valid));
        let mut executor: Option<Box<dyn Executor>> = None;
        // Until all copies are done nothing of them is kept, so that an interrupted part begins anew.
        let (mut history, mut moved) = (state.history.clone(), Vec::new());
        for copy in 0..part.n_copies as usize {
            let rows = train.of_copy(copy);
            if rows.n_rows() == 0 {
                done.empty += 1;
                continue;
            }
            let mut params = Params::of(&part.graph);
            copy_tables(part, copy, |own, whole| {
                params.table_mut(own).copy_from_slice(&state.params.table(whole.0)[whole.1]);
            });
            let executor = match &mut executor {
                Some(executor) => {
                    executor.update(&mut |old| old.clone_from(&params));
                    executor
                }
                None => executor.insert((self.executors)(&part.graph, &params)?),
            };
            let valid = valid.as_ref().map(|valid| valid.of_copy(copy)).filter(|valid| valid.n_rows() > 0);
            let options = self.options_of(&part.tables, (number, copy), valid.is_some());
            let valid = valid.as_ref().map(|valid| valid as &dyn Rows);
            match run(executor.as_mut(), &rows, valid, &options, observer)? {
                None => return Ok(false),
                Some(own) => add_history(&mut history, &own, self.options.em.epochs),
            }
            let found = executor.params();
            copy_tables(part, copy, |own, whole| moved.push((whole, found.table(own).to_vec())));
            done.problems += 1;
        }
        for ((table, range), values) in moved {
            state.params.table_mut(table)[range].copy_from_slice(&values);
        }
        state.history = history;
        Ok(true)
    }

    fn train_rest(&self, state: &mut TrainState, observer: &mut dyn Observer) -> Result<bool, Diagnostic> {
        let Division { rest, rest_tables, .. } = self.division;
        let mut params = Params::of(rest);
        for (own, &whole) in rest_tables.iter().enumerate() {
            params.table_mut(ParamId::new(own)).copy_from_slice(state.params.table(whole));
        }
        let mut executor = (self.executors)(rest, &params)?;
        let options = self.options_of(rest_tables, (usize::MAX, 0), self.valid.is_some());
        match run(executor.as_mut(), self.train, self.valid, &options, observer)? {
            None => return Ok(false),
            Some(history) => add_history(&mut state.history, &history, self.options.em.epochs),
        }
        let found = executor.params();
        for (own, &whole) in rest_tables.iter().enumerate() {
            state.params.table_mut(whole).copy_from_slice(found.table(ParamId::new(own)));
        }
        Ok(true)
    }

    /// The settings of one problem. Each has an order of rows of its own.
    fn options_of(&self, tables: &[ParamId], problem: (usize, usize), is_watched: bool) -> FitOptions {
        let key = blake3::hash(format!("{} {problem:?}", self.options.seed).as_bytes());
        let seed = u64::from_le_bytes(key.as_bytes()[..8].try_into().expect("a hash has eight bytes"));
        let held = tables.iter().map(|table| self.options.held[table.index()]).collect();
        let stop = self.options.stop.filter(|_| is_watched);
        FitOptions { em: self.options.em.clone(), stop, seed, held, threads: self.options.threads }
    }

    /// Tells of the epochs of all problems together. None of them had a time of its own.
    fn report(&self, seconds: f64, state: &mut TrainState, observer: &mut dyn Observer) {
        let rows = self.train.n_rows() as f64;
        let seconds = seconds / state.history.len().max(1) as f64;
        for record in &mut state.history {
            record.train.weight = rows;
            if let (Some(valid), Some(data)) = (&mut record.valid, self.valid) {
                valid.weight = data.n_rows() as f64;
            }
            observer.event(Event::Epoch(&EpochReport {
                epoch: record.epoch,
                seconds,
                train: record.train,
                valid: record.valid,
                updates: state.updates,
                step: record.step,
            }));
        }
    }
}

/// Runs a problem to its end; nothing when it was cancelled.
fn run(
    executor: &mut dyn Executor,
    train: &dyn Rows,
    valid: Option<&dyn Rows>,
    options: &FitOptions,
    observer: &mut dyn Observer,
) -> Result<Option<Vec<EpochRecord>>, Diagnostic> {
    let mut quiet = Quiet(observer);
    match fit(executor, train, valid, options, None, &mut quiet, &mut |_| Ok(()))? {
        Ended::Done(state) => Ok(Some(state.history)),
        Ended::Cancelled(_) => Ok(None),
    }
}

/// Passes on that someone wants to stop, and says nothing.
struct Quiet<'a>(&'a mut dyn Observer);

impl Observer for Quiet<'_> {
    fn event(&mut self, _: Event<'_>) {}

    fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }
}

/// Adds the epochs of a problem to those of the problems before it.
fn add_history(all: &mut Vec<EpochRecord>, own: &[EpochRecord], epochs: u32) {
    let Some(last) = own.last() else { return };
    for i in 0..epochs as usize {
        // A problem that has stopped still counts in what is measured, but visits nothing.
        let edge_visits = own.get(i).map_or(0, |record| record.edge_visits);
        let record = own.get(i).unwrap_or(last);
        match all.get_mut(i) {
            Some(sum) => {
                sum.edge_visits += edge_visits;
                sum.train = sum.train.with(&record.train);
                sum.valid = match (sum.valid, record.valid) {
                    (Some(a), Some(b)) => Some(a.with(&b)),
                    (a, b) => a.or(b),
                };
            }
            None => all.push(EpochRecord { epoch: i as u32 + 1, edge_visits, ..record.clone() }),
        }
    }
}

/// Calls `visit` with each table of a part and where the whole circuit keeps this copy of it.
fn copy_tables(part: &Part, copy: usize, mut visit: impl FnMut(ParamId, (ParamId, Range<usize>))) {
    for (own, &whole) in part.tables.iter().enumerate() {
        let own = ParamId::new(own);
        let len = part.graph.param(own).len();
        visit(own, (whole, copy * len..(copy + 1) * len));
    }
}

/// Which copies of a part have a row to learn from.
fn copies_with_rows(graph: &Graph, part: &Part, data: &dyn Rows) -> Vec<bool> {
    let mut has_rows = vec![false; part.n_copies as usize];
    for_each_chunk(graph.variables().len(), data, |chunk, batch| {
        for i in 0..chunk.len() {
            part.places.iter().for_each(|place| has_rows[batch.row(i)[place.latent.index()] as usize] = true);
        }
        true
    });
    has_rows
}

/// The rows of a part, those of all its places, by the copy that they belong to.
struct Labelled {
    rows: Batch,
    /// The row of the data that each comes from.
    numbers: Vec<u32>,
    weights: Option<Vec<f32>>,
    /// For each copy, its rows.
    of_copies: Vec<Vec<u32>>,
}

impl Labelled {
    fn gather(graph: &Graph, part: &Part, data: &dyn Rows) -> Labelled {
        let n_variables = part.graph.variables().len();
        let mut rows = Batch::empty(n_variables);
        let mut numbers = Vec::new();
        let mut of_copies = vec![Vec::new(); part.n_copies as usize];
        let mut words = vec![MISSING; n_variables];
        for_each_chunk(graph.variables().len(), data, |chunk, batch| {
            for (i, &number) in chunk.iter().enumerate() {
                let from = batch.row(i);
                for place in &part.places {
                    let copy = from[place.latent.index()];
                    words.iter_mut().zip(&place.variables).for_each(|(word, var)| *word = from[var.index()]);
                    of_copies[copy as usize].push(numbers.len() as u32);
                    rows.push(&words);
                    numbers.push(number);
                }
            }
            true
        });
        let weights = data.weights().map(|all| numbers.iter().map(|&row| all[row as usize]).collect());
        Labelled { rows, numbers, weights, of_copies }
    }

    fn of_copy(&self, copy: usize) -> CopyRows<'_> {
        let own = &self.of_copies[copy];
        let weights = self.weights.as_ref().map(|all| own.iter().map(|&row| all[row as usize]).collect());
        CopyRows { all: self, own, weights }
    }
}

/// The rows of one copy.
struct CopyRows<'l> {
    all: &'l Labelled,
    own: &'l [u32],
    weights: Option<Vec<f32>>,
}

impl Rows for CopyRows<'_> {
    fn n_rows(&self) -> usize {
        self.own.len()
    }

    fn batch(&self, rows: &[u32], into: &mut Batch) {
        let n_variables = self.all.rows.n_variables();
        if (into.n_variables(), into.n_rows()) != (n_variables, rows.len()) {
            *into = Batch::missing(n_variables, rows.len());
        }
        for (i, &row) in rows.iter().enumerate() {
            into.row_mut(i).copy_from_slice(self.all.rows.row(self.own[row as usize] as usize));
        }
    }

    fn weights(&self) -> Option<&[f32]> {
        self.weights.as_deref()
    }

    fn number(&self, row: u32) -> u64 {
        u64::from(self.all.numbers[self.own[row as usize] as usize]) + 1
    }
}
