//! Arrays of a workload that come from outside, so that two systems can be shown to do the same work: a
//! safetensors file with the names that the circuits' modules list, and the evidence `X` `[rows][variables]`.

use pcc_diag::Diagnostic;
use pcc_runtime::data::read_file;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use std::path::Path;

/// A file of named arrays, its header checked.
pub struct Arrays {
    file: String,
    bytes: Vec<u8>,
}

impl Arrays {
    /// Reads a file.
    ///
    /// # Errors
    /// `missing-file` or `unreadable-file`; `arrays-differ` when it is no safetensors file.
    pub fn read(path: &Path) -> Result<Self, Diagnostic> {
        let arrays = Arrays { file: path.display().to_string(), bytes: read_file(path)? };
        match SafeTensors::deserialize(&arrays.bytes) {
            Ok(_) => Ok(arrays),
            Err(error) => Err(arrays.differ(format!("is no safetensors file: {error}"))),
        }
    }

    /// The shape of an array, if there is one of that name.
    pub fn shape(&self, name: &str) -> Option<Vec<usize>> {
        self.view(name).ok().map(|view| view.shape().to_vec())
    }

    /// Copies the slice of an array that begins with number `from`.
    ///
    /// # Errors
    /// `arrays-differ` when there is no such array, or it is too short, or not of 32-bit floats.
    pub fn copy_floats(&self, name: &str, from: usize, to: &mut [f32]) -> Result<(), Diagnostic> {
        let view = self.view(name)?;
        if view.dtype() != Dtype::F32 {
            return Err(self.differ(format!("has `{name}` as {:?} instead of F32", view.dtype())));
        }
        let numbers = view.data().chunks_exact(4);
        if from + to.len() > numbers.len() {
            let (has, needs) = (numbers.len(), from + to.len());
            return Err(self.differ(format!("has {has} numbers in `{name}`, but the circuit needs {needs}")));
        }
        let numbers =
            numbers.skip(from).map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
        to.iter_mut().zip(numbers).for_each(|(to, number)| *to = number);
        Ok(())
    }

    /// All numbers of an array of 64-bit integers.
    ///
    /// # Errors
    /// `arrays-differ` when there is no such array, or it holds something else.
    pub fn integers(&self, name: &str) -> Result<Vec<i64>, Diagnostic> {
        let view = self.view(name)?;
        if view.dtype() != Dtype::I64 {
            return Err(self.differ(format!("has `{name}` as {:?} instead of I64", view.dtype())));
        }
        let numbers = view.data().chunks_exact(8);
        Ok(numbers.map(|bytes| i64::from_le_bytes(bytes.try_into().expect("eight bytes"))).collect())
    }

    /// All numbers of an array of 64-bit floats.
    ///
    /// # Errors
    /// `arrays-differ` when there is no such array, or it holds something else.
    pub fn doubles(&self, name: &str) -> Result<Vec<f64>, Diagnostic> {
        let view = self.view(name)?;
        if view.dtype() != Dtype::F64 {
            return Err(self.differ(format!("has `{name}` as {:?} instead of F64", view.dtype())));
        }
        let numbers = view.data().chunks_exact(8);
        Ok(numbers.map(|bytes| f64::from_le_bytes(bytes.try_into().expect("eight bytes"))).collect())
    }

    /// All numbers of an array of 32-bit floats.
    ///
    /// # Errors
    /// As [`Arrays::copy_floats`].
    pub fn floats(&self, name: &str) -> Result<Vec<f32>, Diagnostic> {
        let len = self.view(name)?.shape().iter().product();
        let mut floats = vec![0.0; len];
        self.copy_floats(name, 0, &mut floats)?;
        Ok(floats)
    }

    /// The fault that this file does not fit the workload.
    pub fn differ(&self, how: String) -> Diagnostic {
        Diagnostic::error("arrays-differ", format!("`{}` {how}", self.file))
            .help("`pcc explain arrays-differ` lists the arrays of each workload")
    }

    fn view(&self, name: &str) -> Result<TensorView<'_>, Diagnostic> {
        let arrays = SafeTensors::deserialize(&self.bytes).expect("read before");
        arrays.tensor(name).map_err(|_| self.differ(format!("has no array `{name}`")))
    }
}
