//! Keys of steps: equal keys mean equal results, to the bit.

use super::Setting;
use pcc_diag::Diagnostic;
use pcc_ir::graph::print;
use pcc_ir::recipe::{Fit, Optimizer, Stage};
use serde_json::{Value, json};

/// What every step of a run depends on, hashed once.
pub(super) fn circuit_key(setting: &Setting) -> String {
    let machine = &setting.machine;
    hash(&json!({
        "circuit": hash_text(&print(setting.graph)),
        "seed": setting.recipe.seed,
        "numerics": machine.numerics,
        "threads": machine.threads,
        "version": machine.version,
    }))
}

/// The key of a step: its settings, and the keys of what goes in.
pub(super) fn step_key(settings: &Value, inputs: &[&str]) -> String {
    hash(&json!({ "settings": settings, "inputs": inputs }))
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
    json!({
        "stage": stage.name,
        "part": part,
        "data": data.name(),
        "weights": weights,
        "given": given,
        "holding": holding,
        "by": optimizer,
        "until": until,
    })
}

/// The keys of data sets, in the order of their names here.
pub(super) fn data_keys(setting: &mut Setting, names: &[&str]) -> Result<Vec<String>, Diagnostic> {
    names.iter().map(|name| setting.data.get(name).map(|data| data.key())).collect()
}

/// The keys of weights, in the order of their names here.
pub(super) fn weight_keys(setting: &mut Setting, names: &[&str]) -> Result<Vec<String>, Diagnostic> {
    names.iter().map(|name| setting.data.weights(name).map(|weights| weights.key().to_string())).collect()
}

/// Objects print with their keys in order, so equal values have equal texts.
fn hash(value: &Value) -> String {
    hash_text(&value.to_string())
}

fn hash_text(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().to_string()
}
