//! Random circuits: every kind of layer, groups, tying, sharing, missing values, zero weights.

use super::contract::{answer, assert_agree, check, compiled, compiled_with};
use pcc_ir::random::{Random, Taste, batch, circuit};
use pcc_ir::{Batch, Params};
use pcc_runtime::exec::{Executor, Interpreter};

fn taste(seed: u64) -> Taste {
    let mut random = Random::new(seed ^ 0x7a57e);
    Taste {
        n_variables: 1 + random.below(6),
        depth: 1 + random.below(2),
        zero_weights: [0.0, 0.0, 0.3, 0.7][random.below(4) as usize],
        is_single: random.chance(0.2),
    }
}

#[test]
fn random_circuits_agree_with_the_oracle() {
    for seed in 0..200 {
        let graph = circuit(seed, taste(seed));
        let n_rows = [1, 7, 64, 65, 130][seed as usize % 5];
        let missing = [0.0, 0.3, 1.0][seed as usize % 3];
        let rows = batch(&graph, seed, n_rows, missing, seed % 2 == 0);
        check(&graph, &rows, None, &format!("seed {seed}"));
    }
}

#[test]
fn rows_are_weighted() {
    for seed in 1000..1040 {
        let graph = circuit(seed, taste(seed));
        let rows = batch(&graph, seed, 100, 0.2, false);
        let mut random = Random::new(seed);
        let weights: Vec<f32> =
            (0..100).map(|i| if i % 7 == 0 { 0.0 } else { random.uniform() as f32 }).collect();
        check(&graph, &rows, Some(&weights), &format!("seed {seed}"));
    }
}

#[test]
fn the_number_of_threads_changes_rounding_alone_and_is_repeatable() {
    for seed in 2000..2030 {
        let graph = circuit(seed, taste(seed));
        let rows = batch(&graph, seed, 700, 0.2, false);
        let one = answer(&mut compiled(&graph, 1), &rows, None);
        let two = answer(&mut compiled(&graph, 2), &rows, None);
        let again = answer(&mut compiled(&graph, 2), &rows, None);
        assert_eq!(two, again, "seed {seed}");
        assert_agree(&graph, &two, &one, &format!("seed {seed}"));
    }
}

#[test]
fn nothing_to_run_gives_nothing() {
    let graph = circuit(1, taste(1));
    let answer = answer(&mut compiled(&graph, 2), &Batch::empty(graph.variables().len()), None);
    assert!(answer.logs.is_empty() && answer.flows.iter().all(|&f| f == 0.0));
}

#[test]
fn what_is_derived_from_parameters_follows_them() {
    for seed in 3000..3020 {
        let [mut graph, other] =
            [0.0, 0.5].map(|zero_weights| circuit(seed, Taste { zero_weights, ..taste(1) }));
        if graph.params().iter().zip(other.params()).any(|(a, b)| a.shape != b.shape || a.groups != b.groups)
        {
            // The number of random draws differs with zeros, and so may the structure.
            graph = other.clone();
        }
        let rows = batch(&graph, seed, 90, 0.1, false);
        let mut compiled = compiled_with(&graph, Params::of(&graph), 2);
        compiled.log_likelihoods(&rows);
        let changed = Params::of(&other);
        compiled.update(&mut |params| params.values_mut().copy_from_slice(changed.values()));
        let mut oracle = Interpreter::new(graph.clone(), changed.clone());
        let expected = answer(&mut oracle, &rows, None);
        assert_agree(&graph, &answer(&mut compiled, &rows, None), &expected, &format!("seed {seed}"));
    }
}
