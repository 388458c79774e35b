//! Recipes: every name, the closed sets of words, and the order of steps.
//!
//! What a later version carries out (teachers, latents, pruning) is checked here like the rest.

mod fit;
mod latents;
pub(super) mod part;

use super::data::form;
use super::kind::Kind;
use super::report::require;
use super::{Check, assertion, block, expr, written};
use crate::ItemId;
use crate::builtin::{self, Home};
use crate::resolve::duplicates::listed_twice;
use crate::resolve::names::not_among;
use crate::resolve::scopes::Origin;
use latents::Latents;
use pcc_diag::{Diagnostic, Span};
use pcc_grammar::ast::{
    Arg, Evaluate, Expr, ExprKind, Name, Param, Recipe, Report, Stage, StageClause, Step,
};

pub(super) use fit::schedule;

/// What is known at a step of a recipe.
struct Place<'r> {
    recipe: &'r Recipe,
    /// The circuit that the recipe trains, unless that is in doubt.
    circuit: Option<ItemId>,
    latents: Latents,
    stages: Vec<&'r Name>,
}

/// Checks a recipe.
pub(super) fn check(cx: &mut Check, recipe: &Recipe) {
    let circuit = circuit_of(cx, &recipe.circuit);
    let mut place = Place { recipe, circuit, latents: Latents::default(), stages: Vec::new() };
    cx.scopes.open();
    recipe.params.iter().for_each(|param| bind_parameter(cx, param));
    for (position, step) in recipe.steps.iter().enumerate() {
        check_step(cx, &mut place, position, step);
    }
    cx.close_scope();
}

fn circuit_of(cx: &mut Check, circuit: &Expr) -> Option<ItemId> {
    match expr::kind_of(cx, circuit) {
        Kind::Circuit(id) => Some(id),
        Kind::Any => None,
        other => {
            cx.report(assertion::unknown_circuit(&other, circuit.span));
            None
        }
    }
}

/// A recipe's parameters are set with `--set`. `seed` is the seed of everything random in it, and so is used.
fn bind_parameter(cx: &mut Check, param: &Param) {
    let written = param.ty.as_ref().map(|ty| written::kind_of(cx, ty));
    let default = param.default.as_ref().map(|default| (expr::kind_of(cx, default), default.span));
    if let (Some(wanted), Some((found, span))) = (&written, &default) {
        let wanted = if let Kind::Float = wanted { &Kind::Number } else { wanted };
        require(cx, found, wanted, *span, &format!("the default of `{}`", param.name.text));
    }
    // A number may be set to another one, so its value says nothing.
    let kind = match written.or(default.map(|(kind, _)| kind)) {
        Some(Kind::Int(_)) => Kind::Int(None),
        other => other.unwrap_or(Kind::Any),
    };
    cx.bind(&param.name, kind, Origin::Parameter);
    if param.name.text == "seed" {
        cx.scopes.use_name("seed");
    }
}

fn check_step<'r>(cx: &mut Check, place: &mut Place<'r>, position: usize, step: &'r Step) {
    match step {
        Step::Let(binding) => block::check_let(cx, binding),
        Step::Materialize(materialize) => latents::materialize(cx, &mut place.latents, materialize),
        Step::Marginalize(latent, span) => latents::marginalize(cx, place, position, latent, *span),
        Step::Stage(stage) => check_stage(cx, place, position, stage),
        Step::Fit(fit) => fit::check(cx, place, position, fit),
        Step::Evaluate(evaluate) => check_evaluate(cx, evaluate),
        Step::Report(report) => check_report(cx, report),
    }
}

fn check_stage<'r>(cx: &mut Check, place: &mut Place<'r>, position: usize, stage: &'r Stage) {
    if let Some(earlier) = place.stages.iter().find(|name| name.text == stage.name.text) {
        cx.report(listed_twice("the stage", &stage.name.text, stage.name.span, earlier.span));
    }
    place.stages.push(&stage.name);
    cx.scopes.open();
    let mut fits: Vec<Span> = Vec::new();
    let mut stops: Vec<Span> = Vec::new();
    for clause in &stage.clauses {
        match clause {
            StageClause::Let(binding) => block::check_let(cx, binding),
            StageClause::Fit(fit) => {
                fits.push(fit.span);
                fit::check(cx, place, position, fit);
            }
            StageClause::Until(stop, span) => {
                stops.push(*span);
                form(cx, stop, Home::Stop);
                check_measure(cx, stop);
            }
            StageClause::Then(change, _) => {
                form(cx, change, Home::Change);
            }
        }
    }
    cx.close_scope();
    check_clauses(cx, stage, &fits, &stops);
}

/// `plateau` looks at a metric on data.
fn check_measure(cx: &mut Check, stop: &Expr) {
    let ExprKind::Call(callee, args) = &stop.kind else { return };
    let is_plateau = matches!(&callee.kind, ExprKind::Name(name) if name == "plateau");
    if let (true, Some(Arg::Positional(of))) = (is_plateau, args.first())
        && !matches!(of.kind, ExprKind::Field(..))
    {
        let report = Diagnostic::error("bad-option", "`plateau` looks at a metric on data").at(of.span, "");
        cx.report(report.help("write `plateau(valid.bpd, patience = 3)`"));
    }
}

/// A stage has one `fit`, and at most one `until`.
fn check_clauses(cx: &mut Check, stage: &Stage, fits: &[Span], stops: &[Span]) {
    let name = &stage.name.text;
    if fits.is_empty() {
        let message = format!("the stage `{name}` has no `fit`");
        let report = Diagnostic::error("stage-form", message).at(stage.name.span, "");
        cx.report(report.help("write `fit Circuit on data by em(..)` in it"));
    }
    for (clauses, word) in [(fits, "fit"), (stops, "until")] {
        if let [first, second, ..] = clauses {
            let message = format!("the stage `{name}` has more than one `{word}`");
            let report =
                Diagnostic::error("stage-form", message).at(*second, "").note(*first, "the first one");
            cx.report(report.help("make two stages of it"));
        }
    }
}

fn check_evaluate(cx: &mut Check, evaluate: &Evaluate) {
    require_data(cx, &evaluate.data, "what is evaluated on");
    for metric in &evaluate.metrics {
        match &metric.kind {
            ExprKind::Name(name) if builtin::METRICS.contains(&name.as_str()) => {}
            ExprKind::Name(name) => unknown_metric(cx, name, metric.span),
            _ => {
                let report = Diagnostic::error("unknown-metric", "this is not the name of a metric");
                let known = crate::words::listing(builtin::METRICS);
                cx.report(report.at(metric.span, "").help(format!("there are {known}")));
            }
        }
    }
}

/// Reports a metric that there is not.
pub(super) fn unknown_metric(cx: &mut Check, name: &str, span: Span) {
    cx.report(not_among("unknown-metric", "a metric", name, span, builtin::METRICS));
}

fn require_data(cx: &mut Check, data: &Expr, role: &str) {
    let kind = expr::kind_of(cx, data);
    require(cx, &kind, &Kind::Data, data.span, role);
}

/// Files of metrics by name, pictures and samples by a call.
fn check_report(cx: &mut Check, report: &Report) {
    for output in &report.outputs {
        match &output.kind {
            ExprKind::Text(_) => {}
            _ => {
                form(cx, output, Home::Output);
            }
        }
    }
}
