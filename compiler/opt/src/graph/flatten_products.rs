//! Takes a product whose only user is a product into that user: one step instead of two, and no row stored
//! in between.
//!
//! ```text
//! l3 = product l0 l1 : 1 x 8       ->    l4 = product l0 l1 l2 : 1 x 8
//! l4 = product l3 l2 : 1 x 8
//! ```
//!
//! A product with a label stays: recipes find it by that name. So does one with several users, which would
//! be computed once for each.

use super::rebuild::Rebuild;
use pcc_ir::graph::Walk;
use pcc_ir::{Graph, LayerId, LayerKind};

/// Runs the pass.
pub fn run(graph: &Graph) -> Graph {
    let is_absorbed = absorbed(graph);
    let mut rebuild = Rebuild::new(graph);
    for id in graph.layer_ids() {
        if is_absorbed[id.index()] {
            rebuild.skip();
            continue;
        }
        let factors = factors(graph, id, &is_absorbed);
        let children: Vec<LayerId> = factors.into_iter().map(|old| rebuild.layer(old)).collect();
        rebuild.copy(id, &children);
    }
    rebuild.finish()
}

/// The children of a layer, with those of absorbed products in their place.
fn factors(graph: &Graph, id: LayerId, is_absorbed: &[bool]) -> Vec<LayerId> {
    let mut open: Vec<LayerId> = graph.children(id).iter().rev().copied().collect();
    let mut factors = Vec::new();
    while let Some(child) = open.pop() {
        match is_absorbed[child.index()] {
            true => open.extend(graph.children(child).iter().rev()),
            false => factors.push(child),
        }
    }
    factors
}

/// Products that are the factor of one product and nothing else, and have no label.
fn absorbed(graph: &Graph) -> Vec<bool> {
    let walk = Walk::new(graph);
    let is_product = |id: LayerId| graph.layer(id).kind == LayerKind::Product;
    let mut absorbed: Vec<bool> = graph
        .layer_ids()
        .map(|id| is_product(id) && matches!(*walk.parents(id), [parent] if is_product(parent)))
        .collect();
    graph.labels().iter().for_each(|(layer, _)| absorbed[layer.index()] = false);
    absorbed
}
