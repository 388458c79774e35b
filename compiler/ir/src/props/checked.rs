//! Graphs that are known to be whole, smooth and decomposable.

use super::{Overlap, Unequal, overlapping_scopes, unequal_scopes};
use crate::Graph;
use crate::graph::{Fault, verify};
use std::ops::Deref;

/// A graph on which lowering and execution may rely: verified, smooth and decomposable. Only
/// [`Checked::new`] makes one.
#[derive(Clone, Debug)]
pub struct Checked(Graph);

/// Why a graph is not [`Checked`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Violation {
    /// It is not whole. A front end that uses the builder never makes such a graph.
    Fault(Fault),
    /// Children of a product share variables.
    Overlap(Overlap),
    /// Children of a sum cover different variables.
    Unequal(Unequal),
}

/// How many violations are reported; the rest would only repeat them.
const MOST_VIOLATIONS: usize = 64;

impl Checked {
    /// Checks a graph.
    ///
    /// # Errors
    /// Each violation with its witness, at most 64: faults alone if there are any, else overlapping scopes,
    /// then unequal ones, each from the leaves up.
    pub fn new(graph: Graph) -> Result<Checked, Vec<Violation>> {
        let violations = violations(&graph);
        if violations.is_empty() { Ok(Checked(graph)) } else { Err(violations) }
    }

    /// The graph.
    pub fn graph(&self) -> &Graph {
        &self.0
    }

    /// Gives up the graph.
    pub fn into_graph(self) -> Graph {
        self.0
    }
}

impl Deref for Checked {
    type Target = Graph;

    fn deref(&self) -> &Graph {
        &self.0
    }
}

/// What keeps a graph from being [`Checked`].
pub fn violations(graph: &Graph) -> Vec<Violation> {
    let faults: Vec<Violation> = verify(graph).into_iter().map(Violation::Fault).collect();
    if !faults.is_empty() {
        return faults;
    }
    let overlaps = overlapping_scopes(graph).map(Violation::Overlap);
    let unequal = unequal_scopes(graph).map(Violation::Unequal);
    overlaps.chain(unequal).take(MOST_VIOLATIONS).collect()
}
