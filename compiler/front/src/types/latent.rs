//! `sum[K](x) by Z`: the summed index is the value of the latent Z, so x is as wide as Z's domain.

use super::kind::Kind;
use super::report::require;
use super::size::Size;
use super::table::core;
use super::{Check, expr};
use pcc_diag::{Diagnostic, Span};
use pcc_grammar::ast::Expr;

/// The kind of `circuit by latent`, which is that of the circuit.
pub(super) fn kind_of(cx: &mut Check, circuit: &Expr, latent: &Expr) -> Kind {
    let sum = core(cx, circuit, &["sum"]);
    if let Some(span) = sum {
        cx.supervised.insert(span);
    }
    let kind = expr::kind_of(cx, circuit);
    let named = expr::kind_of(cx, latent);
    let Some(span) = sum else {
        if !kind.is_any() {
            cx.report(misplaced(circuit.span));
        }
        return kind;
    };
    if require(cx, &named, &Kind::Var(None), latent.span, "what stands behind `by`")
        && is_single(cx, &named, latent)
    {
        let inputs = cx.columns.get(&span).cloned().flatten();
        check_width(cx, &named, latent, inputs, span);
    }
    kind
}

fn misplaced(span: Span) -> Diagnostic {
    Diagnostic::error("misplaced-tag", "`by` names the latent of one `sum`, and this is none")
        .at(span, "")
        .help("write it right behind the call of `sum`")
}

fn is_single(cx: &mut Check, named: &Kind, latent: &Expr) -> bool {
    let Kind::Scope(scope) = named else { return true };
    let Some(n) = scope.len().as_ref().and_then(Size::value).filter(|n| *n != 1) else { return true };
    let name = cx.program.text(latent.span).to_string();
    let message = format!("a sum has one latent, and `{name}` is {n} of them");
    let report = Diagnostic::error("kind-mismatch", message).at(latent.span, "");
    cx.report(report.help(format!("choose one: `by {name}[i]`")));
    false
}

fn check_width(cx: &mut Check, named: &Kind, latent: &Expr, inputs: Option<Size>, sum: Span) {
    let (Some(domain), Some(inputs)) = (named.domain(), inputs) else { return };
    if !domain.cannot_have(&inputs) {
        return;
    }
    let name = cx.program.text(latent.span);
    let report = match domain.n_values() {
        Some(n) => {
            let message =
                format!("`by {name}` needs one head for each of its {n} values, but the sum mixes {inputs}");
            Diagnostic::error("latent-width", message)
                .help(format!("give what is summed {n} heads, or declare `{name}` with {inputs} values"))
        }
        None => Diagnostic::error(
            "latent-width",
            format!("`{name}` is `{domain}`, which has no last value to sum over"),
        )
        .help("a latent is `cat(n)` or `bool`"),
    };
    let report =
        report.at(latent.span, format!("domain `{domain}`")).note(sum, format!("mixes {inputs} units"));
    cx.report(report);
}
