//! The place where an item stops making sense, and what is the matter there.
//!
//! Each question below knows one kind of fault; the first that recognises the place gives the error.

use super::expected::{Expected, rule_start};
use crate::nesting::{ITEM_KEYWORDS, starts_item};
use crate::parse::{Grammar, Rule};
use crate::scan::{Token, TokenKind};
use pcc_diag::{Diagnostic, FileId, Span, suggest};
use pest::Parser as _;
use pest::error::Error;
use std::ops::Range;

/// A faulty slice of a text.
pub(super) struct Fault<'t> {
    file: FileId,
    text: &'t str,
    /// The tokens of the slice, comments left out.
    code: Vec<&'t Token>,
    /// The token at fault; the number of tokens when the slice ends too early.
    at: usize,
    expected: Expected,
    /// Whether an item was asked for, and not an expression or a query.
    is_item: bool,
}

impl<'t> Fault<'t> {
    /// The fault that pest ran into in a slice; without one, the end of the slice.
    pub fn new(
        file: FileId,
        text: &'t str,
        tokens: &'t [Token],
        slice: Range<usize>,
        rule: Rule,
        failure: Option<&Error<Rule>>,
    ) -> Fault<'t> {
        let first = tokens.partition_point(|t| t.range.start < slice.start);
        let inside = tokens.iter().skip(first).take_while(|t| t.range.start < slice.end);
        let code: Vec<&Token> = inside.filter(|t| t.kind != TokenKind::Comment).collect();
        let expected = failure.map(Expected::of).unwrap_or_default();
        let start = slice.start + failure.map_or(slice.len(), |f| place(f, &expected));
        let at = code.partition_point(|t| t.range.end <= start);
        Fault { file, text, code, at, expected, is_item: rule == Rule::one_item }
    }

    /// The error.
    pub fn diagnose(self) -> Diagnostic {
        self.unclosed_string()
            .or_else(|| self.unexpected_character())
            .or_else(|| self.malformed_number())
            .or_else(|| self.expected_item())
            .or_else(|| self.space_before_call())
            .or_else(|| self.bracket())
            .or_else(|| self.block_without_value())
            .or_else(|| self.keyword_as_name())
            .unwrap_or_else(|| self.unexpected_token())
    }

    fn unclosed_string(&self) -> Option<Diagnostic> {
        // Pest reads on to the end of the line, so the fault may show behind the quote.
        let quote = self.code.iter().take(self.at + 1).find(|t| t.kind == TokenKind::UnclosedText)?;
        let error = Diagnostic::error("unclosed-string", "this string has no closing quote on its line");
        Some(
            error
                .at(self.span(quote), "starts here")
                .help("a string ends with `\"` on the line it starts on"),
        )
    }

    fn unexpected_character(&self) -> Option<Diagnostic> {
        let token = self.here().filter(|t| t.kind == TokenKind::Unknown)?;
        let text = token.text(self.text);
        let is_control = text.contains(char::is_control);
        let shown = if is_control { text.escape_debug().to_string() } else { text.to_string() };
        let error = Diagnostic::error("unexpected-character", format!("`{shown}` means nothing here"));
        let error = error.at(self.span(token), "");
        Some(match text {
            ";" => error.help("statements end by themselves: remove the `;`"),
            "#" => error.help("a comment starts with `//`"),
            "'" | "`" | "“" | "”" => error.help("a string stands in straight double quotes: `\"..\"`"),
            "&" => error.help("write `and`"),
            "!" => error.help("write `not`"),
            _ => error,
        })
    }

    fn malformed_number(&self) -> Option<Diagnostic> {
        let token = self.here().filter(|t| t.kind == TokenKind::Number)?;
        let text = token.text(self.text);
        let is_whole =
            |mut pairs: pest::iterators::Pairs<Rule>| pairs.next().is_some_and(|p| p.as_str() == text);
        if Grammar::parse(Rule::number, text).is_ok_and(is_whole) {
            return None;
        }
        let error = Diagnostic::error("malformed-number", format!("`{text}` is neither a number nor a name"));
        let shapes = "numbers look like `64`, `50_257`, `0.5`, `1e-3` or `200M`; a name starts with a letter";
        Some(error.at(self.span(token), "").help(shapes))
    }

    /// The slice does not even start like an item.
    fn expected_item(&self) -> Option<Diagnostic> {
        let starts = self.code.first().is_some_and(|t| starts_item(self.text, t) || self.is_item_keyword(t));
        let is_bare_attribute = self.expected.is_item();
        let is_close = self.here().is_some_and(|t| t.kind == TokenKind::Close);
        if !self.is_item || is_close || (starts && !is_bare_attribute) {
            return None;
        }
        let message = match is_bare_attribute && starts {
            true => "expected an item after this attribute".to_string(),
            false => format!("expected an item, found {}", self.found()),
        };
        let error = Diagnostic::error("expected-item", message).at(self.place(), self.place_words());
        let near = self.here().and_then(|t| suggest(t.text(self.text), ITEM_KEYWORDS));
        Some(error.help(match near {
            Some(keyword) => format!("did you mean `{keyword}`?"),
            None => {
                "an item starts with a word such as `vars`, `structure`, `circuit` or `recipe`".to_string()
            }
        }))
    }

    fn is_item_keyword(&self, token: &Token) -> bool {
        ITEM_KEYWORDS.contains(&token.text(self.text))
    }

    fn space_before_call(&self) -> Option<Diagnostic> {
        let bracket = self.here().filter(|t| matches!(t.text(self.text), "(" | "["))?;
        let callee = self.before()?;
        let is_callee = callee.kind == TokenKind::Word && !is_keyword(callee.text(self.text))
            || matches!(callee.text(self.text), ")" | "]");
        let space = self.text.get(callee.range.end..bracket.range.start)?;
        if !is_callee || space.is_empty() || space.contains('\n') {
            return None;
        }
        let (callee, open) = (callee.text(self.text), bracket.text(self.text));
        let message = format!("no space may stand between `{callee}` and its `{open}`");
        let place = Span::new(self.file, bracket.range.start - space.len(), bracket.range.end);
        let help = format!("write `{callee}{open}`; where a space stands, the expression has ended");
        Some(Diagnostic::error("space-before-call", message).at(place, "").help(help))
    }

    /// A bracket that is never closed, closed by another, or never opened.
    fn bracket(&self) -> Option<Diagnostic> {
        let open = self.open_brackets(self.at);
        let here = self.here();
        let is_close = here.is_some_and(|t| t.kind == TokenKind::Close);
        let Some(&opener) = open.last() else {
            let message = format!("this {} closes no bracket", self.found());
            let help = "remove it, or open the bracket before";
            return is_close
                .then(|| Diagnostic::error("unopened-bracket", message).at(self.place(), "").help(help));
        };
        let closes = here.is_some_and(|t| t.text(self.text) == closer(self.code[opener].text(self.text)));
        if closes || (!is_close && self.is_closed_later(opener)) {
            return None;
        }
        let message = format!("expected {}, found {}", self.closing(opener), self.found());
        let error = Diagnostic::error("unclosed-bracket", message).at(self.place(), self.place_words());
        Some(error.note(self.span(self.code[opener]), "opened here"))
    }

    fn block_without_value(&self) -> Option<Diagnostic> {
        self.here().filter(|t| t.text(self.text) == "}")?;
        if !self.expected.is_statement() {
            return None;
        }
        let error =
            Diagnostic::error("block-without-value", "a block ends with an expression, which is its value");
        Some(error.at(self.place(), "expected an expression before this").help("write what the block gives"))
    }

    fn keyword_as_name(&self) -> Option<Diagnostic> {
        let word = self.here().filter(|t| is_keyword(t.text(self.text)))?.text(self.text);
        if !self.expected.is_name() {
            return None;
        }
        let error =
            Diagnostic::error("keyword-as-name", format!("`{word}` is a keyword and cannot be a name"));
        Some(error.at(self.place(), "").help(format!("choose another name, such as `{word}_`")))
    }

    fn unexpected_token(&self) -> Diagnostic {
        let open = self.open_brackets(self.at);
        let close = open.last().map(|&o| (closer(self.code[o].text(self.text)), self.closing(o)));
        let message =
            format!("expected {}, found {}", self.expected.words(close, self.is_item), self.found());
        let mut error = Diagnostic::error("unexpected-token", message).at(self.place(), self.place_words());
        if let Some(&opener) = open.last() {
            error = error.note(self.span(self.code[opener]), "inside this bracket");
        }
        match self.advice() {
            Some(advice) => error.help(advice),
            None => error,
        }
    }

    /// What would work in place of an unexpected token.
    fn advice(&self) -> Option<String> {
        if self.before().is_some_and(|t| t.text(self.text) == "return") {
            return Some("the last expression of a block is its value: leave `return` out".to_string());
        }
        let advice = match self.here()?.text(self.text) {
            "=" => "`==` compares two values; a single `=` gives a value to a name",
            "else" => "an `else` stands right after the `}` of its `if`",
            "|" => "write `or`; a bar stands only in queries, before what is known",
            "==" | "!=" | "<" | "<=" | ">" | ">=" if self.expected.has_operators() => {
                "comparisons do not follow each other: join two with `and`"
            }
            "not" => "put the second `not` in parentheses",
            "for" if self.item_word() == Some("recipe") && self.open_brackets(self.at).is_empty() => {
                "a recipe has its parameters in parentheses, or none: `recipe train() for M`"
            }
            "," if self.item_word() == Some("data") => "several variables stand in parentheses: `(A, B)`",
            "for" => "a `for` stands among the arguments of a call or the elements of a list",
            _ => return self.expected.first_words(),
        };
        Some(advice.to_string())
    }

    /// The word that the item starts with.
    fn item_word(&self) -> Option<&'t str> {
        self.code.first().filter(|_| self.is_item).map(|token| token.text(self.text))
    }

    /// The token at fault.
    fn here(&self) -> Option<&'t Token> {
        self.code.get(self.at).copied()
    }

    /// The token before it.
    fn before(&self) -> Option<&'t Token> {
        self.at.checked_sub(1).and_then(|i| self.code.get(i)).copied()
    }

    /// Where the fault shows: the token, or the last one when the text ends too early.
    fn place(&self) -> Span {
        let token = self.here().or_else(|| self.code.last().copied());
        token.map_or(Span::new(self.file, 0, 0), |t| self.span(t))
    }

    /// Where nothing stands at the place of the fault, the label lies on what is before it.
    fn place_words(&self) -> &'static str {
        if self.here().is_some() || self.code.is_empty() { "" } else { "after this" }
    }

    fn span(&self, token: &Token) -> Span {
        Span::new(self.file, token.range.start, token.range.end)
    }

    /// What stands at the fault, in words.
    fn found(&self) -> String {
        match self.here().map(|t| t.text(self.text)) {
            Some(word) if is_keyword(word) => format!("the keyword `{word}`"),
            Some(text) => format!("`{text}`"),
            None if self.is_item => "the end of the item".to_string(),
            None => "the end".to_string(),
        }
    }

    /// The brackets that are open before a token, as indices; a wrong closer closes nothing.
    fn open_brackets(&self, before: usize) -> Vec<usize> {
        let mut open: Vec<usize> = Vec::new();
        for (i, token) in self.code.iter().enumerate().take(before) {
            match (token.kind, open.last()) {
                (TokenKind::Open, _) => open.push(i),
                (TokenKind::Close, Some(&o))
                    if closer(self.code[o].text(self.text)) == token.text(self.text) =>
                {
                    open.pop();
                }
                _ => {}
            }
        }
        open
    }

    /// Whether an opener finds its closer after the fault, before any closer of another kind.
    fn is_closed_later(&self, opener: usize) -> bool {
        let mut wanted = vec![closer(self.code[opener].text(self.text))];
        for token in self.code.iter().skip(self.at) {
            let text = token.text(self.text);
            match token.kind {
                TokenKind::Open => wanted.push(closer(text)),
                TokenKind::Close if wanted.pop() != Some(text) => return false,
                TokenKind::Close if wanted.is_empty() => return true,
                _ => {}
            }
        }
        false
    }

    /// "`)` to close the `(` of `sum`".
    fn closing(&self, opener: usize) -> String {
        let open = self.code[opener].text(self.text);
        let owner = self.owner(opener).map(|name| format!(" of `{name}`")).unwrap_or_default();
        format!("`{}` to close the `{open}`{owner}", closer(open))
    }

    /// The name that a bracket belongs to: `sum` for the last one of `sum[1](`.
    fn owner(&self, opener: usize) -> Option<&'t str> {
        let mut at = opener;
        loop {
            let before = *self.code.get(at.checked_sub(1)?)?;
            if before.range.end != self.code[at].range.start {
                return None;
            }
            match before.kind {
                TokenKind::Word => return Some(before.text(self.text)),
                // The bracket before closes right here, so it is the last one still open before it.
                TokenKind::Close => at = *self.open_brackets(at - 1).last()?,
                _ => return None,
            }
        }
    }
}

/// The byte of the slice where the fault stands.
///
/// Pest tells where the last rule was tried and where the last character was. The second is farther, and
/// right, unless it lies within or behind a word that is a keyword or a number that is malformed.
fn place(failure: &Error<Rule>, expected: &Expected) -> usize {
    let rule_start = rule_start(failure);
    match failure.parse_attempts() {
        Some(attempts) if !expected.is_within_word() => attempts.max_position.max(rule_start),
        _ => rule_start,
    }
}

fn is_keyword(word: &str) -> bool {
    Grammar::parse(Rule::keyword, word).is_ok()
}

fn closer(open: &str) -> &'static str {
    match open {
        "(" => ")",
        "[" => "]",
        _ => "}",
    }
}
