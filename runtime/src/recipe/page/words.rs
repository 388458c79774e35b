//! How a page names things: metrics, optimisers, and where labels come from.

use pcc_diag::grouped;
use pcc_ir::recipe::{
    BatchSize, Codes, EmOptions, Features, Fit, LearnCall, Metric, Optimizer, Per, Schedule, TeacherView,
    TrainOn,
};

/// A metric, as the label of an axis.
pub(in crate::recipe) fn metric(metric: Metric) -> &'static str {
    match metric {
        Metric::LogLikelihood => "log-likelihood, nats a row",
        Metric::BitsPerDimension => "bits per dimension",
        Metric::Perplexity => "perplexity",
    }
}

/// A metric beside a number.
pub(in crate::recipe) fn short(metric: Metric) -> &'static str {
    match metric {
        Metric::LogLikelihood => "nats a row",
        Metric::BitsPerDimension => "bpd",
        Metric::Perplexity => "perplexity",
    }
}

/// A measured number; a row that is impossible makes it infinite.
pub(in crate::recipe) fn measured(value: Option<f64>) -> String {
    match value {
        Some(value) if value.abs() >= 1e5 => format!("{value:.0}"),
        Some(value) if value.abs() >= 1e3 => format!("{value:.2}"),
        Some(value) if value.is_finite() => format!("{value:.4}"),
        _ => "\u{2013}".into(),
    }
}

/// What a stage does: `on train given Z, by EM: ..`.
pub(super) fn fit(fit: &Fit) -> String {
    let what = fit.part.as_ref().map_or("The circuit".to_string(), |part| format!("The part {part}"));
    let on = match &fit.data {
        TrainOn::Data(name) => format!("on {name}"),
        TrainOn::Codes(codes) => format!("on the labels {} alone", codes.name),
    };
    let list = |word: &str, names: &[String]| match names {
        [] => String::new(),
        names => format!(" {word} {}", names.join(", ")),
    };
    format!(
        "{what} {on}{}{}, by {}.",
        list("given", &fit.given),
        list("holding", &fit.holding),
        optimizer(&fit.optimizer)
    )
}

fn optimizer(optimizer: &Optimizer) -> String {
    match optimizer {
        Optimizer::Em(options) => em(options),
        Optimizer::Mle { pseudocount, per } => {
            format!("the closed form of maximum likelihood: {}", imaginary(*pseudocount, *per))
        }
        Optimizer::Later(name) => name.clone(),
    }
}

fn em(options: &EmOptions) -> String {
    let batch = match options.batch {
        BatchSize::Full => "full batches".to_string(),
        BatchSize::Rows(n) => format!("batches of {} rows", grouped(n.into())),
        BatchSize::Growing(from, to) => {
            format!("batches of {} rows, doubling up to {}", grouped(from.into()), grouped(to.into()))
        }
    };
    let step = match options.step {
        Schedule::Constant(a) => format!("steps of {a}"),
        Schedule::Linear(a, b) => format!("steps from {a} to {b}"),
        Schedule::Cosine(a, b) => format!("steps from {a} to {b} along a cosine"),
    };
    let epochs = match options.epochs {
        1 => "one epoch".to_string(),
        n => format!("{n} epochs at most"),
    };
    format!("EM: {epochs}, {batch}, {step}, {}", imaginary(options.pseudocount, options.per))
}

fn imaginary(pseudocount: f64, per: Per) -> String {
    let per = match per {
        Per::Node => "a unit",
        Per::Cell => "a cell",
    };
    format!("pseudocount {pseudocount} {per}")
}

/// Where labels come from.
pub(super) fn codes(codes: &Codes) -> String {
    match &codes.call {
        LearnCall::Kmeans { features: of, options } => {
            format!("k-means with {} clusters over {}", grouped(options.k.into()), features(of))
        }
        LearnCall::Assign { codes, features: of } => {
            format!("the clusters of {} over {}", codes.name, features(of))
        }
        LearnCall::TeacherCodes { teacher, data } => {
            format!("the codes that {} gives to {data}", teacher.name)
        }
        LearnCall::ChowLiu { .. } | LearnCall::ChowLiuOfCodes { .. } => "a tree".into(),
    }
}

fn features(features: &Features) -> String {
    match features {
        Features::Tiles { data, .. } => format!("the tiles of {data}"),
        Features::Array(source) => format!("the vectors {}", source.name),
        Features::Teacher { teacher, view, data } => {
            let of = match view {
                TeacherView::Suffixes => "vectors of what follows each word",
                TeacherView::Prefixes => "vectors of what precedes each word",
                TeacherView::Words => "vectors of each word",
                TeacherView::Patches(_) => "vectors of each patch",
                TeacherView::Codes => "codes",
            };
            format!("{of} that {} makes of {data}", teacher.name)
        }
    }
}
