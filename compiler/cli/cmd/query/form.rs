//! Answers in words, as JSON, and as rows of a table of numbers.

use super::answer::{Answer, Question};
use pcc_grammar::ast::QueryKind;
use pcc_ir::{Domain, Graph, Value, VarId};
use pcc_runtime::query::Posterior;
use serde_json::{Map, json};

/// One line of JSON: `query`, the answer, and the row's number if there are rows.
pub fn json(question: &Question, answer: &Answer, row: Option<u64>) -> String {
    let text = question.text;
    let mut object = match answer {
        Answer::Probability(log) => json!({"query": text, "value": log.exp(), "log_value": log}),
        Answer::Assignment { words, found } => {
            let assignment: Map<String, serde_json::Value> =
                assignment(question, words).into_iter().collect();
            json!({
                "query": text,
                "assignment": assignment,
                "log_value": found.map(|f| f.0),
                "is_exact": found.map(|f| f.1),
            })
        }
        Answer::Posteriors(found) => json!({"query": text, "value": by_name(question, found, as_json)}),
        Answer::Moments(values) => match values.as_slice() {
            [value] => json!({"query": text, "value": value}),
            _ => json!({"query": text, "value": by_name(question, values, |value| json!(value))}),
        },
    };
    if let (Some(row), Some(object)) = (row, object.as_object_mut()) {
        object.insert("row".into(), json!(row));
    }
    format!("{object}\n")
}

fn by_name<T>(
    question: &Question,
    values: &[T],
    form: impl Fn(&T) -> serde_json::Value,
) -> Map<String, serde_json::Value> {
    named(question, values).map(|(name, value)| (name, form(value))).collect()
}

/// One line, or one for each variable asked about.
pub fn human(question: &Question, answer: &Answer, row: Option<u64>) -> String {
    let before = row.map_or(String::new(), |row| format!("row {row}: "));
    let lines = |lines: Vec<String>| lines.iter().map(|line| format!("{before}{line}\n")).collect();
    match answer {
        Answer::Probability(log) => format!("{before}{}   (ln {log:.6})\n", significant(log.exp(), *log)),
        Answer::Assignment { words, found } => {
            let values = assignment(question, words).into_iter();
            let values: Vec<String> = values.map(|(name, value)| format!("{name} = {value}")).collect();
            let how = found.map_or(String::new(), |(log, is_exact)| {
                format!("   (ln {log:.6}{})", if is_exact { "" } else { ", approximate" })
            });
            format!("{before}{}{how}\n", values.join(", "))
        }
        Answer::Posteriors(found) => {
            lines(named(question, found).map(|(name, p)| format!("{name}: {}", in_words(p))).collect())
        }
        Answer::Moments(values) => {
            lines(named(question, values).map(|(name, value)| format!("{name}: {value:.6}")).collect())
        }
    }
}

fn named<'a, T>(question: &'a Question, values: &'a [T]) -> impl Iterator<Item = (String, &'a T)> {
    question.variables.iter().zip(values).map(|(&var, value)| (question.graph.variable_name(var), value))
}

/// A probability in six digits; one too small for a float is written as a power of e.
fn significant(value: f64, log: f64) -> String {
    match value {
        v if v == 0.0 && log > f64::NEG_INFINITY => format!("e^{log:.4}"),
        v if v != 0.0 && v < 1e-4 => format!("{v:.6e}"),
        v => format!("{v:.6}"),
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

/// The values of the variables asked about, by name.
fn assignment(question: &Question, words: &[u32]) -> Vec<(String, serde_json::Value)> {
    let graph = question.graph;
    let value = |&var: &VarId| (graph.variable_name(var), value_of(graph, var, words));
    question.variables.iter().map(value).collect()
}

fn value_of(graph: &Graph, var: VarId, words: &[u32]) -> serde_json::Value {
    let domain = graph.variable(var).domain;
    match Value::from_word(words[var.index()], domain.is_discrete()) {
        Value::Missing => serde_json::Value::Null,
        Value::Code(code) if domain == Domain::Bool => json!(code == 1),
        Value::Code(code) => json!(domain.value_of(code) as i64),
        Value::Real(x) => json!(x),
    }
}

/// The names of the numbers that [`numbers`] gives for a row.
pub fn columns(question: &Question) -> Vec<String> {
    let of_variable = |&var: &VarId| -> Vec<String> {
        let (name, domain) = (question.graph.variable_name(var), question.graph.variable(var).domain);
        match domain.n_values() {
            Some(n) => (0..n).map(|code| format!("{name} = {}", domain.value_of(code))).collect(),
            None => vec![format!("{name}.mean"), format!("{name}.sd")],
        }
    };
    match question.query.kind {
        QueryKind::Probability => vec!["value".into(), "log_value".into()],
        QueryKind::Marginals => question.variables.iter().flat_map(of_variable).collect(),
        _ => question.variables.iter().map(|&var| question.graph.variable_name(var)).collect(),
    }
}

/// The numbers of one row; none for an assignment, which is written as data.
pub fn numbers(answer: &Answer) -> Vec<f64> {
    match answer {
        Answer::Probability(log) => vec![log.exp(), *log],
        Answer::Assignment { .. } => Vec::new(),
        Answer::Posteriors(found) => found.iter().flat_map(of_posterior).collect(),
        Answer::Moments(values) => values.clone(),
    }
}

fn of_posterior(posterior: &Posterior) -> Vec<f64> {
    match posterior {
        Posterior::Table(table) => table.clone(),
        Posterior::Moments { mean, sd } => vec![*mean, *sd],
    }
}
