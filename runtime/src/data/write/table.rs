//! Comma-separated values out.

use super::array::number_of;
use pcc_ir::{Batch, VarGroup};
use std::io::Write;

/// Writes the values of some groups as a table: a line of variable names, then a line for each row. A
/// missing value is an empty field.
///
/// # Errors
/// What the writer reports.
pub fn write_csv(to: &mut dyn Write, groups: &[VarGroup], batch: &Batch) -> std::io::Result<()> {
    let mut writer = csv::Writer::from_writer(to);
    let names = groups.iter().flat_map(|g| g.variables().map(|v| g.name_of(v)));
    writer.write_record(names)?;
    for row in 0..batch.n_rows() {
        let words = batch.row(row);
        let fields = groups.iter().flat_map(|g| g.variables().map(|v| field(words[v.index()], g)));
        writer.write_record(fields)?;
    }
    writer.flush()
}

/// Writes rows of numbers as a table: a line of column names, then a line for each row.
///
/// # Errors
/// What the writer reports.
pub fn write_matrix_csv(to: &mut dyn Write, columns: &[String], numbers: &[f64]) -> std::io::Result<()> {
    let mut writer = csv::Writer::from_writer(to);
    writer.write_record(columns)?;
    for row in numbers.chunks_exact(columns.len().max(1)) {
        writer.write_record(row.iter().map(f64::to_string))?;
    }
    writer.flush()
}

fn field(word: u32, group: &VarGroup) -> String {
    match number_of(word, group.domain) {
        missing if missing.is_nan() => String::new(),
        number if group.domain.is_discrete() => format!("{number}"),
        // The shortest text that reads back as the same 32-bit number.
        number => format!("{}", number as f32),
    }
}
