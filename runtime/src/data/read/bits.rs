//! Lines of zeros and ones, as the density-estimation sets have them: with commas, blanks or nothing
//! between the digits; `?` and `*` are missing values.

use super::rows::RowSink;
use crate::data::cells::Cells;
use crate::data::fault::{RowName, counted};
use pcc_diag::Diagnostic;
use pcc_ir::MISSING;

/// Reads rows. Empty lines are passed over.
pub(super) fn read_rows(content: &[u8], mut sink: RowSink) -> Result<Cells, Diagnostic> {
    let mut words = Vec::with_capacity(sink.columns.len());
    for (i, text) in content.split(|&b| b == b'\n').enumerate() {
        let line = RowName::Line(i as u64 + 1);
        words.clear();
        for &byte in text {
            match byte {
                b'0' | b'1' => words.push(u32::from(byte - b'0')),
                b'?' | b'*' => words.push(MISSING),
                b',' | b' ' | b'\t' | b'\r' => (),
                other => return Err(refuse(other, words.len(), line, &sink)),
            }
        }
        if words.is_empty() {
            continue;
        }
        check_row(&words, line, &sink)?;
        if sink.is_next_kept() { sink.push(&words) } else { sink.skip() }
    }
    sink.finish()
}

fn check_row(words: &[u32], line: RowName, sink: &RowSink) -> Result<(), Diagnostic> {
    let (wanted, found) = (sink.columns.len(), words.len());
    if found != wanted {
        let declared = sink.columns.declared();
        let found = counted(found, "value");
        return Err(sink.origin.shape(format!("{line} has {found}, but a row of `{declared}` has {wanted}")));
    }
    // A digit may be no value of its domain when the domain is `int(1 .. 5)` or `cat(1)`.
    for (i, (&word, column)) in words.iter().zip(sink.columns.iter()).enumerate() {
        if word != MISSING && (!column.is_its_own_code() || column.n_codes().is_some_and(|n| word >= n)) {
            return Err(sink.origin.outside(line, sink.columns, i, word));
        }
    }
    Ok(())
}

fn refuse(byte: u8, column: usize, line: RowName, sink: &RowSink) -> Diagnostic {
    let character = char::from(byte).escape_default();
    if column >= sink.columns.len() {
        return sink.origin.shape(format!("{line} goes on with `{character}` after its last value"));
    }
    sink.origin.outside(line, sink.columns, column, format_args!("`{character}`"))
}
