//! Tensors of safetensors files: numbers and booleans in row-major order, little-endian.

use super::array::{Array, ArrayFault, Elements, n_elements};
use crate::formats::Content;
use safetensors::{Dtype, SafeTensors};

/// Reads one tensor of a file.
pub(super) fn read_array<'c>(content: &'c [u8], name: &str) -> Result<Array<'c>, ArrayFault> {
    if Content::of(content) != Content::Safetensors {
        let found = Content::of(content);
        return Err(ArrayFault::Format(format!("the content is no safetensors file: it looks like {found}")));
    }
    let file = SafeTensors::deserialize(content)
        .map_err(|e| ArrayFault::Format(format!("a damaged safetensors file: {e}")))?;
    let Ok(tensor) = file.tensor(name) else {
        let mut names: Vec<String> = file.names().iter().map(|name| format!("`{name}`")).collect();
        names.sort();
        let message = format!("the file has no tensor `{name}`; it has {}", names.join(", "));
        return Err(ArrayFault::Format(message));
    };
    let shape = tensor.shape().to_vec();
    if shape.is_empty() {
        return Err(ArrayFault::Shape("the tensor is a single number".into()));
    }
    if n_elements(&shape).is_none() {
        return Err(ArrayFault::Shape(format!("impossible extents {shape:?}")));
    }
    // The bytes outlive the parsed header, whose views borrow the same content.
    let start = tensor.data().as_ptr().addr() - content.as_ptr().addr();
    let elements = elements(tensor.dtype(), &content[start..start + tensor.data().len()])?;
    Ok(Array { shape, elements })
}

fn elements(dtype: Dtype, bytes: &[u8]) -> Result<Elements<'_>, ArrayFault> {
    let integers = Elements::Integers;
    let numbers = Elements::Numbers;
    Ok(match dtype {
        Dtype::BOOL | Dtype::U8 => Elements::Bytes(bytes.into()),
        Dtype::I8 => integers(bytes.iter().map(|&b| i64::from(b as i8)).collect()),
        Dtype::I16 => integers(each(bytes, |b| i64::from(i16::from_le_bytes(b)))),
        Dtype::U16 => integers(each(bytes, |b| i64::from(u16::from_le_bytes(b)))),
        Dtype::I32 => integers(each(bytes, |b| i64::from(i32::from_le_bytes(b)))),
        Dtype::U32 => integers(each(bytes, |b| i64::from(u32::from_le_bytes(b)))),
        Dtype::I64 => integers(each(bytes, i64::from_le_bytes)),
        // Codes are exact as floats, and what is too large for `i64` is no code.
        Dtype::U64 => numbers(each(bytes, |b| u64::from_le_bytes(b) as f64)),
        Dtype::F16 => numbers(each(bytes, |b| half(u16::from_le_bytes(b)))),
        Dtype::BF16 => {
            numbers(each(bytes, |b| f64::from(f32::from_bits(u32::from(u16::from_le_bytes(b)) << 16))))
        }
        Dtype::F32 => numbers(each(bytes, |b| f64::from(f32::from_le_bytes(b)))),
        Dtype::F64 => numbers(each(bytes, f64::from_le_bytes)),
        other => {
            let message = format!("a tensor of type `{other:?}`, where numbers are wanted");
            return Err(ArrayFault::Format(message));
        }
    })
}

fn each<const N: usize, T>(bytes: &[u8], convert: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks().0.iter().map(|&chunk| convert(chunk)).collect()
}

/// A float of 16 bits: one of sign, five of exponent, ten of fraction.
fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 0x3ff) / 1024.0);
    let size = match exponent {
        0 => fraction * 2_f64.powi(-14),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        e => (1.0 + fraction) * 2_f64.powi(e - 15),
    };
    if bits >> 15 == 1 { -size } else { size }
}
