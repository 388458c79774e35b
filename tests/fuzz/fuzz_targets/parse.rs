//! No text makes the parser panic, and what parses is formatted to a program with the same number of items
//! that formatting leaves alone.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pcc_diag::FileId;
use pcc_grammar::{format, parse};

fuzz_target!(|text: &str| {
    let first = parse(FileId(0), text);
    if !first.errors.is_empty() {
        return;
    }
    let formatted = format(text, &first);
    let second = parse(FileId(0), &formatted);
    assert_eq!(second.errors, []);
    assert_eq!(first.file.items.len(), second.file.items.len());
    assert_eq!(first.trivia.comments.len(), second.trivia.comments.len());
    assert_eq!(format(&formatted, &second), formatted);
});
