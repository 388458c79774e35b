//! Comparing trees up to places, and what must hold of every formatted text.

use pcc_diag::FileId;
use pcc_grammar::{Parse, format, parse};

/// The items in their debug form, with all places left out.
fn shape(parse: &Parse) -> String {
    let text = format!("{:?}", parse.file.items);
    let mut shape = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("Span { file: FileId(0), start: ") {
        shape += before;
        rest = after.split_once('}').map_or("", |(_, rest)| rest);
    }
    shape + rest
}

/// The comments, sorted, as the formatter may move them; documentation that documents nothing loses a slash.
fn comments(text: &str, parse: &Parse) -> Vec<String> {
    let words = |span: pcc_diag::Span| {
        text[span.start as usize..span.end as usize].trim_start_matches('/').to_string()
    };
    let mut comments: Vec<String> = parse.trivia.comments.iter().map(|c| words(c.span)).collect();
    comments.sort();
    comments
}

/// Formats a text without faults and checks the invariants of the formatter.
///
/// # Errors
///
/// Says which invariant does not hold.
pub fn check_format(text: &str) -> Result<(), String> {
    let before = parse(FileId(0), text);
    let once = format(text, &before);
    let after = parse(FileId(0), &once);
    let twice = format(&once, &after);
    if !after.errors.is_empty() {
        return Err(format!("the formatted text has faults: {:?}\n{once}", after.errors));
    }
    if shape(&before) != shape(&after) {
        return Err(format!("the tree has changed:\n{}\n{}\n{once}", shape(&before), shape(&after)));
    }
    if comments(text, &before) != comments(&once, &after) {
        return Err(format!("the comments have changed:\n{once}"));
    }
    if once != twice {
        return Err(format!("formatting twice differs:\n{once}\n---\n{twice}"));
    }
    let is_odd = |line: &str| line.ends_with(' ') || line.contains('\t') && !line.contains(['"', '/']);
    match once.lines().find(|line| is_odd(line)) {
        Some(line) => Err(format!("a line with odd white space: {line:?}")),
        None => Ok(()),
    }
}
