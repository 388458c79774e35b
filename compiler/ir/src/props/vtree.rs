//! Vtrees: full binary trees with one variable at each leaf.

use crate::{Graph, LayerId, LayerKind, Scope, VarId};
use rustc_hash::FxHashMap;

/// A node of a vtree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VtreeNode {
    /// A variable.
    Leaf(VarId),
    /// Two subtrees, by position among the nodes.
    Inner(u32, u32),
}

/// A vtree. Nodes lie children first; the root is the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vtree {
    nodes: Vec<VtreeNode>,
    /// For each node the range of leaves under it, in order from left to right.
    ranges: Vec<(u32, u32)>,
    parents: Vec<u32>,
    /// For each variable its leaf's node.
    leaves: FxHashMap<VarId, u32>,
}

/// A product that a vtree does not admit: no node of the vtree separates two of its factors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// The product.
    pub layer: LayerId,
    /// The first factor, by position.
    pub first: usize,
    /// The second factor, by position; the same as the first when a variable is not in the vtree at all.
    pub second: usize,
}

impl Vtree {
    /// A vtree of nodes that lie children first, the root last; `None` unless every other node is the child
    /// of exactly one and every variable stands at one leaf.
    pub fn new(nodes: Vec<VtreeNode>) -> Option<Vtree> {
        let root = nodes.len().checked_sub(1)? as u32;
        let mut parents = vec![u32::MAX; nodes.len()];
        let mut leaves = FxHashMap::default();
        for (i, node) in nodes.iter().enumerate() {
            match *node {
                VtreeNode::Leaf(var) if leaves.insert(var, i as u32).is_some() => return None,
                VtreeNode::Leaf(_) => {}
                VtreeNode::Inner(a, b) => {
                    for child in [a, b] {
                        if child as usize >= i || parents[child as usize] != u32::MAX {
                            return None;
                        }
                        parents[child as usize] = i as u32;
                    }
                }
            }
        }
        if parents[..root as usize].contains(&u32::MAX) {
            return None;
        }
        let ranges = ranges(&nodes);
        Some(Vtree { nodes, ranges, parents, leaves })
    }

    /// The nodes, children first, the root last.
    pub fn nodes(&self) -> &[VtreeNode] {
        &self.nodes
    }

    /// Its variables from left to right.
    pub fn variables(&self) -> Vec<VarId> {
        let mut all: Vec<(u32, VarId)> =
            self.leaves.iter().map(|(&var, &leaf)| (self.ranges[leaf as usize].0, var)).collect();
        all.sort_unstable();
        all.into_iter().map(|(_, var)| var).collect()
    }

    /// The leaves under the lowest node that has all variables of a scope; `None` when it lacks one, or the
    /// scope is empty.
    fn range_around(&self, scope: &Scope) -> Option<(u32, u32)> {
        let mut ends: Option<(u32, u32, u32)> = None;
        for var in scope.iter() {
            let leaf = *self.leaves.get(&var)?;
            let at = self.ranges[leaf as usize].0;
            ends = Some(ends.map_or((at, at, leaf), |(low, high, _)| (low.min(at), high.max(at), leaf)));
        }
        let (low, high, mut node) = ends?;
        while self.ranges[node as usize].0 > low || self.ranges[node as usize].1 <= high {
            node = self.parents[node as usize];
        }
        Some(self.ranges[node as usize])
    }
}

/// The ranges of leaves, from the root down: a node's leaves are split between its children.
fn ranges(nodes: &[VtreeNode]) -> Vec<(u32, u32)> {
    let mut n_leaves = vec![1_u32; nodes.len()];
    for (i, node) in nodes.iter().enumerate() {
        if let VtreeNode::Inner(a, b) = *node {
            n_leaves[i] = n_leaves[a as usize] + n_leaves[b as usize];
        }
    }
    let mut ranges = vec![(0, 0); nodes.len()];
    let Some(root) = nodes.len().checked_sub(1) else { return ranges };
    ranges[root] = (0, n_leaves[root]);
    for i in (0..nodes.len()).rev() {
        if let VtreeNode::Inner(a, b) = nodes[i] {
            let (low, high) = ranges[i];
            let middle = low + n_leaves[a as usize];
            ranges[a as usize] = (low, middle);
            ranges[b as usize] = (middle, high);
        }
    }
    ranges
}

/// Whether every product of a graph is admitted by a vtree: the lowest vtree nodes that hold the variables
/// of its factors have no leaf in common, so that some bracketing of the product follows the vtree.
///
/// # Errors
/// The first product that is not.
pub fn structured_by(graph: &Graph, vtree: &Vtree) -> Result<(), Misfit> {
    let mut ranges = FxHashMap::default();
    for id in graph.layer_ids() {
        let layer = graph.layer(id);
        if !matches!(layer.kind, LayerKind::Product | LayerKind::Outer) {
            continue;
        }
        let mut of_factors: Vec<((u32, u32), usize)> = Vec::with_capacity(layer.children.len());
        for (i, &child) in layer.children.iter().enumerate() {
            let scope = graph.layer(child).scope;
            let range = *ranges.entry(scope).or_insert_with(|| vtree.range_around(graph.scope(child)));
            of_factors.push((range.ok_or(Misfit { layer: id, first: i, second: i })?, i));
        }
        of_factors.sort_unstable();
        if let Some(pair) = of_factors.windows(2).find(|pair| pair[1].0.0 < pair[0].0.1) {
            let (first, second) = (pair[0].1.min(pair[1].1), pair[0].1.max(pair[1].1));
            return Err(Misfit { layer: id, first, second });
        }
    }
    Ok(())
}
