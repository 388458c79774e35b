//! Reading a model, and finding out what is wrong with a file that is none.

use super::save::{shape_of, tables_hash};
use super::tensors::{damaged, elements, parse};
use super::{FORMAT_VERSION, GRAPH, Model};
use crate::data::{FileContent, Vocabulary};
use pcc_diag::Diagnostic;
use pcc_ir::{Graph, Param, ParamId, ParamShape, Params};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

impl Model {
    /// Reads a model and checks all of it: both hashes, the graph, every table's shape and values.
    ///
    /// # Errors
    /// `missing-file`, `unreadable-file`, `not-a-model` when the content is something else, `model-version`
    /// when it was written by another version of pcc, `model-file-damaged` with what is wrong.
    pub fn load(path: &Path) -> Result<Model, Diagnostic> {
        let content = FileContent::open(path)?;
        let (tensors, metadata) = parse(&content, path)?;
        let metadata = Metadata { path, entries: metadata };
        metadata.check_version()?;
        let graph = read_graph(&tensors, &metadata)?;
        let params = read_params(&graph, &tensors, path)?;
        if tables_hash(&graph, &params) != metadata.text("pcc.tables_hash")? {
            return Err(damaged(path, "the tables are not those that were written"));
        }
        let words: BTreeMap<String, Vec<String>> = metadata.json("pcc.vocabulary")?;
        Ok(Model {
            graph,
            params,
            vocabularies: words.into_iter().map(|(g, w)| (g, Arc::new(Vocabulary::of_tokens(w)))).collect(),
            properties: metadata.json("pcc.properties")?,
            provenance: metadata.json("pcc.provenance")?,
        })
    }
}

/// The strings of a file.
struct Metadata<'p> {
    path: &'p Path,
    entries: BTreeMap<String, String>,
}

impl Metadata<'_> {
    fn text(&self, key: &str) -> Result<&str, Diagnostic> {
        let missing = || damaged(self.path, format_args!("its metadata have no `{key}`"));
        self.entries.get(key).map(String::as_str).ok_or_else(missing)
    }

    fn json<T: DeserializeOwned>(&self, key: &str) -> Result<T, Diagnostic> {
        let text = self.text(key)?;
        serde_json::from_str(text).map_err(|e| damaged(self.path, format_args!("`{key}` can't be read: {e}")))
    }

    fn check_version(&self) -> Result<(), Diagnostic> {
        let Some(version) = self.entries.get("pcc.format") else {
            let message = format!("`{}` is a safetensors file, but no model of pcc", self.path.display());
            return Err(Diagnostic::error("not-a-model", message));
        };
        if *version == FORMAT_VERSION.to_string() {
            return Ok(());
        }
        let writer = self.entries.get("pcc.version").map_or("an unknown version", String::as_str);
        let message = format!(
            "`{}` has format version {version}, written by pcc {writer}; this pcc reads version {FORMAT_VERSION}",
            self.path.display()
        );
        Err(Diagnostic::error("model-version", message).help("use the pcc that wrote it, or train it again"))
    }
}

fn read_graph(tensors: &SafeTensors, metadata: &Metadata) -> Result<Graph, Diagnostic> {
    let path = metadata.path;
    let tensor = tensors.tensor(GRAPH).map_err(|_| damaged(path, format_args!("it has no `{GRAPH}`")))?;
    if blake3::hash(tensor.data()).to_hex().as_str() != metadata.text("pcc.graph_hash")? {
        return Err(damaged(path, "the graph is not the one that was written"));
    }
    let text = std::str::from_utf8(tensor.data()).map_err(|_| damaged(path, "the graph is no text"))?;
    pcc_ir::graph::read(text).map_err(|error| damaged(path, format_args!("the graph can't be read: {error}")))
}

fn read_params(graph: &Graph, tensors: &SafeTensors, path: &Path) -> Result<Params, Diagnostic> {
    if tensors.len() != graph.params().len() + 1 {
        let (found, wanted) = (tensors.len(), graph.params().len() + 1);
        return Err(damaged(path, format_args!("it has {found} tensors, where the graph needs {wanted}")));
    }
    // Memory is asked for only after the file was seen to hold all that the graph speaks of.
    let tables: Vec<TensorView> = graph
        .params()
        .iter()
        .map(|param| table_of(param, tensors).map_err(|why| damaged(path, why)))
        .collect::<Result<_, _>>()?;
    let mut params = Params::of(graph);
    for (i, (param, table)) in graph.params().iter().zip(&tables).enumerate() {
        let values = read_table(param, table).map_err(|why| damaged(path, why))?;
        params.table_mut(ParamId::new(i)).copy_from_slice(&values);
    }
    Ok(params)
}

fn table_of<'t>(param: &Param, tensors: &SafeTensors<'t>) -> Result<TensorView<'t>, String> {
    let name = &param.name;
    let tensor = tensors.tensor(name).map_err(|_| format!("it has no table `{name}`"))?;
    let wanted = shape_of(param);
    if tensor.dtype() != Dtype::F32 || tensor.shape() != wanted {
        return Err(format!(
            "table `{name}` is {:?} of {:?}, where {wanted:?} of F32 are needed",
            tensor.shape(),
            tensor.dtype()
        ));
    }
    Ok(tensor)
}

fn read_table(param: &Param, table: &TensorView) -> Result<Vec<f32>, String> {
    let name = &param.name;
    let values = elements(table.data(), f32::from_le_bytes);
    let is_weight = !matches!(param.shape, ParamShape::Input { .. });
    match values.iter().find(|v| !v.is_finite() || (is_weight && **v < 0.0)) {
        Some(value) => Err(format!("table `{name}` has the value {value}")),
        None => Ok(values),
    }
}
