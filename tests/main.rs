//! One test binary: finds the text files under `tests/`, runs each the way its folder says, and compares.
//! `PCC_BLESS=1` writes what was seen into the files that hold whole outputs.

#[path = "support/bench.rs"]
mod bench;
#[path = "support/book.rs"]
mod book;
#[path = "support/cli.rs"]
mod cli;
#[path = "support/examples.rs"]
mod examples;
mod props;
#[path = "support/run.rs"]
mod run;
#[path = "support/tidy.rs"]
mod tidy;

use libtest_mimic::{Arguments, Trial};
use std::path::Path;

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut trials = vec![
        trial("tidy", "file sizes", move || tidy::file_sizes(root)),
        trial("tidy", "module docs", move || tidy::module_docs(root)),
        trial("tidy", "a page for every code", move || tidy::pages(root)),
        trial("tidy", "the example of every page", move || tidy::page_examples(root)),
        trial("tidy", "formatted programs", move || tidy::programs_are_formatted(root)),
        trial("tidy", "a test for every code", move || tidy::codes_are_tested(root)),
    ];
    for path in tidy::files(root, &["tests/cli"], "txt") {
        let name = stem(&path);
        trials.push(trial("cli", &name, move || cli::transcript(&path)));
    }
    for path in tidy::files(root, &["tests/run"], "pc") {
        let name = stem(&path);
        trials.push(trial("run", &name, move || run::file(&path)));
    }
    for path in tidy::files(root, &["docs/book"], "md") {
        let name = stem(&path);
        trials.push(trial("book", &name, move || book::page(&path)));
    }
    for path in tidy::files(root, &["examples"], "pc") {
        let name = path.parent().map_or_else(String::new, stem);
        trials.push(trial("examples", &name, move || examples::example(&path)));
    }
    for path in tidy::files(root, &["examples"], "md") {
        let name = path.parent().map_or_else(String::new, stem);
        trials.push(trial("book", &format!("example {name}"), move || book::example(&path)));
    }
    trials.push(trial("book", "front page", move || book::page(&root.join("README.md"))));
    trials.push(trial("bench", "lines have their keys", bench::lines_have_their_keys));
    trials.push(trial("bench", "the comparison has a plan", move || bench::the_comparison_has_a_plan(root)));
    let properties: [(&str, props::Property); 6] = [
        ("likelihoods and marginals", props::likelihoods_and_marginals),
        ("conditionals", props::conditionals),
        ("single posteriors", props::single_posteriors),
        ("likeliest completions", props::likeliest_completions),
        ("samples", props::samples),
        ("files keep every bit", props::files_keep_every_bit),
    ];
    trials.extend(properties.map(|(name, property)| trial("props", name, property)));
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn stem(path: &Path) -> String {
    path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default()
}

fn trial(kind: &str, name: &str, test: impl FnOnce() -> Result<(), String> + Send + 'static) -> Trial {
    Trial::test(name, move || test().map_err(Into::into)).with_kind(kind)
}
