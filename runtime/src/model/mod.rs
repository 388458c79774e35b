//! Model files: a graph, its parameters and where they come from, in one `.pcm`.
//!
//! A `.pcm` is a safetensors file. Its tensors are the tables of the graph, 32-bit floats named as in the
//! graph, with the copies that have a table of their own as the first extent:
//!
//! | table | shape |
//! | --- | --- |
//! | sum | `[groups, rows, columns]`: the weight of every child unit in every unit |
//! | mix | `[groups, units, children]` |
//! | input | `[groups, parameters of the family, units]` |
//!
//! and `pcc.graph`, bytes: the graph as text ([`pcc_ir::graph::print()`]), without values. Metadata are strings:
//! `pcc.format`, `pcc.version`, `pcc.graph_hash` and `pcc.tables_hash` (BLAKE3), and as JSON `pcc.variables`,
//! `pcc.properties`, `pcc.vocabulary`, `pcc.provenance`.
//!
//! A file is mapped and checked whole before anything is made of it; nothing in it is ever executed. It is
//! written whole or not at all. This module trains nothing and asks no questions of a circuit.

mod load;
mod provenance;
mod save;
mod tensors;
#[cfg(test)]
mod tests;

pub use provenance::Provenance;
pub use tensors::{Tensor, Tensors, Values, load_tensors, save_tensors};

use crate::data::Vocabulary;
use pcc_ir::{Graph, Params};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The version of the format that is written; a reader refuses others.
pub const FORMAT_VERSION: u32 = 1;

/// The name of the tensor that holds the graph.
const GRAPH: &str = "pcc.graph";

/// A circuit that can be used: graph, parameters, and what is known of their origin.
#[derive(Clone, Debug)]
pub struct Model {
    /// The circuit.
    pub graph: Graph,
    /// Its parameters, all set.
    pub params: Params,
    /// The words of text variables, by the name of their group.
    pub vocabularies: BTreeMap<String, Arc<Vocabulary>>,
    /// What was proved of the graph when it was saved, such as `smooth`: `true`, `false` or `unknown`. Facts
    /// for people: whoever needs a property checks the graph.
    pub properties: BTreeMap<String, String>,
    /// Where it comes from.
    pub provenance: Provenance,
}

impl Model {
    /// A model without a history.
    pub fn new(graph: Graph, params: Params) -> Self {
        Model {
            graph,
            params,
            vocabularies: BTreeMap::new(),
            properties: BTreeMap::new(),
            provenance: Provenance::default(),
        }
    }
}
