//! Files as memory. This is the one place outside kernels and devices that needs `unsafe`.
//!
//! In: a path. Out: bytes. A file is mapped, so that its pages are shared with the system's cache and given back
//! when memory is short; what is compressed has to be memory of its own. Lengths are those at the time of
//! opening: a file that is cut short in place while it is mapped ends the process when the missing part is
//! read, as it does every program that maps files. Replacing a file by renaming another over it is safe.

use super::place::{cannot_read, decompress, is_compressed, read_file};
use pcc_diag::Diagnostic;
use std::fs::File;
use std::ops::Deref;
use std::path::Path;

/// The content of a file: mapped, or decompressed into memory.
#[derive(Debug)]
pub(crate) enum FileContent {
    Mapped(memmap2::Mmap),
    Owned(Vec<u8>),
}

impl Deref for FileContent {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            FileContent::Mapped(map) => map,
            FileContent::Owned(bytes) => bytes,
        }
    }
}

impl FileContent {
    /// Maps a file, whatever its name ends in. An empty one can't be mapped and is empty memory.
    ///
    /// # Errors
    /// `missing-file`, `unreadable-file`, or `data-format` when the compressed content is damaged.
    pub(crate) fn open(path: &Path) -> Result<Self, Diagnostic> {
        let fault = |error: std::io::Error| cannot_read(path, &error);
        let file = File::open(path).map_err(fault)?;
        let metadata = file.metadata().map_err(fault)?;
        if !metadata.is_file() || metadata.len() == 0 {
            // A pipe, for one.
            return read_file(path).map(FileContent::Owned);
        }
        // SAFETY: the map is read only and private to this process. Its bytes are plain data, so that no value
        // of them is wrong for the compiler. They are checked when they are opened, and whoever looks up a
        // table by a byte compares it with the table's length again, so another program that writes into the
        // file gives wrong numbers at worst.
        let map = unsafe { memmap2::MmapOptions::new().map(&file) }.map_err(fault)?;
        match is_compressed(&map) {
            true => decompress(&map, path).map(FileContent::Owned),
            false => Ok(FileContent::Mapped(map)),
        }
    }
}
