//! Writing a model.

use super::tensors::{Entry, write};
use super::{FORMAT_VERSION, GRAPH, Model};
use crate::data::{Vocabulary, write_atomically};
use pcc_diag::Diagnostic;
use pcc_ir::graph::{InitialValues, print_with};
use pcc_ir::{Graph, Param, ParamId, ParamShape, Params};
use safetensors::Dtype;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;

impl Model {
    /// Writes the model, whole or not at all: when it can't be, an older file of that name is untouched. The
    /// same model always gives the same bytes.
    ///
    /// # Errors
    /// `unset-parameter` when a table has no values, `cannot-write`, `disk-full`.
    pub fn save(&self, path: &Path) -> Result<(), Diagnostic> {
        if let Some(unset) = self.params.first_unset() {
            let name = &self.graph.param(unset).name;
            let message = format!("the model can't be saved, because `{name}` was never set");
            return Err(Diagnostic::error("unset-parameter", message).help("train the circuit first"));
        }
        let graph = print_with(&self.graph, InitialValues::LeftOut);
        let metadata = self.metadata(&graph);
        write_atomically(path, |to| write(to, self.entries(&graph), &metadata))
    }

    fn entries<'m>(&'m self, graph: &'m str) -> Vec<Entry<'m>> {
        let entry = |(i, param): (usize, &Param)| Entry {
            name: param.name.clone(),
            dtype: Dtype::F32,
            shape: shape_of(param),
            bytes: bytemuck::cast_slice(self.params.table(ParamId::new(i))),
        };
        let mut entries: Vec<Entry> = self.graph.params().iter().enumerate().map(entry).collect();
        let (bytes, shape) = (graph.as_bytes(), vec![graph.len()]);
        entries.push(Entry { name: GRAPH.into(), dtype: Dtype::U8, shape, bytes });
        entries
    }

    fn metadata(&self, graph: &str) -> BTreeMap<String, String> {
        let words = |v: &Vocabulary| v.tokens().to_vec();
        let vocabulary: BTreeMap<_, _> = self.vocabularies.iter().map(|(g, v)| (g, words(v))).collect();
        let variables: Vec<_> = self
            .graph
            .var_groups()
            .iter()
            .map(|g| json!({"name": g.name, "extents": g.extents, "domain": g.domain.to_string(), "latent": g.is_latent}))
            .collect();
        let entries = [
            ("pcc.format", FORMAT_VERSION.to_string()),
            ("pcc.version", env!("CARGO_PKG_VERSION").to_string()),
            ("pcc.graph_hash", blake3::hash(graph.as_bytes()).to_hex().to_string()),
            ("pcc.tables_hash", tables_hash(&self.graph, &self.params)),
            ("pcc.variables", json!(variables).to_string()),
            ("pcc.properties", json!(self.properties).to_string()),
            ("pcc.vocabulary", json!(vocabulary).to_string()),
            ("pcc.provenance", json!(self.provenance).to_string()),
        ];
        entries.into_iter().map(|(key, value)| (key.to_string(), value)).collect()
    }
}

/// The extents of a table's tensor.
pub(super) fn shape_of(param: &Param) -> Vec<usize> {
    let (rows, columns) = match param.shape {
        ParamShape::Sum { rows, columns } => (rows as usize, columns),
        ParamShape::Mix { units, children } => (units as usize, children),
        ParamShape::Input { family, units } => (family.n_params(), units),
    };
    vec![param.groups as usize, rows, columns as usize]
}

/// The hash of all tables with their names, in the order of the graph.
pub(super) fn tables_hash(graph: &Graph, params: &Params) -> String {
    let mut hasher = blake3::Hasher::new();
    for (i, param) in graph.params().iter().enumerate() {
        hasher.update(param.name.as_bytes()).update(b"\0");
        hasher.update(bytemuck::cast_slice(params.table(ParamId::new(i))));
    }
    hasher.finalize().to_hex().to_string()
}
