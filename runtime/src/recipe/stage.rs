//! Carrying out one training stage: with what is kept of it, and keeping what it reaches.

use super::json::epoch_metrics;
use super::plan::{PlannedStep, later};
use super::{Setting, key};
use crate::exec::Executor;
use crate::train::{
    Ended, FitOptions, MleOptions, Observer, Rows, StopRule, TrainState, WeightedRows, fit, mle,
    tables_of_parts,
};
use pcc_diag::Diagnostic;
use pcc_ir::recipe::{EmOptions, Optimizer, Per, Stage};
use serde_json::json;
use std::time::{Duration, Instant};

/// A state is kept when so much time has passed since the last one; epochs may be much shorter.
const KEEP_EVERY: Duration = Duration::from_secs(10);

/// Trains the executor's parameters; `false` when it was cancelled, with the state kept.
pub(super) fn train(
    step: &PlannedStep,
    stage: &Stage,
    setting: &mut Setting,
    executor: &mut dyn Executor,
    observer: &mut dyn Observer,
) -> Result<bool, Diagnostic> {
    step.folder.open(&key::stage_settings(stage))?;
    let held = tables_of_parts(setting.graph, &stage.fit.holding, stage.fit.span)?;
    let is_whole = match &stage.fit.optimizer {
        Optimizer::Later(name) => return Err(later(&format!("training by `{name}(..)`"), stage.fit.span)),
        Optimizer::Em(em) => train_by_em(step, stage, em, held, setting, executor, observer)?,
        Optimizer::Mle { pseudocount, per } => {
            train_in_closed_form(stage, (*pseudocount, *per), held, setting, executor, observer)?
        }
    };
    if is_whole {
        step.folder.write_weights(setting.graph, executor.params())?;
        step.folder.finish()?;
    }
    Ok(is_whole)
}

fn train_by_em(
    step: &PlannedStep,
    stage: &Stage,
    em: &EmOptions,
    held: Vec<bool>,
    setting: &mut Setting,
    executor: &mut dyn Executor,
    observer: &mut dyn Observer,
) -> Result<bool, Diagnostic> {
    let rows = rows_of(stage.fit.data.name(), stage.fit.weights.as_deref(), setting)?;
    let until = stage.until.as_ref();
    let valid = until.map(|until| rows_of(&until.data, until.weights.as_deref(), setting)).transpose()?;
    let stop = stage.until.as_ref().map(|until| StopRule {
        metric: until.metric,
        patience: until.patience,
        min_delta: until.min_delta,
    });
    let threads = setting.machine.threads;
    let options = FitOptions { em: em.clone(), stop, seed: setting.recipe.seed, held, threads };
    let mut kept = Instant::now();
    let mut keep = |state: &TrainState| match kept.elapsed() > KEEP_EVERY {
        true => {
            kept = Instant::now();
            step.folder.write_state(state)
        }
        false => Ok(()),
    };
    let valid = valid.as_ref().map(|valid| valid as &dyn Rows);
    let from = step.folder.read_state(setting.graph);
    match fit(executor, &rows, valid, &options, from, observer, &mut keep)? {
        Ended::Cancelled(state) => step.folder.write_state(&state).map(|()| false),
        Ended::Done(state) => step.folder.write("metrics.jsonl", &history(&state)).map(|()| true),
    }
}

fn train_in_closed_form(
    stage: &Stage,
    (pseudocount, per): (f64, Per),
    held: Vec<bool>,
    setting: &mut Setting,
    executor: &mut dyn Executor,
    observer: &mut dyn Observer,
) -> Result<bool, Diagnostic> {
    let rows = rows_of(stage.fit.data.name(), stage.fit.weights.as_deref(), setting)?;
    let threads = setting.machine.threads;
    mle(executor, &rows, &MleOptions { pseudocount, per, held, threads, span: stage.fit.span }, observer)
}

/// The rows of a data set with their weights, if they have any.
fn rows_of(data: &str, weights: Option<&str>, setting: &mut Setting) -> Result<WeightedRows, Diagnostic> {
    let weights = weights.map(|name| setting.data.weights(name)).transpose()?;
    Ok(WeightedRows::new(setting.data.get(data)?, weights))
}

/// A line of JSON for each epoch.
fn history(state: &TrainState) -> String {
    let best = state.best.as_ref().map(|best| best.epoch);
    let line = |record: &crate::train::EpochRecord| {
        let line = json!({
            "epoch": record.epoch,
            "step_size": record.step,
            "is_best": best == Some(record.epoch),
            "metrics": epoch_metrics(&record.train, record.valid.as_ref()),
        });
        format!("{line}\n")
    };
    state.history.iter().map(line).collect()
}
