//! Conjunctions of units, and how they fall apart into independent parts.
//!
//! Products become their factors. A factor whose support is exactly a box becomes restrictions of single
//! variables, which tie nothing together. The units that are left belong to one part when they restrict a
//! common variable. A part is its units and the restrictions on their variables; parts are interned keys,
//! so that what is known of one is known wherever it comes up again.

use super::boxes::{Boxes, FULL, Restriction, are_disjoint};
use super::columns::{Unit, columns, list_of_unit, n_columns};
use super::grouping::Grouping;
use crate::{Graph, LayerKind, Scope, ScopeId, Scopes};
use rustc_hash::FxHashMap;
use std::rc::Rc;

/// Interned restrictions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct RestrictionsId(u32);

/// No restrictions.
pub(super) const FREE: RestrictionsId = RestrictionsId(0);

/// Units that hang together, in order and without repetition, and the restrictions on their variables.
/// None of the units is a product, and the support of none is a box.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Part {
    pub units: Box<[Unit]>,
    pub restrictions: RestrictionsId,
}

/// A conjunction taken apart.
pub(super) struct Split {
    pub parts: Vec<Part>,
    /// Restrictions on variables that no part has.
    pub settled: Vec<Restriction>,
}

impl Part {
    /// The unit to branch on: the one of the greatest layer.
    pub fn topmost(&self) -> Unit {
        self.units[self.units.len() - 1]
    }

    /// The other units.
    pub fn others(&self) -> &[Unit] {
        &self.units[..self.units.len() - 1]
    }

    /// Whether it is one unit that nothing restricts. In a decomposable circuit that is always possible.
    pub fn is_free(&self) -> bool {
        self.units.len() == 1 && self.restrictions == FREE
    }
}

/// Takes conjunctions of one graph's units apart.
pub(super) struct Splitter<'a> {
    pub graph: &'a Graph,
    pub boxes: &'a Boxes,
    restricted: Restricted,
    grouping: Grouping,
    interned: Vec<Rc<[Restriction]>>,
    ids: FxHashMap<Rc<[Restriction]>, RestrictionsId>,
}

impl<'a> Splitter<'a> {
    pub fn new(graph: &'a Graph, boxes: &'a Boxes, observed: &Scope) -> Self {
        let mut splitter = Splitter {
            graph,
            boxes,
            restricted: Restricted::of(graph, observed),
            grouping: Grouping::new(graph.variables().len()),
            interned: Vec::new(),
            ids: FxHashMap::default(),
        };
        let free = splitter.intern(Vec::new());
        debug_assert_eq!(free, FREE);
        splitter
    }

    /// The restrictions of a part.
    pub fn restrictions(&self, part: &Part) -> &Rc<[Restriction]> {
        &self.interned[part.restrictions.0 as usize]
    }

    /// The inputs that a sum or mix unit reads.
    pub fn inputs(&self, unit: Unit) -> Vec<Unit> {
        columns(self.graph, unit.layer, list_of_unit(self.graph, unit.layer, unit.unit as usize))
    }

    /// How many variables a part's units may restrict.
    pub fn n_variables(&self, part: &Part) -> usize {
        part.units.iter().map(|&unit| self.restricted.scope(unit).len()).max().unwrap_or(0)
    }

    /// Takes units under restrictions apart; `None` when boxes show at once that nothing satisfies them all.
    pub fn split(&mut self, units: Vec<Unit>, mut restrictions: Vec<Restriction>) -> Option<Split> {
        let mut units = self.flatten(units, &mut restrictions);
        units.sort_unstable();
        units.dedup();
        let restrictions = merge(restrictions)?;
        self.grouping.start(units.len());
        for (i, &unit) in units.iter().enumerate() {
            self.restricted.scope(unit).iter().for_each(|var| self.grouping.own(i, var));
        }
        let groups = self.grouping.groups();
        let mut group_of = vec![0; units.len()];
        groups.iter().enumerate().for_each(|(g, members)| members.iter().for_each(|&i| group_of[i] = g));
        let mut by_group = vec![Vec::new(); groups.len()];
        let mut settled = Vec::new();
        for restriction in restrictions {
            match self.grouping.owner(restriction.0) {
                Some(owner) => by_group[group_of[owner]].push(restriction),
                None => settled.push(restriction),
            }
        }
        let mut parts = Vec::with_capacity(groups.len());
        for (members, restrictions) in groups.into_iter().zip(by_group) {
            let units: Box<[Unit]> = members.into_iter().map(|i| units[i]).collect();
            if !self.boxes_meet(&units, &restrictions) {
                return None;
            }
            parts.push(Part { units, restrictions: self.intern(restrictions) });
        }
        Some(Split { parts, settled })
    }

    /// Replaces products by their factors and exact boxes by their restrictions.
    fn flatten(&self, mut open: Vec<Unit>, restrictions: &mut Vec<Restriction>) -> Vec<Unit> {
        let mut flat = Vec::new();
        while let Some(unit) = open.pop() {
            let (graph, layer, index) = (self.graph, unit.layer, unit.unit as usize);
            let id = self.boxes.of_unit(layer, index);
            let children = graph.children(layer);
            match graph.layer(layer).kind {
                _ if id == FULL => {}
                _ if self.boxes.get(id).is_exact => {
                    restrictions.extend(self.boxes.get(id).restrictions.iter().cloned());
                }
                LayerKind::Product => open.extend(children.iter().map(|&c| Unit::new(c, index))),
                LayerKind::Outer => {
                    let (first, second) = graph.outer_factors(layer, index);
                    open.extend([Unit::new(children[0], first), Unit::new(children[1], second)]);
                }
                _ if n_columns(graph, layer) == 1 => open.extend(self.inputs(unit)),
                _ => flat.push(unit),
            }
        }
        flat
    }

    /// Whether the boxes around units meet each other and the restrictions.
    fn boxes_meet(&self, units: &[Unit], restrictions: &[Restriction]) -> bool {
        let around =
            |unit: &Unit| &*self.boxes.get(self.boxes.of_unit(unit.layer, unit.unit as usize)).restrictions;
        units.iter().enumerate().all(|(i, a)| {
            !are_disjoint(around(a), restrictions)
                && units[..i].iter().all(|b| !are_disjoint(around(a), around(b)))
        })
    }

    fn intern(&mut self, restrictions: Vec<Restriction>) -> RestrictionsId {
        if let Some(&id) = self.ids.get(restrictions.as_slice()) {
            return id;
        }
        let id = RestrictionsId(u32::try_from(self.interned.len()).expect("more than 2^32 restrictions"));
        let restrictions: Rc<[Restriction]> = restrictions.into();
        self.interned.push(Rc::clone(&restrictions));
        self.ids.insert(restrictions, id);
        id
    }
}

/// One restriction for each variable, in order; `None` when two contradict each other.
fn merge(mut all: Vec<Restriction>) -> Option<Vec<Restriction>> {
    all.sort_by_key(|(var, _)| *var);
    let mut merged: Vec<Restriction> = Vec::with_capacity(all.len());
    for (var, set) in all {
        match merged.last_mut() {
            Some((last, known)) if *last == var => *known = known.intersection(&set)?,
            _ => merged.push((var, set)),
        }
    }
    Some(merged)
}

/// The variables that the units of each layer may restrict.
struct Restricted {
    scopes: Scopes,
    by_layer: Vec<ScopeId>,
}

impl Restricted {
    fn of(graph: &Graph, observed: &Scope) -> Self {
        let n = graph.variables().len();
        let mut scopes = Scopes::new(n);
        let mut by_layer: Vec<ScopeId> = Vec::with_capacity(graph.n_layers());
        for id in graph.layer_ids() {
            let layer = graph.layer(id);
            let scope = match layer.kind {
                LayerKind::Literal { var, .. } | LayerKind::Indicator { var, .. }
                    if observed.contains(var) =>
                {
                    scopes.intern(Scope::single(var, n))
                }
                _ => scopes.union(layer.children.iter().map(|c| by_layer[c.index()])),
            };
            by_layer.push(scope);
        }
        Restricted { scopes, by_layer }
    }

    fn scope(&self, unit: Unit) -> &Scope {
        self.scopes.get(self.by_layer[unit.layer.index()])
    }
}
