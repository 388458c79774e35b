//! Elaboration over the text files of `tests/elab`, the standard library and the examples.
//!
//! A file of `tests/elab/ok` says in lines such as `//? M: layers = 5, sum = 2` how many layers, units,
//! parameters and layers of each kind a circuit has; the numbers are counted by hand or by a closed form that
//! stands beside them. A file of `tests/elab/err` carries its diagnostics under the lines they speak of.
//! `PCC_BLESS=1` rewrites these; read the difference before you keep it.

#[path = "../../../tests/support/annotations.rs"]
mod annotations;

use pcc_diag::{Diagnostic, Sink, Sources};
use pcc_front::{Program, Settings, World, assertions, elaborate, load, verify};
use pcc_ir::recipe::{DataSource, DataView, LearnCall, LearnRequest, Learned, VarTree};
use pcc_ir::{Graph, VarGroup};
use std::path::{Path, PathBuf};
use std::{env, fs};

/// A program of one text whose learners always find a tree in which each variable has two children.
struct Lesson<'t> {
    root: &'t str,
    text: &'t str,
}

impl World for Lesson<'_> {
    fn read(&self, path: &str) -> Result<String, String> {
        if path == self.root { Ok(self.text.to_string()) } else { Err("no such file".to_string()) }
    }

    fn learned(
        &self,
        request: &LearnRequest,
        sources: &[DataSource],
        variables: &[VarGroup],
    ) -> Result<Option<Learned>, Diagnostic> {
        let group = |name: &str| variables.iter().find(|g| g.name == name).expect("a declared group");
        let n_of = |data: &str| {
            let source = sources.iter().find(|s| s.name == data).expect("a data item");
            source.variables.iter().map(|g| group(g).len()).sum::<usize>()
        };
        let n_tiles = |tiles: &[u32]| tiles.iter().product::<u32>() as usize;
        let n = match &request.call {
            LearnCall::ChowLiu { data: DataView::Whole(data), .. } => n_of(data),
            LearnCall::ChowLiu { data: DataView::Tile { data, tiles, .. }, .. } => {
                n_of(data) / n_tiles(tiles)
            }
            LearnCall::ChowLiu { data: DataView::Tiles { data, tiles }, .. } => n_of(data) / n_tiles(tiles),
            // In these programs all labels are of the one latent.
            _ => variables.iter().find(|g| g.is_latent).map_or(1, VarGroup::len),
        };
        let parent = |i: usize| i.checked_sub(1).map(|i| i as u32 / 2);
        Ok(Some(Learned::Tree(VarTree { parents: (0..n).map(parent).collect() })))
    }
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn programs(folder: &Path) -> Vec<(PathBuf, String)> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.expect("an entry of the folder").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "pc"));
    paths.sort();
    assert!(!paths.is_empty(), "{} has no program", folder.display());
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(&path).expect("UTF-8 text"))).collect()
}

/// Everything that elaboration finds in a program: the graphs of its circuits, and the diagnostics, those of
/// the claims included.
fn run(root: &str, text: &str) -> (Sources, Vec<(String, Graph)>, Vec<Diagnostic>) {
    let world = Lesson { root, text };
    let (mut sources, mut sink) = (Sources::new(), Sink::new());
    let program = load(root, &world, &mut sources, &mut sink);
    let graphs = run_loaded(&program, &world, &mut sink);
    (sources, graphs, sink.into_vec())
}

/// Diagnostics as lines, for a failed test.
fn lines(sources: &Sources, found: &[Diagnostic]) -> String {
    let line = |d: &Diagnostic| {
        let at = d.labels.first().map_or(String::new(), |l| {
            let (line, column) = sources.line_column(l.span.file, l.span.start);
            let file = sources.get(l.span.file).map_or("", |f| f.name.as_str());
            format!("{file}:{line}:{column}")
        });
        format!("\n{at} {}: {} ({:?})", d.code, d.message, d.help)
    };
    found.iter().map(line).collect()
}

fn run_loaded(program: &Program, world: &dyn World, sink: &mut Sink) -> Vec<(String, Graph)> {
    // A small budget keeps endless programs quick.
    let mut settings = Settings::plain();
    settings.budget.depth = 6_000;
    settings.budget.layers = 300_000;
    let claims = assertions(program, world, &settings, sink);
    let mut graphs = Vec::new();
    for circuit in program.circuits() {
        if let Some(elaborated) = elaborate(program, circuit, world, &settings, sink) {
            verify(program, circuit, &elaborated, &claims, world, &settings, sink);
            graphs.push((circuit.to_string(), elaborated.graph));
        }
    }
    graphs
}

/// A number about a graph, counted here and not by the graph where it is short to do so.
fn fact(graph: &Graph, name: &str) -> u64 {
    let layers = || graph.layer_ids().map(|id| graph.layer(id));
    if let Some(label) = name.strip_prefix("let ") {
        return graph.labels().iter().filter(|(_, l)| l == label).count() as u64;
    }
    let word = match name {
        "layers" => return graph.n_layers() as u64,
        "units" => return layers().map(|l| l.n_units() as u64).sum(),
        "width" => return layers().map(|l| l.n_units() as u64).max().unwrap_or(0),
        "groups" => return layers().map(|l| u64::from(l.groups)).max().unwrap_or(0),
        "params" => return graph.params().iter().filter(|p| !p.is_fixed).map(|p| p.len() as u64).sum(),
        "tables" => return graph.params().len() as u64,
        "variables" => return graph.variables().len() as u64,
        "scope" => return graph.scope(graph.root()).len() as u64,
        word => word,
    };
    let is_known = ["input", "literal", "indicator", "prod", "outer", "sum", "mix"].contains(&word);
    assert!(is_known, "no fact `{name}`");
    layers().filter(|l| l.kind.word() == word).count() as u64
}

#[test]
fn circuits_have_the_sizes_that_are_written_beside_them() {
    let mut n_facts = 0;
    for (path, text) in programs(&repository().join("tests/elab/ok")) {
        let (sources, graphs, found) = run("test.pc", &text);
        assert!(found.is_empty(), "{}: {}", path.display(), lines(&sources, &found));
        for line in text.lines().filter_map(|l| l.trim_start().strip_prefix("//?")) {
            let (circuit, facts) = line.split_once(':').expect("a circuit and facts");
            let (_, graph) =
                graphs.iter().find(|(name, _)| name == circuit.trim()).expect("a circuit of the file");
            for claim in facts.split(',') {
                let (name, number) = claim.split_once('=').expect("fact = number");
                let number: u64 = number.trim().parse().expect("a number");
                assert_eq!(fact(graph, name.trim()), number, "{}: {line}: {claim}", path.display());
                n_facts += 1;
            }
        }
    }
    assert!(n_facts > 20, "only {n_facts} facts were looked at");
}

#[test]
fn faulty_programs_get_the_diagnostics_that_are_written_in_them() {
    let mut reports = String::new();
    for (path, text) in programs(&repository().join("tests/elab/err")) {
        let plain = annotations::without_annotations(&text);
        if env::var_os("PCC_BLESS").is_some() {
            let (sources, _, found) = run("test.pc", &plain);
            fs::write(&path, annotations::annotated(&plain, &sources, &found)).expect("a writable file");
            continue;
        }
        let (sources, _, found) = run("test.pc", &text);
        assert!(!found.is_empty(), "{} has no fault", path.display());
        if let Err(report) = annotations::compare(&text, &sources, &found) {
            reports += &format!("{}\n{report}\n", path.display());
        }
    }
    assert!(reports.is_empty(), "{reports}");
}

#[test]
fn the_examples_of_the_standard_library_keep_what_they_assert() {
    let mut n_circuits = 0;
    for (path, text) in programs(&repository().join("stdlib")) {
        let name = path.file_stem().and_then(|stem| stem.to_str()).expect("a name in UTF-8");
        let (sources, graphs, found) = run(&format!("std/{name}"), &text);
        assert!(found.is_empty(), "{}: {}", path.display(), lines(&sources, &found));
        n_circuits += graphs.len();
    }
    assert!(n_circuits >= 12);
}

#[test]
fn the_examples_elaborate_and_keep_what_they_assert() {
    let mut n_circuits = 0;
    for entry in fs::read_dir(repository().join("examples")).expect("the examples") {
        let path = entry.expect("an entry").path().join("model.pc");
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let (sources, graphs, found) = run("model.pc", &text);
        assert!(found.is_empty(), "{}: {}", path.display(), lines(&sources, &found));
        n_circuits += graphs.len();
    }
    assert!(n_circuits >= 10);
}

/// The example on the page of a fault of elaboration has that fault.
#[test]
fn pages_show_the_faults_they_explain() {
    let codes = [
        "budget-spent",
        "copies-under-share",
        "division-by-zero",
        "inexact-division",
        "misplaced-learner",
        "missing-else",
        "number-overflow",
        "recursion-does-not-shrink",
        "scope-differs",
        "shared-shape-differs",
        "tiles-do-not-divide",
        "tree-differs",
        "unknown-import",
        "unknown-module",
        "unsatisfiable",
    ];
    for code in codes {
        let page = fs::read_to_string(repository().join(format!("docs/errors/{code}.md"))).expect(code);
        let example = page.split("```pc\n").nth(1).and_then(|rest| rest.split("```").next()).expect(code);
        let (sources, _, found) = run("example.pc", example);
        assert!(found.iter().any(|d| d.code == code), "{code}: {}", lines(&sources, &found));
    }
}

/// A deep recursion and a wide structure, as large as real ones.
#[test]
fn large_circuits_elaborate() {
    let hmm = "import std/hmm.{Hmm}\nvars W[5000] : token(10)\ncircuit M = Hmm[K = 8](W)\n";
    let (sources, graphs, found) = run("test.pc", hmm);
    assert!(found.is_empty(), "{}", lines(&sources, &found));
    // Inputs and products at each step but that the last has no product, and a sum at each step.
    assert_eq!(fact(&graphs[0].1, "layers"), 5_000 + 4_999 + 5_000);
    let wide = "vars X[50000] : bool\ncircuit M = prod(for v in X: sum[1](v, not v))\n";
    let (sources, graphs, found) = run("test.pc", wide);
    assert!(found.is_empty(), "{}", lines(&sources, &found));
    assert_eq!(fact(&graphs[0].1, "layers"), 3 * 50_000 + 1);
}
