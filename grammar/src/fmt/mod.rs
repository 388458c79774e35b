//! Syntax tree to text in the one layout there is.
//!
//! A file becomes a document ([`doc`]), with the comments and blank lines put back ([`comments`]), and is
//! laid out to a width of 100 columns. There are no options. Formatting twice changes nothing, and the
//! formatted text parses to the same tree up to places.

mod comments;
mod doc;
mod expr;
mod item;
mod recipe;

use crate::parse::{Parse, on_large_stack};
use comments::Formatter;
use pcc_diag::Span;
use std::ops::Range;

/// The text in the house layout, ending in one line end. `parse` must be the parse of `text`.
///
/// A text with errors is returned as it is: what did not parse has no layout.
///
/// ```
/// let text = "vars A,B:bool // two\ncircuit M=prod( A,B )";
/// let parse = pcc_grammar::parse(pcc_diag::FileId(0), text);
/// assert_eq!(pcc_grammar::format(text, &parse), "vars A, B : bool  // two\ncircuit M = prod(A, B)\n");
/// ```
pub fn format(text: &str, parse: &Parse) -> String {
    if parse.errors.iter().any(pcc_diag::Diagnostic::is_error) {
        return text.to_string();
    }
    let mut formatter = Formatter::new(text, &parse.trivia);
    let formatted = on_large_stack(|| formatter.file(&parse.file.items, text.len()).print());
    if formatted.is_empty() { formatted } else { formatted + "\n" }
}

/// The bytes of a span.
fn range(span: Span) -> Range<usize> {
    span.start as usize..span.end as usize
}
