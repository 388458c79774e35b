//! Numpy arrays, alone (`.npy`) or in an archive (`.npz`): numbers and booleans, in C or Fortran order.

use super::array::{Array, ArrayFault, Elements, n_elements};
use crate::formats::Content;
use npyz::{DType, NpyFile, Order, TypeChar};
use std::io::{Cursor, Read};

/// Reads a `.npy` file.
pub(in crate::data) fn read_array(content: &[u8]) -> Result<Array<'_>, ArrayFault> {
    if Content::of(content) != Content::Npy {
        let found = Content::of(content);
        return Err(ArrayFault::Format(format!("the content is no numpy array: it looks like {found}")));
    }
    check_extents(content)?;
    let damaged = |e| ArrayFault::Format(format!("a damaged numpy array: {e}"));
    take(NpyFile::new(content).map_err(damaged)?, content)
}

/// Reads one array of a `.npz` file.
pub(super) fn read_from_archive(content: &[u8], name: &str) -> Result<Array<'static>, ArrayFault> {
    if Content::of(content) != Content::Zip {
        let found = Content::of(content);
        return Err(ArrayFault::Format(format!("the content is no numpy archive: it looks like {found}")));
    }
    let damaged = |e: std::io::Error| ArrayFault::Format(format!("a damaged numpy archive: {e}"));
    let mut archive = npyz::npz::NpzArchive::new(Cursor::new(content)).map_err(damaged)?;
    let names: Vec<String> = archive.array_names().map(|name| format!("`{name}`")).collect();
    let mut array = Vec::new();
    match archive.zip_archive().by_name(&npyz::npz::file_name_from_array_name(name)) {
        Ok(mut entry) => entry.read_to_end(&mut array).map_err(damaged)?,
        Err(_) => {
            let message = format!("the archive has no array `{name}`; it has {}", names.join(", "));
            return Err(ArrayFault::Format(message));
        }
    };
    read_array(&array).map(Array::into_owned)
}

/// Refuses extents that no file of this length can have, before memory is set aside for them. Every element
/// takes a byte or more, so there are at most as many as bytes.
fn check_extents(content: &[u8]) -> Result<(), ArrayFault> {
    const LONGEST_HEADER: usize = 1 << 16;
    let header = String::from_utf8_lossy(&content[..content.len().min(LONGEST_HEADER)]);
    let after = header.split_once("'shape'").map_or("", |(_, rest)| rest);
    let extents = after.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map_or("", |(e, _)| e);
    let numbers = extents.split(',').map(|e| e.trim().parse::<u64>().unwrap_or(1));
    match numbers.map(|e| e.max(1)).try_fold(1_u64, |n, extent| n.checked_mul(extent)) {
        Some(n) if n <= content.len() as u64 => Ok(()),
        _ => Err(ArrayFault::Shape(format!("an array of ({extents}) can't fit in the file"))),
    }
}

/// Takes the elements out of an opened array.
fn take<'c>(file: NpyFile<&'c [u8]>, content: &'c [u8]) -> Result<Array<'c>, ArrayFault> {
    let shape: Vec<usize> = file.shape().iter().map(|&extent| extent as usize).collect();
    let is_fortran = file.order() == Order::Fortran;
    if shape.is_empty() {
        return Err(ArrayFault::Shape("the array is a single number".into()));
    }
    if n_elements(&shape).is_none() {
        return Err(ArrayFault::Shape(format!("impossible extents {shape:?}")));
    }
    let elements = elements(file, content)?;
    if !is_fortran {
        return Ok(Array { shape, elements });
    }
    let elements = match elements {
        Elements::Bytes(v) => Elements::Bytes(to_row_major(&v, &shape).into()),
        Elements::Integers(v) => Elements::Integers(to_row_major(&v, &shape)),
        Elements::Numbers(v) => Elements::Numbers(to_row_major(&v, &shape)),
    };
    Ok(Array { shape, elements })
}

fn elements<'c>(file: NpyFile<&[u8]>, content: &'c [u8]) -> Result<Elements<'c>, ArrayFault> {
    let DType::Plain(plain) = file.dtype() else {
        return Err(ArrayFault::Format("an array of records, where one of numbers is wanted".into()));
    };
    let described = plain.to_string();
    match (plain.type_char(), plain.size_field()) {
        (TypeChar::Bool, _) => Ok(Elements::Bytes(values::<bool, _>(file, u8::from)?.into())),
        (TypeChar::Uint, 1) => Ok(Elements::Bytes(body(file.len() as usize, content)?.into())),
        (TypeChar::Int, 1) => Ok(Elements::Integers(values::<i8, _>(file, i64::from)?)),
        (TypeChar::Int, 2) => Ok(Elements::Integers(values::<i16, _>(file, i64::from)?)),
        (TypeChar::Int, 4) => Ok(Elements::Integers(values::<i32, _>(file, i64::from)?)),
        (TypeChar::Int, 8) => Ok(Elements::Integers(values::<i64, _>(file, |v| v)?)),
        (TypeChar::Uint, 2) => Ok(Elements::Integers(values::<u16, _>(file, i64::from)?)),
        (TypeChar::Uint, 4) => Ok(Elements::Integers(values::<u32, _>(file, i64::from)?)),
        // Codes are exact as floats, and what is too large for `i64` is no code.
        (TypeChar::Uint, 8) => Ok(Elements::Numbers(values::<u64, _>(file, |v| v as f64)?)),
        (TypeChar::Float, 4) => Ok(Elements::Numbers(values::<f32, _>(file, f64::from)?)),
        (TypeChar::Float, 8) => Ok(Elements::Numbers(values::<f64, _>(file, |v| v)?)),
        (TypeChar::Object, _) => Err(ArrayFault::Format(
            "an array of Python objects, which is a pickle and could run any code when it is loaded".into(),
        )),
        _ => Err(ArrayFault::Format(format!("an array of type `{described}`, where numbers are wanted"))),
    }
}

/// The bytes after the header, which begins with its own length: two bytes in the first version, then four.
fn body(expected: usize, content: &[u8]) -> Result<&[u8], ArrayFault> {
    const START: usize = 8;
    let end = match content {
        [_, _, _, _, _, _, 1, _, a, b, ..] => START + 2 + usize::from(u16::from_le_bytes([*a, *b])),
        [_, _, _, _, _, _, _, _, a, b, c, d, ..] => START + 4 + u32::from_le_bytes([*a, *b, *c, *d]) as usize,
        _ => content.len(),
    };
    let body = content.get(end..).unwrap_or_default();
    body.get(..expected).ok_or_else(|| cut_short(body.len(), expected))
}

fn cut_short(n: usize, expected: usize) -> ArrayFault {
    ArrayFault::Shape(format!("cut short: {n} of {expected} values are there"))
}

fn values<S: npyz::Deserialize, T>(
    file: NpyFile<&[u8]>,
    convert: impl Fn(S) -> T,
) -> Result<Vec<T>, ArrayFault> {
    let expected = file.len() as usize;
    let mut values = Vec::with_capacity(expected);
    let elements = file.data::<S>().map_err(|e| ArrayFault::Format(e.to_string()))?;
    for element in elements {
        let value = element.map_err(|_| cut_short(values.len(), expected))?;
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
