//! The words of one line of a graph's text form, taken one by one, and what can be wrong with them.
//!
//! In goes a line, out come words, numbers and names; this module knows nothing of layers.

use pcc_diag::Diagnostic;
use std::fmt;
use std::str::{FromStr, SplitAsciiWhitespace};

/// Why a text is not a graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there: lower case, no full stop.
    pub message: String,
}

impl ReadError {
    pub(super) fn new(line: usize, message: impl Into<String>) -> Self {
        ReadError { line, message: message.into() }
    }

    /// The error as a diagnostic, with the name of the file or model that holds the text.
    pub fn diagnostic(&self, file: &str) -> Diagnostic {
        Diagnostic::error(
            "graph-text-malformed",
            format!("line {} of the graph in `{file}`: {}", self.line, self.message),
        )
        .help("the text was cut or edited; write it again with `pcc emit --stage graph`")
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for ReadError {}

/// What remains of a line.
#[derive(Clone)]
pub(super) struct Words<'t> {
    pub line: usize,
    rest: SplitAsciiWhitespace<'t>,
}

impl<'t> Words<'t> {
    pub fn new(line: usize, text: &'t str) -> Self {
        Words { line, rest: text.split_ascii_whitespace() }
    }

    pub fn error(&self, message: impl Into<String>) -> ReadError {
        ReadError::new(self.line, message)
    }

    /// The next word, if there is one.
    pub fn try_next(&mut self) -> Option<&'t str> {
        self.rest.next()
    }

    /// The next word; `what` says what it should be.
    pub fn next(&mut self, what: &str) -> Result<&'t str, ReadError> {
        self.rest.next().ok_or_else(|| self.error(format!("the line ends before {what}")))
    }

    /// The next word, which must be this one.
    pub fn expect(&mut self, word: &str) -> Result<(), ReadError> {
        match self.next(&format!("`{word}`"))? {
            found if found == word => Ok(()),
            found => Err(self.error(format!("`{found}` stands where `{word}` should"))),
        }
    }

    /// The next word as a number.
    pub fn number<T: FromStr>(&mut self, what: &str) -> Result<T, ReadError> {
        let word = self.next(what)?;
        parse(word).ok_or_else(|| self.error(format!("`{word}` is not {what}")))
    }

    /// The next word as a number that is not zero.
    pub fn count(&mut self, what: &str) -> Result<u32, ReadError> {
        match self.number(what)? {
            0 => Err(self.error(format!("{what} is zero"))),
            n => Ok(n),
        }
    }

    /// A product such as `4 x 16`.
    pub fn times(&mut self, first: &str, second: &str) -> Result<(u32, u32), ReadError> {
        let a = self.count(first)?;
        self.expect("x")?;
        Ok((a, self.count(second)?))
    }

    /// The number of an id such as `l7` or `t3`, which must be under `limit`.
    pub fn id(&mut self, letter: char, limit: usize, what: &str) -> Result<usize, ReadError> {
        let word = self.next(what)?;
        match word.strip_prefix(letter).and_then(parse) {
            Some(id) if id < limit => Ok(id),
            Some(_) => Err(self.error(format!("`{word}` is not defined before this line"))),
            None => Err(self.error(format!("`{word}` is not {what}"))),
        }
    }

    /// A name in quotes.
    pub fn quoted(&mut self, what: &str) -> Result<String, ReadError> {
        let word = self.next(what)?;
        match take_quoted(word) {
            Some((name, "")) => Ok(name),
            _ => Err(self.error(format!("`{word}` is not {what} in quotes"))),
        }
    }

    /// A group's name and what follows it in the same word: `X[3,5]` is `X` and the numbers 3 and 5.
    pub fn name_and_numbers(&mut self, what: &str) -> Result<(String, Vec<u32>), ReadError> {
        let word = self.next(what)?;
        self.split_name(word).ok_or_else(|| self.error(format!("`{word}` is not {what}")))
    }

    fn split_name(&self, word: &str) -> Option<(String, Vec<u32>)> {
        let (name, rest) = if word.starts_with('"') {
            take_quoted(word)?
        } else {
            let at = word.find('[').unwrap_or(word.len());
            (word[..at].to_owned(), &word[at..])
        };
        if rest.is_empty() {
            return Some((name, Vec::new()));
        }
        let inside = rest.strip_prefix('[')?.strip_suffix(']')?;
        Some((name, inside.split(',').map(parse).collect::<Option<_>>()?))
    }

    /// That nothing is left.
    pub fn end(&mut self) -> Result<(), ReadError> {
        match self.rest.next() {
            None => Ok(()),
            Some(word) => Err(self.error(format!("`{word}` stands where the line should end"))),
        }
    }
}

/// A number, but not one with a plus sign, which the printer never writes.
pub(super) fn parse<T: FromStr>(word: &str) -> Option<T> {
    if word.starts_with('+') { None } else { word.parse().ok() }
}

/// A word in parentheses after a name: `categorical(256)` gives `256`.
pub(super) fn inside<'t>(word: &'t str, name: &str) -> Option<&'t str> {
    word.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')')
}

/// The text of a quoted name at the start of a word, and the rest of the word.
fn take_quoted(word: &str) -> Option<(String, &str)> {
    let mut rest = word.strip_prefix('"')?;
    let mut name = String::new();
    loop {
        let at = rest.find(['"', '\\'])?;
        name.push_str(&rest[..at]);
        if rest.as_bytes()[at] == b'"' {
            return Some((name, &rest[at + 1..]));
        }
        let (code, after) = rest[at..].strip_prefix("\\u{")?.split_once('}')?;
        name.push(char::from_u32(u32::from_str_radix(code, 16).ok()?)?);
        rest = after;
    }
}
