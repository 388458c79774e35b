//! Written types: `layer[K]`, `tree(V)`, `int`.

use super::kind::Kind;
use super::report::require;
use super::{Check, expr};
use crate::builtin;
use crate::resolve::names::not_among;
use pcc_diag::Diagnostic;
use pcc_grammar::ast::{Expr, ExprKind, Ty};

/// The kind that a written type stands for. Reports `unknown-type`, and widths where there are none.
pub(super) fn kind_of(cx: &mut Check, ty: &Ty) -> Kind {
    let Some((_, base)) = builtin::TYPES.iter().find(|(name, _)| *name == ty.name.text) else {
        let known: Vec<&str> = builtin::TYPES.iter().map(|(name, _)| *name).collect();
        cx.report(not_among("unknown-type", "a type", &ty.name.text, ty.name.span, &known));
        return Kind::Any;
    };
    let kind = Kind::of_builtin(*base);
    let widths: Vec<Kind> = ty.widths.iter().map(|width| number(cx, width, &ty.name.text)).collect();
    for scope in &ty.scopes {
        check_scope(cx, scope);
    }
    match (kind, widths.as_slice()) {
        (Kind::Layer(_), [width]) => Kind::Layer(width.size().cloned()),
        (Kind::Layer(_), []) => Kind::Layer(None),
        (Kind::Codes(_), [n]) => Kind::Codes(n.size().cloned()),
        (Kind::Layer(_), _) => {
            cx.report(many_widths(ty));
            Kind::Layer(None)
        }
        (kind, []) => kind,
        (kind, _) => {
            cx.report(width_where_none_is(ty));
            kind
        }
    }
}

fn number(cx: &mut Check, width: &Expr, of: &str) -> Kind {
    let kind = expr::kind_of(cx, width);
    match require(cx, &kind, &Kind::Int(None), width.span, &format!("what stands in the brackets of `{of}`"))
    {
        true => kind,
        false => Kind::Int(None),
    }
}

/// A type's scope is an expression; `tile(X, Z)`, the tiles of X, is written only here.
fn check_scope(cx: &mut Check, scope: &Expr) {
    match &scope.kind {
        ExprKind::Call(callee, args) if matches!(&callee.kind, ExprKind::Name(name) if name == "tile") => {
            for arg in args {
                if let pcc_grammar::ast::Arg::Positional(of) = arg {
                    check_scope(cx, of);
                }
            }
        }
        _ => {
            let kind = expr::kind_of(cx, scope);
            require(cx, &kind, &Kind::set(None), scope.span, "the scope of a type");
        }
    }
}

fn many_widths(ty: &Ty) -> Diagnostic {
    Diagnostic::error("kind-mismatch", "a `layer` has one width, in brackets")
        .at(ty.span, "")
        .help("write `layer[K]`, or `layer[1]` for a single unit")
}

fn width_where_none_is(ty: &Ty) -> Diagnostic {
    Diagnostic::error("kind-mismatch", format!("the type `{}` has no width", ty.name.text))
        .at(ty.span, "")
        .help(format!("write `{}`", ty.name.text))
}
