//! The number of variables of each interned scope, counted once.

use crate::{Graph, ScopeId};

/// Sizes by scope.
pub(super) struct ScopeSizes(Vec<usize>);

impl ScopeSizes {
    pub fn of(graph: &Graph) -> Self {
        let scopes = graph.scopes();
        ScopeSizes((0..scopes.n_scopes()).map(|i| scopes.get(ScopeId::new(i)).len()).collect())
    }

    pub fn get(&self, id: ScopeId) -> usize {
        self.0[id.index()]
    }
}
