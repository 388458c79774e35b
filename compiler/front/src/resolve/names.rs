//! `unknown-name` and its relatives: a word that is not among those which could stand there.

use crate::modules::std_export;
use crate::words::listing;
use pcc_diag::{Diagnostic, Span, suggest};

/// The report of a name that nothing has, though something in view or in `std` may have been meant.
pub(crate) fn unknown_name(name: &str, span: Span, in_view: &[&str]) -> Diagnostic {
    let report = Diagnostic::error("unknown-name", format!("nothing is named `{name}`")).at(span, "");
    if let Some(near) = suggest(name, in_view.iter().copied()) {
        return report.help(format!("did you mean `{near}`?"));
    }
    match std_export(name) {
        Some((known, module)) if known == name => {
            report.help(format!("import it: `import {module}.{{{known}}}`"))
        }
        Some((known, module)) => report.help(format!("did you mean `{known}` (from `{module}`)?")),
        None => report,
    }
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
    match suggest(name, known.iter().copied()) {
        Some(near) => report.help(format!("did you mean `{near}`?")),
        None if known.is_empty() => report,
        None => report.help(format!("there is {}", listing(known))),
    }
}
