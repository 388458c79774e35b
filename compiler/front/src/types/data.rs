//! `data` and `teacher` items: what they hold, and the closed sets of readers and networks.

use super::arguments::{self, Site};
use super::kind::Kind;
use super::report::require;
use super::signature::Signature;
use super::{Check, expr};
use crate::builtin::{self, Home};
use crate::resolve::names::not_among;
use pcc_diag::{Diagnostic, Span};
use pcc_grammar::ast::{Arg, Data, Expr, ExprKind, Teacher};

/// Checks what a data set holds and how it is read.
pub(super) fn check(cx: &mut Check, data: &Data) {
    check_target(cx, &data.target);
    form(cx, &data.source, Home::Reader, "unknown-reader", "a reader of data");
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
    form(cx, &teacher.network, Home::Teacher, "unknown-teacher", "a teacher network");
    if let Some(data) = &teacher.data {
        let kind = expr::kind_of(cx, data);
        require(cx, &kind, &Kind::Data, data.span, "what a teacher is trained on");
    }
}

/// Checks a call of a word that is known only in this kind of place, such as a reader after `from`.
/// Returns its name when there is such a word. `what` has its article.
pub(super) fn form<'e>(
    cx: &mut Check,
    expr: &'e Expr,
    home: Home,
    code: &'static str,
    what: &str,
) -> Option<&'e str> {
    let (name, span, args) = match &expr.kind {
        ExprKind::Call(callee, args) => match &callee.kind {
            ExprKind::Name(name) => (name, callee.span, args.as_slice()),
            _ => return not_a_form(cx, expr, home, code, what),
        },
        ExprKind::Name(name) => (name, expr.span, [].as_slice()),
        _ => return not_a_form(cx, expr, home, code, what),
    };
    let known: Vec<&str> = builtin::names_at(home).collect();
    let signature = builtin::SIGNATURES.iter().find(|s| s.home == home && s.name == name);
    let Some(signature) = signature else {
        cx.report(not_among(code, what, name, span, &known));
        return None;
    };
    let site = Site { name, declared: Span::NONE, span: expr.span, is_static: false, others: &[] };
    arguments::check(cx, &site, &Signature::of_builtin(signature).params, args);
    Some(name)
}

fn not_a_form<'e>(
    cx: &mut Check,
    expr: &Expr,
    home: Home,
    code: &'static str,
    what: &str,
) -> Option<&'e str> {
    let known: Vec<&str> = builtin::names_at(home).collect();
    let message = format!("this is not {what}");
    cx.report(
        Diagnostic::error(code, message)
            .at(expr.span, "")
            .help(format!("there is {}", crate::words::listing(&known))),
    );
    None
}
