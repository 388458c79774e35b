//! Parquet tables: the numbers of all columns in their order, those of lists one after the other.

use super::rows::RowSink;
use crate::data::cells::Cells;
use crate::data::column::Column;
use crate::data::fault::{RowName, counted};
use crate::formats::Content;
use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use pcc_diag::Diagnostic;
use pcc_ir::MISSING;

/// Reads rows.
pub(super) fn read_rows(content: &[u8], mut sink: RowSink) -> Result<Cells, Diagnostic> {
    if Content::of(content) != Content::Parquet {
        let found = Content::of(content);
        return Err(sink.origin.format(format!("the content is no Parquet table: it looks like {found}")));
    }
    let damaged = |e: ParquetError| sink.origin.format(format!("a damaged Parquet table: {e}"));
    let reader = SerializedFileReader::new(Bytes::copy_from_slice(content)).map_err(damaged)?;
    let mut words = Vec::with_capacity(sink.columns.len());
    let rows = reader.get_row_iter(None).map_err(damaged)?;
    for (i, row) in (1..).zip(rows) {
        let row = row.map_err(|e| sink.origin.format(format!("a damaged Parquet table: {e}")))?;
        if !sink.is_next_kept() {
            sink.skip();
            continue;
        }
        words.clear();
        for (name, field) in row.get_column_iter() {
            take(field, name, RowName::Row(i), &mut words, &sink)?;
        }
        check_length(words.len(), RowName::Row(i), &sink)?;
        sink.push(&words);
    }
    sink.finish()
}

/// Packs a field, and what is in it.
fn take(
    field: &Field,
    name: &str,
    row: RowName,
    words: &mut Vec<u32>,
    sink: &RowSink,
) -> Result<(), Diagnostic> {
    if let Field::ListInternal(list) = field {
        return list.elements().iter().try_for_each(|element| take(element, name, row, words, sink));
    }
    let at = words.len();
    let Some(column) = (at < sink.columns.len()).then(|| sink.columns.get(at)) else {
        // One too many is enough to be told.
        return check_length(at + 1, row, sink);
    };
    let word = match number(field) {
        None => {
            let message =
                format!("column `{name}` holds `{field}`, where numbers and lists of them are read");
            return Err(sink.origin.format(message).help("leave the column out when the table is written"));
        }
        Some(value) => value.word(column),
    };
    words.push(word.ok_or_else(|| sink.origin.outside(row, sink.columns, at, field))?);
    Ok(())
}

/// A field that is no list.
enum Number {
    Null,
    Integer(i64),
    Float(f64),
}

impl Number {
    fn word(&self, column: &Column) -> Option<u32> {
        match *self {
            Number::Null => Some(MISSING),
            Number::Integer(value) => column.word_of_integer(value),
            Number::Float(value) => column.word_of_number(value),
        }
    }
}

fn number(field: &Field) -> Option<Number> {
    Some(match *field {
        Field::Null => Number::Null,
        Field::Bool(value) => Number::Integer(i64::from(value)),
        Field::Byte(value) => Number::Integer(i64::from(value)),
        Field::Short(value) => Number::Integer(i64::from(value)),
        Field::Int(value) => Number::Integer(i64::from(value)),
        Field::Long(value) => Number::Integer(value),
        Field::UByte(value) => Number::Integer(i64::from(value)),
        Field::UShort(value) => Number::Integer(i64::from(value)),
        Field::UInt(value) => Number::Integer(i64::from(value)),
        // Codes are exact as floats, and what is too large for `i64` is no code.
        Field::ULong(value) => Number::Float(value as f64),
        Field::Float16(value) => Number::Float(value.to_f64()),
        Field::Float(value) => Number::Float(f64::from(value)),
        Field::Double(value) => Number::Float(value),
        _ => return None,
    })
}

fn check_length(n: usize, row: RowName, sink: &RowSink) -> Result<(), Diagnostic> {
    let expected = sink.columns.len();
    match n == expected {
        true => Ok(()),
        false => {
            let message = match n > expected {
                true => format!("{row} has more than {}", counted(expected, "value")),
                false => format!("{row} has {}, not {expected}", counted(n, "value")),
            };
            Err(sink.origin.shape(message).help("a list counts as many values as it has elements"))
        }
    }
}
