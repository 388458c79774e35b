//! Vtrees: binary trees whose leaves are variables.

use pcc_ir::VarId;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

/// A vtree. Comparing and hashing are by structure; the hash is computed once.
#[derive(Clone, Debug)]
pub struct Vtree {
    kind: VtreeKind,
    vars: Rc<[VarId]>,
    start: usize,
    end: usize,
    hash: u64,
}

/// A leaf or an inner node of a [`Vtree`].
#[derive(Clone, Debug)]
pub enum VtreeKind {
    /// A variable.
    Leaf(VarId),
    /// The left and the right part.
    Inner(Rc<Vtree>, Rc<Vtree>),
}

/// Where an inner node of so many leaves is cut: how many go to the left.
pub(crate) type Cut = fn(usize) -> usize;

impl Vtree {
    /// The vtree over these variables, left to right, with every inner node cut by `cut`.
    /// `None` when there is no variable.
    pub(crate) fn new(vars: &[VarId], cut: Cut) -> Option<Rc<Vtree>> {
        let shared: Rc<[VarId]> = vars.into();
        (!vars.is_empty()).then(|| Self::part(&shared, 0, vars.len(), cut))
    }

    /// Halves; of an odd number the first is larger.
    pub(crate) fn balanced(vars: &[VarId]) -> Option<Rc<Vtree>> {
        Self::new(vars, |n| n.div_ceil(2))
    }

    fn part(vars: &Rc<[VarId]>, start: usize, end: usize, cut: Cut) -> Rc<Vtree> {
        stacker::maybe_grow(64 << 10, 1 << 20, || Self::part_here(vars, start, end, cut))
    }

    fn part_here(vars: &Rc<[VarId]>, start: usize, end: usize, cut: Cut) -> Rc<Vtree> {
        let kind = match vars.get(start..end) {
            Some([v]) => VtreeKind::Leaf(*v),
            _ => {
                let middle = start + cut(end - start).clamp(1, end - start - 1);
                VtreeKind::Inner(Self::part(vars, start, middle, cut), Self::part(vars, middle, end, cut))
            }
        };
        let mut hasher = rustc_hash::FxHasher::default();
        match &kind {
            VtreeKind::Leaf(v) => (0, v).hash(&mut hasher),
            VtreeKind::Inner(l, r) => (1, l.hash, r.hash).hash(&mut hasher),
        }
        Rc::new(Vtree { kind, vars: vars.clone(), start, end, hash: hasher.finish() })
    }

    /// A leaf's variable, or the two parts.
    pub fn kind(&self) -> &VtreeKind {
        &self.kind
    }

    /// The variables, left to right.
    pub fn vars(&self) -> &[VarId] {
        self.vars.get(self.start..self.end).unwrap_or(&[])
    }
}

/// Takes the nodes apart one by one: a linear vtree is as deep as it has variables.
impl Drop for Vtree {
    fn drop(&mut self) {
        let mut open = vec![std::mem::replace(&mut self.kind, VtreeKind::Leaf(VarId(0)))];
        while let Some(kind) = open.pop() {
            if let VtreeKind::Inner(left, right) = kind {
                for part in [left, right] {
                    if let Some(mut part) = Rc::into_inner(part) {
                        open.push(std::mem::replace(&mut part.kind, VtreeKind::Leaf(VarId(0))));
                    }
                }
            }
        }
    }
}

impl PartialEq for Vtree {
    fn eq(&self, other: &Self) -> bool {
        let is_same_part = |a: &Rc<Vtree>, b: &Rc<Vtree>| Rc::ptr_eq(a, b) || a == b;
        self.hash == other.hash
            && match (&self.kind, &other.kind) {
                (VtreeKind::Leaf(a), VtreeKind::Leaf(b)) => a == b,
                (VtreeKind::Inner(a, b), VtreeKind::Inner(c, d)) => is_same_part(a, c) && is_same_part(b, d),
                _ => false,
            }
    }
}

impl Eq for Vtree {}

impl Hash for Vtree {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.hash.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn balanced_and_linear_shapes() {
        let vars: Vec<VarId> = (0..5).map(VarId).collect();
        let balanced = Vtree::balanced(&vars).unwrap();
        let VtreeKind::Inner(left, right) = balanced.kind() else { panic!("five leaves") };
        assert_eq!((left.vars(), right.vars()), (&vars[..3], &vars[3..]));
        let linear = Vtree::new(&vars, |_| 1).unwrap();
        assert_ne!(balanced, linear);
        assert_eq!(linear, Vtree::new(&vars, |_| 1).unwrap());
        assert!(Vtree::balanced(&[]).is_none());
        let many: Vec<VarId> = (0..200_000).map(VarId).collect();
        assert_eq!(Vtree::new(&many, |n| n - 1).unwrap().vars().len(), many.len());
    }
}
