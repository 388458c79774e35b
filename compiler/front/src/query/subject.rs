//! The variables that a term of a query names: `A`, `X[3, 5]`, `X[0 .. 2, 4]`, or all of `X`.

use pcc_diag::{Diagnostic, Span};
use pcc_grammar::ast::{Arg, BinaryOp, Expr, ExprKind};
use pcc_ir::{Graph, VarGroup, VarId};
use std::ops::Range;

/// The variables, in row-major order of the written ranges.
pub(super) fn variables(subject: &Expr, graph: &Graph) -> Result<Vec<VarId>, Diagnostic> {
    match &subject.kind {
        ExprKind::Name(name) => Ok(group(name, subject.span, graph)?.variables().collect()),
        ExprKind::Paren(inner) => variables(inner, graph),
        ExprKind::Index(callee, args) => {
            let ExprKind::Name(name) = &callee.kind else { return Err(no_variable(subject.span)) };
            let group = group(name, callee.span, graph)?;
            selected(group, args, subject.span)
        }
        _ => Err(no_variable(subject.span)),
    }
}

fn group<'g>(name: &str, span: Span, graph: &'g Graph) -> Result<&'g VarGroup, Diagnostic> {
    graph.find_group(name).ok_or_else(|| {
        let names = graph.var_groups().iter().map(|g| g.name.as_str());
        let help = match pcc_diag::suggest(name, names.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("its variables are {}", names.collect::<Vec<_>>().join(", ")),
        };
        Diagnostic::error("unknown-name", format!("the model has no variable `{name}`"))
            .at(span, "")
            .help(help)
    })
}

fn selected(group: &VarGroup, args: &[Arg], span: Span) -> Result<Vec<VarId>, Diagnostic> {
    if args.len() != group.extents.len() {
        let message = format!("`{}` has {} indices, not {}", group.name, group.extents.len(), args.len());
        return Err(Diagnostic::error("index-outside", message).at(span, "").help(extents(group)));
    }
    let ranges: Vec<Range<u32>> = args
        .iter()
        .zip(&group.extents)
        .map(|(arg, &extent)| range(arg, extent, group, span))
        .collect::<Result<_, _>>()?;
    let mut found = vec![Vec::new()];
    for range in ranges {
        found = found
            .into_iter()
            .flat_map(|index: Vec<u32>| {
                range.clone().map(move |i| index.iter().copied().chain([i]).collect())
            })
            .collect();
    }
    Ok(found.iter().filter_map(|index| group.at(index)).collect())
}

/// One index: a number, or a half-open range.
fn range(arg: &Arg, extent: u32, group: &VarGroup, span: Span) -> Result<Range<u32>, Diagnostic> {
    let Arg::Positional(index) = arg else { return Err(no_variable(span)) };
    let range = match &index.kind {
        ExprKind::Binary(BinaryOp::Range, from, to) => number(from)?..number(to)?,
        _ => number(index)?..number(index)? + 1,
    };
    if range.start < range.end && range.end <= extent {
        return Ok(range);
    }
    let message = format!("this index of `{}` is outside its extent {extent}", group.name);
    Err(Diagnostic::error("index-outside", message).at(index.span, "").help(extents(group)))
}

fn number(index: &Expr) -> Result<u32, Diagnostic> {
    match &index.kind {
        ExprKind::Number(n) if n.is_integer && (0.0..=f64::from(u32::MAX - 1)).contains(&n.value) => {
            Ok(n.value as u32)
        }
        _ => Err(Diagnostic::error(
            "kind-mismatch",
            "an index of a query is a whole number or a range of them",
        )
        .at(index.span, "")
        .help("such as `X[3]` or `X[0 .. 4]`")),
    }
}

fn extents(group: &VarGroup) -> String {
    let all: Vec<String> = group.extents.iter().map(|e| format!("0 .. {e}")).collect();
    format!("it was declared with {}", all.join(", "))
}

fn no_variable(span: Span) -> Diagnostic {
    Diagnostic::error("kind-mismatch", "a term of a query begins with a variable")
        .at(span, "")
        .help("such as `A = 1`, `not A` or `X[3, 5] = 7`")
}
