//! Finding and opening files: which folders are looked in, and what lies under the compression.

use pcc_diag::{Diagnostic, Span};
use std::io::Read;
use std::path::{Path, PathBuf};

/// The first of the folders that has the file. An absolute path is looked for where it says.
///
/// # Errors
/// `missing-file`, with every place that was looked in.
pub fn find_file(path: &str, places: &[PathBuf], span: Span) -> Result<PathBuf, Diagnostic> {
    let tried: Vec<PathBuf> = match Path::new(path).is_absolute() {
        true => vec![path.into()],
        false => places.iter().map(|place| place.join(path)).collect(),
    };
    match tried.iter().find(|file| file.is_file()) {
        Some(found) => Ok(found.clone()),
        None => Err(not_found(path, &tried, places.len(), span)),
    }
}

fn not_found(path: &str, tried: &[PathBuf], n_places: usize, span: Span) -> Diagnostic {
    let places: Vec<String> = tried.iter().map(|p| format!("`{}`", p.display())).collect();
    let mut help = format!("looked for {}", places.join(" and for "));
    if tried.is_empty() || (n_places == 1 && !Path::new(path).is_absolute()) {
        help.push_str("; set PCC_DATA to a folder to look there too");
    }
    Diagnostic::error("missing-file", format!("there is no file `{path}`")).at(span, "named here").help(help)
}

/// The content of a file, decompressed when it is compressed, whatever its name ends in.
///
/// # Errors
/// `missing-file`, `unreadable-file`, or `data-format` when the compressed content is damaged.
pub fn read_file(path: &Path) -> Result<Vec<u8>, Diagnostic> {
    let bytes = std::fs::read(path).map_err(|error| cannot_read(path, &error))?;
    if is_compressed(&bytes) { decompress(&bytes, path) } else { Ok(bytes) }
}

pub(super) fn is_compressed(bytes: &[u8]) -> bool {
    bytes.starts_with(&GZIP)
}

/// What the compressed content of a file holds.
pub(super) fn decompress(gzip: &[u8], path: &Path) -> Result<Vec<u8>, Diagnostic> {
    inflate(gzip).map_err(|error| {
        let message = format!("`{}` is compressed, but damaged or cut short: {error}", path.display());
        Diagnostic::error("data-format", message)
    })
}

pub(super) fn cannot_read(path: &Path, error: &std::io::Error) -> Diagnostic {
    if error.kind() == std::io::ErrorKind::NotFound {
        return Diagnostic::error("missing-file", format!("there is no file `{}`", path.display()));
    }
    Diagnostic::error("unreadable-file", format!("`{}` can't be read: {error}", path.display()))
}

const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Decompresses gzip content; other content is returned as it is.
///
/// # Errors
/// When the content starts as gzip but does not go on so.
pub fn decompressed(bytes: Vec<u8>) -> std::io::Result<Vec<u8>> {
    if is_compressed(&bytes) { inflate(&bytes) } else { Ok(bytes) }
}

fn inflate(gzip: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut content = Vec::with_capacity(expected_length(gzip));
    flate2::read::MultiGzDecoder::new(gzip).read_to_end(&mut content)?;
    Ok(content)
}

/// The length that the last four bytes promise, if the format can reach it; it only sizes a buffer.
fn expected_length(gzip: &[u8]) -> usize {
    const MOST_PER_BYTE: usize = 1032;
    let Some(tail) = gzip.last_chunk::<4>() else { return 0 };
    (u32::from_le_bytes(*tail) as usize).min(gzip.len().saturating_mul(MOST_PER_BYTE)).min(1 << 30)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_no_file_to_read() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read_file(folder.path()).unwrap_err().code, "unreadable-file");
        assert_eq!(read_file(&folder.path().join("none")).unwrap_err().code, "missing-file");
    }

    #[test]
    fn an_absolute_path_is_looked_for_where_it_says() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("here");
        let text = path.display().to_string();
        assert!(
            find_file(&text, &["elsewhere".into()], Span::NONE).unwrap_err().help.unwrap().contains(&text)
        );
        std::fs::write(&path, "").unwrap();
        assert_eq!(find_file(&text, &["elsewhere".into()], Span::NONE).unwrap(), path);
    }
}
