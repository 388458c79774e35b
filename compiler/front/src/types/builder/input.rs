//! `input[K](v)`: K distributions over one variable, of the family that its domain picks or that is named.

use super::{Head, bracket};
use crate::builtin;
use crate::types::arguments::{self, Site};
use crate::types::domain::Domain;
use crate::types::family::{Family, fitting};
use crate::types::kind::Kind;
use crate::types::signature::Signature;
use crate::types::{Check, size::Size};
use crate::words::listing;
use pcc_diag::{Diagnostic, Span};
use pcc_grammar::ast::Arg;

/// A layer of the width in brackets.
pub(super) fn kind_of(cx: &mut Check, whole: Span, head: &Head, args: &[Arg]) -> Kind {
    let width = bracket(cx, head, "width");
    let Some(known) = builtin::prelude_signature("input") else { return Kind::Layer(width) };
    let signature = Signature::of_builtin(known);
    let site = Site { name: "input", declared: Span::NONE, span: whole, is_static: false, others: &[] };
    let kinds = arguments::check(cx, &site, &signature.params, args);
    let variable = kinds.first().cloned().flatten().unwrap_or(Kind::Any);
    check_single(cx, &variable, whole);
    let family = kinds.get(1).cloned().flatten();
    if let Some(domain) = variable.domain().filter(|domain| is_categorical(family.as_ref(), domain)) {
        cx.columns.insert(whole, domain.n_values());
    }
    match (family, variable.domain()) {
        (Some(Kind::Family(Some(family))), Some(domain)) => check_fit(cx, &family, domain, whole),
        (None, Some(Domain::Nat)) => cx.report(no_default(whole)),
        _ => {}
    }
    Kind::Layer(width)
}

/// Whether a row of the input's table is a distribution over the values of its variable.
fn is_categorical(family: Option<&Kind>, domain: &Domain) -> bool {
    match family {
        Some(Kind::Family(Some(family))) => *family == Family::Categorical,
        Some(_) => false,
        None => matches!(domain, Domain::Cat(_) | Domain::Token(_) | Domain::Int(..)),
    }
}

/// A scope of more than one variable is not a variable.
fn check_single(cx: &mut Check, variable: &Kind, whole: Span) {
    let Kind::Scope(scope) = variable else { return };
    if let Some(n) = scope.len().as_ref().and_then(Size::value).filter(|n| *n != 1) {
        let message = format!("`input` stands over one variable, and this is a scope of {n}");
        cx.report(
            Diagnostic::error("kind-mismatch", message)
                .at(whole, "")
                .help("take one of them, as in `X[0]`, or all: `prod(for v in X: input[K](v))`"),
        );
    }
}

/// Reports a family that may not stand over a variable of this domain.
pub(super) fn check_fit(cx: &mut Check, family: &Family, domain: &Domain, span: Span) {
    if !family.is_refused_by(domain) {
        return;
    }
    let message = format!("`{}` does not fit a variable of domain `{domain}`", family.name());
    let report = Diagnostic::error("family-does-not-fit", message)
        .at(span, format!("`{}` is for {}", family.name(), family.fits_what()));
    let possible = fitting(domain);
    cx.report(if possible.is_empty() {
        report
    } else {
        report.help(format!("`{domain}` takes {}", listing(&possible)))
    });
}

fn no_default(span: Span) -> Diagnostic {
    Diagnostic::error("family-does-not-fit", "no family stands over a variable of domain `nat` by itself")
        .at(span, "")
        .help("declare the largest value, `int(0 .. n)`")
}
