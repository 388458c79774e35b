//! Text, cut into windows of tokens. A token is what stands between blanks, or a character; a window that
//! the text does not fill is left out.

use super::rows::RowSink;
use crate::data::cells::Cells;
use crate::data::column::Columns;
use crate::data::fault::{Origin, grouped};
use crate::data::place::{find_file, read_file};
use crate::data::vocabulary::Vocabulary;
use pcc_diag::Diagnostic;
use pcc_ir::recipe::TextOptions;
use std::path::PathBuf;
use std::sync::Arc;

/// The vocabulary of a text: the given one, that of the named file, or the text's own. Its size is the
/// number of values of the variables.
pub(super) fn vocabulary(
    content: &[u8],
    options: &TextOptions,
    columns: &Columns,
    places: &[PathBuf],
    origin: &Origin,
    given: Option<Arc<Vocabulary>>,
) -> Result<Arc<Vocabulary>, Diagnostic> {
    let size = vocabulary_size(columns, origin)?;
    let vocabulary = match (given, &options.vocabulary) {
        (Some(given), _) => given,
        (None, Some(path)) => Arc::new(read_vocabulary(path, places, origin)?),
        (None, None) => Arc::new(Vocabulary::of_text(tokens(content, options, origin)?, size)),
    };
    match vocabulary.tokens().len() {
        0 => Err(origin.shape("the vocabulary has no words")),
        n if n > size => Err(origin.shape(format!(
            "the vocabulary has {} words, but `{}` takes {}",
            grouped(n as u64),
            columns.declared(),
            grouped(size as u64)
        ))),
        _ => Ok(vocabulary),
    }
}

/// Reads rows.
pub(super) fn read_rows(
    content: &[u8],
    options: &TextOptions,
    vocabulary: &Vocabulary,
    mut sink: RowSink,
) -> Result<Cells, Diagnostic> {
    let (window, n_columns) = (options.window, sink.columns.len());
    if window != n_columns || options.stride == 0 {
        let message = format!(
            "windows of {window} tokens, {} apart, can't be rows of `{}`, which has {n_columns} variables",
            options.stride,
            sink.columns.declared()
        );
        return Err(sink.origin.shape(message));
    }
    let codes: Vec<u32> = tokens(content, options, sink.origin)?.map(|t| vocabulary.code_of(t)).collect();
    if codes.len() < window {
        return Err(sink.origin.shape(format!("{} tokens fill no window of {window}", codes.len())));
    }
    for start in (0..=codes.len() - window).step_by(options.stride) {
        if sink.is_next_kept() { sink.push(&codes[start..start + window]) } else { sink.skip() }
    }
    sink.finish()
}

/// All windows share one table of words, so all variables must have the same values.
fn vocabulary_size(columns: &Columns, origin: &Origin) -> Result<usize, Diagnostic> {
    let domain = columns.get(0).domain;
    match domain.n_values() {
        Some(n) if columns.iter().all(|c| c.domain == domain && c.is_its_own_code()) => Ok(n as usize),
        _ => Err(origin.format(format!("text needs variables with one `token(n)` domain, not `{domain}`"))),
    }
}

fn read_vocabulary(path: &str, places: &[PathBuf], origin: &Origin) -> Result<Vocabulary, Diagnostic> {
    let content = read_file(&find_file(path, places, origin.span)?)?;
    let text = as_text(&content, origin)?;
    Ok(Vocabulary::of_tokens(text.lines().map(str::to_string).collect()))
}

fn tokens<'t>(
    content: &'t [u8],
    options: &TextOptions,
    origin: &Origin,
) -> Result<Box<dyn Iterator<Item = &'t str> + 't>, Diagnostic> {
    let text = as_text(content, origin)?;
    Ok(match options.by_character {
        true => Box::new(text.char_indices().map(move |(i, c)| &text[i..i + c.len_utf8()])),
        false => Box::new(text.split_whitespace()),
    })
}

fn as_text<'t>(content: &'t [u8], origin: &Origin) -> Result<&'t str, Diagnostic> {
    std::str::from_utf8(content)
        .map_err(|e| origin.format(format!("no text: the byte at {} is not UTF-8", e.valid_up_to())))
}
