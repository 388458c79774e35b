//! Single rows against the float64 interpreter.

use crate::exec::cpu::work::{Job, Question};
use crate::exec::{CpuExecutor, CpuOptions, Executor, Interpreter};
use pcc_ir::plan::Mode;
use pcc_ir::random::{Random, Taste, batch, circuit};
use pcc_ir::{Batch, Domain, Graph, Params};
use std::num::NonZeroUsize;

/// What came of some rows.
#[derive(Default)]
struct Tally {
    n_circuits: usize,
    n_rows: usize,
    n_marked: usize,
    /// Rows that the program over tiles marks.
    n_marked_in_tiles: usize,
}

/// Runs rows by the program for single rows, if there is one, and compares what it does not mark.
fn check(graph: &Graph, rows: &Batch, place: &str, tally: &mut Tally) {
    let params = Params::of(graph);
    let expected = Interpreter::new(graph.clone(), params.clone()).log_likelihoods(rows);
    let options = CpuOptions::threads(NonZeroUsize::MIN);
    let mut executor = CpuExecutor::new(graph.clone(), params, options).expect("it compiles");
    executor.log_likelihoods(rows);
    tally.n_marked_in_tiles += executor.n_marked();
    let position = executor.engine_for(Mode::Forward, rows).expect("it compiles");
    let CpuExecutor { graph, params, derived, engines, .. } = &executor;
    let question = Question { graph, params, batch: rows, weights: None, mode: Mode::Forward };
    let job = Job { question, derived, engine: &engines[position] };
    let Some(single) = &engines[position].single else { return };
    let _denormals = pcc_kernels::denormals_off();
    tally.n_circuits += 1;
    for (row, &expected) in expected.iter().enumerate() {
        tally.n_rows += 1;
        let Some(found) = single.log(job.inputs(), rows.row(row), &mut Vec::new()) else {
            tally.n_marked += 1;
            continue;
        };
        if super::is_too_far(found, engines[position].farthest_log) {
            tally.n_marked += 1;
            continue;
        }
        let allowed = 1e-5 * graph.variables().len() as f64;
        let is_close = found == expected || (found - expected).abs() <= allowed;
        assert!(is_close, "{place}, row {row}: {found} instead of {expected}");
    }
}

#[test]
fn rows_agree_with_the_oracle() {
    let mut tally = Tally::default();
    for seed in 0..400 {
        let mut random = Random::new(seed);
        let taste = Taste {
            n_variables: 1 + random.below(9),
            depth: 1 + random.below(3),
            zero_weights: [0.0, 0.0, 0.4, 0.8][random.below(4) as usize],
            is_single: random.chance(0.2),
        };
        let graph = circuit(seed, taste);
        let missing = [0.0, 0.3, 1.0][seed as usize % 3];
        let rows = batch(&graph, seed, 9, missing, seed.is_multiple_of(2));
        check(&graph, &rows, &format!("seed {seed}"), &mut tally);
    }
    let Tally { n_circuits, n_rows, n_marked, n_marked_in_tiles } = tally;
    assert_eq!(n_circuits, 400, "every step has a rule");
    assert!(n_marked <= n_marked_in_tiles + n_rows / 100, "{n_marked} rows, {n_marked_in_tiles} in tiles");
}

#[test]
fn values_that_tables_lack_go_to_log_space() {
    let taste = Taste { n_variables: 2, depth: 1, zero_weights: 0.0, is_single: false };
    let graph = circuit(3, taste);
    let mut rows = batch(&graph, 3, 2, 0.0, false);
    let var = graph.variables().iter().position(|v| v.domain == Domain::Cat(5)).expect("there is one");
    rows.row_mut(1)[var] = 7;
    let expected = Interpreter::new(graph.clone(), Params::of(&graph)).log_likelihoods(&rows);
    let options = CpuOptions::threads(NonZeroUsize::MIN);
    let mut executor = CpuExecutor::new(graph.clone(), Params::of(&graph), options).expect("it compiles");
    let found = executor.log_likelihoods(&rows);
    found.iter().zip(&expected).for_each(|(a, b)| assert!(a == b || (a - b).abs() < 1e-5, "{a} and {b}"));
}
