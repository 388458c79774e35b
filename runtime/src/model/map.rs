//! Files as memory. This is the one place outside kernels and devices that needs `unsafe`.

use crate::data::{cannot_read, decompressed};
use pcc_diag::Diagnostic;
use std::fs::File;
use std::ops::Deref;
use std::path::Path;

/// The content of a file: mapped, or decompressed into memory.
pub(super) enum Content {
    Mapped(memmap2::Mmap),
    Owned(Vec<u8>),
}

impl Deref for Content {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Content::Mapped(map) => map,
            Content::Owned(bytes) => bytes,
        }
    }
}

/// Maps a file. An empty one can't be mapped and is empty memory.
pub(super) fn open(path: &Path) -> Result<Content, Diagnostic> {
    let fault = |error: std::io::Error| cannot_read(path, &error);
    let file = File::open(path).map_err(fault)?;
    let metadata = file.metadata().map_err(fault)?;
    if metadata.is_dir() || metadata.len() == 0 {
        return std::fs::read(path).map(Content::Owned).map_err(fault);
    }
    // SAFETY: the map is read only and private to this process. Its bytes are plain data, checked before use,
    // so no value of them is wrong for the compiler; model files are replaced by renaming a new file over
    // them and never changed in place, which leaves a mapped one as it was.
    let map = unsafe { memmap2::MmapOptions::new().map(&file) }.map_err(fault)?;
    if map.starts_with(&[0x1f, 0x8b]) {
        return decompressed(map.to_vec()).map(Content::Owned).map_err(fault);
    }
    Ok(Content::Mapped(map))
}
