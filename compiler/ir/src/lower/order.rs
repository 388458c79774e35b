//! The order in which layers are computed: depth first from the root, each layer once.
//!
//! In: a graph. Out: its layers, children before parents. Each child is followed at once by what else it
//! needs, so most values are in the cache when they are read. Of a layer's children the one that needs most
//! rows beyond those of its own value goes first, while no brother's value is waiting (Sethi and Ullman,
//! 1970); that is best where the graph is a tree, and a good guess elsewhere.

use crate::{Graph, LayerId};
use std::cmp::Reverse;

/// All layers that the root reaches, children first.
pub(super) fn depth_first(graph: &Graph) -> Vec<LayerId> {
    let children = Children::by_need(graph);
    let mut order = Vec::with_capacity(graph.n_layers());
    let mut is_seen = vec![false; graph.n_layers()];
    // A layer and the position of the child to go to next; chains are deeper than a thread's stack.
    let mut path = vec![(graph.root(), 0)];
    is_seen[graph.root().index()] = true;
    while let Some((layer, next)) = path.last_mut() {
        match children.of(*layer).get(*next) {
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

/// Every layer's children in the order in which they are computed, one after another.
struct Children {
    starts: Vec<usize>,
    all: Vec<LayerId>,
}

impl Children {
    fn by_need(graph: &Graph) -> Self {
        let mut children = Children { starts: vec![0], all: Vec::new() };
        let rows = |id: LayerId| graph.n_units(id) as u64 + u64::from(graph.layer(id).groups);
        // The most rows that are alive at once while a layer is computed, if nothing is shared.
        let mut needs: Vec<u64> = Vec::with_capacity(graph.n_layers());
        for id in graph.layer_ids() {
            let start = children.all.len();
            children.all.extend(graph.children(id));
            let own = &mut children.all[start..];
            own.sort_by_key(|&child| Reverse(needs[child.index()].saturating_sub(rows(child))));
            let (mut most, mut waiting) = (0, 0);
            for &child in own.iter() {
                most = most.max(waiting + needs[child.index()]);
                waiting += rows(child);
            }
            needs.push(most.max(waiting + rows(id)));
            children.starts.push(children.all.len());
        }
        children
    }

    fn of(&self, id: LayerId) -> &[LayerId] {
        &self.all[self.starts[id.index()]..self.starts[id.index() + 1]]
    }
}
