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
    check_root("test.pc", text, &Settings::plain())
}

fn check_root(root: &str, text: &str, settings: &Settings) -> (Sources, Vec<Diagnostic>) {
    let world = Folder { root, text, folder: repository().join("tests/check") };
    let (mut sources, mut sink) = (Sources::new(), Sink::new());
    let program = load(root, &world, &mut sources, &mut sink);
    check_program(&program, settings, &mut sink);
    (sources, sink.into_vec())
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The programs of a folder of the repository, in the order of their names.
fn programs(folder: &str) -> Vec<(PathBuf, String)> {
    let entries = fs::read_dir(repository().join(folder)).unwrap_or_else(|e| panic!("{folder}: {e}"));
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.expect("an entry of the folder").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "pc"));
    paths.sort();
    assert!(!paths.is_empty(), "{folder} has no program");
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(&path).expect("UTF-8 text"))).collect()
}

#[test]
fn the_standard_library_passes_without_a_word() {
    for (path, text) in programs("stdlib") {
        let name = path.file_stem().and_then(|stem| stem.to_str()).expect("a name in UTF-8");
        let (sources, found) = check_root(&format!("std/{name}"), &text, &Settings::plain());
        if let Err(report) = annotations::compare(&text, &sources, &found) {
            panic!("{}\n{report}", path.display());
        }
    }
}

#[test]
fn the_examples_pass_without_a_word() {
    let folders = fs::read_dir(repository().join("examples")).expect("a folder of examples");
    let folders = folders.map(|entry| entry.expect("an entry of the folder").path());
    let models: Vec<PathBuf> =
        folders.map(|folder| folder.join("model.pc")).filter(|path| path.exists()).collect();
    assert!(!models.is_empty(), "there are no examples");
    let read = |path: PathBuf| (path.clone(), fs::read_to_string(&path).expect("UTF-8 text"));
    assert_annotated(models.into_iter().map(read).collect());
}

/// What elaborates has no fault that the check phase could find; it may be doubtful.
#[test]
fn programs_that_elaborate_have_no_errors() {
    for (path, text) in programs("tests/elab/ok") {
        let errors: Vec<_> = check(&text).1.into_iter().filter(Diagnostic::is_error).collect();
        assert_eq!(errors, [], "{}", path.display());
    }
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

/// The words of `help` for each fault of a program.
fn helps(text: &str) -> Vec<String> {
    check(text).1.into_iter().map(|found| found.help.unwrap_or_default()).collect()
}

#[test]
fn help_says_what_would_work() {
    let vars = "vars A, B : bool\nvars X[2, 2] : cat(8)\n";
    for (text, help) in [
        ("circuit M = prod(A, B, a)", "did you mean `A`?"),
        ("learn t = chow_liu(B)", "import it: `import std/trees.{chow_liu}`"),
        ("learn t = choo_liu(B)", "did you mean `chow_liu` (from `std/trees`)?"),
        (
            "circuit M = sum[1](prod(input[64](X[0, 0]), input[32](X[0, 1])))",
            "use `outer` for all pairs, or give both `64` units",
        ),
        ("circuit M = input[1](X[0, 0], gaussian())", "`cat(8)` takes `categorical()` and `binomial(7)`"),
        ("circuit M = prod(A, B)\nassert M: determinstic", "did you mean `deterministic`?"),
        ("circuit M = input[1](X.frst)", "did you mean `first`?"),
        ("const N : int = 2.0", "write a whole number"),
        ("structure S(X: gird) -> layer[1] { input[1](X[0, 0]) }", "did you mean `grid`?"),
        ("circuit M = sum[1](for i in 4: A)", "write the range `0 .. n`"),
    ] {
        let found = helps(&format!("{vars}{text}"));
        assert!(found.iter().any(|h| h == help), "{text}\nhelps with {found:?}");
    }
}

#[test]
fn a_constant_is_what_the_user_sets() {
    let text = "const CODES = 400\nvars A, B : bool\nlatent Z : cat(3)\n\
                circuit M = sum[1](sum[CODES](A, B)) by Z";
    let set = |value: &str| Settings { overrides: vec![("CODES".into(), value.into())], ..Settings::plain() };
    let codes = |settings: &Settings| {
        check_root("test.pc", text, settings).1.iter().map(|d| d.code).collect::<Vec<_>>()
    };
    assert_eq!(codes(&Settings::plain()), ["latent-width"]);
    assert_eq!(codes(&set("3")), [] as [&str; 0]);
    assert_eq!(codes(&set("2 + 1")), [] as [&str; 0], "an expression is left to elaboration");
}

/// The codes of the check phase: in its sources every text in kebab case is one.
fn codes_of_the_check_phase() -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    let mut open =
        vec![repository().join("compiler/front/src/types"), repository().join("compiler/front/src/resolve")];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(&path).expect("a folder").map(|entry| entry.expect("an entry").path()));
            continue;
        }
        let text = fs::read_to_string(&path).expect("UTF-8 text");
        let is_code = |word: &&str| word.contains('-') && word.split('-').all(is_lower);
        codes.extend(text.split('"').filter(is_code).map(str::to_string));
    }
    codes
}

fn is_lower(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase())
}

#[test]
fn every_code_has_a_test() {
    let tests: String = programs("tests/check/err").into_iter().map(|(_, text)| text).collect();
    for code in codes_of_the_check_phase() {
        assert!(tests.contains(&format!("[{code}]")), "`{code}` is not among tests/check/err");
    }
}

#[test]
fn the_example_of_every_page_shows_its_fault() {
    let codes = codes_of_the_check_phase();
    assert!(codes.len() > 40, "the codes are read off the sources: {codes:?}");
    for code in codes {
        let page = repository().join("docs/errors").join(&code).with_extension("md");
        let page = fs::read_to_string(page).unwrap_or_else(|e| panic!("docs/errors/{code}.md: {e}"));
        let example =
            page.split_once("```pc\n").and_then(|(_, rest)| rest.split_once("```")).expect("an example").0;
        let found: Vec<(&str, String)> = check(example).1.into_iter().map(|d| (d.code, d.message)).collect();
        assert!(found.iter().any(|(shown, _)| *shown == code), "{code}.md shows {found:?}");
    }
}

/// Checking must not depend on what a fault leaves behind.
#[test]
fn programs_with_a_line_left_out_are_checked_without_a_panic() {
    for name in ["ok/language.pc", "err/kinds.pc", "err/recipes.pc"] {
        let path = repository().join("tests/check").join(name);
        let text = fs::read_to_string(&path).expect("UTF-8 text");
        let lines: Vec<&str> = text.lines().collect();
        for left_out in 0..lines.len() {
            let rest: Vec<&str> = [&lines[..left_out], &lines[left_out + 1..]].concat();
            check(&rest.join("\n"));
        }
    }
}

#[test]
fn every_test_says_what_it_is() {
    for (path, text) in programs("tests/check/ok").into_iter().chain(programs("tests/check/err")) {
        assert!(text.starts_with("// test check\n"), "{} lacks its first line", path.display());
    }
}
