//! Charts of runs: what they reached against the size of the circuit, and how they got there.

use super::super::page::words;
use super::kept::{KeptRun, Moment};
use super::{Group, Measure};
use crate::chart::{Axis, Chart, Look, Point, Scale, Series, Tone, first_shown};
use pcc_diag::human_seconds;

/// What lies on the axis from left to right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// Parameters of the circuit: one line for each name, of means, and a point for each run.
    Parameters,
    /// Seconds on the wall: one curve for each run, of the metric after each epoch.
    Time,
    /// CPU seconds, likewise.
    Processor,
    /// Edges visited, likewise.
    Visits,
}

/// The colours of names, in their order.
const TONES: [Tone; 5] = [Tone::Blue, Tone::Orange, Tone::Green, Tone::Purple, Tone::Grey];

/// A chart for each axis that is asked for. More than five names share colours.
pub fn charts(groups: &[Group], by: &Measure, over: &[Over]) -> Vec<Chart> {
    let mut labels: Vec<&str> = groups.iter().map(|group| group.label.as_str()).collect();
    labels.dedup();
    over.iter()
        .map(|&over| match over {
            Over::Parameters => against_parameters(groups, &labels, by),
            _ => against_cost(groups, &labels, by, over),
        })
        .collect()
}

fn tone(labels: &[&str], label: &str) -> Tone {
    TONES[labels.iter().position(|l| *l == label).unwrap_or(0) % TONES.len()]
}

fn against_parameters(groups: &[Group], labels: &[&str], by: &Measure) -> Chart {
    let mut series = Vec::new();
    for label in labels {
        let own = || groups.iter().filter(|group| group.label == *label);
        let tone = tone(labels, label);
        let means = own().map(|group| Point::new(group.parameters as f64, group.mean())).collect();
        series.push(Series { name: Some(label.to_string()), tone, look: Look::Line, points: means });
        let runs = own().flat_map(|group| {
            group.runs.iter().zip(&group.values).map(|(run, &value)| Point {
                x: group.parameters as f64,
                y: value,
                note: Some(format!("seed {}: {}", run.seed(), words::measured(Some(value)))),
            })
        });
        series.push(Series { name: None, tone, look: Look::Dots, points: runs.collect() });
    }
    Chart {
        title: format!("{by} against parameters"),
        x: Axis { label: "parameters".into(), scale: Scale::Decades },
        y: Axis { label: format!("{}, {}", words::metric(by.metric), by.data), scale: Scale::Linear },
        series,
    }
}

fn against_cost(groups: &[Group], labels: &[&str], by: &Measure, over: Over) -> Chart {
    let mut series: Vec<Series> = Vec::new();
    for group in groups {
        for run in &group.runs {
            let points = curve(run, by, over);
            let is_named = series.iter().any(|s| s.name.as_ref() == Some(&group.label));
            let name = (!is_named).then(|| group.label.clone());
            if !points.is_empty() {
                series.push(Series { name, tone: tone(labels, &group.label), look: Look::Line, points });
            }
        }
    }
    let (what, label) = match over {
        Over::Visits => ("edges visited", "edges visited"),
        Over::Processor => ("CPU time", "CPU seconds"),
        Over::Time | Over::Parameters => ("time", "seconds"),
    };
    Chart {
        title: format!("{} of each epoch against {what}", words::metric(by.metric)),
        x: Axis { label: label.into(), scale: Scale::FromZero },
        y: Axis { label: format!("{}, in training", words::metric(by.metric)), scale: Scale::Linear },
        series,
    }
}

/// The curve of a run; its first epochs are left out where nothing else would be seen beside them.
fn curve(run: &KeptRun, by: &Measure, over: Over) -> Vec<Point> {
    let moments = run.moments(by.metric);
    let point = |moment: &Moment| {
        let x = match over {
            Over::Visits => moment.cost.visits,
            Over::Processor => moment.cost.processor?,
            Over::Time | Over::Parameters => moment.cost.seconds,
        };
        let value = words::measured(Some(moment.value));
        let after = human_seconds(moment.cost.seconds);
        let note = format!("{}, epoch {}: {value} after {after}", moment.stage, moment.epoch);
        Some(Point { x, y: moment.value, note: Some(note) })
    };
    let values: Vec<Vec<f64>> = moments.iter().map(|moment| vec![moment.value]).collect();
    moments[first_shown(&values)..].iter().filter_map(point).collect()
}
