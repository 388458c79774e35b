//! Decomposability: children of a product share no variable.
//!
//! The children of a layer are disjoint exactly when their sizes add up to the size of their union, which is
//! the layer's scope; so the check adds sizes, and looks for the two children at fault only when it fails.

use super::sizes::ScopeSizes;
use crate::{Graph, LayerId, LayerKind, Scope};

/// A product with two children that share variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// The `product` or `outer` layer.
    pub layer: LayerId,
    /// The first child, by position.
    pub first: usize,
    /// The second child, by position.
    pub second: usize,
    /// The variables in both.
    pub shared: Scope,
}

/// Every product with children that share variables, with the first pair that does.
pub fn overlapping_scopes(graph: &Graph) -> impl Iterator<Item = Overlap> + '_ {
    let sizes = ScopeSizes::of(graph);
    graph.layer_ids().filter_map(move |id| {
        let layer = graph.layer(id);
        let is_product = matches!(layer.kind, LayerKind::Product | LayerKind::Outer);
        let total = || layer.children.iter().map(|&c| sizes.get(graph.layer(c).scope)).sum::<usize>();
        if is_product && total() != sizes.get(layer.scope) { find_pair(graph, id) } else { None }
    })
}

/// The first child that meets the union of those before it, and the first of those that it meets.
fn find_pair(graph: &Graph, id: LayerId) -> Option<Overlap> {
    let children = graph.children(id);
    let mut union = Scope::empty(graph.variables().len());
    for (second, &child) in children.iter().enumerate() {
        let scope = graph.scope(child);
        if !union.is_disjoint(scope) {
            let first = children.iter().position(|&c| !graph.scope(c).is_disjoint(scope))?;
            let shared = graph.scope(children[first]).intersection(scope);
            return Some(Overlap { layer: id, first, second, shared });
        }
        union.unite(scope);
    }
    None
}
