//! `for pattern in source if condition: value`.

use super::block::bind_pattern;
use super::kind::Kind;
use super::report::require;
use super::{Check, expr};
use crate::resolve::scopes::Origin;
use pcc_diag::{Diagnostic, Span};
use pcc_grammar::ast::Clause;

/// The kind of each value that a comprehension gives.
pub(super) fn kind_of(cx: &mut Check, clause: &Clause) -> Kind {
    let source = expr::kind_of(cx, &clause.source);
    let element = element_of(cx, &source, clause.source.span);
    cx.scopes.open();
    bind_pattern(cx, &clause.pattern, &element, Origin::Element);
    if let Some(condition) = &clause.condition {
        let found = expr::kind_of(cx, condition);
        require(cx, &found, &Kind::Bool, condition.span, "the condition of `for`");
    }
    let value = expr::kind_of(cx, &clause.value);
    cx.close_scope();
    value
}

/// What a source gives one by one.
fn element_of(cx: &mut Check, source: &Kind, span: Span) -> Kind {
    match source {
        Kind::List(element) => (**element).clone(),
        Kind::Scope(scope) => Kind::Var(scope.domain.clone()),
        Kind::Var(domain) => Kind::Var(domain.clone()),
        Kind::Tuple(parts) => parts.iter().cloned().reduce(Kind::join).unwrap_or(Kind::Any),
        Kind::Any => Kind::Any,
        other => {
            let message = format!("`for` runs through a list, a range or a scope, and this is {other}");
            let report = Diagnostic::error("kind-mismatch", message).at(span, other.to_string());
            cx.report(match other {
                Kind::Int(_) => report.help("write the range `0 .. n`"),
                Kind::Tree | Kind::Vtree => report.help("write `.vars` after it for its variables"),
                _ => report,
            });
            Kind::Any
        }
    }
}
