//! Changes of a trained circuit's structure: pruning edges, growing units.
//!
//! In: a graph with its parameters. Out: another graph over the same variables, with the same names of parts and
//! tables, and its parameters. Nothing here trains; what a change needs of data comes as flows.

mod grow;
mod prune;
mod resize;
#[cfg(test)]
mod tests;
mod unreached;

pub use grow::grow;
pub use prune::{Pruning, prune};
pub use unreached::drop_unreached;

use pcc_ir::{Graph, Params};

/// A circuit with its parameters.
#[derive(Clone, Debug)]
pub struct Changed {
    /// The circuit.
    pub graph: Graph,
    /// Its parameters.
    pub params: Params,
}
