//! `pcc query`: a question to one row of evidence, or to every row of a file.

mod answer;
mod form;

use crate::args::{Format, QueryArgs};
use crate::cmd::sample;
use crate::failure::Failure;
use crate::opened::{self, Circuit};
use crate::rows;
use crate::terminal::{Terminal, print_text};
use answer::{Answer, Question};
use pcc_diag::{Diagnostic, Sources};
use pcc_front::ResolvedQuery;
use pcc_grammar::ast::QueryKind;
use pcc_ir::{Batch, Graph};
use pcc_runtime::data::{write_atomically, write_matrix, write_matrix_csv};
use pcc_runtime::exec::Executor;
use pcc_runtime::query::refuse_impossible;
use pcc_runtime::recipe::write_samples;
use std::path::Path;

/// Asks.
pub fn run(args: &QueryArgs, terminal: &Terminal) -> Result<(), Failure> {
    let circuit = opened::model(&args.model, terminal)?;
    let graph = circuit.graph.graph();
    let mut sources = circuit.sources.clone();
    let file = sources.add("query", args.query.clone());
    let parsed =
        pcc_grammar::parse_query(file, &args.query).map_err(|e| Failure::Program(e, sources.clone()))?;
    let query =
        pcc_front::resolve_query(&parsed, graph).map_err(|d| Failure::Program(vec![d], sources.clone()))?;
    let evidence = Evidence::of(args, &query, &circuit, &sources)?;
    let mut executor = opened::executor(graph, &circuit.params, &args.machine)?;
    let fail = |fault: Diagnostic| {
        let fault = if fault.labels.is_empty() { fault.at(parsed.span, "") } else { fault };
        Failure::Program(vec![fault], sources.clone())
    };
    let question = Question::new(args, graph, &query);
    match &args.out {
        Some(path) => write(&question, &evidence, executor.as_mut(), path).map_err(fail),
        None => print(&question, &evidence, executor.as_mut(), args.format).map_err(fail),
    }
}

/// What is known, row by row.
struct Evidence {
    rows: Batch,
    /// The number of the first row in its file, counted from one; nothing without a file.
    first: Option<u64>,
}

impl Evidence {
    /// The evidence of the query, added to every row of the data if there is any.
    fn of(
        args: &QueryArgs,
        query: &ResolvedQuery,
        circuit: &Circuit,
        sources: &Sources,
    ) -> Result<Self, Failure> {
        let graph = circuit.graph.graph();
        let Some(file) = &args.data else {
            let mut rows = Batch::missing(graph.variables().len(), 1);
            query.given.iter().for_each(|&(var, value)| rows.set(0, var, value));
            return Ok(Evidence { rows, first: None });
        };
        let data = rows::open(file, &args.reading, circuit)?;
        let first = rows::range(args.reading.range.as_deref())?.start + 1;
        let mut rows = Batch::default();
        data.batch(0..data.n_rows(), &mut rows);
        for row in 0..rows.n_rows() {
            add(query, graph, row, first, &mut rows)
                .map_err(|fault| Failure::Program(vec![fault], sources.clone()))?;
        }
        Ok(Evidence { rows, first: Some(first) })
    }

    /// Runs of rows that are answered together. Samples need all, since each is drawn by its place.
    fn runs(&self, kind: QueryKind) -> Vec<(usize, Batch)> {
        const AT_ONCE: usize = 256;
        let size = if kind == QueryKind::Sample { self.rows.n_rows().max(1) } else { AT_ONCE };
        let run = |first: usize| {
            let mut batch = Batch::empty(self.rows.n_variables());
            (first..self.rows.n_rows().min(first + size)).for_each(|row| batch.push(self.rows.row(row)));
            (first, batch)
        };
        (0..self.rows.n_rows()).step_by(size).map(run).collect()
    }
}

/// Adds the evidence of the query to a row that must not say otherwise.
fn add(
    query: &ResolvedQuery,
    graph: &Graph,
    row: usize,
    first: u64,
    rows: &mut Batch,
) -> Result<(), Diagnostic> {
    for &(var, value) in &query.given {
        let known = rows.get(graph, row, var);
        if known != pcc_ir::Value::Missing && known != value {
            let (name, row) = (graph.variable_name(var), first + row as u64);
            let message = format!("row {row} and the query give `{name}` two different values");
            return Err(Diagnostic::error("contradictory-evidence", message)
                .help("leave the value out of the query, or hide it in the rows with `--missing`"));
        }
        rows.set(row, var, value);
    }
    Ok(())
}

/// Calls `take` with the answers of each run of rows, and the position of its first row.
fn answer_all(
    question: &Question,
    evidence: &Evidence,
    executor: &mut dyn Executor,
    mut take: impl FnMut(usize, Vec<Answer>) -> Result<(), Diagnostic>,
) -> Result<(), Diagnostic> {
    refuse_impossible(executor, &evidence.rows, evidence.first.unwrap_or(1))?;
    for (first, rows) in evidence.runs(question.query.kind) {
        take(first, question.answers(executor, &rows)?)?;
    }
    Ok(())
}

/// Prints the answers, row after row.
fn print(
    question: &Question,
    evidence: &Evidence,
    executor: &mut dyn Executor,
    format: Format,
) -> Result<(), Diagnostic> {
    answer_all(question, evidence, executor, |position, answers| {
        if let (QueryKind::Sample, Format::Human) = (question.query.kind, format) {
            print_text(&sample::table(question.graph, &assignments(question, &answers)));
            return Ok(());
        }
        for (i, answer) in answers.iter().enumerate() {
            let row = evidence.first.map(|first| first + (position + i) as u64);
            print_text(&match format {
                Format::Json => form::json(question, answer, row),
                Format::Human => form::human(question, answer, row),
            });
        }
        Ok(())
    })
}

/// Writes the answers to a file: completed rows as data, other answers as a table of numbers.
fn write(
    question: &Question,
    evidence: &Evidence,
    executor: &mut dyn Executor,
    path: &Path,
) -> Result<(), Diagnostic> {
    let is_completion = matches!(question.query.kind, QueryKind::Map | QueryKind::Sample);
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    refuse_unwritable(question, is_completion, path, extension)?;
    let mut all = Vec::new();
    answer_all(question, evidence, executor, |_, answers| {
        all.extend(answers);
        Ok(())
    })?;
    if is_completion {
        return write_samples(path, question.graph, &assignments(question, &all));
    }
    let columns = form::columns(question);
    let numbers: Vec<f64> = all.iter().flat_map(form::numbers).collect();
    match extension {
        "npy" => write_atomically(path, |mut to| write_matrix(&mut to, columns.len(), &numbers)),
        _ => write_atomically(path, |mut to| write_matrix_csv(&mut to, &columns, &numbers)),
    }
}

/// Says before anything is computed what a file can't hold.
fn refuse_unwritable(
    question: &Question,
    is_completion: bool,
    path: &Path,
    extension: &str,
) -> Result<(), Diagnostic> {
    let graph = question.graph;
    let is_known = ["npy", "csv"].contains(&extension) || (is_completion && extension == "png");
    if !is_known {
        let message = format!("answers can't be written to `{}`: its name says no format", path.display());
        return Err(Diagnostic::error("unknown-format", message).help("end the name in `.npy` or `.csv`"));
    }
    match question.variables.iter().find(|&&var| is_completion && graph.variable(var).is_latent) {
        None => Ok(()),
        Some(&var) => {
            let name = graph.variable_name(var);
            let message = format!("completed rows are written as data, which has no latent `{name}`");
            Err(Diagnostic::error("unsupported-query", message)
                .help("leave `--out` out, and take `--format json`"))
        }
    }
}

/// The rows of answers that are assignments.
fn assignments(question: &Question, answers: &[Answer]) -> Batch {
    let mut rows = Batch::empty(question.graph.variables().len());
    for answer in answers {
        if let Answer::Assignment { words, .. } = answer {
            rows.push(words);
        }
    }
    rows
}
