//! Variables and assignments in words: at most eight names, neighbours folded into ranges, then a count.

use crate::{Domain, Graph, Scope, Value, VarId};

/// The most names in one list.
const MOST_NAMES: usize = 8;
/// Neighbours from so many on are written as a range.
const SHORTEST_RANGE: usize = 4;

/// The variables of a scope: `X[1], X[2], Y[0..16] and 3 more`; `nothing` for none.
pub fn scope_in_words(graph: &Graph, scope: &Scope) -> String {
    let vars: Vec<VarId> = scope.iter().collect();
    let runs = runs(graph, &vars);
    let mut names: Vec<String> = Vec::new();
    let mut n_named = 0;
    for run in &runs {
        let of_run: Vec<String> = match run.len() {
            n if n >= SHORTEST_RANGE => vec![range(graph, run[0], run[n - 1])],
            _ => run.iter().map(|&var| graph.variable_name(var)).collect(),
        };
        let n = of_run.len();
        if names.len() + n > MOST_NAMES {
            break;
        }
        n_named += run.len();
        names.extend(of_run);
    }
    match vars.len() - n_named {
        0 if vars.is_empty() => "nothing".into(),
        0 => names.join(", "),
        n => format!("{} and {n} more", names.join(", ")),
    }
}

/// `A = true, X[3] = 7`; at most eight, then a count.
pub fn assignment_in_words(graph: &Graph, assignment: &[(VarId, Value)]) -> String {
    let shown = assignment.iter().take(MOST_NAMES);
    let words: Vec<String> = shown
        .map(|&(var, value)| format!("{} = {}", graph.variable_name(var), value_in_words(graph, var, value)))
        .collect();
    match assignment.len().saturating_sub(MOST_NAMES) {
        0 => words.join(", "),
        n => format!("{} and {n} more", words.join(", ")),
    }
}

fn value_in_words(graph: &Graph, var: VarId, value: Value) -> String {
    match (value, graph.variable(var).domain) {
        (Value::Code(code), Domain::Bool) => (code == 1).to_string(),
        (Value::Code(code), domain) => domain.value_of(code).to_string(),
        (Value::Real(x), _) => x.to_string(),
        (Value::Missing, _) => "?".into(),
    }
}

/// Variables that differ only in their last index, and there by one from each to the next.
fn runs(graph: &Graph, vars: &[VarId]) -> Vec<Vec<VarId>> {
    let mut runs: Vec<Vec<VarId>> = Vec::new();
    for &var in vars {
        let follows = runs.last().and_then(|run| run.last()).is_some_and(|&last| {
            let group = graph.var_group(graph.variable(var).group);
            let is_in_row = group.extents.last().is_some_and(|&n| !(var.0 - group.first.0).is_multiple_of(n));
            last.0 + 1 == var.0 && graph.variable(last).group == graph.variable(var).group && is_in_row
        });
        match runs.last_mut().filter(|_| follows) {
            Some(run) => run.push(var),
            None => runs.push(vec![var]),
        }
    }
    runs
}

/// `X[3, 0..28]`, half-open as in source.
fn range(graph: &Graph, first: VarId, last: VarId) -> String {
    let group = graph.var_group(graph.variable(first).group);
    let (low, high) = (group.index_of(first), group.index_of(last));
    let mut words: Vec<String> = low.iter().map(u32::to_string).collect();
    if let (Some(word), Some(end)) = (words.last_mut(), high.last()) {
        word.push_str(&format!("..{}", end + 1));
    }
    format!("{}[{}]", group.name, words.join(", "))
}
