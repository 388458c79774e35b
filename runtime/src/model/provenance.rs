//! Where a model comes from: enough to make it again, or to see that it can't be the same.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The origin of a model. What is not known is empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Provenance {
    /// The name of the circuit in its source.
    pub circuit: String,
    /// The hash of the source that it was elaborated from.
    pub source_hash: String,
    /// The keys of the data sets, by name ([`crate::data::Dataset::key`]).
    pub data: BTreeMap<String, String>,
    /// The recipe, and the stage that it came out of.
    pub recipe: String,
    /// The seed of everything random.
    pub seed: Option<u64>,
    /// What was measured, by data set and metric, such as `test.bpd`.
    pub metrics: BTreeMap<String, serde_json::Value>,
    /// How numbers were computed: `scaled`, `log` or `f64`.
    pub numerics: String,
}
