//! Evaluation in log space and float64, a few rows at a time.
//!
//! What `--numerics log` runs, and what samples are computed with that the linear code marks as out of its
//! range. Written apart from the interpreter, which judges both: here rows lie side by side, and a sum
//! over inputs is shifted by their maximum and taken linearly, term by term only where that underflows.
//!
//! In: a graph, its parameters, rows of evidence. Out: logarithms of unit values, and flows.

mod down;
mod soft;
mod sum;
mod up;

use super::gathered::Gathered;
use super::{Executor, Values};
use crate::train::{Momentum, Update};
use pcc_ir::{Batch, Flows, Graph, Layer, LayerId, ParamId, Params, Value, VarId, group_table};
use std::ops::Range;

/// Numbers that the values of all rows of one pass may take up.
const NUMBERS_OF_A_PASS: usize = 1 << 20;

/// Working memory for passes over a few rows.
#[derive(Clone, Debug)]
pub(super) struct LogSpace {
    /// Where a layer's units start, then the number of all units.
    starts: Vec<usize>,
    /// Where a table's statistics start.
    stats: Vec<usize>,
    /// Rows of one pass.
    pub(super) width: usize,
    /// `[unit][row]` logarithms.
    values: Vec<f64>,
    /// `[unit][row]` flows.
    flows: Vec<f64>,
}

/// A circuit and the rows of a batch that a pass is over.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) graph: &'a Graph,
    pub(super) params: &'a Params,
    pub(super) batch: &'a Batch,
    /// At most [`LogSpace::width`] of them.
    pub(super) rows: &'a [usize],
}

impl Rows<'_> {
    fn values_of(&self, var: VarId) -> Vec<Value> {
        self.rows.iter().map(|&row| self.batch.get(self.graph, row, var)).collect()
    }

    /// The numbers of a table that one group of a layer reads.
    fn table(&self, param: ParamId, layer: Layer, group: usize) -> &[f32] {
        &self.params.table(param)[group_table(self.graph, param, layer.groups, group as u32)]
    }
}

impl LogSpace {
    /// Memory for a graph.
    pub(super) fn of(graph: &Graph) -> Self {
        let starts = sums(graph.layer_ids().map(|id| graph.n_units(id)));
        let stats = sums(graph.params().iter().map(|p| p.stats_len()));
        let n_units = starts[starts.len() - 1];
        let width = (NUMBERS_OF_A_PASS / n_units.max(1)).clamp(1, 16);
        LogSpace { starts, stats, width, values: vec![0.0; n_units * width], flows: Vec::new() }
    }

    /// Computes every unit's value for the rows. Returns the root's.
    pub(super) fn up(&mut self, rows: Rows) -> Vec<f64> {
        for id in rows.graph.layer_ids() {
            self.layer_up(id, rows);
        }
        let root = self.starts[rows.graph.root().index()];
        (0..rows.rows.len()).map(|row| self.values[root * self.width + row]).collect()
    }

    /// The logarithm of a unit's value, after [`LogSpace::up`].
    pub(super) fn log(&self, layer: LayerId, unit: usize, row: usize) -> f64 {
        self.values[(self.starts[layer.index()] + unit) * self.width + row]
    }

    /// Adds the flows of the rows that [`LogSpace::up`] was last called for, each times its weight.
    pub(super) fn down(&mut self, rows: Rows, weights: &[f64], into: &mut [f64]) {
        self.flows.clear();
        self.flows.resize(self.values.len(), 0.0);
        let root = self.starts[rows.graph.root().index()] * self.width;
        for (row, &weight) in weights.iter().enumerate() {
            let is_possible = self.values[root + row] > f64::NEG_INFINITY;
            self.flows[root + row] = if is_possible { weight } else { 0.0 };
        }
        for id in rows.graph.layer_ids().rev() {
            self.layer_down(id, rows, into);
        }
    }

    /// How many statistics all tables have.
    pub(super) fn n_stats(&self) -> usize {
        self.stats[self.stats.len() - 1]
    }

    /// Where the values of a layer's unit lie.
    fn unit(&self, layer: LayerId, unit: usize) -> Range<usize> {
        let first = (self.starts[layer.index()] + unit) * self.width;
        first..first + self.width
    }

    /// Copies the values of the last upward pass that there is room for.
    pub(super) fn copy_values(&self, rows: Rows, values: &mut Values) {
        for id in rows.graph.layer_ids() {
            for unit in 0..values.n_units(id) {
                for (i, &row) in rows.rows.iter().enumerate() {
                    values.set(id, unit, row, self.log(id, unit, i));
                }
            }
        }
    }
}

fn sums(lens: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut sums = vec![0];
    for len in lens {
        sums.push(sums[sums.len() - 1] + len);
    }
    sums
}

/// Runs a circuit in log space and float64.
#[derive(Clone, Debug)]
pub struct LogExecutor {
    graph: Graph,
    params: Params,
    space: LogSpace,
    gathered: Gathered,
}

impl LogExecutor {
    /// An executor of a circuit with these parameters.
    pub fn new(graph: Graph, params: Params) -> Self {
        let space = LogSpace::of(&graph);
        LogExecutor { graph, params, space, gathered: Gathered::default() }
    }

    /// Calls `visit` after each upward pass, with the rows that it was over.
    fn each_pass(&mut self, batch: &Batch, mut visit: impl FnMut(&mut LogSpace, Rows, Vec<f64>)) {
        let all: Vec<usize> = (0..batch.n_rows()).collect();
        for rows in all.chunks(self.space.width) {
            let rows = Rows { graph: &self.graph, params: &self.params, batch, rows };
            let logs = self.space.up(rows);
            visit(&mut self.space, rows, logs);
        }
    }
}

impl Executor for LogExecutor {
    fn graph(&self) -> &Graph {
        &self.graph
    }

    fn circuit(&mut self) -> (&Graph, &Params) {
        (&self.graph, &self.params)
    }

    fn update(&mut self, change: &mut dyn FnMut(&mut Params)) {
        change(&mut self.params);
    }

    fn log_likelihoods(&mut self, batch: &Batch) -> Vec<f64> {
        let mut all = Vec::with_capacity(batch.n_rows());
        self.each_pass(batch, |_, _, logs| all.extend(logs));
        all
    }

    fn flows(&mut self, batch: &Batch, weights: Option<&[f32]>, flows: &mut Flows) -> Vec<f64> {
        self.gathered.forget();
        let mut sums = vec![0.0; flows.values().len()];
        let mut all = Vec::with_capacity(batch.n_rows());
        self.each_pass(batch, |space, rows, logs| {
            let weight = |&row: &usize| weights.map_or(1.0, |w| f64::from(w[row]));
            let weights: Vec<f64> = rows.rows.iter().map(weight).collect();
            space.down(rows, &weights, &mut sums);
            all.extend(logs);
        });
        flows.values_mut().iter_mut().zip(&sums).for_each(|(f, s)| *f = (f64::from(*f) + s) as f32);
        all
    }

    fn gather(&mut self, batch: &Batch, weights: Option<&[f32]>) -> Vec<f64> {
        let mut flows = self.gathered.take(&self.graph);
        let logs = self.flows(batch, weights, &mut flows);
        self.gathered.put(flows);
        logs
    }

    fn maximize(&mut self, update: &Update, momentum: Option<&mut Momentum>) {
        self.gathered.maximize(&self.graph, update, momentum, &mut self.params);
    }

    fn forget(&mut self) {
        self.gathered.forget();
    }

    fn fill(&mut self, batch: &Batch, values: &mut Values) {
        self.each_pass(batch, |space, rows, _| space.copy_values(rows, values));
    }
}
