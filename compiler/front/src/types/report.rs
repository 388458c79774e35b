//! The words of messages that several constructs share: kinds that do not fit, unused names.

use super::Check;
use super::kind::Kind;
use super::size::{Comparison, Size};
use crate::resolve::scopes::{Binding, Origin};
use pcc_diag::{Diagnostic, Span};

/// Reports `kind-mismatch` unless a value of kind `found` may stand where `wanted` is.
/// `role` names the place: `` `X` of `Hmm` ``. Returns whether it fits.
pub(super) fn require(cx: &mut Check, found: &Kind, wanted: &Kind, span: Span, role: &str) -> bool {
    if found.fits(wanted) {
        return true;
    }
    cx.report(mismatch(found, wanted, span, role));
    false
}

/// The report of a kind that does not fit.
pub(super) fn mismatch(found: &Kind, wanted: &Kind, span: Span, role: &str) -> Diagnostic {
    if let (Kind::Var(_) | Kind::Scope(_) | Kind::Formula, Kind::Layer(_) | Kind::Formula | Kind::Literal) =
        (found, wanted)
    {
        return not_a_literal(found, span, role);
    }
    let report =
        Diagnostic::error("kind-mismatch", format!("{role} must be {}, and this is {found}", plain(wanted)))
            .at(span, found.to_string());
    match (found, wanted) {
        (Kind::Float, Kind::Int(_)) => report.help("write a whole number"),
        (Kind::Int(_), Kind::Float) => {
            report.help("write `2.0` for a number that happens to be whole, or `float(n)`")
        }
        (Kind::Function(signature), _) => report.help(format!("call it: `{}(..)`", signature.name)),
        _ => report,
    }
}

/// The report of variables or a formula where only a literal is a circuit or a formula.
fn not_a_literal(found: &Kind, span: Span, role: &str) -> Diagnostic {
    let message = format!("{role} is {found}; only a `bool` variable and its negation stand for themselves");
    let report = Diagnostic::error("not-a-literal", message).at(span, found.to_string());
    match found {
        Kind::Formula => report.help("`std/psdd` turns a formula into a circuit"),
        Kind::Scope(_) => report.help("take its variables one by one: `for v in X: input[K](v)`"),
        _ => report.help("`literal(v, value)` is one value, `input[K](v)` a distribution"),
    }
}

/// A wanted kind without what is known of its size, which is not what is amiss.
fn plain(wanted: &Kind) -> String {
    match wanted {
        Kind::Layer(_) => "a circuit".into(),
        Kind::Var(_) => "a variable".into(),
        other => other.to_string(),
    }
}

/// The warning of a local name that nothing refers to; elements of comprehensions and the parameters of
/// lambdas and functions may be left unused, as their number is not the author's to choose.
pub(super) fn unused(binding: &Binding) -> Option<Diagnostic> {
    let (code, what) = match binding.origin {
        Origin::Parameter => ("unused-param", "parameter"),
        Origin::Table => ("unused-param", "table of parameters"),
        Origin::Let => ("unused-variable", "local"),
        Origin::Function => ("unused-variable", "function"),
        Origin::Element => return None,
    };
    let name = &binding.name;
    let report = Diagnostic::warning(code, format!("the {what} `{name}` is never used"));
    Some(report.at(binding.span, "").help(format!("remove it, or call it `_{name}`")))
}

/// Whether two widths are known to differ.
pub(super) fn differ(a: &Option<Size>, b: &Option<Size>) -> bool {
    matches!((a, b), (Some(a), Some(b)) if a.compare(b) == Comparison::Different)
}
