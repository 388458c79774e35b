//! Exact questions to a circuit with parameters.
//!
//! Evidence comes as rows over all variables, with any pattern of missing values; answers are numbers,
//! assignments or rows. A query that needs a property of the circuit states it and is refused without it.
//! Syntax is not known here: the command line turns `p(A = 1 | B = 0)` into evidence.

mod chunks;
mod downward;
mod evidence;
mod map;
mod posterior;
mod probability;
mod sample;
mod units;

#[cfg(test)]
pub(crate) mod tests;

pub use evidence::{check as check_evidence, refuse_impossible};
pub use map::{Completion, Exactness, most_probable, most_probable_with};
pub use posterior::{Posterior, posteriors};
pub use probability::{log_likelihood, log_probability};
pub use sample::sample;
