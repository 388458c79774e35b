//! What standard error and standard output can show.

use crate::args::{Color, Format};
use pcc_diag::{Diagnostic, RenderConfig, Sources, render, to_json};
use std::io::{ErrorKind, IsTerminal, Write};

/// The place where people read.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    config: RenderConfig,
    is_interactive: bool,
}

/// Columns when standard error is no terminal.
const WIDTH: usize = 100;

impl Terminal {
    /// Looks at standard error and the environment.
    pub fn new(color: Color) -> Self {
        let is_interactive = std::io::stderr().is_terminal();
        let has_color = match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => is_interactive && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()),
        };
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|v| std::env::var(v).ok());
        let has_unicode = locale.is_none_or(|l| l.is_empty() || l.to_uppercase().contains("UTF"));
        let width = std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok()).unwrap_or(WIDTH);
        Terminal { config: RenderConfig { has_color, has_unicode, width }, is_interactive }
    }

    /// Whether a person watches.
    pub fn is_interactive(&self) -> bool {
        self.is_interactive
    }

    /// Writes a line to standard error.
    pub fn say(&self, line: &str) {
        // Nobody is left to tell when standard error is gone.
        let _ = writeln!(std::io::stderr(), "{line}");
    }

    /// Writes diagnostics to standard error.
    pub fn show(&self, diagnostics: &[Diagnostic], sources: &Sources) {
        for diagnostic in diagnostics {
            let _ = write!(std::io::stderr(), "{}", render(diagnostic, sources, self.config));
        }
    }

    /// Writes diagnostics for people to standard error, or as JSON lines to standard output.
    pub fn show_as(&self, format: Format, diagnostics: &[Diagnostic], sources: &Sources) {
        match format {
            Format::Human => self.show(diagnostics, sources),
            Format::Json => diagnostics.iter().for_each(|d| print_line(&to_json(d, sources))),
        }
    }
}

/// Writes a line to standard output. A closed pipe ends the program quietly, as it does other tools.
pub fn print_line(line: &str) {
    print_text(&format!("{line}\n"));
}

/// Writes text to standard output; what can't be written, such as on a full disk, ends the program with 3.
pub fn print_text(text: &str) {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: standard output can't be written: {error}");
            std::process::exit(3);
        }
    }
}
