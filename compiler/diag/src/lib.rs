//! Diagnostics as data.
//!
//! Every phase of the compiler reports what is wrong as a [`Diagnostic`]: a code, one sentence in the
//! user's words, labels on the source, and what would work. The same value is drawn on a terminal
//! ([`render()`]), written as a line of JSON ([`to_json`]), or, later, sent to an editor.
//! This crate knows nothing of circuits, files on disk or terminals.

pub mod code;
mod frames;
mod json;
mod render;
mod sink;
mod source;
mod suggest;
mod words;

pub use json::to_json;
pub use render::{RenderConfig, render};
pub use sink::Sink;
pub use source::{FileId, SourceFile, Sources, Span};
pub use suggest::suggest;
pub use words::{grouped, human_seconds};

/// How grave a diagnostic is. Only errors stop a phase; warnings never change the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// A note, such as `not-elaborated`.
    Advice,
    /// Legal but doubtful.
    Warning,
    /// The program or the data is at fault.
    Error,
}

/// A place in the source with a few words on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What is to be seen there; may be empty for the primary label.
    pub text: String,
    /// The primary label marks the fault; the others mark evidence.
    pub is_primary: bool,
}

/// One call that was being elaborated when the fault was found, innermost first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The call.
    pub span: Span,
    /// The callee with its static arguments, such as `Pair[K = 8]`.
    pub callee: String,
    /// The values of its arguments, such as `X = X[0..4], K = 8`.
    pub arguments: String,
}

/// One fault, warning or note.
///
/// ```
/// use pcc_diag::{Diagnostic, Span};
/// let d = Diagnostic::error("unknown-name", "nothing is named `choo_liu`")
///     .at(Span::NONE, "")
///     .help("did you mean `chow_liu`?");
/// assert_eq!(d.code, "unknown-name");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// A kebab-case slug with a page under `docs/errors/`.
    pub code: &'static str,
    /// Error, warning or advice.
    pub severity: Severity,
    /// Lower case, one sentence, no full stop, the user's names in backticks.
    pub message: String,
    /// Places, in the order in which they were added; the primary one first by custom.
    pub labels: Vec<Label>,
    /// What would work.
    pub help: Option<String>,
    /// The calls that led here, innermost first.
    pub frames: Vec<Frame>,
}

impl Diagnostic {
    /// A diagnostic of the given severity with nothing but its message.
    pub fn new(severity: Severity, code: &'static str, message: impl Into<String>) -> Self {
        Diagnostic {
            code,
            severity,
            message: message.into(),
            labels: Vec::new(),
            help: None,
            frames: Vec::new(),
        }
    }

    /// An error.
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, message)
    }

    /// A warning.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, message)
    }

    /// A note.
    pub fn advice(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Advice, code, message)
    }

    /// Adds the place of the fault. A [`Span::NONE`] adds nothing.
    pub fn at(self, span: Span, text: impl Into<String>) -> Self {
        self.label(span, text, true)
    }

    /// Adds a place that shows why.
    pub fn note(self, span: Span, text: impl Into<String>) -> Self {
        self.label(span, text, false)
    }

    fn label(mut self, span: Span, text: impl Into<String>, is_primary: bool) -> Self {
        if !span.is_none() {
            self.labels.push(Label { span, text: text.into(), is_primary });
        }
        self
    }

    /// Says what would work.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Helps with that of the known names which was likely meant. Where none is near, `otherwise` helps.
    ///
    /// ```
    /// use pcc_diag::Diagnostic;
    /// let unknown = |name: &str| {
    ///     Diagnostic::error("unknown-name", format!("nothing is named `{name}`"))
    ///         .did_you_mean(name, ["chow_liu"], |d| d.help("there is `chow_liu`"))
    /// };
    /// assert_eq!(unknown("choo_liu").help.as_deref(), Some("did you mean `chow_liu`?"));
    /// assert_eq!(unknown("x").help.as_deref(), Some("there is `chow_liu`"));
    /// ```
    pub fn did_you_mean<'a>(
        self,
        name: &str,
        known: impl IntoIterator<Item = &'a str>,
        otherwise: impl FnOnce(Self) -> Self,
    ) -> Self {
        match suggest(name, known) {
            Some(near) => self.help(format!("did you mean `{near}`?")),
            None => otherwise(self),
        }
    }

    /// Attaches the calls that led here, innermost first.
    pub fn with_frames(mut self, frames: Vec<Frame>) -> Self {
        self.frames = frames;
        self
    }

    /// Whether this stops the phase that reports it.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}
