//! The values of all units of a circuit for a few rows, as queries need them.

use pcc_ir::{Graph, LayerId};

/// Logarithms of unit values, unit after unit, each with its rows side by side.
#[derive(Clone, Debug, PartialEq)]
pub struct Values {
    starts: Vec<usize>,
    n_rows: usize,
    logs: Vec<f64>,
}

impl Values {
    /// Room for every unit of a graph, all minus infinity.
    pub fn of(graph: &Graph, n_rows: usize) -> Self {
        let mut starts = vec![0];
        for id in graph.layer_ids() {
            starts.push(starts[starts.len() - 1] + graph.n_units(id));
        }
        let n_units = starts[starts.len() - 1];
        Values { starts, n_rows, logs: vec![f64::NEG_INFINITY; n_units * n_rows] }
    }

    /// How many rows there are.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// The logarithm of a unit's value in a row; units are counted through all groups of the layer.
    pub fn get(&self, layer: LayerId, unit: usize, row: usize) -> f64 {
        self.logs[(self.starts[layer.index()] + unit) * self.n_rows + row]
    }

    /// Sets it.
    pub fn set(&mut self, layer: LayerId, unit: usize, row: usize, log: f64) {
        self.logs[(self.starts[layer.index()] + unit) * self.n_rows + row] = log;
    }
}
