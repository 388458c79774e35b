//! Less memory means fewer threads, then log space instead of a program, and at last a refusal in words.

use super::contract::{answer, assert_agree};
use pcc_ir::random::{Taste, batch, circuit};
use pcc_ir::units::{UnitOptions, unit_program};
use pcc_ir::{Graph, Params};
use pcc_runtime::exec::{CpuOptions, Executor, Interpreter, LiteralWeights, UnitsExecutor};
use std::num::NonZeroUsize;

fn within(graph: &Graph, bytes: u64) -> Result<UnitsExecutor, String> {
    let threads = NonZeroUsize::new(3).expect("three");
    let options = CpuOptions { memory: Some(bytes), ..CpuOptions::threads(threads) };
    UnitsExecutor::new(graph.clone(), Params::of(graph), options).map_err(|error| error.to_string())
}

fn needed(graph: &Graph, options: UnitOptions, threads: u32) -> u64 {
    unit_program(graph, options).expect("it is small").memory(graph, threads).total()
}

#[test]
fn threads_go_before_anything_else() {
    let graph = circuit(7, Taste { n_variables: 6, depth: 3, zero_weights: 0.0, is_single: true });
    let program = unit_program(&graph, UnitOptions::FLOWS).expect("it is small");
    let bytes = |threads| program.memory(&graph, threads).total();
    let fit = |budget| program.fit(&graph, 3, Some(budget));
    assert_eq!(program.fit(&graph, 3, None), Ok(3));
    assert_eq!([fit(bytes(3)), fit(bytes(3) - 1), fit(bytes(2) - 1)], [Ok(3), Ok(2), Ok(1)]);
    assert_eq!(fit(bytes(1) - 1), Err(program.memory(&graph, 1)));
}

#[test]
fn what_does_not_fit_is_computed_otherwise_or_refused() {
    for seed in 6000..6020 {
        let graph = circuit(seed, Taste { n_variables: 5, depth: 2, zero_weights: 0.1, is_single: true });
        let rows = batch(&graph, seed, 40, 0.2, false);
        let expected = answer(&mut Interpreter::new(graph.clone(), Params::of(&graph)), &rows, None);
        let (forward, flows) = (UnitOptions::forward(&graph), UnitOptions::FLOWS);
        let least = needed(&graph, forward, 1);
        let refusal = within(&graph, least - 1).err().expect("it is too little");
        assert!(refusal.contains("MiB of memory, more than"), "{refusal}");
        for bytes in [least, needed(&graph, forward, 2), needed(&graph, flows, 1), needed(&graph, flows, 3)] {
            let mut executor = within(&graph, bytes.max(least)).expect("likelihoods fit");
            let found = answer(&mut executor, &rows, None);
            assert_agree(&graph, &found, &expected, &format!("seed {seed}, {bytes} bytes"));
            let weights = LiteralWeights::ones(&graph, 4);
            let is_enough = bytes.max(least) >= needed(&graph, flows, 1);
            assert_eq!(executor.log_weighted_count_derivatives(&weights).is_ok(), is_enough, "seed {seed}");
            assert_eq!(executor.prepare_flows().is_ok(), is_enough, "seed {seed}");
        }
    }
}

#[test]
fn learning_without_memory_for_a_program_goes_on() {
    let graph = circuit(6100, Taste { n_variables: 5, depth: 3, zero_weights: 0.0, is_single: true });
    let rows = batch(&graph, 1, 40, 0.2, false);
    let held = vec![false; graph.params().len()];
    let per = pcc_ir::recipe::Per::Cell;
    let update =
        pcc_runtime::train::Update { step: 1.0, pseudocount: 0.5, per, rows: None, held: &held, threads: 1 };
    let mut executor = within(&graph, needed(&graph, UnitOptions::forward(&graph), 1)).expect("it fits");
    assert!(executor.prepare_flows().is_err());
    let mut oracle = Interpreter::new(graph.clone(), Params::of(&graph));
    for _ in 0..3 {
        for executor in [&mut executor as &mut dyn Executor, &mut oracle] {
            executor.gather(&rows, None);
            executor.maximize(&update, None);
        }
    }
    let (found, expected) = (executor.log_likelihoods(&rows), oracle.log_likelihoods(&rows));
    for (a, b) in found.iter().zip(&expected) {
        assert!((a - b).abs() < 1e-3, "{a} is not {b}");
    }
}
