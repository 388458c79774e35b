//! What training tells those who watch it.

use super::{Divided, Measured};

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event<'a> {
    /// A step of a recipe begins.
    Step {
        /// Its name.
        name: &'a str,
        /// Whether it was done before, so that it is skipped.
        is_done: bool,
        /// The epoch after which it goes on, when it was interrupted.
        resumes_after: Option<u32>,
    },
    /// A training stage begins.
    Stage {
        /// The epoch it begins with, counted from one.
        first_epoch: u32,
        /// The last epoch it may reach.
        epochs: u32,
        /// Rows of an epoch.
        rows: usize,
    },
    /// A stage fell apart into independent problems, and all of them are done.
    Divided(Divided),
    /// What a stage holds was computed once for all rows, and its epochs only visit the rest.
    Settled {
        /// Bytes that it takes.
        bytes: u64,
        /// What an epoch visits for each row: edges of the rest, and units that were computed.
        visits: u64,
        /// Edges of the whole circuit.
        of: u64,
        /// Wall-clock seconds that it took.
        seconds: f64,
    },
    /// What a stage holds can't be kept once it is computed: every epoch computes it.
    Unsettled(Unsettled),
    /// Rows of an epoch were seen.
    Batch {
        /// The epoch, counted from one.
        epoch: u32,
        /// Rows seen in this epoch so far.
        rows_done: usize,
        /// Rows of an epoch.
        rows: usize,
    },
    /// An epoch ended.
    Epoch(&'a EpochReport),
    /// A stage stopped early and went back to its best parameters.
    Restored {
        /// The epoch they come from.
        epoch: u32,
        /// The metric they had on the validation data.
        value: f64,
    },
    /// The circuit was changed after a stage.
    Changed {
        /// How, as it is written.
        change: &'a str,
        /// Its parameters before and after.
        parameters: [u64; 2],
    },
    /// Metrics on data.
    Evaluated {
        /// The data.
        data: &'a str,
        /// What was measured.
        measured: &'a Measured,
    },
}

/// Why what a stage holds can't be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsettled {
    /// It would take so many bytes, more than it may.
    TooLarge(u64),
    /// Some row has a value that no number of its table can hold.
    Unfit,
}

/// What one epoch did.
#[derive(Clone, Debug, PartialEq)]
pub struct EpochReport {
    /// Its number, counted from one.
    pub epoch: u32,
    /// Wall-clock seconds, validation included.
    pub seconds: f64,
    /// On the training data, as the rows were met: parameters changed meanwhile.
    pub train: Measured,
    /// On the validation data, after the epoch.
    pub valid: Option<Measured>,
    /// Updates of the parameters so far in this stage.
    pub updates: u64,
    /// The last step size.
    pub step: f64,
}

/// Who watches a run, and may end it.
pub trait Observer {
    /// Something happened.
    fn event(&mut self, event: Event<'_>);

    /// Whether to stop at the next chance; what was reached is kept.
    fn is_cancelled(&self) -> bool {
        false
    }
}

/// An observer that looks away.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Observer for Silent {
    fn event(&mut self, _: Event<'_>) {}
}
