//! Comma-separated values: one row a line, one field for each variable. Empty lines are passed over (a
//! missing value alone on its line is written `""` or `?`). With a blank as the separator, fields are what
//! stands between any blanks and tabs, as in tables that were made for reading.
//!
//! Columns are taken in order, whatever their names; but a first line that names the variables in another
//! order is refused, as its rows would be read wrong.

use super::rows::RowSink;
use crate::data::cells::Cells;
use crate::data::column::Column;
use crate::data::fault::{RowName, counted};
use pcc_diag::Diagnostic;
use pcc_ir::{Domain, MISSING};
use rustc_hash::FxHashSet;

/// Reads rows.
pub(super) fn read_rows(
    content: &[u8],
    has_header: bool,
    separator: char,
    sink: RowSink,
) -> Result<Cells, Diagnostic> {
    match u8::try_from(separator) {
        Ok(b' ') => read_columns(content, has_header, sink),
        Ok(separator) => read_fields(content, has_header, separator, sink),
        Err(_) => Err(sink.origin.format(format!("a separator is one ASCII character, not `{separator}`"))),
    }
}

fn read_fields(
    content: &[u8],
    has_header: bool,
    separator: u8,
    mut sink: RowSink,
) -> Result<Cells, Diagnostic> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(has_header)
        .delimiter(separator)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(content);
    if has_header {
        check_names(reader.byte_headers().map_err(|e| sink.origin.format(e))?.iter(), &sink)?;
    }
    let mut record = csv::ByteRecord::new();
    let mut words = Vec::with_capacity(sink.columns.len());
    while reader.read_byte_record(&mut record).map_err(|e| sink.origin.format(e))? {
        take_row(record.iter(), line_of(&record, content), &mut words, &mut sink)?;
    }
    sink.finish()
}

fn read_columns(content: &[u8], has_header: bool, mut sink: RowSink) -> Result<Cells, Diagnostic> {
    let mut words = Vec::with_capacity(sink.columns.len());
    let is_said = |line: &[u8]| !line.trim_ascii().is_empty();
    let mut lines = content.split(|&b| b == b'\n').enumerate().filter(|(_, line)| is_said(line));
    if has_header && let Some((_, line)) = lines.next() {
        check_names(between_blanks(line), &sink)?;
    }
    for (i, line) in lines {
        take_row(between_blanks(line), RowName::Line(i as u64 + 1), &mut words, &mut sink)?;
    }
    sink.finish()
}

fn between_blanks(line: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    line.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty())
}

/// Refuses a first line in which a column has the name of another column's variable.
fn check_names<'f>(names: impl Iterator<Item = &'f [u8]>, sink: &RowSink) -> Result<(), Diagnostic> {
    let declared: Vec<String> = (0..sink.columns.len()).map(|column| sink.columns.name(column)).collect();
    let known: FxHashSet<&[u8]> = declared.iter().map(String::as_bytes).collect();
    let mut pairs = declared.iter().zip(names);
    let Some((wanted, found)) = pairs.find(|(own, name)| own.as_bytes() != *name && known.contains(name))
    else {
        return Ok(());
    };
    let message =
        format!("the first line names `{}` where `{wanted}` is read", String::from_utf8_lossy(found));
    Err(sink
        .origin
        .shape(message)
        .help("columns are taken in order: declare the variables in the file's order"))
}

/// Checks a row and packs it, when it is one of those that are kept.
fn take_row<'f>(
    fields: impl Iterator<Item = &'f [u8]> + Clone,
    line: RowName,
    words: &mut Vec<u32>,
    sink: &mut RowSink,
) -> Result<(), Diagnostic> {
    check_width(fields.clone().count(), line, sink)?;
    if !sink.is_next_kept() {
        sink.skip();
        return Ok(());
    }
    words.clear();
    for (i, field) in fields.enumerate() {
        words.push(word_of(field, sink.columns.get(i)).ok_or_else(|| refuse(field, line, i, sink))?);
    }
    sink.push(words);
    Ok(())
}

/// The line a record stands on; its position is that of the empty lines before it.
fn line_of(record: &csv::ByteRecord, content: &[u8]) -> RowName {
    let Some(position) = record.position() else { return RowName::Line(0) };
    let rest = content.get(position.byte() as usize..).unwrap_or_default();
    let is_break = |b: &&u8| matches!(b, b'\n' | b'\r');
    let n_empty = rest.iter().take_while(is_break).filter(|&&b| b == b'\n').count();
    RowName::Line(position.line() + n_empty as u64)
}

fn check_width(found: usize, line: RowName, sink: &RowSink) -> Result<(), Diagnostic> {
    if found == sink.columns.len() {
        return Ok(());
    }
    let (wanted, declared) = (sink.columns.len(), sink.columns.declared());
    let found = counted(found, "field");
    Err(sink.origin.shape(format!("{line} has {found}, but a row of `{declared}` has {wanted}")))
}

fn is_missing(field: &[u8]) -> bool {
    field.is_empty() || matches!(field, b"?" | b"NA") || field.eq_ignore_ascii_case(b"nan")
}

/// The word of a field, or `None` when it is none of its domain.
fn word_of(field: &[u8], column: &Column) -> Option<u32> {
    if let [digit @ b'0'..=b'9'] = field {
        return column.word_of_integer(i64::from(digit - b'0'));
    }
    if is_missing(field) {
        return Some(MISSING);
    }
    let text = std::str::from_utf8(field).ok()?;
    match (column.domain, text) {
        (Domain::Bool, "false") => Some(0),
        (Domain::Bool, "true") => Some(1),
        _ => match text.parse::<i64>() {
            Ok(integer) => column.word_of_integer(integer),
            Err(_) => column.word_of_number(text.parse().ok()?),
        },
    }
}

fn refuse(field: &[u8], line: RowName, column: usize, sink: &RowSink) -> Diagnostic {
    let text = String::from_utf8_lossy(field);
    let fault = sink.origin.outside(line, sink.columns, column, format_args!("`{text}`"));
    match line == RowName::Line(1) && text.parse::<f64>().is_err() {
        true => fault.help("if the first line names the columns, say so with `header = true`"),
        false => fault,
    }
}
