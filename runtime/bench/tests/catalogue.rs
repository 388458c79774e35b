//! Every workload in its quick size: the circuit is one, and its mean log-likelihood, the value by which two
//! systems are known to do the same work, is that of the float64 interpreter.

use pcc_bench::{CATALOGUE, Config, Evidence, Workload, measure};
use pcc_ir::Checked;
use pcc_runtime::exec::{Executor, Interpreter};
use std::num::NonZeroUsize;

#[test]
fn every_workload_is_measured_and_checked_against_the_interpreter() {
    for entry in &CATALOGUE {
        let build = || Workload::drawn(entry, entry.quick);
        let workload = build().expect("a workload");
        let checked = Checked::new(workload.graph.clone());
        assert!(checked.is_ok(), "{}", entry.name);
        let Evidence::Values(batch) = workload.evidence else { panic!("{} has no rows", entry.name) };
        let logs = Interpreter::new(workload.graph, workload.params).log_likelihoods(&batch);
        let expected = logs.iter().sum::<f64>() / logs.len() as f64;
        let config = Config {
            name: entry.name.into(),
            k: entry.quick.k,
            threads: vec![NonZeroUsize::MIN],
            operations: entry.operations.to_vec(),
            seconds: 0.0,
            least_repetitions: 1,
        };
        let records = measure(&config, &build).expect("a measurement");
        assert_eq!(records.len(), entry.operations.len());
        for record in records {
            let difference = (record.mean_log_likelihood - expected).abs();
            let allowed = 1e-5 * record.params.variables as f64;
            assert!(difference < allowed, "{}: {} and {expected}", entry.name, record.mean_log_likelihood);
        }
    }
}

#[test]
fn full_sizes_are_those_that_others_measured() {
    let find = |name: &str| CATALOGUE.iter().find(|entry| entry.name == name).expect("a workload");
    let parameters = |name: &str, size: usize| {
        let entry = find(name);
        let mut size = entry.sizes[size];
        size.batch = 1;
        Workload::drawn(entry, size).expect("a workload").graph.n_parameters() as f64 / 1e6
    };
    // Millions of parameters as counted by the library that the workload is taken from.
    for (name, size, millions) in [
        ("w3-quad-tree", 0, 8.0),
        ("w3-quad-graph", 0, 4.0),
        ("w3-quad-graph", 1, 9.6),
        ("w3-poon-domingos", 0, 4.9),
        ("w3-poon-domingos", 1, 12.9),
    ] {
        let found = parameters(name, size);
        assert!((found - millions).abs() < 0.05, "{name}: {found} million instead of {millions}");
    }
    // 784 * 10 normal variables, 14 partitions a repetition with K units and one with a single unit.
    let by_hand = (10 * 784 * 2 * 16 + 10 * (14 * 16 * 256 + 256) + 10) as f64 / 1e6;
    assert!((parameters("w4", 0) - by_hand).abs() < 1e-9);
}
