//! Numpy arrays, alone (`.npy`) or in an archive (`.npz`): numbers and booleans, in C or Fortran order.

use super::array::{Array, ArrayFault, Elements, n_elements};
use crate::formats::Content;
use npyz::{DType, NpyFile, Order, TypeChar};
use std::io::{Cursor, Read};

/// Reads a `.npy` file.
pub(in crate::data) fn read_array(content: &[u8]) -> Result<Array, ArrayFault> {
    if Content::of(content) != Content::Npy {
        let found = Content::of(content);
        return Err(ArrayFault::Format(format!("the content is no numpy array: it looks like {found}")));
    }
    let file =
        NpyFile::new(content).map_err(|e| ArrayFault::Format(format!("a damaged numpy array: {e}")))?;
    take(file, content.len())
}

/// Reads one array of a `.npz` file.
pub(super) fn read_from_archive(content: &[u8], name: &str) -> Result<Array, ArrayFault> {
    if Content::of(content) != Content::Zip {
        let found = Content::of(content);
        return Err(ArrayFault::Format(format!("the content is no numpy archive: it looks like {found}")));
    }
    let damaged = |e: std::io::Error| ArrayFault::Format(format!("a damaged numpy archive: {e}"));
    let mut archive = npyz::npz::NpzArchive::new(Cursor::new(content)).map_err(damaged)?;
    let names: Vec<String> = archive.array_names().map(str::to_string).collect();
    match archive.by_name(name).map_err(damaged)? {
        Some(file) => take(file, usize::MAX),
        None => Err(ArrayFault::Format(format!(
            "the archive has no array `{name}`; it has {}",
            names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ")
        ))),
    }
}

/// Takes the elements out of an opened array. No file holds more elements than bytes, so a header that
/// promises more is refused before memory is set aside.
fn take(file: NpyFile<impl Read>, n_bytes: usize) -> Result<Array, ArrayFault> {
    let shape: Vec<usize> = file.shape().iter().map(|&extent| extent as usize).collect();
    let is_fortran = file.order() == Order::Fortran;
    match n_elements(&shape) {
        _ if shape.is_empty() => return Err(ArrayFault::Shape("the array is a single number".into())),
        Some(n) if n <= n_bytes => (),
        _ => return Err(ArrayFault::Shape(format!("an array of {shape:?} can't fit in the file"))),
    }
    let elements = elements(file)?;
    if !is_fortran {
        return Ok(Array { shape, elements });
    }
    let elements = match elements {
        Elements::Bytes(v) => Elements::Bytes(to_row_major(&v, &shape)),
        Elements::Integers(v) => Elements::Integers(to_row_major(&v, &shape)),
        Elements::Numbers(v) => Elements::Numbers(to_row_major(&v, &shape)),
    };
    Ok(Array { shape, elements })
}

fn elements(file: NpyFile<impl Read>) -> Result<Elements, ArrayFault> {
    let DType::Plain(plain) = file.dtype() else {
        return Err(ArrayFault::Format("an array of records, where one of numbers is wanted".into()));
    };
    let described = plain.to_string();
    match (plain.type_char(), plain.size_field()) {
        (TypeChar::Bool, _) => Ok(Elements::Bytes(values::<bool, _, _>(file, u8::from)?)),
        (TypeChar::Uint, 1) => Ok(Elements::Bytes(values::<u8, _, _>(file, |v| v)?)),
        (TypeChar::Int, 1) => Ok(Elements::Integers(values::<i8, _, _>(file, i64::from)?)),
        (TypeChar::Int, 2) => Ok(Elements::Integers(values::<i16, _, _>(file, i64::from)?)),
        (TypeChar::Int, 4) => Ok(Elements::Integers(values::<i32, _, _>(file, i64::from)?)),
        (TypeChar::Int, 8) => Ok(Elements::Integers(values::<i64, _, _>(file, |v| v)?)),
        (TypeChar::Uint, 2) => Ok(Elements::Integers(values::<u16, _, _>(file, i64::from)?)),
        (TypeChar::Uint, 4) => Ok(Elements::Integers(values::<u32, _, _>(file, i64::from)?)),
        // A number above i64::MAX is in no domain, and stays so.
        (TypeChar::Uint, 8) => {
            Ok(Elements::Integers(values::<u64, _, _>(file, |v| i64::try_from(v).unwrap_or(i64::MAX))?))
        }
        (TypeChar::Float, 4) => Ok(Elements::Numbers(values::<f32, _, _>(file, f64::from)?)),
        (TypeChar::Float, 8) => Ok(Elements::Numbers(values::<f64, _, _>(file, |v| v)?)),
        (TypeChar::Object, _) => Err(ArrayFault::Format(
            "an array of Python objects, which is a pickle and could run any code when it is loaded".into(),
        )),
        _ => Err(ArrayFault::Format(format!("an array of type `{described}`, where numbers are wanted"))),
    }
}

fn values<S: npyz::Deserialize, T, R: Read>(
    file: NpyFile<R>,
    convert: impl Fn(S) -> T,
) -> Result<Vec<T>, ArrayFault> {
    let expected = file.len() as usize;
    let mut values = Vec::with_capacity(expected);
    let elements = file.data::<S>().map_err(|e| ArrayFault::Format(e.to_string()))?;
    for element in elements {
        let cut =
            |_| ArrayFault::Shape(format!("cut short: {} of {expected} values are there", values.len()));
        let value = element.map_err(cut)?;
        values.push(convert(value));
    }
    Ok(values)
}

/// Reorders elements whose first index moves fastest.
fn to_row_major<T: Copy>(elements: &[T], shape: &[usize]) -> Vec<T> {
    let mut index = vec![0; shape.len()];
    let mut strides = vec![1; shape.len()];
    for i in 1..shape.len() {
        strides[i] = strides[i - 1] * shape[i - 1];
    }
    let mut ordered = Vec::with_capacity(elements.len());
    let mut offset = 0;
    for _ in 0..elements.len() {
        ordered.push(elements[offset]);
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            offset += strides[axis];
            if index[axis] < shape[axis] {
                break;
            }
            offset -= strides[axis] * shape[axis];
            index[axis] = 0;
        }
    }
    ordered
}
