//! Vtrees: full binary trees whose leaves are variables, and their `.vtree` files.
//!
//! ```text
//! vtree 3
//! L 0 1
//! L 1 2
//! I 2 0 1
//! ```
//! A leaf line is `L id variable`, an inner line `I id left right`. Variables are numbered from 1 in the
//! file and from 0 here; ids need not be consecutive. The last node is the root.

use super::lines::{Line, count_warning, damaged, lines};
use super::{Content, other_content};
use pcc_diag::Diagnostic;
use rustc_hash::FxHashMap;

/// One node; children are positions in [`Vtree::nodes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VtreeNode {
    /// A variable, counted from 0.
    Leaf(u32),
    /// Left and right child.
    Inner(usize, usize),
}

/// A vtree. The root is the last node.
#[derive(Clone, Debug, Default)]
pub struct Vtree {
    nodes: Vec<VtreeNode>,
    positions: FxHashMap<u32, usize>,
    /// The leaves below each node, as a range of leaves from left to right.
    leaves: Vec<(usize, usize)>,
}

impl Vtree {
    /// All nodes, children before parents.
    pub fn nodes(&self) -> &[VtreeNode] {
        &self.nodes
    }

    /// The position of the root.
    pub fn root(&self) -> usize {
        self.nodes.len() - 1
    }

    /// The node with that id in its file.
    pub fn find(&self, id: u32) -> Option<usize> {
        self.positions.get(&id).copied()
    }

    /// Whether a node is another or lies below it.
    pub fn is_within(&self, node: usize, ancestor: usize) -> bool {
        let (inner, outer) = (self.leaves[node], self.leaves[ancestor]);
        outer.0 <= inner.0 && inner.1 <= outer.1
    }

    /// How many variables a circuit needs: one more than the largest.
    pub fn n_variables(&self) -> usize {
        let variable = |node: &VtreeNode| if let VtreeNode::Leaf(v) = node { *v as usize + 1 } else { 0 };
        self.nodes.iter().map(variable).max().unwrap_or(0)
    }

    /// Numbers the leaves from left to right, and checks that the root reaches every node once.
    fn number_leaves(&mut self, file: &str) -> Result<(), Diagnostic> {
        self.leaves = vec![(usize::MAX, 0); self.nodes.len()];
        let (mut n_leaves, mut n_reached) = (0, 0);
        let mut stack = vec![(self.root(), false)];
        while let Some((at, is_done)) = stack.pop() {
            match self.nodes[at] {
                VtreeNode::Inner(left, right) if is_done => {
                    self.leaves[at] = (self.leaves[left].0, self.leaves[right].1);
                }
                VtreeNode::Inner(left, right) => {
                    stack.extend([(at, true), (right, false), (left, false)]);
                    n_reached += 1;
                }
                VtreeNode::Leaf(_) => {
                    self.leaves[at] = (n_leaves, n_leaves + 1);
                    n_leaves += 1;
                    n_reached += 1;
                }
            }
            if n_reached > self.nodes.len() {
                return Err(damaged(file, "a node has two parents"));
            }
        }
        match n_reached == self.nodes.len() {
            true => Ok(()),
            false => Err(damaged(file, "the last node does not reach all others")),
        }
    }
}

/// Reads the content of a `.vtree` file; `file` is what messages call it.
///
/// # Errors
/// `circuit-format` when it is no vtree, `circuit-file-damaged` with the line that is wrong. A wrong count
/// of nodes is a warning.
pub fn read_vtree(content: &[u8], file: &str) -> Result<(Vtree, Vec<Diagnostic>), Diagnostic> {
    let text = match std::str::from_utf8(content) {
        Ok(text) if Content::of(content) == Content::Vtree => text,
        _ => return Err(other_content(content, "a vtree", file)),
    };
    let mut vtree = Vtree::default();
    let mut lines = lines(text, file);
    let declared = match lines.next() {
        Some(mut header) => header.word("the word `vtree`").and_then(|_| header.number("count of nodes"))?,
        None => 0,
    };
    let mut has_leaf = FxHashMap::default();
    for mut line in lines {
        let node = read_node(&mut line, &vtree, &mut has_leaf)?;
        let (id, node) = node;
        if vtree.positions.insert(id, vtree.nodes.len()).is_some() {
            return Err(line.fault(format_args!("node {id} is there twice")));
        }
        vtree.nodes.push(node);
    }
    if vtree.nodes.is_empty() {
        return Err(damaged(file, "the vtree has no nodes"));
    }
    vtree.number_leaves(file)?;
    let warnings = count_warning(file, declared, vtree.nodes.len()).into_iter().collect();
    Ok((vtree, warnings))
}

fn read_node(
    line: &mut Line,
    vtree: &Vtree,
    has_leaf: &mut FxHashMap<u32, ()>,
) -> Result<(u32, VtreeNode), Diagnostic> {
    let kind = line.word("a node")?;
    let id = line.number("node id")?;
    let node = match kind {
        "L" => {
            let variable: u32 = line.number("variable")?;
            if variable == 0 || has_leaf.insert(variable, ()).is_some() {
                return Err(line.fault(format_args!("variable {variable} is 0 or has two leaves")));
            }
            VtreeNode::Leaf(variable - 1)
        }
        "I" => {
            let (left, right) = (line.number("left child")?, line.number("right child")?);
            let find =
                |id| vtree.find(id).ok_or_else(|| line.fault(format_args!("there is no node {id} above")));
            VtreeNode::Inner(find(left)?, find(right)?)
        }
        other => return Err(line.fault(format_args!("`{other}` is no kind of vtree node"))),
    };
    line.end()?;
    Ok((id, node))
}
