//! Scopes: sets of variables, as interned bitsets.

use crate::{ScopeId, VarId};
use fixedbitset::FixedBitSet;
use rustc_hash::FxHashMap;

/// A set of variables.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Scope {
    bits: FixedBitSet,
}

impl Scope {
    /// The empty scope of a circuit with that many variables.
    pub fn empty(n_variables: usize) -> Self {
        Scope { bits: FixedBitSet::with_capacity(n_variables) }
    }

    /// The scope of one variable.
    pub fn single(variable: VarId, n_variables: usize) -> Self {
        let mut scope = Scope::empty(n_variables);
        scope.insert(variable);
        scope
    }

    /// Adds a variable.
    pub fn insert(&mut self, variable: VarId) {
        self.bits.grow(variable.index() + 1);
        self.bits.insert(variable.index());
    }

    /// Adds all variables of another scope.
    pub fn unite(&mut self, other: &Scope) {
        self.bits.union_with(&other.bits);
    }

    /// Removes all variables.
    pub fn clear(&mut self) {
        self.bits.clear();
    }

    /// Removes all variables of another scope.
    pub fn remove(&mut self, other: &Scope) {
        self.bits.difference_with(&other.bits);
    }

    /// Whether the variable is in it.
    pub fn contains(&self, variable: VarId) -> bool {
        self.bits.contains(variable.index())
    }

    /// Whether it has no variable.
    pub fn is_empty(&self) -> bool {
        self.bits.is_clear()
    }

    /// How many variables it has.
    pub fn len(&self) -> usize {
        self.bits.count_ones(..)
    }

    /// Whether no variable is in both.
    pub fn is_disjoint(&self, other: &Scope) -> bool {
        self.bits.is_disjoint(&other.bits)
    }

    /// Whether every variable of this one is in the other.
    pub fn is_subset(&self, other: &Scope) -> bool {
        self.bits.is_subset(&other.bits)
    }

    /// The variables in both.
    pub fn intersection(&self, other: &Scope) -> Scope {
        let mut bits = self.bits.clone();
        bits.intersect_with(&other.bits);
        Scope { bits }
    }

    /// The variables of this one that the other lacks.
    pub fn difference(&self, other: &Scope) -> Scope {
        let mut scope = self.clone();
        scope.remove(other);
        scope
    }

    /// Its variables, smallest id first.
    pub fn iter(&self) -> impl Iterator<Item = VarId> + '_ {
        self.bits.ones().map(VarId::new)
    }
}

/// The interner of a graph's scopes: equal scopes have equal ids.
#[derive(Clone, Debug, Default)]
pub struct Scopes {
    n_variables: usize,
    all: Vec<Scope>,
    ids: FxHashMap<Scope, ScopeId>,
}

impl Scopes {
    /// An interner for a circuit with that many variables.
    pub fn new(n_variables: usize) -> Self {
        Scopes { n_variables, ..Self::default() }
    }

    /// The number of variables that scopes range over.
    pub fn n_variables(&self) -> usize {
        self.n_variables
    }

    /// The id of a scope.
    pub fn intern(&mut self, scope: Scope) -> ScopeId {
        if let Some(&id) = self.ids.get(&scope) {
            return id;
        }
        let id = ScopeId::new(self.all.len());
        self.all.push(scope.clone());
        self.ids.insert(scope, id);
        id
    }

    /// The id of the union of scopes.
    pub fn union(&mut self, ids: impl IntoIterator<Item = ScopeId>) -> ScopeId {
        let mut ids = ids.into_iter();
        let Some(first) = ids.next() else { return self.intern(Scope::empty(self.n_variables)) };
        let mut rest = ids.filter(|&id| id != first).peekable();
        if rest.peek().is_none() {
            return first;
        }
        let mut scope = self.all[first.index()].clone();
        for id in rest {
            scope.unite(&self.all[id.index()]);
        }
        self.intern(scope)
    }

    /// How many different scopes were interned.
    pub fn n_scopes(&self) -> usize {
        self.all.len()
    }

    /// The scope of an id.
    pub fn get(&self, id: ScopeId) -> &Scope {
        &self.all[id.index()]
    }
}
