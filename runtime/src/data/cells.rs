//! The values of a data set, packed as narrowly as its domains allow.
//!
//! Words of evidence go in and come out; between them a byte, two or four hold a value. Bytes may also stay where
//! they lie in a mapped file. Domains are not known here: whoever adds a word has checked it.

use super::map::FileContent;
use pcc_ir::MISSING;
use std::ops::{Deref, Range};
use std::sync::Arc;

/// Bytes: their own, or part of a file.
#[derive(Clone, Debug)]
pub(crate) enum Bytes {
    Own(Vec<u8>),
    OfFile(Arc<FileContent>, Range<usize>),
}

impl Bytes {
    /// To be changed: those of a file are copied.
    fn own(&mut self) -> &mut Vec<u8> {
        if let Bytes::OfFile(..) = self {
            *self = Bytes::Own(self.to_vec());
        }
        match self {
            Bytes::Own(bytes) => bytes,
            Bytes::OfFile(..) => unreachable!("they were just copied"),
        }
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Bytes::Own(bytes) => bytes,
            Bytes::OfFile(file, range) => &file[range.clone()],
        }
    }
}

impl PartialEq for Bytes {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

/// Words, packed. Which variant holds them is settled by [`Cells::for_codes`], and only
/// [`Cells::FullBytes`] can change, when the first missing value comes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cells {
    /// Codes below 255; 255 is the missing value.
    Bytes(Bytes),
    /// Codes up to 255, none missing: the pixels of pictures.
    FullBytes(Bytes),
    /// Codes below 65535; 65535 is the missing value.
    Halves(Vec<u16>),
    /// Words as they are.
    Words(Vec<u32>),
}

impl Cells {
    /// Room for codes below `n_codes`, or for any word when there is no such bound.
    pub(crate) fn for_codes(n_codes: Option<u32>) -> Self {
        match n_codes {
            Some(..=255) => Cells::Bytes(Bytes::Own(Vec::new())),
            Some(256) => Cells::FullBytes(Bytes::Own(Vec::new())),
            Some(257..=65535) => Cells::Halves(Vec::new()),
            _ => Cells::Words(Vec::new()),
        }
    }

    /// How many values there are.
    pub(crate) fn len(&self) -> usize {
        match self {
            Cells::Bytes(v) | Cells::FullBytes(v) => v.len(),
            Cells::Halves(v) => v.len(),
            Cells::Words(v) => v.len(),
        }
    }

    /// Makes room for so many more.
    pub(crate) fn reserve(&mut self, n: usize) {
        match self {
            Cells::Bytes(v) | Cells::FullBytes(v) => v.own().reserve_exact(n),
            Cells::Halves(v) => v.reserve_exact(n),
            Cells::Words(v) => v.reserve_exact(n),
        }
    }

    /// Appends words.
    pub(crate) fn extend(&mut self, words: &[u32]) {
        if matches!(self, Cells::FullBytes(_)) && words.contains(&MISSING) {
            self.widen();
        }
        match self {
            // The missing value is all ones, and stays so when it is cut.
            Cells::Bytes(v) | Cells::FullBytes(v) => v.own().extend(words.iter().map(|&w| w as u8)),
            Cells::Halves(v) => v.extend(words.iter().map(|&w| w as u16)),
            Cells::Words(v) => v.extend_from_slice(words),
        }
    }

    /// Appends known codes that are bytes already.
    pub(crate) fn extend_bytes(&mut self, codes: &[u8]) {
        match self {
            Cells::Bytes(v) | Cells::FullBytes(v) => v.own().extend_from_slice(codes),
            Cells::Halves(v) => v.extend(codes.iter().map(|&c| u16::from(c))),
            Cells::Words(v) => v.extend(codes.iter().map(|&c| u32::from(c))),
        }
    }

    /// Takes known codes that are bytes of a file as all there is, without a copy where values are bytes here.
    pub(crate) fn take_bytes(&mut self, file: &Arc<FileContent>, range: Range<usize>) {
        match self {
            Cells::Bytes(v) | Cells::FullBytes(v) => *v = Bytes::OfFile(file.clone(), range),
            _ => self.extend_bytes(&file[range]),
        }
    }

    /// One word.
    pub(crate) fn get(&self, index: usize) -> u32 {
        match self {
            Cells::Bytes(v) => widen_byte(v[index]),
            Cells::FullBytes(v) => u32::from(v[index]),
            Cells::Halves(v) => widen_half(v[index]),
            Cells::Words(v) => v[index],
        }
    }

    /// Makes a value missing.
    pub(crate) fn hide(&mut self, index: usize) {
        if matches!(self, Cells::FullBytes(_)) {
            self.widen();
        }
        match self {
            Cells::Bytes(v) | Cells::FullBytes(v) => v.own()[index] = u8::MAX,
            Cells::Halves(v) => v[index] = u16::MAX,
            Cells::Words(v) => v[index] = MISSING,
        }
    }

    /// Copies consecutive words.
    pub(crate) fn copy_to(&self, start: usize, into: &mut [u32]) {
        let range = start..start + into.len();
        match self {
            Cells::Bytes(v) => unpack(&v[range], into, widen_byte),
            Cells::FullBytes(v) => unpack(&v[range], into, u32::from),
            Cells::Halves(v) => unpack(&v[range], into, widen_half),
            Cells::Words(v) => into.copy_from_slice(&v[range]),
        }
    }

    /// Whether any value is missing.
    pub(crate) fn has_missing(&self) -> bool {
        match self {
            Cells::Bytes(v) => v.contains(&u8::MAX),
            Cells::FullBytes(_) => false,
            Cells::Halves(v) => v.contains(&u16::MAX),
            Cells::Words(v) => v.contains(&MISSING),
        }
    }

    /// Gives full bytes room for a missing value.
    fn widen(&mut self) {
        if let Cells::FullBytes(v) = self {
            *self = Cells::Halves(v.iter().map(|&c| u16::from(c)).collect());
        }
    }
}

fn unpack<T: Copy>(from: &[T], into: &mut [u32], widen: impl Fn(T) -> u32) {
    for (word, &packed) in into.iter_mut().zip(from) {
        *word = widen(packed);
    }
}

fn widen_byte(byte: u8) -> u32 {
    if byte == u8::MAX { MISSING } else { u32::from(byte) }
}

fn widen_half(half: u16) -> u32 {
    if half == u16::MAX { MISSING } else { u32::from(half) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_out_as_they_went_in() {
        for n in [Some(2), Some(255), Some(256), Some(257), Some(65535), Some(65536), None] {
            let top = n.map_or(u32::MAX - 1, |n| n - 1);
            let words = [0, top, MISSING, 1];
            let mut cells = Cells::for_codes(n);
            cells.extend(&words[..2]);
            assert!(!cells.has_missing(), "{n:?}");
            cells.extend(&words[2..]);
            let mut out = [7; 4];
            cells.copy_to(0, &mut out);
            assert_eq!(out, words, "{n:?}");
            assert!(cells.has_missing(), "{n:?}");
            assert_eq!((cells.len(), cells.get(2)), (4, MISSING), "{n:?}");
        }
    }

    #[test]
    fn a_full_byte_can_be_hidden() {
        let mut cells = Cells::for_codes(Some(256));
        cells.extend_bytes(&[255, 0]);
        cells.hide(1);
        assert_eq!([cells.get(0), cells.get(1)], [255, MISSING]);
    }
}
