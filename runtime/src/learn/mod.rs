//! Values that are learned from data before a circuit can be elaborated, and the lock that keeps them.
//!
//! A [`LearnRequest`](pcc_ir::recipe::LearnRequest) and its data go in, a [`Learned`](pcc_ir::recipe::Learned)
//! value comes out; the same request on the same data gives the same value, ties included. Nothing here knows a circuit or trains a parameter.

mod chow_liu;
mod features;
pub mod kmeans;
mod labels;
mod library;
#[cfg(test)]
mod library_tests;
mod lock;
mod mutual_information;
mod rooted;
mod spanning_trees;
#[cfg(test)]
mod tests;
mod view;

pub use chow_liu::learn as learn_trees;
pub use features::{Asked, FeatureRows, TeacherCost, Teachers, Work};
pub use labels::cluster;
pub use library::Library;
pub use lock::{Lock, Locked};
pub use mutual_information::mutual_information;
pub use spanning_trees::{SpanningTree, best_spanning_trees};
pub use view::View;

use pcc_ir::recipe::LearnCall;

/// What changes when a learner gives other values for the same data; it is part of every key.
const LEARNER_VERSION: u32 = 1;

/// The first half of a key, which can be told without the data: the learner's arguments and version.
pub fn call_key(call: &LearnCall) -> String {
    half_hash(&format!("{LEARNER_VERSION} {call:?}"))
}

/// 128 bits of the BLAKE3 hash of a text, in hexadecimal.
fn half_hash(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex()[..32].to_string()
}
