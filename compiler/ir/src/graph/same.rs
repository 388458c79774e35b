//! Equality of graphs in everything but source spans, for tests and caches.

use super::{Graph, Param};

impl Graph {
    /// Whether both graphs have the same variables, tables, layers, labels and root, in the same order.
    /// Spans are not compared: they say where a graph was written, not what it is.
    pub fn same_as(&self, other: &Graph) -> bool {
        self.groups == other.groups
            && self.variables == other.variables
            && self.kinds == other.kinds
            && self.n_groups == other.n_groups
            && self.widths == other.widths
            && self.child_starts == other.child_starts
            && self.children == other.children
            && self.labels == other.labels
            && self.root == other.root
            && self.params.len() == other.params.len()
            && self.params.iter().zip(&other.params).all(|(a, b)| same_param(a, b))
            && self.layer_ids().all(|id| self.scope(id) == other.scope(id))
    }
}

impl PartialEq for Graph {
    fn eq(&self, other: &Graph) -> bool {
        self.same_as(other)
    }
}

fn same_param(a: &Param, b: &Param) -> bool {
    let Param { shape, groups, initial, is_fixed, mask, name, span: _ } = a;
    (shape, groups, initial, is_fixed, mask, name)
        == (&b.shape, &b.groups, &b.initial, &b.is_fixed, &b.mask, &b.name)
}
