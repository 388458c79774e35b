//! Expected diagnostics, written as comments under the line they speak of.
//!
//! ```text
//! circuit M = sum [1](A)
//! //             ^^ error[space-before-call]: no space may stand
//! ```
//!
//! The carets stand under the primary label, up to the end of its first line. Where it starts in the first
//! two columns, `// !` stands in place of the carets and only the line counts. The words after the colon are
//! part of the message. A diagnostic without a place is annotated above the first line.

use pcc_diag::{Diagnostic, FileId, Severity, Sources};
use std::fmt;

/// One expected diagnostic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotation {
    /// The line it speaks of, from 1; 0 for no place.
    pub line: usize,
    /// First column and one past the last, from 1, in characters; none where only the line counts.
    pub columns: Option<(usize, usize)>,
    /// `error`, `warning` or `advice`.
    pub severity: String,
    /// The diagnostic's code.
    pub code: String,
    /// Part of its message.
    pub message: String,
}

impl Annotation {
    /// What a diagnostic looks like as an annotation, with its whole message.
    pub fn of(diagnostic: &Diagnostic, sources: &Sources) -> Annotation {
        let label = diagnostic.labels.iter().find(|l| l.is_primary).or(diagnostic.labels.first());
        let (line, columns) = label.map_or((0, None), |label| {
            let (line, start) = sources.line_column(label.span.file, label.span.start);
            let (end_line, end) = sources.line_column(label.span.file, label.span.end);
            let line_end = line_columns(sources, label.span.file, line) + 1;
            let end = if end_line == line { end } else { line_end };
            (line, (start > 2).then_some((start, end.max(start + 1))))
        });
        Annotation {
            line,
            columns,
            severity: severity(diagnostic.severity).to_string(),
            code: diagnostic.code.to_string(),
            message: diagnostic.message.clone(),
        }
    }

    /// Whether a found diagnostic is the one expected here.
    fn admits(&self, found: &Annotation) -> bool {
        (self.line, self.columns, &self.severity, &self.code)
            == (found.line, found.columns, &found.severity, &found.code)
            && found.message.contains(&self.message)
    }
}

impl fmt::Display for Annotation {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.columns {
            Some((start, end)) => write!(f, "//{:1$}{2}", "", start - 3, "^".repeat(end - start))?,
            None => write!(f, "// !")?,
        }
        write!(f, " {}[{}]: {}", self.severity, self.code, self.message)
    }
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Advice => "advice",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

fn line_columns(sources: &Sources, file: FileId, line: usize) -> usize {
    let text = sources.get(file).map_or("", |f| f.text.as_str());
    text.lines().nth(line - 1).map_or(0, |l| l.chars().count())
}

/// The annotations of a text.
///
/// # Errors
///
/// A comment that starts like an annotation and is none.
pub fn annotations(text: &str) -> Result<Vec<Annotation>, String> {
    let mut found = Vec::new();
    let mut subject = 0;
    for (i, line) in text.lines().enumerate() {
        match marked(line) {
            Some(rest) => {
                let columns = (!rest.starts_with('!')).then(|| columns(line, rest));
                found.push(
                    annotation(subject, columns, rest)
                        .ok_or(format!("line {}: no annotation: {line}", i + 1))?,
                );
            }
            None => subject = i + 1,
        }
    }
    Ok(found)
}

/// What stands from the mark on, if the line is an annotation.
fn marked(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("//")?.trim_start();
    (rest.starts_with('^') || rest.starts_with("! ")).then_some(rest)
}

fn columns(line: &str, rest: &str) -> (usize, usize) {
    let start = line.chars().count() - rest.chars().count() + 1;
    (start, start + rest.chars().take_while(|c| *c == '^').count())
}

fn annotation(line: usize, columns: Option<(usize, usize)>, rest: &str) -> Option<Annotation> {
    let words = rest.trim_start_matches(['^', '!']).trim();
    let (head, message) = words.split_once(':')?;
    let (severity, code) = head.strip_suffix(']')?.split_once('[')?;
    let is_known = matches!(severity, "error" | "warning" | "advice");
    is_known.then(|| Annotation {
        line,
        columns,
        severity: severity.to_string(),
        code: code.to_string(),
        message: message.trim().to_string(),
    })
}

/// Compares what was found in a text with its annotations.
///
/// # Errors
///
/// Every annotation without a diagnostic, and every diagnostic without an annotation.
pub fn compare(text: &str, sources: &Sources, diagnostics: &[Diagnostic]) -> Result<(), String> {
    let mut expected = annotations(text)?;
    let mut report = String::new();
    for diagnostic in diagnostics {
        let found = Annotation::of(diagnostic, sources);
        match expected.iter().position(|annotation| annotation.admits(&found)) {
            Some(at) => drop(expected.remove(at)),
            None => report += &format!("line {}: found, but not annotated:\n{found}\n", found.line),
        }
    }
    for annotation in expected {
        report += &format!("line {}: annotated, but not found:\n{annotation}\n", annotation.line);
    }
    if report.is_empty() { Ok(()) } else { Err(report) }
}

/// The text without its annotations.
pub fn without_annotations(text: &str) -> String {
    text.lines().filter(|line| marked(line).is_none()).flat_map(|line| [line, "\n"]).collect()
}

/// A text without annotations, annotated with what was found in it.
pub fn annotated(text: &str, sources: &Sources, diagnostics: &[Diagnostic]) -> String {
    let found: Vec<Annotation> = diagnostics.iter().map(|d| Annotation::of(d, sources)).collect();
    let mut out = String::new();
    for (i, line) in std::iter::once("").chain(text.lines()).enumerate() {
        if i > 0 {
            out += &format!("{line}\n");
        }
        for annotation in found.iter().filter(|a| a.line == i) {
            out += &format!("{annotation}\n");
        }
    }
    out
}
