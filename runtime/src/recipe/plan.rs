//! From a recipe to planned steps: what each depends on, its key, whether it is done, what it will cost.

use super::attach::{Attachments, StageLabels};
use super::estimate::{Cost, Sizes};
use super::key::{
    Input, PARAMETERS, Parts, circuit_parts, data_keys, key_of, stage_settings, step_parts, weight_keys,
};
use super::needs::refusals;
use super::report::check_output;
use super::stage::visits;
use super::step_folder::StepFolder;
use super::{Setting, json, page};
use pcc_diag::{Diagnostic, Span};
use pcc_ir::Graph;
use pcc_ir::recipe::{Evaluate, Optimizer, Output, Stage, Step, TrainOn};
use serde_json::Value;

/// The steps of a recipe, in an order in which they can be carried out.
#[derive(Clone, Debug)]
pub struct RecipePlan {
    /// The steps; each depends only on earlier ones.
    pub steps: Vec<PlannedStep>,
}

/// One step.
#[derive(Clone, Debug)]
pub struct PlannedStep {
    /// Its name, for people.
    pub name: String,
    /// What it does.
    pub kind: StepKind,
    /// The key of its result, in hexadecimal digits.
    pub key: String,
    /// The steps whose results it uses, by position.
    pub depends: Vec<usize>,
    /// How long it will take, about; nothing when it is done.
    pub seconds: f64,
    /// How much memory it will need beside the data, about.
    pub bytes: u64,
    /// Whether its result is kept from an earlier run.
    pub is_done: bool,
    /// The epoch after which an interrupted stage goes on.
    pub resumes_after: Option<u32>,
    /// What an epoch of a stage visits for each row, of how many edges, where it does without part of the circuit.
    pub visits: Option<Visits>,
    /// The stage before it that will change the circuit, if one will: what it takes is then that of the circuit
    /// as it is now.
    pub changed_by: Option<String>,
    /// Whether it runs again although it was done.
    pub(super) is_again: bool,
    /// What it costs from its beginning on.
    pub(super) cost: Cost,
    /// What its key covers.
    pub(super) parts: Parts,
    /// Where its result is kept.
    pub(super) folder: StepFolder,
}

/// Edges that an epoch visits for each row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visits {
    /// Those of its problems.
    pub parts: u64,
    /// Those of the whole circuit.
    pub whole: u64,
}

/// A training stage with the labels of its rows.
#[derive(Clone, Debug)]
pub struct Training {
    /// What was asked for.
    pub stage: Stage,
    /// Labels of the rows it is trained on.
    pub(super) labels: StageLabels,
    /// Labels of the rows that are watched.
    pub(super) valid_labels: StageLabels,
}

/// What a step does.
#[derive(Clone, Debug)]
pub enum StepKind {
    /// Trains.
    Train(Box<Training>),
    /// Measures.
    Evaluate(Evaluate),
    /// Writes results.
    Report(Vec<Output>),
}

impl RecipePlan {
    /// Plans a recipe. Data sets are read, because keys cover their contents; nothing is written.
    ///
    /// # Errors
    /// `not-built-yet` for a step that this version can't carry out, `unknown-format` and `not-a-picture`
    /// for what a report can't write, and faults of the data.
    pub fn new(setting: &mut Setting) -> Result<Self, Diagnostic> {
        let recipe = setting.recipe;
        recipe.steps.iter().try_for_each(refuse_later_steps)?;
        if let Some(refusal) = refusals(recipe, setting.graph).into_iter().next() {
            return Err(refusal);
        }
        let mut planner = Planner {
            sizes: Sizes::of(setting.graph, setting.machine.threads),
            circuit: circuit_parts(setting),
            params_step: None,
            attachments: Attachments::default(),
            graph: None,
            changed_by: None,
            steps: Vec::new(),
        };
        for step in &recipe.steps {
            match step {
                Step::Stage(stage) => planner.stage(stage, setting)?,
                Step::Evaluate(evaluate) => planner.evaluate(evaluate, setting)?,
                Step::Report(outputs, span) => {
                    let check = |output| {
                        check_output(output, setting.graph).map_err(|fault| fault.at(*span, "asked for here"))
                    };
                    outputs.iter().try_for_each(check)?;
                    planner.report(outputs, setting)?;
                }
                Step::Materialize(step) => planner.attachments.materialize(step, setting)?,
                Step::Marginalize(latent, _) => planner.attachments.marginalize(latent),
            }
        }
        Ok(RecipePlan { steps: planner.steps })
    }

    /// Lets a stage and all steps after it run again, even where they are done. Returns whether there is such
    /// a stage.
    pub fn run_again_from(&mut self, stage: &str) -> bool {
        let is_it = |step: &PlannedStep| matches!(&step.kind, StepKind::Train(t) if t.stage.name == stage);
        let Some(first) = self.steps.iter().position(is_it) else { return false };
        for step in &mut self.steps[first..] {
            step.is_done = false;
            step.is_again = true;
            step.resumes_after = None;
            (step.seconds, step.bytes) = (step.cost.seconds, step.cost.bytes);
        }
        true
    }
}

struct Planner {
    sizes: Sizes,
    /// What all keys cover.
    circuit: Parts,
    /// The step that makes the parameters at this point of the recipe.
    params_step: Option<usize>,
    /// The labels of latents at this point.
    attachments: Attachments,
    /// The circuit at this point, where finished stages changed it.
    graph: Option<Graph>,
    /// The first stage that will change it.
    changed_by: Option<String>,
    steps: Vec<PlannedStep>,
}

impl Planner {
    fn stage(&mut self, stage: &Stage, setting: &mut Setting) -> Result<(), Diagnostic> {
        let (labels, n_rows) = self.trained_on(stage, setting)?;
        let mut keys = named_labels(stage, stage.fit.data.name(), &labels);
        if let TrainOn::Data(name) = &stage.fit.data {
            keys.extend(data_keys(setting, &[name])?);
        }
        let (mut valid_labels, mut valid_rows) = (StageLabels::default(), 0);
        if let Some(until) = &stage.until {
            valid_rows = setting.data.get(&until.data)?.n_rows();
            valid_labels = self.given(stage, (&until.data, valid_rows), setting)?;
            keys.extend(data_keys(setting, &[&until.data])?);
            keys.extend(named_labels(stage, &until.data, &valid_labels));
        }
        let weights = [&stage.fit.weights, stage.until.as_ref().map_or(&None, |until| &until.weights)];
        let weights: Vec<&str> = weights.into_iter().flatten().map(String::as_str).collect();
        keys.extend(weight_keys(setting, &weights)?);
        let cost = self.sizes.stage(stage, n_rows, valid_rows);
        let training = Training { stage: stage.clone(), labels, valid_labels };
        let visits = match (&self.changed_by, &self.graph) {
            (Some(_), _) => None,
            (None, Some(graph)) => visits(&training, &mut setting.with_graph(graph))?,
            (None, None) => visits(&training, setting)?,
        };
        let kind = StepKind::Train(Box::new(training));
        self.push(format!("stage {}", stage.name), kind, stage_settings(stage), keys, cost, setting);
        let last = self.steps.len() - 1;
        self.steps[last].seconds *= share_left(stage, self.steps[last].resumes_after);
        self.steps[last].seconds *= visits.map_or(1.0, |v| v.parts as f64 / v.whole as f64);
        self.steps[last].visits = visits;
        self.params_step = Some(last);
        if !stage.then.is_empty() {
            self.follow_changes(stage, last, setting);
        }
        Ok(())
    }

    /// Goes on with the circuit that a stage leaves, if it is there already.
    fn follow_changes(&mut self, stage: &Stage, step: usize, setting: &Setting) {
        let step = &self.steps[step];
        let changed = step.is_done.then(|| step.folder.read_changed(setting.graph).ok()).flatten();
        match changed {
            Some(changed) => {
                self.sizes = Sizes::of(&changed.graph, setting.machine.threads);
                self.graph = Some(changed.graph);
            }
            None => self.changed_by = self.changed_by.take().or(Some(stage.name.clone())),
        }
    }

    /// The labels of the rows that a stage is trained on, and how many rows there are.
    fn trained_on(&self, stage: &Stage, setting: &mut Setting) -> Result<(StageLabels, usize), Diagnostic> {
        match &stage.fit.data {
            TrainOn::Data(name) => {
                let n_rows = setting.data.get(name)?.n_rows();
                Ok((self.given(stage, (name, n_rows), setting)?, n_rows))
            }
            TrainOn::Codes(codes) => {
                let labels = self.attachments.of_codes(setting.graph, codes, stage.fit.span)?;
                let n_rows = labels.attached[0].n_rows();
                Ok((labels, n_rows))
            }
        }
    }

    fn given(
        &self,
        stage: &Stage,
        data: (&str, usize),
        setting: &Setting,
    ) -> Result<StageLabels, Diagnostic> {
        self.attachments.of_data(setting.graph, &stage.fit.given, data, stage.fit.span)
    }

    fn evaluate(&mut self, evaluate: &Evaluate, setting: &mut Setting) -> Result<(), Diagnostic> {
        let cost = self.sizes.forward(setting.data.get(&evaluate.data)?.n_rows());
        let settings = serde_json::json!({ "evaluate": evaluate.data, "metrics": evaluate.metrics });
        let keys = data_keys(setting, &[&evaluate.data])?;
        let kind = StepKind::Evaluate(evaluate.clone());
        self.push(format!("evaluate {}", evaluate.data), kind, settings, keys, cost, setting);
        Ok(())
    }

    fn report(&mut self, outputs: &[Output], setting: &mut Setting) -> Result<(), Diagnostic> {
        let step_key =
            |(i, step): (usize, &PlannedStep)| (format!("step {}, {}", i + 1, step.name), step.key.clone());
        let mut keys: Vec<Input> = self.steps.iter().enumerate().map(step_key).collect();
        let mut rows = 0;
        for output in outputs {
            match output {
                Output::Json(_) => {}
                Output::Page(_) => {
                    rows += page::ROWS;
                    keys.extend(self.attachments.keys());
                }
                Output::Samples { count, .. } => rows += *count as usize,
                Output::Inpaint { data, count, .. } => {
                    rows += *count as usize;
                    keys.extend(data_keys(setting, &[data])?);
                }
            }
        }
        let settings = serde_json::json!({ "report": outputs.iter().map(json::output).collect::<Vec<_>>() });
        let kind = StepKind::Report(outputs.to_vec());
        self.push("report".into(), kind, settings, keys, self.sizes.forward(rows), setting);
        let last = self.steps.len() - 1;
        self.steps[last].depends = (0..last).collect();
        let is_there = |output: &Output| setting.folder.join(json::file_of(output)).exists();
        self.steps[last].is_done &= outputs.iter().all(is_there);
        Ok(())
    }

    fn push(
        &mut self,
        name: String,
        kind: StepKind,
        settings: Value,
        mut inputs: Vec<Input>,
        cost: Cost,
        setting: &Setting,
    ) {
        inputs.extend(self.params_step.map(|step| (PARAMETERS.to_string(), self.steps[step].key.clone())));
        let parts = step_parts(&self.circuit, settings, inputs);
        let key = key_of(&parts);
        let folder = StepFolder::of(setting.folder, &name, &key);
        let is_done = folder.is_done();
        self.steps.push(PlannedStep {
            name,
            kind,
            depends: self.params_step.into_iter().collect(),
            seconds: if is_done { 0.0 } else { cost.seconds },
            bytes: if is_done { 0 } else { cost.bytes },
            is_done,
            resumes_after: if is_done { None } else { folder.saved_epoch() },
            visits: None,
            changed_by: self.changed_by.clone(),
            is_again: false,
            cost,
            parts,
            key,
            folder,
        });
    }
}

/// The keys of the labels of a data set, by the latents that a stage is given.
fn named_labels(stage: &Stage, data: &str, labels: &StageLabels) -> Vec<Input> {
    let names = stage.fit.given.iter().map(|latent| format!("labels of {latent} on {data}"));
    let alone = std::iter::once(format!("labels {data}"));
    let names: Vec<String> = if stage.fit.given.is_empty() { alone.collect() } else { names.collect() };
    names.into_iter().zip(labels.keys.iter().cloned()).collect()
}

/// How much of a stage's epochs is still to be done.
fn share_left(stage: &Stage, resumes_after: Option<u32>) -> f64 {
    match (&stage.fit.optimizer, resumes_after) {
        (Optimizer::Em(options), Some(epoch)) => 1.0 - f64::from(epoch) / f64::from(options.epochs.max(1)),
        _ => 1.0,
    }
}

/// The parts of the language that are checked already and carried out later.
fn refuse_later_steps(step: &Step) -> Result<(), Diagnostic> {
    match step {
        Step::Materialize(_) | Step::Marginalize(..) => Ok(()),
        Step::Evaluate(_) | Step::Report(..) => Ok(()),
        Step::Stage(stage) => match &stage.fit.optimizer {
            Optimizer::Later(name) => Err(later(&format!("training by `{name}(..)`"), stage.fit.span)),
            _ => Ok(()),
        },
    }
}

pub(super) fn later(what: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "not-built-yet",
        format!("{what} is part of the language, but this version can't run it"),
    )
    .at(span, "this step")
    .help("`pcc check` works on the whole recipe; take this step out to run the others")
}
