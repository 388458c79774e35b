//! Structured decomposability: one vtree admits every product.
//!
//! A product says of each factor that its variables lie closer together in the vtree than to the variables
//! of the other factors. Where every scope is split in one way only (smooth circuits made from a vtree, an
//! HCLT, an HMM) these scopes are the vtree, and the answer is linear. Otherwise the vtree is built from the
//! top by the algorithm of Aho, Sagiv, Szymanski and Ullman (1981) for trees under such constraints: factors
//! that lie wholly on one side are joined, and what remains apart are the subtrees. It does not need
//! smoothness, and n-ary products are fine: any bracketing will do.

use super::vtree::{Vtree, VtreeNode};
use crate::{Graph, LayerId, LayerKind, Scope, ScopeId, VarId};
use petgraph::unionfind::UnionFind;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::hash_map::Entry;

/// The answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Structure {
    /// A vtree over the variables of the circuit that admits every product.
    Structured(Vtree),
    /// No vtree does.
    NotStructured(Conflict),
    /// The circuit is too large to say; why, in words.
    Unknown(String),
}

/// Products that no vtree admits together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Two products that conflict, or, where no two do, more that conflict together.
    pub products: Vec<LayerId>,
}

/// Steps (variables looked at) after which the search for a vtree, or for two products that conflict, ends.
const MOST_STEPS: usize = 400_000_000;
/// Pairs of products that are tried for the witness.
const MOST_PAIRS: usize = 4_096;

/// Infers a vtree.
pub fn structured(graph: &Graph) -> Structure {
    let root = graph.layer(graph.root()).scope;
    if let Some(vtree) = from_partitions(graph, root) {
        return Structure::Structured(vtree);
    }
    let constraints = constraints(graph);
    let all: Vec<usize> = (0..constraints.len()).collect();
    let mut builder = Builder { graph, constraints: &constraints, steps: 0 };
    match builder.build(graph.scopes().get(root).clone(), all) {
        Ok(vtree) => Structure::Structured(vtree),
        Err(Failure::Spent) => Structure::Unknown(format!("no vtree was found within {MOST_STEPS} steps")),
        Err(Failure::Stuck { active, .. }) => Structure::NotStructured(builder.witness(active)),
    }
}

/// The vtree made of the scopes themselves, when each is split in one way and all are reached.
fn from_partitions(graph: &Graph, root: ScopeId) -> Option<Vtree> {
    let mut partitions: FxHashMap<ScopeId, Vec<ScopeId>> = FxHashMap::default();
    for id in products(graph) {
        let mut factors: Vec<ScopeId> = graph.children(id).iter().map(|&c| graph.layer(c).scope).collect();
        factors.sort_unstable();
        match partitions.entry(graph.layer(id).scope) {
            Entry::Occupied(known) if *known.get() != factors => return None,
            Entry::Occupied(_) => {}
            Entry::Vacant(slot) => drop(slot.insert(factors)),
        }
    }
    let mut tree = TopDown::default();
    let mut open = vec![(tree.add(), root)];
    while let Some((node, scope)) = open.pop() {
        // Each is taken once: a scope that comes again, inside itself even, belongs to factors that overlap.
        match partitions.remove(&scope) {
            Some(factors) => {
                let parts = tree.split(node, factors.len());
                open.extend(parts.into_iter().zip(factors));
            }
            None => tree.leaf(node, only(graph.scopes().get(scope))?),
        }
    }
    if partitions.is_empty() { tree.finish() } else { None }
}

/// Products of at least two factors.
fn products(graph: &Graph) -> impl Iterator<Item = LayerId> + '_ {
    graph.layer_ids().filter(|&id| {
        let layer = graph.layer(id);
        matches!(layer.kind, LayerKind::Product | LayerKind::Outer) && layer.children.len() > 1
    })
}

/// The only variable of a scope.
fn only(scope: &Scope) -> Option<VarId> {
    let mut vars = scope.iter();
    vars.next().filter(|_| vars.next().is_none())
}

/// The variables of a factor lie closer together than to the others of its product.
struct Constraint {
    factor: ScopeId,
    whole: ScopeId,
    layer: LayerId,
}

fn constraints(graph: &Graph) -> Vec<Constraint> {
    let mut seen = FxHashSet::default();
    let mut all = Vec::new();
    for layer in products(graph) {
        let whole = graph.layer(layer).scope;
        for &child in graph.children(layer) {
            let factor = graph.layer(child).scope;
            if factor != whole && seen.insert((factor, whole)) {
                all.push(Constraint { factor, whole, layer });
            }
        }
    }
    all
}

enum Failure {
    /// The constraints with these positions join all these variables.
    Stuck {
        active: Vec<usize>,
    },
    Spent,
}

struct Builder<'a> {
    graph: &'a Graph,
    constraints: &'a [Constraint],
    steps: usize,
}

impl Builder<'_> {
    fn build(&mut self, scope: Scope, constraints: Vec<usize>) -> Result<Vtree, Failure> {
        let mut tree = TopDown::default();
        let mut open = vec![(tree.add(), scope, constraints)];
        while let Some((node, scope, constraints)) = open.pop() {
            if let Some(var) = only(&scope) {
                tree.leaf(node, var);
                continue;
            }
            let parts = self.split(&scope, constraints)?;
            for (child, (scope, constraints)) in tree.split(node, parts.len()).into_iter().zip(parts) {
                open.push((child, scope, constraints));
            }
        }
        tree.finish().ok_or(Failure::Spent)
    }

    /// The parts into which the variables fall when factors are joined, with the constraints inside each.
    fn split(&mut self, scope: &Scope, constraints: Vec<usize>) -> Result<Vec<(Scope, Vec<usize>)>, Failure> {
        let mut joined = Joined::new(scope);
        let mut active: Vec<(usize, VarId)> = Vec::new();
        for i in constraints {
            self.steps += scope.len();
            if self.steps > MOST_STEPS {
                return Err(Failure::Spent);
            }
            let inside = self.factor(i).intersection(scope);
            let (n, n_whole) = (inside.len(), self.whole(i).intersection(scope).len());
            if let Some(first) = inside.iter().next().filter(|_| n > 1 && n_whole > n) {
                inside.iter().for_each(|var| joined.join(first, var));
                active.push((i, first));
            }
        }
        let mut parts: Vec<(Scope, Vec<usize>)> = Vec::new();
        let mut part_of: FxHashMap<usize, usize> = FxHashMap::default();
        for var in scope.iter() {
            let part = *part_of.entry(joined.root(var)).or_insert_with(|| {
                parts.push((Scope::empty(self.graph.variables().len()), Vec::new()));
                parts.len() - 1
            });
            parts[part].0.insert(var);
        }
        if parts.len() == 1 {
            return Err(Failure::Stuck { active: active.into_iter().map(|(i, _)| i).collect() });
        }
        for (i, first) in active {
            parts[part_of[&joined.root(first)]].1.push(i);
        }
        Ok(parts)
    }

    fn factor(&self, constraint: usize) -> &Scope {
        self.graph.scopes().get(self.constraints[constraint].factor)
    }

    fn whole(&self, constraint: usize) -> &Scope {
        self.graph.scopes().get(self.constraints[constraint].whole)
    }

    /// Two products among those of the constraints that conflict by themselves, else all of them.
    fn witness(&mut self, active: Vec<usize>) -> Conflict {
        let mut by_layer: Vec<(LayerId, Vec<usize>)> = Vec::new();
        for &i in &active {
            let layer = self.constraints[i].layer;
            match by_layer.iter_mut().find(|(l, _)| *l == layer) {
                Some((_, own)) => own.push(i),
                None => by_layer.push((layer, vec![i])),
            }
        }
        let n = by_layer.len();
        let pairs = (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j)));
        for (i, j) in pairs.take(MOST_PAIRS) {
            let (first, second) = (&by_layer[i], &by_layer[j]);
            let shared = self.graph.scope(first.0).intersection(self.graph.scope(second.0));
            let both = first.1.iter().chain(&second.1).copied().collect();
            let is_stuck = matches!(self.build(shared, both), Err(Failure::Stuck { .. }));
            if is_stuck {
                return Conflict { products: vec![first.0, second.0] };
            }
        }
        Conflict { products: by_layer.into_iter().map(|(layer, _)| layer).collect() }
    }
}

/// Variables joined into sets.
struct Joined {
    positions: FxHashMap<VarId, usize>,
    sets: UnionFind<usize>,
}

impl Joined {
    fn new(scope: &Scope) -> Self {
        let positions: FxHashMap<VarId, usize> = scope.iter().enumerate().map(|(i, var)| (var, i)).collect();
        Joined { sets: UnionFind::new(positions.len()), positions }
    }

    fn root(&mut self, var: VarId) -> usize {
        self.sets.find_mut(self.positions[&var])
    }

    fn join(&mut self, a: VarId, b: VarId) {
        self.sets.union(self.positions[&a], self.positions[&b]);
    }
}

/// A vtree that is built from the root down.
#[derive(Default)]
struct TopDown {
    nodes: Vec<Option<VtreeNode>>,
}

impl TopDown {
    fn add(&mut self) -> usize {
        self.nodes.push(None);
        self.nodes.len() - 1
    }

    fn leaf(&mut self, node: usize, var: VarId) {
        self.nodes[node] = Some(VtreeNode::Leaf(var));
    }

    /// Makes a node a chain of binary nodes over `n` parts and gives the parts.
    fn split(&mut self, mut node: usize, n: usize) -> Vec<usize> {
        let mut parts = Vec::with_capacity(n);
        for left in (2..=n).rev() {
            let (part, rest) = (self.add(), self.add());
            self.nodes[node] = Some(VtreeNode::Inner(part as u32, rest as u32));
            parts.push(part);
            node = rest;
            if left == 2 {
                parts.push(rest);
            }
        }
        parts
    }

    /// Turns the order around, so that children come first.
    fn finish(self) -> Option<Vtree> {
        let last = self.nodes.len() as u32 - 1;
        let turned = |node: VtreeNode| match node {
            VtreeNode::Inner(a, b) => VtreeNode::Inner(last - a, last - b),
            leaf => leaf,
        };
        Vtree::new(self.nodes.into_iter().rev().map(|node| node.map(turned)).collect::<Option<_>>()?)
    }
}
