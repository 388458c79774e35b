//! The one door through which this crate asks for anything outside it.
//!
//! Whoever drives the compiler (the command line, the tests, an editor) implements [`World`]. Nothing in
//! this crate opens files, looks at data or runs a learner.

use pcc_diag::Diagnostic;
use pcc_ir::VarGroup;
use pcc_ir::recipe::{DataSource, LearnRequest, Learned};

/// What a program may look at.
pub trait World {
    /// The text of a source file; the path is that of the importing file with the import joined to it.
    ///
    /// # Errors
    ///
    /// Why it can't be read, in a few words such as `no such file`.
    fn read(&self, path: &str) -> Result<String, String>;

    /// A learned value: from the lock, or by running the learner. `None` when neither is wanted or possible
    /// now (as in `check`); then what needs the value is reported as not elaborated.
    ///
    /// `sources` are all `data` items of the program and `variables` all its variables.
    ///
    /// # Errors
    ///
    /// What is wrong with the data.
    fn learned(
        &self,
        request: &LearnRequest,
        sources: &[DataSource],
        variables: &[VarGroup],
    ) -> Result<Option<Learned>, Diagnostic>;
}

/// What the user sets from outside, and how much work elaboration may do.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Values for `const` items and parameters of recipes, as `--set K=64` gives them: name and expression.
    pub overrides: Vec<(String, String)>,
    /// How much work elaboration may do.
    pub budget: Budget,
}

/// Limits of one elaboration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Layers of the graph.
    pub layers: usize,
    /// Calls inside each other.
    pub depth: usize,
    /// Expressions evaluated.
    pub steps: u64,
}

impl Settings {
    /// No overrides, and a budget that no circuit of use exceeds.
    pub fn plain() -> Self {
        let budget = Budget { layers: 4_000_000, depth: 20_000, steps: 400_000_000 };
        Settings { overrides: Vec::new(), budget }
    }
}
