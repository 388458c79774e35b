//! `pcc eval`: the log-likelihood of data under a model.

use crate::args::{EvalArgs, Format};
use crate::failure::Failure;
use crate::opened::{self, Circuit};
use crate::progress::{metrics, words};
use crate::terminal::{Terminal, print_line};
use pcc_diag::{Diagnostic, Span};
use pcc_ir::recipe::{DataSource, Reader, Rows, TextOptions};
use pcc_ir::{Graph, VarGroup};
use pcc_runtime::data::{DataSets, Dataset, Mask, find_file, read_file, write_atomically, write_numbers};
use pcc_runtime::formats::Content;
use pcc_runtime::train::measure_rows;
use std::path::{Path, PathBuf};

/// Reads the data, evaluates it, and answers with means, or one value a row in a file.
pub fn run(args: &EvalArgs, terminal: &Terminal) -> Result<(), Failure> {
    let circuit = opened::model(&args.model, terminal)?;
    let graph = circuit.graph.graph();
    let mut data = dataset(args, &circuit)?;
    if let Some(mask) = &args.missing {
        let mask = Mask::read(mask).map_err(Failure::of)?;
        data.hide(&mask).map_err(Failure::of)?;
    }
    let mut executor = opened::executor(graph, &circuit.params, &args.machine)?;
    let mut logs = Vec::new();
    let measured = measure_rows(executor.as_mut(), &data, &mut |chunk| logs.extend_from_slice(chunk))
        .map_err(|fault| circuit.failure(fault))?;
    if let Some(path) = &args.rows {
        write_atomically(path, |mut to| write_numbers(&mut to, &logs))
            .map_err(|d| Failure::Machine(d.message))?;
    }
    match args.format {
        Format::Json => print_line(&metrics(&measured).to_string()),
        Format::Human => {
            let rows = if measured.rows == 1 { "row" } else { "rows" };
            print_line(&format!(
                "{} {rows}: {}, perplexity {:.4}",
                measured.rows,
                words(&measured),
                measured.perplexity()
            ));
        }
    }
    if let (Some(row), Format::Human) = (measured.first_impossible_row, args.format) {
        terminal.say(&format!(
            "row {row} is impossible under the model, and {} in all",
            measured.impossible_rows
        ));
    }
    Ok(())
}

fn dataset(args: &EvalArgs, circuit: &Circuit) -> Result<Dataset, Failure> {
    let graph = circuit.graph.graph();
    let pcc_data = std::env::var_os("PCC_DATA").map(PathBuf::from);
    let places: Vec<PathBuf> = std::iter::once(PathBuf::new()).chain(pcc_data).collect();
    let file = find_file(&args.data.display().to_string(), &places, Span::NONE).map_err(Failure::of)?;
    let groups: Vec<VarGroup> = graph.var_groups().to_vec();
    let source = DataSource {
        name: "data".into(),
        variables: observed(graph),
        path: file.display().to_string(),
        beside: String::new(),
        reader: reader(args, &file, graph)?,
        rows: rows(args.range.as_deref())?,
        span: Span::NONE,
    };
    let mut sets = DataSets::new(vec![source], groups, None);
    for (group, vocabulary) in &circuit.vocabularies {
        sets.set_vocabulary(group, vocabulary.clone());
    }
    let data = sets.get("data").map_err(Failure::of)?;
    // The sets are dropped here, and were the only other owner.
    drop(sets);
    Ok(std::sync::Arc::unwrap_or_clone(data))
}

/// The groups that data covers: all but latents.
fn observed(graph: &Graph) -> Vec<String> {
    graph.var_groups().iter().filter(|g| !g.is_latent).map(|g| g.name.clone()).collect()
}

/// How the file is read: its content says so, except that text must be asked for.
fn reader(args: &EvalArgs, file: &Path, graph: &Graph) -> Result<Reader, Failure> {
    if args.text {
        let window = graph.variables().iter().filter(|v| !v.is_latent).count();
        return Ok(Reader::Text(TextOptions {
            window,
            stride: window,
            by_character: false,
            vocabulary: None,
            vocabulary_of: "data".into(),
        }));
    }
    let content = read_file(file).map_err(Failure::of)?;
    match Content::of(&content) {
        Content::Idx => Ok(Reader::Idx),
        Content::Npy => Ok(Reader::Npy),
        Content::Zip => {
            Err(Failure::Usage("an `.npz` holds several arrays; save the one to evaluate as `.npy`".into()))
        }
        Content::Text | Content::Empty => Ok(table_reader(&String::from_utf8_lossy(&content))),
        other => {
            let message = format!("`{}` is {other}, not data", file.display());
            Err(Failure::of(Diagnostic::error("data-format", message)))
        }
    }
}

/// Comma-separated values where there are commas or names, else lines of 0 and 1.
fn table_reader(text: &str) -> Reader {
    let first = text.lines().next().unwrap_or_default();
    let is_value = |field: &str| {
        let field = field.trim();
        field.is_empty()
            || ["?", "*", "NA", "nan"].contains(&field)
            || field.parse::<f64>().is_ok()
            || ["true", "false"].contains(&field)
    };
    let has_header = first.split(',').any(|field| !is_value(field));
    match first.contains(',') || has_header {
        true => Reader::Csv { has_header, separator: ',' },
        false => Reader::Bits,
    }
}

fn rows(range: Option<&str>) -> Result<Rows, Failure> {
    let Some(text) = range else { return Ok(Rows::default()) };
    let wrong = || Failure::Usage(format!("`--range {text}` is no half-open range such as `0..1000`"));
    let (start, end) = text.split_once("..").ok_or_else(wrong)?;
    let start = if start.is_empty() { 0 } else { start.parse().map_err(|_| wrong())? };
    let end = if end.is_empty() { None } else { Some(end.parse().map_err(|_| wrong())?) };
    Ok(Rows { start, end })
}
