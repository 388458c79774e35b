//! How deep a program nests, told before anything recurses over it.
//!
//! Every later phase walks the tree by recursion, so its depth is bounded here: by open brackets, and by the
//! links of each chain that they stand in (`a + b + c`, `else if`, `share share x`). An item that goes
//! deeper is masked and gets one error; the rest of the file is parsed as ever.

use crate::scan::{Token, TokenKind};
use pcc_diag::{Diagnostic, FileId, Span};
use std::ops::Range;

/// Brackets and chain links around any place.
const DEEPEST: usize = 500;

/// An item that nests too deep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TooDeep {
    /// From its first token to the next item, or the end of the text.
    item: Range<usize>,
    /// The token that was one too many.
    at: Range<usize>,
}

/// The items that nest too deep.
pub(crate) fn too_deep_items(text: &str, tokens: &[Token]) -> Vec<TooDeep> {
    let mut found: Vec<TooDeep> = Vec::new();
    let mut depth = Depth::default();
    let mut at_item_start = depth.clone();
    let mut item_start = 0;
    let mut is_skipping = false;
    let code: Vec<&Token> = tokens.iter().filter(|t| t.kind != TokenKind::Comment).collect();
    for (i, token) in code.iter().enumerate() {
        if starts_item(text, token) {
            if let (true, Some(last)) = (is_skipping, found.last_mut()) {
                last.item.end = token.range.start;
                // The masked item is as good as absent.
                depth = at_item_start.clone();
            }
            is_skipping = false;
            at_item_start = depth.clone();
            item_start = token.range.start;
        }
        if is_skipping {
            continue;
        }
        depth.step(text, token, code.get(i + 1).copied());
        if depth.total > DEEPEST {
            found.push(TooDeep { item: item_start..text.len(), at: token.range.clone() });
            is_skipping = true;
        }
    }
    found
}

/// One error for each.
pub(crate) fn errors(file: FileId, items: &[TooDeep]) -> Vec<Diagnostic> {
    let error = |deep: &TooDeep| {
        Diagnostic::error("nesting-too-deep", format!("this nests more than {DEEPEST} levels deep"))
            .at(Span::new(file, deep.at.start, deep.at.end), format!("level {} starts here", DEEPEST + 1))
            .help("name parts with `let`, or write a `fn` that calls itself")
    };
    items.iter().map(error).collect()
}

/// The error of a text that is too deep for the parser's stack in a way that the count above does not see.
pub(crate) fn stack_spent(file: FileId, text: &str) -> Diagnostic {
    Diagnostic::error("nesting-too-deep", "this file nests too deep to be parsed")
        .at(Span::new(file, 0, text.len().min(1)), "")
}

/// The text with blanks in place of the items, so that every other place stays where it is.
pub(crate) fn mask(text: &str, items: &[TooDeep]) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut at = 0;
    for TooDeep { item, .. } in items {
        masked.push_str(&text[at..item.start]);
        masked.extend(text[item.clone()].bytes().map(|b| if b == b'\n' { '\n' } else { ' ' }));
        at = item.end;
    }
    masked.push_str(&text[at..]);
    masked
}

/// Whether a token may start an item: an item keyword or `@` at the left margin, as in `item_start` of the
/// grammar.
pub(crate) fn starts_item(text: &str, token: &Token) -> bool {
    let is_at_margin = token.range.start == 0 || text.as_bytes().get(token.range.start - 1) == Some(&b'\n');
    is_at_margin && (token.text(text) == "@" || ITEM_KEYWORDS.contains(&token.text(text)))
}

/// The first words of items, as in `item_kw` of the grammar.
pub(crate) const ITEM_KEYWORDS: [&str; 15] = [
    "import",
    "const",
    "vars",
    "latent",
    "data",
    "learn",
    "teacher",
    "constraint",
    "structure",
    "circuit",
    "assert",
    "recipe",
    "fn",
    "memo",
    "native",
];

/// The depth of the place after the tokens seen so far.
#[derive(Clone, Debug, Default)]
struct Depth {
    /// The links of the chain outside all brackets, then of the chain in each open bracket.
    links: usize,
    outer: Vec<usize>,
    /// Open brackets plus all links.
    total: usize,
}

impl Depth {
    fn step(&mut self, text: &str, token: &Token, next: Option<&Token>) {
        match token.kind {
            TokenKind::Open => self.open(),
            TokenKind::Close => self.close(),
            TokenKind::Comma => self.restart(),
            TokenKind::Operator if !matches!(token.text(text), ":" | "=" | "@" | "|") => self.link(),
            TokenKind::Word => match token.text(text) {
                // With a name a function, without one a lambda.
                "fn" if next.is_some_and(|n| n.kind == TokenKind::Word) => self.restart(),
                "fn" | "share" | "if" | "else" | "not" | "and" | "or" | "with" | "by" => self.link(),
                "let" | "param" | "fit" | "until" | "then" | "evaluate" | "report" | "stage"
                | "materialize" | "marginalize" => self.restart(),
                _ if starts_item(text, token) => self.restart(),
                _ => {}
            },
            _ => {}
        }
    }

    fn open(&mut self) {
        self.outer.push(self.links);
        self.links = 0;
        self.total += 1;
    }

    /// What was in brackets becomes one link, as in `f(x)(y)`.
    fn close(&mut self) {
        if let Some(links) = self.outer.pop() {
            self.total -= self.links + 1;
            self.links = links;
            self.link();
        }
    }

    fn link(&mut self) {
        self.links += 1;
        self.total += 1;
    }

    fn restart(&mut self) {
        self.total -= self.links;
        self.links = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deep(text: &str) -> Vec<TooDeep> {
        too_deep_items(text, &crate::scan::scan(text))
    }

    #[test]
    fn chains_count_and_lists_do_not() {
        assert_eq!(deep(&format!("const A = {}", ["1"; 500].join(" + "))).len(), 0);
        assert_eq!(deep(&format!("const A = {}", ["1"; 502].join(" + "))).len(), 1);
        assert_eq!(deep(&format!("const A = [{}]", ["-1"; 5000].join(", "))).len(), 0);
        assert_eq!(deep(&format!("const A = {}x", "share ".repeat(501))).len(), 1);
        assert_eq!(deep(&format!("const A = f{}", "()".repeat(501))).len(), 1);
    }

    #[test]
    fn many_functions_are_not_deep() {
        let functions = "  fn f(a: int) -> layer[a + 1] { let x = a let y = g(x) x }\n".repeat(400);
        assert_eq!(deep(&format!("structure S(X: seq) -> layer[1] {{\n{functions}f(1)\n}}")), []);
    }

    #[test]
    fn only_the_deep_item_is_masked() {
        let text = format!("vars A : bool\nconst B = {}\nvars C : bool", "(".repeat(600));
        let masked = mask(&text, &deep(&text));
        assert_eq!(masked.len(), text.len());
        assert_eq!(
            masked.split_whitespace().collect::<Vec<_>>(),
            ["vars", "A", ":", "bool", "vars", "C", ":", "bool"]
        );
    }

    #[test]
    fn depth_counts_through_items_that_never_close() {
        let text = "const a = (\n".repeat(3) + "const b = (" + &"(".repeat(497) + "\nconst c = (";
        assert_eq!(deep(&text), [TooDeep { item: 36..text.len() - 11, at: 543..544 }]);
    }
}
