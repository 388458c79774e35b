//! `pcc query`: one question, one answer.

use crate::args::{Format, QueryArgs};
use crate::cmd::sample;
use crate::failure::Failure;
use crate::opened;
use crate::terminal::{Terminal, print_text};
use pcc_diag::Diagnostic;
use pcc_front::ResolvedQuery;
use pcc_grammar::ast::QueryKind;
use pcc_ir::{Batch, Domain, Graph, Value, VarId};
use pcc_runtime::exec::Executor;
use pcc_runtime::query::{Exactness, Posterior, log_probability, most_probable_with, posteriors};
use serde_json::json;

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
    let mut executor = opened::executor(graph, &circuit.params, &args.machine)?;
    let answer = answer(args, graph, &query, executor.as_mut()).map_err(|fault| {
        let fault = if fault.labels.is_empty() { fault.at(parsed.span, "") } else { fault };
        Failure::Program(vec![fault], sources)
    })?;
    print_text(&answer);
    Ok(())
}

fn answer(
    args: &QueryArgs,
    graph: &Graph,
    query: &ResolvedQuery,
    executor: &mut dyn Executor,
) -> Result<String, Diagnostic> {
    let mut given = Batch::missing(graph.variables().len(), 1);
    query.given.iter().for_each(|&(var, value)| given.set(0, var, value));
    match query.kind {
        QueryKind::Probability => probability(args, query, &given, executor),
        QueryKind::Map => likeliest(args, graph, query, &given, executor),
        QueryKind::Marginals => marginals(args, graph, query, &given, executor),
        QueryKind::Mean | QueryKind::Variance => moments(args, graph, query, &given, executor),
        QueryKind::Sample => {
            let row = pcc_runtime::query::sample(executor, &given, 1, args.seed)?;
            match args.format {
                Format::Json => Ok(assignment_line(args, graph, query, row.row(0), None)),
                Format::Human => sample::table(graph, &row).map_err(|_| later(query.kind)),
            }
        }
        other => Err(later(other)),
    }
}

fn later(kind: QueryKind) -> Diagnostic {
    let word = QueryKind::WORDS.iter().find(|(_, k)| *k == kind).map_or("this query", |(word, _)| word);
    Diagnostic::error("unsupported-query", format!("this version of pcc does not answer `{word}(..)`"))
        .help("it answers `p`, `map`, `marginals`, `mean`, `variance` and `sample`")
}

fn probability(
    args: &QueryArgs,
    query: &ResolvedQuery,
    given: &Batch,
    executor: &mut dyn Executor,
) -> Result<String, Diagnostic> {
    let mut targets = Batch::missing(given.n_variables(), 1);
    query.targets.iter().for_each(|&(var, value)| targets.set(0, var, value.unwrap_or(Value::Missing)));
    let log = log_probability(executor, &targets, given)?[0];
    Ok(match args.format {
        Format::Json => {
            format!("{}\n", json!({"query": args.query, "value": log.exp(), "log_value": log}))
        }
        Format::Human => format!("{}   (ln {log:.6})\n", significant(log.exp(), log)),
    })
}

/// A probability in six digits; one too small for a float is written as a power of e.
fn significant(value: f64, log: f64) -> String {
    match value {
        v if v == 0.0 && log > f64::NEG_INFINITY => format!("e^{log:.4}"),
        v if v != 0.0 && v < 1e-4 => format!("{v:.6e}"),
        v => format!("{v:.6}"),
    }
}

fn likeliest(
    args: &QueryArgs,
    graph: &Graph,
    query: &ResolvedQuery,
    given: &Batch,
    executor: &mut dyn Executor,
) -> Result<String, Diagnostic> {
    refuse_marginal_map(graph, query)?;
    let exactness = if args.approx { Exactness::Approximate } else { Exactness::Exact };
    let targets = query.targets.iter().map(|&(var, _)| var);
    let latents: Vec<VarId> = targets.filter(|&var| graph.variable(var).is_latent).collect();
    let found = most_probable_with(executor, given, &latents, exactness)?.remove(0);
    Ok(match args.format {
        Format::Json => {
            assignment_line(args, graph, query, &found.row, Some((found.log_value, found.is_exact)))
        }
        Format::Human => {
            let note = if found.is_exact { "" } else { ", approximate" };
            let values = assignment(graph, query, &found.row);
            let values: Vec<String> =
                values.iter().map(|(name, value)| format!("{name} = {value}")).collect();
            format!("{}   (ln {:.6}{note})\n", values.join(", "), found.log_value)
        }
    })
}

/// `map` maximises over every variable that is not given; over a part of them is another, harder question.
fn refuse_marginal_map(graph: &Graph, query: &ResolvedQuery) -> Result<(), Diagnostic> {
    let is_named = |var: VarId| {
        query.targets.iter().any(|&(v, _)| v == var) || query.given.iter().any(|&(v, _)| v == var)
    };
    let left_out = graph
        .scope(graph.root())
        .iter()
        .find(|&v| !query.targets.is_empty() && !graph.variable(v).is_latent && !is_named(v));
    match left_out {
        None => Ok(()),
        Some(var) => {
            let message =
                format!("`map` over a part of the variables sums `{}` out", graph.variable_name(var));
            Err(Diagnostic::error("unsupported-query", message)
                .help("leave the targets out: `map(| ..)` is over all variables that are not given"))
        }
    }
}

fn marginals(
    args: &QueryArgs,
    graph: &Graph,
    query: &ResolvedQuery,
    given: &Batch,
    executor: &mut dyn Executor,
) -> Result<String, Diagnostic> {
    let variables = asked(graph, query);
    let found = posteriors(executor, given, &variables)?.remove(0);
    let named = variables.iter().zip(&found).map(|(&var, posterior)| (graph.variable_name(var), posterior));
    Ok(match args.format {
        Format::Json => {
            let value: serde_json::Map<String, serde_json::Value> =
                named.map(|(name, posterior)| (name, as_json(posterior))).collect();
            format!("{}\n", json!({"query": args.query, "value": value}))
        }
        Format::Human => {
            named.map(|(name, posterior)| format!("{name}: {}\n", in_words(posterior))).collect()
        }
    })
}

/// The variables asked about: those named, or all that are not given.
fn asked(graph: &Graph, query: &ResolvedQuery) -> Vec<VarId> {
    let is_given = |var: VarId| query.given.iter().any(|&(v, _)| v == var);
    match query.targets.is_empty() {
        false => query.targets.iter().map(|&(var, _)| var).collect(),
        true => {
            let scope = graph.scope(graph.root());
            scope.iter().filter(|&v| !graph.variable(v).is_latent && !is_given(v)).collect()
        }
    }
}

fn as_json(posterior: &Posterior) -> serde_json::Value {
    match posterior {
        Posterior::Table(table) => json!(table),
        Posterior::Moments { mean, sd } => json!({"mean": mean, "sd": sd}),
    }
}

fn in_words(posterior: &Posterior) -> String {
    match posterior {
        Posterior::Table(table) => table.iter().map(|p| format!("{p:.6}")).collect::<Vec<_>>().join(" "),
        Posterior::Moments { mean, sd } => format!("mean {mean:.6}, standard deviation {sd:.6}"),
    }
}

fn moments(
    args: &QueryArgs,
    graph: &Graph,
    query: &ResolvedQuery,
    given: &Batch,
    executor: &mut dyn Executor,
) -> Result<String, Diagnostic> {
    let variables = asked(graph, query);
    let found = posteriors(executor, given, &variables)?.remove(0);
    let values: Vec<(String, f64)> = variables
        .iter()
        .zip(&found)
        .map(|(&var, posterior)| {
            let (mean, variance) = mean_and_variance(graph.variable(var).domain, posterior);
            (graph.variable_name(var), if query.kind == QueryKind::Mean { mean } else { variance })
        })
        .collect();
    Ok(match (args.format, values.as_slice()) {
        (Format::Json, [(_, value)]) => format!("{}\n", json!({"query": args.query, "value": value})),
        (Format::Json, _) => {
            let value: serde_json::Map<String, serde_json::Value> =
                values.into_iter().map(|(name, v)| (name, json!(v))).collect();
            format!("{}\n", json!({"query": args.query, "value": value}))
        }
        (Format::Human, _) => values.iter().map(|(name, value)| format!("{name}: {value:.6}\n")).collect(),
    })
}

/// Of the value itself, not of its code.
fn mean_and_variance(domain: Domain, posterior: &Posterior) -> (f64, f64) {
    match posterior {
        Posterior::Moments { mean, sd } => (*mean, sd * sd),
        Posterior::Table(table) => {
            let values = || table.iter().enumerate().map(|(code, p)| (domain.value_of(code as u32), p));
            let mean: f64 = values().map(|(x, p)| x * p).sum();
            (mean, values().map(|(x, p)| (x - mean) * (x - mean) * p).sum())
        }
    }
}

/// The values of a row that were not given, by name.
fn assignment(graph: &Graph, query: &ResolvedQuery, row: &[u32]) -> Vec<(String, serde_json::Value)> {
    let variables = asked(graph, query);
    variables.iter().map(|&var| (graph.variable_name(var), value_of(graph, var, row))).collect()
}

fn value_of(graph: &Graph, var: VarId, row: &[u32]) -> serde_json::Value {
    let domain = graph.variable(var).domain;
    match Value::from_word(row[var.index()], domain.is_discrete()) {
        Value::Missing => serde_json::Value::Null,
        Value::Code(code) if domain == Domain::Bool => json!(code == 1),
        Value::Code(code) => json!(domain.value_of(code) as i64),
        Value::Real(x) => json!(x),
    }
}

fn assignment_line(
    args: &QueryArgs,
    graph: &Graph,
    query: &ResolvedQuery,
    row: &[u32],
    found: Option<(f64, bool)>,
) -> String {
    let assignment: serde_json::Map<String, serde_json::Value> =
        assignment(graph, query, row).into_iter().collect();
    let line = json!({
        "query": args.query,
        "assignment": assignment,
        "log_value": found.map(|f| f.0),
        "is_exact": found.map(|f| f.1),
    });
    format!("{line}\n")
}
