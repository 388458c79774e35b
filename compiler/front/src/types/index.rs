//! `object[..]`: a variable of a grid, a part of it, an element of a list, a table of a key, or the
//! brackets of a structure.

use super::call::{check_loosely, fill_in};
use super::kind::{Kind, Order, Scope};
use super::report::require;
use super::size::Size;
use super::{Check, builder, expr};
use crate::words::count;
use pcc_diag::{Diagnostic, Span};
use pcc_grammar::ast::{Arg, Expr};

/// The kind of `object[args]`.
pub(super) fn kind_of(cx: &mut Check, whole: Span, object: &Expr, args: &[Arg]) -> Kind {
    if builder::is_builder(cx, object) {
        check_loosely(cx, args);
        return Kind::Closure;
    }
    let kind = expr::kind_of(cx, object);
    match &kind {
        Kind::Function(signature) => fill_in(cx, whole, signature, args),
        Kind::Scope(scope) => of_scope(cx, scope, object, whole, args),
        Kind::List(element) => of_list(cx, element, args),
        Kind::Tuple(parts) => of_tuple(cx, parts, args),
        Kind::Table { is_keyed } => of_table(cx, *is_keyed, object.span, args),
        Kind::Any | Kind::Closure => {
            check_loosely(cx, args);
            Kind::Any
        }
        other => {
            check_loosely(cx, args);
            cx.report(not_indexed(other, object.span));
            Kind::Any
        }
    }
}

fn not_indexed(kind: &Kind, span: Span) -> Diagnostic {
    let report = Diagnostic::error("kind-mismatch", format!("{kind} takes nothing in brackets"));
    let report = report.at(span, kind.to_string());
    match kind {
        Kind::Layer(_) | Kind::Circuit(_) => report.help("its units have no names; `sum[K](..)` mixes them"),
        _ => report,
    }
}

/// `X[3, 5]` is a variable; with a range or a box it is a part of the scope.
fn of_scope(cx: &mut Check, scope: &Scope, object: &Expr, whole: Span, args: &[Arg]) -> Kind {
    let indices: Vec<(Kind, Span)> = args.iter().map(|arg| position(cx, arg)).collect();
    if scope.order == Order::Unordered {
        cx.report(without_order(cx, object));
        return Kind::Any;
    }
    let is_part = |kind: &Kind| matches!(kind, Kind::List(_) | Kind::Box);
    for (kind, span) in indices.iter().filter(|(kind, _)| !is_part(kind)) {
        require(cx, kind, &Kind::Int(None), *span, "an index");
    }
    if let Some(extents) = &scope.extents {
        let is_box = matches!(indices.as_slice(), [(Kind::Box | Kind::Any, _)]);
        if !is_box && indices.len() != extents.len() {
            cx.report(wrong_rank(cx, object, extents.len(), indices.len(), whole));
            return Kind::Any;
        }
        check_inside(cx, extents, &indices, object);
    }
    match indices.iter().any(|(kind, _)| is_part(kind)) {
        true => Kind::Scope(Scope { domain: scope.domain.clone(), ..Scope::of_order(Order::Grid) }),
        false if indices.iter().any(|(kind, _)| kind.is_any()) => Kind::Any,
        false => Kind::Var(scope.domain.clone()),
    }
}

/// The kind and place of one index. A name or a comprehension has no place among indices.
fn position(cx: &mut Check, arg: &Arg) -> (Kind, Span) {
    match arg {
        Arg::Positional(index) => (expr::kind_of(cx, index), index.span),
        Arg::Named(name, index) => {
            let message = format!("an index has no name, and this one is called `{}`", name.text);
            cx.report(Diagnostic::error("unknown-argument", message).at(name.span, ""));
            (expr::kind_of(cx, index), index.span)
        }
        Arg::For(each) => {
            let kind = super::clause::kind_of(cx, each);
            cx.report(
                Diagnostic::error("kind-mismatch", "`for` gives many values, and an index is one")
                    .at(each.span, ""),
            );
            (kind, each.span)
        }
    }
}

fn without_order(cx: &Check, object: &Expr) -> Diagnostic {
    let message = format!("`{}` is a set without order, so it has no indices", cx.program.text(object.span));
    Diagnostic::error("kind-mismatch", message).at(object.span, "").help("run through it: `for v in S: ..`")
}

fn wrong_rank(cx: &Check, object: &Expr, wanted: usize, found: usize, span: Span) -> Diagnostic {
    let name = cx.program.text(object.span);
    let found = if found == 1 { "1 index".to_string() } else { format!("{found} indices") };
    let message = format!("`{name}` has {}, and this is {found}", count(wanted, "extent"));
    Diagnostic::error("index-outside", message).at(span, "").help(match wanted {
        0 => format!("`{name}` is a single variable: write it without brackets"),
        _ => format!(
            "write `{name}[{}]`",
            ["i", "j", "k"].iter().cycle().take(wanted).copied().collect::<Vec<_>>().join(", ")
        ),
    })
}

fn check_inside(cx: &mut Check, extents: &[Option<Size>], indices: &[(Kind, Span)], object: &Expr) {
    for (extent, (index, span)) in extents.iter().zip(indices) {
        // What is computed from constants may stand in a branch that is never taken.
        let is_written = cx.program.text(*span).bytes().all(|byte| byte.is_ascii_digit());
        let index = index.size().and_then(Size::value).filter(|_| is_written);
        let known = index.zip(extent.as_ref().and_then(Size::value));
        if let Some((index, extent)) = known.filter(|(index, extent)| *index < 0 || index >= extent) {
            let name = cx.program.text(object.span).to_string();
            let message = format!("index {index} is outside `{name}`, which has {extent} there");
            cx.report(
                Diagnostic::error("index-outside", message)
                    .at(*span, "")
                    .help(format!("indices run from 0 to {}", extent - 1)),
            );
        }
    }
}

/// One element, or the list of a range of them.
fn of_list(cx: &mut Check, element: &Kind, args: &[Arg]) -> Kind {
    match args {
        [arg] => match position(cx, arg) {
            (Kind::List(_), _) => Kind::list(element.clone()),
            (index, span) => {
                require(cx, &index, &Kind::Int(None), span, "the index of a list");
                element.clone()
            }
        },
        _ => {
            check_loosely(cx, args);
            Kind::Any
        }
    }
}

fn of_tuple(cx: &mut Check, parts: &[Kind], args: &[Arg]) -> Kind {
    let kinds = check_loosely(cx, args);
    let index = kinds.first().and_then(Kind::size).and_then(Size::value);
    index.and_then(|index| parts.get(usize::try_from(index).ok()?).cloned()).unwrap_or(Kind::Any)
}

/// `emit[t]`, of `param emit[_]`.
fn of_table(cx: &mut Check, is_keyed: bool, span: Span, args: &[Arg]) -> Kind {
    check_loosely(cx, args);
    if !is_keyed {
        let name = cx.program.text(span).to_string();
        let message = format!("`{name}` is one table, and has no keys");
        cx.report(
            Diagnostic::error("param-key", message)
                .at(span, "")
                .help(format!("declare `param {name}[_]` for one table for each key")),
        );
    }
    Kind::Table { is_keyed: false }
}
