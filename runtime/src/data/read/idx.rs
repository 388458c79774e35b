//! The idx format of the MNIST files: two zero bytes, a byte for the type, a byte for the rank, the
//! extents and then the elements, all big-endian.

use super::array::{Array, ArrayFault, Elements, n_elements};
use crate::formats::Content;
use std::borrow::Cow;

const HEADER: usize = 4;

/// Reads an array.
pub(super) fn read_array(content: &[u8]) -> Result<Array<'_>, ArrayFault> {
    let [0, 0, kind, rank] = *content.first_chunk::<HEADER>().ok_or_else(|| not_idx(content))? else {
        return Err(not_idx(content));
    };
    let size = element_size(kind).ok_or_else(|| not_idx(content))?;
    let rank = usize::from(rank);
    let extents =
        content.get(HEADER..HEADER + 4 * rank).filter(|_| rank > 0).ok_or_else(|| not_idx(content))?;
    let shape: Vec<usize> =
        extents.as_chunks::<4>().0.iter().map(|e| u32::from_be_bytes(*e) as usize).collect();
    let body = &content[HEADER + 4 * rank..];
    let wanted =
        n_elements(&shape).ok_or_else(|| ArrayFault::Shape(format!("impossible extents {shape:?}")))?;
    if body.len() != wanted * size {
        let message =
            format!("the header promises {} bytes of values, but {} follow", wanted * size, body.len());
        return Err(ArrayFault::Shape(message));
    }
    Ok(Array { shape, elements: elements(kind, body) })
}

fn not_idx(content: &[u8]) -> ArrayFault {
    ArrayFault::Format(format!("the content is no idx array: it looks like {}", Content::of(content)))
}

const BYTE: u8 = 0x08;
const SIGNED_BYTE: u8 = 0x09;
const SHORT: u8 = 0x0b;
const INT: u8 = 0x0c;
const FLOAT: u8 = 0x0d;
const DOUBLE: u8 = 0x0e;

fn element_size(kind: u8) -> Option<usize> {
    match kind {
        BYTE | SIGNED_BYTE => Some(1),
        SHORT => Some(2),
        INT | FLOAT => Some(4),
        DOUBLE => Some(8),
        _ => None,
    }
}

fn elements(kind: u8, body: &[u8]) -> Elements<'_> {
    match kind {
        SIGNED_BYTE => Elements::Integers(body.iter().map(|&b| i64::from(b as i8)).collect()),
        SHORT => {
            Elements::Integers(body.as_chunks().0.iter().map(|c| i16::from_be_bytes(*c).into()).collect())
        }
        INT => Elements::Integers(body.as_chunks().0.iter().map(|c| i32::from_be_bytes(*c).into()).collect()),
        FLOAT => {
            Elements::Numbers(body.as_chunks().0.iter().map(|c| f32::from_be_bytes(*c).into()).collect())
        }
        DOUBLE => Elements::Numbers(body.as_chunks().0.iter().map(|c| f64::from_be_bytes(*c)).collect()),
        _ => Elements::Bytes(Cow::Borrowed(body)),
    }
}
