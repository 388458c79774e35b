//! `materialize`, `marginalize` and `given`: which latents have values at which step.

use super::Place;
use crate::modules::Named;
use crate::types::kind::Kind;
use crate::types::report::require;
use crate::types::size::Size;
use crate::types::{Check, expr};
use pcc_diag::{Diagnostic, Span};
use pcc_grammar::ast::{Expr, ExprKind, ItemKind, Labels, Materialize, Step};

/// The latents that have values now, and those that had.
#[derive(Debug, Default)]
pub(super) struct Latents {
    with_values: Vec<String>,
    forgotten: Vec<(String, Span)>,
}

/// The latent variables that an expression names; `None` after a report.
fn latent(cx: &mut Check, named: &Expr) -> Option<(String, Kind)> {
    let kind = expr::kind_of(cx, named);
    let name = group_name(named)?;
    if kind.is_any() {
        return None;
    }
    let is_latent = match cx.program.find(cx.module, name) {
        Some(Named::Item(id, _)) => {
            matches!(cx.program.item(id).map(|item| &item.kind), Some(ItemKind::Vars(vars)) if vars.is_latent)
        }
        _ => false,
    };
    if !is_latent {
        let message = format!("`{name}` is not a latent, so it has its values from the data");
        let report = Diagnostic::error("not-latent", message).at(named.span, kind.to_string());
        cx.report(report.help(format!("declare `latent {name}` for variables that the data does not hold")));
        return None;
    }
    Some((name.to_string(), kind))
}

/// The declared name in `Z` or `Z[0]`.
fn group_name(named: &Expr) -> Option<&str> {
    match &named.kind {
        ExprKind::Name(name) => Some(name),
        ExprKind::Index(inner, _) | ExprKind::Paren(inner) => group_name(inner),
        _ => None,
    }
}

/// Checks `materialize Z from codes on train, ..`: after it, Z has values.
pub(super) fn materialize(cx: &mut Check, latents: &mut Latents, step: &Materialize) {
    let found = latent(cx, &step.latent);
    for labels in &step.labels {
        check_labels(cx, labels, found.as_ref().map(|(_, kind)| kind), step.latent.span);
    }
    if let Some((name, _)) = found {
        latents.forgotten.retain(|(forgotten, _)| *forgotten != name);
        latents.with_values.push(name);
    }
}

fn check_labels(cx: &mut Check, labels: &Labels, latent: Option<&Kind>, declared: Span) {
    let codes = expr::kind_of(cx, &labels.codes);
    require(cx, &codes, &Kind::Codes(None), labels.codes.span, "what a latent gets its values from");
    if let Some(data) = &labels.data {
        super::require_data(cx, data, "what is labelled");
    }
    let n_values = latent.and_then(|kind| kind.domain()).and_then(|domain| domain.n_values());
    if let (Kind::Codes(Some(n_codes)), Some(n_values)) = (&codes, n_values)
        && exceeds(n_codes, &n_values)
    {
        cx.report(codes_out_of_range(n_codes, &n_values, labels.codes.span, declared));
    }
}

fn exceeds(a: &Size, b: &Size) -> bool {
    a.minus(b).and_then(|difference| difference.value()).is_some_and(|difference| difference > 0)
}

fn codes_out_of_range(n_codes: &Size, n_values: &Size, span: Span, latent: Span) -> Diagnostic {
    Diagnostic::error(
        "codes-out-of-range",
        format!("there are {n_codes} codes, and the latent has {n_values} values"),
    )
    .at(span, format!("0 to {n_codes}, without {n_codes}"))
    .note(latent, format!("{n_values} values"))
    .help("learn as many codes as the latent has values")
}

/// Checks `marginalize Z`: Z had values, and has none after it.
pub(super) fn marginalize(cx: &mut Check, place: &mut Place, position: usize, named: &Expr, span: Span) {
    let Some((name, _)) = latent(cx, named) else { return };
    if !place.latents.with_values.contains(&name) {
        let report = without_values(place, position, &name, named.span, &format!("`marginalize {name}`"));
        cx.report(report);
        return;
    }
    place.latents.with_values.retain(|with| *with != name);
    place.latents.forgotten.push((name, span));
}

/// Checks one latent behind `given`: it has values at this step.
pub(super) fn given(cx: &mut Check, place: &Place, position: usize, named: &Expr) {
    let Some((name, _)) = latent(cx, named) else { return };
    if !place.latents.with_values.contains(&name) {
        let report = without_values(place, position, &name, named.span, &format!("`given {name}`"));
        cx.report(report);
    }
}

/// The report of a latent that is needed and has no values: they come later, are gone, or never are.
fn without_values(place: &Place, position: usize, name: &str, span: Span, user: &str) -> Diagnostic {
    if let Some((_, gone)) = place.latents.forgotten.iter().find(|(forgotten, _)| forgotten == name) {
        return Diagnostic::error(
            "latent-not-materialized",
            format!("{user} needs values for `{name}`, and they are gone"),
        )
        .at(span, "")
        .note(*gone, "forgotten here")
        .help(format!("move the `marginalize {name}` down, or materialize it again"));
    }
    let later = place.recipe.steps.iter().skip(position).find_map(|step| match step {
        Step::Materialize(step) if group_name(&step.latent) == Some(name) => Some(step.span),
        _ => None,
    });
    if let Some(later) = later {
        let message =
            format!("{user} needs values for `{name}`, and `materialize {name}` comes only after this");
        return Diagnostic::error("stage-order", message)
            .at(span, "")
            .note(later, "values come from here on")
            .help(format!("move the `materialize {name}` up"));
    }
    Diagnostic::error(
        "latent-not-materialized",
        format!("{user} needs values for `{name}`, and nothing gives them"),
    )
    .at(span, "")
    .help(format!("write `materialize {name} from codes` before this step"))
}
