//! Hidden Chow-Liu trees: a latent for each variable, hanging from that of its parent.
//!
//! `message(c) = A_c (E_c[x_c] * the product of the children's messages)`; every variable but the root has a
//! square table, leaves of the tree included. Arrays: `parent` `[variables]` (-1 at the root), `pi` `[K]`,
//! `A` `[variables][parent's state][state]`, `E` `[variables][value][state]`.

use super::Maker;
use pcc_ir::family::Categorical;
use pcc_ir::random::Random;
use pcc_ir::{Domain, Family, Graph, GraphError, LayerId};

/// A rooted tree over the variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    parents: Vec<Option<usize>>,
    /// Parents before children.
    order: Vec<usize>,
}

impl Tree {
    /// The tree in which each variable has that parent; `None` when it is none: not one root, a parent that
    /// does not exist, or a cycle.
    pub fn of_parents(parents: Vec<Option<usize>>) -> Option<Self> {
        let mut children = vec![Vec::new(); parents.len()];
        let mut order = Vec::new();
        for (child, parent) in parents.iter().enumerate() {
            match parent {
                Some(parent) => children.get_mut(*parent)?.push(child),
                None => order.push(child),
            }
        }
        let has_one_root = order.len() == 1;
        let mut next = 0;
        while let Some(&parent) = order.get(next) {
            order.extend(&children[parent]);
            next += 1;
        }
        (has_one_root && order.len() == parents.len()).then_some(Tree { parents, order })
    }

    /// A spanning tree of a square grid, as a Chow-Liu tree of pictures is: the least one for random weights
    /// of neighbours (Kruskal, 1956), rooted in the middle of its longest path.
    pub fn of_grid(side: usize, seed: u64) -> Self {
        let neighbours = spanning_tree(side * side, &shuffled_edges(side, seed));
        let end = *breadth_first(&neighbours, 0).0.last().expect("a grid has a node");
        let (order, parents) = breadth_first(&neighbours, end);
        let mut path = vec![*order.last().expect("a grid has a node")];
        while let Some(parent) = parents[path[path.len() - 1]] {
            path.push(parent);
        }
        let (order, parents) = breadth_first(&neighbours, path[path.len() / 2]);
        Tree { parents, order }
    }

    /// How many variables it has.
    pub fn len(&self) -> usize {
        self.parents.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.parents.is_empty()
    }
}

/// The edges between neighbours in a grid, in random order.
fn shuffled_edges(side: usize, seed: u64) -> Vec<(usize, usize)> {
    let cells = || (0..side).flat_map(|y| (0..side).map(move |x| (y, x)));
    let across = cells().filter(|&(_, x)| x + 1 < side).map(|(y, x)| (y * side + x, y * side + x + 1));
    let down = cells().filter(|&(y, _)| y + 1 < side).map(|(y, x)| (y * side + x, (y + 1) * side + x));
    let mut random = Random::new(seed);
    let mut edges: Vec<(u64, (usize, usize))> = across.chain(down).map(|e| (random.bits(), e)).collect();
    edges.sort_unstable();
    edges.into_iter().map(|(_, edge)| edge).collect()
}

/// The neighbours of each node in the tree of the edges that close no cycle.
fn spanning_tree(n: usize, edges: &[(usize, usize)]) -> Vec<Vec<usize>> {
    let mut leader: Vec<usize> = (0..n).collect();
    let mut neighbours = vec![Vec::new(); n];
    for &(a, b) in edges {
        let (leader_a, leader_b) = (find(&mut leader, a), find(&mut leader, b));
        if leader_a != leader_b {
            leader[leader_a] = leader_b;
            neighbours[a].push(b);
            neighbours[b].push(a);
        }
    }
    neighbours
}

fn find(leader: &mut [usize], mut node: usize) -> usize {
    while leader[node] != node {
        leader[node] = leader[leader[node]];
        node = leader[node];
    }
    node
}

fn breadth_first(neighbours: &[Vec<usize>], root: usize) -> (Vec<usize>, Vec<Option<usize>>) {
    let mut parents = vec![None; neighbours.len()];
    let mut order = vec![root];
    let mut next = 0;
    while let Some(&node) = order.get(next) {
        let parent = parents[node];
        for &neighbour in neighbours[node].iter().filter(|&&n| parent != Some(n)) {
            parents[neighbour] = Some(node);
            order.push(neighbour);
        }
        next += 1;
    }
    (order, parents)
}

/// The hidden tree with `k` states at each variable, and observations of `values` values.
///
/// # Errors
/// When the tree is empty or a size is zero.
pub fn hclt(tree: &Tree, values: u32, k: u32) -> Result<Graph, GraphError> {
    let family = Family::Categorical(Categorical { n: values });
    let mut maker = Maker::new(tree.len(), Domain::Cat(values), family);
    let mut messages: Vec<Vec<LayerId>> = vec![Vec::new(); tree.len()];
    for &variable in tree.order.iter().rev() {
        let mut factors = vec![maker.leaf(format!("E[{variable}]"), variable, k)?];
        factors.append(&mut messages[variable]);
        let product = maker.product(&factors)?;
        match tree.parents[variable] {
            Some(parent) => messages[parent].push(maker.sum(format!("A[{variable}]"), k, &[product])?),
            None => {
                let root = maker.sum("pi".into(), 1, &[product])?;
                return maker.finish(root);
            }
        }
    }
    Err(GraphError::NoChildren)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_has_a_tree_as_published() {
        let tree = Tree::of_grid(28, 0);
        assert_eq!(tree.len(), 784);
        assert_eq!(tree.parents.iter().filter(|p| p.is_none()).count(), 1);
        for (child, parent) in tree.parents.iter().enumerate() {
            if let Some(parent) = parent {
                assert!(child.abs_diff(*parent) == 1 || child.abs_diff(*parent) == 28);
            }
        }
        assert_eq!(Tree::of_parents(tree.parents.clone()).map(|t| t.len()), Some(784));
    }

    #[test]
    fn what_is_no_tree_is_none() {
        assert_eq!(Tree::of_parents(vec![None, None]), None);
        assert_eq!(Tree::of_parents(vec![None, Some(2), Some(1)]), None);
        assert_eq!(Tree::of_parents(vec![None, Some(7)]), None);
    }
}
