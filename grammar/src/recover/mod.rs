//! Why a text does not parse: the place of the fault, and the words for it.
//!
//! A slice that is no item is parsed once more as an item. Where pest got furthest is where the fault shows;
//! what stands there, which brackets are open and what pest would have taken give the error.

mod expected;
mod fault;

use crate::parse::{Grammar, Rule};
use crate::scan::Token;
use fault::Fault;
use pcc_diag::{Diagnostic, FileId};
use pest::Parser as _;
use std::ops::Range;

/// The error of a slice of `text` that is not of the given rule (`one_item`, `one_expr` or `one_query`).
pub(crate) fn explain(
    file: FileId,
    text: &str,
    tokens: &[Token],
    slice: Range<usize>,
    rule: Rule,
) -> Diagnostic {
    // The switch belongs to the process and is never turned back, so that no message depends on timing.
    // Until the first fault nobody pays for it.
    pest::set_error_detail(true);
    let failure = Grammar::parse(rule, text.get(slice.clone()).unwrap_or("")).err();
    Fault::new(file, text, tokens, slice, rule, failure.as_ref()).diagnose()
}
