//! `{ statements result }`, and `if`.
//!
//! A binding is in view of what follows it; the functions of a block are in view of the whole block, so that
//! they may call each other, and their bodies see all its bindings.

use super::function::{self, Head};
use super::kind::Kind;
use super::report::{differ, require};
use super::signature::{Signature, What};
use super::{Check, expr};
use crate::resolve::scopes::Origin;
use pcc_diag::{Diagnostic, Span};
use pcc_grammar::ast::{Block, Expr, FnStmt, LetStmt, Pattern, Stmt};
use std::rc::Rc;

/// The kind of a block's result.
pub(super) fn kind_of(cx: &mut Check, block: &Block) -> Kind {
    cx.scopes.open();
    for function in block.stmts.iter().filter_map(as_function) {
        cx.bind(&function.name, Kind::Closure, Origin::Function);
    }
    let mut functions: Vec<(&FnStmt, Rc<Signature>)> = Vec::new();
    for statement in &block.stmts {
        match statement {
            Stmt::Let(binding) => check_let(cx, binding),
            Stmt::Param(tables) => {
                for key in &tables.keys {
                    cx.bind(&key.name, Kind::Table { is_keyed: key.is_keyed }, Origin::Table);
                }
            }
            Stmt::Fn(function) => {
                let signature = Rc::new(function::signature(cx, &head_of(function)));
                cx.scopes.refine(&function.name.text, Kind::Function(signature.clone()));
                functions.push((function, signature));
            }
        }
    }
    for (function, signature) in functions {
        function::check_body(cx, &head_of(function), &signature, &function.body);
    }
    let result = expr::kind_of(cx, &block.result);
    cx.close_scope();
    result
}

fn as_function(statement: &Stmt) -> Option<&FnStmt> {
    match statement {
        Stmt::Fn(function) => Some(function),
        Stmt::Let(_) | Stmt::Param(_) => None,
    }
}

/// The head of a function.
pub(super) fn head_of(function: &FnStmt) -> Head<'_> {
    Head {
        name: &function.name,
        what: What::Function,
        is_memo: function.is_memo,
        statics: &[],
        params: &function.params,
        ty: &function.ty,
    }
}

/// Checks a `let` and binds what its pattern names.
pub(super) fn check_let(cx: &mut Check, binding: &LetStmt) {
    let kind = expr::kind_of(cx, &binding.value);
    bind_pattern(cx, &binding.pattern, &kind, Origin::Let);
}

/// Binds the names of a pattern to a value, or to its parts.
pub(super) fn bind_pattern(cx: &mut Check, pattern: &Pattern, kind: &Kind, origin: Origin) {
    match pattern {
        Pattern::Name(name) => cx.bind(name, kind.clone(), origin),
        Pattern::Tuple(names, span) => {
            let parts = parts_of(cx, kind, names.len(), *span);
            for (name, part) in names.iter().zip(parts) {
                cx.bind(name, part, origin);
            }
        }
    }
}

fn parts_of(cx: &mut Check, kind: &Kind, n_names: usize, span: Span) -> Vec<Kind> {
    match kind {
        Kind::Tuple(parts) if parts.len() == n_names => parts.to_vec(),
        Kind::Any => vec![Kind::Any; n_names],
        Kind::List(element) => vec![(**element).clone(); n_names],
        other => {
            let message = format!("this pattern takes a tuple of {n_names} apart, and the value is {other}");
            cx.report(Diagnostic::error("pattern-differs", message).at(span, ""));
            vec![Kind::Any; n_names]
        }
    }
}

/// The kind of `if c { a } else { b }`: what both branches are.
pub(super) fn choice(cx: &mut Check, condition: &Expr, then: &Block, otherwise: Option<&Block>) -> Kind {
    let found = expr::kind_of(cx, condition);
    require(cx, &found, &Kind::Bool, condition.span, "the condition of `if`");
    let first = kind_of(cx, then);
    let Some(otherwise) = otherwise else { return first };
    let second = kind_of(cx, otherwise);
    if !first.fits(&second) && !second.fits(&first) {
        cx.report(branches_differ(&first, &second, then, otherwise));
        return Kind::Any;
    }
    if let (Some(a), Some(b)) = (expr::width(&first), expr::width(&second))
        && differ(&a, &b)
    {
        cx.report(branch_widths_differ(&first, &second, then, otherwise));
        return Kind::Layer(None);
    }
    first.join(second)
}

fn branches_differ(first: &Kind, second: &Kind, then: &Block, otherwise: &Block) -> Diagnostic {
    Diagnostic::error("kind-mismatch", format!("one branch of this `if` is {first}, the other is {second}"))
        .at(otherwise.result.span, second.to_string())
        .note(then.result.span, first.to_string())
}

fn branch_widths_differ(first: &Kind, second: &Kind, then: &Block, otherwise: &Block) -> Diagnostic {
    Diagnostic::error("width-mismatch", format!("one branch of this `if` is {first}, the other is {second}"))
        .at(otherwise.result.span, second.to_string())
        .note(then.result.span, first.to_string())
        .help("give both branches the same width")
}
