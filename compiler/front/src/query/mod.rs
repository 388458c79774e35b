//! Queries: a question in words becomes variables and values of a circuit.
//!
//! In go a parsed [`ast::Query`] and the graph of a model; out come variable ids, codes and numbers, checked
//! against the domains. A boolean variable stands for itself being true, as it does in a circuit. Nothing is
//! computed here.

mod subject;
mod value;

use pcc_diag::{Diagnostic, Span};
use pcc_grammar::ast::{self, ExprKind, QueryKind, UnaryOp};
use pcc_ir::{Domain, Graph, Value, VarId};

/// A query over the variables of a graph.
#[derive(Clone, Debug, PartialEq)]
pub struct ResolvedQuery {
    /// What is asked.
    pub kind: QueryKind,
    /// Variables asked about, with their value where one was written.
    pub targets: Vec<(VarId, Option<Value>)>,
    /// What is known.
    pub given: Vec<(VarId, Value)>,
}

/// Finds the variables of a query in a graph.
///
/// # Errors
/// `unknown-name` with a suggestion, `index-outside`, `value-out-of-domain`, `query-needs-value` where a
/// value must be written, `contradictory-evidence` when a variable is given two values.
pub fn resolve_query(query: &ast::Query, graph: &Graph) -> Result<ResolvedQuery, Diagnostic> {
    let needs_values = query.kind == QueryKind::Probability;
    let mut targets = Vec::new();
    for term in &query.targets {
        for (var, value, span) in resolve_term(term, graph)? {
            match value.or(implied(graph, var)) {
                Some(value) if needs_values || term.value.is_some() => targets.push((var, Some(value))),
                None if needs_values => return Err(needs_value(graph, var, span)),
                _ => targets.push((var, None)),
            }
        }
    }
    let given = resolve_evidence(&query.given, graph)?;
    refuse_two_values(graph, &targets, &given, query.span)?;
    Ok(ResolvedQuery { kind: query.kind, targets, given })
}

/// Finds the variables and values of evidence alone, such as `A = 1, not B`.
///
/// # Errors
/// As [`resolve_query`].
pub fn resolve_evidence(terms: &[ast::Term], graph: &Graph) -> Result<Vec<(VarId, Value)>, Diagnostic> {
    let mut given = Vec::new();
    for term in terms {
        for (var, value, span) in resolve_term(term, graph)? {
            let value = value.or(implied(graph, var)).ok_or_else(|| needs_value(graph, var, span))?;
            given.push((var, value));
        }
    }
    Ok(given)
}

/// One variable of a term, with its written value and the place of the variable.
type Found = (VarId, Option<Value>, Span);

fn resolve_term(term: &ast::Term, graph: &Graph) -> Result<Vec<Found>, Diagnostic> {
    if let ExprKind::Unary(UnaryOp::Not, inner) = &term.subject.kind {
        return negated(term, inner, graph);
    }
    let variables = subject::variables(&term.subject, graph)?;
    let Some(written) = &term.value else {
        return Ok(variables.into_iter().map(|v| (v, None, term.subject.span)).collect());
    };
    let values = value::values(written, &variables, graph)?;
    let pairs = variables.into_iter().zip(values);
    Ok(pairs.map(|(var, value)| (var, Some(value), term.subject.span)).collect())
}

/// `not A`: the boolean variable A is false.
fn negated(term: &ast::Term, inner: &ast::Expr, graph: &Graph) -> Result<Vec<Found>, Diagnostic> {
    let variables = subject::variables(inner, graph)?;
    if let Some(&other) = variables.iter().find(|&&v| graph.variable(v).domain != Domain::Bool) {
        let name = graph.variable_name(other);
        let domain = graph.variable(other).domain;
        let message = format!("`not` speaks of a boolean variable, but `{name}` is `{domain}`");
        return Err(Diagnostic::error("kind-mismatch", message)
            .at(inner.span, "")
            .help(format!("write the value: `{name} = ..`")));
    }
    Ok(variables.into_iter().map(|v| (v, Some(Value::Code(0)), term.span)).collect())
}

/// A boolean variable without a value is true.
fn implied(graph: &Graph, var: VarId) -> Option<Value> {
    (graph.variable(var).domain == Domain::Bool).then_some(Value::Code(1))
}

fn needs_value(graph: &Graph, var: VarId, span: Span) -> Diagnostic {
    let name = graph.variable_name(var);
    let domain = graph.variable(var).domain;
    Diagnostic::error("query-needs-value", format!("`{name}` is `{domain}`, and no value was written for it"))
        .at(span, "")
        .help(format!("write `{name} = ..`; only a boolean variable stands for itself"))
}

fn refuse_two_values(
    graph: &Graph,
    targets: &[(VarId, Option<Value>)],
    given: &[(VarId, Value)],
    span: Span,
) -> Result<(), Diagnostic> {
    let mut seen: Vec<Option<Value>> = vec![None; graph.variables().len()];
    let known = given.iter().map(|&(var, value)| (var, value));
    for (var, value) in known.chain(targets.iter().filter_map(|&(var, value)| Some((var, value?)))) {
        match seen.get(var.index()).copied().flatten() {
            Some(earlier) if earlier != value => {
                let name = graph.variable_name(var);
                let message = format!("`{name}` is given two different values");
                return Err(Diagnostic::error("contradictory-evidence", message)
                    .at(span, "")
                    .help("a variable has one value; leave one of them out"));
            }
            _ => seen[var.index()] = Some(value),
        }
    }
    Ok(())
}
