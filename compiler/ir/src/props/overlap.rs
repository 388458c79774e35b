//! Tier 2 of determinism: can several units be possible at once, under one assignment?
//!
//! A *conjunction* of units is taken apart: products into factors, factors that share no restricted variable
//! into independent parts; in a part the topmost sum is replaced by each of its inputs in turn. Answers are
//! kept by part. On circuits that are structured by one vtree a part that began as two units stays a pair
//! over each vtree node, so the work is at most the product of the units there (the pairwise recursion of
//! PSDDs and SDDs); on any other decomposable circuit the answer is still exact, but may cost more than
//! the budget. The stack is explicit: a chain may be a hundred thousand layers deep.

use super::boxes::{BoxId, Boxes, FULL, outer_factors};
use super::columns::{Unit, columns, list_of_unit, n_columns};
use super::grouping::Grouping;
use super::values::ValueSet;
use crate::{Graph, LayerKind, Scope, ScopeId, Scopes, VarId};
use rustc_hash::FxHashMap;

/// The budget ran out before there was an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spent;

/// One conjunct: an exact box, or a unit whose support is not a box.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Item {
    Exact(BoxId),
    Unit(Unit),
}

/// A part of a conjunction, in order and without repetition.
type Part = Box<[Item]>;

/// What is left to do.
enum Frame {
    /// All parts must be possible.
    All { parts: Vec<Part> },
    /// One of the inputs must be possible together with the rest.
    Any { part: Part, inputs: Vec<Unit>, tried: Option<Unit> },
}

/// Answers questions about one graph and remembers them.
pub(super) struct Overlap<'a> {
    graph: &'a Graph,
    boxes: &'a Boxes,
    restricted: Restricted,
    /// For each part the input that makes it possible, or `None` when nothing does.
    known: FxHashMap<Part, Option<Unit>>,
    grouping: Grouping,
    limit: u64,
    budget: u64,
}

impl<'a> Overlap<'a> {
    pub fn new(graph: &'a Graph, boxes: &'a Boxes, observed: &Scope, budget: u64) -> Self {
        Overlap {
            graph,
            boxes,
            restricted: Restricted::of(graph, observed),
            known: FxHashMap::default(),
            grouping: Grouping::new(graph.variables().len()),
            limit: budget,
            budget,
        }
    }

    /// The budget at the start.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// Takes steps off the budget.
    pub fn spend(&mut self, steps: usize) -> Result<(), Spent> {
        self.budget = self.budget.checked_sub(steps as u64).ok_or(Spent)?;
        Ok(())
    }

    /// Whether some assignment makes both units possible.
    pub fn is_possible(&mut self, a: Unit, b: Unit) -> Result<bool, Spent> {
        let mut stack = Vec::new();
        let mut answer = self.open_all(vec![Item::Unit(a), Item::Unit(b)], &mut stack)?;
        while let Some(frame) = stack.last_mut() {
            match (frame, answer.take()) {
                (Frame::All { .. }, Some(false)) => {
                    stack.pop();
                    answer = Some(false);
                }
                (Frame::All { parts }, _) => match parts.pop() {
                    Some(part) => answer = self.open_any(part, &mut stack),
                    None => {
                        stack.pop();
                        answer = Some(true);
                    }
                },
                (Frame::Any { part, inputs, tried }, last) => {
                    let found = if last == Some(true) { *tried } else { None };
                    match inputs.pop().filter(|_| found.is_none()) {
                        Some(input) => {
                            *tried = Some(input);
                            let items = replace_topmost(part, input);
                            answer = self.open_all(items, &mut stack)?;
                        }
                        None => {
                            self.known.insert(std::mem::take(part), found);
                            stack.pop();
                            answer = Some(found.is_some());
                        }
                    }
                }
            }
        }
        Ok(answer.expect("the last frame left an answer"))
    }

    /// An assignment under which both units are possible, after `is_possible` said so: every variable that
    /// the units restrict, with a value.
    pub fn witness(&mut self, a: Unit, b: Unit) -> Option<Vec<(VarId, u32)>> {
        let mut values: FxHashMap<VarId, ValueSet> = FxHashMap::default();
        let mut open = vec![vec![Item::Unit(a), Item::Unit(b)]];
        while let Some(items) = open.pop() {
            for part in self.split(items)? {
                match topmost(&part) {
                    None => restrict(&mut values, self.boxes, &part)?,
                    Some(_) => {
                        let input = self.choice(&part)?;
                        open.push(replace_topmost(&part, input));
                    }
                }
            }
        }
        let mut all: Vec<(VarId, u32)> = values.into_iter().map(|(var, set)| (var, set.first())).collect();
        all.sort_unstable();
        Some(all)
    }

    /// The input to follow from a possible part. One unit alone is possible through any of its inputs.
    fn choice(&self, part: &Part) -> Option<Unit> {
        match **part {
            [Item::Unit(unit)] => self.inputs(unit).first().copied(),
            _ => *self.known.get(part)?,
        }
    }

    fn open_all(&mut self, items: Vec<Item>, stack: &mut Vec<Frame>) -> Result<Option<bool>, Spent> {
        self.spend(items.len())?;
        let Some(mut parts) = self.split(items) else { return Ok(Some(false)) };
        // A unit of a decomposable circuit is never impossible by itself, and boxes were compared.
        parts.retain(|part| part.len() > 1 && topmost(part).is_some());
        if parts.is_empty() {
            return Ok(Some(true));
        }
        // The last is taken first: the smallest parts are the cheapest to refute.
        parts.sort_by_key(|part| std::cmp::Reverse(self.n_restricted(part)));
        stack.push(Frame::All { parts });
        Ok(None)
    }

    fn open_any(&mut self, part: Part, stack: &mut Vec<Frame>) -> Option<bool> {
        if let Some(known) = self.known.get(&part) {
            return Some(known.is_some());
        }
        let inputs = topmost(&part).map(|unit| self.inputs(unit)).unwrap_or_default();
        stack.push(Frame::Any { part, inputs, tried: None });
        None
    }

    fn inputs(&self, unit: Unit) -> Vec<Unit> {
        let list = list_of_unit(self.graph, unit.layer, unit.unit as usize);
        columns(self.graph, unit.layer, list)
    }

    fn n_restricted(&self, part: &Part) -> usize {
        let sizes = part.iter().map(|item| match *item {
            Item::Exact(id) => self.boxes.get(id).restrictions.len(),
            Item::Unit(unit) => self.restricted.n_variables(unit),
        });
        sizes.max().unwrap_or(0)
    }

    /// Takes products apart and groups the factors by the variables that they restrict; `None` when boxes
    /// show at once that nothing satisfies them all.
    fn split(&mut self, items: Vec<Item>) -> Option<Vec<Part>> {
        let mut flat = self.flatten(items);
        flat.sort_unstable();
        flat.dedup();
        self.grouping.start(flat.len());
        for (i, item) in flat.iter().enumerate() {
            match *item {
                Item::Exact(id) => {
                    self.boxes.get(id).restrictions.iter().for_each(|(var, _)| self.grouping.own(i, *var));
                }
                Item::Unit(unit) => {
                    self.restricted.scope(unit).iter().for_each(|var| self.grouping.own(i, var))
                }
            }
        }
        let groups = self.grouping.groups();
        let parts: Vec<Part> =
            groups.into_iter().map(|group| group.into_iter().map(|i| flat[i]).collect()).collect();
        parts.iter().all(|part| self.boxes_meet(part)).then_some(parts)
    }

    fn flatten(&self, mut open: Vec<Item>) -> Vec<Item> {
        let mut flat = Vec::new();
        while let Some(item) = open.pop() {
            let Item::Unit(unit) = item else {
                flat.push(item);
                continue;
            };
            let (graph, layer, index) = (self.graph, unit.layer, unit.unit as usize);
            let id = self.boxes.of_unit(layer, index);
            let children = graph.children(layer);
            match graph.layer(layer).kind {
                _ if id == FULL => {}
                _ if self.boxes.get(id).is_exact => flat.push(Item::Exact(id)),
                LayerKind::Product => open.extend(children.iter().map(|&c| Item::Unit(Unit::new(c, index)))),
                LayerKind::Outer => {
                    let (first, second) = outer_factors(graph, layer, index);
                    open.push(Item::Unit(Unit::new(children[0], first)));
                    open.push(Item::Unit(Unit::new(children[1], second)));
                }
                _ if n_columns(graph, layer) == 1 => open.push(Item::Unit(self.inputs(unit)[0])),
                _ => flat.push(item),
            }
        }
        flat
    }

    /// Whether the boxes around the items of a part have a common assignment.
    fn boxes_meet(&self, part: &Part) -> bool {
        let box_of = |item: &Item| match *item {
            Item::Exact(id) => id,
            Item::Unit(unit) => self.boxes.of_unit(unit.layer, unit.unit as usize),
        };
        match &**part {
            [_] => true,
            [a, b] => !self.boxes.get(box_of(a)).is_disjoint(self.boxes.get(box_of(b))),
            many => {
                let mut values: FxHashMap<VarId, ValueSet> = FxHashMap::default();
                let restrictions =
                    many.iter().flat_map(|item| self.boxes.get(box_of(item)).restrictions.iter());
                restrictions.into_iter().all(|(var, set)| meet(&mut values, *var, set))
            }
        }
    }
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

    fn n_variables(&self, unit: Unit) -> usize {
        self.scope(unit).len()
    }
}

/// The sum to branch on: the one of the greatest layer, which comes last in order.
fn topmost(part: &[Item]) -> Option<Unit> {
    match part.last() {
        Some(Item::Unit(unit)) => Some(*unit),
        _ => None,
    }
}

fn replace_topmost(part: &[Item], input: Unit) -> Vec<Item> {
    let mut items = part[..part.len() - 1].to_vec();
    items.push(Item::Unit(input));
    items
}

fn restrict(values: &mut FxHashMap<VarId, ValueSet>, boxes: &Boxes, part: &[Item]) -> Option<()> {
    for item in part {
        let Item::Exact(id) = *item else { return None };
        let is_met = boxes.get(id).restrictions.iter().all(|(var, set)| meet(values, *var, set));
        is_met.then_some(())?;
    }
    Some(())
}

/// Intersects what is known of a variable with a set; false when nothing is left.
fn meet(values: &mut FxHashMap<VarId, ValueSet>, var: VarId, set: &ValueSet) -> bool {
    match values.get_mut(&var) {
        None => {
            values.insert(var, set.clone());
            true
        }
        Some(known) => known.intersection(set).map(|both| *known = both).is_some(),
    }
}
