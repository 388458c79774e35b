//! One unit at a time: its edges and its distribution, as every top-down query walks them.

use pcc_ir::{Family, Graph, Layer, LayerId, LayerKind, ParamId, ParamShape, Params, group_table};

/// An edge from a unit to a unit of a child.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Edge {
    pub layer: LayerId,
    pub unit: usize,
    /// The weight under a sum; one under a product.
    pub weight: f64,
}

/// How a unit puts its children together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Join {
    /// A sum or mix: one of the children, by weight.
    Choice,
    /// A product: all of them.
    All,
    /// It has no children.
    Leaf,
}

/// A circuit with its parameters.
#[derive(Clone, Copy)]
pub(super) struct Units<'a> {
    pub graph: &'a Graph,
    pub params: &'a Params,
}

impl Units<'_> {
    /// How the units of a layer put their children together.
    pub fn join(&self, id: LayerId) -> Join {
        match self.graph.layer(id).kind {
            LayerKind::Sum { .. } | LayerKind::Mix { .. } => Join::Choice,
            LayerKind::Product | LayerKind::Outer => Join::All,
            _ => Join::Leaf,
        }
    }

    /// Replaces `edges` by those of a unit; units are counted through all groups of the layer.
    pub fn edges(&self, id: LayerId, unit: usize, edges: &mut Vec<Edge>) {
        edges.clear();
        let layer = self.graph.layer(id);
        let (group, k) = (unit / layer.width as usize, unit % layer.width as usize);
        let part = |child: LayerId| self.graph.n_units(child) / layer.groups as usize;
        match layer.kind {
            LayerKind::Sum { param } => {
                let inputs = layer.children.iter().flat_map(|&c| {
                    let first = group * part(c);
                    (first..first + part(c)).map(move |unit| (c, unit))
                });
                let weights = self.weights(param, layer, group, k);
                edges.extend(inputs.zip(weights).map(|((layer, unit), &w)| edge(layer, unit, w)));
            }
            LayerKind::Mix { param } => {
                let weights = self.weights(param, layer, group, k);
                edges.extend(layer.children.iter().zip(weights).map(|(&layer, &w)| edge(layer, unit, w)));
            }
            LayerKind::Product => edges.extend(layer.children.iter().map(|&layer| edge(layer, unit, 1.0))),
            LayerKind::Outer => {
                let (first, second) = self.graph.outer_factors(id, unit);
                edges.extend([edge(layer.children[0], first, 1.0), edge(layer.children[1], second, 1.0)]);
            }
            _ => {}
        }
    }

    fn weights(&self, param: ParamId, layer: Layer, group: usize, unit: usize) -> &[f32] {
        let table = group_table(self.graph, param, layer.groups, group as u32);
        let row_len = table.len() / layer.width as usize;
        &self.params.table(param)[table][unit * row_len..(unit + 1) * row_len]
    }

    /// The family of an input unit, and its parameters.
    pub fn distribution(&self, id: LayerId, unit: usize, param: ParamId) -> (Family, Vec<f64>) {
        let layer = self.graph.layer(id);
        let (group, k) = (unit / layer.width as usize, unit % layer.width as usize);
        let ParamShape::Input { family, units } = self.graph.param(param).shape else {
            unreachable!("the builder gives input layers input tables");
        };
        let table = &self.params.table(param)[group_table(self.graph, param, layer.groups, group as u32)];
        let theta = (0..family.n_params()).map(|r| f64::from(table[r * units as usize + k])).collect();
        (family, theta)
    }
}

fn edge(layer: LayerId, unit: usize, weight: f32) -> Edge {
    Edge { layer, unit, weight: f64::from(weight) }
}
