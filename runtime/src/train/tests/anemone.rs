//! Anemone: the formula itself on the oracle's flows, how often units are reached by enumeration, moving averages.

use crate::exec::{CpuExecutor, CpuOptions, Executor, Interpreter, LogExecutor, UnitsExecutor};
use crate::query::tests::circuits::*;
use crate::train::*;
use pcc_ir::family::{Distribution, Gaussian};
use pcc_ir::recipe::Per;
use pcc_ir::{Batch, Domain, Flows, Graph, ParamId, ParamShape, Params, Value};

/// How often each unit of a table is reached, by enumeration: the expectation, over all values of all variables,
/// of the flow through it.
fn reach_by_enumeration(graph: &Graph, params: &Params) -> Vec<Vec<f64>> {
    let mut oracle = Interpreter::new(graph.clone(), params.clone());
    let rows = all_rows(graph);
    let weights: Vec<f32> = oracle.log_likelihoods(&rows).iter().map(|log| log.exp() as f32).collect();
    let mut flows = Flows::zero(graph);
    oracle.flows(&rows, Some(&weights), &mut flows);
    graph.params().iter().enumerate().map(|(i, p)| by_unit(p.shape, flows.table(ParamId::new(i)))).collect()
}

/// The cells of one unit of a table, by position.
fn cells(shape: ParamShape, len: usize, unit: usize) -> Vec<usize> {
    match shape {
        ParamShape::Sum { columns: n, .. } | ParamShape::Mix { children: n, .. } => {
            (unit * n as usize..(unit + 1) * n as usize).collect()
        }
        ParamShape::Input { units, .. } => (unit..len).step_by(units as usize).collect(),
    }
}

fn by_unit(shape: ParamShape, table: &[f32]) -> Vec<f64> {
    let n = match shape {
        ParamShape::Sum { columns: n, .. } | ParamShape::Mix { children: n, .. } => table.len() / n as usize,
        ParamShape::Input { units, .. } => units as usize,
    };
    let sum = |unit| cells(shape, table.len(), unit).iter().map(|&i| f64::from(table[i])).sum();
    (0..n).map(sum).collect()
}

#[test]
fn units_are_reached_as_often_as_samples_of_the_model_go_through_them() {
    for seed in 0..20 {
        let graph = random(seed, 2 + seed as u32 % 3, true);
        let params = Params::of(&graph);
        let (found, expected) = (Reach::of(&graph, &params), reach_by_enumeration(&graph, &params));
        for (i, expected) in expected.iter().enumerate() {
            let found = found.table(ParamId::new(i));
            assert_eq!(found.len(), expected.len(), "seed {seed}, table {i}");
            for (a, b) in found.iter().zip(expected) {
                assert!((a - b).abs() < 1e-5, "seed {seed}, table {i}: {a}, not {b}");
            }
        }
    }
}

/// Two leaves and two layers of sums over one table each: a unit is reached through all of them.
#[test]
fn tables_that_are_shared_are_reached_through_every_layer() {
    let mut make = Make::new(2, Domain::Cat(2));
    let shape = ParamShape::Input { family: pcc_ir::Family::default_for(Domain::Cat(2)).unwrap(), units: 2 };
    let table = make.table(shape, Some(vec![0.9, 0.2, 0.1, 0.8]), false);
    let leaf =
        |make: &mut Make, v| make.builder.input(pcc_ir::VarId(v), table, 1, pcc_diag::Span::NONE).unwrap();
    let (one, two) = (leaf(&mut make, 0), leaf(&mut make, 1));
    let moved = make.sum(&[two], 2, Some(vec![0.7, 0.3, 0.4, 0.6]));
    let both = make.product(&[one, moved]);
    let root = make.sum(&[both], 1, Some(vec![0.25, 0.75]));
    let graph = make.finish(root);
    let reach = Reach::of(&graph, &Params::of(&graph));
    // The first variable by the weights of the root, the second a step on.
    let expected = [0.25 + (0.25 * 0.7 + 0.75 * 0.4), 0.75 + (0.25 * 0.3 + 0.75 * 0.6)];
    for (a, b) in reach.table(table).iter().zip(expected) {
        assert!((a - b).abs() < 1e-7, "{a}, not {b}");
    }
}

/// The update as its authors write it: `alpha F/N + (1 - alpha) TD theta`, normalised.
fn transcribed(graph: &Graph, params: &Params, rows: &Batch, alpha: f64) -> Vec<Vec<f64>> {
    let reach = reach_by_enumeration(graph, params);
    let mut flows = Flows::zero(graph);
    Interpreter::new(graph.clone(), params.clone()).flows(rows, None, &mut flows);
    let of_table = |(i, reach): (usize, &Vec<f64>)| {
        let id = ParamId::new(i);
        let (shape, theta, flow) = (graph.param(id).shape, params.table(id), flows.table(id));
        let mut new = vec![0.0; theta.len()];
        for (unit, reach) in reach.iter().enumerate() {
            let own = cells(shape, theta.len(), unit);
            let mixed = |&i: &usize| {
                let share = f64::from(flow[i]) / rows.n_rows() as f64;
                alpha * share + (1.0 - alpha) * reach * f64::from(theta[i])
            };
            let total: f64 = own.iter().map(mixed).sum();
            own.iter().for_each(|i| new[*i] = mixed(i) / total);
        }
        new
    };
    reach.iter().enumerate().map(of_table).collect()
}

fn executors(graph: &Graph) -> Vec<(&'static str, Box<dyn Executor>)> {
    let params = Params::of(graph);
    let options = CpuOptions::threads(std::num::NonZeroUsize::new(2).unwrap());
    vec![
        ("interpreter", Box::new(Interpreter::new(graph.clone(), params.clone()))),
        ("log space", Box::new(LogExecutor::new(graph.clone(), params.clone()))),
        ("units", Box::new(UnitsExecutor::new(graph.clone(), params.clone(), options.clone()).unwrap())),
        ("compiled", Box::new(CpuExecutor::new(graph.clone(), params, options).unwrap())),
    ]
}

fn update(step: f64, rows: Option<f64>, held: &[bool]) -> Update<'_> {
    Update { step, pseudocount: 0.0, per: Per::Node, rows, held, threads: 1 }
}

#[test]
fn every_executor_takes_the_steps_of_the_formula() {
    for seed in 0..12 {
        let graph = random(seed, 3, true);
        let rows = random_rows(&graph, 60, 0.2, seed);
        let held = vec![false; graph.params().len()];
        let alpha = [0.4, 0.05, 0.9][seed as usize % 3];
        let expected = transcribed(&graph, &Params::of(&graph), &rows, alpha);
        for (name, mut executor) in executors(&graph) {
            executor.gather(&rows, None);
            executor.maximize(&update(alpha, Some(60.0), &held), None);
            for (i, expected) in expected.iter().enumerate() {
                for (a, b) in executor.params().table(ParamId::new(i)).iter().zip(expected) {
                    let is_close = (f64::from(*a) - b).abs() < 1e-5;
                    assert!(is_close, "{name}, seed {seed}, table {i}: {a}, not {b}");
                }
            }
        }
    }
}

#[test]
fn a_whole_step_is_that_of_em() {
    let graph = random(3, 4, true);
    let rows = random_rows(&graph, 100, 0.0, 1);
    let held = vec![false; graph.params().len()];
    let [em, anemone] = [None, Some(100.0)].map(|count| {
        let mut executor = interpreter(&graph);
        executor.gather(&rows, None);
        executor.maximize(&update(1.0, count, &held), None);
        executor.params().clone()
    });
    assert_eq!(em, anemone);
}

#[test]
fn a_unit_that_no_row_touches_stays_and_one_as_used_as_expected_takes_the_step() {
    let mut make = Make::new(1, Domain::Cat(2));
    // Two cases, told apart by the value; each has a coin of its own beside it.
    let cases = [0, 1].map(|value| make.literal(0, value));
    let coin = make.categorical(0, 2, 1, Some(vec![0.5, 0.5]));
    let root = make.sum(&[cases[0], cases[1], coin], 1, Some(vec![0.25, 0.25, 0.5]));
    let graph = make.finish(root);
    let held = vec![false; graph.params().len()];
    let mut executor = interpreter(&graph);
    let seen = evidence(&[&[Some(0)]]);
    executor.gather(&seen, None);
    executor.maximize(&update(0.3, Some(1.0), &held), None);
    // The root is reached by every row, so it takes the step of 0.3: half of the flow is the coin's.
    let expected = [0.7 * 0.25 + 0.3 * 0.5, 0.7 * 0.25, 0.7 * 0.5 + 0.3 * 0.5];
    for (a, b) in executor.params().table(ParamId(1)).iter().zip(expected) {
        assert!((f64::from(*a) - b).abs() < 1e-6, "{a}, not {b}");
    }
    // The coin was used half as often as rows came, as the model expects: it takes the step of 0.3 too.
    assert!((executor.params().table(ParamId(0))[0] - (0.7 * 0.5 + 0.3)).abs() < 1e-6);
    let before = executor.params().clone();
    // A row that says nothing touches no leaf.
    executor.gather(&evidence(&[&[None]]), None);
    executor.maximize(&update(0.3, Some(1.0), &held), None);
    assert_eq!(executor.params().table(ParamId(0)), before.table(ParamId(0)));
}

/// With averages of decay b, what counts after two batches is `(b F1 + F2) / (1 + b)`.
#[test]
fn averages_weigh_batches_by_their_age() {
    let graph = random(4, 3, true);
    let held = vec![false; graph.params().len()];
    let [first, second] = [40, 20].map(|n| random_rows(&graph, n, 0.1, n as u64));
    for (name, mut executor) in executors(&graph) {
        let mut momentum = Momentum::new(&graph, 0.6);
        let mut flows = [(); 2].map(|()| Flows::zero(&graph));
        let mut oracle = interpreter(&graph);
        oracle.flows(&first, None, &mut flows[0]);
        oracle.flows(&second, None, &mut flows[1]);
        // A step of 0, so that both batches are seen by the same parameters.
        executor.gather(&first, None);
        let rows = momentum.count(40.0);
        executor.maximize(&update(0.0, Some(rows), &held), Some(&mut momentum));
        executor.gather(&second, None);
        let rows = momentum.count(20.0);
        assert!((rows - (0.6 * 40.0 + 20.0) / 1.6).abs() < 1e-9, "{rows}");
        executor.maximize(&update(1.0, Some(rows), &held), Some(&mut momentum));
        let mut expected = Flows::zero(&graph);
        for (to, (a, b)) in
            expected.values_mut().iter_mut().zip(flows[0].values().iter().zip(flows[1].values()))
        {
            *to = (0.6 * a + b) / 1.6;
        }
        for (a, b) in momentum.average().values().iter().zip(expected.values()) {
            assert!((a - b).abs() < 1e-4 * b.max(0.1), "{name}: {a}, not {b}");
        }
        let mut params = Params::of(&graph);
        maximize(&graph, &expected, &update(1.0, None, &held), &mut params);
        for (a, b) in executor.params().values().iter().zip(params.values()) {
            assert!((a - b).abs() < 1e-5, "{name}: {a}, not {b}");
        }
    }
}

#[test]
fn averages_of_normal_leaves_move_along_with_their_means() {
    let family = Gaussian::default();
    let (old, new) = ([1.5, 0.7], [-2.0, 3.0]);
    let [mut seen_by_old, mut seen_by_new] = [[0.0; 3]; 2];
    for (x, weight) in [(1.0, 0.5), (4.0, 2.0), (-3.0, 0.25)] {
        family.observe(&old, Value::Real(x), weight, &mut seen_by_old);
        family.observe(&new, Value::Real(x), weight, &mut seen_by_new);
    }
    family.recentre(&old, &new, &mut seen_by_old);
    for (a, b) in seen_by_old.iter().zip(seen_by_new) {
        assert!((a - b).abs() < 1e-12, "{a}, not {b}");
    }
}
