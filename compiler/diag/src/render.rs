//! Diagnostics drawn for people, by miette's graphical report.
//!
//! In go a diagnostic and the sources it speaks of, out comes text. Labels in the file of the primary label
//! are drawn on one snippet; labels in other files, and the calls that led to the fault, follow as advice
//! with snippets of their own. Nothing here asks the terminal: the caller says what it can show.

use crate::frames::fold;
use crate::{Diagnostic, Label, Severity, SourceFile, Sources, Span};
use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, ThemeCharacters, ThemeStyles,
};
use std::fmt;

/// What the place of output can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RenderConfig {
    /// ANSI colours. They only repeat what the characters say.
    pub has_color: bool,
    /// Box drawing characters, else ASCII.
    pub has_unicode: bool,
    /// Columns before text wraps; at least 40 are used.
    pub width: usize,
}

/// The narrowest report that can be read.
const LEAST_WIDTH: usize = 40;

/// One diagnostic as text that ends with a line end.
pub fn render(diagnostic: &Diagnostic, sources: &Sources, config: RenderConfig) -> String {
    let mut text = String::new();
    let handler = GraphicalReportHandler::new_themed(theme(config))
        .with_width(config.width.max(LEAST_WIDTH))
        .with_links(false)
        .with_break_words(false);
    // Writing to a `String` cannot fail, and neither can a report whose spans lie within its source.
    if handler.render_report(&mut text, &Report::of(diagnostic, sources)).is_err() {
        text = format!("{}: {}\n", diagnostic.code, diagnostic.message);
    }
    text
}

fn theme(config: RenderConfig) -> GraphicalTheme {
    let characters = if config.has_unicode { ThemeCharacters::unicode() } else { ThemeCharacters::ascii() };
    let styles = if config.has_color { ThemeStyles::ansi() } else { ThemeStyles::none() };
    GraphicalTheme { characters, styles }
}

/// A diagnostic in the form that miette draws.
#[derive(Debug)]
struct Report {
    code: Option<String>,
    severity: Severity,
    message: String,
    help: Option<String>,
    source: Option<NamedSource<String>>,
    labels: Vec<LabeledSpan>,
    related: Vec<Report>,
}

impl Report {
    fn of(diagnostic: &Diagnostic, sources: &Sources) -> Report {
        let primary = diagnostic.labels.iter().find(|l| l.is_primary).or(diagnostic.labels.first());
        let home = primary.map(|label| label.span.file);
        let (here, elsewhere): (Vec<&Label>, Vec<&Label>) =
            diagnostic.labels.iter().partition(|label| Some(label.span.file) == home);
        let file = home.and_then(|id| sources.get(id));
        let mut related: Vec<Report> =
            elsewhere.iter().filter_map(|label| Report::elsewhere(label, sources)).collect();
        related.extend(fold(&diagnostic.frames).iter().map(|folded| {
            let label =
                Label { span: folded.frame.span, text: folded.frame.arguments.clone(), is_primary: true };
            Report::advice(folded.message(), &label, sources)
        }));
        Report {
            code: Some(format!("pcc::{}", diagnostic.code)),
            severity: diagnostic.severity,
            message: diagnostic.message.clone(),
            help: diagnostic.help.clone(),
            source: file.map(named),
            labels: file
                .map(|file| here.iter().map(|label| labeled(label, head(label, &here, file), file)).collect())
                .unwrap_or_default(),
            related,
        }
    }

    /// Evidence in another file than the fault.
    fn elsewhere(label: &Label, sources: &Sources) -> Option<Report> {
        let file = sources.get(label.span.file)?;
        Some(Report::advice(format!("see also {}", file.name), label, sources))
    }

    /// A note with one label. Where there is no source, the note stands alone.
    fn advice(message: String, label: &Label, sources: &Sources) -> Report {
        let file = sources.get(label.span.file);
        Report {
            code: None,
            severity: Severity::Advice,
            message,
            help: None,
            source: file.map(named),
            labels: file.map(|file| vec![labeled(label, label.span, file)]).unwrap_or_default(),
            related: Vec::new(),
        }
    }
}

fn named(file: &SourceFile) -> NamedSource<String> {
    NamedSource::new(&file.name, file.text.clone())
}

/// The part of a label's span that stands before the first label inside of it: the head of a call whose
/// arguments are marked too. Marks that overlap can't be told apart.
fn head(label: &Label, others: &[&Label], file: &SourceFile) -> Span {
    let outer = label.span;
    let is_inside = |span: Span| outer.start < span.start && span.start < outer.end && span.end <= outer.end;
    let first = others.iter().map(|other| other.span).filter(|&span| is_inside(span)).min_by_key(|s| s.start);
    let Some(first) = first else { return outer };
    let before = file.text.get(outer.start as usize..first.start as usize).unwrap_or_default();
    let head = before.trim_end_matches(|c: char| c == '(' || c.is_whitespace());
    Span { end: outer.start + head.len() as u32, ..outer }
}

/// The label with its span cut to the file and to whole characters.
fn labeled(label: &Label, span: Span, file: &SourceFile) -> LabeledSpan {
    let (start, end) = within(span, &file.text);
    let text = (!label.text.is_empty()).then(|| label.text.clone());
    let span = (start, end - start);
    if label.is_primary {
        LabeledSpan::new_primary_with_span(text, span)
    } else {
        LabeledSpan::new_with_span(text, span)
    }
}

/// The bytes to mark. What is empty at the end of a line marks the character before, as nothing else is
/// drawn there.
fn within(span: Span, text: &str) -> (usize, usize) {
    let start = text.floor_char_boundary(span.start as usize);
    let end = text.ceil_char_boundary(span.end as usize).max(start);
    let is_empty_at_line_end = start == end && !text[start..].starts_with(|c| c != '\n');
    (if is_empty_at_line_end { text.floor_char_boundary(start.saturating_sub(1)) } else { start }, end)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Report {}

impl miette::Diagnostic for Report {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.code.as_ref().map(|code| Box::new(code) as Box<dyn fmt::Display>)
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.severity {
            Severity::Advice => miette::Severity::Advice,
            Severity::Warning => miette::Severity::Warning,
            Severity::Error => miette::Severity::Error,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.source.as_ref().map(|source| source as &dyn miette::SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn miette::Diagnostic> + 'a>> {
        let related = self.related.iter().map(|report| report as &dyn miette::Diagnostic);
        (!self.related.is_empty()).then(|| Box::new(related) as Box<dyn Iterator<Item = _>>)
    }
}
