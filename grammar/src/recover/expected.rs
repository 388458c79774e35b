//! What pest would have taken at a place, in few words.
//!
//! Pest lists every character and rule that could stand there, white space and operators included. What is
//! worth saying of it: the closing bracket, the comma, the punctuation, and "an expression" or "a name".

use crate::parse::Rule;
use pest::error::{Error, ErrorVariant, InputLocation};

/// What could stand at a place.
#[derive(Debug, Default)]
pub(super) struct Expected {
    /// Literal texts.
    texts: Vec<String>,
    /// Whether a letter could stand here, and a digit.
    letter: bool,
    digit: bool,
    /// Rules that could start where the last rule was tried.
    rules: Vec<Rule>,
    /// Whether the text could end here.
    end: bool,
}

/// What goes on with an expression that could also end.
const OPERATORS: [&str; 20] = [
    "!=", "%", "*", "+", "-", "->", "..", "/", "<", "<=", "==", "=>", ">", ">=", "and", "by", "or", "with",
    ".", "_",
];

/// The first words of statements and of expressions.
const STATEMENT_STARTS: [&str; 8] = ["let", "param", "memo", "fn", "if", "not", "share", "for"];

impl Expected {
    /// What pest expected when it failed.
    pub fn of(failure: &Error<Rule>) -> Expected {
        let mut expected = Expected::default();
        if let ErrorVariant::ParsingError { positives, .. } = &failure.variant {
            expected.rules.clone_from(positives);
        }
        // The rules may belong to a place further back than the texts.
        let is_one_place = failure.parse_attempts().is_some_and(|a| a.max_position <= rule_start(failure));
        expected.end = is_one_place && expected.rules.contains(&Rule::EOI);
        for token in failure.parse_attempts().map(|a| a.expected_tokens()).unwrap_or_default() {
            // The type of these tokens has no public name, so they are read as they print.
            match token.to_string().as_str() {
                "0..9" => expected.digit = true,
                "A..Z" | "a..z" => expected.letter = true,
                text => expected.texts.push(text.to_string()),
            }
        }
        expected
    }

    fn has(&self, text: &str) -> bool {
        self.texts.iter().any(|t| t == text)
    }

    /// Whether pest was inside a word or a number: elsewhere white space could stand.
    pub fn is_within_word(&self) -> bool {
        !self.texts.is_empty() && !self.has(" ")
    }

    /// Whether an item could start here.
    pub fn is_item(&self) -> bool {
        self.has("structure") && self.has("recipe")
    }

    /// Whether a statement of a block could stand here, or its value.
    pub fn is_statement(&self) -> bool {
        self.has("let") && self.has("param") && self.is_expression()
    }

    /// Whether an expression could start here.
    fn is_expression(&self) -> bool {
        self.has("\"") || self.is_within_word() && self.rules.iter().any(|r| is_expression(*r))
    }

    /// Whether a name must stand here.
    pub fn is_name(&self) -> bool {
        !self.is_expression()
            && if self.is_within_word() {
                self.rules.iter().any(|r| is_name(*r))
            } else {
                self.letter && !self.digit
            }
    }

    /// Whether an operator could stand here, so that an expression could also have ended.
    pub fn has_operators(&self) -> bool {
        self.has("and") || self.has("*")
    }

    /// Whether a type must stand here.
    fn is_type(&self) -> bool {
        self.has("data") && self.letter && !self.digit && !self.has("vars")
    }

    /// Whether a step of a recipe, or a clause of a stage, could start here.
    fn steps(&self) -> Option<&'static str> {
        if self.has("materialize") {
            Some("a step")
        } else {
            (self.has("until") && self.has("then")).then_some("a clause")
        }
    }

    /// The words that a step or a clause may start with, as advice.
    pub fn first_words(&self) -> Option<String> {
        let words = self.texts.iter().filter(|text| is_word(text) && !OPERATORS.contains(&text.as_str()));
        let words = listed(words.map(|word| format!("`{word}`")));
        self.steps().map(|step| format!("{step} starts with {words}"))
    }

    /// What is expected as "a, b or c". `close` is the closer of the innermost bracket with words of its own.
    pub fn words(&self, close: Option<(&str, String)>, is_item: bool) -> String {
        let mut words: Vec<String> = self.punctuation().into_iter().map(|text| format!("`{text}`")).collect();
        if self.is_type() {
            words = vec!["a type".to_string()];
        } else if self.is_expression() {
            words.push("an expression".to_string());
        } else if self.is_name() {
            words.push("a name".to_string());
        } else if self.is_within_word() {
            words.extend(self.rules.iter().filter_map(|r| rule_words(*r)));
        }
        words.extend(self.steps().map(str::to_string));
        if words.is_empty() && self.has_operators() {
            words.push("an operator".to_string());
        }
        if self.end {
            words.push(if is_item { "a new item" } else { "the end" }.to_string());
        }
        words.extend(close.filter(|(closer, _)| self.has(closer)).map(|(_, words)| words));
        if words.is_empty() {
            words.push("something else".to_string());
        }
        words.dedup();
        listed(words)
    }

    /// The literals worth naming: all when few stand alone, else without operators and openers.
    fn punctuation(&self) -> Vec<&str> {
        if self.is_within_word() {
            return Vec::new();
        }
        let is_operator = |text: &str| self.has_operators() && (OPERATORS.contains(&text) || text == "=");
        let is_opener =
            |text: &str| matches!(text, "(" | "[") && (self.has_operators() || self.is_expression());
        let is_start = |text: &str| {
            self.is_expression() && (STATEMENT_STARTS.contains(&text) || matches!(text, "-" | "\""))
        };
        let is_step = |text: &str| self.steps().is_some() && is_word(text);
        let is_trivia = |text: &str| text.trim().is_empty() || text == "//";
        let is_closer = |text: &str| matches!(text, ")" | "]" | "}");
        let is_letter = |text: &str| text == "_" && (self.letter || self.digit);
        let is_silent = |text: &str| is_operator(text) || is_opener(text) || is_start(text) || is_step(text);
        let is_hidden = |text: &str| is_trivia(text) || is_closer(text) || is_letter(text) || is_silent(text);
        self.texts.iter().map(String::as_str).filter(|text| !is_hidden(text)).collect()
    }
}

/// The byte where the last rule was tried.
pub(super) fn rule_start(failure: &Error<Rule>) -> usize {
    match failure.location {
        InputLocation::Pos(at) => at,
        InputLocation::Span((start, _)) => start,
    }
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
}

/// "a, b or c".
fn listed(words: impl IntoIterator<Item = String>) -> String {
    let mut words: Vec<String> = words.into_iter().collect();
    let last = words.pop().unwrap_or_default();
    if words.is_empty() { last } else { format!("{} or {last}", words.join(", ")) }
}

fn is_expression(rule: Rule) -> bool {
    matches!(rule, Rule::expr | Rule::postfix | Rule::tagged | Rule::unary | Rule::arg | Rule::term)
        || (Rule::implies..=Rule::multiply).contains(&rule)
}

fn is_name(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::name
            | Rule::var_decl
            | Rule::param
            | Rule::pattern
            | Rule::param_key
            | Rule::path
            | Rule::query
    )
}

fn rule_words(rule: Rule) -> Option<String> {
    match rule {
        Rule::ty | Rule::ty_name => Some("a type".to_string()),
        Rule::domain => Some("a domain".to_string()),
        Rule::block => Some("`{`".to_string()),
        Rule::field_name => Some("the name of a field".to_string()),
        Rule::number => Some("a number".to_string()),
        other => format!("{other:?}").strip_prefix("kw_").map(|keyword| format!("`{keyword}`")),
    }
}
