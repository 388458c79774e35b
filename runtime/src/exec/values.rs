//! The values of units of a circuit for a few rows, as queries need them: of all layers, or of some.

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
        Self::with(graph.layer_ids().map(|id| graph.n_units(id)), n_rows)
    }

    /// Room for the units of some layers.
    pub fn of_layers(graph: &Graph, layers: &[LayerId], n_rows: usize) -> Self {
        let mut is_asked_for = vec![false; graph.n_layers()];
        layers.iter().for_each(|layer| is_asked_for[layer.index()] = true);
        let units = |id: LayerId| if is_asked_for[id.index()] { graph.n_units(id) } else { 0 };
        Self::with(graph.layer_ids().map(units), n_rows)
    }

    fn with(n_units: impl Iterator<Item = usize>, n_rows: usize) -> Self {
        let mut starts = vec![0];
        for n in n_units {
            starts.push(starts[starts.len() - 1] + n);
        }
        let n_units = starts[starts.len() - 1];
        Values { starts, n_rows, logs: vec![f64::NEG_INFINITY; n_units * n_rows] }
    }

    /// How many rows there are.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Whether there is room for all layers of a graph.
    pub fn is_whole(&self) -> bool {
        (1..self.starts.len()).all(|i| self.starts[i] > self.starts[i - 1])
    }

    /// The layers that there is room for.
    pub fn layers(&self) -> impl Iterator<Item = LayerId> + '_ {
        (0..self.starts.len() - 1).map(LayerId::new).filter(|&layer| self.n_units(layer) > 0)
    }

    /// How many units of a layer there is room for: all or none.
    pub fn n_units(&self, layer: LayerId) -> usize {
        self.starts[layer.index() + 1] - self.starts[layer.index()]
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
