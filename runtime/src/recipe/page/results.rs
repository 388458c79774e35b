//! What the recipe measured at its end: the numbers it asked for, and all of them in a table.

use super::super::plan::{PlannedStep, StepKind};
use super::html::{Cell, table};
use super::words;
use crate::markup::escape;
use crate::train::Measured;
use pcc_diag::grouped;
use pcc_ir::recipe::{Evaluate, Metric};
use std::fmt::Write;

/// The section; empty when nothing was evaluated.
pub(super) fn body(steps: &[PlannedStep]) -> String {
    let all: Vec<(&Evaluate, Measured)> = steps.iter().filter_map(evaluation).collect();
    if all.is_empty() {
        return String::new();
    }
    let mut text = String::from("<dl class=\"numbers\">\n");
    for (evaluate, measured) in &all {
        for &metric in &evaluate.metrics {
            let name = escape(&format!("{} on {}", words::short(metric), evaluate.data));
            let value = words::measured(Some(measured.get(metric)));
            // Writing to a String cannot fail.
            let _ = writeln!(text, "<div><dt>{name}</dt><dd>{value}</dd></div>");
        }
    }
    text.push_str("</dl>\n");
    let heads = ["data", "rows", "log-likelihood, nats a row", "bits per dimension", "perplexity"];
    let metrics = [Metric::LogLikelihood, Metric::BitsPerDimension, Metric::Perplexity];
    let row = |(evaluate, measured): &(&Evaluate, Measured)| {
        let mut row = vec![Cell::words(&evaluate.data), Cell::number(rows(measured))];
        row.extend(metrics.map(|metric| Cell::number(words::measured(Some(measured.get(metric))))));
        row
    };
    text + &table(&heads, &all.iter().map(row).collect::<Vec<_>>())
}

fn evaluation(step: &PlannedStep) -> Option<(&Evaluate, Measured)> {
    let StepKind::Evaluate(evaluate) = &step.kind else { return None };
    Some((evaluate, serde_json::from_str(&step.folder.read("result.json")?).ok()?))
}

fn rows(measured: &Measured) -> String {
    match measured.impossible_rows {
        0 => grouped(measured.rows),
        n => format!("{}, of which {} impossible", grouped(measured.rows), grouped(n)),
    }
}
