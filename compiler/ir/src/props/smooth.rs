//! Smoothness: all children of a sum or a mix cover the same variables.
//!
//! Scopes are interned, so the check compares ids and looks at no variable unless it fails.

use crate::{Graph, LayerId, LayerKind, Scope};

/// A sum whose children cover different variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unequal {
    /// The sum or mix.
    pub layer: LayerId,
    /// The child by position that differs from the first.
    pub child: usize,
    /// What the first covers and this one lacks.
    pub missing: Scope,
    /// What this one covers and the first lacks.
    pub extra: Scope,
}

/// Every sum or mix with children of different scopes, with the first child that differs.
pub fn unequal_scopes(graph: &Graph) -> impl Iterator<Item = Unequal> + '_ {
    graph.layer_ids().filter_map(|id| unequal(graph, id))
}

fn unequal(graph: &Graph, id: LayerId) -> Option<Unequal> {
    let layer = graph.layer(id);
    if !matches!(layer.kind, LayerKind::Sum { .. } | LayerKind::Mix { .. }) {
        return None;
    }
    let first = *layer.children.first()?;
    let child = layer.children.iter().position(|&c| graph.layer(c).scope != graph.layer(first).scope)?;
    let (a, b) = (graph.scope(first), graph.scope(layer.children[child]));
    Some(Unequal { layer: id, child, missing: a.difference(b), extra: b.difference(a) })
}
