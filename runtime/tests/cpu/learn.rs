//! Learning in place against the M-step on flows that were copied out: random circuits, tables that threads
//! share, vocabularies of which a batch touches few words.

use super::contract::compiled_with;
use super::deep::{table, weights};
use pcc_diag::Span;
use pcc_ir::family::Categorical;
use pcc_ir::random::{Random, Taste, batch, circuit};
use pcc_ir::recipe::Per;
use pcc_ir::{Batch, Domain, Family, Flows, Graph, GraphBuilder, MISSING, ParamShape, Params, VarId};
use pcc_runtime::exec::{CpuExecutor, Executor};
use pcc_runtime::train::{Momentum, Update, maximize};

/// One M-step of a script.
#[derive(Clone, Copy)]
struct Move {
    step: f64,
    pseudocount: f64,
    per: Per,
}

const SCRIPT: [Move; 5] = [
    Move { step: 0.3, pseudocount: 0.1, per: Per::Node },
    Move { step: 1.0, pseudocount: 0.0, per: Per::Node },
    Move { step: 0.9, pseudocount: 0.01, per: Per::Cell },
    Move { step: 1.0, pseudocount: 1e-3, per: Per::Cell },
    Move { step: 0.05, pseudocount: 0.0, per: Per::Node },
];

fn update<'a>(Move { step, pseudocount, per }: Move, held: &'a [bool], threads: usize) -> Update<'a> {
    Update { step, pseudocount, per, rows: None, held, threads }
}

/// The parameters after an M-step on flows.
fn expected(graph: &Graph, params: &Params, batches: &[Batch], update: &Update) -> Params {
    expected_on_average(graph, params, batches, update, None)
}

/// The same on what the flows make of averages.
fn expected_on_average(
    graph: &Graph,
    params: &Params,
    batches: &[Batch],
    update: &Update,
    mut momentum: Option<&mut Momentum>,
) -> Params {
    let mut flows = Flows::zero(graph);
    let mut executor = compiled_with(graph, params.clone(), 1);
    batches.iter().for_each(|batch| drop(executor.flows(batch, None, &mut flows)));
    if let Some(momentum) = &mut momentum {
        momentum.add(flows.values_mut());
    }
    let mut moved = params.clone();
    maximize(graph, &flows, update, &mut moved);
    if let Some(momentum) = momentum {
        momentum.recentre(graph, params, &moved);
    }
    moved
}

/// Fails unless parameters agree within some units in their last places. Deviations of normals are differences
/// of flows, of which little may be left.
fn assert_params(graph: &Graph, found: &Params, expected: &Params, tolerance: f32, place: &str) {
    let tables = (0..graph.params().len()).map(pcc_ir::ParamId::new);
    for id in tables {
        let is_normal =
            matches!(graph.param(id).shape, ParamShape::Input { family: Family::Gaussian(_), .. });
        let (tolerance, least) = if is_normal { (1e-3, 1e-4) } else { (tolerance, 1e-9) };
        for (i, (a, b)) in found.table(id).iter().zip(expected.table(id)).enumerate() {
            let is_close = (a - b).abs() <= tolerance * b.abs() + least;
            assert!(is_close, "{place}, number {i} of table {id:?}: {a} instead of {b}");
        }
    }
}

/// Fails unless an executor says the same, to the bit, as one that begins with its parameters.
fn assert_up_to_date(graph: &Graph, executor: &mut CpuExecutor, rows: &Batch, threads: usize, place: &str) {
    let params = executor.params().clone();
    let mut fresh = compiled_with(graph, params, threads);
    assert_eq!(executor.log_likelihoods(rows), fresh.log_likelihoods(rows), "{place}");
}

#[test]
fn random_circuits_learn_what_their_flows_say() {
    for seed in 0..40 {
        let taste = Taste {
            n_variables: 1 + seed as u32 % 6,
            depth: 1 + seed as u32 % 2,
            zero_weights: [0.0, 0.3, 0.7][seed as usize % 3],
            is_single: seed % 5 == 4,
        };
        let graph = circuit(seed, taste);
        let mut random = Random::new(seed);
        let held: Vec<bool> = graph.params().iter().map(|_| random.chance(0.2)).collect();
        let threads = 1 + seed as usize % 3;
        let mut executor = compiled_with(&graph, Params::of(&graph), threads);
        for (i, &step) in SCRIPT.iter().enumerate() {
            let place = format!("seed {seed}, step {i}");
            let batches = [0, 1].map(|half| batch(&graph, seed + 100 * half, 70, 0.2, false));
            let update = update(step, &held, threads);
            let wanted = expected(&graph, executor.params(), &batches, &update);
            batches.iter().for_each(|batch| drop(executor.gather(batch, None)));
            executor.maximize(&update, None);
            assert_params(&graph, executor.params(), &wanted, 1e-5, &place);
            assert_up_to_date(&graph, &mut executor, &batches[0], threads, &place);
        }
    }
}

/// The steps of Anemone, each unit's by how often the model reaches it, on averages of flows.
#[test]
fn random_circuits_take_steps_of_their_own() {
    for seed in 100..130 {
        let taste = Taste {
            n_variables: 1 + seed as u32 % 6,
            depth: 1 + seed as u32 % 2,
            zero_weights: 0.2,
            is_single: seed % 5 == 4,
        };
        let graph = circuit(seed, taste);
        let held = vec![false; graph.params().len()];
        let mut executor = compiled_with(&graph, Params::of(&graph), 2);
        let mut momentum =
            [0.0, 0.5, 0.9].map(|decay| Momentum::new(&graph, decay))[seed as usize % 3].clone();
        let mut wanted_momentum = momentum.clone();
        for i in 0..4 {
            let rows = batch(&graph, seed + 100 * i, 90, 0.2, false);
            let counted = [&mut momentum, &mut wanted_momentum].map(|momentum| momentum.count(90.0));
            let rows_of = |rows| Update { rows: Some(rows), ..update(SCRIPT[0], &held, 2) };
            let before = executor.params().clone();
            let batches = std::slice::from_ref(&rows);
            let update = rows_of(counted[0]);
            let wanted = expected_on_average(&graph, &before, batches, &update, Some(&mut wanted_momentum));
            executor.gather(&rows, None);
            executor.maximize(&update, Some(&mut momentum));
            let place = format!("seed {seed}, step {i}");
            assert_params(&graph, executor.params(), &wanted, 1e-4, &place);
            assert_up_to_date(&graph, &mut executor, &rows, 2, &place);
        }
    }
}

/// Averages reach words that a batch does not touch; without them only the touched ones are written.
#[test]
fn vocabularies_take_steps_of_their_own() {
    for (decay, copies, units) in [(0.8, 1, 5), (0.8, 2, 3), (0.0, 1, 5), (0.0, 3, 9)] {
        let graph = words(1500, units, false, copies);
        let held = vec![false; graph.params().len()];
        let mut executor = compiled_with(&graph, Params::of(&graph), 2);
        let mut momentum = (decay > 0.0).then(|| Momentum::new(&graph, decay));
        let mut wanted_momentum = momentum.clone();
        for i in 0..12 {
            let rows = text(i, 40, 1500);
            let counted = [&mut momentum, &mut wanted_momentum]
                .map(|momentum| momentum.as_mut().map_or(40.0, |momentum| momentum.count(40.0)));
            let update = Update { rows: Some(counted[0]), ..update(SCRIPT[i as usize % 5], &held, 2) };
            let before = executor.params().clone();
            let batches = std::slice::from_ref(&rows);
            let wanted = expected_on_average(&graph, &before, batches, &update, wanted_momentum.as_mut());
            executor.gather(&rows, None);
            executor.maximize(&update, momentum.as_mut());
            let place = format!("{decay} {copies} {units}, step {i}");
            assert_params(&graph, executor.params(), &wanted, 3e-4, &place);
            assert_up_to_date(&graph, &mut executor, &rows, 2, &place);
        }
    }
}

#[test]
fn large_tables_take_steps_of_their_own() {
    let graph = words(1030, 600, false, 1);
    let held = vec![false; graph.params().len()];
    let rows = text(5, 900, 1030);
    let update = Update { rows: Some(900.0), ..update(SCRIPT[0], &held, 2) };
    let mut executor = compiled_with(&graph, Params::of(&graph), 2);
    executor.gather(&rows, None);
    executor.maximize(&update, None);
    let wanted = expected(&graph, &Params::of(&graph), std::slice::from_ref(&rows), &update);
    assert_params(&graph, executor.params(), &wanted, 1e-5, "large tables");
}

/// A chain of two words with `units` states, over a vocabulary that both share or that each has for itself.
fn words(values: u32, units: u32, is_shared: bool, copies: u32) -> Graph {
    let mut random = Random::new(u64::from(values + units));
    let mut b = GraphBuilder::new();
    let group = b.variables("X", &[2], Domain::Cat(values), false);
    let vars: Vec<VarId> = b.graph().var_group(group).variables().collect();
    let family = Family::Categorical(Categorical { n: values });
    let mut emission = |b: &mut GraphBuilder| {
        let mut all = Vec::new();
        for _ in 0..copies {
            let columns: Vec<Vec<f64>> = (0..units).map(|_| random.simplex(values as usize, 0.2)).collect();
            all.extend((0..values as usize).flat_map(|v| columns.iter().map(move |c| c[v])));
        }
        table(b, ParamShape::Input { family, units }, copies, all)
    };
    let first = emission(&mut b);
    let second = if is_shared { first } else { emission(&mut b) };
    let [one, two] =
        [(vars[0], first), (vars[1], second)].map(|(v, t)| b.input(v, t, copies, Span::default()).unwrap());
    let moves = weights(&mut b, &mut random, units, units, copies);
    let moved = b.sum(&[two], moves, copies, Span::default()).unwrap();
    let both = b.product(&[one, moved], Span::default()).unwrap();
    let start = weights(&mut b, &mut random, 1, units * copies, 1);
    let root = b.sum(&[both], start, 1, Span::default()).unwrap();
    b.finish(root).unwrap()
}

/// Rows of words below a bound, some missing.
fn text(seed: u64, n_rows: usize, values: u32) -> Batch {
    let mut random = Random::new(seed);
    let mut rows = Batch::missing(2, n_rows);
    for row in 0..n_rows {
        for word in rows.row_mut(row) {
            *word = if random.chance(0.9) { random.below(values) } else { MISSING };
        }
    }
    rows
}

#[test]
fn vocabularies_are_moved_where_they_were_touched() {
    for (is_shared, copies, units) in [(true, 1, 5), (false, 1, 16), (false, 2, 3), (true, 3, 9)] {
        let graph = words(1500, units, is_shared, copies);
        let held = vec![false; graph.params().len()];
        for is_read in [true, false] {
            let mut executor = compiled_with(&graph, Params::of(&graph), 2);
            let mut wanted = Params::of(&graph);
            for i in 0..40 {
                let place = format!("{is_shared} {copies} {units} {is_read}, step {i}");
                // Every ninth batch touches more than a quarter of the words.
                let n_rows = if i % 9 == 8 { 1000 } else { 40 };
                // Words beyond the first thousand are met in later batches only.
                let n_values = if i < 4 { 1000 } else { 1500 };
                let batches = [0, 1].map(|half| text(i * 2 + half, n_rows, n_values));
                let update = update(SCRIPT[i as usize % SCRIPT.len()], &held, 2);
                wanted = expected(&graph, &wanted, &batches, &update);
                executor.gather(&batches[0], None);
                if i == 7 {
                    // What is gathered twice and forgotten once leaves no trace.
                    executor.gather(&batches[1], None);
                    executor.forget();
                    executor.gather(&batches[0], None);
                }
                executor.gather(&batches[1], None);
                if i == 11 {
                    // All parameters can be read between batches.
                    executor.params();
                }
                executor.maximize(&update, None);
                if is_read {
                    assert_params(&graph, executor.params(), &wanted, 3e-4, &place);
                    assert_up_to_date(&graph, &mut executor, &batches[0], 2, &place);
                    wanted = executor.params().clone();
                }
            }
            assert_params(&graph, executor.params(), &wanted, 3e-3, &format!("{is_shared} at the end"));
            assert_up_to_date(&graph, &mut executor, &text(99, 50, 1500), 2, "at the end");
        }
    }
}

#[test]
fn a_held_vocabulary_stays_and_its_words_stay_normalised() {
    let graph = words(2000, 4, false, 1);
    let held: Vec<bool> = (0..graph.params().len()).map(|table| table == 1).collect();
    let mut executor = compiled_with(&graph, Params::of(&graph), 1);
    for i in 0..600 {
        executor.gather(&text(i, 30, 2000), None);
        // Small steps in between let scales shrink slowly.
        let step = if i % 10 == 0 { 0.6 } else { 0.02 };
        executor.maximize(&update(Move { step, pseudocount: 0.01, per: Per::Node }, &held, 1), None);
    }
    let (before, after) = (Params::of(&graph), executor.params());
    assert_eq!(after.table(pcc_ir::ParamId(1)), before.table(pcc_ir::ParamId(1)));
    for unit in 0..4 {
        let column = after.table(pcc_ir::ParamId(0)).iter().skip(unit).step_by(4);
        let mass: f64 = column.map(|&p| f64::from(p)).sum();
        assert!((mass - 1.0).abs() < 1e-5, "unit {unit} has the mass {mass}");
    }
}

#[test]
fn large_tables_are_shared_by_threads_without_changing_a_bit() {
    let graph = words(1030, 600, false, 1);
    let held = vec![false; graph.params().len()];
    let rows = text(5, 900, 1030);
    for step in [SCRIPT[0], SCRIPT[1]] {
        let moved = [1, 2, 3].map(|threads| {
            let mut executor = compiled_with(&graph, Params::of(&graph), 1);
            executor.gather(&rows, None);
            executor.maximize(&update(step, &held, threads), None);
            assert_up_to_date(&graph, &mut executor, &text(6, 70, 1030), 1, "large tables");
            executor.params().clone()
        });
        let batches = std::slice::from_ref(&rows);
        let wanted = expected(&graph, &Params::of(&graph), batches, &update(step, &held, 1));
        assert_params(&graph, &moved[0], &wanted, 1e-5, "large tables");
        assert!(moved.iter().all(|params| params == &moved[0]));
    }
}
