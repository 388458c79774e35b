//! Timing a workload.
//!
//! In: a function that builds it, so that no copy of its numbers adds to the memory that is measured. Out: one
//! [`Record`] for each operation and number of threads. An operation and the machine's peak take turns, so that
//! a change of the clock or a busy neighbour meets both. Likelihoods come first: after a step of learning an
//! executor may still have to carry out what the step put off.

use crate::clock::Clock;
use crate::machine::Machine;
use crate::memory::{forget_peak, peak_megabytes};
use crate::peak::Peak;
use crate::record::{Operation, Record, Shape};
use crate::workload::{Workload, model_operations};
use pcc_diag::Diagnostic;
use std::num::NonZeroUsize;

/// How to measure.
#[derive(Clone, Debug)]
pub struct Config {
    /// The name in the records.
    pub name: String,
    /// Units of a layer, for the records.
    pub k: u32,
    /// Numbers of threads, one after the other.
    pub threads: Vec<NonZeroUsize>,
    /// What is timed.
    pub operations: Vec<Operation>,
    /// About how many seconds each operation takes with all repetitions.
    pub seconds: f64,
    /// The fewest repetitions.
    pub least_repetitions: usize,
}

/// The most repetitions: more do not move a median.
const MOST_REPETITIONS: usize = 101;

/// A repetition is at least as long, in seconds, and consists of as many runs as that takes.
const LEAST_SECONDS: f64 = 4e-3;

/// Measures a workload.
///
/// # Errors
/// What building it says; `machine` when the circuit can't be compiled here.
pub fn measure(
    config: &Config,
    build: &dyn Fn() -> Result<Workload, Diagnostic>,
) -> Result<Vec<Record>, Diagnostic> {
    let mut records = Vec::new();
    for &threads in &config.threads {
        records.extend(measure_threads(config, threads, build()?)?);
    }
    Ok(records)
}

fn measure_threads(
    config: &Config,
    threads: NonZeroUsize,
    workload: Workload,
) -> Result<Vec<Record>, Diagnostic> {
    let kernels = pcc_kernels::kernels().map_err(|fault| Diagnostic::error("machine", fault))?;
    let mut peak = Peak::new(kernels, threads.get());
    let mut runs = Runs::new(config, threads, workload)?;
    let measured = config.operations.iter().map(|&operation| {
        let first = runs.first_run(operation);
        let samples = repeat(config, operation, first.runs, &mut runs, &mut peak);
        runs.record(config, operation, first, samples)
    });
    Ok(measured.collect())
}

/// Repetitions of an operation that take turns with the peak.
fn repeat(config: &Config, operation: Operation, runs: usize, on: &mut Runs, peak: &mut Peak) -> Samples {
    let mut samples = Samples::default();
    let mut spent = 0.0;
    while !is_enough(config, samples.seconds.len(), spent) {
        let before = peak.gflops();
        let ((), seconds) = on.clock.time(|| (0..runs).for_each(|_| on.machine.run(operation)));
        spent += seconds;
        samples.seconds.push(seconds / runs as f64);
        samples.peaks.push((before + peak.gflops()) / 2.0);
    }
    samples
}

fn is_enough(config: &Config, repetitions: usize, seconds: f64) -> bool {
    repetitions >= config.least_repetitions && (seconds >= config.seconds || repetitions >= MOST_REPETITIONS)
}

/// The repetitions of one operation.
#[derive(Default)]
struct Samples {
    seconds: Vec<f64>,
    /// Billions of operations a second of matrix products just before and after.
    peaks: Vec<f64>,
}

/// What was found out about an operation before its repetitions.
#[derive(Clone, Copy)]
struct FirstRun {
    peak_megabytes: Option<f64>,
    /// Runs of one repetition.
    runs: usize,
}

/// A machine with its clock.
struct Runs {
    machine: Machine,
    clock: Clock,
    threads: NonZeroUsize,
    /// Seconds to compile likelihoods, and the statistics of a step.
    compiling: [f64; 2],
    mean_log_likelihood: f64,
}

impl Runs {
    fn new(config: &Config, threads: NonZeroUsize, workload: Workload) -> Result<Self, Diagnostic> {
        let clock = Clock::for_threads(threads.get());
        let (made, seconds) = clock.time(|| Machine::new(workload, threads));
        let mut machine = made?;
        let mut compiling = [seconds, 0.0];
        if config.operations.contains(&Operation::Em) {
            let (made, seconds) = clock.time(|| machine.prepare_steps());
            made?;
            compiling[1] = seconds;
        }
        let logs = machine.logs();
        let mean_log_likelihood = logs.iter().sum::<f64>() / logs.len() as f64;
        Ok(Runs { machine, clock, threads, compiling, mean_log_likelihood })
    }

    /// Touches all memory of an operation, and finds how many runs make a repetition.
    fn first_run(&mut self, operation: Operation) -> FirstRun {
        forget_peak();
        self.machine.run(operation);
        let peak_megabytes = peak_megabytes();
        let ((), seconds) = self.clock.time(|| self.machine.run(operation));
        let runs = (LEAST_SECONDS / seconds.max(1e-9)).ceil().clamp(1.0, 1e6) as usize;
        FirstRun { peak_megabytes, runs }
    }

    fn record(&self, config: &Config, op: Operation, first: FirstRun, samples: Samples) -> Record {
        let graph = self.machine.graph();
        let (rows, edges) = (self.machine.n_rows(), graph.n_edges());
        let passes = if op == Operation::Em { 3 } else { 1 };
        let operations = (passes * model_operations(graph)) as f64;
        let gflops = |seconds: f64| operations * rows as f64 / seconds * 1e-9;
        let shares = samples.seconds.iter().zip(&samples.peaks).map(|(&s, peak)| gflops(s) / peak).collect();
        let seconds = Quartiles::of(samples.seconds);
        Record {
            workload: config.name.clone(),
            k: config.k,
            op,
            threads: self.threads.get(),
            batch: rows,
            ns_per_edge_sample: seconds.median * 1e9 / edges as f64 / rows as f64,
            gflops: gflops(seconds.median),
            peak_gflops: Quartiles::of(samples.peaks).median,
            fraction: Quartiles::of(shares).median,
            peak_mb: first.peak_megabytes,
            compile_ms: self.compiling[op as usize] * 1e3,
            spread: (seconds.upper - seconds.lower) / seconds.median,
            milliseconds: seconds.median * 1e3,
            least_milliseconds: seconds.least * 1e3,
            repetitions: seconds.n,
            flops_per_edge_sample: operations / edges as f64,
            mean_log_likelihood: self.mean_log_likelihood,
            marked: self.machine.n_marked(),
            params: Shape { variables: graph.variables().len(), edges, parameters: graph.n_parameters() },
        }
    }
}

/// Order statistics.
struct Quartiles {
    n: usize,
    least: f64,
    lower: f64,
    median: f64,
    upper: f64,
}

impl Quartiles {
    /// Those of some numbers, of which there must be one.
    fn of(mut numbers: Vec<f64>) -> Self {
        numbers.sort_by(f64::total_cmp);
        let n = numbers.len();
        let at = |share: f64| {
            let place = share * (n - 1) as f64;
            let (below, above) = (numbers[place.floor() as usize], numbers[place.ceil() as usize]);
            below + (above - below) * place.fract()
        };
        Quartiles { n, least: numbers[0], lower: at(0.25), median: at(0.5), upper: at(0.75) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_lie_between_the_numbers_beside_them() {
        let q = Quartiles::of(vec![4.0, 1.0, 3.0, 2.0]);
        assert_eq!((q.n, q.least, q.lower, q.median, q.upper), (4, 1.0, 1.75, 2.5, 3.25));
        let one = Quartiles::of(vec![7.0]);
        assert_eq!((one.lower, one.median, one.upper), (7.0, 7.0, 7.0));
    }
}
