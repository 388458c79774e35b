//! Progress of a run: bars for people at a terminal, plain lines elsewhere, JSON lines for machines.

use crate::args::Format;
use crate::cmd::info::bytes;
use crate::terminal::{Terminal, print_line};
use indicatif::{ProgressBar, ProgressStyle};
use pcc_diag::{grouped, human_seconds};
use pcc_runtime::train::{EpochReport, Event, Measured, Observer, Unsettled};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Watches a run, and carries the user's Ctrl-C to it.
pub struct Progress {
    format: Format,
    terminal: Terminal,
    is_cancelled: Arc<AtomicBool>,
    step: String,
    stage: Option<StageBar>,
}

/// The stage that is running.
struct StageBar {
    bar: ProgressBar,
    epochs: u32,
    started: Instant,
    first_epoch: u32,
}

impl Progress {
    /// Watches, and from now on lets Ctrl-C end the run at the next whole epoch instead of at once.
    pub fn new(format: Format, terminal: &Terminal) -> Self {
        let is_cancelled = Arc::new(AtomicBool::new(false));
        let flag = is_cancelled.clone();
        // A second handler can't be set; the first one stays and does the same.
        let _ = ctrlc::set_handler(move || {
            // The second time, the user means it.
            if flag.swap(true, Ordering::SeqCst) {
                std::process::exit(130);
            }
        });
        Progress { format, terminal: *terminal, is_cancelled, step: String::new(), stage: None }
    }

    fn say(&self, line: &str) {
        match &self.stage {
            Some(stage) if !stage.bar.is_hidden() => stage.bar.println(line),
            _ => self.terminal.say(line),
        }
    }

    /// Tells the end of a run and where its results lie.
    pub fn done(&self, seconds: f64, model: Option<&std::path::Path>) {
        match self.format {
            Format::Human => {
                let place = model.map_or(String::new(), |m| format!("; the model is {}", m.display()));
                self.terminal.say(&format!("done in {}{place}", human_seconds(seconds)));
            }
            Format::Json => print_line(
                &json!({"event": "done", "step": null, "epoch": null, "seconds": seconds, "metrics": {},
                        "model": model.map(|m| m.display().to_string())})
                .to_string(),
            ),
        }
    }

    fn begin_stage(&mut self, first_epoch: u32, epochs: u32, rows: usize) {
        let is_shown = self.terminal.is_interactive() && self.format == Format::Human;
        let bar = if is_shown { ProgressBar::new(rows as u64) } else { ProgressBar::hidden() };
        let template = "  {msg} [{bar:32}] {pos}/{len} rows";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        self.stage = Some(StageBar { bar, epochs, started: Instant::now(), first_epoch });
    }

    fn batch(&mut self, epoch: u32, rows_done: usize) {
        if let Some(stage) = &self.stage {
            stage.bar.set_message(format!("epoch {epoch}/{}{}", stage.epochs, stage.eta(epoch)));
            stage.bar.set_position(rows_done as u64);
        }
    }

    fn epoch(&mut self, report: &EpochReport) {
        match self.format {
            Format::Json => {
                let metrics = json!({
                    "train": metrics(&report.train),
                    "valid": report.valid.as_ref().map(metrics),
                    "updates": report.updates,
                    "step_size": report.step,
                });
                self.line("epoch", Some(report.epoch), Some(report.seconds), metrics);
            }
            Format::Human => {
                let epochs = self.stage.as_ref().map_or(report.epoch, |s| s.epochs);
                let valid = report.valid.as_ref().map_or(String::new(), |v| format!("   valid {}", words(v)));
                self.say(&format!(
                    "  epoch {:>3}/{epochs}   train {}{valid}   step {:.3}   {}",
                    report.epoch,
                    words(&report.train),
                    report.step,
                    human_seconds(report.seconds)
                ));
            }
        }
    }

    fn settled(&self, of_table: u64, visits: u64, of: u64, seconds: f64) {
        match self.format {
            Format::Human => self.say(&format!(
                "  what is held was computed once, {}; an epoch visits {:.0} % of the circuit   {}",
                bytes(of_table),
                100.0 * visits as f64 / of as f64,
                human_seconds(seconds)
            )),
            Format::Json => {
                let metrics = json!({"bytes": of_table, "visits": visits, "of": of});
                self.line("settled", None, Some(seconds), metrics);
            }
        }
    }

    fn unsettled(&self, why: Unsettled) {
        const WHAT: &str = "  what is held is computed in every epoch";
        match (self.format, why) {
            (Format::Human, Unsettled::TooLarge(of_table)) => {
                self.say(&format!("{WHAT}: once for all would take {}", bytes(of_table)));
            }
            (Format::Human, Unsettled::Unfit) => {
                self.say(&format!("{WHAT}: some row has a value that can't be kept"));
            }
            (Format::Json, why) => {
                let bytes = if let Unsettled::TooLarge(bytes) = why { Some(bytes) } else { None };
                self.line("unsettled", None, None, json!({"bytes": bytes}));
            }
        }
    }

    fn line(&self, event: &str, epoch: Option<u32>, seconds: Option<f64>, metrics: Value) {
        let line = json!({
            "event": event, "step": self.step, "epoch": epoch, "seconds": seconds, "metrics": metrics,
        });
        print_line(&line.to_string());
    }

    fn begin_step(&mut self, name: &str, is_done: bool, resumes_after: Option<u32>) {
        if let Some(stage) = self.stage.take() {
            stage.bar.finish_and_clear();
        }
        self.step = name.into();
        match self.format {
            Format::Json => self.line("step", resumes_after, None, json!({"is_done": is_done})),
            Format::Human => {
                let note = match (is_done, resumes_after) {
                    (true, _) => " (done before)".into(),
                    (false, Some(epoch)) => format!(" (goes on after epoch {epoch})"),
                    (false, None) => String::new(),
                };
                self.terminal.say(&format!("{name}{note}"));
            }
        }
    }
}

impl StageBar {
    fn eta(&self, epoch: u32) -> String {
        let finished = epoch.saturating_sub(self.first_epoch);
        if finished == 0 {
            return String::new();
        }
        let per_epoch = self.started.elapsed().as_secs_f64() / f64::from(finished);
        let left = per_epoch * f64::from(self.epochs - epoch + 1);
        format!(", at most {} left", human_seconds(left))
    }
}

impl Observer for Progress {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Step { name, is_done, resumes_after } => self.begin_step(name, is_done, resumes_after),
            Event::Stage { first_epoch, epochs, rows } => self.begin_stage(first_epoch, epochs, rows),
            Event::Settled { bytes, visits, of, seconds } => self.settled(bytes, visits, of, seconds),
            Event::Unsettled(why) => self.unsettled(why),
            Event::Batch { epoch, rows_done, .. } => self.batch(epoch, rows_done),
            Event::Divided(divided) => match self.format {
                Format::Human => self.say(&format!("  {divided}")),
                Format::Json => self.line("divided", None, None, json!(divided)),
            },
            Event::Epoch(report) => self.epoch(report),
            Event::Restored { epoch, value } => match self.format {
                Format::Human => self.say(&format!("  best parameters: those of epoch {epoch} ({value:.4})")),
                Format::Json => {
                    self.line("restored", Some(epoch), None, json!({"value": value}));
                }
            },
            Event::Changed { change, parameters: [before, after] } => match self.format {
                Format::Human => self.say(&format!(
                    "  {change}: {} parameters, {} before",
                    grouped(after),
                    grouped(before)
                )),
                Format::Json => {
                    let sizes = json!({"change": change, "parameters": {"before": before, "after": after}});
                    self.line("changed", None, None, sizes);
                }
            },
            Event::Evaluated { data, measured } => match self.format {
                Format::Human => self.terminal.say(&format!("  {data}: {}", words(measured))),
                Format::Json => self.line("eval", None, None, json!({data: metrics(measured)})),
            },
        }
    }

    fn is_cancelled(&self) -> bool {
        self.is_cancelled.load(Ordering::SeqCst)
    }
}

/// Metrics for machines: `log_likelihood` is the mean of a row in nats. What is infinite, because a row is
/// impossible, is `null`.
pub fn metrics(measured: &Measured) -> Value {
    let mut map = Map::new();
    map.insert("rows".into(), json!(measured.rows));
    map.insert("log_likelihood".into(), json!(measured.mean()));
    map.insert("bpd".into(), json!(measured.bits_per_dimension()));
    map.insert("perplexity".into(), json!(measured.perplexity()));
    Value::Object(map)
}

/// Metrics for people.
pub fn words(measured: &Measured) -> String {
    match measured.values > 0.0 {
        true => format!("{:.4} nats a row, {:.4} bpd", measured.mean(), measured.bits_per_dimension()),
        // Labels alone are no values of data.
        false => format!("{:.4} nats a row", measured.mean()),
    }
}
