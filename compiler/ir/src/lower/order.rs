//! The order in which layers are computed: depth first from the root, each layer once.
//!
//! In: a graph. Out: its layers, children before parents. Of a layer's children, in their order, each is
//! followed at once by what else it needs, so few values are alive at any time and most are in the cache.

use crate::{Graph, LayerId};

/// All layers that the root reaches, children first.
pub(super) fn depth_first(graph: &Graph) -> Vec<LayerId> {
    let mut order = Vec::with_capacity(graph.n_layers());
    let mut is_seen = vec![false; graph.n_layers()];
    // A layer and the position of the child to go to next; chains are deeper than a thread's stack.
    let mut path = vec![(graph.root(), 0)];
    is_seen[graph.root().index()] = true;
    while let Some((layer, next)) = path.last_mut() {
        match graph.children(*layer).get(*next) {
            Some(&child) => {
                *next += 1;
                if !std::mem::replace(&mut is_seen[child.index()], true) {
                    path.push((child, 0));
                }
            }
            None => {
                order.push(*layer);
                path.pop();
            }
        }
    }
    order
}
