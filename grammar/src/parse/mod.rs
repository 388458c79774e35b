//! Text to syntax tree: pest's pairs become nodes, without judgement.
//!
//! A file is parsed in one go on a stack of its own; items that fail are kept apart by the grammar and
//! explained by [`crate::recover`]. Only numbers are checked here, as a node holds their value.

mod expr;
mod item;
mod pairs;
mod query;
mod recipe;

use crate::ast::{Expr, File, Item, Query};
use crate::nesting;
use crate::recover;
use crate::scan::{Token, scan};
use crate::trivia::Trivia;
use pairs::Parts;
use pcc_diag::{Diagnostic, FileId, Span};
use pest::Parser as _;
use pest::iterators::Pair;

/// The parser that pest derives from `pc.pest`.
#[derive(pest_derive::Parser)]
#[grammar = "../pc.pest"]
pub(crate) struct Grammar;

/// What became of a text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parse {
    /// The items that are whole.
    pub file: File,
    /// One error for each item that is not, in the order of the text.
    pub errors: Vec<Diagnostic>,
    /// Comments, blank lines and trailing commas.
    pub trivia: Trivia,
}

/// Parses a file. Never fails and never panics: what is wrong is in [`Parse::errors`].
///
/// ```
/// let parse = pcc_grammar::parse(pcc_diag::FileId(0), "vars A : bool\ncircut M = A\n");
/// assert_eq!(parse.file.items.len(), 1);
/// assert_eq!(parse.errors[0].code, "expected-item");
/// ```
pub fn parse(file: FileId, text: &str) -> Parse {
    if let Some(error) = too_long(file, text.len()) {
        return Parse { errors: vec![error], ..Parse::default() };
    }
    let tokens = scan(text);
    let trivia = Trivia::gather(file, text, &tokens);
    let deep = nesting::too_deep_items(text, &tokens);
    let mut errors = nesting::errors(file, &deep);
    let masked = nesting::mask(text, &deep);
    let mut builder = Builder { file, text, trivia: &trivia, errors: Vec::new() };
    let items = on_large_stack(|| parse_items(&mut builder, &masked, &tokens));
    errors.append(&mut builder.errors);
    errors.sort_by_key(|e| e.labels.first().map(|l| l.span.start));
    Parse { file: File { items }, errors, trivia }
}

fn parse_items(builder: &mut Builder, text: &str, tokens: &[Token]) -> Vec<Item> {
    let file = match Grammar::parse(Rule::file, text) {
        Ok(mut pairs) => pairs.next().map(Parts::of),
        // Only pest's own guard against deep recursion ends here, as any text is a list of bad items.
        Err(_) => {
            builder.errors.push(nesting::stack_spent(builder.file, text));
            None
        }
    };
    let mut items: Vec<(usize, Item)> = Vec::new();
    for pair in file.into_iter().flatten() {
        let start = pair.as_span().start();
        match pair.as_rule() {
            Rule::item => items.push((start, builder.item(pair))),
            Rule::bad_item => {
                let whole = if is_at_margin(text, start) { None } else { items.pop() };
                let slice = whole.map_or(start, |(item, _)| item)..pair.as_span().end();
                builder.errors.push(recover::explain(
                    builder.file,
                    builder.text,
                    tokens,
                    slice,
                    Rule::one_item,
                ));
            }
            _ => {}
        }
    }
    items.into_iter().map(|(_, item)| item).collect()
}

/// Whether a line starts at this byte. What is no item there stands alone; elsewhere it belongs to the item
/// before it.
fn is_at_margin(text: &str, at: usize) -> bool {
    text.get(..at).is_some_and(|before| before.is_empty() || before.ends_with('\n'))
}

/// Parses one expression, such as the value of `--set K=64`. The whole text must be the expression.
///
/// # Errors
///
/// What is wrong with the text, with places in `file`.
pub fn parse_expr(file: FileId, text: &str) -> Result<Expr, Vec<Diagnostic>> {
    parse_whole(file, text, Rule::one_expr, |builder, pair| builder.expr(pair))
}

/// Parses one query, such as `p(A = true | B = false)`.
///
/// # Errors
///
/// What is wrong with the text, with places in `file`.
pub fn parse_query(file: FileId, text: &str) -> Result<Query, Vec<Diagnostic>> {
    parse_whole(file, text, Rule::one_query, |builder, pair| builder.query(pair))
}

/// Parses a text that is one node of the given rule.
fn parse_whole<T>(
    file: FileId,
    text: &str,
    rule: Rule,
    build: impl FnOnce(&mut Builder, Pair<Rule>) -> T,
) -> Result<T, Vec<Diagnostic>> {
    let tokens = scan(text);
    let deep = nesting::too_deep_items(text, &tokens);
    let mut errors = nesting::errors(file, &deep);
    errors.extend(too_long(file, text.len()));
    if !errors.is_empty() {
        return Err(errors);
    }
    let trivia = Trivia::gather(file, text, &tokens);
    let mut builder = Builder { file, text, trivia: &trivia, errors: Vec::new() };
    let node = on_large_stack(|| match Grammar::parse(rule, text) {
        Ok(mut pairs) => {
            pairs.next().and_then(|whole| Parts::of(whole).next()).map(|p| build(&mut builder, p))
        }
        Err(_) => {
            builder.errors.push(recover::explain(file, text, &tokens, 0..text.len(), rule));
            None
        }
    });
    match node {
        Some(node) if builder.errors.is_empty() => Ok(node),
        _ => Err(builder.errors),
    }
}

/// Spans hold byte offsets of 32 bits.
fn too_long(file: FileId, n_bytes: usize) -> Option<Diagnostic> {
    let error = || Diagnostic::error("file-too-long", "a source file may have at most 4 GiB");
    (n_bytes >= u32::MAX as usize).then(|| error().at(Span::new(file, 0, 0), ""))
}

/// Each level of nesting takes some 20 KB in an unoptimised build, and [`nesting`] allows a few hundred.
const STACK_BYTES: usize = 64 << 20;

/// Runs a parse where the stack cannot run out.
pub(crate) fn on_large_stack<T>(parse: impl FnOnce() -> T) -> T {
    stacker::grow(STACK_BYTES, parse)
}

/// Turns pairs into nodes.
struct Builder<'t> {
    file: FileId,
    text: &'t str,
    trivia: &'t Trivia,
    errors: Vec<Diagnostic>,
}

impl Builder<'_> {
    /// The place of a pair, without the white space and comments that pest counts to it.
    fn span(&self, pair: &Pair<Rule>) -> Span {
        let (start, end) = (pair.as_span().start(), pair.as_span().end());
        Span::new(self.file, start, self.trivia.trimmed_end(self.text, start, end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_must_hold_the_length_of_a_file() {
        assert_eq!(too_long(FileId(0), 4_294_967_294), None);
        assert_eq!(too_long(FileId(0), 4_294_967_295).map(|e| e.code), Some("file-too-long"));
    }

    #[test]
    fn keywords_agree() {
        let grammar = include_str!("../../pc.pest");
        let quoted = |line: &str| line.split('"').skip(1).step_by(2).map(str::to_string).collect::<Vec<_>>();
        let rule =
            |name: &str| grammar.lines().find(|line| line.starts_with(name)).map(quoted).unwrap_or_default();
        let mut keywords: Vec<String> =
            grammar.lines().filter(|l| l.starts_with("kw_")).flat_map(quoted).collect();
        let mut listed = rule("keyword ");
        keywords.sort();
        listed.sort();
        assert_eq!(keywords, listed);
        let items = rule("item_kw ");
        assert!(items.iter().all(|item| listed.contains(item)));
        let mut known = nesting::ITEM_KEYWORDS.map(str::to_string).to_vec();
        known.sort();
        let mut items = items;
        items.sort();
        assert_eq!(items, known);
    }
}
