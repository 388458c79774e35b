//! Named tensors in safetensors files, for models and for the state of training beside them.
//!
//! The same tensors and metadata always give the same bytes: names are sorted within each element size,
//! widest first, so that every tensor lies aligned in a mapped file.

use crate::data::{FileContent, write_atomically};
use crate::formats;
use pcc_diag::Diagnostic;
use safetensors::{Dtype, SafeTensors};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

/// The elements of a tensor, row-major.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// 32-bit floats.
    F32(Vec<f32>),
    /// 64-bit floats.
    F64(Vec<f64>),
    /// 64-bit counts.
    U64(Vec<u64>),
    /// Bytes.
    U8(Vec<u8>),
}

/// One tensor; the product of the extents is the number of elements.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Its extents.
    pub shape: Vec<usize>,
    /// Its elements.
    pub values: Values,
}

/// What a file holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tensors {
    /// The tensors, by name.
    pub tensors: BTreeMap<String, Tensor>,
    /// Strings, by key; structured values are JSON.
    pub metadata: BTreeMap<String, String>,
}

/// Writes tensors to a file, whole or not at all.
///
/// # Errors
/// `cannot-write`, `disk-full`; the old file then is untouched.
pub fn save_tensors(path: &Path, tensors: &Tensors) -> Result<(), Diagnostic> {
    let entries = tensors.tensors.iter().map(|(name, tensor)| tensor.entry(name)).collect();
    write_atomically(path, |to| write(to, entries, &tensors.metadata))
}

/// Reads a file of tensors.
///
/// # Errors
/// `missing-file`, `unreadable-file`; `model-file-damaged` when it is cut short or no safetensors file.
pub fn load_tensors(path: &Path) -> Result<Tensors, Diagnostic> {
    let content = FileContent::open(path)?;
    let (tensors, metadata) = parse(&content, path)?;
    let mut loaded = Tensors { tensors: BTreeMap::new(), metadata };
    for (name, view) in tensors.iter() {
        let values = match view.dtype() {
            Dtype::F32 => Values::F32(elements(view.data(), f32::from_le_bytes)),
            Dtype::F64 => Values::F64(elements(view.data(), f64::from_le_bytes)),
            Dtype::U64 => Values::U64(elements(view.data(), u64::from_le_bytes)),
            Dtype::U8 => Values::U8(view.data().to_vec()),
            other => {
                return Err(damaged(path, format_args!("tensor `{name}` has elements of type {other:?}")));
            }
        };
        loaded.tensors.insert(name.into(), Tensor { shape: view.shape().into(), values });
    }
    Ok(loaded)
}

impl Tensor {
    fn entry(&self, name: &str) -> Entry<'_> {
        let (dtype, bytes): (Dtype, &[u8]) = match &self.values {
            Values::F32(v) => (Dtype::F32, bytemuck::cast_slice(v)),
            Values::F64(v) => (Dtype::F64, bytemuck::cast_slice(v)),
            Values::U64(v) => (Dtype::U64, bytemuck::cast_slice(v)),
            Values::U8(v) => (Dtype::U8, v),
        };
        Entry { name: name.into(), dtype, shape: self.shape.clone(), bytes }
    }
}

/// A tensor to be written.
pub(super) struct Entry<'a> {
    pub(super) name: String,
    pub(super) dtype: Dtype,
    pub(super) shape: Vec<usize>,
    /// Little-endian elements.
    pub(super) bytes: &'a [u8],
}

/// The largest header that readers of the format accept.
const MOST_HEADER_BYTES: usize = 100_000_000;

/// Writes the header (its length in eight bytes, JSON, blanks up to a multiple of eight) and the elements.
pub(super) fn write(
    to: &mut dyn Write,
    mut entries: Vec<Entry>,
    metadata: &BTreeMap<String, String>,
) -> std::io::Result<()> {
    entries.sort_by(|a, b| b.dtype.bitsize().cmp(&a.dtype.bitsize()).then_with(|| a.name.cmp(&b.name)));
    let mut header = Map::new();
    header.insert("__metadata__".into(), json!(metadata));
    let mut start = 0;
    for Entry { name, dtype, shape, bytes } in &entries {
        let end = start + bytes.len();
        header.insert(name.clone(), json!({"dtype": dtype, "shape": shape, "data_offsets": [start, end]}));
        start = end;
    }
    let mut header = Value::Object(header).to_string().into_bytes();
    header.resize(header.len().next_multiple_of(8), b' ');
    if header.len() > MOST_HEADER_BYTES {
        return Err(std::io::Error::other("it has more tables than one file can list"));
    }
    to.write_all(&(header.len() as u64).to_le_bytes())?;
    to.write_all(&header)?;
    entries.iter().try_for_each(|entry| to.write_all(entry.bytes))
}

/// Finds the tensors in the content of a file, checking that offsets, shapes and sizes agree.
pub(super) fn parse<'c>(
    content: &'c [u8],
    path: &Path,
) -> Result<(SafeTensors<'c>, BTreeMap<String, String>), Diagnostic> {
    let found = formats::Content::of(content);
    if found != formats::Content::Safetensors {
        let message = format!("`{}` is {found}, where a model is wanted", path.display());
        return Err(Diagnostic::error("not-a-model", message).help("models of pcc end in `.pcm`"));
    }
    let broken = |error| damaged(path, format_args!("{error}"));
    let tensors = SafeTensors::deserialize(content).map_err(broken)?;
    let (_, header) = SafeTensors::read_metadata(content).map_err(broken)?;
    let metadata = header.metadata().clone().unwrap_or_default();
    Ok((tensors, metadata.into_iter().collect()))
}

pub(super) fn elements<const N: usize, T>(bytes: &[u8], element: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks::<N>().0.iter().map(|chunk| element(*chunk)).collect()
}

pub(super) fn damaged(path: &Path, why: impl std::fmt::Display) -> Diagnostic {
    let message = format!("`{}` is damaged: {why}", path.display());
    Diagnostic::error("model-file-damaged", message)
        .help("it was cut short, or changed after it was written; copy or train it again")
}
