//! Named 32-bit float arrays with a line of JSON, as one safetensors file.

use crate::data::write_atomically;
use pcc_diag::Diagnostic;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use std::collections::HashMap;
use std::path::Path;

/// The metadata key under which the JSON lies.
const JSON: &str = "json";

/// Writes arrays; an older file stays whole when that fails.
///
/// # Errors
/// `disk-full`, `cannot-write`.
pub(super) fn write(path: &Path, arrays: &[(&str, &[f32])], json: &str) -> Result<(), Diagnostic> {
    let bytes: Vec<(&str, Vec<u8>)> = arrays
        .iter()
        .map(|(name, values)| (*name, values.iter().flat_map(|v| v.to_le_bytes()).collect()))
        .collect();
    let views = bytes.iter().map(|(name, bytes)| {
        let view = TensorView::new(Dtype::F32, vec![bytes.len() / 4], bytes);
        (*name, view.expect("four bytes for each number"))
    });
    let metadata = HashMap::from([(JSON.to_string(), json.to_string())]);
    let file = safetensors::serialize(views, Some(metadata)).expect("flat arrays can be written");
    write_atomically(path, |to| to.write_all(&file))
}

/// Arrays and JSON, read back.
pub(super) struct Tensors {
    arrays: HashMap<String, Vec<f32>>,
    pub json: String,
}

impl Tensors {
    /// Reads a file; `None` when it is not there or not whole.
    pub fn read(path: &Path) -> Option<Self> {
        let bytes = std::fs::read(path).ok()?;
        let (_, header) = SafeTensors::read_metadata(&bytes).ok()?;
        let json = header.metadata().as_ref()?.get(JSON)?.clone();
        let file = SafeTensors::deserialize(&bytes).ok()?;
        let mut arrays = HashMap::new();
        for (name, view) in file.tensors() {
            if view.dtype() != Dtype::F32 {
                return None;
            }
            let number = |b: &[u8]| f32::from_le_bytes([b[0], b[1], b[2], b[3]]);
            arrays.insert(name, view.data().chunks_exact(4).map(number).collect());
        }
        Some(Tensors { arrays, json })
    }

    /// One array.
    pub fn get(&self, name: &str) -> Option<&[f32]> {
        self.arrays.get(name).map(Vec::as_slice)
    }
}
