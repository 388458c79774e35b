//! Structures, functions and lambdas: their signatures, and their bodies against them.

use super::block;
use super::kind::Kind;
use super::report::{differ, require};
use super::signature::{Need, Parameter, Signature, What};
use super::size::Size;
use super::{Check, expr, written};
use crate::resolve::duplicates::listed_twice;
use crate::resolve::scopes::Origin;
use pcc_diag::{Diagnostic, Span};
use pcc_grammar::ast::{Block, Expr, Name, Param, Ty};

/// What a signature is made of, whichever item or statement it belongs to.
pub(super) struct Head<'s> {
    pub name: &'s Name,
    pub what: What,
    /// Its arguments are keys of what it remembers, so it need not look at each.
    pub is_memo: bool,
    pub statics: &'s [Param],
    pub params: &'s [Param],
    pub ty: &'s Ty,
}

/// The signature that a head declares. Later parameters and the result may mention earlier ones.
pub(super) fn signature(cx: &mut Check, head: &Head) -> Signature {
    cx.scopes.open();
    report_repeats(cx, head.statics.iter().chain(head.params));
    let statics: Vec<Parameter> = head.statics.iter().map(|param| parameter(cx, param)).collect();
    let params: Vec<Parameter> = head.params.iter().map(|param| parameter(cx, param)).collect();
    let result = written::kind_of(cx, head.ty);
    let mentioned: Vec<String> =
        cx.scopes.close().into_iter().filter(|binding| binding.is_used).map(|binding| binding.name).collect();
    let mark = |p: Parameter| Parameter { is_mentioned: mentioned.contains(&p.name), ..p };
    Signature {
        name: head.name.text.clone(),
        what: head.what,
        span: head.name.span,
        statics: statics.into_iter().map(mark).collect(),
        params: params.into_iter().map(mark).collect(),
        result,
    }
}

fn report_repeats<'s>(cx: &mut Check, params: impl Iterator<Item = &'s Param>) {
    let mut seen: Vec<&Name> = Vec::new();
    for param in params {
        if let Some(earlier) = seen.iter().find(|name| name.text == param.name.text) {
            cx.report(listed_twice("the parameter", &param.name.text, param.name.span, earlier.span));
        }
        seen.push(&param.name);
    }
}

/// Reads one parameter and binds it in the open scope, for the types that mention it.
fn parameter(cx: &mut Check, param: &Param) -> Parameter {
    let written = param.ty.as_ref().map(|ty| written::kind_of(cx, ty));
    let default = param.default.as_ref().map(|default| expr::kind_of(cx, default));
    if let (Some(kind), Some(found), Some(value)) = (&written, &default, &param.default) {
        require(cx, found, kind, value.span, &format!("the default of `{}`", param.name.text));
    }
    let kind = written.or(default.as_ref().map(untyped)).unwrap_or(Kind::Any);
    let symbol = matches!(kind, Kind::Int(_)).then(|| cx.fresh_symbol(&param.name.text));
    let bound = symbol.clone().map_or(kind.clone(), |symbol| Kind::number(Size::symbol(symbol)));
    if !cx.scopes.has(&param.name.text) {
        cx.bind_quietly(&param.name, bound, Origin::Parameter);
    }
    Parameter {
        name: param.name.text.clone(),
        span: param.name.span,
        kind,
        symbol,
        need: default.map_or(Need::Required, Need::Optional),
        is_mentioned: false,
    }
}

/// What a parameter without a type takes, by its default: a function for a function, a number for a number.
fn untyped(default: &Kind) -> Kind {
    match default {
        Kind::Function(_) => Kind::Closure,
        Kind::Int(_) => Kind::Int(None),
        Kind::Bool | Kind::Text | Kind::Float | Kind::Key => default.clone(),
        _ => Kind::Any,
    }
}

/// Checks a body against its signature. Names that the head gives are in view; they are the function's
/// interface, so they may repeat a name of the body that the function stands in.
pub(super) fn check_body(cx: &mut Check, head: &Head, signature: &Signature, body: &Block) {
    cx.scopes.open();
    let names = head.statics.iter().chain(head.params).map(|param| &param.name);
    for (name, parameter) in names.zip(signature.statics.iter().chain(&signature.params)) {
        let symbol = parameter.symbol.clone();
        let kind = symbol.map_or(parameter.kind.clone(), |symbol| Kind::number(Size::symbol(symbol)));
        cx.bind_quietly(name, kind, Origin::Parameter);
        if parameter.is_mentioned || head.is_memo {
            cx.scopes.use_name(&name.text);
        }
    }
    let found = block::kind_of(cx, body);
    check_result(cx, &found, signature, head.ty.span, &body.result);
    cx.close_scope();
}

fn check_result(cx: &mut Check, found: &Kind, signature: &Signature, written: Span, result: &Expr) {
    let role = format!("the result of `{}`", signature.name);
    if !require(cx, found, &signature.result, result.span, &role) {
        return;
    }
    if let (Some(found), Kind::Layer(Some(wanted))) = (expr::width(found), &signature.result)
        && differ(&found, &Some(wanted.clone()))
    {
        let found = found.map_or(String::new(), |width| width.to_string());
        cx.report(result_width(&signature.name, &found, wanted, written, result.span));
    }
}

fn result_width(name: &str, found: &str, wanted: &Size, written: Span, span: Span) -> Diagnostic {
    let message = format!("`{name}` gives `layer[{wanted}]`, but its body has width {found}");
    Diagnostic::error("width-mismatch", message)
        .at(span, format!("width {found}"))
        .note(written, format!("width {wanted}"))
        .help(format!("mix it down with `sum[{wanted}](..)`, or give the width that is written"))
}

/// The kind of `fn(v) => body`.
pub(super) fn lambda(cx: &mut Check, params: &[Param], body: &Expr) -> Kind {
    cx.scopes.open();
    let mut parameters = Vec::new();
    for param in params {
        let kind = param.ty.as_ref().map_or(Kind::Any, |ty| written::kind_of(cx, ty));
        let default = param.default.as_ref().map(|default| expr::kind_of(cx, default));
        cx.bind(&param.name, kind.clone(), Origin::Element);
        parameters.push(Parameter {
            name: param.name.text.clone(),
            span: param.name.span,
            kind,
            symbol: None,
            need: default.map_or(Need::Required, Need::Optional),
            is_mentioned: true,
        });
    }
    let result = expr::kind_of(cx, body);
    cx.close_scope();
    let span = params.first().map_or(body.span, |param| param.name.span);
    let (name, what) = ("fn".to_string(), What::Lambda);
    Kind::Function(Signature { name, what, span, statics: Vec::new(), params: parameters, result }.into())
}
