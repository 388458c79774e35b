//! Rooted trees over variables.
//!
//! A learned tree names its variables by position. It gets variables when it is handed to a parameter of
//! type `tree(S)`: position i is the i-th variable of S. So one tree fits every tile of a grid.

use pcc_ir::VarId;
use rustc_hash::FxHashMap;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

/// A rooted tree.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    /// The parent of each position; the root has none.
    pub(crate) parents: Rc<[Option<u32>]>,
    children: Rc<[Vec<u32>]>,
    root: u32,
    bound: Option<Bound>,
}

#[derive(Clone, Debug)]
struct Bound {
    vars: Rc<[VarId]>,
    positions: FxHashMap<VarId, u32>,
}

/// Why parents do not make a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TreeFault {
    /// There is nothing.
    Empty,
    /// A parent is not a position.
    Outside(usize),
    /// This one has no parent, and neither has another.
    Roots(usize),
    /// There is no root, or some do not hang from it.
    Circle,
}

impl Tree {
    /// The tree with these parents, without variables.
    pub(crate) fn new(parents: Vec<Option<u32>>) -> Result<Self, TreeFault> {
        if parents.is_empty() {
            return Err(TreeFault::Empty);
        }
        let mut children = vec![Vec::new(); parents.len()];
        let mut root = None;
        for (i, parent) in parents.iter().enumerate() {
            match parent {
                Some(p) => children.get_mut(*p as usize).ok_or(TreeFault::Outside(i))?.push(i as u32),
                None if root.is_some() => return Err(TreeFault::Roots(i)),
                None => root = Some(i as u32),
            }
        }
        let root = root.ok_or(TreeFault::Circle)?;
        let tree = Tree { parents: parents.into(), children: children.into(), root, bound: None };
        if tree.n_reached() == tree.parents.len() { Ok(tree) } else { Err(TreeFault::Circle) }
    }

    fn n_reached(&self) -> usize {
        let mut open = vec![self.root];
        let mut n = 0;
        while let Some(i) = open.pop() {
            n += 1;
            open.extend(self.children.get(i as usize).into_iter().flatten());
        }
        n
    }

    /// The same tree over these variables; `None` when their number differs.
    pub(crate) fn over(&self, vars: &Rc<[VarId]>) -> Option<Tree> {
        if vars.len() != self.parents.len() {
            return None;
        }
        let positions = vars.iter().enumerate().map(|(i, v)| (*v, i as u32)).collect();
        Some(Tree { bound: Some(Bound { vars: vars.clone(), positions }), ..self.clone() })
    }

    /// How many variables it has.
    pub(crate) fn len(&self) -> usize {
        self.parents.len()
    }

    /// Its variables, by position; `None` as long as it has none.
    pub(crate) fn vars(&self) -> Option<&Rc<[VarId]>> {
        self.bound.as_ref().map(|b| &b.vars)
    }

    /// The root.
    pub(crate) fn root(&self) -> Option<VarId> {
        self.vars()?.get(self.root as usize).copied()
    }

    /// The children of a variable, in order of position; `None` when it is not in the tree.
    pub(crate) fn children(&self, of: VarId) -> Option<Vec<VarId>> {
        let bound = self.bound.as_ref()?;
        let children = self.children.get(*bound.positions.get(&of)? as usize)?;
        children.iter().map(|c| bound.vars.get(*c as usize).copied()).collect()
    }

    /// The parent of a variable: `None` when it is not in the tree, `Some(None)` for the root.
    pub(crate) fn parent(&self, of: VarId) -> Option<Option<VarId>> {
        let bound = self.bound.as_ref()?;
        let parent = self.parents.get(*bound.positions.get(&of)? as usize)?;
        Some(parent.and_then(|p| bound.vars.get(p as usize).copied()))
    }
}

impl PartialEq for Tree {
    fn eq(&self, other: &Self) -> bool {
        self.parents == other.parents && self.vars() == other.vars()
    }
}

impl Hash for Tree {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.parents.hash(state);
        self.vars().hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_trees_are_trees() {
        assert!(Tree::new(vec![None, Some(0), Some(0)]).is_ok());
        assert_eq!(Tree::new(vec![]).unwrap_err(), TreeFault::Empty);
        assert_eq!(Tree::new(vec![None, None]).unwrap_err(), TreeFault::Roots(1));
        assert_eq!(Tree::new(vec![None, Some(5)]).unwrap_err(), TreeFault::Outside(1));
        assert_eq!(Tree::new(vec![None, Some(2), Some(1)]).unwrap_err(), TreeFault::Circle);
    }

    #[test]
    fn positions_get_variables() {
        let tree = Tree::new(vec![Some(1), None, Some(1)]).unwrap();
        assert_eq!(tree.root(), None);
        let over = tree.over(&[VarId(7), VarId(8), VarId(9)].into()).unwrap();
        assert_eq!(over.root(), Some(VarId(8)));
        assert_eq!(over.children(VarId(8)), Some(vec![VarId(7), VarId(9)]));
        assert_eq!(over.parent(VarId(9)), Some(Some(VarId(8))));
        assert_eq!(over.parent(VarId(3)), None);
    }
}
