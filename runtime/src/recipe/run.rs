//! Carrying out a plan, step by step.

use super::plan::{PlannedStep, RecipePlan, StepKind, Training};
use super::report::{write_output, write_summary};
use super::stage::{self, Trained};
use super::step_folder::make_folder;
use super::{Setting, json};
use crate::change::Changed;
use crate::exec::Executor;
use crate::train::{Event, Measured, Observer, measure};
use pcc_diag::Diagnostic;
use pcc_ir::recipe::{Evaluate, Output};
use pcc_ir::{Graph, Params};
use std::sync::Arc;

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ended {
    /// All steps are done.
    Done {
        /// The circuit after the last stage.
        graph: Box<Graph>,
        /// Its parameters.
        params: Params,
        /// What was measured, in the order of the recipe.
        evaluations: Vec<Evaluation>,
    },
    /// The observer cancelled; what was reached is kept.
    Cancelled {
        /// The step that was not finished.
        step: String,
    },
}

/// Metrics on one data set.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// The data set.
    pub data: String,
    /// What the recipe asked for.
    pub metrics: Vec<pcc_ir::recipe::Metric>,
    /// Everything that was measured.
    pub measured: Measured,
}

/// Carries out the steps that are not done.
///
/// # Errors
/// Whatever the steps report; finished ones stay finished.
pub fn run(
    plan: &RecipePlan,
    setting: &mut Setting,
    observer: &mut dyn Observer,
) -> Result<Ended, Diagnostic> {
    make_folder(setting.folder)?;
    let params = Params::of(setting.graph);
    let graph = Arc::new(setting.graph.clone());
    let mut progress = Progress { graph, params, executor: None, evaluations: Vec::new() };
    for (position, step) in plan.steps.iter().enumerate() {
        let PlannedStep { name, is_done, resumes_after, .. } = step;
        if observer.is_cancelled() {
            return Ok(Ended::Cancelled { step: name.clone() });
        }
        if step.is_again {
            step.folder.discard()?;
        }
        observer.event(Event::Step { name, is_done: *is_done, resumes_after: *resumes_after });
        let graph = progress.graph.clone();
        let setting = &mut setting.with_graph(&graph);
        let is_whole = match &step.kind {
            StepKind::Train(training) => progress.train(step, training, setting, observer)?,
            StepKind::Evaluate(evaluate) => progress.evaluate(step, evaluate, setting, observer)?,
            StepKind::Report(outputs) => progress.report(&plan.steps[..=position], outputs, setting)?,
        };
        if !is_whole {
            return Ok(Ended::Cancelled { step: name.clone() });
        }
    }
    let Progress { graph, params, evaluations, .. } = progress;
    write_summary(&plan.steps, &setting.with_graph(&graph))?;
    Ok(Ended::Done { graph: Box::new(Arc::unwrap_or_clone(graph)), params, evaluations })
}

/// What a run has reached. The executor is made when a step first needs one.
struct Progress {
    /// The circuit at this point, which stages may have changed.
    graph: Arc<Graph>,
    params: Params,
    executor: Option<Box<dyn Executor>>,
    evaluations: Vec<Evaluation>,
}

impl Progress {
    /// The executor with the current parameters.
    fn executor(&mut self, setting: &Setting) -> Result<&mut dyn Executor, Diagnostic> {
        match &mut self.executor {
            Some(executor) => {
                if executor.params() != &self.params {
                    executor.update(&mut |params| params.clone_from(&self.params));
                }
            }
            None => self.executor = Some((setting.executors)(setting.graph, &self.params)?),
        }
        Ok(self.executor.as_deref_mut().expect("it was made above"))
    }

    fn train(
        &mut self,
        step: &PlannedStep,
        training: &Training,
        setting: &mut Setting,
        observer: &mut dyn Observer,
    ) -> Result<bool, Diagnostic> {
        if step.is_done {
            match training.stage.then.is_empty() {
                true => self.params = step.folder.read_weights(setting.graph)?,
                false => self.become_changed(step.folder.read_changed(setting.graph)?),
            }
            return Ok(true);
        }
        let executor = self.executor(setting)?;
        match stage::train(step, training, setting, executor, observer)? {
            Trained::Cancelled => return Ok(false),
            Trained::Whole => self.params = executor.params().clone(),
            Trained::Changed(changed) => self.become_changed(*changed),
        }
        Ok(true)
    }

    /// Goes on with another circuit, which needs another executor.
    fn become_changed(&mut self, changed: Changed) {
        self.graph = Arc::new(changed.graph);
        self.params = changed.params;
        self.executor = None;
    }

    fn evaluate(
        &mut self,
        step: &PlannedStep,
        evaluate: &Evaluate,
        setting: &mut Setting,
        observer: &mut dyn Observer,
    ) -> Result<bool, Diagnostic> {
        let kept = step.folder.read("result.json").filter(|_| step.is_done);
        let measured = match kept.and_then(|text| serde_json::from_str(&text).ok()) {
            Some(measured) => measured,
            None => {
                let rows = setting.data.get(&evaluate.data)?;
                let measured = measure(self.executor(setting)?, &*rows)?;
                step.folder.open(&step.parts)?;
                let text = serde_json::to_string(&measured).expect("sums are numbers");
                step.folder.write("result.json", &format!("{text}\n"))?;
                step.folder.finish()?;
                measured
            }
        };
        observer.event(Event::Evaluated { data: &evaluate.data, measured: &measured });
        let Evaluate { data, metrics, .. } = evaluate.clone();
        self.evaluations.push(Evaluation { data, metrics, measured });
        Ok(true)
    }

    /// Writes the outputs of the last of these steps.
    fn report(
        &mut self,
        steps: &[PlannedStep],
        outputs: &[Output],
        setting: &mut Setting,
    ) -> Result<bool, Diagnostic> {
        let Some((step, before)) = steps.split_last() else { return Ok(true) };
        if step.is_done {
            return Ok(true);
        }
        for output in outputs {
            let path = setting.folder.join(json::file_of(output));
            path.parent().map_or(Ok(()), make_folder)?;
            let executor = self.executor(setting)?;
            write_output(output, &path, before, setting, executor)?;
        }
        step.folder.open(&step.parts)?;
        step.folder.finish()?;
        Ok(true)
    }
}
