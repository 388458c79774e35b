//! Computes equal layers once: layers of the same kind, table, size and children become one.
//!
//! ```text
//! l0 = literal A 1 : 1 x 4
//! l1 = literal A 1 : 1 x 4         ->    l0 = literal A 1 : 1 x 4
//! l2 = product l0 l5 : 1 x 4             l2 = product l0 l5 : 1 x 4
//! l3 = product l1 l5 : 1 x 4             (l2 stands for l3)
//! ```
//!
//! Layers with tables of their own are different even when the tables have the same values now: learning
//! would tell them apart. Tied tables gather the same statistics from one layer with two users as from two.

use super::rebuild::Rebuild;
use pcc_ir::{Graph, LayerId, LayerKind};
use rustc_hash::FxHashMap;
use std::collections::hash_map::Entry;

/// What makes two layers equal. Tables are those of the old graph, children those of the new one.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    kind: LayerKind,
    groups: u32,
    width: u32,
    children: Vec<LayerId>,
}

/// Runs the pass.
pub fn run(graph: &Graph) -> Graph {
    let mut rebuild = Rebuild::new(graph);
    let mut first: FxHashMap<Key, LayerId> = FxHashMap::default();
    for id in graph.layer_ids() {
        let layer = graph.layer(id);
        let children = rebuild.children(id);
        let key = Key { kind: layer.kind, groups: layer.groups, width: layer.width, children };
        match first.entry(key) {
            Entry::Occupied(known) => rebuild.stand_in(*known.get()),
            Entry::Vacant(slot) => {
                rebuild.copy(id, &slot.key().children);
                slot.insert(rebuild.layer(id));
            }
        }
    }
    rebuild.finish()
}
