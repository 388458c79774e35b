//! Files that are either whole or not there.
//!
//! A file is written under a temporary name in the same folder, brought to the disk, and then renamed.
//! A full disk, a failing writer or a kill leaves what was there before.

use pcc_diag::Diagnostic;
use std::fs::File;
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Writes a file through `write`, replacing an older one of the same name only when all went well.
///
/// # Errors
/// `disk-full` when there is no room, `cannot-write` otherwise; the old file is then untouched.
pub fn write_atomically(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> Result<(), Diagnostic> {
    if is_device(path) {
        let result = File::options().write(true).open(path).and_then(|file| fill(file, write));
        return result.map_err(|error| cannot_write(path, &error));
    }
    let temporary = temporary_name(path);
    let result = File::create(&temporary)
        .and_then(|file| fill(file, write))
        .and_then(|()| std::fs::rename(&temporary, path));
    if let Err(error) = result {
        // The fault that is reported is the first one; that the rest can't be removed either adds nothing.
        let _ = std::fs::remove_file(&temporary);
        return Err(cannot_write(path, &error));
    }
    sync_folder(path);
    Ok(())
}

/// Writes everything and waits until the disk has it.
fn fill(file: File, write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> std::io::Result<()> {
    let mut writer = BufWriter::with_capacity(1 << 20, file);
    write(&mut writer)?;
    let file = writer.into_inner().map_err(|error| error.into_error())?;
    match file.sync_all() {
        // Pipes and devices have no disk behind them.
        Err(error) if error.kind() == ErrorKind::InvalidInput => Ok(()),
        result => result,
    }
}

/// Whether the path leads to a pipe, a terminal or the like, which nothing may be renamed over.
fn is_device(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|m| !m.is_file() && !m.is_dir())
}

fn temporary_name(path: &Path) -> PathBuf {
    let name = path.file_name().map_or_else(|| "file".into(), |name| name.to_string_lossy().into_owned());
    path.with_file_name(format!(".{name}.{}.part", std::process::id()))
}

/// Makes the new name last through a power cut, where folders can be opened. The file itself is whole
/// either way, so a system that can't do it is no fault.
fn sync_folder(path: &Path) {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Diagnostic {
    let path = path.display();
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            Diagnostic::error("disk-full", format!("there is no room to write `{path}`: {error}"))
                .help("what was there before is untouched; make room, or write elsewhere")
        }
        _ => Diagnostic::error("cannot-write", format!("`{path}` can't be written: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_in(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        entries.map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_writer_that_fails_leaves_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.pcm");
        write_atomically(&path, |w| w.write_all(b"old")).unwrap();
        let fault = write_atomically(&path, |w| {
            w.write_all(&[0; 3 << 20])?;
            Err(ErrorKind::StorageFull.into())
        })
        .unwrap_err();
        assert_eq!(fault.code, "disk-full");
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(names_in(folder.path()), ["model.pcm"]);
    }

    #[test]
    fn a_missing_folder_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let fault = write_atomically(&folder.path().join("no/such"), |_| Ok(())).unwrap_err();
        assert_eq!(fault.code, "cannot-write");
    }

    /// `/dev/full` refuses every byte as a full disk does.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_noticed_before_the_rename() {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let error = fill(full, |w| w.write_all(b"new")).unwrap_err();
        assert_eq!(cannot_write(Path::new("model.pcm"), &error).code, "disk-full");
        let fault = write_atomically(Path::new("/dev/full"), |w| w.write_all(b"new")).unwrap_err();
        assert_eq!(fault.code, "disk-full");
        write_atomically(Path::new("/dev/null"), |w| w.write_all(b"new")).unwrap();
    }
}
