//! Training what is left of a circuit while other parts of it stay as they are.
//!
//! What stays is computed once for each row, and is soft evidence of the rest in all epochs after that
//! ([`pcc_opt::cut_settled`]). The parameters become those that training the whole circuit gives, up to rounding:
//! rows, their order and their weights are the same. The table of soft evidence takes four bytes for each row and
//! unit that is given; a stage whose table would take more than it may trains the whole circuit instead, which is
//! for the caller to do.
//!
//! Edge visits count the pass over the whole circuit that makes the table, in the first epoch, and in every epoch
//! the units that are given beside the edges of the rest. That a resumed stage makes its table again is not counted,
//! like all work that an interruption lost.
//!
//! In: the whole circuit's executor with its parameters, and a division of the circuit. Out: the same executor with
//! those of the rest moved.

use super::ahead::for_each_chunk_ahead;
use super::fit::{Ended, FitOptions, fit};
use super::impossible::{first_impossible, zero_likelihood};
use super::metrics::CountedVariables;
use super::observe::{Event, Observer};
use super::rows::{Rows, chunk_rows, weights_of};
use super::state::{Best, TrainState};
use crate::exec::{Executor, MakeExecutor, Values};
use pcc_diag::Diagnostic;
use pcc_ir::{Batch, Graph, LayerId, ParamId, Params, SoftTable, VarId};
use pcc_opt::Settled;
use std::sync::Arc;
use std::time::Instant;

/// Numbers that the values of a chunk of rows may take up.
const NUMBERS_OF_A_CHUNK: usize = 1 << 22;

/// A stage over the rest of a circuit.
pub struct SettledStage<'a> {
    /// The whole circuit.
    pub graph: &'a Graph,
    /// Where it is cut.
    pub settled: &'a Settled,
    /// The rows.
    pub train: &'a dyn Rows,
    /// The rows that are watched.
    pub valid: Option<&'a dyn Rows>,
    /// Settings; `held` is for the tables of the whole circuit.
    pub options: &'a FitOptions,
    /// How the rest is run.
    pub executors: MakeExecutor<'a>,
}

impl SettledStage<'_> {
    /// Bytes of the soft evidence of all rows.
    pub fn table_bytes(&self) -> u64 {
        let rows = self.train.n_rows() + self.valid.map_or(0, |valid| valid.n_rows());
        let Settled { cuts, .. } = self.settled;
        SoftTable::bytes(self.settled.n_units(self.graph), cuts.len() as u64, rows as u64)
    }

    /// Trains the rest, as [`fit`] trains the whole: states are those of the whole circuit. Nothing is done, and
    /// nothing returned, when some row's values can't be kept as soft evidence.
    ///
    /// # Errors
    /// As [`fit`].
    pub fn train(
        &self,
        executor: &mut dyn Executor,
        from: TrainState,
        observer: &mut dyn Observer,
        keep: &mut dyn FnMut(&TrainState) -> Result<(), Diagnostic>,
    ) -> Result<Option<Ended>, Diagnostic> {
        let begun = Instant::now();
        executor.update(&mut |params| params.clone_from(&from.params));
        let train = match self.weigh(executor, self.train, true, observer)? {
            Weighed::Done(rows) => rows,
            Weighed::Cancelled => return Ok(Some(Ended::Cancelled(from))),
            Weighed::Unfit => return Ok(None),
        };
        let valid = match self.valid.map(|valid| self.weigh(executor, valid, false, observer)).transpose()? {
            None => None,
            Some(Weighed::Done(rows)) => Some(rows),
            Some(Weighed::Cancelled) => return Ok(Some(Ended::Cancelled(from))),
            Some(Weighed::Unfit) => return Ok(None),
        };
        observer.event(Event::Settled {
            bytes: self.table_bytes(),
            visits: self.settled.visits(self.graph),
            of: self.graph.n_edges(),
            seconds: begun.elapsed().as_secs_f64(),
        });
        self.train_rest(executor, &train, valid.as_ref(), from, observer, keep).map(Some)
    }

    fn train_rest(
        &self,
        executor: &mut dyn Executor,
        train: &GivenRows,
        valid: Option<&GivenRows>,
        from: TrainState,
        observer: &mut dyn Observer,
        keep: &mut dyn FnMut(&TrainState) -> Result<(), Diagnostic>,
    ) -> Result<Ended, Diagnostic> {
        let begin = from.clone();
        let from = self.of_rest(from);
        let mut rest = (self.executors)(&self.settled.rest, &from.params)?;
        let held = self.settled.rest_tables.iter().map(|table| self.options.held[table.index()]).collect();
        let options = FitOptions { held, ..self.options.clone() };
        let valid = valid.map(|valid| valid as &dyn Rows);
        let mut keep = |state: &TrainState| keep(&self.of_whole(state.clone(), &begin));
        let ended = fit(rest.as_mut(), train, valid, &options, Some(from), observer, &mut keep)?;
        let mut params = begin.params.clone();
        self.carry(rest.params(), &mut params);
        executor.update(&mut |old| old.clone_from(&params));
        Ok(match ended {
            Ended::Done(state) => Ended::Done(self.of_whole(state, &begin)),
            Ended::Cancelled(state) => Ended::Cancelled(self.of_whole(state, &begin)),
        })
    }

    /// Computes the soft evidence of rows; a row of likelihood zero is a fault where all are to be learned from.
    fn weigh<'r>(
        &self,
        executor: &mut dyn Executor,
        rows: &'r dyn Rows,
        is_learned: bool,
        observer: &mut dyn Observer,
    ) -> Result<Weighed<'r>, Diagnostic> {
        let latents: Vec<VarId> = self.settled.cuts.iter().map(|cut| cut.latent).collect();
        let mut layers: Vec<LayerId> = self.settled.cuts.iter().map(|cut| cut.layer).collect();
        let mut table = SoftTable::new(&self.settled.rest, &latents);
        let counted = [self.graph, &self.settled.rest].map(CountedVariables::of);
        layers.push(self.graph.root());
        let most = (NUMBERS_OF_A_CHUNK / table.row_len()).clamp(64, chunk_rows(self.graph.variables().len()));
        let numbers: Vec<u32> = (0..rows.n_rows() as u32).collect();
        let chunks: Vec<&[u32]> = numbers.chunks(most).collect();
        let mut is_fit = true;
        let mut logs = Vec::with_capacity(table.row_len());
        let is_whole = for_each_chunk_ahead(self.graph.variables().len(), rows, &chunks, |i, batch| {
            let values = executor.values_of(&layers, batch);
            if is_learned {
                refuse_impossible(executor, rows, chunks[i], batch, &values)?;
            }
            for row in 0..batch.n_rows() {
                logs.clear();
                for &layer in &layers[..latents.len()] {
                    logs.extend((0..self.graph.n_units(layer)).map(|unit| values.get(layer, unit, row)));
                }
                let [whole, rest] = [0, 1].map(|i| counted[i].known(batch.row(row)));
                is_fit &= table.push(&logs, (whole - rest) as u32).is_ok();
            }
            Ok::<bool, Diagnostic>(is_fit && !observer.is_cancelled())
        })?;
        Ok(match (is_fit, is_whole) {
            (false, _) => Weighed::Unfit,
            (true, false) => Weighed::Cancelled,
            (true, true) => {
                let n_variables = [self.graph, &self.settled.rest].map(|graph| graph.variables().len());
                Weighed::Done(GivenRows { rows, table: Arc::new(table), n_variables })
            }
        })
    }

    fn carry(&self, rest: &Params, whole: &mut Params) {
        for (own, table) in self.tables() {
            whole.table_mut(table).copy_from_slice(rest.table(own));
        }
    }

    /// The rest's part of parameters.
    fn part(&self, whole: &Params) -> Params {
        let mut params = Params::of(&self.settled.rest);
        for (own, table) in self.tables() {
            params.table_mut(own).copy_from_slice(whole.table(table));
        }
        params
    }

    /// The rest's tables, and where the whole circuit has them.
    fn tables(&self) -> impl Iterator<Item = (ParamId, ParamId)> {
        self.settled.rest_tables.iter().enumerate().map(|(own, &whole)| (ParamId::new(own), whole))
    }

    fn of_rest(&self, state: TrainState) -> TrainState {
        let part = |best: Best| Best { params: self.part(&best.params), ..best };
        let tables = self.tables().map(|(own, whole)| (whole, own));
        let momentum = state.momentum.map(|momentum| momentum.carried(&self.settled.rest, tables));
        TrainState { params: self.part(&state.params), best: state.best.map(part), momentum, ..state }
    }

    /// A state of the rest as one of the whole, which began at another.
    fn of_whole(&self, state: TrainState, begin: &TrainState) -> TrainState {
        let all = |rest: &Params| {
            let mut params = begin.params.clone();
            self.carry(rest, &mut params);
            params
        };
        let best = state.best.map(|best| Best { params: all(&best.params), ..best });
        let mut history = state.history;
        for record in &mut history[begin.history.len()..] {
            let of_table = if record.epoch == 1 { self.graph.n_edges() } else { 0 };
            record.edge_visits += (of_table + self.settled.n_units(self.graph)) * self.train.n_rows() as u64;
        }
        let momentum = state.momentum.as_ref().map(|momentum| momentum.carried(self.graph, self.tables()));
        TrainState { params: all(&state.params), best, history, momentum, updates: state.updates }
    }
}

/// How computing soft evidence ended.
enum Weighed<'r> {
    Done(GivenRows<'r>),
    Cancelled,
    /// Some value is no weight.
    Unfit,
}

/// The error for the first row that counts and that the whole circuit excludes.
fn refuse_impossible(
    executor: &mut dyn Executor,
    rows: &dyn Rows,
    numbers: &[u32],
    batch: &Batch,
    values: &Values,
) -> Result<(), Diagnostic> {
    let root = executor.graph().root();
    let logs: Vec<f64> = (0..batch.n_rows()).map(|row| values.get(root, 0, row)).collect();
    match first_impossible(&logs, weights_of(rows, numbers).as_deref()) {
        Some(row) => Err(zero_likelihood(executor, batch, row, rows.number(numbers[row]))),
        None => Ok(()),
    }
}

/// Rows of the rest of a circuit: those of the data, with soft evidence of what was cut off.
struct GivenRows<'r> {
    rows: &'r dyn Rows,
    table: Arc<SoftTable>,
    /// Variables of the data, which are those of the whole circuit, and of the rest.
    n_variables: [usize; 2],
}

impl Rows for GivenRows<'_> {
    fn n_rows(&self) -> usize {
        self.rows.n_rows()
    }

    fn batch(&self, rows: &[u32], into: &mut Batch) {
        let [of_data, all] = self.n_variables;
        let mut data = Batch::empty(of_data);
        self.rows.batch(rows, &mut data);
        if (into.n_variables(), into.n_rows()) != (all, rows.len()) {
            *into = Batch::missing(all, rows.len());
        }
        for row in 0..rows.len() {
            into.row_mut(row)[..of_data].copy_from_slice(data.row(row));
        }
        into.observe_softly(&self.table, rows);
    }

    fn number(&self, row: u32) -> u64 {
        self.rows.number(row)
    }

    fn weights(&self) -> Option<&[f32]> {
        self.rows.weights()
    }
}
