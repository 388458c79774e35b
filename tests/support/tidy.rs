//! Rules of the house that a compiler can't check: sizes of files, module documentation, and a page and a
//! test for every diagnostic code.

use super::cli::pcc;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A file may have so many lines, tests left out.
const MOST_LINES: usize = 700;

/// Headings that a page of `docs/errors/` must have.
const HEADINGS: [&str; 4] = ["## What it means", "## Why", "## Example", "## What to do"];

/// Files with an extension below some folders of the repository.
pub fn files(root: &Path, folders: &[&str], extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = folders.iter().map(|f| root.join(f)).collect();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() && !path.ends_with("target") {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn sources(root: &Path) -> Vec<PathBuf> {
    files(root, &["grammar", "compiler", "runtime"], "rs")
}

/// The text of a source file before its tests.
fn code_of(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.split("#[cfg(test)]\nmod ").next().unwrap_or_default().to_string()
}

/// No file is longer than a reader can hold.
pub fn file_sizes(root: &Path) -> Result<(), String> {
    let is_test = |p: &Path| p.components().any(|c| c.as_os_str() == "tests" || c.as_os_str() == "fuzz");
    let too_long = sources(root).into_iter().filter(|p| !is_test(p)).filter_map(|path| {
        let lines = code_of(&path).lines().count();
        (lines > MOST_LINES).then(|| format!("{} has {lines} lines", path.display()))
    });
    none(too_long, "split these files")
}

/// Every module says what it is for.
pub fn module_docs(root: &Path) -> Result<(), String> {
    let bare = sources(root)
        .into_iter()
        .filter(|p| !fs::read_to_string(p).unwrap_or_default().trim_start().starts_with("//!"))
        .map(|p| p.display().to_string());
    none(bare, "begin these files with a `//!` paragraph")
}

/// The codes of all diagnostics in the sources, with the file that uses each.
fn codes(root: &Path) -> BTreeMap<String, PathBuf> {
    let mut codes = BTreeMap::new();
    for path in sources(root) {
        let text = code_of(&path);
        for maker in ["error(", "warning(", "advice(", "new(Severity::Error,", "fault(", "bail!("] {
            for (at, _) in text.match_indices(maker) {
                if let Some(code) = first_code(&text[at + maker.len()..]) {
                    codes.entry(code).or_insert_with(|| path.clone());
                }
            }
        }
    }
    codes
}

/// A kebab-case string literal that stands first among some arguments.
fn first_code(arguments: &str) -> Option<String> {
    let rest = arguments.trim_start().strip_prefix('"')?;
    let code = &rest[..rest.find('"')?];
    let is_slug = code.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    (is_slug && code.contains('-') && !code.starts_with('-')).then(|| code.to_string())
}

/// Every code has a page, every page has all headings.
pub fn pages(root: &Path) -> Result<(), String> {
    let mut faults = Vec::new();
    for (code, path) in codes(root) {
        if !root.join(format!("docs/errors/{code}.md")).exists() {
            faults.push(format!("{code} ({}) has no page", path.display()));
        }
    }
    for page in files(root, &["docs/errors"], "md") {
        let text = fs::read_to_string(&page).unwrap_or_default();
        let missing: Vec<&&str> = HEADINGS.iter().filter(|h| !text.contains(**h)).collect();
        if !missing.is_empty() {
            faults.push(format!("{} lacks {missing:?}", page.display()));
        }
    }
    none(faults.into_iter(), "write docs/errors/<code>.md")
}

/// The first program on a page has the fault that the page explains and no other; or none at all, where the
/// fault shows only when the program runs.
pub fn page_examples(root: &Path) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    let mut faults = Vec::new();
    for page in files(root, &["docs/errors"], "md") {
        let text = fs::read_to_string(&page).unwrap_or_default();
        let code = page.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        let Some((_, rest)) = text.split_once("```pc\n") else { continue };
        let example = rest.split("```").next().unwrap_or_default();
        fs::write(folder.path().join("example.pc"), example).map_err(|e| e.to_string())?;
        let seen = pcc(folder.path(), "check --format json example.pc")?;
        let out = String::from_utf8_lossy(&seen.stdout).into_owned();
        let errors = || out.lines().filter(|line| line.contains("\"severity\":\"error\""));
        let own = format!("\"code\":\"{code}\"");
        if !out.contains(&own) && errors().next().is_some() || errors().any(|line| !line.contains(&own)) {
            faults.push(format!("{code} shows\n{out}"));
        }
    }
    none(faults.into_iter(), "these pages have examples with another fault")
}

/// Every code is expected by some test.
pub fn codes_are_tested(root: &Path) -> Result<(), String> {
    let mut tested = String::new();
    let folders = ["tests", "grammar", "compiler", "runtime"];
    for extension in ["pc", "rs", "txt", "md"] {
        for path in files(root, &folders, extension) {
            let text = fs::read_to_string(&path).unwrap_or_default();
            let is_test = path.components().any(|c| c.as_os_str() == "tests") || path.ends_with("tests.rs");
            let tests = if is_test { 0 } else { text.find("#[cfg(test)]").unwrap_or(text.len()) };
            tested.push_str(&text[tests..]);
        }
    }
    let words: BTreeSet<&str> = tested.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').collect();
    let untested = codes(root).into_keys().filter(|code| !words.contains(code.as_str()));
    none(untested, "no test expects these codes")
}

/// The library and the examples are laid out as `pcc fmt` would.
pub fn programs_are_formatted(root: &Path) -> Result<(), String> {
    let changed = files(root, &["stdlib", "examples"], "pc").into_iter().filter(|path| {
        let text = fs::read_to_string(path).unwrap_or_default();
        let parse = pcc_grammar::parse(pcc_diag::FileId(0), &text);
        !parse.errors.is_empty() || pcc_grammar::format(&text, &parse) != text
    });
    none(changed.map(|p| p.display().to_string()), "run `pcc fmt` on these files")
}

fn none(faults: impl Iterator<Item = String>, what: &str) -> Result<(), String> {
    let faults: Vec<String> = faults.collect();
    if faults.is_empty() { Ok(()) } else { Err(format!("{what}:\n  {}", faults.join("\n  "))) }
}
