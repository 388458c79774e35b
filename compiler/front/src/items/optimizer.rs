//! `em(..)`, `anemone(..)` and `mle(..)`: what stands behind `by` in a `fit`. The weights of rows are said there too, but
//! belong to the data.

use crate::builtin::{Home, LATER_OPTIMIZERS, names_at};
use crate::elab::learn::{named, unknown_option, unknown_word, word};
use crate::elab::{Elaborator, Eval};
use crate::value::{Env, Value};
use pcc_diag::{Diagnostic, Span, suggest};
use pcc_grammar::ast::{Arg, BinaryOp, Expr, ExprKind};
use pcc_ir::recipe::{BatchSize, EmOptions, Optimizer, Per, Rule, Schedule, Start};

/// The settings of EM that hold when nothing is written.
pub(super) const EM: EmOptions = EmOptions {
    batch: BatchSize::Full,
    epochs: 10,
    step: Schedule::Constant(1.0),
    pseudocount: 0.01,
    per: Per::Node,
    start: Start::Exponential,
    rule: Rule::Even,
    soften: 0.0,
    entropy: 0.0,
};

/// The settings of Anemone that hold when nothing is written, which are those of its authors where they say so.
pub(super) const ANEMONE: EmOptions = EmOptions {
    batch: BatchSize::Rows(512),
    step: Schedule::Constant(0.4),
    pseudocount: 1e-6,
    rule: Rule::Anemone { momentum: 0.9 },
    ..EM
};

/// The optimiser that an expression names.
pub(super) fn optimizer<'p>(e: &mut Elaborator<'p>, expr: &'p Expr, env: &Env<'p>) -> Eval<Optimizer> {
    let (name, args): (_, &[Arg]) = match &expr.kind {
        ExprKind::Call(callee, args) => (word(callee), args),
        _ => (word(expr), &[]),
    };
    match name {
        Some("em") => em(e, "em", EM, args, env).map(Optimizer::Em),
        Some("anemone") => em(e, "anemone", ANEMONE, args, env).map(Optimizer::Em),
        Some("mle") => mle(e, args, env),
        Some(later) if LATER_OPTIMIZERS.contains(&later) => Ok(Optimizer::Later(later.into())),
        other => Err(unknown(Home::Optimizer, "optimiser", other.unwrap_or(""), expr.span).into()),
    }
}

/// The weights among the settings of an optimiser, which are those of the rows of `data`.
pub(super) fn weights_of<'p>(
    e: &mut Elaborator<'p>,
    optimizer: &'p Expr,
    env: &Env<'p>,
    data: &str,
) -> Eval<Option<String>> {
    let ExprKind::Call(_, args) = &optimizer.kind else { return Ok(None) };
    let written = args.iter().find_map(|arg| match arg {
        Arg::Named(name, expr) if name.text == "weights" => Some(expr),
        _ => None,
    });
    written.map(|expr| weights(e, expr, env, data)).transpose()
}

/// The name of the weights that an expression gives for the rows of `data`.
pub(super) fn weights<'p>(e: &mut Elaborator<'p>, expr: &'p Expr, env: &Env<'p>, data: &str) -> Eval<String> {
    match e.eval(expr, env)? {
        Value::Weights(found) if found.1 == data => Ok(found.0.clone()),
        Value::Weights(found) => {
            let (name, of) = &*found;
            let message = format!("`{name}` weighs the rows of `{of}`, not those of `{data}`");
            Err(Diagnostic::error("bad-weight", message)
                .at(expr.span, "")
                .help(format!("declare others: `data name : weights({data}) from npy(..)`"))
                .into())
        }
        other => Err(e.mismatch("the weights of rows", &other, expr.span, "`weights` takes").into()),
    }
}

/// The settings of an optimiser by EM, where those that are not written stay as they are.
fn em<'p>(
    e: &mut Elaborator<'p>,
    optimizer: &str,
    mut options: EmOptions,
    args: &'p [Arg],
    env: &Env<'p>,
) -> Eval<EmOptions> {
    for (name, expr) in named(args, optimizer)? {
        match name.text.as_str() {
            "batch" => options.batch = batch(e, expr, env)?,
            "epochs" => {
                let value = e.eval(expr, env)?;
                options.epochs = e.as_count(&value, expr.span, "the number of epochs")?;
            }
            "step" => options.step = schedule(e, expr, env)?,
            "pseudocount" => options.pseudocount = number(e, expr, env, "`pseudocount`")?,
            "per" => options.per = per(expr)?,
            "start" => options.start = start(e, expr, env)?,
            "momentum" if options.rule != Rule::Even => {
                let momentum = share(e, expr, env, "`momentum`")?;
                options.rule = Rule::Anemone { momentum };
            }
            "soften" if options.rule == Rule::Even => options.soften = share(e, expr, env, "`soften`")?,
            "entropy" if options.rule == Rule::Even => options.entropy = number(e, expr, env, "`entropy`")?,
            "weights" => {}
            _ => return Err(unknown_option(optimizer, name).into()),
        }
    }
    Ok(options)
}

fn mle<'p>(e: &mut Elaborator<'p>, args: &'p [Arg], env: &Env<'p>) -> Eval<Optimizer> {
    let (mut pseudocount, mut per_what) = (0.0, Per::Node);
    for (name, expr) in named(args, "mle")? {
        match name.text.as_str() {
            "pseudocount" => pseudocount = number(e, expr, env, "`pseudocount`")?,
            "per" => per_what = per(expr)?,
            "weights" => {}
            _ => return Err(unknown_option("mle", name).into()),
        }
    }
    Ok(Optimizer::Mle { pseudocount, per: per_what })
}

pub(super) fn number<'p>(e: &mut Elaborator<'p>, expr: &'p Expr, env: &Env<'p>, what: &str) -> Eval<f64> {
    let value = e.eval(expr, env)?;
    e.as_weight(&value, expr.span, what)
}

/// A number that is at least 0 and under 1.
fn share<'p>(e: &mut Elaborator<'p>, expr: &'p Expr, env: &Env<'p>, what: &str) -> Eval<f64> {
    match number(e, expr, env, what)? {
        x if x < 1.0 => Ok(x),
        x => {
            let message = format!("{what} is at least 0 and under 1, not {x}");
            Err(Diagnostic::error("bad-option", message).at(expr.span, "").into())
        }
    }
}

/// `full`, a number of rows, or `a -> b`: growing from epoch to epoch.
fn batch<'p>(e: &mut Elaborator<'p>, expr: &'p Expr, env: &Env<'p>) -> Eval<BatchSize> {
    if word(expr) == Some("full") {
        return Ok(BatchSize::Full);
    }
    let mut rows = |expr: &'p Expr| {
        let value = e.eval(expr, env)?;
        e.as_count(&value, expr.span, "the number of rows of a batch")
    };
    match &expr.kind {
        ExprKind::Binary(BinaryOp::Arrow, from, to) => Ok(BatchSize::Growing(rows(from)?, rows(to)?)),
        _ => Ok(BatchSize::Rows(rows(expr)?)),
    }
}

fn per(expr: &Expr) -> Eval<Per> {
    match word(expr) {
        Some("node") => Ok(Per::Node),
        Some("cell") => Ok(Per::Cell),
        _ => Err(unknown_word("per", &["node", "cell"], expr.span).into()),
    }
}

/// A number, `constant(a)`, `linear(a -> b)` or `cosine(a -> b)`; all between 0 and 1.
fn schedule<'p>(e: &mut Elaborator<'p>, expr: &'p Expr, env: &Env<'p>) -> Eval<Schedule> {
    let ExprKind::Call(callee, args) = &expr.kind else {
        return step(e, expr, env).map(Schedule::Constant);
    };
    let (kind, args) = (word(callee).unwrap_or(""), args.as_slice());
    let ends = match args {
        [Arg::Positional(one)] => one,
        _ => return Err(schedule_form(kind, expr.span).into()),
    };
    match (kind, &ends.kind) {
        ("constant", _) => step(e, ends, env).map(Schedule::Constant),
        ("linear", ExprKind::Binary(BinaryOp::Arrow, a, b)) => {
            Ok(Schedule::Linear(step(e, a, env)?, step(e, b, env)?))
        }
        ("cosine", ExprKind::Binary(BinaryOp::Arrow, a, b)) => {
            Ok(Schedule::Cosine(step(e, a, env)?, step(e, b, env)?))
        }
        _ => Err(schedule_form(kind, expr.span).into()),
    }
}

fn schedule_form(kind: &str, span: Span) -> Diagnostic {
    match kind {
        "constant" => Diagnostic::error("bad-option", "`constant` takes one number").at(span, ""),
        "linear" | "cosine" => {
            let message = format!("`{kind}` goes from one number to another");
            Diagnostic::error("bad-option", message).at(span, "").help(format!("write `{kind}(0.9 -> 0.1)`"))
        }
        other => unknown(Home::Schedule, "schedule", other, span),
    }
}

fn step<'p>(e: &mut Elaborator<'p>, expr: &'p Expr, env: &Env<'p>) -> Eval<f64> {
    match number(e, expr, env, "a step size")? {
        x if x <= 1.0 => Ok(x),
        x => {
            let message = format!("a step size is between 0 and 1, not {x}");
            Err(Diagnostic::error("bad-option", message).at(expr.span, "").into())
        }
    }
}

/// `exponential` or `uniform(share)`
fn start<'p>(e: &mut Elaborator<'p>, expr: &'p Expr, env: &Env<'p>) -> Eval<Start> {
    match &expr.kind {
        ExprKind::Name(name) if name == "exponential" => Ok(Start::Exponential),
        ExprKind::Call(callee, args) if word(callee) == Some("uniform") => match args.as_slice() {
            [Arg::Positional(share)] => number(e, share, env, "the share").map(Start::Uniform),
            _ => Err(Diagnostic::error("bad-option", "`uniform` takes one number, a share")
                .at(expr.span, "")
                .into()),
        },
        _ => Err(unknown_word("start", &["exponential", "uniform(share)"], expr.span).into()),
    }
}

pub(super) fn unknown(home: Home, what: &str, name: &str, span: Span) -> Diagnostic {
    let known: Vec<&str> = names_at(home).collect();
    let message = match name {
        "" => format!("this is no {what}"),
        name => format!("`{name}` is no {what}"),
    };
    let error = Diagnostic::error("unknown-word", message).at(span, "");
    match suggest(name, known.iter().copied()) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help(format!("there are {}", crate::words::listing(&known))),
    }
}
