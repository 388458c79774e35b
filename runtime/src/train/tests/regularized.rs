//! Softening against the enumeration of its definition, entropy against enumeration, and both against what their
//! M-steps promise.

use crate::exec::{CpuExecutor, CpuOptions, Executor, Interpreter};
use crate::query::tests::circuits::*;
use crate::train::entropy::{entropic, entropies, maximize_with_entropy};
use crate::train::softened::Softened;
use crate::train::*;
use pcc_diag::Diagnostic;
use pcc_ir::recipe::{BatchSize, EmOptions, Per, Rule, Schedule, Start};
use pcc_ir::{Batch, Domain, Flows, Graph, MISSING, ParamId, ParamShape, Params, SoftTable, VarId};
use std::sync::Arc;

const SHARE: f64 = 0.15;

/// Softened evidence of rows by the definition: a weight for each value of each variable.
fn weights(graph: &Graph, rows: &Batch, share: f64) -> Vec<Vec<Vec<f64>>> {
    let n_values = |v: usize| graph.variables()[v].domain.n_values().unwrap() as usize;
    let shares: Vec<Vec<f64>> = (0..graph.variables().len())
        .map(|v| {
            let known: Vec<u32> =
                (0..rows.n_rows()).map(|r| rows.row(r)[v]).filter(|&x| x != MISSING).collect();
            let share =
                |a: usize| known.iter().filter(|&&x| x as usize == a).count() as f64 / known.len() as f64;
            (0..n_values(v)).map(share).collect()
        })
        .collect();
    let weight = |x: u32, v: usize, a: usize| match x {
        MISSING => 1.0,
        x if x as usize == a => 1.0 - share + share * shares[v][a],
        _ => share * shares[v][a],
    };
    (0..rows.n_rows())
        .map(|row| {
            let of = |v: usize| (0..n_values(v)).map(|a| weight(rows.row(row)[v], v, a)).collect();
            (0..graph.variables().len()).map(of).collect()
        })
        .collect()
}

fn circuits() -> Vec<Graph> {
    let mut all: Vec<Graph> = (0..6).map(|seed| random(seed, 2 + seed as u32 % 3, true)).collect();
    all.extend([little(), two_halves_beat_one()]);
    all
}

#[test]
fn likelihoods_of_softened_data_are_sums_over_what_was_meant() {
    for (i, graph) in circuits().iter().enumerate() {
        let rows = random_rows(graph, 25, 0.2, i as u64);
        let softened =
            Softened::of(graph, &EvidenceRows::new(rows.clone()), SHARE).expect("discrete variables");
        let params = softened.params(graph, &Params::of(graph));
        let found = Interpreter::new(softened.graph.clone(), params).log_likelihoods(&rows);
        let table = table(&mut interpreter(graph));
        for (row, weights) in weights(graph, &rows, SHARE).iter().enumerate() {
            let of =
                |values: &[u32]| values.iter().zip(weights).map(|(&x, w)| w[x as usize]).product::<f64>();
            let expected: f64 = table.iter().map(|(values, p)| p * of(values)).sum();
            assert!((found[row] - expected.ln()).abs() < 1e-5, "circuit {i}, row {row}");
        }
    }
}

/// The oracle takes soft evidence as it is.
#[test]
fn statistics_of_softened_data_are_those_of_soft_evidence() {
    for (i, graph) in circuits().iter().enumerate() {
        let rows = random_rows(graph, 25, 0.2, i as u64);
        let softened =
            Softened::of(graph, &EvidenceRows::new(rows.clone()), SHARE).expect("discrete variables");
        let params = Params::of(graph);
        let mut soft = Flows::zero(&softened.graph);
        Interpreter::new(softened.graph.clone(), softened.params(graph, &params))
            .flows(&rows, None, &mut soft);
        let found = softened.statistics(graph, &params, &soft);
        let variables: Vec<VarId> = (0..graph.variables().len()).map(VarId::new).collect();
        let mut table = SoftTable::new(graph, &variables);
        let mut is_known = Vec::new();
        for (row, weights) in weights(graph, &rows, SHARE).iter().enumerate() {
            let logs: Vec<f64> = weights.iter().flatten().map(|w| w.ln()).collect();
            table.push(&logs, 0).unwrap();
            is_known.push(rows.row(row).iter().all(|&x| x != MISSING));
        }
        // Soft evidence of a missing value would count as observations of it; complete rows have none.
        let complete: Vec<u32> = (0..25).filter(|&row| is_known[row as usize]).collect();
        let mut expected = Flows::zero(graph);
        let mut batch = Batch::missing(graph.variables().len(), complete.len());
        batch.observe_softly(&Arc::new(table), &complete);
        interpreter(graph).flows(&batch, None, &mut expected);
        let rest: Vec<usize> = (0..25).filter(|&row| !is_known[row]).collect();
        let mut of_rest = Flows::zero(&softened.graph);
        let mut oracle = Interpreter::new(softened.graph.clone(), softened.params(graph, &params));
        rest.iter().for_each(|&row| drop(oracle.flows(&rows.one_row(row), None, &mut of_rest)));
        expected.add(&softened.statistics(graph, &params, &of_rest));
        for (a, b) in found.values().iter().zip(expected.values()) {
            assert!((a - b).abs() < 1e-3, "circuit {i}: {a}, not {b}");
        }
    }
}

#[test]
fn entropy_of_a_deterministic_circuit_is_that_of_its_variables() {
    let graph = little();
    let entropy = |p: &[f64]| -p.iter().map(|p| p * p.ln()).sum::<f64>();
    let root = |graph: &Graph| entropies(graph, &Params::of(graph))[graph.root().index()][0];
    let expected: Vec<f64> = table(&mut interpreter(&graph)).iter().map(|(_, p)| *p).collect();
    assert!((root(&graph) - entropy(&expected)).abs() < 1e-6);
    // A mixture: the choice, then what is chosen.
    let mut make = Make::new(1, Domain::Cat(3));
    let leaf = make.categorical(0, 3, 2, Some(vec![0.5, 0.2, 0.25, 0.2, 0.25, 0.6]));
    let top = make.sum(&[leaf], 1, Some(vec![0.3, 0.7]));
    let graph = make.finish(top);
    let expected = entropy(&[0.3, 0.7]) + 0.3 * entropy(&[0.5, 0.25, 0.25]) + 0.7 * entropy(&[0.2, 0.2, 0.6]);
    assert!((root(&graph) - expected).abs() < 1e-6);
    // A standard normal: half of ln(2 pi e).
    let mut make = Make::new(1, Domain::Real);
    let leaf = make.gaussian(0, 1, Some(vec![3.0, 1.0]));
    let graph = make.finish(leaf);
    assert!((root(&graph) - 1.418_938_533_204_672_7).abs() < 1e-9);
}

#[test]
fn the_step_of_a_unit_is_the_best_there_is() {
    let mut stream = Stream::new(5, Purpose::Sample, &[]);
    for round in 0..300 {
        let n = 2 + stream.below(6);
        let flows: Vec<f64> =
            (0..n).map(|_| if stream.uniform() < 0.2 { 0.0 } else { 10.0 * stream.uniform() }).collect();
        if flows.iter().all(|&flow| flow == 0.0) {
            continue;
        }
        let weight = [1e-9, 1e-3, 0.5, 20.0, 1e4][round % 5];
        let gains: Vec<f64> = (0..n).map(|_| weight * 3.0 * stream.uniform()).collect();
        let best = entropic(&flows, weight, &gains);
        let value = |theta: &[f64]| -> f64 {
            let cell = |i: usize| match theta[i] {
                x if x > 0.0 => flows[i] * x.ln() - weight * x * x.ln() + gains[i] * x,
                _ if flows[i] > 0.0 => f64::NEG_INFINITY,
                _ => 0.0,
            };
            (0..n).map(cell).sum()
        };
        assert!((best.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{best:?}");
        for _ in 0..30 {
            let mut other: Vec<f64> =
                best.iter().map(|x| x * (0.02 * (stream.uniform() - 0.5)).exp()).collect();
            let total: f64 = other.iter().sum();
            other.iter_mut().for_each(|x| *x /= total);
            let tolerance = 1e-9 * value(&best).abs().max(1.0);
            assert!(value(&best) >= value(&other) - tolerance, "{flows:?} {weight} {gains:?}: {best:?}");
        }
    }
}

/// The mean log-likelihood of rows and t times the entropy.
fn objective(graph: &Graph, params: &Params, rows: &Batch, t: f64) -> f64 {
    let logs = Interpreter::new(graph.clone(), params.clone()).log_likelihoods(rows);
    logs.iter().sum::<f64>() / logs.len() as f64 + t * entropies(graph, params)[graph.root().index()][0]
}

/// Where EM with entropy comes to rest, no small move of mass between two edges of a unit gains anything.
#[test]
fn learning_with_entropy_rests_where_the_objective_does() {
    let t = 0.05;
    for seed in 0..3 {
        let graph = random(seed, 3, true);
        let rows = random_rows(&graph, 40, 0.0, seed);
        let held = vec![false; graph.params().len()];
        let update =
            Update { step: 1.0, pseudocount: 0.0, per: Per::Node, rows: None, held: &held, threads: 1 };
        let (mut plain, mut params) = (Params::of(&graph), Params::of(&graph));
        for _ in 0..1500 {
            for (params, weight) in [(&mut plain, 0.0), (&mut params, 40.0 * t)] {
                let mut flows = Flows::zero(&graph);
                Interpreter::new(graph.clone(), params.clone()).flows(&rows, None, &mut flows);
                maximize_with_entropy(&graph, &flows, &update, weight, params);
            }
        }
        let best = objective(&graph, &params, &rows, t);
        assert!(best > objective(&graph, &plain, &rows, t) + 1e-3, "seed {seed}: entropy counts for nothing");
        for (i, param) in graph.params().iter().enumerate() {
            let len = param.len();
            let cells = |unit: usize| -> Vec<usize> {
                match param.shape {
                    ParamShape::Input { units, .. } => (unit..len).step_by(units as usize).collect(),
                    _ => (unit * param.unit_len()..(unit + 1) * param.unit_len()).collect(),
                }
            };
            for unit in 0..param.n_units() {
                let cells = cells(unit);
                for pair in cells.windows(2) {
                    let move_by = |epsilon: f32| {
                        let mut moved = params.clone();
                        let table = moved.table_mut(ParamId::new(i));
                        table[pair[0]] += epsilon;
                        table[pair[1]] -= epsilon;
                        moved
                    };
                    let table = params.table(ParamId::new(i));
                    if table[pair[0]].min(table[pair[1]]) < 5e-3 {
                        continue;
                    }
                    let slope = [2e-3, -2e-3].map(|epsilon| objective(&graph, &move_by(epsilon), &rows, t));
                    let slope = (slope[0] - slope[1]) / 4e-3;
                    assert!(slope.abs() < 2e-2, "seed {seed}, table {i}, unit {unit}: the slope is {slope}");
                }
            }
        }
    }
}

fn executors(graph: &Graph, params: &Params) -> Result<Box<dyn Executor>, Diagnostic> {
    let options = CpuOptions::threads(std::num::NonZeroUsize::MIN);
    Ok(Box::new(CpuExecutor::new(graph.clone(), params.clone(), options).expect("it compiles")))
}

#[test]
fn stages_learn_what_they_are_told_to_and_measure_data_as_they_are() {
    let graph = random(2, 4, false);
    let [rows, valid] = [1, 2].map(|seed| EvidenceRows::new(random_rows(&graph, 60, 0.1, seed)));
    let em = |soften, entropy| EmOptions {
        batch: BatchSize::Rows(20),
        epochs: 6,
        step: Schedule::Constant(0.7),
        pseudocount: 0.01,
        per: Per::Node,
        start: Start::Exponential,
        rule: Rule::Even,
        soften,
        entropy,
    };
    let learned = |soften, entropy| {
        let held = vec![false; graph.params().len()];
        let options = FitOptions { em: em(soften, entropy), stop: None, seed: 3, held, threads: 1 };
        let mut plain = executors(&graph, &Params::of(&graph)).unwrap();
        let mut executor = Regularized::new(plain.as_mut(), &options.em, &rows, &executors)
            .unwrap()
            .expect("it is discrete");
        let ended =
            fit(&mut executor, &rows, Some(&valid), &options, None, &mut Silent, &mut |_| Ok(())).unwrap();
        let Ended::Done(state) = ended else { panic!("nobody cancelled") };
        let last = state.history.last().unwrap().valid.unwrap().mean();
        let mut oracle = Interpreter::new(graph.clone(), state.params.clone());
        assert!((measure(&mut oracle, &valid).unwrap().mean() - last).abs() < 1e-4);
        state.params
    };
    let entropy_of = |params: &Params| entropies(&graph, params)[graph.root().index()][0];
    let plain = learned(0.0, 0.0);
    let [softened, with_entropy] = [learned(0.2, 0.0), learned(0.0, 0.2)];
    assert!(entropy_of(&with_entropy) > entropy_of(&plain) + 0.01);
    let soft = Softened::of(&graph, &rows, 0.2).expect("it is discrete");
    let of_soft_data = |params: &Params| {
        let mut executor = Interpreter::new(soft.graph.clone(), soft.params(&graph, params));
        measure(&mut executor, &rows).unwrap().mean()
    };
    assert!(of_soft_data(&softened) > of_soft_data(&plain) + 1e-3);
    // Without either, it is EM as always.
    let mut executor = executors(&graph, &Params::of(&graph)).unwrap();
    let held = vec![false; graph.params().len()];
    let options = FitOptions { em: em(0.0, 0.0), stop: None, seed: 3, held, threads: 1 };
    fit(executor.as_mut(), &rows, None, &options, None, &mut Silent, &mut |_| Ok(())).unwrap();
    for (a, b) in plain.values().iter().zip(executor.params().values()) {
        assert!((a - b).abs() < 1e-4, "{a}, not {b}");
    }
    let real = {
        let mut make = Make::new(1, Domain::Real);
        let leaf = make.gaussian(0, 1, None);
        make.finish(leaf)
    };
    let mut executor = Interpreter::new(real.clone(), Params::of(&real));
    let none = EvidenceRows::new(Batch::missing(1, 1));
    assert!(Regularized::new(&mut executor, &em(0.2, 0.0), &none, &executors).unwrap().is_none());
}
