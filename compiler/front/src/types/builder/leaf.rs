//! Leaves with written numbers, `bernoulli(v, 0.3)`, and the families that they are of, `bernoulli()`.

use super::Head;
use super::input::check_fit;
use crate::builtin;
use crate::types::arguments::{self, Site};
use crate::types::domain::Domain;
use crate::types::family::Family;
use crate::types::kind::Kind;
use crate::types::signature::{Need, Parameter, Signature};
use crate::types::size::Size;
use crate::types::{Check, table};
use pcc_diag::{Diagnostic, Span};
use pcc_grammar::ast::{Arg, Expr, ExprKind, UnaryOp};

/// `literal(v, value)`: one where the variable has the value, zero elsewhere.
pub(super) fn literal(cx: &mut Check, whole: Span, head: &Head, args: &[Arg]) -> Kind {
    super::refuse_brackets(cx, head);
    let kinds = check_arguments(cx, whole, head, args, |_| true);
    let domain = kinds.first().and_then(|kind| kind.as_ref()?.domain().cloned());
    if let (Some(domain), Some(value)) = (domain, given(args, 1, "value")) {
        check_value(cx, &domain, value);
    }
    Kind::Layer(Some(Size::constant(1)))
}

/// A written value that the domain does not have.
fn check_value(cx: &mut Check, domain: &Domain, value: &Expr) {
    let Some(number) = written_number(value) else { return };
    let size = |size: &Option<Size>| size.as_ref().and_then(Size::value);
    let range = match domain {
        Domain::Bool | Domain::Nat | Domain::Real => None,
        Domain::Cat(n) | Domain::Token(n) => size(n).map(|n| (0, n - 1)),
        Domain::Int(low, high) => size(low).zip(size(high)),
    };
    if let Some((low, high)) = range.filter(|(low, high)| number < *low as f64 || number > *high as f64) {
        let message = format!("{number} is not a value of `{domain}`");
        let report = Diagnostic::error("value-out-of-domain", message).at(value.span, "");
        cx.report(report.help(format!("its values are {low} to {high}")));
    }
}

/// `gaussian(min_sd = 1e-3)` names a family; with a variable first it builds a leaf.
pub(super) fn of_family(cx: &mut Check, whole: Span, head: &Head, args: &[Arg]) -> Kind {
    super::refuse_brackets(cx, head);
    let Some(family) = Family::of_name(head.name) else { return Kind::Any };
    match is_leaf(head.name, args) {
        true => leaf(cx, whole, head, family, args),
        false => alone(cx, whole, head, family, args),
    }
}

/// A leaf has as many arguments by position as its numbers and a variable; `binomial(n)` is a family.
fn is_leaf(name: &str, args: &[Arg]) -> bool {
    let n_positional = args.iter().filter(|arg| matches!(arg, Arg::Positional(_))).count();
    let names_variable = args.iter().any(|arg| matches!(arg, Arg::Named(n, _) if n.text == "variable"));
    names_variable || n_positional > usize::from(name == "binomial")
}

fn leaf(cx: &mut Check, whole: Span, head: &Head, family: Family, args: &[Arg]) -> Kind {
    // What a leaf has of its own is all needed; what only the family has, such as a floor, is not.
    let kinds = check_arguments(cx, whole, head, args, |name| name != "min_sd");
    let variable = kinds.first().cloned().flatten().unwrap_or(Kind::Any);
    let family = match family {
        Family::Binomial(_) => Family::Binomial(kinds.get(1).and_then(|kind| kind.as_ref()?.size().cloned())),
        other => other,
    };
    if let Some(domain) = variable.domain() {
        check_fit(cx, &family, domain, whole);
    }
    check_numbers(cx, &family, variable.domain(), args);
    Kind::Layer(Some(Size::constant(1)))
}

/// What is written in place of a leaf's numbers.
fn check_numbers(cx: &mut Check, family: &Family, domain: Option<&Domain>, args: &[Arg]) {
    match family {
        Family::Bernoulli => check_probability(cx, given(args, 1, "p")),
        Family::Binomial(_) => check_probability(cx, given(args, 2, "p")),
        Family::Categorical => {
            if let Some(numbers) = given(args, 1, "p") {
                let n_values = domain.and_then(Domain::n_values);
                table::check_distribution(cx, numbers, n_values.as_ref());
            }
        }
        Family::Gaussian => {
            if let Some((value, number)) = given(args, 2, "sd").and_then(|sd| Some((sd, written_number(sd)?)))
                && number <= 0.0
            {
                let message = "the deviation of `gaussian` must be positive";
                cx.report(Diagnostic::error("bad-parameter", message).at(value.span, ""));
            }
        }
    }
}

fn check_probability(cx: &mut Check, value: Option<&Expr>) {
    let number = value.and_then(|value| Some((value, written_number(value)?)));
    if let Some((value, number)) = number.filter(|(_, number)| !(0.0..=1.0).contains(number)) {
        let message = format!("a probability lies between 0 and 1, and this is {number}");
        cx.report(Diagnostic::error("bad-parameter", message).at(value.span, ""));
    }
}

fn alone(cx: &mut Check, whole: Span, head: &Head, family: Family, args: &[Arg]) -> Kind {
    let settings: &[&str] = match family {
        Family::Binomial(_) => &["n"],
        Family::Gaussian => &["min_sd"],
        Family::Bernoulli | Family::Categorical => &[],
    };
    let Some(known) = builtin::prelude_signature(head.name) else { return Kind::Any };
    let is_setting = |parameter: &Parameter| settings.contains(&parameter.name.as_str());
    let mut params: Vec<Parameter> =
        Signature::of_builtin(known).params.into_iter().filter(is_setting).collect();
    for parameter in params.iter_mut().filter(|parameter| parameter.name == "n") {
        parameter.need = Need::Required;
    }
    let site = Site { name: head.name, declared: Span::NONE, span: whole, is_static: false, others: &[] };
    let kinds = arguments::check(cx, &site, &params, args);
    Kind::Family(Some(match family {
        Family::Binomial(_) => {
            Family::Binomial(kinds.first().and_then(|kind| kind.as_ref()?.size().cloned()))
        }
        other => other,
    }))
}

/// Checks arguments against the table of builtins, whose optional ones are needed where `is_needed` says so.
fn check_arguments(
    cx: &mut Check,
    whole: Span,
    head: &Head,
    args: &[Arg],
    is_needed: impl Fn(&str) -> bool,
) -> Vec<Option<Kind>> {
    let Some(known) = builtin::prelude_signature(head.name) else { return Vec::new() };
    let mut params = Signature::of_builtin(known).params;
    for parameter in &mut params {
        if is_needed(&parameter.name) {
            parameter.need = Need::Required;
        }
        if parameter.name == "variable" {
            parameter.kind = Kind::Var(None);
        }
    }
    let site = Site { name: head.name, declared: Span::NONE, span: whole, is_static: false, others: &[] };
    arguments::check(cx, &site, &params, args)
}

/// The expression given for a parameter, by name or by position.
fn given<'e>(args: &'e [Arg], position: usize, name: &str) -> Option<&'e Expr> {
    let by_name = args.iter().find_map(|arg| match arg {
        Arg::Named(given, value) if given.text == name => Some(value),
        _ => None,
    });
    let mut by_position = args.iter().filter_map(|arg| match arg {
        Arg::Positional(value) => Some(value),
        _ => None,
    });
    by_name.or_else(|| by_position.nth(position))
}

/// The value of a number as it is written, with its sign.
pub(in crate::types) fn written_number(value: &Expr) -> Option<f64> {
    match &value.kind {
        ExprKind::Number(number) => Some(number.value),
        ExprKind::Unary(UnaryOp::Negate, inner) => written_number(inner).map(|number| -number),
        ExprKind::Paren(inner) => written_number(inner),
        _ => None,
    }
}
