//! The contract between executors: within 1e-5 nats per variable, flows within 1e-4 relative or 1e-7.

use pcc_ir::{Batch, Family, Flows, Graph, LayerId, ParamShape, Params};
use pcc_runtime::exec::{CpuExecutor, CpuOptions, Executor, Interpreter, LogExecutor};
use std::num::NonZeroUsize;

/// A compiled executor on that many threads.
pub fn compiled(graph: &Graph, threads: usize) -> CpuExecutor {
    compiled_with(graph, Params::of(graph), threads)
}

pub fn compiled_with(graph: &Graph, params: Params, threads: usize) -> CpuExecutor {
    let threads = NonZeroUsize::new(threads).expect("one thread at least");
    CpuExecutor::new(graph.clone(), params, CpuOptions::threads(threads)).expect("it compiles")
}

/// What an executor says of a batch.
#[derive(Debug, PartialEq)]
pub struct Answer {
    pub logs: Vec<f64>,
    pub flow_logs: Vec<f64>,
    pub flows: Vec<f32>,
    pub values: Vec<f64>,
}

pub fn answer(executor: &mut dyn Executor, batch: &Batch, weights: Option<&[f32]>) -> Answer {
    let graph = executor.graph().clone();
    let logs = executor.log_likelihoods(batch);
    let mut flows = Flows::zero(&graph);
    let flow_logs = executor.flows(batch, weights, &mut flows);
    let values = executor.values(batch);
    let unit_values = |layer: LayerId| {
        let values = &values;
        (0..graph.n_units(layer))
            .flat_map(move |unit| (0..batch.n_rows()).map(move |row| values.get(layer, unit, row)))
    };
    let values = graph.layer_ids().flat_map(unit_values).collect();
    Answer { logs, flow_logs, flows: flows.values().to_vec(), values }
}

/// Fails unless two numbers in log space agree within 1e-5 nats for each of `n` variables.
fn assert_log(found: f64, expected: f64, n: usize, place: &str) {
    let is_close = found == expected || (found - expected).abs() <= 1e-5 * n.max(1) as f64;
    assert!(is_close, "{place}: {found} instead of {expected}");
}

/// Fails unless an answer keeps the contract with another.
pub fn assert_agree(graph: &Graph, found: &Answer, expected: &Answer, place: &str) {
    let n = graph.variables().len();
    for (i, (&a, &b)) in found.logs.iter().zip(&expected.logs).enumerate() {
        assert_log(a, b, n, &format!("{place}, row {i}"));
        assert_log(found.flow_logs[i], b, n, &format!("{place}, row {i} with flows"));
    }
    for (i, (&a, &b)) in found.values.iter().zip(&expected.values).enumerate() {
        assert_log(a, b, n, &format!("{place}, value {i}"));
    }
    let sizes = flow_sizes(graph, &expected.flows);
    for (i, (&a, &b)) in found.flows.iter().zip(&expected.flows).enumerate() {
        let difference = (a - b).abs();
        let is_close = difference <= 1e-7 || difference <= 1e-4 * sizes[i];
        assert!(is_close, "{place}, flow {i}: {a} instead of {b}");
    }
}

/// How large the terms of each flow are together. Statistics of a normal's mean have terms of both signs; by
/// the inequality of Cauchy and Schwarz their sizes sum to at most the root of those beside them.
fn flow_sizes(graph: &Graph, flows: &[f32]) -> Vec<f32> {
    let mut sizes: Vec<f32> = flows.iter().map(|f| f.abs()).collect();
    let mut first = 0;
    for param in graph.params() {
        if let ParamShape::Input { family: Family::Gaussian(_), units } = param.shape {
            let n = units as usize;
            for group in sizes[first..first + param.stats_len()].chunks_exact_mut(3 * n) {
                (0..n).for_each(|unit| group[n + unit] = (group[unit] * group[2 * n + unit]).sqrt());
            }
        }
        first += param.stats_len();
    }
    sizes
}

/// Runs a circuit on all executors and compares each with the oracle. Returns how many rows were marked.
pub fn check(graph: &Graph, batch: &Batch, weights: Option<&[f32]>, place: &str) -> usize {
    let mut oracle = Interpreter::new(graph.clone(), Params::of(graph));
    let expected = answer(&mut oracle, batch, weights);
    let mut logarithmic = LogExecutor::new(graph.clone(), Params::of(graph));
    let found = answer(&mut logarithmic, batch, weights);
    assert_agree(graph, &found, &expected, &format!("{place}, log space"));
    let mut compiled = compiled(graph, 2);
    let found = answer(&mut compiled, batch, weights);
    assert_agree(graph, &found, &expected, &format!("{place}, compiled"));
    compiled.n_marked()
}

/// How many rows of a batch likelihoods and flows send to log space.
pub fn marked_in_flows(graph: &Graph, batch: &Batch) -> usize {
    let mut executor = compiled(graph, 2);
    executor.log_likelihoods(batch);
    executor.flows(batch, None, &mut Flows::zero(graph));
    executor.n_marked()
}
