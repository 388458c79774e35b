//! Random circuits: groups, tying, sharing, missing values, zero weights, all families.

use super::contract::{answer, assert_agree};
use super::units;
use pcc_ir::random::{Random, Taste, batch, circuit};
use pcc_ir::recipe::Per;
use pcc_ir::{Batch, Graph, Params};
use pcc_runtime::exec::{Executor, Interpreter};
use pcc_runtime::train::Update;

fn taste(seed: u64) -> Taste {
    let mut random = Random::new(seed ^ 0x7a57e);
    Taste {
        n_variables: 1 + random.below(6),
        depth: 1 + random.below(3),
        zero_weights: [0.0, 0.0, 0.3, 0.7][random.below(4) as usize],
        is_single: random.chance(0.6),
    }
}

fn check(graph: &Graph, rows: &Batch, weights: Option<&[f32]>, place: &str) {
    let expected = answer(&mut Interpreter::new(graph.clone(), Params::of(graph)), rows, weights);
    for threads in [1, 2] {
        let found = answer(&mut units(graph, Params::of(graph), threads), rows, weights);
        assert_agree(graph, &found, &expected, place);
        for (log, wanted) in found.logs.iter().zip(&expected.logs) {
            // Far closer than the contract asks.
            assert!(log == wanted || (log - wanted).abs() < 1e-11 * (1.0 + wanted.abs()), "{place}");
        }
    }
}

#[test]
fn random_circuits_agree_with_the_oracle() {
    for seed in 0..300 {
        let graph = circuit(seed, taste(seed));
        let n_rows = [1, 7, 8, 65, 130][seed as usize % 5];
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
fn the_same_threads_give_the_same_bits() {
    for seed in 2000..2030 {
        let graph = circuit(seed, taste(seed));
        let rows = batch(&graph, seed, 300, 0.2, false);
        let [once, again] = [0, 1].map(|_| answer(&mut units(&graph, Params::of(&graph), 2), &rows, None));
        assert_eq!(once, again, "seed {seed}");
    }
}

#[test]
fn nothing_to_run_gives_nothing() {
    let graph = circuit(1, taste(1));
    let none = Batch::empty(graph.variables().len());
    let answer = answer(&mut units(&graph, Params::of(&graph), 2), &none, None);
    assert!(answer.logs.is_empty() && answer.flows.iter().all(|&f| f == 0.0));
}

#[test]
fn weights_follow_the_parameters() {
    for seed in 3000..3020 {
        let graph = circuit(seed, taste(seed));
        let rows = batch(&graph, seed, 20, 0.1, false);
        let mut executor = units(&graph, Params::of(&graph), 2);
        answer(&mut executor, &rows, None);
        let change = |params: &mut Params| {
            for param in (0..graph.params().len()).map(pcc_ir::ParamId::new) {
                if !matches!(graph.param(param).shape, pcc_ir::ParamShape::Input { .. }) {
                    params.table_mut(param).iter_mut().enumerate().for_each(|(i, w)| *w *= 1.0 + i as f32);
                }
            }
        };
        executor.update(&mut |params| change(params));
        let mut oracle = Interpreter::new(graph.clone(), Params::of(&graph));
        oracle.update(&mut |params| change(params));
        let expected = answer(&mut oracle, &rows, None);
        assert_agree(&graph, &answer(&mut executor, &rows, None), &expected, &format!("seed {seed}"));
    }
}

#[test]
fn learning_moves_parameters_as_the_oracle_does() {
    for seed in 4000..4030 {
        let graph = circuit(seed, taste(seed));
        let held = vec![false; graph.params().len()];
        let update =
            Update { step: 0.7, pseudocount: 1.0, per: Per::Node, rows: None, held: &held, threads: 1 };
        let mut executor = units(&graph, Params::of(&graph), 2);
        let mut oracle = Interpreter::new(graph.clone(), Params::of(&graph));
        for part in 0..3 {
            let rows = batch(&graph, seed + part, 30, 0.2, false);
            executor.gather(&rows, None);
            oracle.gather(&rows, None);
        }
        executor.maximize(&update, None);
        oracle.maximize(&update, None);
        for (a, b) in executor.params().values().iter().zip(oracle.params().values()) {
            assert!((a - b).abs() <= 1e-4 * b.abs().max(1e-3), "seed {seed}: {a} is not {b}");
        }
        let rows = batch(&graph, seed, 30, 0.2, false);
        let (found, expected) = (executor.log_likelihoods(&rows), oracle.log_likelihoods(&rows));
        for (a, b) in found.iter().zip(&expected) {
            assert!(a == b || (a - b).abs() < 1e-3, "seed {seed}: {a} is not {b}");
        }
        executor.gather(&rows, None);
        executor.forget();
        let before = executor.params().clone();
        executor.maximize(&update, None);
        assert_eq!(&before, executor.params(), "seed {seed}: nothing was gathered");
    }
}
