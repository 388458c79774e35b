//! Metrics and settings as JSON with stable keys. A number that is not finite is `null`.

use crate::train::Measured;
use pcc_ir::recipe::{Metric, Output};
use serde_json::{Map, Value, json};

/// The key of a metric.
pub(super) fn metric_name(metric: Metric) -> &'static str {
    match metric {
        Metric::LogLikelihood => "log_likelihood",
        Metric::BitsPerDimension => "bpd",
        Metric::Perplexity => "perplexity",
    }
}

/// All metrics, each key with a prefix.
pub(super) fn metrics(measured: &Measured, prefix: &str) -> Map<String, Value> {
    [Metric::LogLikelihood, Metric::BitsPerDimension, Metric::Perplexity]
        .map(|metric| (format!("{prefix}{}", metric_name(metric)), json!(measured.get(metric))))
        .into_iter()
        .collect()
}

/// The metrics of an epoch, in training and validation.
pub(super) fn epoch_metrics(train: &Measured, valid: Option<&Measured>) -> Map<String, Value> {
    let mut all = metrics(train, "train_");
    all.extend(valid.into_iter().flat_map(|valid| metrics(valid, "valid_")));
    all
}

/// What a report writes, as its key covers it.
pub(super) fn output(output: &Output) -> Value {
    match output {
        Output::Json(to) => json!({ "json": to }),
        Output::Page(to) => json!({ "page": to }),
        Output::Samples { count, to } => json!({ "samples": count, "to": to }),
        Output::Inpaint { data, count, to } => json!({ "inpaint": data, "count": count, "to": to }),
    }
}

/// The file that an output is written to.
pub(super) fn file_of(output: &Output) -> &str {
    match output {
        Output::Json(to) | Output::Page(to) | Output::Samples { to, .. } | Output::Inpaint { to, .. } => to,
    }
}
