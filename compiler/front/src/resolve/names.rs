//! `unknown-name` and its relatives: a word that is not among those which could stand there.

use crate::modules::{Module, declared, std_export};
use crate::words::listing;
use pcc_diag::{Diagnostic, Span};

/// The report of a name that nothing has, though something in view or in `std` may have been meant.
pub(crate) fn unknown_name(name: &str, span: Span, in_view: &[&str]) -> Diagnostic {
    let report = Diagnostic::error("unknown-name", format!("nothing is named `{name}`")).at(span, "");
    report.did_you_mean(name, in_view.iter().copied(), |report| match std_export(name) {
        Some((known, module)) if known == name => {
            report.help(format!("import it: `import {module}.{{{known}}}`"))
        }
        Some((known, module)) => report.help(format!("did you mean `{known}` (from `{module}`)?")),
        None => report,
    })
}

/// Whether the text of a module declares a name in an item that could not be parsed. Its fault is reported, so
/// what refers to it is not at fault.
pub(crate) fn is_in_a_broken_item(module: &Module, name: &str) -> bool {
    broken_names(module).any(|broken| broken == name)
}

/// The names that items declare in the text of a module and not in its tree: those of items with faults of
/// syntax. An item starts at the left margin with its keyword.
pub(crate) fn broken_names(module: &Module) -> impl Iterator<Item = &str> {
    const KEYWORDS: [&str; 11] = [
        "const",
        "constraint",
        "circuit",
        "data",
        "fn",
        "latent",
        "learn",
        "recipe",
        "structure",
        "teacher",
        "vars",
    ];
    let headers = module.text.lines().filter_map(|line| {
        let line = line.strip_prefix("memo ").unwrap_or(line);
        let (keyword, rest) = line.split_once(' ')?;
        KEYWORDS.contains(&keyword).then_some((keyword, rest))
    });
    let names = headers.flat_map(|(keyword, rest)| match keyword {
        "vars" | "latent" => listed_names(rest),
        _ => leading_name(rest).into_iter().collect(),
    });
    names.filter(|name| !module.file.items.iter().flat_map(declared).any(|known| known.text == *name))
}

/// The names in `A, X[28, 28] : cat(2)`: those in front of the colon, extents left out.
fn listed_names(declarations: &str) -> Vec<&str> {
    let heads = declarations.split(':').next().unwrap_or(declarations);
    let mut depth = 0;
    let parts = heads.split(|c: char| {
        depth += i32::from(c == '[') - i32::from(c == ']');
        c == ',' && depth == 0
    });
    parts.filter_map(leading_name).collect()
}

fn leading_name(text: &str) -> Option<&str> {
    let text = text.trim_start();
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    text.get(..end).filter(|name| !name.is_empty())
}

/// The report of a word outside a closed set, such as a metric or a reader.
/// `what` is the kind of word with its article: `a metric`.
pub(crate) fn not_among(
    code: &'static str,
    what: &str,
    name: &str,
    span: Span,
    known: &[&str],
) -> Diagnostic {
    let report = Diagnostic::error(code, format!("`{name}` is not {what}")).at(span, "");
    report.did_you_mean(name, known.iter().copied(), |report| match known.is_empty() {
        true => report,
        false => report.help(format!("there are {}", listing(known))),
    })
}
