//! `fit Circuit on data given Z holding Circuit.part by em(..)`.

use super::{Place, latents, require_data};
use crate::ItemId;
use crate::builtin::{Home, LATER_OPTIMIZERS};
use crate::modules::declared;
use crate::resolve::scopes::Origin;
use crate::types::data::form;
use crate::types::kind::Kind;
use crate::types::report::require;
use crate::types::{Check, assertion, expr};
use pcc_diag::{Diagnostic, Span};
use pcc_grammar::ast::{Arg, Expr, ExprKind, Fit, Name};

/// Checks a `fit` that stands at a position among the steps.
pub(super) fn check(cx: &mut Check, place: &Place, position: usize, fit: &Fit) {
    check_circuit(cx, place, &fit.circuit);
    require_data(cx, &fit.data, "what is fitted to");
    for latent in &fit.given {
        latents::given(cx, place, position, latent);
    }
    for held in &fit.holding {
        check_held(cx, place, held);
    }
    check_optimizer(cx, &fit.optimizer);
}

/// The circuit of the recipe, or a part of it.
fn check_circuit(cx: &mut Check, place: &Place, named: &Expr) {
    let whole = match &named.kind {
        ExprKind::Field(whole, _) => whole,
        _ => named,
    };
    let kind = expr::kind_of(cx, named);
    let whole_kind = if std::ptr::eq(whole, named) { kind } else { expr::kind_of(cx, whole) };
    match whole_kind {
        Kind::Any => {}
        Kind::Circuit(id) if place.circuit.is_none_or(|circuit| circuit == id) => {}
        Kind::Circuit(id) => cx.report(other_circuit(cx, place, id, whole.span)),
        other => cx.report(assertion::unknown_circuit(&other, whole.span)),
    }
}

fn other_circuit(cx: &Check, place: &Place, found: ItemId, span: Span) -> Diagnostic {
    let name =
        |id: ItemId| cx.program.item(id).and_then(|item| declared(item).first().map(|n| n.text.clone()));
    let found = name(found).unwrap_or_default();
    let wanted = place.circuit.and_then(name).unwrap_or_default();
    Diagnostic::error("unknown-circuit", format!("this recipe trains `{wanted}`, not `{found}`"))
        .at(span, "")
        .note(place.recipe.circuit.span, "the circuit of the recipe")
        .help(format!("write a recipe of its own for `{found}`"))
}

/// What is held is a part; with the whole held there is nothing to train.
fn check_held(cx: &mut Check, place: &Place, held: &Expr) {
    if let ExprKind::Field(..) = held.kind {
        check_circuit(cx, place, held);
        return;
    }
    let kind = expr::kind_of(cx, held);
    let message = match kind {
        Kind::Any => return,
        Kind::Circuit(_) => "with the whole circuit held there is nothing to train".to_string(),
        other => format!("`holding` takes a part of the circuit, and this is {other}"),
    };
    let report = Diagnostic::error("stage-form", message).at(held.span, "");
    cx.report(report.help("write `holding Circuit.part`, with a `let` of its structure"));
}

/// `em(..)`, `mle(..)`: words such as `full` mean something only among their arguments.
fn check_optimizer(cx: &mut Check, optimizer: &Expr) {
    if let ExprKind::Call(callee, args) = &optimizer.kind
        && matches!(&callee.kind, ExprKind::Name(name) if LATER_OPTIMIZERS.contains(&name.as_str()))
    {
        check_later(cx, args);
        return;
    }
    cx.scopes.open();
    for (word, kind) in [
        ("full", Kind::Word(&["full"])),
        ("exponential", Kind::Word(&["exponential"])),
        ("uniform", Kind::Closure),
    ] {
        if !cx.scopes.has(word) {
            cx.bind_quietly(&Name { text: word.into(), span: Span::NONE }, kind, Origin::Element);
        }
    }
    form(cx, optimizer, Home::Optimizer);
    cx.scopes.close();
}

fn check_later(cx: &mut Check, args: &[Arg]) {
    for arg in args {
        match arg {
            Arg::Named(name, value) if name.text == "step" => {
                schedule(cx, value, "`step`");
            }
            Arg::Named(_, value) | Arg::Positional(value) if !matches!(value.kind, ExprKind::Name(_)) => {
                expr::kind_of(cx, value);
            }
            _ => {}
        }
    }
}

/// A number, or a call such as `linear(0.9 -> 0.1)`.
pub(in crate::types) fn schedule(cx: &mut Check, value: &Expr, role: &str) -> Kind {
    if let ExprKind::Call(callee, _) = &value.kind
        && matches!(callee.kind, ExprKind::Name(_))
    {
        form(cx, value, Home::Schedule);
        return Kind::Schedule;
    }
    let kind = expr::kind_of(cx, value);
    require(cx, &kind, &Kind::Schedule, value.span, role);
    Kind::Schedule
}
