//! Circuits with answers: every `//? query = number` of a file, in every mode that can answer it, and every
//! `//? query = code` of a diagnostic that refuses it.
//!
//! The modes are the float64 interpreter, compiled code in one and in two threads, the log-space executor,
//! the circuit after all passes, the circuit after its text form was printed and read back, the source
//! after formatting, and enumeration where there are at most 2^16 assignments. All must agree with the file.
//!
//! Circuits without values in the source have none: such files are for other tests.

use pcc_diag::{Sink, Sources};
use pcc_front::{Settings, World};
use pcc_grammar::ast::QueryKind;
use pcc_ir::recipe::{DataSource, LearnRequest, Learned};
use pcc_ir::{Batch, Checked, Graph, Params, Value, VarGroup, VarId};
use pcc_runtime::exec::{CpuExecutor, CpuOptions, Executor, Interpreter, LogExecutor};
use pcc_runtime::query::{Exactness, log_probability, most_probable};
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;

/// A query of the file with its answer.
struct Question {
    line: usize,
    text: String,
    expected: Expected,
}

/// What the file says of a query.
#[derive(Clone, Debug, PartialEq)]
enum Expected {
    /// The answer.
    Number(f64),
    /// The code of the diagnostic that refuses it.
    Refusal(String),
}

/// How near an answer must be: compiled code works in 32-bit floats.
const TOLERANCE: f64 = 2e-6;

/// A world without files and without data.
struct NoWorld;

impl World for NoWorld {
    fn read(&self, path: &str) -> Result<String, String> {
        Err(format!("{path} is not embedded"))
    }

    fn learned(
        &self,
        _: &LearnRequest,
        _: &[DataSource],
        _: &[VarGroup],
    ) -> Result<Option<Learned>, pcc_diag::Diagnostic> {
        Ok(None)
    }
}

/// Asks all questions of a file.
pub fn file(path: &Path) -> Result<(), String> {
    let text = std::fs::read_to_string(path).map_err(|e| e.to_string())?;
    let questions = questions(&text)?;
    if questions.is_empty() {
        return Err("the file asks nothing; write `//? p(A = true) = 0.3`".into());
    }
    let graph = graph_of(&text)?;
    let formatted = formatted(&text)?;
    for (name, mut mode) in modes(&graph, &graph_of(&formatted)?)? {
        for question in &questions {
            compare(question, answer(mode.as_mut(), &question.text)?, &name)?;
        }
    }
    let has_number = |q: &&Question| matches!(q.expected, Expected::Number(_));
    questions.iter().filter(has_number).try_for_each(|q| match enumerated(&graph, &q.text)? {
        Some(found) => compare(q, Expected::Number(found), "enumeration"),
        None => Ok(()),
    })
}

fn questions(text: &str) -> Result<Vec<Question>, String> {
    let numbered =
        text.lines().enumerate().filter_map(|(i, l)| Some((i + 1, l.trim().strip_prefix("//? ")?)));
    numbered
        .map(|(line, question)| {
            let (text, expected) =
                question.rsplit_once(") = ").ok_or(format!("line {line}: no `= number`"))?;
            let expected = expected.trim();
            let is_code = expected.chars().all(|c| c.is_ascii_lowercase() || c == '-');
            let expected = match expected.parse() {
                Ok(number) => Expected::Number(number),
                Err(_) if is_code => Expected::Refusal(expected.into()),
                Err(error) => return Err(format!("line {line}: {error}")),
            };
            Ok(Question { line, text: format!("{text})"), expected })
        })
        .collect()
}

fn compare(question: &Question, found: Expected, mode: &str) -> Result<(), String> {
    let is_right = match (&found, &question.expected) {
        (Expected::Number(found), Expected::Number(expected)) => {
            (found - expected).abs() <= TOLERANCE * expected.abs().max(1e-3) || found == expected
        }
        (found, expected) => found == expected,
    };
    match is_right {
        true => Ok(()),
        false => Err(format!(
            "line {}: {} is {found:?} by {mode}, not {:?}",
            question.line, question.text, question.expected
        )),
    }
}

/// The last circuit of a program.
pub fn graph_of(text: &str) -> Result<Graph, String> {
    let mut sources = Sources::new();
    let mut sink = Sink::new();
    let world = OneFile(text);
    let program = pcc_front::load("test.pc", &world, &mut sources, &mut sink);
    let settings = Settings::plain();
    let circuit = program.circuits().last().ok_or("the file has no circuit")?.to_string();
    let elaborated = pcc_front::elaborate(&program, &circuit, &world, &settings, &mut sink);
    match elaborated {
        Some(elaborated) if !sink.has_errors() => Ok(elaborated.graph),
        _ => Err(sink.found().iter().map(|d| format!("{}: {}\n", d.code, d.message)).collect()),
    }
}

/// A world with one file, `test.pc`.
struct OneFile<'t>(&'t str);

impl World for OneFile<'_> {
    fn read(&self, path: &str) -> Result<String, String> {
        if path == "test.pc" { Ok(self.0.into()) } else { NoWorld.read(path) }
    }

    fn learned(
        &self,
        request: &LearnRequest,
        sources: &[DataSource],
        variables: &[VarGroup],
    ) -> Result<Option<Learned>, pcc_diag::Diagnostic> {
        NoWorld.learned(request, sources, variables)
    }
}

fn formatted(text: &str) -> Result<String, String> {
    let file = Sources::new().add("test.pc", text);
    let parse = pcc_grammar::parse(file, text);
    match parse.errors.first() {
        None => Ok(pcc_grammar::format(text, &parse)),
        Some(error) => Err(error.message.clone()),
    }
}

type Mode = (String, Box<dyn Executor>);

fn modes(graph: &Graph, reformatted: &Graph) -> Result<Vec<Mode>, String> {
    let read_back = pcc_ir::graph::read(&pcc_ir::graph::print(graph)).map_err(|e| format!("{e:?}"))?;
    let passed = passed(graph)?;
    let mut modes: Vec<Mode> = Vec::new();
    let graphs = [("", graph), ("formatted ", reformatted), ("read back ", &read_back), ("passed ", &passed)];
    for (name, graph) in graphs {
        let params = Params::of(graph);
        modes.push((format!("{name}interpreter"), Box::new(Interpreter::new(graph.clone(), params.clone()))));
        for threads in [NonZeroUsize::MIN, NonZeroUsize::MIN.saturating_add(1)] {
            let options = CpuOptions::threads(threads);
            let cpu = CpuExecutor::new(graph.clone(), params.clone(), options).map_err(|e| e.to_string())?;
            modes.push((format!("{name}compiled, {threads} threads"), Box::new(cpu)));
        }
        modes.push((format!("{name}log space"), Box::new(LogExecutor::new(graph.clone(), params))));
    }
    Ok(modes)
}

/// The circuit after all passes, each verified.
fn passed(graph: &Graph) -> Result<Graph, String> {
    let checked = Checked::new(graph.clone()).map_err(|v| format!("{v:?}"))?;
    let config = pcc_opt::Config { is_verifying: true, ..pcc_opt::Config::ALL };
    Ok(pcc_opt::optimize(checked, &config, &|| Duration::ZERO).graph.into_graph())
}

/// A probability, or for `map` the logarithm of the probability of the completion, or the refusal.
fn answer(executor: &mut dyn Executor, text: &str) -> Result<Expected, String> {
    let query = resolve(executor.graph(), text)?;
    let mut given = Batch::missing(executor.graph().variables().len(), 1);
    query.given.iter().for_each(|&(var, value)| given.set(0, var, value));
    let found = match query.kind {
        QueryKind::Probability => {
            let mut targets = Batch::missing(given.n_variables(), 1);
            let values = query.targets.iter();
            values.for_each(|&(var, value)| targets.set(0, var, value.unwrap_or(Value::Missing)));
            log_probability(executor, &targets, &given).map(|logs| logs[0].exp())
        }
        QueryKind::Map => most_probable(executor, &given, Exactness::Exact).map(|found| found[0].log_value),
        other => return Err(format!("the harness does not ask {other:?}")),
    };
    Ok(match found {
        Ok(number) => Expected::Number(number),
        Err(refusal) => Expected::Refusal(refusal.code.into()),
    })
}

fn resolve(graph: &Graph, text: &str) -> Result<pcc_front::ResolvedQuery, String> {
    let file = Sources::new().add("query", text);
    let query = pcc_grammar::parse_query(file, text).map_err(|e| e[0].message.clone())?;
    pcc_front::resolve_query(&query, graph).map_err(|d| d.message)
}

/// The answer by summing the interpreter over all complete assignments, or by maximising it over those of
/// the observed variables.
fn enumerated(graph: &Graph, text: &str) -> Result<Option<f64>, String> {
    let query = resolve(graph, text)?;
    let Some(rows) = assignments(graph, query.kind != QueryKind::Map) else { return Ok(None) };
    let mut interpreter = Interpreter::new(graph.clone(), Params::of(graph));
    let logs = interpreter.log_likelihoods(&rows);
    let agrees = |row: usize, var: VarId, value: Value| rows.get(graph, row, var) == value;
    let (mut joint, mut condition, mut best) = (0.0, 0.0, f64::NEG_INFINITY);
    for (row, log) in logs.iter().enumerate() {
        if !query.given.iter().all(|&(var, value)| agrees(row, var, value)) {
            continue;
        }
        condition += log.exp();
        best = best.max(*log);
        if query.targets.iter().all(|&(var, value)| value.is_none_or(|v| agrees(row, var, v))) {
            joint += log.exp();
        }
    }
    Ok(Some(if query.kind == QueryKind::Map { best } else { joint / condition }))
}

/// All assignments, of latents too if asked for; `None` where there are too many, or a variable has no
/// smallest set of values.
fn assignments(graph: &Graph, with_latents: bool) -> Option<Batch> {
    let is_missing = |v: usize| graph.variables()[v].is_latent && !with_latents;
    let radix = |v: usize| match is_missing(v) {
        true => Some(1),
        false => graph.variables()[v].domain.n_values().map(u64::from),
    };
    let radices: Vec<u64> = (0..graph.variables().len()).map(radix).collect::<Option<_>>()?;
    let total = radices.iter().try_fold(1u64, |n, r| n.checked_mul(*r)).filter(|n| *n <= 1 << 16)?;
    let mut batch = Batch::missing(radices.len(), total as usize);
    for row in 0..total {
        let mut rest = row;
        for (v, &radix) in radices.iter().enumerate().filter(|(v, _)| !is_missing(*v)) {
            batch.set(row as usize, VarId::new(v), Value::Code((rest % radix) as u32));
            rest /= radix;
        }
    }
    Some(batch)
}
