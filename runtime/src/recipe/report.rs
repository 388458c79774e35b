//! What a report writes: results as JSON or as a page, samples, in-painted pictures.
//!
//! All of it is made from what the steps keep in their folders and from data, so it can be made again.

use super::json::metrics;
use super::pictures::{Inpainted, inpainted, observed_groups, picture, pictures};
use super::plan::{PlannedStep, StepKind};
use super::spent::Spent;
use super::{Setting, page};
use crate::data::{PictureGrid, write_atomically, write_csv, write_npy, write_png};
use crate::exec::Executor;
use crate::query::sample;
use crate::train::Measured;
use pcc_diag::Diagnostic;
use pcc_ir::recipe::{Fit, Output, TrainOn};
use pcc_ir::{Batch, Graph};
use serde_json::{Value, json};
use std::path::Path;

/// Pixels between pictures, and pixels that one becomes.
const SEPARATOR: usize = 2;
const SCALE: usize = 2;

/// Writes one output. `steps` are those before the report.
///
/// # Errors
/// `unknown-format` for a file name that says no known format, `not-a-picture` for variables that are none,
/// faults of the query, `disk-full`, `cannot-write`.
pub(super) fn write_output(
    output: &Output,
    path: &Path,
    steps: &[PlannedStep],
    setting: &mut Setting,
    executor: &mut dyn Executor,
) -> Result<(), Diagnostic> {
    match output {
        Output::Json(_) => {
            let text = format!("{:#}\n", summary(steps, setting));
            write_atomically(path, |to| to.write_all(text.as_bytes()))
        }
        Output::Page(_) => {
            let text = page::page(steps, setting, executor)?;
            write_atomically(path, |to| to.write_all(text.as_bytes()))
        }
        Output::Samples { count, .. } => {
            let nothing = Batch::missing(setting.graph.variables().len(), 1);
            let samples = sample(executor, &nothing, *count as usize, setting.recipe.seed)?;
            write_samples(path, setting.graph, &samples)
        }
        Output::Inpaint { data, count, .. } => {
            let data = setting.data.get(data)?;
            let mut originals = Batch::default();
            data.batch(0..data.n_rows().min(*count as usize), &mut originals);
            let sheet = inpainting_sheet(executor, &originals, setting.recipe.seed)?;
            write_pictures(path, setting.graph, &sheet, 6)
        }
    }
}

/// Whether an output can be written for a circuit, asked before hours are spent on what it shows.
///
/// # Errors
/// `unknown-format`, `not-a-picture`.
pub(super) fn check_output(output: &Output, graph: &Graph) -> Result<(), Diagnostic> {
    match output {
        Output::Json(_) | Output::Page(_) => Ok(()),
        Output::Samples { to, .. } => match Format::of(Path::new(to))? {
            Format::Picture => check_pictures(graph),
            Format::Array | Format::Table => Ok(()),
        },
        Output::Inpaint { .. } => check_pictures(graph),
    }
}

fn check_pictures(graph: &Graph) -> Result<(), Diagnostic> {
    let nothing = Batch::missing(graph.variables().len(), 1);
    picture(graph, nothing.row(0)).map(|_| ())
}

/// The file beside the model in which a run's [`summary`] lies.
pub(crate) const SUMMARY: &str = "summary.json";

/// Writes what the steps keep, for those who compare runs.
///
/// # Errors
/// `disk-full`, `cannot-write`.
pub(super) fn write_summary(steps: &[PlannedStep], setting: &Setting) -> Result<(), Diagnostic> {
    let text = format!("{:#}\n", summary(steps, setting));
    write_atomically(&setting.folder.join(SUMMARY), |to| to.write_all(text.as_bytes()))
}

/// Everything that the steps keep: settings, epochs and metrics.
fn summary(steps: &[PlannedStep], setting: &Setting) -> Value {
    let parsed = |text: String| serde_json::from_str::<Value>(&text).ok();
    let of_step = |step: &PlannedStep| {
        let epochs = step.folder.read("metrics.jsonl").unwrap_or_default();
        let spent = Spent::read(&step.folder);
        let measured =
            step.folder.read("result.json").and_then(|t| serde_json::from_str::<Measured>(&t).ok());
        let kind = match step.kind {
            StepKind::Train(_) => "stage",
            StepKind::Evaluate(_) => "evaluate",
            StepKind::Report(_) => "report",
        };
        json!({
            "step": step.name,
            "kind": kind,
            "is_of_rows": matches!(&step.kind, StepKind::Train(training) if is_of_rows(&training.stage.fit)),
            "key": step.key,
            "settings": step.folder.read("settings.json").and_then(parsed),
            "epochs": epochs.lines().filter_map(|l| parsed(l.into())).collect::<Vec<_>>(),
            "seconds": spent.as_ref().map(|spent| spent.seconds),
            "epoch_seconds": spent.as_ref().map(|spent| &spent.epochs),
            "processor_seconds": spent.as_ref().map(|spent| spent.processor),
            "epoch_processor_seconds": spent.as_ref().map(|spent| &spent.processor_epochs),
            "edge_visits": spent.as_ref().map(|spent| spent.edge_visits),
            "changes": step.folder.changes(),
            "divided": spent.as_ref().map(|spent| spent.divided),
            "rows": measured.map(|m| m.rows),
            "impossible_rows": measured.map(|m| m.impossible_rows),
            "metrics": measured.map(|m| metrics(&m, "")),
        })
    };
    json!({
        "recipe": setting.recipe.name,
        "circuit": setting.recipe.circuit,
        "seed": setting.recipe.seed,
        "parameters": setting.graph.n_parameters(),
        "numerics": setting.machine.numerics,
        "threads": setting.machine.threads,
        "version": setting.machine.version,
        "learning_seconds": (setting.learning)(),
        "steps": steps.iter().map(of_step).collect::<Vec<_>>(),
    })
}

/// Whether what a stage reports of its epochs is the likelihood of rows as they are, without labels.
fn is_of_rows(fit: &Fit) -> bool {
    fit.given.is_empty() && matches!(fit.data, TrainOn::Data(_))
}

/// Writes rows of samples to `.npy`, `.csv`, or as a grid of pictures to `.png`.
///
/// # Errors
/// `unknown-format`, `not-a-picture`, `disk-full`, `cannot-write`.
pub fn write_samples(path: &Path, graph: &Graph, samples: &Batch) -> Result<(), Diagnostic> {
    let groups = observed_groups(graph);
    match Format::of(path)? {
        Format::Array => write_atomically(path, |mut to| write_npy(&mut to, &groups, samples)),
        Format::Table => write_atomically(path, |mut to| write_csv(&mut to, &groups, samples)),
        Format::Picture => {
            let per_line = (samples.n_rows() as f64).sqrt().ceil() as usize;
            write_pictures(path, graph, samples, per_line)
        }
    }
}

/// How samples are written.
enum Format {
    Array,
    Table,
    Picture,
}

impl Format {
    /// The format that a file's name says.
    fn of(path: &Path) -> Result<Format, Diagnostic> {
        match path.extension().and_then(|e| e.to_str()) {
            Some("npy") => Ok(Format::Array),
            Some("csv") => Ok(Format::Table),
            Some("png") => Ok(Format::Picture),
            _ => {
                let message =
                    format!("samples can't be written to `{}`: its name says no format", path.display());
                Err(Diagnostic::error("unknown-format", message)
                    .help("end the name in `.npy`, `.csv` or `.png`"))
            }
        }
    }
}

/// Writes one picture of the first observed group for each row.
fn write_pictures(path: &Path, graph: &Graph, rows: &Batch, per_line: usize) -> Result<(), Diagnostic> {
    let pictures = pictures(graph, rows)?;
    let grid = PictureGrid { per_line, separator: SEPARATOR, scale: SCALE };
    write_atomically(path, |to| write_png(to, &pictures, grid))
}

/// Three rows for each original: itself, its upper half, and the upper half completed by a sample.
fn inpainting_sheet(executor: &mut dyn Executor, originals: &Batch, seed: u64) -> Result<Batch, Diagnostic> {
    let Inpainted { halves, completed } = inpainted(executor, originals, 1, seed)?;
    let mut sheet = Batch::empty(originals.n_variables());
    for row in 0..originals.n_rows() {
        [originals, &halves, &completed].into_iter().for_each(|batch| sheet.push(batch.row(row)));
    }
    Ok(sheet)
}
