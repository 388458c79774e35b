//! Flows of all units for one row: the probability, given the evidence, that a top-down draw passes them.
//!
//! The root has flow one; a sum passes `F_nc = F_n w_nc v_c / v_n` on, a product its own flow to every
//! child (Darwiche, 2003). Everything is in 64-bit floats.

use super::units::{Edge, Join, Units};
use crate::exec::Values;

/// Flows of every layer's units. The row must be possible.
pub(super) fn flows(units: Units, values: &Values, row: usize) -> Vec<Vec<f64>> {
    let graph = units.graph;
    let mut flows: Vec<Vec<f64>> = graph.layer_ids().map(|id| vec![0.0; graph.n_units(id)]).collect();
    flows[graph.root().index()][0] = 1.0;
    let mut edges: Vec<Edge> = Vec::new();
    for id in graph.layer_ids().rev().filter(|&id| units.join(id) != Join::Leaf) {
        for unit in 0..graph.n_units(id) {
            let flow = flows[id.index()][unit];
            if flow > 0.0 {
                units.edges(id, unit, &mut edges);
                let log = values.get(id, unit, row);
                for edge in &edges {
                    flows[edge.layer.index()][edge.unit] += match units.join(id) {
                        Join::Choice => {
                            flow * edge.weight * (values.get(edge.layer, edge.unit, row) - log).exp()
                        }
                        _ => flow,
                    };
                }
            }
        }
    }
    flows
}
