//! `vars`, `latent` and `constraint`.

use super::domain::Domain;
use super::expr::{RED_ZONE, STACK_PIECE};
use super::kind::{Kind, Order, Scope};
use super::report::{mismatch, require};
use super::size::Size;
use super::{Check, expr};
use crate::builtin;
use crate::modules::Named;
use crate::resolve::names::{self, not_among};
use crate::resolve::scopes::Origin;
use crate::{ItemId, ModuleId};
use pcc_diag::{Diagnostic, Span};
use pcc_grammar::ast::{self, Arg, BinaryOp, Constraint, Expr, ExprKind, ItemKind, Vars};

/// What one of the declared names stands for: a variable, or a grid of them.
pub(super) fn kind_of(cx: &mut Check, vars: &Vars, declaration: usize) -> Kind {
    let domain = domain_of(cx, &vars.domain);
    let Some(declared) = vars.decls.get(declaration) else { return Kind::Any };
    if declared.extents.is_empty() {
        return Kind::Var(domain);
    }
    let role = format!("an extent of `{}`", declared.name.text);
    let extents = declared.extents.iter().map(|extent| positive(cx, extent, &role, "empty-scope")).collect();
    Kind::Scope(Scope { order: Order::Grid, domain, extents: Some(extents) })
}

/// A static integer of at least one.
fn positive(cx: &mut Check, value: &Expr, role: &str, code: &'static str) -> Option<Size> {
    let size = integer(cx, value, role)?;
    if size.value().is_some_and(|value| value < 1) {
        cx.report(
            Diagnostic::error(code, format!("{role} must be at least 1, and this is {size}"))
                .at(value.span, ""),
        );
        return None;
    }
    Some(size)
}

fn integer(cx: &mut Check, value: &Expr, role: &str) -> Option<Size> {
    let kind = expr::kind_of(cx, value);
    require(cx, &kind, &Kind::Int(None), value.span, role);
    kind.size().cloned()
}

/// The domain that is written; `None` after a fault, which is reported.
fn domain_of(cx: &mut Check, domain: &ast::Domain) -> Option<Domain> {
    let name = domain.name.text.as_str();
    match (name, domain.args.as_slice()) {
        ("bool", []) => Some(Domain::Bool),
        ("nat", []) => Some(Domain::Nat),
        ("real", []) => Some(Domain::Real),
        ("cat", [n]) => Some(Domain::Cat(positive(cx, n, "the number of values of `cat`", "empty-domain"))),
        ("token", [n]) => {
            Some(Domain::Token(positive(cx, n, "the number of values of `token`", "empty-domain")))
        }
        ("int", [ends]) => interval(cx, ends, domain.span),
        _ if builtin::DOMAINS.contains(&name) => {
            cx.report(arguments_of_domain(name, domain.span));
            None
        }
        _ => {
            cx.report(not_among("unknown-domain", "a domain", name, domain.name.span, builtin::DOMAINS));
            None
        }
    }
}

fn interval(cx: &mut Check, ends: &Expr, whole: Span) -> Option<Domain> {
    let ExprKind::Binary(BinaryOp::Range, low, high) = &ends.kind else {
        expr::kind_of(cx, ends);
        cx.report(arguments_of_domain("int", whole));
        return None;
    };
    let low = integer(cx, low, "an end of `int`");
    let high = integer(cx, high, "an end of `int`");
    if let (Some(first), Some(last)) =
        (low.as_ref().and_then(Size::value), high.as_ref().and_then(Size::value))
        && last < first
    {
        let message = format!("`int({first} .. {last})` has no values");
        cx.report(
            Diagnostic::error("empty-domain", message).at(ends.span, "").help("both ends are included"),
        );
        return None;
    }
    Some(Domain::Int(low, high))
}

fn arguments_of_domain(name: &str, span: Span) -> Diagnostic {
    let written = match name {
        "cat" | "token" => format!("{name}(n)"),
        "int" => "int(a .. b)".to_string(),
        other => other.to_string(),
    };
    Diagnostic::error("unknown-domain", format!("the domain `{name}` is written `{written}`")).at(span, "")
}

/// A formula over the variables that the constraint lists, and no others.
pub(super) fn check_constraint(cx: &mut Check, constraint: &Constraint) {
    cx.scopes.open();
    for variable in &constraint.variables {
        let kind = expr::of_name(cx, &variable.text, variable.span);
        let is_boolean = kind.domain().is_none_or(|domain| *domain == Domain::Bool);
        if !kind.fits(&Kind::set(None)) || !is_boolean {
            let role = format!("a variable of the constraint `{}`", constraint.name.text);
            cx.report(mismatch(&kind, &Kind::Formula, variable.span, &role));
        }
        cx.bind(variable, kind, Origin::Element);
    }
    let kind = expr::kind_of(cx, &constraint.formula);
    let role = format!("the constraint `{}`", constraint.name.text);
    require(cx, &kind, &Kind::Formula, constraint.formula.span, &role);
    report_unlisted(cx, constraint, &constraint.formula);
    cx.close_scope();
}

/// A boolean variable in the formula that the constraint does not list would escape its meaning.
fn report_unlisted(cx: &mut Check, constraint: &Constraint, formula: &Expr) {
    stacker::maybe_grow(RED_ZONE, STACK_PIECE, || report_unlisted_in(cx, constraint, formula));
}

fn report_unlisted_in(cx: &mut Check, constraint: &Constraint, formula: &Expr) {
    match &formula.kind {
        ExprKind::Name(name) if !cx.scopes.has(name) => {
            let kind = expr::of_name(cx, name, formula.span);
            if matches!(kind, Kind::Var(_) | Kind::Scope(_)) {
                let message =
                    format!("`{}` speaks of `{name}`, which it does not list", constraint.name.text);
                let listed = constraint.variables.last().map_or(constraint.name.span, |last| last.span);
                cx.report(
                    Diagnostic::error("constraint-scope", message)
                        .at(formula.span, "")
                        .note(listed, format!("add `{name}` to this list")),
                );
            }
        }
        ExprKind::List(args) | ExprKind::Call(_, args) => {
            for arg in args {
                if let Arg::Positional(value) | Arg::Named(_, value) = arg {
                    report_unlisted(cx, constraint, value);
                }
            }
        }
        ExprKind::Unary(_, inner) | ExprKind::Paren(inner) => report_unlisted(cx, constraint, inner),
        ExprKind::Binary(_, left, right) => {
            report_unlisted(cx, constraint, left);
            report_unlisted(cx, constraint, right);
        }
        _ => {}
    }
}

/// Warns of variables of the user's files that nothing refers to.
pub(super) fn report_unused(cx: &mut Check, module: ModuleId) {
    let Some(source) = cx.program.module(module) else { return };
    // An item that could not be parsed may be what uses them.
    if names::broken_names(source).next().is_some() {
        return;
    }
    for (index, item) in source.file.items.iter().enumerate() {
        let ItemKind::Vars(vars) = &item.kind else { continue };
        for (declaration, declared) in vars.decls.iter().enumerate() {
            let id = ItemId { module, index };
            // The second of two equal names can't be used, and is reported as that.
            let is_first = cx.program.find(module, &declared.name.text) == Some(Named::Item(id, declaration));
            if is_first && !cx.used.contains(&(id, declaration)) && !declared.name.text.starts_with('_') {
                let message = format!("no circuit or data mentions the variable `{}`", declared.name.text);
                cx.report(Diagnostic::warning("unused-variable", message).at(declared.name.span, ""));
            }
        }
    }
}
