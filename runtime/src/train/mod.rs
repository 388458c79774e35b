//! Learning parameters from rows of evidence.
//!
//! An [`Executor`](crate::exec::Executor) gives expected statistics (flows); this room turns them into
//! parameters. [`fit`] runs epochs of EM, [`mle`] is the closed form for deterministic circuits, [`start`]
//! says where parameters begin, [`measure`] what a circuit is worth on data. Rows come through the trait
//! [`Rows`]; whoever watches implements [`Observer`]. Nothing here reads or writes files, and nothing
//! random happens without a key.

mod ahead;
pub(crate) mod blend;
mod determinism;
mod divided;
pub(crate) mod em;
mod entropy;
mod fit;
mod impossible;
mod keyed;
mod labelled;
pub(crate) mod leaf_tables;
mod metrics;
mod mle;
pub(crate) mod momentum;
mod observe;
mod parts;
mod reach;
mod regularized;
mod rows;
mod settled;
mod softened;
mod start;
mod state;
pub(crate) mod strips;
mod unset;
pub(crate) mod weight_tables;

#[cfg(test)]
mod tests;

pub(crate) use determinism::{Need, refuse_unless_deterministic};
pub use divided::{Divided, DividedStage};
pub use em::{Update, maximize};
pub use fit::{Ended, FitOptions, StopRule, fit, n_batches};
pub use impossible::zero_likelihood;
pub use keyed::{Purpose, Stream};
pub use labelled::{Attached, LabelledRows};
pub use metrics::{Measured, measure, measure_rows};
pub use mle::{MleOptions, mle};
pub use momentum::Momentum;
pub use observe::{EpochReport, Event, Observer, Silent, Unsettled};
pub use parts::{tables_of_parts, tables_of_unobserved};
pub use reach::Reach;
pub use regularized::Regularized;
pub(crate) use rows::weights_of;
pub use rows::{EvidenceRows, Rows, WeightedRows, chunk_rows, for_each_chunk};
pub use settled::SettledStage;
pub use start::start;
pub use state::{Best, EpochRecord, TrainState};
pub use unset::refuse_unset;
