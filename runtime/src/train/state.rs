//! What a training stage is, between two epochs.
//!
//! Everything that the rest of the stage depends on is here: random streams are keyed by the epoch, so
//! they need no position. A stage that is resumed from its state gives the same bits as one that was never
//! interrupted.

use super::{Measured, Momentum};
use pcc_ir::recipe::Metric;
use pcc_ir::{Flows, Graph, Params};
use serde::{Deserialize, Serialize};

/// A stage after some epochs.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainState {
    /// The parameters.
    pub params: Params,
    /// Those with the best validation metric so far, when the stage watches one.
    pub best: Option<Best>,
    /// What every finished epoch did, first to last.
    pub history: Vec<EpochRecord>,
    /// Updates of the parameters so far.
    pub updates: u64,
    /// Moving averages of the flows, when the stage's updates have them.
    pub momentum: Option<Momentum>,
}

/// The best parameters that a stage has seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Best {
    /// The epoch after which they were met, counted from one.
    pub epoch: u32,
    /// What the metric was.
    pub value: f64,
    /// The parameters.
    pub params: Params,
}

/// One epoch, as it is kept. The wall-clock time is left out: it is not a result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Its number, counted from one.
    pub epoch: u32,
    /// On the training data, as rows were met.
    pub train: Measured,
    /// On the validation data.
    pub valid: Option<Measured>,
    /// The last step size.
    pub step: f64,
    /// Edges of the circuit times the rows that were learned from: the work of the epoch, on any machine.
    pub edge_visits: u64,
}

/// The part of a state that is text.
#[derive(Serialize, Deserialize)]
struct Written {
    updates: u64,
    history: Vec<EpochRecord>,
    best_epoch: Option<u32>,
    /// The bits of the best value: JSON knows no infinity.
    best_bits: Option<u64>,
    momentum: Option<WrittenMomentum>,
}

/// Moving averages, but for those of flows.
#[derive(Serialize, Deserialize)]
struct WrittenMomentum {
    decay: f64,
    rows: f64,
    batches: u64,
}

impl TrainState {
    /// The state before the first epoch.
    pub fn new(params: Params) -> Self {
        TrainState { params, best: None, history: Vec::new(), updates: 0, momentum: None }
    }

    /// How many epochs are done.
    pub fn epoch(&self) -> u32 {
        self.history.len() as u32
    }

    /// Whether the best metric is so many epochs old that the stage is over.
    pub fn has_plateaued(&self, patience: u32) -> bool {
        self.best.as_ref().is_some_and(|best| self.epoch() - best.epoch >= patience)
    }

    /// Takes note of a metric after the last epoch: the parameters become the best when it improved by
    /// more than `min_delta`.
    pub(super) fn note(&mut self, metric: Metric, value: f64, min_delta: f64) {
        let improvement = |best: &Best| match metric {
            Metric::LogLikelihood => value - best.value,
            Metric::BitsPerDimension | Metric::Perplexity => best.value - value,
        };
        // The difference of two infinities is no number, and no improvement.
        if self.best.as_ref().is_none_or(|best| improvement(best) > min_delta) {
            self.best = Some(Best { epoch: self.epoch(), value, params: self.params.clone() });
        }
    }

    /// The state as named arrays and a line of JSON; [`TrainState::read`] is the inverse.
    pub fn write(&self) -> (Vec<(&'static str, &[f32])>, String) {
        let mut tensors = vec![("params", self.params.values())];
        tensors.extend(self.best.iter().map(|best| ("best", best.params.values())));
        tensors.extend(self.momentum.iter().map(|momentum| ("momentum", momentum.average().values())));
        let written = Written {
            updates: self.updates,
            history: self.history.clone(),
            best_epoch: self.best.as_ref().map(|best| best.epoch),
            best_bits: self.best.as_ref().map(|best| best.value.to_bits()),
            momentum: self.momentum.as_ref().map(|momentum| WrittenMomentum {
                decay: momentum.decay(),
                rows: momentum.rows(),
                batches: momentum.batches(),
            }),
        };
        (tensors, serde_json::to_string(&written).expect("a state has only numbers and lists"))
    }

    /// Reads a state back for the same graph; `None` when it does not fit it.
    pub fn read<'t>(graph: &Graph, tensor: impl Fn(&str) -> Option<&'t [f32]>, json: &str) -> Option<Self> {
        let written: Written = serde_json::from_str(json).ok()?;
        let table = |name: &str| params_from(graph, tensor(name)?);
        let best = match (written.best_epoch, written.best_bits) {
            (Some(epoch), Some(bits)) => {
                Some(Best { epoch, value: f64::from_bits(bits), params: table("best")? })
            }
            _ => None,
        };
        let momentum = match written.momentum {
            Some(WrittenMomentum { decay, rows, batches }) => {
                Some(Momentum::resume(decay, flows_from(graph, tensor("momentum")?)?, rows, batches))
            }
            None => None,
        };
        Some(TrainState {
            momentum,
            params: table("params")?,
            best,
            history: written.history,
            updates: written.updates,
        })
    }
}

fn params_from(graph: &Graph, values: &[f32]) -> Option<Params> {
    let mut params = Params::of(graph);
    if values.len() != params.values().len() {
        return None;
    }
    params.values_mut().copy_from_slice(values);
    Some(params)
}

fn flows_from(graph: &Graph, values: &[f32]) -> Option<Flows> {
    let mut flows = Flows::zero(graph);
    if values.len() != flows.values().len() {
        return None;
    }
    flows.values_mut().copy_from_slice(values);
    Some(flows)
}
