//! Tier 2 of determinism: can two units be possible at once, under one assignment?
//!
//! A conjunction is taken apart into independent parts (see [`super::conjunction`]), all of which must be
//! possible; in a part the topmost sum is replaced by each of its inputs in turn, one of which must be.
//! Answers are kept by part. On circuits that are structured by one vtree a part that began as two units
//! stays a pair over each vtree node, so the work is at most the product of the units there (the pairwise
//! recursion of PSDDs and SDDs); on any other decomposable circuit the answer is still exact, but may cost
//! more than the budget. The stack is explicit: a chain may be a hundred thousand layers deep.

use super::boxes::{Boxes, Restriction, are_disjoint};
use super::columns::Unit;
use super::conjunction::{FREE, Part, Splitter};
use crate::{Graph, LayerKind, Scope, VarId};
use rustc_hash::{FxHashMap, FxHashSet};

/// The budget ran out before there was an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spent;

/// What is left to do.
enum Frame {
    /// All parts must be possible.
    All { parts: Vec<Part> },
    /// One of the inputs must be possible in place of the topmost unit.
    Any { part: Part, inputs: Vec<Unit>, tried: Option<Unit> },
}

/// Answers questions about one graph and remembers them.
pub(super) struct Overlap<'a> {
    splitter: Splitter<'a>,
    /// For each part the input that makes it possible, or `None` when nothing does.
    known: FxHashMap<Part, Option<Unit>>,
    /// Pairs of units known never to be possible together: a small table that is asked far more often than
    /// `known`.
    apart: FxHashSet<(Unit, Unit)>,
    limit: u64,
    budget: u64,
}

impl<'a> Overlap<'a> {
    pub fn new(graph: &'a Graph, boxes: &'a Boxes, observed: &Scope, budget: u64) -> Self {
        Overlap {
            splitter: Splitter::new(graph, boxes, observed),
            known: FxHashMap::default(),
            apart: FxHashSet::default(),
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
        let mut answer = self.open_all(vec![a, b], Vec::new(), &mut stack)?;
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
                    let found = tried.filter(|_| last == Some(true));
                    match if found.is_none() { self.next_input(part, inputs)? } else { None } {
                        Some(input) => {
                            *tried = Some(input);
                            let (units, restrictions) = self.with_input(part, input);
                            answer = self.open_all(units, restrictions, &mut stack)?;
                        }
                        None => {
                            self.learn(part.clone(), found);
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
    /// matters, with a value, in order.
    pub fn witness(&mut self, a: Unit, b: Unit) -> Option<Vec<(VarId, u32)>> {
        let mut values: Vec<(VarId, u32)> = Vec::new();
        let mut open = vec![(vec![a, b], Vec::new())];
        while let Some((units, restrictions)) = open.pop() {
            let split = self.splitter.split(units, restrictions)?;
            values.extend(split.settled.iter().map(|(var, set)| (*var, set.first())));
            for part in split.parts {
                let input = match part.is_free() {
                    true => self.splitter.inputs(part.topmost()).first().copied(),
                    false => *self.known.get(&part)?,
                };
                open.push(self.with_input(&part, input?));
            }
        }
        values.sort_unstable();
        Some(values)
    }

    fn open_all(
        &mut self,
        units: Vec<Unit>,
        restrictions: Vec<Restriction>,
        stack: &mut Vec<Frame>,
    ) -> Result<Option<bool>, Spent> {
        self.spend(units.len() + restrictions.len())?;
        let Some(split) = self.splitter.split(units, restrictions) else { return Ok(Some(false)) };
        let mut parts = split.parts;
        parts.retain(|part| !part.is_free());
        if parts.is_empty() {
            return Ok(Some(true));
        }
        // The last is taken first: the smallest parts are the cheapest to refute.
        parts.sort_by_key(|part| std::cmp::Reverse(self.splitter.n_variables(part)));
        stack.push(Frame::All { parts });
        Ok(None)
    }

    fn open_any(&mut self, part: Part, stack: &mut Vec<Frame>) -> Option<bool> {
        if let Some(known) = self.known.get(&part) {
            return Some(known.is_some());
        }
        let inputs = self.splitter.inputs(part.topmost());
        stack.push(Frame::Any { part, inputs, tried: None });
        None
    }

    /// A part with an input in place of its topmost unit.
    fn with_input(&self, part: &Part, input: Unit) -> (Vec<Unit>, Vec<Restriction>) {
        let units = part.others().iter().copied().chain([input]).collect();
        (units, self.splitter.restrictions(part).to_vec())
    }

    fn learn(&mut self, part: Part, found: Option<Unit>) {
        if let (&[a, b], FREE, None) = (&*part.units, part.restrictions, found) {
            self.apart.insert((a, b));
        }
        self.known.insert(part, found);
    }

    /// The next input that what is known already does not rule out.
    fn next_input(&mut self, part: &Part, inputs: &mut Vec<Unit>) -> Result<Option<Unit>, Spent> {
        while let Some(input) = inputs.pop() {
            self.spend(1)?;
            if !self.is_ruled_out(part, input) {
                return Ok(Some(input));
            }
        }
        Ok(None)
    }

    /// Whether an input, or a factor of it, is known to be impossible in a part. Most inputs of most sums
    /// are ruled out here, without taking anything apart.
    fn is_ruled_out(&self, part: &Part, input: Unit) -> bool {
        let restrictions = self.splitter.restrictions(part);
        let is_apart = |factor: Unit| {
            are_disjoint(self.box_around(factor), restrictions)
                || part.others().iter().any(|&other| self.is_known_apart(factor, other))
        };
        match self.splitter.graph.layer(input.layer).kind {
            LayerKind::Product => {
                let children = self.splitter.graph.children(input.layer);
                children.iter().any(|&layer| is_apart(Unit { layer, ..input }))
            }
            _ => is_apart(input),
        }
    }

    fn is_known_apart(&self, a: Unit, b: Unit) -> bool {
        self.apart.contains(&(a.min(b), a.max(b))) || are_disjoint(self.box_around(a), self.box_around(b))
    }

    fn box_around(&self, unit: Unit) -> &[Restriction] {
        let boxes = self.splitter.boxes;
        &boxes.get(boxes.of_unit(unit.layer, unit.unit as usize)).restrictions
    }
}
