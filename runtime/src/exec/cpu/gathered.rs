//! The statistics that one thread gathers.
//!
//! In: flows of the linear code, in 32 bits, and those of rows in log space, in 64. Out: sums by table.
//! A sum over millions of rows would outgrow what is added to it, so every few thousand rows what was gathered
//! moves to a total. Memory is taken when something is first gathered and kept.

use super::statistics::Statistics;
use std::ops::Range;

/// Statistics of all tables, in the order of the plan.
#[derive(Clone, Debug, Default)]
pub(super) struct Gathered {
    /// Those of the linear code, sums and mixtures not yet times their weights; empty when it had none.
    pub(super) flows: Vec<f32>,
    /// The same, of earlier rows; empty when there were few.
    pub(super) total: Vec<f32>,
    /// Flows of rows in log space; empty when there were none.
    pub(super) log_flows: Vec<f64>,
    /// Rows whose flows are not in the total.
    n_rows: usize,
}

/// After about this many rows flows move to the total.
const ROWS_OF_A_SUM: usize = 1 << 14;

impl Gathered {
    /// Where the linear code adds its `n` flows. Pages that no flow reaches are never touched.
    pub(super) fn flows_of(&mut self, n: usize) -> &mut [f32] {
        if self.flows.is_empty() {
            self.flows = vec![0.0; n];
        }
        &mut self.flows
    }

    /// Where log space adds its `n` flows.
    pub(super) fn log_flows_of(&mut self, n: usize) -> &mut [f64] {
        if self.log_flows.is_empty() {
            self.log_flows = vec![0.0; n];
        }
        &mut self.log_flows
    }

    /// Forgets all flows.
    pub(super) fn clear(&mut self) {
        self.flows.fill(0.0);
        self.total.fill(0.0);
        self.log_flows.fill(0.0);
        self.n_rows = 0;
    }

    /// Hands everything to an M-step, which leaves zeros.
    pub(super) fn push_to<'g>(&'g mut self, statistics: &mut Statistics<'g>) {
        statistics.push_linear(&mut self.flows);
        statistics.push_linear(&mut self.total);
        statistics.push_exact(&mut self.log_flows);
    }

    /// Begins again after an M-step. Only the linear code's flows are sure to be needed.
    pub(super) fn begin_step(&mut self) {
        self.total = Vec::new();
        self.log_flows = Vec::new();
        self.n_rows = 0;
    }

    /// Notes that the flows of so many rows were added, and moves them to the total when these are many.
    pub(super) fn note_rows(&mut self, n_rows: usize) {
        self.n_rows += n_rows;
        if self.n_rows < ROWS_OF_A_SUM {
            return;
        }
        self.n_rows = 0;
        if self.total.is_empty() {
            self.total = vec![0.0; self.flows.len()];
        }
        for (total, flow) in self.total.iter_mut().zip(&mut self.flows) {
            *total += std::mem::take(flow);
        }
    }

    /// Adds the flows of a table, those of the linear code times the table's weights if it has any.
    pub(super) fn add_flows(&self, range: Range<usize>, weights: Option<&[f32]>, to: &mut [f32]) {
        for linear in [&self.flows, &self.total].into_iter().filter(|f| !f.is_empty()) {
            let flows = to.iter_mut().zip(&linear[range.clone()]);
            match weights {
                Some(weights) => flows.zip(weights).for_each(|((to, flow), weight)| *to += flow * weight),
                None => flows.for_each(|(to, flow)| *to += flow),
            }
        }
        if !self.log_flows.is_empty() {
            to.iter_mut().zip(&self.log_flows[range]).for_each(|(to, &flow)| *to += flow as f32);
        }
    }
}
