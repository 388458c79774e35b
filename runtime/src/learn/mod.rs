//! Values that are learned from data before a circuit can be elaborated, and the lock that keeps them.
//!
//! A [`LearnRequest`] and its data go in, a [`Learned`] value comes out; the same request on the same data
//! gives the same value, ties included. Nothing here knows a circuit or trains a parameter.

mod chow_liu;
pub mod kmeans;
mod lock;
mod mutual_information;
mod rooted;
mod spanning_trees;
#[cfg(test)]
mod tests;
mod view;

pub use lock::{Lock, Locked};
pub use mutual_information::mutual_information;
pub use spanning_trees::{SpanningTree, best_spanning_trees};
pub use view::View;

use crate::data::Dataset;
use pcc_diag::Diagnostic;
use pcc_ir::recipe::{LearnCall, LearnRequest, Learned};

/// What changes when a learner gives other values for the same data; it is part of every key.
const LEARNER_VERSION: u32 = 1;

/// Learns a value. `dataset` is the one that the request's view names.
///
/// # Errors
/// `tiles-do-not-fit` when a view's tiles don't divide the variables, `mixed-domains` when discrete and
/// real variables are mixed, `not-built-yet` for learners that this version knows by name only.
pub fn learn(request: &LearnRequest, dataset: &Dataset) -> Result<Learned, Diagnostic> {
    match &request.call {
        LearnCall::ChowLiu { data, options } => {
            let view = View::of(dataset, data, request.span)?;
            chow_liu::learn(&view, options, request.span)
        }
        LearnCall::ChowLiuOfCodes { .. } => Err(not_built(request, "chow_liu on learned codes")),
        LearnCall::Kmeans { .. } | LearnCall::Assign { .. } => Err(not_built(request, "kmeans")),
        LearnCall::TeacherCodes { .. } => Err(not_built(request, "a teacher")),
    }
}

/// The key of a learned value: that of the call, then that of the data's content. The lock is stale when it
/// has another.
pub fn learn_key(request: &LearnRequest, dataset: &Dataset) -> String {
    call_key(request) + &half_hash(&dataset.key())
}

/// The first half of a key, which can be told without the data: the learner's arguments and version.
pub fn call_key(request: &LearnRequest) -> String {
    half_hash(&format!("{LEARNER_VERSION} {:?}", request.call))
}

/// 128 bits of the BLAKE3 hash of a text, in hexadecimal.
fn half_hash(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex()[..32].to_string()
}

fn not_built(request: &LearnRequest, learner: &str) -> Diagnostic {
    let message = format!("`{}` needs {learner}, which this version of pcc does not carry out", request.name);
    Diagnostic::error("not-built-yet", message).at(request.span, "asked for here")
}
