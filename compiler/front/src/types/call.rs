//! Calls of structures, functions, lambdas and methods, and the filling-in of brackets.

use super::arguments::{self, Site, missing_arguments};
use super::kind::Kind;
use super::signature::{Need, Parameter, Signature, What, sizes};
use super::{Check, builder, clause, expr, field, item, prelude};
use crate::ModuleId;
use crate::modules::Named;
use crate::resolve::names::not_among;
use pcc_diag::{Diagnostic, Span};
use pcc_grammar::ast::{Arg, Expr, ExprKind};

/// The kind of `callee(args)`.
pub(super) fn kind_of(cx: &mut Check, whole: Span, callee: &Expr, args: &[Arg]) -> Kind {
    if let Some(head) = builder::head(cx, callee) {
        return builder::kind_of(cx, whole, &head, args);
    }
    if let ExprKind::Field(object, name) = &callee.kind {
        return field::method(cx, whole, object, name, args);
    }
    let kind = expr::kind_of(cx, callee);
    of_value(cx, whole, callee.span, &kind, args)
}

/// The kind of a call of something whose kind is known.
pub(super) fn of_value(cx: &mut Check, whole: Span, callee: Span, kind: &Kind, args: &[Arg]) -> Kind {
    match kind {
        Kind::Function(signature) => apply(cx, whole, signature, args),
        Kind::Any | Kind::Closure => {
            check_unknown(cx, args);
            Kind::Any
        }
        other => {
            check_loosely(cx, args);
            cx.report(not_callable(other, callee));
            Kind::Any
        }
    }
}

fn not_callable(kind: &Kind, callee: Span) -> Diagnostic {
    let report = Diagnostic::error("kind-mismatch", format!("{kind} can't be called"));
    let report = report.at(callee, kind.to_string());
    match kind {
        Kind::Scope(_) | Kind::List(_) | Kind::Table { .. } => {
            report.help("an index goes in brackets: `X[i]`")
        }
        _ => report,
    }
}

/// Applies a signature to arguments in parentheses.
pub(super) fn apply(cx: &mut Check, whole: Span, signature: &Signature, args: &[Arg]) -> Kind {
    if signature.what == What::Learner && !cx.is_learning {
        cx.report(misplaced_learner(signature, whole));
    }
    // One that stands in the wrong pair of brackets is reported there.
    let is_misplaced =
        |p: &Parameter| args.iter().any(|arg| matches!(arg, Arg::Named(n, _) if n.text == p.name));
    let is_missing = |p: &&Parameter| matches!(p.need, Need::Required) && !is_misplaced(p);
    let missing: Vec<&Parameter> = signature.statics.iter().filter(is_missing).collect();
    if !missing.is_empty() {
        let site = site(signature, whole, true);
        cx.report(missing_arguments(&site, &missing));
    }
    let site = site(signature, whole, false);
    let kinds = arguments::check(cx, &site, &signature.params, args);
    let given: Vec<Option<Kind>> =
        signature.statics.iter().map(|_| None).chain(kinds.iter().cloned()).collect();
    let parameters: Vec<&Parameter> = signature.statics.iter().chain(&signature.params).collect();
    let result = signature.result_with(&sizes(&parameters, &given));
    match signature.what {
        What::Builtin => prelude::result(&signature.name, &kinds).unwrap_or(result),
        _ => result,
    }
}

fn misplaced_learner(signature: &Signature, span: Span) -> Diagnostic {
    let name = &signature.name;
    let message = format!("`{name}` looks at data, which only a `learn` item may do");
    Diagnostic::error("misplaced-learner", message)
        .at(span, "")
        .help(format!("write `learn value = {name}(..)`, and use the name here"))
}

/// Fills in the brackets of a structure: `Hmm[K = 64]`.
pub(super) fn fill_in(cx: &mut Check, whole: Span, signature: &Signature, args: &[Arg]) -> Kind {
    if signature.statics.is_empty() {
        check_loosely(cx, args);
        cx.report(no_brackets(signature, whole));
        return Kind::Function(signature.clone().into());
    }
    let kinds = arguments::check(cx, &site(signature, whole, true), &signature.statics, args);
    let parameters: Vec<&Parameter> = signature.statics.iter().collect();
    Kind::Function(signature.without_statics(&sizes(&parameters, &kinds)).into())
}

fn site(signature: &Signature, span: Span, is_static: bool) -> Site<'_> {
    let others = if is_static { &signature.params } else { &signature.statics };
    Site { name: &signature.name, declared: signature.span, span, is_static, others }
}

fn no_brackets(signature: &Signature, span: Span) -> Diagnostic {
    Diagnostic::error("wrong-brackets", format!("`{}` takes nothing in brackets", signature.name))
        .at(span, "")
        .note(signature.span, "declared here")
        .help(format!("its arguments go in parentheses: `{}(..)`", signature.name))
}

/// Checks arguments of which nothing is known but that they must make sense by themselves.
pub(super) fn check_loosely(cx: &mut Check, args: &[Arg]) -> Vec<Kind> {
    let mut kinds = Vec::new();
    for arg in args {
        kinds.push(match arg {
            Arg::Positional(value) | Arg::Named(_, value) => expr::kind_of(cx, value),
            Arg::For(each) => clause::kind_of(cx, each),
        });
    }
    kinds
}

/// Checks the arguments of something unknown: a bare word behind a name may be one that only the callee knows.
fn check_unknown(cx: &mut Check, args: &[Arg]) {
    for arg in args {
        match arg {
            Arg::Named(_, Expr { kind: ExprKind::Name(word), .. }) => {
                cx.scopes.use_name(word);
            }
            other => {
                check_loosely(cx, std::slice::from_ref(other));
            }
        }
    }
}

/// The kind of an item of another module: `trees.chow_liu`.
pub(super) fn of_module(cx: &mut Check, module: ModuleId, name: &str, span: Span) -> Kind {
    match cx.program.find(module, name) {
        Some(Named::Item(id, declaration)) => item::kind_of(cx, id, declaration),
        Some(Named::Module(module)) => Kind::Module(module),
        Some(Named::Missing) => Kind::Any,
        None => {
            let mut known: Vec<&str> = cx.program.names(module).collect();
            known.sort_unstable();
            let diagnostic = not_among("unknown-name", "a name of that module", name, span, &known);
            cx.report(diagnostic);
            Kind::Any
        }
    }
}
