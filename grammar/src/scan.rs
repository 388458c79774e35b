//! A coarse scan of the text into tokens, beside the grammar.
//!
//! The grammar decides what a program is. This scan serves what a PEG parser cannot tell: where comments
//! stand, how deep brackets nest before anything recurses over them, and what a faulty place looks like.
//! It accepts every text, and its tokens cover all of it but white space.

use std::ops::Range;

/// One token with its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// What it looks like.
    pub kind: TokenKind,
    /// Where it stands.
    pub range: Range<usize>,
}

impl Token {
    /// The characters of the token.
    pub fn text<'t>(&self, text: &'t str) -> &'t str {
        text.get(self.range.clone()).unwrap_or("")
    }
}

/// What a token looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// `// ..`, without its line end.
    Comment,
    /// A string with both quotes.
    Text,
    /// A quote without its partner on the same line.
    UnclosedText,
    /// A name or a keyword.
    Word,
    /// What starts with a digit, well formed or not.
    Number,
    /// `(`, `[` or `{`.
    Open,
    /// `)`, `]` or `}`.
    Close,
    /// `,`.
    Comma,
    /// One operator or other punctuation of the language.
    Operator,
    /// A character that no program contains outside strings and comments.
    Unknown,
}

/// Operators and punctuation, the longer first.
const OPERATORS: [&str; 19] =
    ["=>", "==", "!=", "<=", ">=", "->", "..", "<", ">", "=", "+", "-", "*", "/", "%", ".", ":", "@", "|"];

/// All tokens of a text, in order.
pub(crate) fn scan(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        if matches!(first, ' ' | '\t' | '\r' | '\n') {
            at += 1;
            continue;
        }
        let (kind, length) = next_token(&text[at..], first);
        tokens.push(Token { kind, range: at..at + length });
        at += length;
    }
    tokens
}

/// The kind and the length in bytes of the token at the start of `rest`, which starts with `first`.
fn next_token(rest: &str, first: char) -> (TokenKind, usize) {
    let run = |holds: fn(char) -> bool| rest.find(|c| !holds(c)).unwrap_or(rest.len());
    match first {
        '/' if rest.starts_with("//") => (TokenKind::Comment, comment_length(rest)),
        '"' => text_token(rest),
        '(' | '[' | '{' => (TokenKind::Open, 1),
        ')' | ']' | '}' => (TokenKind::Close, 1),
        ',' => (TokenKind::Comma, 1),
        '0'..='9' => (TokenKind::Number, number_length(rest)),
        _ if is_word(first) => (TokenKind::Word, run(is_word)),
        _ => match OPERATORS.iter().find(|o| rest.starts_with(**o)) {
            Some(operator) => (TokenKind::Operator, operator.len()),
            None => (TokenKind::Unknown, first.len_utf8()),
        },
    }
}

/// A comment ends before its line end, `\r\n` included.
fn comment_length(rest: &str) -> usize {
    let line = rest.split('\n').next().unwrap_or(rest);
    line.trim_end_matches('\r').len()
}

fn text_token(rest: &str) -> (TokenKind, usize) {
    let line = rest.split('\n').next().unwrap_or(rest);
    match line[1..].find('"') {
        Some(end) => (TokenKind::Text, end + 2),
        None => (TokenKind::UnclosedText, line.trim_end().len()),
    }
}

/// Digits, letters and `_`, with one fraction and the sign of an exponent; `0 .. 4` and `0..4` end at the 0.
fn number_length(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut length = 1;
    let mut has_fraction = false;
    while let Some(&byte) = bytes.get(length) {
        let is_sign = matches!(byte, b'-' | b'+') && matches!(bytes[length - 1], b'e' | b'E');
        let is_point = byte == b'.' && !has_fraction;
        has_fraction |= is_point;
        let goes_on =
            is_word(byte as char) && byte.is_ascii() || (is_sign || is_point) && is_digit(length + 1);
        if !goes_on {
            break;
        }
        length += 1;
    }
    length
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shapes(text: &str) -> Vec<(TokenKind, &str)> {
        scan(text).iter().map(|t| (t.kind, &text[t.range.clone()])).collect()
    }

    #[test]
    fn strings_hide_comments_and_comments_hide_strings() {
        use TokenKind::*;
        assert_eq!(shapes("a \"// no\" // \"yes"), [(Word, "a"), (Text, "\"// no\""), (Comment, "// \"yes")]);
        assert_eq!(shapes("\"open\nx"), [(UnclosedText, "\"open"), (Word, "x")]);
    }

    #[test]
    fn a_range_is_not_a_fraction() {
        use TokenKind::*;
        assert_eq!(shapes("0..4"), [(Number, "0"), (Operator, ".."), (Number, "4")]);
        assert_eq!(shapes("1.5e-3x"), [(Number, "1.5e-3x")]);
        assert_eq!(shapes("1-2"), [(Number, "1"), (Operator, "-"), (Number, "2")]);
    }

    #[test]
    fn other_scripts_are_single_unknown_characters() {
        assert_eq!(shapes("é;"), [(TokenKind::Unknown, "é"), (TokenKind::Unknown, ";")]);
    }
}
