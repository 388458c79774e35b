//! For every unit of a graph the *box* of its support: for each restricted variable the values it allows.
//!
//! A unit's support lies inside its box. A box is *exact* when the support is the whole box, as for
//! literals, products of exact boxes, and unions that differ in one variable. Only observed variables
//! count: an unobserved latent is summed out and restricts nothing. Boxes are interned, and layers whose
//! units all have the same box store it once, so that a layer of 512 inputs costs one word.
//!
//! The graph must be decomposable. Nothing here depends on parameter values.

use super::values::ValueSet;
use crate::{Graph, LayerId, LayerKind, Scope, VarId};
use rustc_hash::FxHashMap;
use std::cmp::Ordering;
use std::rc::Rc;

/// An interned box.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct BoxId(u32);

/// The box without restrictions that is exact: the full support.
pub(super) const FULL: BoxId = BoxId(0);
/// The box without restrictions of which nothing more is known.
const ANYTHING: BoxId = BoxId(1);

/// The values that a variable is restricted to.
pub(super) type Restriction = (VarId, ValueSet);

/// A box: restricted variables in order of their ids.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct UnitBox {
    pub restrictions: Rc<[Restriction]>,
    pub is_exact: bool,
}

impl UnitBox {
    /// The values allowed for a variable, if it is restricted.
    pub fn values(&self, var: VarId) -> Option<&ValueSet> {
        let at = self.restrictions.binary_search_by_key(&var, |(v, _)| *v).ok()?;
        Some(&self.restrictions[at].1)
    }

    /// Whether some variable tells the two apart.
    pub fn is_disjoint(&self, other: &UnitBox) -> bool {
        are_disjoint(&self.restrictions, &other.restrictions)
    }
}

/// Whether some variable tells two lists of restrictions apart. Both are in order.
pub(super) fn are_disjoint(a: &[Restriction], b: &[Restriction]) -> bool {
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    while let (Some((u, set)), Some((v, other_set))) = (a.peek(), b.peek()) {
        match u.cmp(v) {
            Ordering::Less => drop(a.next()),
            Ordering::Greater => drop(b.next()),
            Ordering::Equal if set.is_disjoint(other_set) => return true,
            Ordering::Equal => drop((a.next(), b.next())),
        }
    }
    false
}

/// The boxes of one layer's units.
enum LayerBoxes {
    Uniform(BoxId),
    PerUnit(Box<[BoxId]>),
}

/// The boxes of all units of a graph.
pub(super) struct Boxes {
    all: Vec<UnitBox>,
    ids: FxHashMap<UnitBox, BoxId>,
    products: FxHashMap<Box<[BoxId]>, BoxId>,
    by_layer: Vec<LayerBoxes>,
    entries_left: usize,
}

/// How many restrictions all boxes of inner layers may hold together; a box beyond is taken as unknown.
const MOST_ENTRIES: usize = 16 << 20;

impl Boxes {
    /// The boxes of a decomposable graph, in terms of the observed variables.
    pub fn of(graph: &Graph, observed: &Scope) -> Self {
        let mut boxes = Boxes {
            all: Vec::new(),
            ids: FxHashMap::default(),
            products: FxHashMap::default(),
            by_layer: Vec::with_capacity(graph.n_layers()),
            entries_left: MOST_ENTRIES,
        };
        boxes.intern(Vec::new(), true);
        boxes.intern(Vec::new(), false);
        for id in graph.layer_ids() {
            let of_layer = boxes.layer(graph, id, observed);
            boxes.by_layer.push(of_layer);
        }
        boxes
    }

    /// The box of a unit.
    pub fn of_unit(&self, layer: LayerId, unit: usize) -> BoxId {
        match &self.by_layer[layer.index()] {
            LayerBoxes::Uniform(id) => *id,
            LayerBoxes::PerUnit(ids) => ids[unit],
        }
    }

    /// The box that all units of a layer share, if they do.
    pub fn of_all_units(&self, layer: LayerId) -> Option<BoxId> {
        match &self.by_layer[layer.index()] {
            LayerBoxes::Uniform(id) => Some(*id),
            LayerBoxes::PerUnit(_) => None,
        }
    }

    /// The box of an id.
    pub fn get(&self, id: BoxId) -> &UnitBox {
        &self.all[id.0 as usize]
    }

    fn layer(&mut self, graph: &Graph, id: LayerId, observed: &Scope) -> LayerBoxes {
        let layer = graph.layer(id);
        let (n_units, groups) = (layer.n_units(), layer.groups as usize);
        match layer.kind {
            LayerKind::Input { .. } => LayerBoxes::Uniform(FULL),
            LayerKind::Literal { var, value } if observed.contains(var) => {
                LayerBoxes::Uniform(self.single(graph, var, value))
            }
            LayerKind::Indicator { var, first } if observed.contains(var) => {
                let width = layer.width as usize;
                self.per_unit(n_units, |boxes, unit| boxes.single(graph, var, first + (unit % width) as u32))
            }
            LayerKind::Literal { .. } | LayerKind::Indicator { .. } => LayerBoxes::Uniform(FULL),
            LayerKind::Product => self.product(layer.children, n_units),
            LayerKind::Outer => self.outer(graph, id),
            LayerKind::Sum { .. } => {
                let width = layer.width as usize;
                let by_group = self.per_unit(groups, |boxes, group| boxes.union_of_group(graph, id, group));
                match by_group {
                    LayerBoxes::Uniform(id) => LayerBoxes::Uniform(id),
                    LayerBoxes::PerUnit(ids) => {
                        LayerBoxes::PerUnit((0..n_units).map(|unit| ids[unit / width]).collect())
                    }
                }
            }
            LayerKind::Mix { .. } => self.for_units(layer.children, n_units, |boxes, unit| {
                let columns: Vec<BoxId> = layer.children.iter().map(|&c| boxes.of_unit(c, unit)).collect();
                boxes.union(graph, columns)
            }),
        }
    }

    fn per_unit(&mut self, n: usize, mut of: impl FnMut(&mut Self, usize) -> BoxId) -> LayerBoxes {
        let ids: Box<[BoxId]> = (0..n).map(|unit| of(self, unit)).collect();
        match ids.iter().all(|&id| id == ids[0]) {
            true => LayerBoxes::Uniform(ids[0]),
            false => LayerBoxes::PerUnit(ids),
        }
    }

    /// As `per_unit`, but looks at one unit only when the units of each child are all alike.
    fn for_units(
        &mut self,
        children: &[LayerId],
        n: usize,
        mut of: impl FnMut(&mut Self, usize) -> BoxId,
    ) -> LayerBoxes {
        if children.iter().all(|&c| self.of_all_units(c).is_some()) {
            return LayerBoxes::Uniform(of(self, 0));
        }
        self.per_unit(n, of)
    }

    fn product(&mut self, children: &[LayerId], n_units: usize) -> LayerBoxes {
        self.for_units(children, n_units, |boxes, unit| {
            let factors = children.iter().map(|&c| boxes.of_unit(c, unit)).collect();
            boxes.product_of(factors)
        })
    }

    fn outer(&mut self, graph: &Graph, id: LayerId) -> LayerBoxes {
        let layer = graph.layer(id);
        self.for_units(layer.children, layer.n_units(), |boxes, unit| {
            let (first, second) = graph.outer_factors(id, unit);
            let factors = [(layer.children[0], first), (layer.children[1], second)];
            boxes.product_of(factors.iter().map(|&(child, unit)| boxes.of_unit(child, unit)).collect())
        })
    }

    fn union_of_group(&mut self, graph: &Graph, id: LayerId, group: usize) -> BoxId {
        let layer = graph.layer(id);
        let mut columns = Vec::new();
        for &child in layer.children {
            match self.of_all_units(child) {
                Some(id) => columns.push(id),
                None => {
                    let part = graph.n_units(child) / layer.groups as usize;
                    columns.extend((group * part..(group + 1) * part).map(|u| self.of_unit(child, u)));
                }
            }
        }
        self.union(graph, columns)
    }

    fn single(&mut self, graph: &Graph, var: VarId, value: u32) -> BoxId {
        match ValueSet::One(value) {
            set if set.is_whole(graph.variable(var).domain) => FULL,
            set => self.intern(vec![(var, set)], true),
        }
    }

    /// The box of a product of units over different variables.
    fn product_of(&mut self, mut factors: Vec<BoxId>) -> BoxId {
        factors.retain(|&id| id != FULL);
        match *factors.as_slice() {
            [] => return FULL,
            [one] => return one,
            _ => {}
        }
        factors.sort_unstable();
        if let Some(&known) = self.products.get(factors.as_slice()) {
            return known;
        }
        let restrictions = factors.iter().flat_map(|&id| self.get(id).restrictions.iter().cloned());
        let mut restrictions: Vec<_> = restrictions.collect();
        restrictions.sort_by_key(|(var, _)| *var);
        let is_exact = factors.iter().all(|&id| self.get(id).is_exact);
        let product = self.intern_inner(restrictions, is_exact);
        self.products.insert(factors.into(), product);
        product
    }

    /// The smallest box around boxes.
    fn union(&mut self, graph: &Graph, mut ids: Vec<BoxId>) -> BoxId {
        ids.sort_unstable();
        ids.dedup();
        match *ids.as_slice() {
            [one] => return one,
            [FULL, ..] => return FULL,
            [ANYTHING, ..] => return ANYTHING,
            _ => {}
        }
        let mut sets: FxHashMap<VarId, Vec<&ValueSet>> = FxHashMap::default();
        for (var, set) in ids.iter().flat_map(|&id| self.get(id).restrictions.iter()) {
            sets.entry(*var).or_default().push(set);
        }
        let n_open = sets.values().filter(|all| all.len() < ids.len()).count();
        let n_varying = sets.values().filter(|all| all.iter().any(|s| *s != all[0])).count();
        let is_exact = n_open == 0 && n_varying <= 1 && ids.iter().all(|&id| self.get(id).is_exact);
        let mut restrictions: Vec<Restriction> = Vec::new();
        for (var, all) in sets {
            let set = if all.len() == ids.len() { ValueSet::union(all) } else { None };
            restrictions.extend(set.filter(|s| !s.is_whole(graph.variable(var).domain)).map(|s| (var, s)));
        }
        restrictions.sort_by_key(|(var, _)| *var);
        self.intern_inner(restrictions, is_exact)
    }

    /// As `intern`, within the limit on entries.
    fn intern_inner(&mut self, restrictions: Vec<Restriction>, is_exact: bool) -> BoxId {
        let n = restrictions.len();
        let unit_box = UnitBox { restrictions: restrictions.into(), is_exact };
        match (self.ids.get(&unit_box), self.entries_left.checked_sub(n)) {
            (Some(&id), _) => id,
            (None, Some(left)) => {
                self.entries_left = left;
                self.add(unit_box)
            }
            // Giving up a restriction is sound: the support still lies inside the box.
            (None, None) => ANYTHING,
        }
    }

    fn intern(&mut self, restrictions: Vec<Restriction>, is_exact: bool) -> BoxId {
        let unit_box = UnitBox { restrictions: restrictions.into(), is_exact };
        self.ids.get(&unit_box).copied().unwrap_or_else(|| self.add(unit_box))
    }

    fn add(&mut self, unit_box: UnitBox) -> BoxId {
        let id = BoxId(u32::try_from(self.all.len()).expect("more than 2^32 boxes"));
        self.all.push(unit_box.clone());
        self.ids.insert(unit_box, id);
        id
    }
}
