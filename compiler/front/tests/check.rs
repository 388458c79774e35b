//! The check phase over the text files of `tests/check`, the standard library and the pages on errors.
//!
//! `PCC_BLESS=1` rewrites the annotations of `tests/check/err`; read the difference before you keep it.

#[path = "../../../tests/support/annotations.rs"]
mod annotations;

use pcc_diag::{Diagnostic, Sink, Sources};
use pcc_front::{Settings, World, check_program, load};
use pcc_ir::VarGroup;
use pcc_ir::recipe::{DataSource, LearnRequest, Learned};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// A program of one text, whatever its path, and of the files of one folder.
struct Folder<'t> {
    root: &'t str,
    text: &'t str,
    folder: PathBuf,
}

impl World for Folder<'_> {
    fn read(&self, path: &str) -> Result<String, String> {
        if path == self.root {
            return Ok(self.text.to_string());
        }
        fs::read_to_string(self.folder.join(path)).map_err(|_| "no such file".to_string())
    }

    fn learned(
        &self,
        _: &LearnRequest,
        _: &[DataSource],
        _: &[VarGroup],
    ) -> Result<Option<Learned>, Diagnostic> {
        Ok(None)
    }
}

/// What the check phase finds in a text, whose imports stand beside the test files.
fn check(text: &str) -> (Sources, Vec<Diagnostic>) {
    check_with(text, &Settings::plain())
}

fn check_with(text: &str, settings: &Settings) -> (Sources, Vec<Diagnostic>) {
    let world = Folder { root: "test.pc", text, folder: repository().join("tests/check") };
    let (mut sources, mut sink) = (Sources::new(), Sink::new());
    let program = load("test.pc", &world, &mut sources, &mut sink);
    check_program(&program, settings, &mut sink);
    (sources, sink.into_vec())
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The programs of a folder of the repository, in the order of their names.
fn programs(folder: &str) -> Vec<(PathBuf, String)> {
    let entries = fs::read_dir(repository().join(folder)).unwrap_or_else(|e| panic!("{folder}: {e}"));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry of the folder").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "pc"));
    paths.sort();
    assert!(!paths.is_empty(), "{folder} has no program");
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(&path).expect("UTF-8 text"))).collect()
}

/// Each program gives the diagnostics that it is annotated with, and no others.
fn assert_annotated(programs: Vec<(PathBuf, String)>) {
    let mut reports = String::new();
    for (path, text) in programs {
        let (sources, found) = check(&text);
        if let Err(report) = annotations::compare(&text, &sources, &found) {
            reports += &format!("{}\n{report}\n", path.display());
        }
    }
    assert!(reports.is_empty(), "{reports}");
}

#[test]
fn sound_programs_pass_without_a_word() {
    assert_annotated(programs("tests/check/ok"));
}

#[test]
fn faults_are_found_where_they_are_annotated() {
    for (path, text) in programs("tests/check/err") {
        if env::var_os("PCC_BLESS").is_some() {
            let plain = annotations::without_annotations(&text);
            let (sources, found) = check(&plain);
            fs::write(&path, annotations::annotated(&plain, &sources, &found)).expect("the file is writable");
            continue;
        }
        assert!(text.contains("error[") || text.contains("warning["), "{} has no fault", path.display());
    }
    assert_annotated(programs("tests/check/err"));
}

#[test]
fn the_standard_library_passes_without_a_word() {
    assert_annotated(programs("stdlib"));
}

#[test]
fn every_test_says_what_it_is() {
    for (path, text) in programs("tests/check/ok").into_iter().chain(programs("tests/check/err")) {
        assert!(text.starts_with("// test check\n"), "{} lacks its first line", path.display());
    }
}
