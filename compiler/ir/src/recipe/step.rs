//! The steps of a recipe.

use super::Codes;
use pcc_diag::Span;
use serde::{Deserialize, Serialize};

/// A recipe for one circuit.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    /// Its name.
    pub name: String,
    /// The circuit it trains.
    pub circuit: String,
    /// The seed of everything random in it.
    pub seed: u64,
    /// Its steps, in order.
    pub steps: Vec<Step>,
    /// Where it was written.
    pub span: Span,
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Train.
    Stage(Box<Stage>),
    /// Compute metrics on data.
    Evaluate(Evaluate),
    /// Write results.
    Report(Vec<Output>, Span),
    /// Attach labels to a latent.
    Materialize(Materialize),
    /// Detach those of the latent with that name.
    Marginalize(String, Span),
}

/// `materialize Z from codes on train, ..`
#[derive(Clone, Debug, PartialEq)]
pub struct Materialize {
    /// The latent, by the name of its group of variables.
    pub latent: String,
    /// Labels, each for rows of one data set.
    pub labels: Vec<LabelSource>,
    /// Where it was written.
    pub span: Span,
}

/// Labels, and the rows they belong to.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelSource {
    /// The labels.
    pub codes: Codes,
    /// The data set that they label; without it any that has as many rows.
    pub data: Option<String>,
    /// Where it was written.
    pub span: Span,
}

/// One training stage.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// Its name; unique in the recipe.
    pub name: String,
    /// What it trains, on what, how.
    pub fit: Fit,
    /// When it stops early, restoring the best parameters seen.
    pub until: Option<Plateau>,
    /// What becomes of the circuit after it, in order.
    pub then: Vec<(Change, Span)>,
    /// Where it was written.
    pub span: Span,
}

/// A change of the circuit's structure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Change {
    /// Edges of a weight under this go.
    PruneBelow(f64),
    /// This share of the edges stays, those with the largest flows on the stage's data.
    PruneKeep(f64),
    /// Every unit becomes two, told apart by noise of this deviation.
    Grow(f64),
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Change::PruneBelow(weight) => write!(f, "prune(below = {weight})"),
            Change::PruneKeep(share) => write!(f, "prune(keep = {share})"),
            Change::Grow(noise) => write!(f, "grow(noise = {noise})"),
        }
    }
}

/// What is fitted.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// The label of the sub-circuit, or `None` for the whole.
    pub part: Option<String>,
    /// The data.
    pub data: TrainOn,
    /// The weights of its rows, by the name of their [`WeightSource`](super::WeightSource); without them each counts one.
    pub weights: Option<String>,
    /// Latents whose labels count as observed.
    pub given: Vec<String>,
    /// Labels of the parts whose parameters stay as they are.
    pub holding: Vec<String>,
    /// How.
    pub optimizer: Optimizer,
    /// Where it was written.
    pub span: Span,
}

/// What a stage is trained on.
#[derive(Clone, Debug, PartialEq)]
pub enum TrainOn {
    /// Rows of a data set.
    Data(String),
    /// Labels alone: everything but their latent is summed out.
    Codes(Box<Codes>),
}

impl TrainOn {
    /// The name of the data set or the labels.
    pub fn name(&self) -> &str {
        match self {
            TrainOn::Data(name) => name,
            TrainOn::Codes(codes) => &codes.name,
        }
    }
}

/// The optimisers.
#[derive(Clone, Debug, PartialEq)]
pub enum Optimizer {
    /// Expectation-maximisation on flows.
    Em(EmOptions),
    /// The closed-form maximum-likelihood estimate of a deterministic circuit.
    Mle {
        /// Imaginary observations.
        pseudocount: f64,
        /// How they are shared out.
        per: Per,
    },
    /// One that the language knows and a later version carries out, as written.
    Later(String),
}

/// Settings of EM.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EmOptions {
    /// Rows of a mini-batch.
    pub batch: BatchSize,
    /// Passes over the data.
    pub epochs: u32,
    /// The step size alpha: `theta <- (1 - alpha) theta + alpha theta_new`.
    pub step: Schedule,
    /// Imaginary observations, in every batch.
    pub pseudocount: f64,
    /// How they are shared out.
    pub per: Per,
    /// Where parameters start that have no values yet.
    pub start: Start,
    /// How far a unit moves.
    pub rule: Rule,
    /// The share of every known value that is taken for any of its variable's values; 0 takes data as they are.
    pub soften: f64,
    /// The weight of the circuit's entropy beside the mean log-likelihood of a row.
    pub entropy: f64,
}

impl EmOptions {
    /// Whether learning is by more than likelihood.
    pub fn is_regularized(&self) -> bool {
        self.soften > 0.0 || self.entropy > 0.0
    }
}

/// How far an update moves each unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Rule {
    /// All by the step.
    Even,
    /// Each by the step in proportion to how much the batch used it, next to how much the model expects
    /// (Liu et al., 2025).
    Anemone {
        /// The share of the past in the moving average of flows, under 1; 0 where each batch stands for itself.
        momentum: f64,
    },
}

impl Rule {
    /// The share of the past in the moving average of flows, where there is one.
    pub fn momentum(self) -> Option<f64> {
        match self {
            Rule::Anemone { momentum } if momentum > 0.0 => Some(momentum),
            _ => None,
        }
    }
}

/// How many rows make a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BatchSize {
    /// All rows: classical EM.
    Full,
    /// So many.
    Rows(u32),
    /// From the first number to the second, doubling from epoch to epoch.
    Growing(u32, u32),
}

/// What a pseudocount is given to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Per {
    /// The whole count to each unit, spread evenly over its edges or values.
    Node,
    /// The count to each edge or value.
    Cell,
}

/// A number that changes from the first update of a stage (position 0) to the last (position 1).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Schedule {
    /// Always the same.
    Constant(f64),
    /// In a straight line.
    Linear(f64, f64),
    /// Along half a cosine.
    Cosine(f64, f64),
}

impl Schedule {
    /// The value at a position between 0 and 1.
    pub fn at(self, position: f64) -> f64 {
        match self {
            Schedule::Constant(a) => a,
            Schedule::Linear(a, b) => a + (b - a) * position,
            Schedule::Cosine(a, b) => b + (a - b) * 0.5 * (1.0 + (std::f64::consts::PI * position).cos()),
        }
    }
}

/// Where parameters start.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Start {
    /// Exponential noise (times the empirical marginal, for inputs). Near-uniform starts sit on a saddle.
    Exponential,
    /// Uniform within plus or minus the given share.
    Uniform(f64),
}

/// Stop when a metric has not improved for some epochs, and restore the best parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Plateau {
    /// The data on which it is measured.
    pub data: String,
    /// The weights of its rows; without them each counts one.
    pub weights: Option<String>,
    /// What is measured.
    pub metric: Metric,
    /// Epochs without improvement.
    pub patience: u32,
    /// What counts as an improvement.
    pub min_delta: f64,
}

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Metric {
    /// Mean log-likelihood of a row, in nats.
    LogLikelihood,
    /// Bits per dimension: minus the mean log-likelihood in bits, divided by the number of variables.
    BitsPerDimension,
    /// exp of minus the mean log-likelihood of a token.
    Perplexity,
}

/// Metrics on data.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluate {
    /// The data.
    pub data: String,
    /// The metrics.
    pub metrics: Vec<Metric>,
    /// Where it was written.
    pub span: Span,
}

/// One thing that a report writes.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// All metrics and settings as JSON.
    Json(String),
    /// A page for people, with pictures of everything, as one HTML file.
    Page(String),
    /// Samples: to `.npy`, `.csv`, or as a grid of images to `.png`.
    Samples {
        /// How many.
        count: u32,
        /// The file.
        to: String,
    },
    /// Rows of data with a part removed and filled in by conditional sampling, as a grid of images.
    Inpaint {
        /// The data.
        data: String,
        /// How many rows.
        count: u32,
        /// The file.
        to: String,
    },
}
