//! Machine code kept between runs, so that a large circuit is compiled once.
//!
//! In: a verified plan and a folder. Out: its program. A file's name is a hash of the plan and of everything
//! else that decides what code is made; it begins with a hash of that name and of what follows. What does not
//! pass, or lies in a folder or file that others may write to, is never run: the plan is compiled as if the
//! file were not there. That code can't be kept is no error.

use pcc_cpu::{Code, CompileError, Program};
use pcc_ir::{Plan, Verified};
use pcc_kernels::Kernels;
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Plans of fewer steps compile in under 20 milliseconds, at ten microseconds a step; reading a file takes two.
const FEWEST_STEPS: usize = 2000;

/// Old files are removed when all together take up more bytes.
const MOST_BYTES: u64 = 256 << 20;

/// Ends the names of kept code.
const EXTENSION: &str = "code";

/// Compiles a plan, or finds it compiled in the folder. Errors: as [`pcc_cpu::compile`].
pub(super) fn compile(
    plan: Verified<Plan>,
    kernels: &Kernels,
    folder: Option<&Path>,
) -> Result<Program, CompileError> {
    let folder = folder.filter(|_| plan.steps.len() >= FEWEST_STEPS);
    match folder.and_then(|folder| Cache::at(folder).ok()) {
        Some(cache) => cache.compile(plan, kernels),
        None => pcc_cpu::compile(plan, kernels),
    }
}

/// A folder of kept code.
struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// A folder, made where it is missing. Errors: it can't be made, or others may write to it.
    fn at(folder: &Path) -> io::Result<Cache> {
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.recursive(true).create(folder)?;
        ensure_private(&fs::metadata(folder)?)?;
        Ok(Cache { folder: folder.to_owned() })
    }

    fn compile(&self, plan: Verified<Plan>, kernels: &Kernels) -> Result<Program, CompileError> {
        let name = name(&plan)?;
        if let Ok(code) = self.read(&name) {
            return Program::new(plan, code, kernels);
        }
        let code = pcc_cpu::emit(&plan)?;
        // Code that can't be kept is made again the next time.
        let _ = self.write(&name, &code).and_then(|()| self.prune(MOST_BYTES));
        Program::new(plan, code, kernels)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name).with_extension(EXTENSION)
    }

    fn read(&self, name: &str) -> io::Result<Code> {
        let path = self.path(name);
        let file = File::open(&path)?;
        ensure_private(&file.metadata()?)?;
        let bytes = read_all(file)?;
        let invalid = || io::Error::from(io::ErrorKind::InvalidData);
        let (hash, code) = bytes.split_first_chunk().ok_or_else(invalid)?;
        let is_whole = seal(name, code) == *hash;
        let code = is_whole.then(|| Code::from_bytes(code)).flatten().ok_or_else(invalid)?;
        // The newest files are those that were used last.
        let _ = File::options().append(true).open(&path).and_then(|f| f.set_modified(SystemTime::now()));
        Ok(code)
    }

    /// Writes a file under a temporary name, then renames it: others see it whole or not at all.
    fn write(&self, name: &str, code: &Code) -> io::Result<()> {
        let temporary = self.folder.join(format!("{name}.{}.tmp", std::process::id()));
        let code = code.to_bytes();
        let written = create_private(&temporary).and_then(|mut file| {
            file.write_all(&seal(name, &code))?;
            file.write_all(&code)
        });
        let renamed = written.and_then(|()| fs::rename(&temporary, self.path(name)));
        renamed.inspect_err(|_| drop(fs::remove_file(&temporary)))
    }

    /// Removes the files that were used longest ago, until the rest takes up no more than that.
    fn prune(&self, most_bytes: u64) -> io::Result<()> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let (path, metadata) = (entry.path(), entry.metadata()?);
            if path.extension().is_some_and(|extension| extension == EXTENSION) {
                files.push((metadata.modified()?, metadata.len(), path));
            }
        }
        let mut total: u64 = files.iter().map(|(_, len, _)| len).sum();
        files.sort();
        for (_, len, path) in files {
            if total <= most_bytes {
                break;
            }
            fs::remove_file(path)?;
            total -= len;
        }
        Ok(())
    }
}

fn read_all(mut file: File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What a plan's file is called.
fn name(plan: &Plan) -> Result<String, CompileError> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(pcc_cpu::fingerprint()?.as_bytes());
    hasher.update(plan.to_string().as_bytes());
    Ok(hasher.finalize().to_hex().to_string())
}

/// The hash that a file begins with.
fn seal(name: &str, code: &[u8]) -> [u8; blake3::OUT_LEN] {
    *blake3::Hasher::new().update(name.as_bytes()).update(code).finalize().as_bytes()
}

#[cfg(unix)]
fn create_private(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    File::options().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn create_private(path: &Path) -> io::Result<File> {
    File::options().write(true).create_new(true).open(path)
}

/// An error unless only the user of this process may write.
#[cfg(unix)]
fn ensure_private(metadata: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    let is_own = metadata.uid() == fs::metadata("/proc/self")?.uid();
    let is_shared = metadata.mode() & 0o022 != 0;
    if is_own && !is_shared { Ok(()) } else { Err(io::ErrorKind::PermissionDenied.into()) }
}

/// Elsewhere code is not kept.
#[cfg(not(unix))]
fn ensure_private(_: &Metadata) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::{Cache, EXTENSION, name};
    use pcc_ir::lower::{Options, graph_to_plan};
    use pcc_ir::plan::{Mode, verify};
    use pcc_ir::random::{Taste, circuit};
    use pcc_ir::{Plan, Verified};
    use std::os::unix::fs::PermissionsExt;
    use std::path::{Path, PathBuf};

    fn plan(seed: u64) -> Verified<Plan> {
        let taste = Taste { n_variables: 4, depth: 1, zero_weights: 0.0, is_single: false };
        let graph = circuit(seed, taste);
        verify(graph_to_plan(&graph, &Options::all_observed(&graph, Mode::Flows)).unwrap()).unwrap()
    }

    fn compile(cache: &Cache, seed: u64) {
        cache.compile(plan(seed), pcc_kernels::kernels().unwrap()).unwrap();
    }

    fn files(folder: &Path) -> Vec<PathBuf> {
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    #[test]
    fn code_is_kept_and_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(&folder.path().join("a/b")).unwrap();
        compile(&cache, 1);
        let kept = files(&cache.folder);
        assert_eq!(kept, [cache.path(&name(&plan(1)).unwrap())], "no temporary file is left");
        let code = cache.read(&name(&plan(1)).unwrap()).unwrap();
        assert_eq!(code.to_bytes(), pcc_cpu::emit(&plan(1)).unwrap().to_bytes());
        assert!(cache.read(&name(&plan(2)).unwrap()).is_err(), "another plan has another name");
    }

    #[test]
    fn files_that_were_changed_are_ignored_and_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path()).unwrap();
        compile(&cache, 1);
        let name = name(&plan(1)).unwrap();
        let whole = std::fs::read(cache.path(&name)).unwrap();
        let mut changed = whole.clone();
        *changed.last_mut().unwrap() ^= 1;
        // What is whole under another name is a file of another plan.
        let foreign = [&super::seal("other", &whole[32..])[..], &whole[32..]].concat();
        for broken in [&changed, &whole[..whole.len() - 1], &foreign, b""] {
            std::fs::write(cache.path(&name), broken).unwrap();
            assert!(cache.read(&name).is_err());
            compile(&cache, 1);
            assert_eq!(std::fs::read(cache.path(&name)).unwrap(), whole);
        }
    }

    #[test]
    fn what_others_may_write_to_is_not_run() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path()).unwrap();
        compile(&cache, 1);
        let name = name(&plan(1)).unwrap();
        let open_to_all = std::fs::Permissions::from_mode(0o666);
        std::fs::set_permissions(cache.path(&name), open_to_all).unwrap();
        assert!(cache.read(&name).is_err());
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        assert!(Cache::at(folder.path()).is_err());
    }

    #[test]
    fn files_used_longest_ago_go_first() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path()).unwrap();
        for (seed, age) in [(1, 30), (2, 20), (3, 10)] {
            compile(&cache, seed);
            let file = std::fs::File::options().append(true).open(cache.path(&name(&plan(seed)).unwrap()));
            let time = std::time::SystemTime::now() - std::time::Duration::from_secs(age);
            file.unwrap().set_modified(time).unwrap();
        }
        // Reading makes it the newest.
        cache.read(&name(&plan(1)).unwrap()).unwrap();
        let len = |seed| std::fs::metadata(cache.path(&name(&plan(seed)).unwrap())).map_or(0, |m| m.len());
        cache.prune(len(1) + len(3)).unwrap();
        assert_eq!(len(2), 0);
        assert!(len(1) > 0 && len(3) > 0);
        cache.prune(0).unwrap();
        assert!(files(folder.path()).iter().all(|path| path.extension().is_none_or(|e| e != EXTENSION)));
    }
}
