//! The values that a term of a query gives its variables.

use pcc_diag::{Diagnostic, Span};
use pcc_grammar::ast::{Arg, Expr, ExprKind, UnaryOp};
use pcc_ir::{Domain, Graph, Value, VarId};

/// One value for each variable: one for all, or a list with one for each.
pub(super) fn values(written: &Expr, variables: &[VarId], graph: &Graph) -> Result<Vec<Value>, Diagnostic> {
    let ExprKind::List(items) = &written.kind else {
        return variables.iter().map(|&var| value(written, var, graph)).collect();
    };
    if items.len() != variables.len() {
        let message = format!("{} values for {} variables", items.len(), variables.len());
        return Err(Diagnostic::error("query-values-differ", message)
            .at(written.span, "")
            .help("write one value for all of them, or a list with one for each"));
    }
    items
        .iter()
        .zip(variables)
        .map(|(item, &var)| value(positional(item, written.span)?, var, graph))
        .collect()
}

fn positional(item: &Arg, span: Span) -> Result<&Expr, Diagnostic> {
    match item {
        Arg::Positional(value) => Ok(value),
        _ => Err(Diagnostic::error("kind-mismatch", "a list of values holds values alone")
            .at(span, "")
            .help("such as `[0, 1, 1]`")),
    }
}

fn value(written: &Expr, var: VarId, graph: &Graph) -> Result<Value, Diagnostic> {
    let domain = graph.variable(var).domain;
    let number = number(written).ok_or_else(|| {
        Diagnostic::error("kind-mismatch", "a value of a query is a number, `true` or `false`")
            .at(written.span, "")
    })?;
    let is_word = matches!(&written.kind, ExprKind::Name(_));
    let found = match domain {
        Domain::Real if !is_word => Some(Value::Real(number)),
        Domain::Bool => domain.code_of(number).map(Value::Code),
        _ if is_word => None,
        _ => domain.code_of(number).map(Value::Code),
    };
    found.ok_or_else(|| {
        let name = graph.variable_name(var);
        Diagnostic::error("value-out-of-domain", format!("`{name}` is `{domain}`, which lacks this value"))
            .at(written.span, "")
            .help(range_of(domain))
    })
}

/// The number of a literal; `true` is 1 and `false` is 0.
fn number(written: &Expr) -> Option<f64> {
    match &written.kind {
        ExprKind::Number(n) => Some(n.value),
        ExprKind::Unary(UnaryOp::Negate, inner) => number(inner).map(|n| -n),
        ExprKind::Paren(inner) => number(inner),
        ExprKind::Name(word) if word == "true" => Some(1.0),
        ExprKind::Name(word) if word == "false" => Some(0.0),
        _ => None,
    }
}

fn range_of(domain: Domain) -> String {
    match domain {
        Domain::Bool => "its values are `true` (1) and `false` (0)".into(),
        Domain::Int(low, high) => format!("its values are {low} to {high}"),
        Domain::Cat(n) | Domain::Token(n) => format!("its values are 0 to {}", n.saturating_sub(1)),
        Domain::Nat => "its values are 0, 1, 2, ..".into(),
        Domain::Real => "its values are numbers".into(),
    }
}
