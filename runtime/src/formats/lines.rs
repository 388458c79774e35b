//! The line format that `.psdd`, `.sdd` and `.vtree` files share: comment lines that begin with `c`, a header with a
//! count, then one node a line, children before parents.

use pcc_diag::Diagnostic;
use std::str::{FromStr, SplitAsciiWhitespace};

/// The words of one line.
pub(super) struct Line<'t> {
    file: &'t str,
    /// Counted from 1.
    pub(super) number: usize,
    words: SplitAsciiWhitespace<'t>,
}

/// The lines of a text that say something.
pub(super) fn lines<'t>(text: &'t str, file: &'t str) -> impl Iterator<Item = Line<'t>> {
    let is_said = |line: &str| !line.trim().is_empty() && line != "c" && !line.starts_with("c ");
    let all = text.lines().enumerate().filter(move |(_, line)| is_said(line));
    all.map(move |(i, line)| Line { file, number: i + 1, words: line.split_ascii_whitespace() })
}

impl<'t> Line<'t> {
    /// What is wrong with this line.
    pub(super) fn fault(&self, message: impl std::fmt::Display) -> Diagnostic {
        damaged(self.file, format_args!("line {}: {message}", self.number))
    }

    /// The next word; `what` says what it is.
    pub(super) fn word(&mut self, what: &str) -> Result<&'t str, Diagnostic> {
        match self.words.next() {
            Some(word) => Ok(word),
            None => Err(self.fault(format_args!("{what} is missing"))),
        }
    }

    /// The next word as a number.
    pub(super) fn number<T: FromStr>(&mut self, what: &str) -> Result<T, Diagnostic> {
        let word = self.word(what)?;
        word.parse().map_err(|_| self.fault(format_args!("`{word}` is no {what}")))
    }

    /// Checks that nothing follows.
    pub(super) fn end(&mut self) -> Result<(), Diagnostic> {
        match self.words.next() {
            Some(word) => Err(self.fault(format_args!("`{word}` follows the end of the node"))),
            None => Ok(()),
        }
    }
}

pub(super) fn damaged(file: &str, message: impl std::fmt::Display) -> Diagnostic {
    Diagnostic::error("circuit-file-damaged", format!("`{file}`, {message}"))
}

/// Many writers count wrongly, so a wrong count is worth a warning and no more.
pub(super) fn count_warning(file: &str, declared: usize, found: usize) -> Option<Diagnostic> {
    let message = format!("`{file}` declares {declared} nodes, but has {found}");
    (declared != found).then(|| {
        Diagnostic::warning("node-count-differs", message).help("all nodes were read; the count is not used")
    })
}
