//! What stands between the tokens: comments, blank lines and trailing commas.
//!
//! They are kept as sorted lists of places beside the tree, so that the tree stays free of them and the
//! formatter can put them back.

use crate::scan::{Token, TokenKind};
use pcc_diag::{FileId, Span};

/// The places of all trivia of one file, each list in the order of the text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trivia {
    /// Comments, documentation included.
    pub comments: Vec<Comment>,
    /// The first byte of each line that holds nothing but white space.
    pub blank_lines: Vec<u32>,
    /// Commas right before a closing bracket.
    pub trailing_commas: Vec<u32>,
}

/// One comment, up to the end of its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// From its first slash to its last character.
    pub span: Span,
    /// Whether it starts with exactly three slashes.
    pub is_doc: bool,
    /// Whether nothing but white space stands before it on its line.
    pub is_own_line: bool,
}

impl Trivia {
    /// Gathers the trivia of a text from its tokens.
    pub(crate) fn gather(file: FileId, text: &str, tokens: &[Token]) -> Trivia {
        Trivia {
            comments: tokens
                .iter()
                .filter(|t| t.kind == TokenKind::Comment)
                .map(|t| comment(file, text, t))
                .collect(),
            blank_lines: blank_lines(text),
            trailing_commas: trailing_commas(tokens),
        }
    }

    /// The text of the `///` lines that end right above `start`, without slashes; none when there are none.
    pub(crate) fn doc_above(&self, text: &str, start: usize) -> Option<String> {
        let mut lines = Vec::new();
        let mut below = start;
        let n_above = self.comments.partition_point(|c| (c.span.end as usize) <= start);
        for comment in self.comments.iter().take(n_above).rev() {
            let (first, last) = (comment.span.start as usize, comment.span.end as usize);
            let between = text.get(last..below).unwrap_or("");
            let is_adjacent = between.trim().is_empty() && between.matches('\n').count() == 1;
            if !(comment.is_doc && comment.is_own_line && is_adjacent) {
                break;
            }
            let line = text.get(first + 3..last).unwrap_or("").trim_end();
            lines.push(line.strip_prefix(' ').unwrap_or(line));
            below = first;
        }
        lines.reverse();
        (!lines.is_empty()).then(|| lines.join("\n"))
    }

    /// The end of what is written in `start..end`, without the white space and comments at its end.
    pub(crate) fn trimmed_end(&self, text: &str, start: usize, end: usize) -> usize {
        let mut end = end;
        loop {
            end = start + text.get(start..end).unwrap_or("").trim_end().len();
            let after = self.comments.partition_point(|c| (c.span.end as usize) < end);
            match self.comments.get(after) {
                Some(c) if c.span.end as usize == end && c.span.start as usize >= start => {
                    end = c.span.start as usize;
                }
                _ => return end,
            }
        }
    }
}

fn comment(file: FileId, text: &str, token: &Token) -> Comment {
    let words = token.text(text);
    let before = text.get(..token.range.start).unwrap_or("");
    let line = &before[before.rfind('\n').map_or(0, |i| i + 1)..];
    Comment {
        span: Span::new(file, token.range.start, token.range.start + words.trim_end().len()),
        is_doc: words.starts_with("///") && !words.starts_with("////"),
        is_own_line: line.trim().is_empty(),
    }
}

fn blank_lines(text: &str) -> Vec<u32> {
    let mut start = 0;
    let mut blank = Vec::new();
    for line in text.split_inclusive('\n') {
        if line.trim().is_empty() {
            blank.push(start as u32);
        }
        start += line.len();
    }
    blank
}

fn trailing_commas(tokens: &[Token]) -> Vec<u32> {
    let mut code = tokens.iter().filter(|t| t.kind != TokenKind::Comment).peekable();
    let mut commas = Vec::new();
    while let Some(token) = code.next() {
        if token.kind == TokenKind::Comma && code.peek().is_some_and(|t| t.kind == TokenKind::Close) {
            commas.push(token.range.start as u32);
        }
    }
    commas
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gather(text: &str) -> Trivia {
        Trivia::gather(FileId(0), text, &crate::scan::scan(text))
    }

    #[test]
    fn lists_hold_every_kind() {
        let text = "a // one\n\n/// two\nf(x, // three\n)\n";
        let trivia = gather(text);
        let found: Vec<_> = trivia
            .comments
            .iter()
            .map(|c| (&text[c.span.start as usize..c.span.end as usize], c.is_doc, c.is_own_line))
            .collect();
        assert_eq!(found, [("// one", false, false), ("/// two", true, true), ("// three", false, false)]);
        assert_eq!(trivia.blank_lines, [9]);
        assert_eq!(trivia.trailing_commas, [text.find(", //").unwrap() as u32]);
    }

    #[test]
    fn documentation_is_what_touches_the_item() {
        let text = "/// far\n\n/// near\n/// and two\nvars A : bool";
        assert_eq!(
            gather(text).doc_above(text, text.find("vars").unwrap()).as_deref(),
            Some("near\nand two")
        );
        let text = "/// far\n\nvars A : bool";
        assert_eq!(gather(text).doc_above(text, text.find("vars").unwrap()), None);
    }

    #[test]
    fn ends_are_trimmed_of_comments() {
        let text = "f(x) // one\n  // two\n";
        assert_eq!(gather(text).trimmed_end(text, 0, text.len()), 4);
    }
}
