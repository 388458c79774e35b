//! The lock of learned values: `pcc.lock` beside a source file, and the values beside that.
//!
//! The lock is JSON, `{"version": 1, "learned": {name: {"key": .., "file": ..}}}`, sorted by name so that it
//! reads well in a history. A key is that of [`learn_key`](super::learn_key); a value lies in
//! `pcc.lock.values/` under its key, so equal values are stored once and an old one is never overwritten.
//! Both are written whole or not at all.

use crate::data::write_atomically;
use pcc_diag::Diagnostic;
use pcc_ir::MISSING;
use pcc_ir::recipe::{Clusters, Labels, Learned, VarTree};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The version that is written; others are refused.
const VERSION: u32 = 1;
const VALUES: &str = "pcc.lock.values";

/// What is on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Contents {
    version: u32,
    learned: BTreeMap<String, Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    key: String,
    file: String,
}

/// What learning a value took.
#[derive(Serialize, Deserialize)]
struct Cost {
    seconds: f64,
}

/// What the lock knows of a learned value.
#[derive(Clone, Debug, PartialEq)]
pub enum Locked {
    /// It was learned from the same data with the same arguments.
    Fresh(Learned),
    /// It was learned from other data or with other arguments; this is what was learned then.
    Stale(Learned),
    /// It was never learned.
    Absent,
}

impl Locked {
    /// The value, when it may be used without looking at the data again.
    ///
    /// # Errors
    /// `stale-lock` when it is stale or absent.
    pub fn fresh(self, name: &str) -> Result<Learned, Diagnostic> {
        let message = match self {
            Locked::Fresh(value) => return Ok(value),
            Locked::Stale(_) => {
                format!("`{name}` in `pcc.lock` was learned from other data or with other arguments")
            }
            Locked::Absent => format!("`pcc.lock` has no `{name}`"),
        };
        Err(Diagnostic::error("stale-lock", message).help("`pcc run` learns it and updates the lock"))
    }
}

/// An open lock.
#[derive(Clone, Debug)]
pub struct Lock {
    folder: PathBuf,
    contents: Contents,
    /// Seconds that learning took, by name, of the values that were put or found fresh.
    seconds: BTreeMap<String, f64>,
}

impl Lock {
    /// Opens the lock of a folder; without a file it is empty.
    ///
    /// # Errors
    /// `lock-damaged` when the file can't be read as a lock of this version.
    pub fn open(folder: &Path) -> Result<Self, Diagnostic> {
        let path = folder.join("pcc.lock");
        let contents = match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|e| damaged(&path, &e.to_string()))?,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                Contents { version: VERSION, ..Contents::default() }
            }
            Err(e) => return Err(damaged(&path, &e.to_string())),
        };
        if contents.version != VERSION {
            let why = format!("it has version {}, and this pcc knows {VERSION}", contents.version);
            return Err(damaged(&path, &why));
        }
        Ok(Lock { folder: folder.into(), contents, seconds: BTreeMap::new() })
    }

    /// The value of a name when it was learned by this call, from whatever data: what editors and `pcc check`
    /// use, without the data. `call` is a [`call_key`](super::call_key).
    ///
    /// # Errors
    /// As [`Lock::value`].
    pub fn value_of_call(&self, name: &str, call: &str) -> Result<Option<Learned>, Diagnostic> {
        match self.contents.learned.get(name) {
            Some(entry) if entry.key.starts_with(call) => self.value(name),
            _ => Ok(None),
        }
    }

    /// The value of a name, whatever its key.
    ///
    /// # Errors
    /// `lock-damaged` when the value's file is missing or unreadable.
    pub fn value(&self, name: &str) -> Result<Option<Learned>, Diagnostic> {
        let Some(entry) = self.contents.learned.get(name) else { return Ok(None) };
        let path = self.folder.join(VALUES).join(&entry.file);
        let bytes = std::fs::read(&path).map_err(|e| damaged(&path, &e.to_string()))?;
        let value = serde_json::from_slice(&bytes).map_err(|e| damaged(&path, &e.to_string()))?;
        check(&value).map_err(|why| damaged(&path, &why))?;
        Ok(Some(value))
    }

    /// The value of a name, and whether it is that of the key.
    ///
    /// # Errors
    /// As [`Lock::value`].
    pub fn get(&self, name: &str, key: &str) -> Result<Locked, Diagnostic> {
        let is_fresh = self.contents.learned.get(name).is_some_and(|entry| entry.key == key);
        Ok(match self.value(name)? {
            Some(value) if is_fresh => Locked::Fresh(value),
            Some(value) => Locked::Stale(value),
            None => Locked::Absent,
        })
    }

    /// Notes what learning a value took. That is no result: it lies beside the value, and no key covers it. Where it
    /// can't be kept, only reports of later runs lack it.
    pub fn put_seconds(&mut self, name: &str, key: &str, seconds: f64) {
        let path = self.cost_file(key);
        let _ = write_atomically(&path, |to| Ok(serde_json::to_writer(to, &Cost { seconds })?));
        self.seconds.insert(name.into(), seconds);
    }

    /// Looks up what learning a value took, where that was noted.
    pub fn find_seconds(&mut self, name: &str, key: &str) {
        let cost = std::fs::read(self.cost_file(key)).ok();
        if let Some(Cost { seconds }) = cost.and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
            self.seconds.entry(name.into()).or_insert(seconds);
        }
    }

    /// What learning took, by name: of all values that were learned or looked up since the lock was opened.
    pub fn seconds(&self) -> &BTreeMap<String, f64> {
        &self.seconds
    }

    fn cost_file(&self, key: &str) -> PathBuf {
        self.folder.join(VALUES).join(format!("{}.cost", blake3::hash(key.as_bytes()).to_hex()))
    }

    /// Stores a value, then the lock that names it.
    ///
    /// # Errors
    /// `cannot-write` and `disk-full`; the lock then is what it was.
    pub fn put(&mut self, name: &str, key: &str, value: &Learned) -> Result<(), Diagnostic> {
        let values = self.folder.join(VALUES);
        std::fs::create_dir_all(&values).map_err(|e| {
            Diagnostic::error("cannot-write", format!("the folder `{}` can't be made: {e}", values.display()))
        })?;
        let file = format!("{}.json", blake3::hash(key.as_bytes()).to_hex());
        write_atomically(&values.join(&file), |to| Ok(serde_json::to_writer(to, value)?))?;
        let mut contents = self.contents.clone();
        contents.learned.insert(name.into(), Entry { key: key.into(), file });
        write_atomically(&self.folder.join("pcc.lock"), |to| {
            serde_json::to_writer_pretty(&mut *to, &contents)?;
            to.write_all(b"\n")
        })?;
        self.contents = contents;
        Ok(())
    }
}

/// A file may have been edited: what is read from it must hang together.
fn check(value: &Learned) -> Result<(), String> {
    match value {
        Learned::Tree(tree) => check_trees(std::slice::from_ref(tree)),
        Learned::Trees(trees) => check_trees(trees),
        Learned::Labels(labels) => check_labels(labels),
    }
}

/// Labels fill their rows and are values; centres are as many as they should be.
fn check_labels(labels: &Labels) -> Result<(), String> {
    let Labels { n_values, positions, labels, centres } = labels;
    if *positions == 0 || !labels.len().is_multiple_of(*positions) {
        return Err(format!("{} labels don't fill rows of {positions}", labels.len()));
    }
    if let Some(wrong) = labels.iter().find(|&&label| label != MISSING && label >= *n_values) {
        return Err(format!("{wrong} is no label: there are {n_values}"));
    }
    let sets = if centres.clusters == Clusters::PerPosition { *positions } else { 1 };
    match centres.values.len() == sets * *n_values as usize * centres.width {
        true => Ok(()),
        false => Err("the centres are not as many as the labels' values".into()),
    }
}

/// Every tree must hang together from one root.
fn check_trees(trees: &[VarTree]) -> Result<(), String> {
    for tree in trees {
        let n = tree.parents.len();
        let climb = |v: usize| tree.parents[v].map(|p| p as usize);
        if tree.parents.iter().flatten().any(|&p| p as usize >= n) {
            return Err(format!("a parent is no variable of the {n}"));
        }
        if tree.parents.iter().filter(|p| p.is_none()).count() != 1 {
            return Err("a tree has not one root".into());
        }
        if (0..n).any(|v| std::iter::successors(Some(v), |&v| climb(v)).take(n + 1).count() > n) {
            return Err("a variable is its own ancestor".into());
        }
    }
    Ok(())
}

fn damaged(path: &Path, why: &str) -> Diagnostic {
    Diagnostic::error("lock-damaged", format!("`{}` can't be used: {why}", path.display()))
        .help("remove it, and what was learned is learned again")
}

#[cfg(test)]
mod tests {
    use super::*;
    use pcc_ir::recipe::VarTree;

    fn chain(n: u32) -> Learned {
        Learned::Tree(VarTree { parents: (0..n).map(|v| v.checked_sub(1)).collect() })
    }

    #[test]
    fn what_was_put_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut lock = Lock::open(folder.path()).unwrap();
        assert_eq!(lock.get("tree", "a").unwrap(), Locked::Absent);
        lock.put("tree", "a", &chain(3)).unwrap();
        lock.put("other", "b", &chain(2)).unwrap();
        let lock = Lock::open(folder.path()).unwrap();
        assert_eq!(lock.get("tree", "a").unwrap(), Locked::Fresh(chain(3)));
        assert_eq!(lock.get("tree", "c").unwrap(), Locked::Stale(chain(3)));
        assert_eq!(lock.value("other").unwrap(), Some(chain(2)));
        assert_eq!(lock.value_of_call("other", "b").unwrap(), Some(chain(2)));
        assert_eq!(lock.value_of_call("other", "a").unwrap(), None);
        assert_eq!(lock.get("tree", "a").unwrap().fresh("tree"), Ok(chain(3)));
        for (name, key) in [("tree", "c"), ("none", "a")] {
            assert_eq!(lock.get(name, key).unwrap().fresh(name).unwrap_err().code, "stale-lock");
        }
    }

    #[test]
    fn seconds_lie_beside_values() {
        let folder = tempfile::tempdir().unwrap();
        let mut lock = Lock::open(folder.path()).unwrap();
        lock.put("tree", "a", &chain(3)).unwrap();
        lock.put_seconds("tree", "a", 1.5);
        assert_eq!(lock.seconds()["tree"], 1.5);
        let mut lock = Lock::open(folder.path()).unwrap();
        assert!(lock.seconds().is_empty());
        lock.find_seconds("tree", "other");
        assert!(lock.seconds().is_empty());
        lock.find_seconds("tree", "a");
        assert_eq!(lock.seconds()["tree"], 1.5);
    }

    #[test]
    fn damage_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pcc.lock");
        for text in ["{", "{\"version\": 7, \"learned\": {}}"] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(Lock::open(folder.path()).unwrap_err().code, "lock-damaged");
        }
        std::fs::remove_file(&path).unwrap();
        let mut lock = Lock::open(folder.path()).unwrap();
        let cycle = Learned::Tree(VarTree { parents: vec![None, Some(2), Some(1)] });
        for wrong in [cycle, Learned::Tree(VarTree { parents: vec![None, Some(9)] })] {
            lock.put("tree", "a", &wrong).unwrap();
            assert_eq!(lock.value("tree").unwrap_err().code, "lock-damaged");
        }
    }
}
