//! Where a phase puts what it finds.

use crate::Diagnostic;

/// Collects the diagnostics of one phase, at most three errors of the same code at the same place.
#[derive(Debug, Default)]
pub struct Sink {
    found: Vec<Diagnostic>,
}

/// How many errors of one code on one span are kept; the rest would only repeat them.
const MOST_ALIKE: usize = 3;

impl Sink {
    /// An empty sink.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a diagnostic, unless three of its code already stand at its place.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        let place = diagnostic.labels.first().map(|l| l.span);
        let alike = |d: &&Diagnostic| {
            d.code == diagnostic.code && place.is_some() && d.labels.first().map(|l| l.span) == place
        };
        if self.found.iter().filter(alike).count() < MOST_ALIKE {
            self.found.push(diagnostic);
        }
    }

    /// Adds many.
    pub fn extend(&mut self, diagnostics: impl IntoIterator<Item = Diagnostic>) {
        for diagnostic in diagnostics {
            self.push(diagnostic);
        }
    }

    /// Whether any error was found.
    pub fn has_errors(&self) -> bool {
        self.found.iter().any(Diagnostic::is_error)
    }

    /// What was found so far.
    pub fn found(&self) -> &[Diagnostic] {
        &self.found
    }

    /// Gives up the diagnostics.
    pub fn into_vec(self) -> Vec<Diagnostic> {
        self.found
    }
}
