//! `prune(..)` and `grow(..)`: what stands behind `then` in a stage.

use super::optimizer::{number, unknown};
use crate::builtin::Home;
use crate::elab::learn::{named, unknown_option, word};
use crate::elab::{Elaborator, Eval};
use crate::value::Env;
use pcc_diag::{Diagnostic, Span};
use pcc_grammar::ast::{Arg, Expr, ExprKind};
use pcc_ir::recipe::Change;

/// The deviation of noise when nothing is written, that of Dang, Liu and Van den Broeck (2022).
const NOISE: f64 = 0.3;

/// The change that an expression names.
pub(super) fn change<'p>(e: &mut Elaborator<'p>, expr: &'p Expr, env: &Env<'p>) -> Eval<Change> {
    let (name, args): (_, &[Arg]) = match &expr.kind {
        ExprKind::Call(callee, args) => (word(callee), args),
        _ => (word(expr), &[]),
    };
    match name {
        Some("prune") => prune(e, args, expr.span, env),
        Some("grow") => grow(e, args, env),
        other => Err(unknown(Home::Change, "change of a circuit", other.unwrap_or(""), expr.span).into()),
    }
}

fn prune<'p>(e: &mut Elaborator<'p>, args: &'p [Arg], span: Span, env: &Env<'p>) -> Eval<Change> {
    let mut found = Vec::new();
    for (name, expr) in named(args, "prune")? {
        let make = match name.text.as_str() {
            "below" => Change::PruneBelow,
            "keep" => Change::PruneKeep,
            _ => return Err(unknown_option("prune", name).into()),
        };
        let what = format!("`{}`", name.text);
        match number(e, expr, env, &what)? {
            x if x > 0.0 && x <= 1.0 => found.push(make(x)),
            x => {
                let message = format!("{what} is over 0 and at most 1, not {x}");
                return Err(Diagnostic::error("bad-option", message).at(expr.span, "").into());
            }
        }
    }
    match found[..] {
        [change] => Ok(change),
        _ => Err(Diagnostic::error("bad-option", "`prune` takes one of `below` and `keep`")
            .at(span, "")
            .help("write `prune(below = 1e-3)` for edges of small weights, `prune(keep = 0.25)` for a share of all")
            .into()),
    }
}

fn grow<'p>(e: &mut Elaborator<'p>, args: &'p [Arg], env: &Env<'p>) -> Eval<Change> {
    let mut noise = NOISE;
    for (name, expr) in named(args, "grow")? {
        match name.text.as_str() {
            "noise" => noise = number(e, expr, env, "`noise`")?,
            _ => return Err(unknown_option("grow", name).into()),
        }
    }
    Ok(Change::Grow(noise))
}
