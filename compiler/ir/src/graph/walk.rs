//! petgraph's visit traits on a graph's layers, so that its algorithms run on them.
//!
//! A [`Walk`] adds to a graph the lists of parents, which the graph itself does not keep. Edges run from a
//! layer to its children, one for each time a child is listed.

use super::Graph;
use crate::LayerId;
use fixedbitset::FixedBitSet;
use petgraph::visit::{
    GraphBase, GraphProp, IntoNeighbors, IntoNeighborsDirected, IntoNodeIdentifiers, NodeCompactIndexable,
    NodeCount, NodeIndexable, VisitMap, Visitable,
};
use petgraph::{Directed, Direction};
use std::iter::{Copied, Map};
use std::ops::Range;
use std::slice::Iter;

/// A graph with its edges in both directions.
#[derive(Clone, Debug)]
pub struct Walk<'g> {
    graph: &'g Graph,
    parent_starts: Vec<u32>,
    parents: Vec<LayerId>,
}

impl<'g> Walk<'g> {
    /// Lists the parents of all layers, in linear time.
    pub fn new(graph: &'g Graph) -> Self {
        let mut starts = vec![0_u32; graph.n_layers() + 1];
        for id in graph.layer_ids() {
            graph.children(id).iter().for_each(|c| starts[c.index() + 1] += 1);
        }
        for i in 1..starts.len() {
            starts[i] += starts[i - 1];
        }
        let mut parents = vec![LayerId(0); starts[graph.n_layers()] as usize];
        let mut next = starts.clone();
        for id in graph.layer_ids() {
            for child in graph.children(id) {
                parents[next[child.index()] as usize] = id;
                next[child.index()] += 1;
            }
        }
        Walk { graph, parent_starts: starts, parents }
    }

    /// The graph.
    pub fn graph(&self) -> &'g Graph {
        self.graph
    }

    /// The layers that list this one as a child, once for each time.
    pub fn parents(&self, id: LayerId) -> &[LayerId] {
        let range = self.parent_starts[id.index()]..self.parent_starts[id.index() + 1];
        &self.parents[range.start as usize..range.end as usize]
    }
}

/// The layers that an algorithm has visited.
#[derive(Clone, Debug, Default)]
pub struct Visited(FixedBitSet);

impl VisitMap<LayerId> for Visited {
    fn visit(&mut self, id: LayerId) -> bool {
        !self.0.put(id.index())
    }

    fn is_visited(&self, id: &LayerId) -> bool {
        self.0.contains(id.index())
    }

    fn unvisit(&mut self, id: LayerId) -> bool {
        let was_visited = self.is_visited(&id);
        self.0.set(id.index(), false);
        was_visited
    }
}

impl GraphBase for Walk<'_> {
    type NodeId = LayerId;
    type EdgeId = (LayerId, LayerId);
}

impl GraphProp for Walk<'_> {
    type EdgeType = Directed;
}

impl NodeCount for Walk<'_> {
    fn node_count(&self) -> usize {
        self.graph.n_layers()
    }
}

impl NodeIndexable for Walk<'_> {
    fn node_bound(&self) -> usize {
        self.graph.n_layers()
    }

    fn to_index(&self, id: LayerId) -> usize {
        id.index()
    }

    fn from_index(&self, index: usize) -> LayerId {
        LayerId::new(index)
    }
}

impl NodeCompactIndexable for Walk<'_> {}

impl Visitable for Walk<'_> {
    type Map = Visited;

    fn visit_map(&self) -> Visited {
        Visited(FixedBitSet::with_capacity(self.graph.n_layers()))
    }

    fn reset_map(&self, map: &mut Visited) {
        map.0.clear();
        map.0.grow(self.graph.n_layers());
    }
}

impl IntoNodeIdentifiers for &Walk<'_> {
    type NodeIdentifiers = Map<Range<u32>, fn(u32) -> LayerId>;

    fn node_identifiers(self) -> Self::NodeIdentifiers {
        (0..self.graph.n_layers() as u32).map(LayerId)
    }
}

impl<'w> IntoNeighbors for &'w Walk<'_> {
    type Neighbors = Copied<Iter<'w, LayerId>>;

    fn neighbors(self, id: LayerId) -> Self::Neighbors {
        self.graph.children(id).iter().copied()
    }
}

impl<'w> IntoNeighborsDirected for &'w Walk<'_> {
    type NeighborsDirected = Copied<Iter<'w, LayerId>>;

    fn neighbors_directed(self, id: LayerId, direction: Direction) -> Self::NeighborsDirected {
        match direction {
            Direction::Outgoing => self.neighbors(id),
            Direction::Incoming => self.parents(id).iter().copied(),
        }
    }
}
