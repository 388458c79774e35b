//! Weighted model counts of an SDD: `sdd_speed CIRCUIT.sdd CIRCUIT.vtree ROWS THREADS`.
//!
//! Prints how long it takes to open and to prepare, counts a second without and with derivatives (the best of
//! several runs), and the logarithms of the first rows. The weights of variable v in row r are p and 1 - p; p
//! is read from standard input as little-endian 64-bit floats `[row][variable]` when it has any, else drawn.

use pcc_ir::random::Random;
use pcc_ir::{Params, VarId};
use pcc_runtime::exec::{CpuOptions, LiteralWeights, UnitsExecutor};
use std::io::Read;
use std::path::Path;
use std::time::Instant;

#[global_allocator]
static MEMORY: pcc_runtime::LargePages = pcc_runtime::LargePages;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let (n_rows, threads) = (arguments[3].parse().unwrap(), arguments[4].parse().unwrap());
    let start = Instant::now();
    let vtree = Some(Path::new(&arguments[2]));
    let circuit = pcc_runtime::formats::read_circuit(Path::new(&arguments[1]), vtree).unwrap();
    let opened = start.elapsed().as_secs_f64();
    let (n_layers, n_variables) = (circuit.graph.n_layers(), circuit.graph.variables().len());
    let weights = weights(&circuit.graph, n_rows);
    let start = Instant::now();
    let params: Params = circuit.params;
    let mut executor = UnitsExecutor::new(circuit.graph, params, CpuOptions::threads(threads)).unwrap();
    let mut logs = executor.log_weighted_counts(&weights).unwrap();
    println!(
        "{n_variables} variables, {n_layers} layers: opened in {opened:.2} s, prepared in {:.2} s",
        start.elapsed().as_secs_f64()
    );
    let (mut best, start) = (f64::INFINITY, Instant::now());
    while start.elapsed().as_secs_f64() < 2.0 {
        let run = Instant::now();
        logs = executor.log_weighted_counts(&weights).unwrap();
        best = best.min(run.elapsed().as_secs_f64());
    }
    println!(
        "{:.0} counts/s, {:.3} ms for {n_rows} rows, marked {}",
        n_rows as f64 / best,
        best * 1e3,
        executor.n_marked()
    );
    executor.log_weighted_count_derivatives(&weights).unwrap();
    let (mut best, start) = (f64::INFINITY, Instant::now());
    while start.elapsed().as_secs_f64() < 2.0 {
        let run = Instant::now();
        logs = executor.log_weighted_count_derivatives(&weights).unwrap().0;
        best = best.min(run.elapsed().as_secs_f64());
    }
    println!("{:.0} counts and derivatives/s", n_rows as f64 / best);
    logs.iter().take(4).for_each(|log| println!("{log:.15}"));
}

fn weights(graph: &pcc_ir::Graph, n_rows: usize) -> LiteralWeights {
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes).unwrap();
    let given: Vec<f64> = bytes.chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect();
    let mut random = Random::new(1);
    let n_variables = graph.variables().len();
    let mut weights = LiteralWeights::ones(graph, n_rows);
    for var in 0..n_variables {
        let p: Vec<f64> = (0..n_rows)
            .map(|row| {
                given.get(row * n_variables + var).copied().unwrap_or_else(|| 0.05 + 0.9 * random.uniform())
            })
            .collect();
        weights.set(VarId::new(var), 1, &p).unwrap();
        weights.set(VarId::new(var), 0, &p.iter().map(|p| 1.0 - p).collect::<Vec<f64>>()).unwrap();
    }
    weights
}
