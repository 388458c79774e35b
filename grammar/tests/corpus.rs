//! The parser and the formatter over the text files of `tests/syntax` and `tests/fmt`.
//!
//! `PCC_BLESS=1` rewrites annotations and formatted files; read the difference before you keep it.

#[path = "../../tests/support/annotations.rs"]
mod annotations;
mod trees;

use pcc_diag::{Diagnostic, FileId, Sources};
use std::path::{Path, PathBuf};
use std::{env, fs};

/// The texts of a folder below `tests/`, with their paths.
fn corpus(folder: &str) -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests").join(folder);
    let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.expect("an entry of the folder").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "pc"));
    paths.sort();
    assert!(!paths.is_empty(), "{} has no program", folder.display());
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(&path).expect("UTF-8 text"))).collect()
}

fn is_blessing() -> bool {
    env::var_os("PCC_BLESS").is_some()
}

fn errors(text: &str) -> (Sources, Vec<Diagnostic>) {
    let mut sources = Sources::new();
    let file = sources.add("test.pc", text);
    (sources, pcc_grammar::parse(file, text).errors)
}

#[test]
fn programs_without_faults_parse() {
    for (path, text) in corpus("syntax/ok") {
        let parse = pcc_grammar::parse(FileId(0), &text);
        assert_eq!(parse.errors, [], "{}", path.display());
        assert!(!parse.file.items.is_empty(), "{} has no item", path.display());
    }
}

#[test]
fn faults_are_found_where_they_are_annotated() {
    for (path, text) in corpus("syntax/err") {
        if is_blessing() {
            let plain = annotations::without_annotations(&text);
            let (sources, found) = errors(&plain);
            fs::write(&path, annotations::annotated(&plain, &sources, &found)).expect("the file is writable");
            continue;
        }
        let (sources, found) = errors(&text);
        assert!(!found.is_empty(), "{} has no fault", path.display());
        if let Err(report) = annotations::compare(&text, &sources, &found) {
            panic!("{}\n{report}", path.display());
        }
    }
}

#[test]
fn annotations_do_not_change_what_is_found() {
    for (path, text) in corpus("syntax/err") {
        let codes =
            |text: &str| errors(text).1.iter().map(|d| (d.code, d.message.clone())).collect::<Vec<_>>();
        assert_eq!(codes(&text), codes(&annotations::without_annotations(&text)), "{}", path.display());
    }
}

/// Each `<name>.pc` is formatted to `<name>.out.pc`, which is its own format.
#[test]
fn programs_are_formatted_as_written_beside_them() {
    for (path, text) in corpus("fmt") {
        if path.to_string_lossy().ends_with(".out.pc") {
            continue;
        }
        let parse = pcc_grammar::parse(FileId(0), &text);
        assert_eq!(parse.errors, [], "{}", path.display());
        let found = pcc_grammar::format(&text, &parse);
        let beside = path.with_extension("out.pc");
        if is_blessing() {
            fs::write(&beside, &found).expect("the file is writable");
        }
        let expected = fs::read_to_string(&beside).unwrap_or_default();
        assert_eq!(found, expected, "{}", beside.display());
    }
}

#[test]
fn formatting_keeps_the_tree_and_every_comment_and_is_done_after_one_time() {
    for (path, text) in corpus("syntax/ok").into_iter().chain(corpus("fmt")) {
        trees::check_format(&text).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()));
    }
}

#[test]
fn a_text_with_faults_keeps_its_format() {
    for (path, text) in corpus("syntax/err") {
        let parse = pcc_grammar::parse(FileId(0), &text);
        assert_eq!(pcc_grammar::format(&text, &parse), text, "{}", path.display());
    }
}

/// The codes of this crate whose page shows a program with the fault.
const CODES: [&str; 11] = [
    "block-without-value",
    "expected-item",
    "keyword-as-name",
    "malformed-number",
    "number-out-of-range",
    "space-before-call",
    "unclosed-bracket",
    "unclosed-string",
    "unexpected-character",
    "unexpected-token",
    "unopened-bracket",
];

#[test]
fn the_example_on_the_page_of_a_code_has_that_fault() {
    for code in CODES {
        let page = pcc_diag::code::page(code).unwrap_or_else(|| panic!("{code} has no page"));
        let example = page.split("```pc\n").nth(1).and_then(|rest| rest.split("```").next());
        let example = example.unwrap_or_else(|| panic!("{code} has no example"));
        let found: Vec<&str> = errors(example).1.iter().map(|d| d.code).collect();
        assert_eq!(found, [code], "{example}");
    }
}

#[test]
fn annotations_report_what_differs() {
    let text = "circuit M = sum [1](A)\n//             ^^ error[space-before-call]: no space\n";
    let (sources, found) = errors(text);
    assert_eq!(annotations::compare(text, &sources, &found), Ok(()));

    for changed in [
        text.replace("             ^^", "            ^^^"),
        text.replace("error[", "warning["),
        text.replace("space-before", "space-behind"),
        text.replace("no space", "some space"),
        text.replace("//   ", "// ! "),
        text.replacen("\n", "\n\n", 1),
    ] {
        let (sources, found) = errors(&changed);
        assert!(annotations::compare(&changed, &sources, &found).is_err(), "{changed}");
    }
    assert!(annotations::annotations("x\n// ^^ nonsense\n").is_err());
    assert!(annotations::compare("vars A : bool\n", &sources, &found).is_err());
}
