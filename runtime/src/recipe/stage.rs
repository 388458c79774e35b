//! Carrying out one training stage: with what is kept of it, and keeping what it reaches.

use super::Setting;
use super::json::epoch_metrics;
use super::needs::groups;
use super::plan::{PlannedStep, Training, Visits, later};
use super::restructure::restructure;
use super::spent::{Clock, visits_of};
use crate::change::Changed;
use crate::exec::Executor;
use crate::train::{
    Attached, DividedStage, Ended, Event, FitOptions, LabelledRows, MleOptions, Observer, Regularized, Rows,
    SettledStage, StopRule, TrainState, Unsettled, WeightedRows, fit, mle, refuse_unset, start,
    tables_of_parts, tables_of_unobserved,
};
use pcc_diag::Diagnostic;
use pcc_ir::recipe::{EmOptions, Fit, Optimizer, Per, Plateau, TrainOn};
use pcc_ir::{Graph, VarId};
use pcc_opt::{Division, cut_settled, divide};
use serde_json::json;
use std::time::{Duration, Instant};

/// A state is kept when so much time has passed since the last one; epochs may be much shorter.
const KEEP_EVERY: Duration = Duration::from_secs(10);

/// What is computed once for all rows of a stage may take so many bytes: 4 GiB.
const MOST_BYTES: u64 = 4 << 30;

/// How a stage ended.
pub(super) enum Trained {
    /// It was cancelled, with the state kept.
    Cancelled,
    /// The executor has its parameters.
    Whole,
    /// The circuit is another one now.
    Changed(Box<Changed>),
}

/// Trains the executor's parameters, and changes the circuit as the stage says.
pub(super) fn train(
    step: &PlannedStep,
    training: &Training,
    setting: &mut Setting,
    executor: &mut dyn Executor,
    observer: &mut dyn Observer,
) -> Result<Trained, Diagnostic> {
    let stage = &training.stage;
    step.folder.open(&step.parts)?;
    let held = held_tables(training, setting)?;
    let is_whole = match &stage.fit.optimizer {
        Optimizer::Later(name) => return Err(later(&format!("training by `{name}(..)`"), stage.fit.span)),
        Optimizer::Em(em) => train_by_em(step, training, em, held, setting, executor, observer)?,
        Optimizer::Mle { pseudocount, per } => {
            train_in_closed_form(step, training, (*pseudocount, *per), held, setting, executor, observer)?
        }
    };
    if !is_whole {
        return Ok(Trained::Cancelled);
    }
    if stage.then.is_empty() {
        step.folder.write_weights(setting.graph, executor.params())?;
        step.folder.finish()?;
        return Ok(Trained::Whole);
    }
    let Some((changed, records)) = restructure(training, setting, executor, observer)? else {
        return Ok(Trained::Cancelled);
    };
    step.folder.write_changes(&records)?;
    step.folder.write_weights(&changed.graph, &changed.params)?;
    step.folder.finish()?;
    Ok(Trained::Changed(Box::new(changed)))
}

/// Tables that a stage leaves alone: those it is told to hold, those outside the part that it trains, and
/// those over whose variables nothing is observed.
pub(super) fn held_tables(training: &Training, setting: &mut Setting) -> Result<Vec<bool>, Diagnostic> {
    let fit = &training.stage.fit;
    let mut held = tables_of_parts(setting.graph, &fit.holding, fit.span)?;
    if let Some(part) = &fit.part {
        let own = tables_of_parts(setting.graph, std::slice::from_ref(part), fit.span)?;
        held.iter_mut().zip(own).for_each(|(held, is_own)| *held |= !is_own);
    }
    let data = match &fit.data {
        TrainOn::Data(name) => Some(setting.data.get(name)?),
        TrainOn::Codes(_) => None,
    };
    let is_observed = |variable: VarId| {
        training.labels.attached.iter().any(|attached| attached.covers(variable))
            || data.as_ref().is_some_and(|data| data.columns().iter().any(|c| c.variable == variable))
    };
    let silent = tables_of_unobserved(setting.graph, is_observed);
    held.iter_mut().zip(silent).for_each(|(held, is_silent)| *held |= is_silent);
    Ok(held)
}

fn train_by_em(
    step: &PlannedStep,
    training: &Training,
    em: &EmOptions,
    held: Vec<bool>,
    setting: &mut Setting,
    executor: &mut dyn Executor,
    observer: &mut dyn Observer,
) -> Result<bool, Diagnostic> {
    let stage = &training.stage;
    let rows = rows_of(training, setting)?;
    let valid = stage.until.as_ref().map(|until| valid_rows(until, training, setting)).transpose()?;
    let stop = stage.until.as_ref().map(|until| StopRule {
        metric: until.metric,
        patience: until.patience,
        min_delta: until.min_delta,
    });
    let threads = setting.machine.threads;
    let options = FitOptions { em: em.clone(), stop, seed: setting.recipe.seed, held, threads };
    let from = step.folder.read_state(setting.graph);
    let clock = Clock::start(&step.folder, from.as_ref().map(TrainState::epoch));
    let mut kept = Instant::now();
    let mut keep = |state: &TrainState| match kept.elapsed() > KEEP_EVERY {
        true => {
            kept = Instant::now();
            clock.keep()?;
            step.folder.write_state(state)
        }
        false => Ok(()),
    };
    let observer = &mut clock.watch(observer);
    let valid = valid.as_ref().map(|valid| valid as &dyn Rows);
    if em.is_regularized() {
        let regularized = Regularized::new(executor, em, &rows, setting.executors)?;
        let mut executor = regularized.ok_or_else(|| nothing_to_soften(training))?;
        let (state, is_whole) = match fit(&mut executor, &rows, valid, &options, from, observer, &mut keep)? {
            Ended::Cancelled(state) => (state, false),
            Ended::Done(state) => (state, true),
        };
        return write_progress(step, &clock, &state, is_whole);
    }
    if let Some(division) = division(training, setting.graph) {
        let (graph, executors) = (setting.graph, setting.executors);
        let divided =
            DividedStage { graph, division: &division, train: &rows, valid, options: &options, executors };
        let (state, is_whole) = train_divided(&divided, from, executor, observer, &mut keep)?;
        return write_progress(step, &clock, &state, is_whole);
    }
    let ended = match cut_settled(setting.graph, &options.held) {
        None => fit(executor, &rows, valid, &options, from, observer, &mut keep)?,
        Some(settled) => {
            let (graph, settled, executors) = (setting.graph, &settled, setting.executors);
            let rest = SettledStage { graph, settled, train: &rows, valid, options: &options, executors };
            train_rest(&rest, from, executor, observer, &mut keep)?
        }
    };
    let (state, is_whole) = match ended {
        Ended::Cancelled(state) => (state, false),
        Ended::Done(state) => (state, true),
    };
    write_progress(step, &clock, &state, is_whole)
}

fn nothing_to_soften(training: &Training) -> Diagnostic {
    let message = "`soften` is for discrete variables, and the circuit has none but latents";
    Diagnostic::error("bad-option", message)
        .at(training.stage.fit.span, "in this stage")
        .help("leave `soften` out")
}

/// Keeps what a stage did, or from where it goes on; passes on whether it is whole.
fn write_progress(
    step: &PlannedStep,
    clock: &Clock,
    state: &TrainState,
    is_whole: bool,
) -> Result<bool, Diagnostic> {
    match is_whole {
        true => {
            clock.finish(visits_of(&state.history))?;
            step.folder.write("metrics.jsonl", &history(state))?;
        }
        false => {
            clock.keep()?;
            step.folder.write_state(state)?;
        }
    }
    Ok(is_whole)
}

/// Trains what a stage does not hold: alone, where what it holds can be computed once, else in the whole circuit.
fn train_rest(
    stage: &SettledStage,
    from: Option<TrainState>,
    executor: &mut dyn Executor,
    observer: &mut dyn Observer,
    keep: &mut dyn FnMut(&TrainState) -> Result<(), Diagnostic>,
) -> Result<Ended, Diagnostic> {
    let bytes = stage.table_bytes();
    let state = started(stage.graph, stage.train, stage.options, from, executor)?;
    let why = if bytes > MOST_BYTES {
        Unsettled::TooLarge(bytes)
    } else {
        match stage.train(executor, state.clone(), observer, keep)? {
            Some(ended) => return Ok(ended),
            None => Unsettled::Unfit,
        }
    };
    observer.event(Event::Unsettled(why));
    fit(executor, stage.train, stage.valid, stage.options, Some(state), observer, keep)
}

/// The state that a stage begins with, all parameters set.
fn started(
    graph: &Graph,
    train: &dyn Rows,
    options: &FitOptions,
    from: Option<TrainState>,
    executor: &mut dyn Executor,
) -> Result<TrainState, Diagnostic> {
    let state = from.unwrap_or_else(|| {
        let mut params = executor.params().clone();
        start(graph, train, options.em.start, options.seed, &mut params);
        TrainState::new(params)
    });
    refuse_unset(graph, &state.params)?;
    Ok(state)
}

/// What an epoch of a stage visits; none where that is the whole circuit.
pub(super) fn visits(training: &Training, setting: &mut Setting) -> Result<Option<Visits>, Diagnostic> {
    match &training.stage.fit.optimizer {
        Optimizer::Em(em) if !em.is_regularized() => {}
        _ => return Ok(None),
    }
    let held = held_tables(training, setting)?;
    let graph = setting.graph;
    let parts = match division(training, graph) {
        Some(division) => Some(division.visits(|table| !held[table.index()] && !graph.param(table).is_fixed)),
        None => cut_settled(graph, &held).map(|settled| settled.visits(graph)),
    };
    Ok(parts.map(|parts| Visits { parts, whole: graph.n_edges() }))
}

/// The problems that a stage falls apart into: those of a circuit whose labels are all there.
fn division(training: &Training, graph: &Graph) -> Option<Division> {
    let mut labels = training.labels.attached.iter().chain(&training.valid_labels.attached);
    let given = groups(graph, &training.stage.fit.given);
    if given.is_empty() || !labels.all(Attached::is_complete) {
        return None;
    }
    let latents: Vec<VarId> = given.iter().flat_map(|&group| graph.var_group(group).variables()).collect();
    Some(divide(graph, &latents)).filter(|division| !division.parts.is_empty())
}

/// The state of the stage, and whether it is whole.
fn train_divided(
    stage: &DividedStage,
    from: Option<TrainState>,
    executor: &mut dyn Executor,
    observer: &mut dyn Observer,
    keep: &mut dyn FnMut(&TrainState) -> Result<(), Diagnostic>,
) -> Result<(TrainState, bool), Diagnostic> {
    let mut state = started(stage.graph, stage.train, stage.options, from, executor)?;
    let is_whole = stage.train(&mut state, observer, keep)?.is_some();
    if is_whole {
        executor.update(&mut |params| params.clone_from(&state.params));
    }
    Ok((state, is_whole))
}

fn train_in_closed_form(
    step: &PlannedStep,
    training: &Training,
    (pseudocount, per): (f64, Per),
    held: Vec<bool>,
    setting: &mut Setting,
    executor: &mut dyn Executor,
    observer: &mut dyn Observer,
) -> Result<bool, Diagnostic> {
    let rows = rows_of(training, setting)?;
    let Fit { given, span, .. } = &training.stage.fit;
    let given = groups(setting.graph, given);
    let threads = setting.machine.threads;
    let options = MleOptions { pseudocount, per, given, held, threads, span: *span };
    let clock = Clock::start(&step.folder, None);
    let is_whole = mle(executor, &rows, &options, observer)?;
    if is_whole {
        clock.finish(setting.graph.n_edges() * rows.n_rows() as u64)?;
    }
    Ok(is_whole)
}

/// The rows that a stage is trained on, with their labels and weights.
pub(super) fn rows_of(training: &Training, setting: &mut Setting) -> Result<LabelledRows, Diagnostic> {
    let fit = &training.stage.fit;
    let n_variables = setting.graph.variables().len();
    match &fit.data {
        TrainOn::Data(name) => {
            let data = weighted_rows(name, fit.weights.as_deref(), setting)?;
            Ok(LabelledRows::new(data, n_variables, training.labels.attached.clone()))
        }
        TrainOn::Codes(_) => Ok(LabelledRows::alone(n_variables, training.labels.attached[0].clone())),
    }
}

/// The rows that a stage watches.
fn valid_rows(
    until: &Plateau,
    training: &Training,
    setting: &mut Setting,
) -> Result<LabelledRows, Diagnostic> {
    let data = weighted_rows(&until.data, until.weights.as_deref(), setting)?;
    let n_variables = setting.graph.variables().len();
    Ok(LabelledRows::new(data, n_variables, training.valid_labels.attached.clone()))
}

/// The rows of a data set with their weights, if they have any.
fn weighted_rows(
    data: &str,
    weights: Option<&str>,
    setting: &mut Setting,
) -> Result<WeightedRows, Diagnostic> {
    let weights = weights.map(|name| setting.data.weights(name)).transpose()?;
    Ok(WeightedRows::new(setting.data.get(data)?, weights))
}

/// A line of JSON for each epoch.
fn history(state: &TrainState) -> String {
    let best = state.best.as_ref().map(|best| best.epoch);
    let mut edge_visits = 0;
    let line = |record: &crate::train::EpochRecord| {
        edge_visits += record.edge_visits;
        let line = json!({
            "epoch": record.epoch,
            "step_size": record.step,
            "is_best": best == Some(record.epoch),
            "edge_visits": edge_visits,
            "metrics": epoch_metrics(&record.train, record.valid.as_ref()),
        });
        format!("{line}\n")
    };
    state.history.iter().map(line).collect()
}
