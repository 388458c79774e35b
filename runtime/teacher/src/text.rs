//! Rows of words, which is what word vectors and language models look at.

use pcc_diag::{Diagnostic, Span};
use pcc_ir::{Domain, MISSING};
use pcc_runtime::data::Dataset;

/// A data set whose every column is a word of one vocabulary.
#[derive(Clone, Copy)]
pub(crate) struct Text<'d> {
    /// The rows.
    pub(crate) data: &'d Dataset,
    /// How many codes a word can have.
    pub(crate) n_words: usize,
}

impl<'d> Text<'d> {
    /// Looks at a data set as text.
    ///
    /// # Errors
    /// `kind-mismatch` when a column is no word, or one of another vocabulary than the rest.
    pub(crate) fn of(data: &'d Dataset, span: Span) -> Result<Self, Diagnostic> {
        let mut domains = data.columns().iter().map(|column| column.domain);
        match domains.next() {
            Some(Domain::Token(n)) if domains.all(|domain| domain == Domain::Token(n)) => {
                Ok(Text { data, n_words: n as usize })
            }
            _ => {
                let message = format!("the values of `{}` are not words of one vocabulary", data.name());
                Err(Diagnostic::error("kind-mismatch", message)
                    .at(span, "asked for here")
                    .help("a teacher of words looks at variables of one domain `token(n)`"))
            }
        }
    }

    /// Words of a row.
    pub(crate) fn n_positions(&self) -> usize {
        self.data.columns().len()
    }

    /// The codes of a row's words, `None` where one is missing.
    pub(crate) fn row(&self, row: usize) -> Vec<Option<u32>> {
        let word = |position| self.data.word(row, position);
        (0..self.n_positions()).map(word).map(|code| (code != MISSING).then_some(code)).collect()
    }

    /// Refuses rows whose words have other codes than those of `other`.
    ///
    /// # Errors
    /// `kind-mismatch`.
    pub(crate) fn check_same_words(&self, other: &Text, span: Span) -> Result<(), Diagnostic> {
        if (self.n_words, self.data.vocabulary()) == (other.n_words, other.data.vocabulary()) {
            return Ok(());
        }
        let message = format!(
            "the words of `{}` have other codes than those of `{}`",
            self.data.name(),
            other.data.name()
        );
        Err(Diagnostic::error("kind-mismatch", message)
            .at(span, "asked for here")
            .help("texts over the same variables share a vocabulary"))
    }
}
