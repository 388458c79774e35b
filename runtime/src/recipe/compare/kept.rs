//! A finished run, as the summary in its folder tells it.

use super::super::json::metric_name;
use super::super::report::SUMMARY;
use super::Measure;
use pcc_diag::Diagnostic;
use pcc_ir::recipe::Metric;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

/// A finished run.
#[derive(Clone, Debug)]
pub struct KeptRun {
    /// What it is called: its recipe, unless who compares names it.
    pub label: String,
    /// Where it lies.
    pub folder: PathBuf,
    summary: Summary,
}

/// What is read of a summary.
#[derive(Clone, Debug, Deserialize)]
struct Summary {
    recipe: String,
    seed: u64,
    parameters: u64,
    steps: Vec<Step>,
}

#[derive(Clone, Debug, Deserialize)]
struct Step {
    step: String,
    kind: String,
    settings: Option<Value>,
    #[serde(default)]
    is_of_rows: bool,
    #[serde(default)]
    epochs: Vec<Epoch>,
    seconds: Option<f64>,
    processor_seconds: Option<f64>,
    edge_visits: Option<u64>,
    #[serde(default)]
    epoch_seconds: Option<Vec<f64>>,
    #[serde(default)]
    epoch_processor_seconds: Option<Vec<Option<f64>>>,
    metrics: Option<Map<String, Value>>,
}

#[derive(Clone, Debug, Deserialize)]
struct Epoch {
    epoch: u64,
    edge_visits: u64,
    metrics: Map<String, Value>,
}

/// What was spent until some moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Cost {
    /// Seconds on the wall.
    pub seconds: f64,
    /// CPU seconds, where they are known.
    pub processor: Option<f64>,
    /// Edges visited.
    pub visits: f64,
}

/// The metric after an epoch, and what the run had spent by then.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Moment {
    /// The stage.
    pub stage: String,
    /// The epoch, from 1.
    pub epoch: u64,
    /// What was spent, in this stage and those before it.
    pub cost: Cost,
    /// The metric: on the data that the stage watches, else on what it is trained on.
    pub value: f64,
}

impl KeptRun {
    /// Reads the run of a folder.
    ///
    /// # Errors
    /// `not-a-run` for a folder without the summary of a finished run.
    pub fn read(folder: &Path, label: Option<&str>) -> Result<Self, Diagnostic> {
        let not_a_run = |why: String| {
            let message = format!("`{}` is not the folder of a finished run: {why}", folder.display());
            Diagnostic::error("not-a-run", message)
                .help("give the `--out` folder of a `pcc run` that came to its end")
        };
        let path = folder.join(SUMMARY);
        let text = std::fs::read_to_string(path).map_err(|e| not_a_run(format!("`{SUMMARY}`: {e}")))?;
        let summary: Summary =
            serde_json::from_str(&text).map_err(|e| not_a_run(format!("`{SUMMARY}`: {e}")))?;
        let label = label.unwrap_or(&summary.recipe).to_string();
        Ok(KeptRun { label, folder: folder.to_path_buf(), summary })
    }

    /// Parameters of the circuit.
    pub fn parameters(&self) -> u64 {
        self.summary.parameters
    }

    /// The seed of the recipe.
    pub fn seed(&self) -> u64 {
        self.summary.seed
    }

    /// Seconds of all stages.
    pub fn seconds(&self) -> f64 {
        self.summary.steps.iter().filter_map(|step| step.seconds).sum()
    }

    /// CPU seconds of all stages, where all are known.
    pub fn processor(&self) -> Option<f64> {
        self.stages().map(|stage| stage.processor_seconds).sum()
    }

    /// Edges that all stages visited.
    pub fn visits(&self) -> f64 {
        self.summary.steps.iter().filter_map(|step| step.edge_visits).sum::<u64>() as f64
    }

    /// What the last `evaluate` step on some data found.
    pub fn value(&self, by: &Measure) -> Option<f64> {
        let step = self.evaluations().filter(|(data, _)| *data == by.data).last()?.1;
        step.metrics.as_ref()?.get(metric_name(by.metric))?.as_f64()
    }

    /// The data sets that were measured.
    pub fn measured_data(&self) -> Vec<&str> {
        self.evaluations().map(|(data, _)| data).collect()
    }

    /// What the recipe measures last, by its first metric.
    pub fn last_measure(&self) -> Option<Measure> {
        let (data, step) = self.evaluations().last()?;
        let metrics = step.settings.as_ref()?.get("metrics")?.get(0)?.clone();
        let metric: Metric = serde_json::from_value(metrics).ok()?;
        Some(Measure { data: data.into(), metric })
    }

    /// The metric after each epoch of the stages that are trained on rows as they are, without labels: what
    /// others report is no likelihood of the data.
    pub(super) fn moments(&self, metric: Metric) -> Vec<Moment> {
        let mut before = Cost { processor: Some(0.0), ..Cost::default() };
        let mut moments = Vec::new();
        for stage in self.stages() {
            if stage.is_of_rows {
                moments.extend(stage.moments(metric, before));
            }
            before.seconds += stage.seconds.unwrap_or(0.0);
            before.processor = before.processor.zip(stage.processor_seconds).map(|(a, b)| a + b);
            before.visits += stage.edge_visits.unwrap_or(0) as f64;
        }
        moments
    }

    fn stages(&self) -> impl Iterator<Item = &Step> {
        self.summary.steps.iter().filter(|step| step.kind == "stage")
    }

    fn evaluations(&self) -> impl Iterator<Item = (&str, &Step)> {
        let name = |step: &'_ Step| step.settings.as_ref().and_then(|s| s.get("evaluate")).is_some();
        self.summary.steps.iter().filter(move |step| name(step)).filter_map(|step| {
            let data = step.settings.as_ref()?.get("evaluate")?.as_str()?;
            Some((data, step))
        })
    }
}

impl Step {
    fn moments(&self, metric: Metric, before: Cost) -> Vec<Moment> {
        let moment = |(i, epoch): (usize, &Epoch)| {
            let value = |of: &str| epoch.metrics.get(&format!("{of}_{}", metric_name(metric)))?.as_f64();
            let at = |seconds: &Option<Vec<f64>>| seconds.as_ref().and_then(|all| all.get(i).copied());
            let processor = self.epoch_processor_seconds.as_ref().and_then(|all| *all.get(i)?);
            let cost = Cost {
                seconds: before.seconds + at(&self.epoch_seconds).unwrap_or(0.0),
                processor: before.processor.zip(processor).map(|(a, b)| a + b),
                visits: before.visits + epoch.edge_visits as f64,
            };
            let stage = self.step.strip_prefix("stage ").unwrap_or(&self.step).to_string();
            let value = value("valid").or(value("train"))?;
            Some(Moment { stage, epoch: epoch.epoch, cost, value })
        };
        self.epochs.iter().enumerate().filter_map(moment).collect()
    }
}
