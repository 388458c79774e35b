//! `data` and `teacher` items: what they hold, and the closed sets of readers and networks.

use super::arguments::{self, Site};
use super::kind::Kind;
use super::report::require;
use super::signature::Signature;
use super::size::Size;
use super::{Check, expr};
use crate::builtin::{self, Home};
use crate::items::Holds;
use crate::resolve::names::not_among;
use crate::words::listing;
use pcc_diag::{Diagnostic, Span};
use pcc_grammar::ast::{Arg, Data, Expr, ExprKind, Teacher};

/// Checks what a data set holds and how it is read.
pub(super) fn check(cx: &mut Check, data: &Data) {
    match Holds::of(&data.target) {
        Holds::Weights(args) => {
            check_weights(cx, data.target.span, args);
            require_numbers(cx, &data.source);
        }
        Holds::Embedding(_) | Holds::Variables => check_target(cx, &data.target),
    }
    form(cx, &data.source, Home::Reader);
}

/// `weights(train)`: one number for each row of data.
fn check_weights(cx: &mut Check, whole: Span, args: &[Arg]) {
    let [Arg::Positional(of)] = args else {
        super::call::check_loosely(cx, args);
        let message = "`weights` takes the data whose rows it weighs";
        cx.report(
            Diagnostic::error("missing-argument", message).at(whole, "").help("write `weights(train)`"),
        );
        return;
    };
    let kind = expr::kind_of(cx, of);
    require(cx, &kind, &Kind::Data, of.span, "what is weighed");
}

/// Weights are numbers, which neither tokens nor bits are.
fn require_numbers(cx: &mut Check, source: &Expr) {
    if let Some((name @ ("text" | "bits"), span, _)) = called_word(source) {
        let message = format!("`{name}` reads no numbers, and weights are numbers");
        let report = Diagnostic::error("unknown-reader", message).at(span, "");
        cx.report(report.help("write one number a row, and read it with `csv(..)` or `npy(..)`"));
    }
}

/// The variables of a row, in order; or `embedding(Z, 768)`, so many numbers for each of Z.
fn check_target(cx: &mut Check, target: &Expr) {
    match &target.kind {
        ExprKind::Call(callee, args) if is_name(callee, "embedding") => {
            check_embedding(cx, target.span, args)
        }
        ExprKind::Tuple(parts) => parts.iter().for_each(|part| check_target(cx, part)),
        ExprKind::List(args) => {
            for arg in args {
                if let Arg::Positional(part) = arg {
                    check_target(cx, part);
                }
            }
        }
        _ => {
            let kind = expr::kind_of(cx, target);
            require(cx, &kind, &Kind::set(None), target.span, "what a row of data holds");
        }
    }
}

fn check_embedding(cx: &mut Check, whole: Span, args: &[Arg]) {
    let kinds = super::call::check_loosely(cx, args);
    let wanted = [Kind::set(None), Kind::Int(None)];
    if kinds.len() != wanted.len() {
        let message = "`embedding` takes the latents and how many numbers each has";
        cx.report(
            Diagnostic::error("missing-argument", message).at(whole, "").help("write `embedding(Z, 768)`"),
        );
        return;
    }
    for (kind, wanted) in kinds.iter().zip(&wanted) {
        require(cx, kind, wanted, whole, "an argument of `embedding`");
    }
}

fn is_name(expr: &Expr, name: &str) -> bool {
    matches!(&expr.kind, ExprKind::Name(found) if found == name)
}

/// Checks a network and the data it is trained on.
pub(super) fn check_teacher(cx: &mut Check, teacher: &Teacher) {
    form(cx, &teacher.network, Home::Teacher);
    if let Some(data) = &teacher.data {
        let kind = expr::kind_of(cx, data);
        require(cx, &kind, &Kind::Data, data.span, "what a teacher is trained on");
    }
}

/// How many codes a network gives: `vq_vae(.., codes = 32)`.
pub(super) fn codes_of(cx: &mut Check, teacher: &Teacher) -> Option<Size> {
    let ExprKind::Call(_, args) = &teacher.network.kind else { return None };
    let codes = args.iter().find_map(|arg| match arg {
        Arg::Named(name, value) if name.text == "codes" => Some(value),
        _ => None,
    })?;
    expr::kind_of(cx, codes).size().cloned()
}

/// Checks a word that is known only in this kind of place, such as a reader after `from`, with its arguments.
pub(super) fn form(cx: &mut Check, expr: &Expr, home: Home) {
    let (code, what) = match home {
        Home::Reader => ("unknown-reader", "a reader of data"),
        Home::Teacher => ("unknown-word", "a teacher network"),
        Home::Optimizer => ("unknown-word", "an optimiser"),
        Home::Schedule => ("unknown-word", "a schedule"),
        Home::Stop => ("unknown-word", "a way to stop a stage"),
        Home::Change => ("unknown-word", "a change to a circuit"),
        Home::Output => ("unknown-word", "what a report writes"),
        Home::Prelude | Home::Std(_) => ("unknown-word", "a word of this place"),
    };
    let known: Vec<&str> = builtin::names_at(home).collect();
    let Some((name, span, args)) = called_word(expr) else {
        let report = Diagnostic::error(code, format!("this is not {what}")).at(expr.span, "");
        cx.report(report.help(format!("there are {}", listing(&known))));
        return;
    };
    let Some(signature) = builtin::SIGNATURES.iter().find(|s| s.home == home && s.name == name) else {
        cx.report(not_among(code, what, name, span, &known));
        return;
    };
    let site = Site { name, declared: Span::NONE, span: expr.span, is_static: false, others: &[] };
    arguments::check(cx, &site, &Signature::of_builtin(signature).params, args);
}

/// The word in `word(args)` or `word`, and where it stands.
fn called_word(expr: &Expr) -> Option<(&str, Span, &[Arg])> {
    let (callee, args) = match &expr.kind {
        ExprKind::Call(callee, args) => (&**callee, args.as_slice()),
        _ => (expr, [].as_slice()),
    };
    match &callee.kind {
        ExprKind::Name(name) => Some((name, callee.span, args)),
        _ => None,
    }
}
