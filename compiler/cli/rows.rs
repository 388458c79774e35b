//! Data files named on the command line: found, recognised by their content, and read for a circuit.

use crate::args::ReadingArgs;
use crate::failure::Failure;
use crate::opened::Circuit;
use pcc_diag::{Diagnostic, Span};
use pcc_ir::recipe::{DataSource, Reader, Rows, TextOptions, WeightSource};
use pcc_ir::{Graph, VarGroup};
use pcc_runtime::data::{DataSets, Dataset, Mask, Weights, find_file, read_file};
use pcc_runtime::formats::Content;
use pcc_runtime::train::WeightedRows;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The name of the data in messages.
const DATA: &str = "data";
/// The name of its weights.
const WEIGHTS: &str = "weights";

/// The rows of a file over the observed variables of a circuit, with values hidden where a mask says so.
pub fn open(file: &Path, args: &ReadingArgs, circuit: &Circuit) -> Result<Dataset, Failure> {
    let mut sets = DataSets::new(vec![source(file, args, circuit)?], groups(circuit), None);
    for (group, vocabulary) in &circuit.vocabularies {
        sets.set_vocabulary(group, vocabulary.clone());
    }
    let data = sets.get(DATA).map_err(Failure::of)?;
    // The sets are dropped here, and were the only other owner.
    drop(sets);
    let mut data = Arc::unwrap_or_clone(data);
    if let Some(mask) = &args.missing {
        data.hide(&Mask::read(mask).map_err(Failure::of)?).map_err(Failure::of)?;
    }
    Ok(data)
}

/// The rows of a file, each counted as often as its weight in another file says.
pub fn open_weighted(
    file: &Path,
    weights: Option<&Path>,
    args: &ReadingArgs,
    circuit: &Circuit,
) -> Result<WeightedRows, Failure> {
    let data = Arc::new(open(file, args, circuit)?);
    let Some(weights) = weights else { return Ok(WeightedRows::new(data, None)) };
    let file = found(weights)?;
    let source = WeightSource {
        name: WEIGHTS.into(),
        of: DATA.into(),
        path: file.display().to_string(),
        beside: String::new(),
        reader: match content_reader(&file)? {
            // One number a line, with or without a name above: no commas.
            Reader::Bits => Reader::Csv { has_header: false, separator: ',' },
            other => other,
        },
        rows: range(args.range.as_deref())?,
        span: Span::NONE,
    };
    let weights = Weights::read(&source, data.n_rows(), &[PathBuf::new()]).map_err(Failure::of)?;
    Ok(WeightedRows::new(data, Some(Arc::new(weights))))
}

fn source(file: &Path, args: &ReadingArgs, circuit: &Circuit) -> Result<DataSource, Failure> {
    let graph = circuit.graph.graph();
    let file = found(file)?;
    Ok(DataSource {
        name: DATA.into(),
        variables: observed(graph),
        path: file.display().to_string(),
        beside: String::new(),
        reader: if args.text { text_reader(graph) } else { content_reader(&file)? },
        rows: range(args.range.as_deref())?,
        span: Span::NONE,
    })
}

/// Files are looked for here, then under `PCC_DATA`.
fn found(file: &Path) -> Result<PathBuf, Failure> {
    let pcc_data = std::env::var_os("PCC_DATA").map(PathBuf::from);
    let places: Vec<PathBuf> = std::iter::once(PathBuf::new()).chain(pcc_data).collect();
    find_file(&file.display().to_string(), &places, Span::NONE).map_err(Failure::of)
}

fn groups(circuit: &Circuit) -> Vec<VarGroup> {
    circuit.graph.graph().var_groups().to_vec()
}

/// The groups that data covers: all but latents.
fn observed(graph: &Graph) -> Vec<String> {
    graph.var_groups().iter().filter(|g| !g.is_latent).map(|g| g.name.clone()).collect()
}

/// Windows as long as the circuit has observed variables, in the words of the model.
fn text_reader(graph: &Graph) -> Reader {
    let window = graph.variables().iter().filter(|v| !v.is_latent).count();
    Reader::Text(TextOptions {
        window,
        stride: window,
        by_character: false,
        vocabulary: None,
        vocabulary_of: DATA.into(),
    })
}

/// How a file is read: its content says so.
fn content_reader(file: &Path) -> Result<Reader, Failure> {
    let content = read_file(file).map_err(Failure::of)?;
    match Content::of(&content) {
        Content::Idx => Ok(Reader::Idx),
        Content::Npy => Ok(Reader::Npy),
        Content::Zip => {
            Err(Failure::Usage("an `.npz` holds several arrays; save the one that is meant as `.npy`".into()))
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

/// The rows that `--range` names.
pub fn range(range: Option<&str>) -> Result<Rows, Failure> {
    let Some(text) = range else { return Ok(Rows::default()) };
    let wrong = || Failure::Usage(format!("`--range {text}` is no half-open range such as `0..1000`"));
    let (start, end) = text.split_once("..").ok_or_else(wrong)?;
    let start = if start.is_empty() { 0 } else { start.parse().map_err(|_| wrong())? };
    let end = if end.is_empty() { None } else { Some(end.parse().map_err(|_| wrong())?) };
    Ok(Rows { start, end })
}
