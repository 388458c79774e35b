//! `object.name` and `object.name(args)`: fields and methods of values, members of modules, parts of circuits.

use super::arguments::{self, Site};
use super::kind::{Kind, Order, Scope};
use super::signature::Signature;
use super::size::Size;
use super::{Check, call, expr, recipe};
use crate::builtin::{self, Field};
use crate::resolve::names::not_among;
use pcc_diag::{Diagnostic, Span};
use pcc_grammar::ast::{Arg, Expr, Name};

/// The kind of `object.name`.
pub(super) fn kind_of(cx: &mut Check, object: &Expr, name: &Name) -> Kind {
    let kind = expr::kind_of(cx, object);
    match &kind {
        Kind::Module(module) => call::of_module(cx, *module, &name.text, name.span),
        Kind::Circuit(circuit) => recipe::part::kind_of(cx, *circuit, name),
        Kind::Data => measure(cx, name),
        Kind::Tuple(parts) if name.text.parse::<usize>().is_ok() => of_tuple(cx, parts, name),
        _ => match find(cx, &kind, name) {
            Some(Field { params: Some(_), .. }) => Kind::Closure,
            Some(field) => result(field, &kind),
            None => Kind::Any,
        },
    }
}

/// The kind of `object.name(args)`.
pub(super) fn method(cx: &mut Check, whole: Span, object: &Expr, name: &Name, args: &[Arg]) -> Kind {
    let kind = expr::kind_of(cx, object);
    match &kind {
        Kind::Module(module) => {
            let member = call::of_module(cx, *module, &name.text, name.span);
            call::of_value(cx, whole, name.span, &member, args)
        }
        Kind::Teacher(n_codes) => of_teacher(cx, n_codes, name, args),
        _ => match find(cx, &kind, name) {
            Some(Field { params: Some(params), .. }) => {
                let signature = Signature::of_method(&name.text, params, Kind::Any);
                let site = Site {
                    name: &name.text,
                    declared: Span::NONE,
                    span: whole,
                    is_static: false,
                    others: &[],
                };
                arguments::check(cx, &site, &signature.params, args);
                find(cx, &kind, name).map_or(Kind::Any, |field| result(field, &kind))
            }
            Some(field) => call::of_value(cx, whole, name.span, &result(field, &kind), args),
            None => {
                call::check_loosely(cx, args);
                Kind::Any
            }
        },
    }
}

/// `valid.bpd`: a metric on data, which is a number.
fn measure(cx: &mut Check, name: &Name) -> Kind {
    let is_method =
        builtin::FIELDS.iter().any(|field| field.of == builtin::Kind::Data && field.name == name.text);
    if is_method {
        return Kind::Closure;
    }
    if !builtin::METRICS.contains(&name.text.as_str()) {
        recipe::unknown_metric(cx, &name.text, name.span);
    }
    Kind::Float
}

/// What a teacher gives is clustered; the words among its arguments are its own.
fn of_teacher(cx: &mut Check, n_codes: &Option<Size>, name: &Name, args: &[Arg]) -> Kind {
    if !builtin::TEACHER_VIEWS.contains(&name.text.as_str()) {
        let known = builtin::TEACHER_VIEWS;
        cx.report(not_among("unknown-field", "what a teacher gives", &name.text, name.span, known));
    }
    for arg in args {
        if let Arg::Positional(value) = arg {
            expr::kind_of(cx, value);
        }
    }
    if name.text == "codes" { Kind::Codes(n_codes.clone()) } else { Kind::Data }
}

fn of_tuple(cx: &mut Check, parts: &[Kind], name: &Name) -> Kind {
    match name.text.parse().ok().and_then(|position: usize| parts.get(position)) {
        Some(part) => part.clone(),
        None => {
            let message = format!("a tuple of {} has no part {}", parts.len(), name.text);
            cx.report(
                Diagnostic::error("unknown-field", message).at(name.span, "").help("parts count from 0"),
            );
            Kind::Any
        }
    }
}

/// The field of that name; reports `unknown-field` when the kind is known and has none.
fn find(cx: &mut Check, kind: &Kind, name: &Name) -> Option<&'static Field> {
    if matches!(kind, Kind::Any) {
        return None;
    }
    let fields = fields_of(kind);
    let found = fields.iter().find(|field| field.name == name.text).copied();
    if found.is_none() {
        let known: Vec<&str> = fields.iter().map(|field| field.name).collect();
        let what = format!("a field of {kind}");
        cx.report(not_among("unknown-field", &what, &name.text, name.span, &known));
    }
    found
}

/// The fields of a kind. A grid has those of a scope and more; so may what is passed as a `scope`. A variable
/// is a scope of one.
fn fields_of(kind: &Kind) -> Vec<&'static Field> {
    use builtin::Kind as B;
    let owners: &[B] = match kind {
        Kind::Var(_) => &[B::Var, B::Scope],
        Kind::Scope(scope) if scope.order == Order::Unordered => &[B::Scope, B::Var],
        Kind::Scope(scope) if scope.order == Order::Seq => &[B::Scope, B::Seq, B::Var],
        Kind::Scope(_) => &[B::Scope, B::Seq, B::Grid, B::Var],
        Kind::Box => &[B::Box],
        Kind::Tree => &[B::Tree],
        Kind::Vtree => &[B::Vtree],
        Kind::Key => &[B::Key],
        Kind::Data => &[B::Data],
        Kind::Codes(_) => &[B::Codes],
        Kind::List(_) => &[B::List],
        _ => &[],
    };
    builtin::FIELDS.iter().filter(|field| owners.contains(&field.of)).collect()
}

/// What a field gives, with what is known of the elements of lists and scopes.
fn result(field: &Field, of: &Kind) -> Kind {
    let domain = of.domain().cloned();
    let tile = || Kind::Scope(Scope { order: Order::Grid, domain: domain.clone(), extents: None });
    match (of, field.name) {
        (_, "vars" | "children") => Kind::list(Kind::Var(domain)),
        (_, "first" | "last" | "root" | "parent" | "var") => Kind::Var(domain),
        (Kind::Scope(_), "tile") => tile(),
        (Kind::Scope(_), "tiles") => Kind::list(tile()),
        (Kind::Box, "quarters") => Kind::list(Kind::Box),
        (Kind::Box, "cuts" | "halves") => Kind::list(Kind::pair(Kind::Box, Kind::Box)),
        (_, "extents") => Kind::list(Kind::Int(None)),
        (Kind::Key, "split") => Kind::list(Kind::Key),
        (Kind::Var(Some(domain)), "n_values") => Kind::Int(domain.n_values()),
        (_, "area") => Kind::Int(None::<Size>),
        _ => Kind::of_builtin(field.result),
    }
}
