//! Whatever a program says, elaboration gives a circuit or a diagnostic: programs of the test corpus with
//! tokens left out, doubled, swapped and replaced never make it panic.

use pcc_diag::{Diagnostic, Sink, Sources};
use pcc_front::*;
use pcc_ir::VarGroup;
use pcc_ir::recipe::{DataSource, LearnRequest, Learned, VarTree};
use std::fs;
use std::path::{Path, PathBuf};

/// How many mutants of each program are tried.
const MUTANTS: u64 = 12;

/// A program of one text, whose learners find a path of four variables, fitting or not.
struct Mutant(String);

impl World for Mutant {
    fn read(&self, path: &str) -> Result<String, String> {
        if path == "mutant.pc" { Ok(self.0.clone()) } else { Err("no such file".into()) }
    }

    fn learned(
        &self,
        _: &LearnRequest,
        _: &[DataSource],
        _: &[VarGroup],
    ) -> Result<Option<Learned>, Diagnostic> {
        Ok(Some(Learned::Tree(VarTree { parents: vec![None, Some(0), Some(1), Some(2)] })))
    }
}

/// Numbers of a linear congruential generator (the multiplier is Knuth's).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }
}

fn corpus() -> Vec<(PathBuf, String)> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut texts = Vec::new();
    for folder in ["tests/elab/ok", "tests/elab/err", "stdlib"] {
        for entry in fs::read_dir(repository.join(folder)).expect("a folder of programs") {
            let path = entry.expect("an entry").path();
            let text = fs::read_to_string(&path).expect("UTF-8 text");
            texts.push((path, text));
        }
    }
    texts.sort();
    texts
}

/// Words, numbers and single signs, with the white space between them.
fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text;
    let class = |c: char| {
        if c.is_alphanumeric() || c == '_' {
            0
        } else if c.is_whitespace() {
            1
        } else {
            2
        }
    };
    while let Some(first) = rest.chars().next() {
        let same = |c: char| class(c) != class(first) || class(first) == 2;
        let end = rest.char_indices().skip(1).find(|(_, c)| same(*c)).map_or(rest.len(), |(i, _)| i);
        tokens.push(&rest[..end]);
        rest = &rest[end..];
    }
    tokens
}

fn mutated(text: &str, numbers: &mut Numbers) -> String {
    let mut tokens = tokens(text);
    for _ in 0..=numbers.below(3) {
        let (at, other) = (numbers.below(tokens.len()), numbers.below(tokens.len()));
        match numbers.below(4) {
            0 => drop(tokens.remove(at)),
            1 => tokens.insert(at, tokens[other]),
            2 => tokens.swap(at, other),
            _ => tokens[at] = ["0", "1", "7", "0.5", "X", "K", "true", "(X)", "-1", "[]"][numbers.below(10)],
        }
    }
    tokens.concat()
}

#[test]
fn mutants_never_panic() {
    let mut settings = Settings::plain();
    settings.budget = Budget { layers: 2_000, depth: 300, steps: 20_000 };
    let (mut n_faulty, mut n_sound) = (0, 0);
    for (i, (path, text)) in corpus().into_iter().enumerate() {
        for mutant in 0..MUTANTS {
            let mut numbers = Numbers(1_000 * i as u64 + mutant);
            let world = Mutant(mutated(&text, &mut numbers));
            let result = std::panic::catch_unwind(|| everything(&world, &settings));
            match result {
                Ok(true) => n_faulty += 1,
                Ok(false) => n_sound += 1,
                Err(_) => panic!("a mutant of {}:\n{}", path.display(), world.0),
            }
        }
    }
    assert!(n_faulty > 150 && n_sound > 20, "{n_faulty} faulty and {n_sound} sound mutants");
}

/// Runs all that this crate does with a program; whether it found a fault.
fn everything(world: &Mutant, settings: &Settings) -> bool {
    let (mut sources, mut sink) = (Sources::new(), Sink::new());
    let program = load("mutant.pc", world, &mut sources, &mut sink);
    check_program(&program, settings, &mut sink);
    variables(&program, settings, &mut sink);
    data_sources(&program, settings, &mut sink);
    learn_requests(&program, settings, &mut sink);
    recipes(&program, settings, &mut sink);
    let claims = assertions(&program, world, settings, &mut sink);
    for circuit in program.circuits() {
        if let Some(elaborated) = elaborate(&program, circuit, world, settings, &mut sink) {
            verify(&program, circuit, &elaborated, &claims, world, settings, &mut sink);
        }
    }
    sink.has_errors()
}
