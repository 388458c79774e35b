//! How often a circuit reaches its units: the probability that a sample of the model goes through one, whatever
//! the data (the top-down probability of Liu and Van den Broeck, 2021).
//!
//! The root is reached with probability one, a sum's child as often as the sum times the weight of the edge, a
//! product's children as often as the product. In: a circuit with its weights, taken as they are. Out: numbers in
//! 64 bits, by layers or by tables; tables that several layers share are reached as often as these together.

use pcc_ir::{Graph, Layer, LayerId, LayerKind, ParamId, Params, group_table};
use std::ops::Range;

/// How often the units of each table are reached, in one row. A unit of a table is a row of weights, or a column of
/// an input table.
#[derive(Clone, Debug, PartialEq)]
pub struct Reach {
    starts: Vec<usize>,
    values: Vec<f64>,
}

impl Reach {
    /// Goes through the circuit once, from the root down.
    pub fn of(graph: &Graph, params: &Params) -> Self {
        let mut starts = vec![0];
        for param in graph.params() {
            starts.push(starts[starts.len() - 1] + param.n_units());
        }
        let mut reach = Reach { values: vec![0.0; starts[starts.len() - 1]], starts };
        for_each_layer_down(graph, params, |id, reached| reach.add(graph, graph.layer(id), reached));
        reach
    }

    /// The units of a table, group by group.
    pub fn table(&self, id: ParamId) -> &[f64] {
        &self.values[self.range(id)]
    }

    fn range(&self, id: ParamId) -> Range<usize> {
        self.starts[id.index()]..self.starts[id.index() + 1]
    }

    fn add(&mut self, graph: &Graph, layer: Layer, reached: &[f64]) {
        let Some(id) = layer.kind.param() else { return };
        let width = layer.width as usize;
        for (group, reached) in reached.chunks_exact(width).enumerate() {
            let first = self.starts[id.index()] + unit_of_group(graph, id, layer, group);
            self.values[first..first + width].iter_mut().zip(reached).for_each(|(sum, x)| *sum += x);
        }
    }
}

/// The first unit of the table that serves a group of a layer.
pub(super) fn unit_of_group(graph: &Graph, id: ParamId, layer: Layer, group: usize) -> usize {
    group * graph.param(id).groups as usize / layer.groups as usize * layer.width as usize
}

/// Calls `visit` for each layer, parents first, with how often each of its units is reached.
pub(super) fn for_each_layer_down(graph: &Graph, params: &Params, mut visit: impl FnMut(LayerId, &[f64])) {
    let mut reached: Vec<Vec<f64>> = graph.layer_ids().map(|_| Vec::new()).collect();
    reached[graph.root().index()] = vec![1.0];
    for id in graph.layer_ids().rev() {
        let own = std::mem::take(&mut reached[id.index()]);
        let layer = graph.layer(id);
        for &child in layer.children {
            reached[child.index()].resize(graph.n_units(child), 0.0);
        }
        pass_down(graph, params, id, &own, &mut reached);
        visit(id, &own);
    }
}

fn pass_down(graph: &Graph, params: &Params, id: LayerId, own: &[f64], reached: &mut [Vec<f64>]) {
    let layer = graph.layer(id);
    match layer.kind {
        LayerKind::Input { .. } | LayerKind::Literal { .. } | LayerKind::Indicator { .. } => {}
        LayerKind::Product => {
            for &child in layer.children {
                reached[child.index()].iter_mut().zip(own).for_each(|(sum, x)| *sum += x);
            }
        }
        LayerKind::Outer => {
            for (unit, x) in own.iter().enumerate() {
                let (one, other) = graph.outer_factors(id, unit);
                reached[layer.children[0].index()][one] += x;
                reached[layer.children[1].index()][other] += x;
            }
        }
        LayerKind::Sum { param } => {
            for (group, own) in own.chunks_exact(layer.width as usize).enumerate() {
                let weights = &params.table(param)[group_table(graph, param, layer.groups, group as u32)];
                pass_down_sum(layer, group, own, weights, reached);
            }
        }
        LayerKind::Mix { param } => {
            let n = layer.children.len();
            for (group, own) in own.chunks_exact(layer.width as usize).enumerate() {
                let weights = &params.table(param)[group_table(graph, param, layer.groups, group as u32)];
                for (k, (x, weights)) in own.iter().zip(weights.chunks_exact(n)).enumerate() {
                    let unit = group * layer.width as usize + k;
                    for (child, weight) in layer.children.iter().zip(weights) {
                        reached[child.index()][unit] += x * f64::from(*weight);
                    }
                }
            }
        }
    }
}

/// One group of a sum: `reached += weights^T own`, child by child.
fn pass_down_sum(layer: Layer, group: usize, own: &[f64], weights: &[f32], reached: &mut [Vec<f64>]) {
    let columns = weights.len() / own.len();
    for (x, row) in own.iter().zip(weights.chunks_exact(columns)).filter(|(x, _)| **x > 0.0) {
        let mut rest = row;
        for child in layer.children {
            let child = &mut reached[child.index()];
            let part = child.len() / layer.groups as usize;
            let (row, after) = rest.split_at(part);
            rest = after;
            let sums = &mut child[group * part..(group + 1) * part];
            sums.iter_mut().zip(row).for_each(|(sum, weight)| *sum += x * f64::from(*weight));
        }
    }
}
