//! Diagnostics for programs: one JSON object on one line.

use crate::frames::fold;
use crate::{Diagnostic, Severity, Sources, Span};
use serde::Serialize;

#[derive(Serialize)]
struct JsonDiagnostic<'a> {
    code: &'a str,
    severity: &'a str,
    message: &'a str,
    help: Option<&'a str>,
    labels: Vec<JsonLabel<'a>>,
}

/// Lines and columns count from 1, columns in characters; the end is the first column that is not marked.
#[derive(Serialize)]
struct JsonLabel<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    text: String,
}

/// The diagnostic as one line without a line end, with the keys `code, severity, message, help, labels`.
///
/// Primary labels come first. The calls that led to the fault follow the labels as labels of their own.
pub fn to_json(diagnostic: &Diagnostic, sources: &Sources) -> String {
    let (primary, evidence): (Vec<_>, Vec<_>) = diagnostic.labels.iter().partition(|label| label.is_primary);
    let labels = primary.into_iter().chain(evidence).map(|label| (label.span, label.text.clone()));
    let frames = fold(&diagnostic.frames);
    let frames = frames.iter().map(|f| (f.frame.span, format!("{}: {}", f.message(), f.frame.arguments)));
    let json = JsonDiagnostic {
        code: diagnostic.code,
        severity: match diagnostic.severity {
            Severity::Advice => "advice",
            Severity::Warning => "warning",
            Severity::Error => "error",
        },
        message: &diagnostic.message,
        help: diagnostic.help.as_deref(),
        labels: labels.chain(frames).filter_map(|(span, text)| json_label(span, text, sources)).collect(),
    };
    match serde_json::to_string(&json) {
        Ok(line) => line,
        // Only maps with keys that are not strings, or a failing writer, could end here.
        Err(error) => unreachable!("plain strings and numbers serialise: {error}"),
    }
}

fn json_label(span: Span, text: String, sources: &Sources) -> Option<JsonLabel<'_>> {
    let file = sources.get(span.file)?;
    let (line, column) = sources.line_column(span.file, span.start);
    let (end_line, end_column) = sources.line_column(span.file, span.end);
    Some(JsonLabel { file: &file.name, line, column, end_line, end_column, text })
}
