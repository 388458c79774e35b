//! How rows are cut into tiles, bundles and shares of threads must not show in any answer.

use super::contract::{Answer, answer, assert_agree, compiled};
use super::deep::chain;
use pcc_ir::random::batch;
use pcc_ir::{Batch, Flows, Graph, Params};
use pcc_runtime::exec::{CpuExecutor, CpuOptions, Executor, Interpreter};
use std::num::NonZeroUsize;

/// Heavy enough for two threads from a few rows on.
fn heavy() -> Graph {
    chain(20, 40)
}

fn oracle(graph: &Graph, rows: &Batch) -> Answer {
    answer(&mut Interpreter::new(graph.clone(), Params::of(graph)), rows, None)
}

fn first_rows(rows: &Batch, n: usize) -> Batch {
    let mut first = Batch::empty(rows.n_variables());
    (0..n).for_each(|row| first.push(rows.row(row)));
    first
}

#[test]
fn any_number_of_rows_keeps_the_contract_on_any_number_of_threads() {
    let graph = heavy();
    let rows = batch(&graph, 1, 521, 0.2, false);
    for n_threads in [1, 2, 3] {
        let mut executor = compiled(&graph, n_threads);
        for n_rows in [1, 15, 16, 17, 33, 64, 65, 130, 192, 256, 257, 300, 521] {
            let rows = first_rows(&rows, n_rows);
            let place = format!("{n_rows} rows on {n_threads} threads");
            let found = answer(&mut executor, &rows, None);
            assert_agree(&graph, &found, &oracle(&graph, &rows), &place);
            let again = answer(&mut executor, &rows, None);
            assert_eq!(found, again, "{place}: what earlier runs left must not show");
        }
        assert_eq!(executor.n_marked(), 0);
    }
}

#[test]
fn tiles_without_a_good_sample_add_nothing_and_spoil_nothing() {
    let graph = heavy();
    let mut rows = batch(&graph, 2, 300, 0.2, false);
    // All of the second tile, half of the third, none of the others: codes that no table has.
    (64..128).chain(140..170).for_each(|row| rows.row_mut(row)[row % 20] = 6 + row as u32);
    let expected = oracle(&graph, &rows);
    assert!((64..128).all(|row| expected.logs[row] == f64::NEG_INFINITY));
    for n_threads in [1, 2] {
        let mut executor = compiled(&graph, n_threads);
        let found = answer(&mut executor, &rows, None);
        assert_agree(&graph, &found, &expected, &format!("{n_threads} threads"));
        assert_eq!(executor.n_marked(), 2 * 94, "each for likelihoods and for flows");
        // The next rows find nothing of these.
        let good = batch(&graph, 3, 300, 0.2, false);
        assert_agree(&graph, &answer(&mut executor, &good, None), &oracle(&graph, &good), "afterwards");
    }
}

#[test]
fn less_memory_changes_rounding_alone_and_none_is_an_error_in_words() {
    let graph = heavy();
    let rows = batch(&graph, 4, 300, 0.2, false);
    let expected = oracle(&graph, &rows);
    let with = |kibibytes: u64| {
        let memory = Some(kibibytes << 10);
        let options = CpuOptions { memory, ..CpuOptions::threads(NonZeroUsize::new(2).unwrap()) };
        CpuExecutor::new(graph.clone(), Params::of(&graph), options)
    };
    let error = with(1).err().expect("a KiB is too little").to_string();
    assert!(error.contains("MiB"), "{error}");
    let mut n_fitting = 0;
    let mut n_in_log_space = 0;
    for kibibytes in [60, 90, 120, 200, 300, 450, 650, 900, 1300, 2000, 3000] {
        let Ok(mut executor) = with(kibibytes) else { continue };
        n_fitting += 1;
        n_in_log_space += usize::from(executor.prepare(pcc_ir::plan::Mode::Flows, false).is_err());
        let found = answer(&mut executor, &rows, None);
        assert_agree(&graph, &found, &expected, &format!("{kibibytes} KiB"));
    }
    assert!(n_fitting > 5 && n_in_log_space > 0, "{n_fitting} fit, {n_in_log_space} without code for flows");
}

#[test]
fn flows_of_one_row_are_those_of_the_row_among_others() {
    let graph = heavy();
    let rows = batch(&graph, 5, 70, 0.2, false);
    let mut executor = compiled(&graph, 2);
    let [mut one_by_one, mut together] = [Flows::zero(&graph), Flows::zero(&graph)];
    for row in 0..70 {
        let mut one = Batch::empty(rows.n_variables());
        one.push(rows.row(row));
        executor.flows(&one, None, &mut one_by_one);
    }
    executor.flows(&rows, None, &mut together);
    for (a, b) in one_by_one.values().iter().zip(together.values()) {
        assert!((a - b).abs() <= 1e-7 + 1e-4 * b, "{a} instead of {b}");
    }
}
