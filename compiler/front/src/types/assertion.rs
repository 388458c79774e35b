//! `assert Circuit: property, ..`: a closed set of properties, each with its arguments.

use super::kind::Kind;
use super::report::require;
use super::{Check, call, expr};
use crate::builtin;
use crate::resolve::names::not_among;
use pcc_diag::{Diagnostic, Span};
use pcc_grammar::ast::{Arg, Assertion, BinaryOp, Expr, ExprKind, Property};

/// Checks the circuit and each property that is claimed of it.
pub(super) fn check(cx: &mut Check, assertion: &Assertion) {
    let kind = expr::kind_of(cx, &assertion.subject);
    if !matches!(kind, Kind::Any | Kind::Circuit(_)) {
        cx.report(unknown_circuit(&kind, assertion.subject.span));
    }
    for property in &assertion.properties {
        check_property(cx, property);
    }
}

/// The report of something that stands where a `circuit` item must.
pub(super) fn unknown_circuit(kind: &Kind, span: Span) -> Diagnostic {
    let report =
        Diagnostic::error("unknown-circuit", format!("a circuit is wanted here, and this is {kind}"));
    let report = report.at(span, kind.to_string());
    match kind {
        Kind::Function(_) => {
            report.help("declare one: `circuit M = ..`; properties are those of a whole circuit")
        }
        _ => report,
    }
}

fn check_property(cx: &mut Check, property: &Property) {
    let value = &property.value;
    match &value.kind {
        ExprKind::Name(name) if builtin::PROPERTIES.contains(&name.as_str()) => {}
        ExprKind::Name(name) if builtin::PROPERTY_CALLS.contains(&name.as_str()) => {
            cx.report(argument_missing(name, value.span));
        }
        ExprKind::Name(name) if builtin::SIZES.contains(&name.as_str()) => {
            cx.report(bound_missing(name, value.span))
        }
        ExprKind::Name(name) => unknown(cx, name, value.span),
        ExprKind::Call(callee, args) => check_call(cx, callee, args, value.span),
        ExprKind::Binary(op, size, limit) if is_comparison(*op) => check_bound(cx, *op, size, limit),
        _ => cx.report(not_a_property(value.span)),
    }
    if let Some(given) = &property.given {
        check_given(cx, value, given);
    }
}

fn unknown(cx: &mut Check, name: &str, span: Span) {
    let known: Vec<&str> = [builtin::PROPERTIES, builtin::PROPERTY_CALLS, builtin::SIZES]
        .into_iter()
        .flatten()
        .copied()
        .collect();
    cx.report(not_among("unknown-property", "a property of circuits", name, span, &known));
}

/// `structured_by(vt)`, `compatible(M2)`, `supports(F)`.
fn check_call(cx: &mut Check, callee: &Expr, args: &[Arg], whole: Span) {
    let ExprKind::Name(name) = &callee.kind else {
        cx.report(not_a_property(whole));
        return;
    };
    if !builtin::PROPERTY_CALLS.contains(&name.as_str()) {
        unknown(cx, name, callee.span);
        return;
    }
    let kinds = call::check_loosely(cx, args);
    let [kind] = kinds.as_slice() else {
        cx.report(argument_missing(name, whole));
        return;
    };
    match (name.as_str(), kind) {
        ("compatible", Kind::Any | Kind::Circuit(_)) => {}
        ("compatible", other) => cx.report(unknown_circuit(other, whole)),
        ("supports", _) => {
            require(cx, kind, &Kind::Formula, whole, "the argument of `supports`");
        }
        _ => {
            require(cx, kind, &Kind::Vtree, whole, &format!("the argument of `{name}`"));
        }
    }
}

fn argument_missing(name: &str, span: Span) -> Diagnostic {
    let (what, written) = match name {
        "structured_by" => ("vtree", "vt"),
        "compatible" => ("circuit", "M"),
        _ => ("formula", "F"),
    };
    Diagnostic::error("missing-argument", format!("`{name}` takes one {what}"))
        .at(span, "")
        .help(format!("write `{name}({written})`"))
}

fn bound_missing(name: &str, span: Span) -> Diagnostic {
    Diagnostic::error("unknown-property", format!("`{name}` is a size, and claims nothing without a bound"))
        .at(span, "")
        .help(format!("write `{name} < 200M`"))
}

fn not_a_property(span: Span) -> Diagnostic {
    Diagnostic::error("unknown-property", "this is not a property of circuits")
        .at(span, "")
        .help("a property is a name such as `smooth`, a call such as `supports(F)`, or a bound such as `params < 200M`")
}

fn is_comparison(op: BinaryOp) -> bool {
    matches!(
        op,
        BinaryOp::Less | BinaryOp::LessEqual | BinaryOp::Greater | BinaryOp::GreaterEqual | BinaryOp::Equal
    )
}

/// `params < 200M`: a size on the left, a number on the right.
fn check_bound(cx: &mut Check, op: BinaryOp, size: &Expr, limit: &Expr) {
    match &size.kind {
        ExprKind::Name(name) if builtin::SIZES.contains(&name.as_str()) => {}
        ExprKind::Name(name) => {
            cx.report(not_among("unknown-property", "a size of circuits", name, size.span, builtin::SIZES));
        }
        _ => cx.report(not_a_property(size.span)),
    }
    let kind = expr::kind_of(cx, limit);
    require(cx, &kind, &Kind::Number, limit.span, &format!("the bound behind `{}`", op.word()));
}

/// Only determinism depends on what is observed.
fn check_given(cx: &mut Check, property: &Expr, given: &Expr) {
    let kind = expr::kind_of(cx, given);
    require(cx, &kind, &Kind::set(None), given.span, "what stands behind `given`");
    if !matches!(&property.kind, ExprKind::Name(name) if name == "deterministic") {
        let report = Diagnostic::error("unknown-property", "only `deterministic` depends on what is `given`");
        cx.report(report.at(property.span, ""));
    }
}
