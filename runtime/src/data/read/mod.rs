//! Readers: the content of a file becomes a data set, every value checked against its domain.
//!
//! One file for each format. Array formats (idx, npy, npz, safetensors) give an [`array::Array`], which is checked and
//! packed in one place; formats of rows (csv, bits, text, parquet) push rows into a [`rows::RowSink`].

pub(super) mod array;
mod bits;
mod csv;
mod idx;
pub(super) mod npy;
mod parquet;
mod rows;
mod tensor;
#[cfg(test)]
mod tests;
mod text;

use super::Dataset;
use super::cells::Cells;
use super::column::Columns;
use super::fault::Origin;
use super::map::FileContent;
use super::place::find_file;
use super::vocabulary::Vocabulary;
use crate::formats::Content;
use pcc_diag::Diagnostic;
use pcc_ir::VarGroup;
use pcc_ir::recipe::{DataSource, Reader};
use std::path::PathBuf;
use std::sync::Arc;

/// Reads a data set. `groups` are all variables of the circuit, `places` the folders in which the file is
/// looked for, in order. `vocabulary` is that of a text over the same variables; without it a text that
/// names no vocabulary file makes its own.
///
/// # Errors
/// `missing-file` (with every place looked in), `unreadable-file`, `data-variables`, `data-format` when
/// the content is of another format, `data-shape` when it is ragged, cut short or of other sizes than the
/// variables, `value-out-of-domain` and `missing-value` with row, variable and value.
pub fn read(
    source: &DataSource,
    groups: &[VarGroup],
    places: &[PathBuf],
    vocabulary: Option<Arc<Vocabulary>>,
) -> Result<Dataset, Diagnostic> {
    let columns = Columns::of(&source.variables, groups, &source.name, source.span)?;
    let path = find_file(&source.path, places, source.span)?;
    let content = FileContent::open(&path).map_err(|fault| fault.at(source.span, "named here"))?;
    let content = Arc::new(content);
    let file = path.display().to_string();
    let origin = Origin { data: source.name.clone(), file, span: source.span };
    if columns.is_empty() {
        return Err(origin.shape("it is declared over no variables"));
    }
    refuse_pickle(&content, &origin)?;
    let vocabulary = match &source.reader {
        Reader::Text(options) => {
            Some(text::vocabulary(&content, options, &columns, places, &origin, vocabulary)?)
        }
        _ => None,
    };
    let cells = read_cells(source, &content, &columns, &origin, vocabulary.as_deref())?;
    let hash = content_hash(source, &content, &columns, vocabulary.as_deref());
    Ok(Dataset { name: source.name.clone(), columns, cells, hash, vocabulary })
}

fn read_cells(
    source: &DataSource,
    content: &Arc<FileContent>,
    columns: &Columns,
    origin: &Origin,
    vocabulary: Option<&Vocabulary>,
) -> Result<Cells, Diagnostic> {
    let sink = rows::RowSink::new(origin, columns, source.rows);
    let from_array = |array: Result<array::Array, array::ArrayFault>| {
        array::pack(array.map_err(|fault| fault.about(origin))?, content, columns, source.rows, origin)
    };
    match &source.reader {
        Reader::Idx => from_array(idx::read_array(content)),
        Reader::Npy => from_array(npy::read_array(content)),
        Reader::Npz { array } => from_array(npy::read_from_archive(content, array)),
        Reader::Safetensors { array } => from_array(tensor::read_array(content, array)),
        Reader::Parquet => parquet::read_rows(content, sink),
        Reader::Csv { has_header, separator } => csv::read_rows(content, *has_header, *separator, sink),
        Reader::Bits => bits::read_rows(content, sink),
        Reader::Text(options) => match vocabulary {
            Some(vocabulary) => text::read_rows(content, options, vocabulary, sink),
            None => Err(origin.format("it has no vocabulary")),
        },
    }
}

/// Unpickling runs code, so a pickle is refused by name before a reader gets to see it.
fn refuse_pickle(content: &[u8], origin: &Origin) -> Result<(), Diagnostic> {
    match Content::of(content) {
        Content::Pickle => Err(origin
            .format("the content is a Python pickle, which could run any code when it is loaded")
            .help("save the array with `numpy.save(file, array, allow_pickle=False)`")),
        _ => Ok(()),
    }
}

/// Everything that decides the rows, hashed; parts are separated so that none can run into the next.
fn content_hash(
    source: &DataSource,
    content: &[u8],
    columns: &Columns,
    vocabulary: Option<&Vocabulary>,
) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(blake3::hash(content).as_bytes());
    hasher.update(format!("{:?} {:?}", source.reader, source.rows).as_bytes());
    for group in columns.groups() {
        hasher.update(format!("\0{} {:?} {}", group.name, group.extents, group.domain).as_bytes());
    }
    for token in vocabulary.map_or(&[][..], Vocabulary::tokens) {
        hasher.update(b"\0").update(token.as_bytes());
    }
    hasher.finalize()
}
