//! `circuit with table`: written numbers, or a `param`.
//!
//! A written table of a sum has one row for each of its units, and in it one number for each unit that is
//! mixed; each row sums to one. The table of one unit may be written as its row alone.

use super::builder::leaf::written_number;
use super::kind::Kind;
use super::report::require;
use super::size::{Comparison, Size};
use super::{Check, builder, expr};
use crate::words::count;
use pcc_diag::{Diagnostic, Span};
use pcc_grammar::ast::{Arg, Expr, ExprKind};

/// How far from one the numbers of a distribution may sum; written numbers are rounded.
const MOST_OFF: f64 = 1e-6;

/// The kind of `circuit with numbers`, which is that of the circuit.
pub(super) fn kind_of(cx: &mut Check, circuit: &Expr, numbers: &Expr) -> Kind {
    let kind = expr::kind_of(cx, circuit);
    let table = expr::kind_of(cx, numbers);
    let Some((builder, span)) = core(cx, circuit, &["input", "sum", "mix"]) else {
        cx.report(misplaced(circuit.span));
        return kind;
    };
    if !require(cx, &table, &Kind::Table { is_keyed: false }, numbers.span, "what stands behind `with`") {
        return kind;
    }
    if let Kind::Table { is_keyed: true } = table {
        cx.report(key_missing(cx, numbers));
    }
    let written = written_rows(numbers);
    match builder {
        "sum" => {
            let inputs = cx.sum_inputs.get(&span).cloned().flatten();
            check_sum(cx, &written, expr::width(&kind).flatten(), inputs, numbers.span);
        }
        _ => {
            report_ragged(cx, &written);
        }
    }
    kind
}

/// The builder whose call stands under `with` and `by`, and its place. `Some(("", ..))` when it is a call of
/// something that is not known to be a builder.
pub(super) fn core<'e>(cx: &Check, circuit: &'e Expr, takes: &[&'static str]) -> Option<(&'e str, Span)> {
    match &circuit.kind {
        ExprKind::With(inner, _) | ExprKind::By(inner, _) | ExprKind::Paren(inner) => core(cx, inner, takes),
        ExprKind::Call(callee, _) => match builder::head(cx, callee) {
            Some(head) if takes.contains(&head.name) => Some((head.name, circuit.span)),
            _ => None,
        },
        _ => None,
    }
}

fn misplaced(span: Span) -> Diagnostic {
    Diagnostic::error(
        "misplaced-tag",
        "`with` gives a table to one `input`, `sum` or `mix`, and this is none",
    )
    .at(span, "")
    .help("write it right behind the call of the builder")
}

fn key_missing(cx: &Check, numbers: &Expr) -> Diagnostic {
    let name = cx.program.text(numbers.span);
    Diagnostic::error("param-key", format!("`{name}` has one table for each key, and none is chosen"))
        .at(numbers.span, "")
        .help(format!("write `{name}[t]`, or declare `param {name}` for one table"))
}

/// One row of a written table.
struct Row<'e> {
    span: Span,
    numbers: Vec<&'e Expr>,
}

/// The rows of a table that is written out: those of `[[..], [..]]`, or the one of `[..]`. Nothing for
/// another expression, or when a `for` gives some of them.
fn written_rows(table: &Expr) -> Vec<Row<'_>> {
    let table = without_fixed(table);
    let Some(elements) = elements(table) else { return Vec::new() };
    let rows: Vec<Row> = elements
        .iter()
        .filter_map(|row| Some(Row { span: row.span, numbers: self::elements(row)? }))
        .collect();
    match rows.len() {
        0 => vec![Row { span: table.span, numbers: elements }],
        n if n == elements.len() => rows,
        _ => Vec::new(),
    }
}

fn without_fixed(table: &Expr) -> &Expr {
    match &table.kind {
        ExprKind::Call(callee, args) if matches!(&callee.kind, ExprKind::Name(name) if name == "fixed") => {
            match args.as_slice() {
                [Arg::Positional(inner)] => inner,
                _ => table,
            }
        }
        _ => table,
    }
}

fn elements(list: &Expr) -> Option<Vec<&Expr>> {
    let ExprKind::List(args) = &list.kind else { return None };
    let values = args.iter().map(|arg| match arg {
        Arg::Positional(value) => Some(value),
        Arg::Named(..) | Arg::For(_) => None,
    });
    values.collect()
}

fn check_sum(cx: &mut Check, rows: &[Row], width: Option<Size>, inputs: Option<Size>, span: Span) {
    if report_ragged(cx, rows) || rows.is_empty() || is_column(rows, &width, &inputs) {
        return;
    }
    let n_rows = Size::constant(rows.len() as i64);
    if let Some(width) = width.filter(|width| width.compare(&n_rows) == Comparison::Different) {
        let message = format!("this table has {}, and the sum has {width} units", count(rows.len(), "row"));
        cx.report(
            Diagnostic::error("table-differs", message)
                .at(span, "")
                .help("a table has one row for each unit"),
        );
        return;
    }
    for row in rows {
        let n_numbers = Size::constant(row.numbers.len() as i64);
        if let Some(inputs) =
            inputs.as_ref().filter(|inputs| inputs.compare(&n_numbers) == Comparison::Different)
        {
            let message = format!(
                "this row has {}, and the sum mixes {inputs} units",
                count(row.numbers.len(), "weight")
            );
            cx.report(Diagnostic::error("table-differs", message).at(row.span, ""));
            return;
        }
    }
    for row in rows {
        check_row(cx, row);
    }
}

/// Whether a flat list may be one weight for each of several units that all mix a single one.
fn is_column(rows: &[Row], width: &Option<Size>, inputs: &Option<Size>) -> bool {
    let one = Size::constant(1);
    let may_have_many = width.as_ref().is_none_or(|width| *width != one);
    let may_mix_one = inputs.as_ref().is_none_or(|inputs| inputs.compare(&one) != Comparison::Different);
    rows.len() == 1 && may_have_many && may_mix_one
}

/// Whether rows differ in length, which is reported.
fn report_ragged(cx: &mut Check, rows: &[Row]) -> bool {
    let Some(first) = rows.first() else { return false };
    let Some(other) = rows.iter().find(|row| row.numbers.len() != first.numbers.len()) else { return false };
    let (a, b) = (first.numbers.len(), other.numbers.len());
    cx.report(
        Diagnostic::error(
            "ragged-table",
            format!("the rows of a table are equally long, and these have {a} and {b} numbers"),
        )
        .at(other.span, format!("{b} numbers"))
        .note(first.span, format!("{a} numbers")),
    );
    true
}

/// The numbers of a distribution, as in `categorical(v, [0.2, 0.8])`.
pub(super) fn check_distribution(cx: &mut Check, numbers: &Expr, n_values: Option<&Size>) {
    let Some(elements) = elements(numbers) else { return };
    let row = Row { span: numbers.span, numbers: elements };
    let found = Size::constant(row.numbers.len() as i64);
    if let Some(wanted) = n_values.filter(|wanted| wanted.compare(&found) == Comparison::Different) {
        let message = format!("the variable has {wanted} values, and these are {found} probabilities");
        cx.report(Diagnostic::error("table-differs", message).at(row.span, ""));
        return;
    }
    check_row(cx, &row);
}

/// Written numbers are probabilities and sum to one; a row with anything but numbers is left to elaboration.
fn check_row(cx: &mut Check, row: &Row) {
    let numbers: Option<Vec<f64>> = row.numbers.iter().map(|number| written_number(number)).collect();
    let Some(numbers) = numbers else { return };
    if let Some(position) = numbers.iter().position(|number| !(0.0..=1.0).contains(number)) {
        let span = row.numbers.get(position).map_or(row.span, |number| number.span);
        cx.report(Diagnostic::error("rows-do-not-sum", "a weight lies between 0 and 1").at(span, ""));
        return;
    }
    let total: f64 = numbers.iter().sum();
    if (total - 1.0).abs() > MOST_OFF {
        cx.report(
            Diagnostic::error(
                "rows-do-not-sum",
                format!("these numbers sum to {}, and must sum to 1", rounded(total)),
            )
            .at(row.span, "")
            .help("a sum's weights are a distribution for each of its units"),
        );
    }
}

/// A sum of written numbers, without the dust of binary fractions.
fn rounded(total: f64) -> f64 {
    (total * 1e9).round() / 1e9
}
