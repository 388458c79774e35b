//! What steps will cost, from the sizes of the circuit alone.
//!
//! The constants are measured orders of magnitude for one core with wide vectors, dense circuits and 32-bit
//! floats; an estimate is meant to tell minutes from days, and is printed as such.

use pcc_ir::Graph;
use pcc_ir::recipe::{EmOptions, Optimizer, Stage};

/// Nanoseconds for each edge and row of an upward pass.
const FORWARD: f64 = 0.06;
/// Nanoseconds for each edge and row of an upward and a downward pass with flows.
const FLOWS: f64 = 0.2;
/// Nanoseconds for each parameter of an M-step.
const UPDATE: f64 = 2.0;
/// Nanoseconds for each unit and row, leaves above all.
const UNIT: f64 = 0.5;

/// Seconds and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Cost {
    pub seconds: f64,
    pub bytes: u64,
}

/// A circuit's sizes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    edges: f64,
    units: f64,
    parameters: u64,
    statistics: u64,
    threads: usize,
}

impl Sizes {
    pub fn of(graph: &Graph, threads: usize) -> Self {
        Sizes {
            edges: graph.n_edges() as f64,
            units: graph.layer_ids().map(|id| graph.n_units(id) as f64).sum(),
            parameters: graph.params().iter().map(|p| p.len() as u64).sum(),
            statistics: graph.params().iter().map(|p| p.stats_len() as u64).sum(),
            threads: threads.max(1),
        }
    }

    /// An upward pass over so many rows.
    pub fn forward(&self, rows: usize) -> Cost {
        let per_row = FORWARD * self.edges + UNIT * self.units;
        Cost { seconds: 1e-9 * rows as f64 * per_row / self.threads as f64, bytes: 4 * self.parameters }
    }

    /// A whole stage, early stopping left aside.
    pub fn stage(&self, stage: &Stage, rows: usize, valid_rows: usize) -> Cost {
        let (epochs, updates) = match &stage.fit.optimizer {
            Optimizer::Em(options) => (f64::from(options.epochs), updates(options, rows)),
            Optimizer::Mle { .. } | Optimizer::Later(_) => (1.0, 1.0),
        };
        let per_row = FLOWS * self.edges + 2.0 * UNIT * self.units;
        let epoch = rows as f64 * per_row + valid_rows as f64 * (FORWARD * self.edges + UNIT * self.units);
        let update = UPDATE * (self.parameters + self.statistics) as f64;
        let seconds = 1e-9 * (epochs * epoch + updates * update) / self.threads as f64;
        // The parameters, those of the last epoch, the best ones; flows of the batch and of each thread.
        let copies = 2 + u64::from(stage.until.is_some());
        // Averages of flows, and those of the last epoch.
        let averages = if has_momentum(&stage.fit.optimizer) { 2 } else { 0 };
        let of_flows = 1 + self.threads as u64 + averages;
        let bytes = 4 * (copies * self.parameters + of_flows * self.statistics);
        Cost { seconds, bytes }
    }
}

fn has_momentum(optimizer: &Optimizer) -> bool {
    matches!(optimizer, Optimizer::Em(options) if options.rule.momentum().is_some())
}

fn updates(options: &EmOptions, rows: usize) -> f64 {
    (0..options.epochs).map(|epoch| crate::train::n_batches(options.batch, epoch, rows) as f64).sum()
}
