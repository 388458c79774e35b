//! How diagnostics look on a terminal and as JSON.

use pcc_diag::{Diagnostic, FileId, Frame, RenderConfig, Sources, Span, render, to_json};

const TEXT: &str = "\
vars X[4] : bool

structure Pair[K: int](X: seq) -> layer[1] {
  sum[1](prod(leaf[K](head(X, to = 2)), leaf[K](tail(X, from = 1))))
}

circuit M = Pair[K = 8](X)
";

const PLAIN: RenderConfig = RenderConfig { has_color: false, has_unicode: true, width: 100 };

fn span(file: FileId, needle: &str) -> Span {
    let start = TEXT.find(needle).expect("the needle is in the text");
    Span::new(file, start, start + needle.len())
}

fn example() -> (Sources, Diagnostic) {
    let mut sources = Sources::new();
    let file = sources.add("pair.pc", TEXT);
    let message = "product children share variables, so this circuit is not decomposable";
    let call = Frame {
        span: span(file, "Pair[K = 8](X)"),
        callee: "Pair[K = 8]".to_string(),
        arguments: "X = X[0..4], K = 8".to_string(),
    };
    let diagnostic = Diagnostic::error("overlapping-scopes", message)
        .at(span(file, "prod"), "both children contain X[1]")
        .note(span(file, "leaf[K](head(X, to = 2))"), "scope here: X[0], X[1]")
        .help("split on disjoint ranges: did you mean `tail(X, from = 2)`?")
        .with_frames(vec![call]);
    (sources, diagnostic)
}

#[test]
fn the_report_shows_the_fault_the_evidence_and_the_call() {
    let (sources, diagnostic) = example();
    let expected = "\
pcc::overlapping-scopes

  × product children share variables, so this circuit is not decomposable
   ╭─[pair.pc:4:10]
 3 │ structure Pair[K: int](X: seq) -> layer[1] {
 4 │   sum[1](prod(leaf[K](head(X, to = 2)), leaf[K](tail(X, from = 1))))
   ·          ──┬─ ────────────┬───────────
   ·            │              ╰── scope here: X[0], X[1]
   ·            ╰── both children contain X[1]
 5 │ }
   ╰────
  help: split on disjoint ranges: did you mean `tail(X, from = 2)`?

Advice: 
  ☞ while elaborating `Pair[K = 8]`, called from here
   ╭─[pair.pc:7:13]
 6 │ 
 7 │ circuit M = Pair[K = 8](X)
   ·             ───────┬──────
   ·                    ╰── X = X[0..4], K = 8
   ╰────
";
    assert_eq!(render(&diagnostic, &sources, PLAIN), expected);
}

#[test]
fn a_call_whose_arguments_are_marked_is_marked_at_its_head() {
    let mut sources = Sources::new();
    let file = sources.add("pair.pc", TEXT);
    let diagnostic = Diagnostic::error("overlapping-scopes", "product children share variables")
        .at(span(file, "prod(leaf[K](head(X, to = 2)), leaf[K](tail(X, from = 1)))"), "both contain X[1]")
        .note(span(file, "leaf[K](head(X, to = 2))"), "scope here: X[0], X[1]");
    let text = render(&diagnostic, &sources, PLAIN);
    assert!(text.contains("   ·          ──┬─ ────────────┬───────────\n"), "{text}");
    assert!(text.contains("   ·            ╰── both contain X[1]\n"), "{text}");
}

#[test]
fn ascii_has_no_other_character_and_colour_adds_only_escapes() {
    let (sources, diagnostic) = example();
    assert!(render(&diagnostic, &sources, RenderConfig { has_unicode: false, ..PLAIN }).is_ascii());
    let colored = render(&diagnostic, &sources, RenderConfig { has_color: true, ..PLAIN });
    assert!(colored.contains("\u{1b}["));
    let mut plain = String::new();
    for (i, part) in colored.split("\u{1b}[").enumerate() {
        plain += if i == 0 { part } else { part.split_once('m').map_or("", |(_, rest)| rest) };
    }
    assert_eq!(plain, render(&diagnostic, &sources, PLAIN));
}

#[test]
fn a_label_in_another_file_gets_its_own_snippet() {
    let (mut sources, diagnostic) = example();
    let other = sources.add("std/trees.pc", "native fn chow_liu(d: data) -> tree\n");
    let text = render(&diagnostic.note(Span::new(other, 10, 18), "declared here"), &sources, PLAIN);
    assert!(text.contains("see also std/trees.pc"), "{text}");
    assert!(text.contains("[std/trees.pc:1:11]"), "{text}");
    assert!(text.contains("declared here"), "{text}");
}

#[test]
fn spans_outside_the_text_or_inside_a_character_are_drawn_all_the_same() {
    let mut sources = Sources::new();
    let file = sources.add("é.pc", "é");
    for (start, end) in [(1, 1), (0, 1), (1, 900), (900, 901)] {
        let diagnostic =
            Diagnostic::error("unknown-name", "it is odd").at(Span::new(file, start, end), "here");
        let text = render(&diagnostic, &sources, PLAIN);
        assert!(text.contains("it is odd") && text.contains("here"), "{text}");
    }
    let nowhere = Diagnostic::error("unknown-name", "it is odd").at(Span::new(FileId(7), 0, 1), "here");
    assert!(render(&nowhere, &sources, PLAIN).contains("it is odd"));
}

#[test]
fn json_has_the_promised_keys_on_one_line() {
    let (sources, diagnostic) = example();
    let line = to_json(&diagnostic, &sources);
    assert!(!line.contains('\n'));
    let value: serde_json::Value = serde_json::from_str(&line).expect("valid JSON");
    assert_eq!(value["code"], "overlapping-scopes");
    assert_eq!(value["severity"], "error");
    assert_eq!(value["help"], "split on disjoint ranges: did you mean `tail(X, from = 2)`?");
    assert_eq!(
        value["labels"][0],
        serde_json::json!({
            "file": "pair.pc", "line": 4, "column": 10, "end_line": 4, "end_column": 14,
            "text": "both children contain X[1]",
        })
    );
    assert_eq!(value["labels"].as_array().map(Vec::len), Some(3));
}
