//! Vectors that were made before, in a folder of the user's, under the hash of everything they depend on.
//!
//! A file holds numbers and the hash of their bytes, so that what was cut short or changed is made again. The
//! folder may be emptied at any time.

use pcc_runtime::data::write_atomically;
use std::path::PathBuf;

/// Bytes of the hash at the end of a file.
const HASH: usize = blake3::OUT_LEN;

/// The folder, if vectors are kept at all.
pub(crate) struct Kept {
    /// Where files are put.
    pub(crate) folder: Option<PathBuf>,
}

impl Kept {
    /// The vectors under a key, if they are there and whole.
    pub(crate) fn get(&self, key: &str) -> Option<Vec<f32>> {
        let bytes = std::fs::read(self.file(key)?).ok()?;
        let (content, hash) = bytes.split_at_checked(bytes.len().checked_sub(HASH)?)?;
        let is_whole = blake3::hash(content).as_bytes() == hash && content.len().is_multiple_of(4);
        let number = |bytes: &[u8]| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        is_whole.then(|| content.chunks_exact(4).map(number).collect())
    }

    /// Keeps vectors. Where they can't be kept they are made again, which costs time and nothing else.
    pub(crate) fn put(&self, key: &str, vectors: &[f32]) {
        let (Some(file), Some(folder)) = (self.file(key), &self.folder) else { return };
        let bytes: Vec<u8> = vectors.iter().flat_map(|x| x.to_le_bytes()).collect();
        let _ = std::fs::create_dir_all(folder).map(|()| {
            write_atomically(&file, |to| {
                to.write_all(&bytes)?;
                to.write_all(blake3::hash(&bytes).as_bytes())
            })
        });
    }

    fn file(&self, key: &str) -> Option<PathBuf> {
        self.folder.as_ref().map(|folder| folder.join(format!("{key}.features")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_damaged_is_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept { folder: Some(folder.path().join("features")) };
        assert_eq!(kept.get("a"), None);
        kept.put("a", &[1.5, -2.0]);
        assert_eq!(kept.get("a"), Some(vec![1.5, -2.0]));
        let file = kept.file("a").unwrap();
        let whole = std::fs::read(&file).unwrap();
        for damaged in
            [&whole[..whole.len() - 1], &whole[..20], &[], &[[9; 4].as_slice(), &whole[4..]].concat()]
        {
            std::fs::write(&file, damaged).unwrap();
            assert_eq!(kept.get("a"), None);
        }
        Kept { folder: None }.put("a", &[1.0]);
    }
}
