//! What stands behind `with`: a declared table, or numbers.

use super::{Elaborator, Eval};
use crate::value::{Env, Slot, Value};
use crate::words::count;
use pcc_diag::{Diagnostic, Span};
use pcc_grammar::ast::Expr;
use pcc_ir::{Family, Param, ParamId, ParamShape};
use std::rc::Rc;

/// How far the sum of a written row may be from one.
const TOLERANCE: f64 = 1e-6;

const ROW: &str = "a row of a table is";

/// An evaluated `with`.
pub(crate) enum Table {
    /// Nothing was written.
    Fresh,
    /// A declared table.
    Slot(Rc<Slot>),
    /// Rows of numbers; one row may be written without its own brackets.
    Numbers { rows: Vec<Vec<f64>>, is_fixed: bool, span: Span },
}

impl<'p> Elaborator<'p> {
    /// Evaluates what stands behind `with`.
    pub(super) fn with(&mut self, table: Option<&'p Expr>, env: &Env<'p>) -> Eval<Table> {
        let Some(expr) = table else { return Ok(Table::Fresh) };
        match self.eval(expr, env)? {
            Value::Slot(slot) => Ok(Table::Slot(slot)),
            Value::Tables(tables) if !tables.is_keyed => Ok(Table::Slot(tables.slot(Value::Bool(true), ""))),
            Value::Tables(tables) => {
                let message =
                    format!("`{0}` has one table for each key: say which, as `{0}[..]`", tables.name);
                Err(Diagnostic::error("param-key", message)
                    .at(expr.span, "")
                    .note(tables.span, "declared here")
                    .into())
            }
            Value::Fixed(numbers) => self.numbers(&numbers, true, expr.span),
            value => self.numbers(&value, false, expr.span),
        }
    }

    fn numbers(&mut self, value: &Value<'p>, is_fixed: bool, span: Span) -> Eval<Table> {
        let Value::List(rows) = value else {
            return Err(self.mismatch("a list of numbers or a `param`", value, span, "`with` takes").into());
        };
        let is_flat = rows.iter().all(|row| row.as_number().is_some());
        let rows = match is_flat {
            true => vec![self.numbers_of(value, span, ROW)?],
            false => rows.iter().map(|row| self.numbers_of(row, span, ROW)).collect::<Eval<_>>()?,
        };
        Ok(Table::Numbers { rows, is_fixed, span })
    }

    /// The table of a layer that is built now.
    pub(super) fn table_for(&mut self, table: Table, shape: ParamShape, span: Span) -> Eval<ParamId> {
        let fresh =
            Param { shape, groups: 1, initial: None, is_fixed: false, mask: None, name: String::new(), span };
        match table {
            Table::Fresh => self.table(fresh, None),
            Table::Slot(slot) => self.table(fresh, Some(&slot)),
            Table::Numbers { rows, is_fixed, span } => {
                let one = values_of(rows, shape, span)?;
                let n_copies = self.nest.tables as usize;
                self.spend((one.len() * n_copies) as u64, span)?;
                self.table(Param { initial: Some(one.repeat(n_copies)), is_fixed, ..fresh }, None)
            }
        }
    }
}

/// The numbers of one copy of a table, in the order in which tables lie.
fn values_of(rows: Vec<Vec<f64>>, shape: ParamShape, span: Span) -> Eval<Vec<f64>> {
    let (n_rows, n_columns) = match shape {
        ParamShape::Sum { rows, columns } => (rows, columns),
        ParamShape::Mix { units, children } => (units, children),
        ParamShape::Input { family, units } => (units, family.n_params() as u32),
    };
    let rows = shaped(rows, n_rows as usize, n_columns as usize, span)?;
    match shape {
        ParamShape::Input { family, .. } => {
            rows.iter().try_for_each(|row| check_input(family, row, span))?;
            // Units are columns: a value's row of units is contiguous.
            let column = |i: usize| rows.iter().filter_map(move |row| row.get(i).copied());
            Ok((0..n_columns as usize).flat_map(column).collect())
        }
        _ => {
            rows.iter().try_for_each(|row| check_weights(row, span))?;
            Ok(rows.concat())
        }
    }
}

/// So many rows of so many numbers. A flat list is one row, or one column of units with one number each.
fn shaped(rows: Vec<Vec<f64>>, n_rows: usize, n_columns: usize, span: Span) -> Eval<Vec<Vec<f64>>> {
    let is_column = n_columns == 1 && rows.len() == 1 && n_rows > 1;
    let rows = match rows.first() {
        Some(flat) if is_column => flat.iter().map(|x| vec![*x]).collect(),
        _ => rows,
    };
    let first = rows.first().map_or(0, Vec::len);
    if let Some(ragged) = rows.iter().position(|row| row.len() != first) {
        let n = rows.get(ragged).map_or(0, Vec::len);
        let message =
            format!("the rows of a table are equally long, but row 0 has {first} and row {ragged} has {n}");
        return Err(Diagnostic::error("ragged-table", message).at(span, "").into());
    }
    if rows.len() != n_rows || first != n_columns {
        let needed = format!("{} of {}", count(n_rows, "row"), count(n_columns, "number"));
        let found = format!("{} of {}", count(rows.len(), "row"), count(first, "number"));
        let message = format!("this table has {found}, and the layer needs {needed}");
        return Err(Diagnostic::error("table-differs", message)
            .at(span, "")
            .help("a table has one row for each unit of the layer")
            .into());
    }
    Ok(rows)
}

fn check_weights(row: &[f64], span: Span) -> Eval<()> {
    if let Some(p) = row.iter().find(|p| !(0.0..=1.0).contains(*p)) {
        let message = format!("a weight is between 0 and 1, not {p}");
        return Err(Diagnostic::error("rows-do-not-sum", message).at(span, "").into());
    }
    let total: f64 = row.iter().sum();
    if (total - 1.0).abs() <= TOLERANCE {
        return Ok(());
    }
    let message = format!("each row of a table sums to 1, and this one sums to {}", rounded(total));
    Err(Diagnostic::error("rows-do-not-sum", message).at(span, "").into())
}

fn check_input(family: Family, row: &[f64], span: Span) -> Eval<()> {
    if let Family::Categorical(_) = family {
        return check_weights(row, span);
    }
    match family.get().check(row) {
        Ok(()) => Ok(()),
        Err(why) => Err(Diagnostic::error("bad-parameter", why).at(span, "").into()),
    }
}

/// A number without the noise of binary fractions.
fn rounded(x: f64) -> f64 {
    (x * 1e9).round() / 1e9
}
