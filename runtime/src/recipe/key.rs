//! Keys of steps: equal keys mean equal results, to the bit.
//!
//! A key is a hash of parts that have names, and the parts are kept beside what a step made: so a later run can
//! say which of them changed.

use super::Setting;
use pcc_diag::Diagnostic;
use pcc_ir::graph::print;
use pcc_ir::recipe::{Change, Fit, Optimizer, Stage};
use serde_json::{Map, Value, json};

/// What a key covers, by name.
pub(super) type Parts = Map<String, Value>;

/// A part that is the key of something else, with its name.
pub(super) type Input = (String, String);

/// The name of the settings among the parts.
pub(super) const SETTINGS: &str = "settings";
/// The name of the parameters that a step begins with.
pub(super) const PARAMETERS: &str = "parameters";

/// What every step of a run depends on. The circuit is hashed once.
pub(super) fn circuit_parts(setting: &Setting) -> Parts {
    let machine = &setting.machine;
    let parts = [
        ("circuit", json!(hash(&print(setting.graph)))),
        ("seed", json!(setting.recipe.seed)),
        ("numerics", json!(machine.numerics)),
        ("threads", json!(machine.threads)),
        ("version", json!(machine.version)),
    ];
    parts.map(|(name, value)| (name.to_string(), value)).into_iter().collect()
}

/// The parts of a step: what all steps depend on, its settings, and the keys of what goes in.
pub(super) fn step_parts(circuit: &Parts, settings: Value, inputs: Vec<Input>) -> Parts {
    let mut parts = circuit.clone();
    parts.insert(SETTINGS.into(), settings);
    parts.extend(inputs.into_iter().map(|(name, key)| (name, json!(key))));
    parts
}

/// The key of its parts. They print in the order of their names, so equal parts have equal texts.
pub(super) fn key_of(parts: &Parts) -> String {
    hash(&json!(parts).to_string())
}

/// The settings of a stage as they are kept and hashed. Spans are left out: they change nothing.
pub(super) fn stage_settings(stage: &Stage) -> Value {
    let Fit { part, data, weights, given, holding, optimizer, .. } = &stage.fit;
    let optimizer = match optimizer {
        Optimizer::Em(options) => json!({ "em": options }),
        Optimizer::Later(name) => json!(name),
        Optimizer::Mle { pseudocount, per } => json!({ "mle": { "pseudocount": pseudocount, "per": per } }),
    };
    let until = stage.until.as_ref().map(|until| {
        json!({
            "data": until.data,
            "weights": until.weights,
            "metric": until.metric,
            "patience": until.patience,
            "min_delta": until.min_delta,
        })
    });
    let then: Vec<Change> = stage.then.iter().map(|(change, _)| *change).collect();
    json!({
        "stage": stage.name,
        "part": part,
        "data": data.name(),
        "weights": weights,
        "given": given,
        "holding": holding,
        "by": optimizer,
        "until": until,
        "then": then,
    })
}

/// The keys of data sets.
pub(super) fn data_keys(setting: &mut Setting, names: &[&str]) -> Result<Vec<Input>, Diagnostic> {
    let key = |name: &&str| setting.data.get(name).map(|data| (format!("data {name}"), data.key()));
    names.iter().map(key).collect()
}

/// The keys of weights.
pub(super) fn weight_keys(setting: &mut Setting, names: &[&str]) -> Result<Vec<Input>, Diagnostic> {
    let key = |name: &&str| {
        setting.data.weights(name).map(|weights| (format!("weights {name}"), weights.key().to_string()))
    };
    names.iter().map(key).collect()
}

fn hash(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().to_string()
}
