//! What runs a workload: the compiled executor that suits its circuit, with the rows.
//!
//! In: a workload. Out: runs of its operations, to be timed by others.

use crate::record::Operation;
use crate::workload::{Evidence, Workload};
use pcc_diag::Diagnostic;
use pcc_ir::Graph;
use pcc_ir::plan::Mode;
use pcc_ir::recipe::Per;
use pcc_ir::units::is_irregular;
use pcc_runtime::exec::{CpuExecutor, CpuOptions, Executor, UnitsExecutor};
use pcc_runtime::train::Update;
use std::num::NonZeroUsize;

/// Imaginary observations of each weight and value in a step: without them, steps over the same few rows
/// again and again would drive parameters to zero.
const PSEUDOCOUNT: f64 = 1e-3;

/// Why nothing is refused for its size.
const FITS: &str = "memory is not limited";

/// An executor and what it runs on.
pub(crate) struct Machine {
    executor: Kind,
    evidence: Evidence,
    held: Vec<bool>,
    threads: usize,
}

enum Kind {
    Dense(Box<CpuExecutor>),
    Irregular(Box<UnitsExecutor>),
}

impl Machine {
    /// Compiles what likelihoods need.
    ///
    /// # Errors
    /// `machine` when the circuit can't be compiled here.
    pub(crate) fn new(workload: Workload, threads: NonZeroUsize) -> Result<Self, Diagnostic> {
        let Workload { graph, params, evidence } = workload;
        let options = CpuOptions::threads(threads);
        let held = vec![false; graph.params().len()];
        let is_weighted = matches!(evidence, Evidence::Weights(_));
        let executor = match is_weighted || is_irregular(&graph) {
            true => UnitsExecutor::new(graph, params, options).map(|made| Kind::Irregular(Box::new(made))),
            false => CpuExecutor::new(graph, params, options).map(|made| Kind::Dense(Box::new(made))),
        };
        let executor = executor.map_err(of_machine)?;
        Ok(Machine { executor, evidence, held, threads: threads.get() })
    }

    /// Compiles what a step needs besides.
    ///
    /// # Errors
    /// As for [`Machine::new`].
    pub(crate) fn prepare_steps(&mut self) -> Result<(), Diagnostic> {
        match &mut self.executor {
            Kind::Dense(executor) => executor.prepare(Mode::Flows, false).map(drop).map_err(of_machine),
            Kind::Irregular(executor) => executor.prepare_flows().map_err(of_machine),
        }
    }

    /// The circuit.
    pub(crate) fn graph(&self) -> &Graph {
        match &self.executor {
            Kind::Dense(executor) => executor.graph(),
            Kind::Irregular(executor) => executor.graph(),
        }
    }

    /// Rows of one run.
    pub(crate) fn n_rows(&self) -> usize {
        self.evidence.n_rows()
    }

    /// Rows of all runs so far that were computed again because they left the range of the numbers.
    pub(crate) fn n_marked(&self) -> usize {
        match &self.executor {
            Kind::Dense(executor) => executor.n_marked(),
            Kind::Irregular(executor) => executor.n_marked(),
        }
    }

    /// Runs an operation on all rows.
    pub(crate) fn run(&mut self, operation: Operation) {
        match operation {
            Operation::Forward => drop(self.logs()),
            Operation::Em => self.step(),
        }
    }

    /// The logarithms of likelihoods, or of weighted counts.
    pub(crate) fn logs(&mut self) -> Vec<f64> {
        match (&mut self.executor, &self.evidence) {
            (Kind::Dense(executor), Evidence::Values(batch)) => executor.log_likelihoods(batch),
            (Kind::Irregular(executor), Evidence::Values(batch)) => executor.log_likelihoods(batch),
            (Kind::Irregular(executor), Evidence::Weights(weights)) => {
                executor.log_weighted_counts(weights).expect(FITS)
            }
            (Kind::Dense(_), Evidence::Weights(_)) => {
                unreachable!("`new` picks the executor that takes weights")
            }
        }
    }

    /// Gathers the statistics of all rows and moves the parameters; of weighted counts, the derivatives.
    fn step(&mut self) {
        let Machine { executor, evidence, held, threads } = self;
        if let (Kind::Irregular(executor), Evidence::Weights(weights)) = (&mut *executor, &*evidence) {
            executor.log_weighted_count_derivatives(weights).expect(FITS);
            return;
        }
        let executor: &mut dyn Executor = match executor {
            Kind::Dense(executor) => executor.as_mut(),
            Kind::Irregular(executor) => executor.as_mut(),
        };
        if let Evidence::Values(batch) = evidence {
            executor.gather(batch, None);
            let (per, pseudocount) = (Per::Cell, PSEUDOCOUNT);
            let threads = *threads;
            executor.maximize(&Update { step: 1.0, pseudocount, per, rows: None, held, threads }, None);
        }
    }
}

fn of_machine(fault: impl std::fmt::Display) -> Diagnostic {
    Diagnostic::error("machine", fault.to_string())
}
