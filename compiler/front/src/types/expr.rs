//! The kind of an expression: names and literals here, each larger construct in its own file.

use super::kind::Kind;
use super::signature::Signature;
use super::size::Size;
use super::{Check, block, call, clause, field, function, index, item, latent, operator, table};
use crate::builtin;
use crate::modules::Named;
use pcc_diag::{Diagnostic, Span};
use pcc_grammar::ast::{Arg, Expr, ExprKind, Number};

/// Stack that is left when a new piece is taken, and the size of a piece: sources nest as deep as they like.
pub(super) const RED_ZONE: usize = 128 << 10;
pub(super) const STACK_PIECE: usize = 2 << 20;

/// The kind of an expression; what is wrong in it is reported once.
pub(super) fn kind_of(cx: &mut Check, expr: &Expr) -> Kind {
    stacker::maybe_grow(RED_ZONE, STACK_PIECE, || kind_of_construct(cx, expr))
}

fn kind_of_construct(cx: &mut Check, expr: &Expr) -> Kind {
    match &expr.kind {
        ExprKind::Name(name) => of_name(cx, name, expr.span),
        ExprKind::Number(number) => of_number(number),
        ExprKind::Text(_) => Kind::Text,
        ExprKind::List(args) => of_list(cx, args),
        ExprKind::Tuple(parts) => {
            let parts: Vec<Kind> = parts.iter().map(|part| kind_of(cx, part)).collect();
            Kind::Tuple(parts.into())
        }
        ExprKind::Paren(inner) => kind_of(cx, inner),
        ExprKind::Unary(op, operand) => operator::unary(cx, *op, operand),
        ExprKind::Binary(op, left, right) => operator::binary(cx, *op, left, right),
        ExprKind::Lambda(params, body) => function::lambda(cx, params, body),
        ExprKind::If(condition, then, otherwise) => block::choice(cx, condition, then, otherwise.as_deref()),
        ExprKind::Share(shared) => of_share(cx, shared),
        ExprKind::Index(object, args) => index::kind_of(cx, expr.span, object, args),
        ExprKind::Call(callee, args) => call::kind_of(cx, expr.span, callee, args),
        ExprKind::Field(object, name) => field::kind_of(cx, object, name),
        ExprKind::With(circuit, numbers) => table::kind_of(cx, circuit, numbers),
        ExprKind::By(circuit, latent) => latent::kind_of(cx, circuit, latent),
    }
}

/// What a name means: a local, else an item or an import, else a name of the prelude.
pub(super) fn of_name(cx: &mut Check, name: &str, span: Span) -> Kind {
    if let Some(kind) = cx.scopes.use_name(name) {
        return kind;
    }
    match cx.program.find(cx.module, name) {
        Some(Named::Item(id, declaration)) => return item::kind_of(cx, id, declaration),
        Some(Named::Module(module)) => return Kind::Module(module),
        Some(Named::Missing) => return Kind::Any,
        None => {}
    }
    if matches!(name, "true" | "false") {
        return Kind::Bool;
    }
    match builtin::prelude_signature(name) {
        Some(signature) => Kind::Function(Signature::of_builtin(signature).into()),
        None => {
            cx.unknown_name(name, span);
            Kind::Any
        }
    }
}

/// Whether a name means what the prelude has under it.
pub(super) fn is_prelude(cx: &Check, name: &str) -> bool {
    !cx.scopes.has(name) && cx.program.find(cx.module, name).is_none()
}

fn of_number(number: &Number) -> Kind {
    // Integers above 2^53 are not exact in the tree; elaboration refuses them.
    const MOST_EXACT: f64 = 9_007_199_254_740_992.0;
    match number.is_integer {
        true if number.value <= MOST_EXACT => Kind::number(Size::constant(number.value as i64)),
        true => Kind::Int(None),
        false => Kind::Float,
    }
}

/// A list holds one kind, or is known to be a list and no more.
fn of_list(cx: &mut Check, args: &[Arg]) -> Kind {
    let mut element: Option<Kind> = None;
    for arg in args {
        let kind = match arg {
            Arg::Positional(value) => kind_of(cx, value),
            Arg::For(each) => clause::kind_of(cx, each),
            Arg::Named(name, value) => {
                let message =
                    format!("the elements of a list have no names, and this one is called `{}`", name.text);
                cx.report(Diagnostic::error("unknown-argument", message).at(name.span, ""));
                kind_of(cx, value)
            }
        };
        element = Some(element.map_or(kind.clone(), |so_far| so_far.join(kind)));
    }
    Kind::list(element.unwrap_or(Kind::Any))
}

/// `share T[..]` may be called like what it shares.
fn of_share(cx: &mut Check, shared: &Expr) -> Kind {
    let kind = kind_of(cx, shared);
    match kind {
        Kind::Function(_) | Kind::Closure | Kind::Any => kind,
        other => {
            let message = format!("`share` takes a structure or a function, and this is {other}");
            cx.report(
                Diagnostic::error("kind-mismatch", message)
                    .at(shared.span, other.to_string())
                    .help("share it before it is called: `let part = share Part[K = 8]`, then `part(X)`"),
            );
            Kind::Any
        }
    }
}

/// The width of what may stand as a circuit: `None` for what may not or is unknown, else the width when known.
pub(super) fn width(kind: &Kind) -> Option<Option<Size>> {
    match kind {
        Kind::Layer(width) => Some(width.clone()),
        Kind::Circuit(_) | Kind::Literal | Kind::Var(_) => Some(Some(Size::constant(1))),
        _ => None,
    }
}
