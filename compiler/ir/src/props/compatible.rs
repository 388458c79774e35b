//! Compatibility: two circuits whose products can be multiplied pair by pair into a decomposable circuit.
//!
//! Two layers over the same variables are compared by taking products apart on both sides: factors that
//! share variables belong together, and in each such group one side must be a single sum, which is then
//! replaced by each of its children. Where both sides have several factors that hang together, no bracketing
//! splits the two alike. So the answer is the same from either side, and a fully factorised circuit is
//! compatible with anything over its variables.

use super::grouping::Grouping;
use crate::{Graph, LayerId, LayerKind, VarId};
use rustc_hash::{FxHashMap, FxHashSet};

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compatibility {
    /// Proved.
    Compatible,
    /// They are over different variables: those that only the first and only the second has.
    OtherVariables {
        /// Names that only the first circuit knows.
        only_first: Vec<String>,
        /// Names that only the second circuit knows.
        only_second: Vec<String>,
    },
    /// A product of each that cannot be split alike.
    Incompatible {
        /// In the first circuit.
        first: LayerId,
        /// In the second circuit.
        second: LayerId,
    },
    /// More pairs of layers than the budget.
    Unknown(String),
}

/// Pairs of layers (or of lists of factors) that are compared at most.
const MOST_PAIRS: usize = 4_000_000;

/// Whether two decomposable circuits are compatible. Variables are the same when they have the same name.
pub fn compatible(first: &Graph, second: &Graph) -> Compatibility {
    let names = |graph: &Graph| -> FxHashMap<String, VarId> {
        graph.scope(graph.root()).iter().map(|var| (graph.variable_name(var), var)).collect()
    };
    let (of_first, of_second) = (names(first), names(second));
    let missing = |a: &FxHashMap<String, VarId>, b: &FxHashMap<String, VarId>| {
        let mut names: Vec<String> = a.keys().filter(|name| !b.contains_key(*name)).cloned().collect();
        names.sort();
        names
    };
    let (only_first, only_second) = (missing(&of_first, &of_second), missing(&of_second, &of_first));
    if !only_first.is_empty() || !only_second.is_empty() {
        return Compatibility::OtherVariables { only_first, only_second };
    }
    let mut map = vec![VarId(0); second.variables().len()];
    of_second.iter().for_each(|(name, var)| map[var.index()] = of_first[name]);
    Comparison { first, second, map }.run()
}

/// Factors of the first circuit and of the second.
type Sides = (Vec<LayerId>, Vec<LayerId>);

/// Factors on both sides over the same variables, and the products that they came from.
struct Pair {
    first: Vec<LayerId>,
    second: Vec<LayerId>,
    products: (LayerId, LayerId),
}

struct Comparison<'a> {
    first: &'a Graph,
    second: &'a Graph,
    /// For each variable of the second circuit the one of the first.
    map: Vec<VarId>,
}

impl Comparison<'_> {
    fn run(&self) -> Compatibility {
        let roots = (self.first.root(), self.second.root());
        let mut open = vec![Pair { first: vec![roots.0], second: vec![roots.1], products: roots }];
        let mut grouping = Grouping::new(self.first.variables().len());
        let mut seen: FxHashSet<Sides> = FxHashSet::default();
        while let Some(pair) = open.pop() {
            let mut products = pair.products;
            let first = flatten(self.first, pair.first, &mut products.0);
            let second = flatten(self.second, pair.second, &mut products.1);
            for (first, second) in self.groups(&first, &second, &mut grouping) {
                if !seen.insert((first.clone(), second.clone())) {
                    continue;
                }
                if seen.len() > MOST_PAIRS {
                    return Compatibility::Unknown(format!("more than {MOST_PAIRS} pairs of layers"));
                }
                match (first.as_slice(), second.as_slice()) {
                    (&[a], _) if !self.first.children(a).is_empty() => {
                        open.extend(self.first.children(a).iter().map(|&c| Pair {
                            first: vec![c],
                            second: second.clone(),
                            products,
                        }))
                    }
                    (_, &[b]) if !self.second.children(b).is_empty() => {
                        open.extend(self.second.children(b).iter().map(|&c| Pair {
                            first: first.clone(),
                            second: vec![c],
                            products,
                        }))
                    }
                    ([_], _) | (_, [_]) => {}
                    _ => return Compatibility::Incompatible { first: products.0, second: products.1 },
                }
            }
        }
        Compatibility::Compatible
    }

    /// Groups of factors that share variables. Two leaves, and factors on one side only, are left
    /// out: they are compatible with whatever stands opposite.
    fn groups(&self, first: &[LayerId], second: &[LayerId], grouping: &mut Grouping) -> Vec<Sides> {
        grouping.start(first.len() + second.len());
        for (i, &layer) in first.iter().enumerate() {
            self.first.scope(layer).iter().for_each(|var| grouping.own(i, var));
        }
        for (i, &layer) in second.iter().enumerate() {
            let mapped = self.second.scope(layer).iter().map(|var| self.map[var.index()]);
            mapped.for_each(|var| grouping.own(first.len() + i, var));
        }
        let mut all = Vec::new();
        for group in grouping.groups() {
            let (a, b): (Vec<usize>, Vec<usize>) = group.into_iter().partition(|&i| i < first.len());
            let mut a: Vec<LayerId> = a.into_iter().map(|i| first[i]).collect();
            let mut b: Vec<LayerId> = b.into_iter().map(|i| second[i - first.len()]).collect();
            let is_leaf =
                |graph: &Graph, side: &[LayerId]| side.len() == 1 && graph.children(side[0]).is_empty();
            let is_settled = is_leaf(self.first, &a) && is_leaf(self.second, &b);
            if !a.is_empty() && !b.is_empty() && !is_settled {
                a.sort_unstable();
                b.sort_unstable();
                all.push((a, b));
            }
        }
        all
    }
}

/// Replaces products by their factors and remembers the last of several factors.
fn flatten(graph: &Graph, mut open: Vec<LayerId>, product: &mut LayerId) -> Vec<LayerId> {
    let mut flat = Vec::new();
    while let Some(id) = open.pop() {
        let children = graph.children(id);
        match graph.layer(id).kind {
            LayerKind::Product | LayerKind::Outer => {
                if children.len() > 1 {
                    *product = id;
                }
                open.extend(children);
            }
            _ if passes_through(graph, id) => open.extend(children),
            _ => flat.push(id),
        }
    }
    flat
}

/// Whether each unit of a layer is one unit of its only child, scaled: nothing is added up.
fn passes_through(graph: &Graph, id: LayerId) -> bool {
    let layer = graph.layer(id);
    match (layer.kind, layer.children) {
        (LayerKind::Mix { .. }, [_]) => true,
        (LayerKind::Sum { .. }, &[child]) => graph.n_units(child) == layer.groups as usize,
        _ => false,
    }
}
