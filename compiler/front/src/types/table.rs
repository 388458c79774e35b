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
    let Some(span) = core(cx, circuit, &["input", "sum", "mix"]) else {
        if !kind.is_any() {
            cx.report(misplaced(circuit.span));
        }
        return kind;
    };
    if !require(cx, &table, &Kind::Table { is_keyed: false }, numbers.span, "what stands behind `with`") {
        return kind;
    }
    if let Kind::Table { is_keyed: true } = table {
        cx.report(key_missing(cx, numbers));
    }
    let rows = written_rows(numbers);
    let is_ragged = report_ragged(cx, &rows);
    if let (Some(columns), false) = (cx.columns.get(&span).cloned(), is_ragged) {
        check_weights(cx, &rows, expr::width(&kind).flatten(), columns, numbers.span);
    }
    kind
}

/// The place of the call that stands under `with` and `by`, if it is one of these builders.
pub(super) fn core(cx: &Check, circuit: &Expr, takes: &[&str]) -> Option<Span> {
    match &circuit.kind {
        ExprKind::With(inner, _) | ExprKind::By(inner, _) | ExprKind::Paren(inner) => core(cx, inner, takes),
        ExprKind::Call(callee, _) => match builder::head(cx, callee) {
            Some(head) if takes.contains(&head.name) => Some(circuit.span),
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

/// Checks a written table whose rows are distributions: as many rows as `width`, each of `columns` numbers.
fn check_weights(cx: &mut Check, rows: &[Row], width: Option<Size>, columns: Option<Size>, span: Span) {
    if rows.is_empty() || is_column(rows, &width, &columns) {
        return;
    }
    let is_off = |size: &Option<Size>, found: usize| {
        size.as_ref().is_some_and(|size| size.compare(&Size::constant(found as i64)) == Comparison::Different)
    };
    let off = rows.iter().find(|row| is_off(&columns, row.numbers.len()));
    if let (Some(row), Some(columns)) = (off, &columns) {
        let found = count(row.numbers.len(), "number");
        let report =
            Diagnostic::error("table-differs", format!("this row has {found}, and it needs {columns}"));
        cx.report(
            report
                .at(row.span, "")
                .help("a row has one number for each unit that is mixed, or for each value"),
        );
        return;
    }
    if let (true, Some(width)) = (is_off(&width, rows.len()), &width) {
        let found = count(rows.len(), "row");
        let report = Diagnostic::error(
            "table-differs",
            format!("this table has {found}, and the layer is {width} wide"),
        );
        cx.report(report.at(span, "").help("a table has one row for each unit"));
        return;
    }
    for row in rows {
        check_row(cx, row);
    }
}

/// Whether a flat list may be one number for each of several units, which need no more.
fn is_column(rows: &[Row], width: &Option<Size>, columns: &Option<Size>) -> bool {
    let one = Size::constant(1);
    let may_have_many = width.as_ref().is_none_or(|width| *width != one);
    let may_need_one = columns.as_ref().is_none_or(|columns| columns.compare(&one) != Comparison::Different);
    rows.len() == 1 && may_have_many && may_need_one
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
