//! How the stages learned: what each took, and its curves against seconds and against visits of edges.

use super::super::json::metric_name;
use super::super::plan::{PlannedStep, StepKind};
use super::super::spent::Spent;
use super::html::{Cell, figure, paragraph, table};
use super::words;
use crate::chart::{Axis, Chart, Look, Point, Scale, Series, Tone, compact, first_shown, panel};
use crate::markup::escape;
use pcc_diag::{grouped, human_seconds};
use pcc_ir::recipe::{Metric, Recipe, Stage, Step};
use serde_json::Value;

/// The section; empty when there is no stage.
pub(super) fn body(steps: &[PlannedStep], recipe: &Recipe) -> String {
    let stages: Vec<Learned> = steps.iter().filter_map(|step| Learned::read(step, recipe)).collect();
    if stages.is_empty() {
        return String::new();
    }
    let stages_in_detail: String = stages.iter().map(Learned::in_detail).collect();
    costs(&stages) + &stages_in_detail
}

/// What a stage keeps of its learning.
struct Learned<'s> {
    stage: &'s Stage,
    spent: Spent,
    metric: Metric,
    epochs: Vec<Epoch>,
}

/// An epoch with the stage's metric. What is not finite is not there.
struct Epoch {
    number: u64,
    is_best: bool,
    train: Option<f64>,
    valid: Option<f64>,
    seconds: Option<f64>,
    visits: f64,
}

impl<'s> Learned<'s> {
    fn read(step: &'s PlannedStep, recipe: &Recipe) -> Option<Self> {
        let StepKind::Train(training) = &step.kind else { return None };
        let stage = &training.stage;
        let spent = Spent::read(&step.folder).unwrap_or_default();
        let text = step.folder.read("metrics.jsonl").unwrap_or_default();
        let lines: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let metric = metric_of(stage, recipe, &lines);
        let epoch = |(i, line): (usize, &Value)| {
            let value = |of: &str| line["metrics"][format!("{of}_{}", metric_name(metric))].as_f64();
            Epoch {
                number: line["epoch"].as_u64().unwrap_or(i as u64 + 1),
                is_best: line["is_best"].as_bool().unwrap_or(false),
                train: value("train"),
                valid: value("valid"),
                seconds: spent.epochs.get(i).copied(),
                visits: line["edge_visits"].as_f64().unwrap_or(0.0),
            }
        };
        let epochs = lines.iter().enumerate().map(epoch).collect();
        Some(Learned { stage, spent, metric, epochs })
    }

    /// The epoch whose parameters the stage ended with.
    fn end(&self) -> Option<&Epoch> {
        self.epochs.iter().find(|epoch| epoch.is_best).or(self.epochs.last())
    }

    fn in_detail(&self) -> String {
        let mut text = format!("<h3>{}</h3>\n", escape(&self.stage.name));
        text += &paragraph("soft", &words::fit(&self.stage.fit));
        if let Some(divided) = self.spent.divided {
            text += &paragraph("soft", &format!("{divided}."));
        }
        if self.epochs.is_empty() {
            return text;
        }
        let first = self.first_shown();
        let charts: String =
            [self.against_time(first), self.against_visits(first)].iter().flatten().map(panel).collect();
        text + &figure(&format!("<div class=\"charts\">\n{charts}</div>\n"), &self.caption(first))
    }

    fn caption(&self, first: usize) -> String {
        let metric = match self.metric {
            Metric::LogLikelihood => "Log-likelihood",
            Metric::BitsPerDimension => "Bits per dimension",
            Metric::Perplexity => "Perplexity",
        };
        let mut caption = format!("{metric} after each epoch, against time and against the edges visited.");
        if let Some(until) = &self.stage.until {
            caption += &format!(" The solid line is {}, the dashed one what is trained on.", until.data);
        }
        if let Some(end) = self.epochs.iter().find(|epoch| epoch.is_best) {
            caption += &format!(" The stage ended with the parameters of epoch {}.", end.number);
        }
        match first {
            0 => {}
            1 => caption += " The first epoch lies far outside, and is left out.",
            n => caption += &format!(" The first {n} epochs lie far outside, and are left out."),
        }
        caption
    }

    /// How many epochs at the start are left out.
    fn first_shown(&self) -> usize {
        let values = |epoch: &Epoch| [epoch.train, epoch.valid].into_iter().flatten().collect();
        first_shown(&self.epochs.iter().map(values).collect::<Vec<_>>())
    }

    fn against_time(&self, first: usize) -> Option<Chart> {
        let most = self.epochs.last()?.seconds?;
        let (unit, label) = match most {
            s if s < 1.0 => (1e-3, "milliseconds"),
            s if s < 180.0 => (1.0, "seconds"),
            s if s < 3.0 * 3600.0 => (60.0, "minutes"),
            _ => (3600.0, "hours"),
        };
        Some(self.chart(first, ("time", label), |epoch| epoch.seconds.unwrap_or(0.0) / unit))
    }

    fn against_visits(&self, first: usize) -> Option<Chart> {
        Some(self.chart(first, ("edges visited", "edges visited"), |epoch| epoch.visits))
    }

    fn chart(&self, first: usize, (what, label): (&str, &str), x: impl Fn(&Epoch) -> f64) -> Chart {
        let shown = &self.epochs[first..];
        let points = |of: &dyn Fn(&Epoch) -> Option<f64>| -> Vec<Point> {
            let point = |epoch: &Epoch| {
                let y = of(epoch)?;
                Some(Point { x: x(epoch), y, note: Some(self.note(epoch)) })
            };
            shown.iter().filter_map(point).collect()
        };
        let series = |name: &str, tone, look, points| Series { name: Some(name.into()), tone, look, points };
        let train = points(&|epoch| epoch.train);
        let series = match &self.stage.until {
            Some(until) => vec![
                series(self.stage.fit.data.name(), Tone::Grey, Look::Dashed, train),
                series(&until.data, Tone::Blue, Look::Line, points(&|epoch| epoch.valid)),
                series("best", Tone::Orange, Look::Dots, points(&|e| e.valid.filter(|_| e.is_best))),
            ],
            None => vec![series(self.stage.fit.data.name(), Tone::Blue, Look::Line, train)],
        };
        Chart {
            title: format!("{} of stage {} against {what}", words::metric(self.metric), self.stage.name),
            x: Axis { label: label.into(), scale: Scale::FromZero },
            y: Axis { label: words::metric(self.metric).into(), scale: Scale::Linear },
            series: series.into_iter().filter(|series| !series.points.is_empty()).collect(),
        }
    }

    fn note(&self, epoch: &Epoch) -> String {
        let mut note = format!("epoch {}: ", epoch.number);
        if let Some(valid) = epoch.valid {
            note += &format!("{}, in training ", words::measured(Some(valid)));
        }
        note += &words::measured(epoch.train);
        if let Some(seconds) = epoch.seconds {
            note += &format!(", after {}", human_seconds(seconds));
        }
        note
    }
}

/// The metric that a stage watches, else the first that the recipe asks for, else bits per dimension; where
/// labels alone were learned, which are no values of data, the log-likelihood.
fn metric_of(stage: &Stage, recipe: &Recipe, lines: &[Value]) -> Metric {
    let asked = recipe.steps.iter().find_map(|step| match step {
        Step::Evaluate(evaluate) => evaluate.metrics.first().copied(),
        _ => None,
    });
    let metric = stage.until.as_ref().map(|until| until.metric).or(asked).unwrap_or(Metric::BitsPerDimension);
    let is_there = |line: &Value| line["metrics"][format!("train_{}", metric_name(metric))].is_number();
    if lines.iter().any(is_there) { metric } else { Metric::LogLikelihood }
}

/// What each stage took.
fn costs(stages: &[Learned]) -> String {
    let all: f64 = stages.iter().map(|learned| learned.spent.seconds).sum();
    let heads = ["stage", "epochs", "time", "share", "edges visited", "in training", "watched"];
    let row = |learned: &Learned| {
        let Spent { seconds, edge_visits, .. } = learned.spent;
        let value = |value: Option<f64>| match value {
            Some(value) => format!("{} {}", words::measured(Some(value)), words::short(learned.metric)),
            None => "\u{2013}".into(),
        };
        let end = learned.end();
        vec![
            Cell::words(&learned.stage.name),
            Cell::number(if learned.epochs.is_empty() {
                "1".into()
            } else {
                grouped(learned.epochs.len() as u64)
            }),
            Cell::number(human_seconds(seconds)),
            Cell::number(format!("{:.0} %", 100.0 * seconds / all.max(1e-9))),
            Cell::number(compact(edge_visits as f64)),
            Cell::number(value(end.and_then(|epoch| epoch.train))),
            Cell::number(value(end.and_then(|epoch| epoch.valid))),
        ]
    };
    table(&heads, &stages.iter().map(row).collect::<Vec<_>>())
}
