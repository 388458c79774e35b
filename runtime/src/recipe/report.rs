//! What a report writes: results as JSON, samples, in-painted pictures.
//!
//! The JSON is made from what the steps keep in their folders and nothing else, so it can be made again
//! from them.

use super::Setting;
use super::json::metrics;
use super::plan::{PlannedStep, StepKind};
use crate::data::{Picture, PictureGrid, picture_of, write_atomically, write_csv, write_npy, write_png};
use crate::exec::Executor;
use crate::query::sample;
use crate::train::Measured;
use pcc_diag::Diagnostic;
use pcc_ir::recipe::Output;
use pcc_ir::{Batch, Graph, MISSING, VarGroup};
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
        Output::Samples { count, .. } => {
            let nothing = Batch::missing(setting.graph.variables().len(), 1);
            let samples = sample(executor, &nothing, *count as usize, setting.recipe.seed)?;
            write_samples(path, setting.graph, &samples)
        }
        Output::Inpaint { data, count, .. } => {
            let data = setting.data.get(data)?;
            let mut originals = Batch::default();
            data.batch(0..data.n_rows().min(*count as usize), &mut originals);
            let sheet = inpainted(executor, &originals, setting.recipe.seed)?;
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
        Output::Json(_) => Ok(()),
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

/// Everything that the steps keep: settings, epochs and metrics.
fn summary(steps: &[PlannedStep], setting: &Setting) -> Value {
    let parsed = |text: String| serde_json::from_str::<Value>(&text).ok();
    let of_step = |step: &PlannedStep| {
        let epochs = step.folder.read("metrics.jsonl").unwrap_or_default();
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
            "key": step.key,
            "settings": step.folder.read("settings.json").and_then(parsed),
            "epochs": epochs.lines().filter_map(|l| parsed(l.into())).collect::<Vec<_>>(),
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
        "steps": steps.iter().map(of_step).collect::<Vec<_>>(),
    })
}

/// The groups that are no latents.
fn observed_groups(graph: &Graph) -> Vec<VarGroup> {
    graph.var_groups().iter().filter(|group| !group.is_latent).cloned().collect()
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

/// The picture that the first observed group shows in a row.
fn picture(graph: &Graph, row: &[u32]) -> Result<Picture, Diagnostic> {
    let no_group = || Diagnostic::error("not-a-picture", "the circuit has no observed variables to show");
    picture_of(observed_groups(graph).first().ok_or_else(no_group)?, row)
}

/// Writes one picture of the first observed group for each row.
fn write_pictures(path: &Path, graph: &Graph, rows: &Batch, per_line: usize) -> Result<(), Diagnostic> {
    let pictures =
        (0..rows.n_rows()).map(|row| picture(graph, rows.row(row))).collect::<Result<Vec<_>, _>>()?;
    let grid = PictureGrid { per_line, separator: SEPARATOR, scale: SCALE };
    write_atomically(path, |to| write_png(to, &pictures, grid))
}

/// Three rows for each original: itself, its upper half, and the upper half completed by a sample.
fn inpainted(executor: &mut dyn Executor, originals: &Batch, seed: u64) -> Result<Batch, Diagnostic> {
    let mut halves = originals.clone();
    for row in 0..halves.n_rows() {
        hide_lower_half(executor.graph(), halves.row_mut(row));
    }
    let completed = sample(executor, &halves, 1, seed)?;
    let mut sheet = Batch::empty(originals.n_variables());
    for row in 0..originals.n_rows() {
        [originals, &halves, &completed].into_iter().for_each(|batch| sheet.push(batch.row(row)));
    }
    Ok(sheet)
}

/// Makes the second half of every observed group missing; groups are row-major, so that is the lower half
/// of a picture. Of an odd number of lines the middle one is kept.
fn hide_lower_half(graph: &Graph, words: &mut [u32]) {
    for group in observed_groups(graph) {
        let lines = group.extents.first().map_or(1, |&e| e as usize);
        let line = group.len() / lines.max(1);
        let first = group.first.index() + lines.div_ceil(2) * line;
        words[first..group.first.index() + group.len()].fill(MISSING);
    }
}
