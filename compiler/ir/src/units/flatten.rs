//! From units to nodes: every node a leaf, or a sum of products of two nodes.
//!
//! In: the units of a graph. Out: the nodes that the root reaches, children first, in depth-first order.
//! Products that one term reads become part of it; what has more than two factors gets nodes for pairs.

use super::resolve::{ALWAYS_ONE, Units};
use super::{NO_PLACE, ONE_ROW, TermPlaces, TooManyUnits, UnitLeaf};
use rustc_hash::FxHashMap;

/// The node whose value is one.
pub(super) const ONE_NODE: u32 = ONE_ROW;

const UNKNOWN: u32 = u32::MAX;

/// A circuit of leaves and sums of products of two.
#[derive(Debug, Default)]
pub(super) struct Flat {
    /// Leaves in the order of their nodes.
    pub(super) leaves: Vec<UnitLeaf>,
    /// Where each node's terms start, and where the last ends. Leaves have none.
    pub(super) starts: Vec<u32>,
    pub(super) terms: Vec<[u32; 2]>,
    pub(super) places: Vec<TermPlaces>,
    /// The id of each node's scope.
    pub(super) scopes: Vec<u32>,
    pub(super) root: u32,
}

impl Flat {
    pub(super) fn n_nodes(&self) -> usize {
        self.starts.len() - 1
    }

    pub(super) fn range(&self, node: u32) -> std::ops::Range<usize> {
        self.starts[node as usize] as usize..self.starts[node as usize + 1] as usize
    }

    pub(super) fn is_leaf(&self, node: u32) -> bool {
        self.starts[node as usize] == self.starts[node as usize + 1]
    }

    /// Closes a node over the terms that were pushed since the last.
    fn close(&mut self, scope: u32) -> Result<u32, TooManyUnits> {
        let end = u32::try_from(self.terms.len()).map_err(|_| TooManyUnits)?;
        let node = self.n_nodes() as u32;
        self.starts.push(end);
        self.scopes.push(scope);
        if node < 1 << 31 { Ok(node) } else { Err(TooManyUnits) }
    }

    fn push(&mut self, term: [u32; 2], places: TermPlaces) {
        self.terms.push(term);
        self.places.push(places);
    }
}

/// A unit whose children are being visited.
struct Frame {
    unit: u32,
    /// Where its terms start on the stack of terms, and their factors on that of factors.
    first_term: usize,
    first_factor: usize,
    /// How many of its factors were visited, first those that come first in their term.
    n_visited: usize,
}

struct Flattening<'u, 'g> {
    units: &'u Units<'g>,
    nodes: Vec<u32>,
    literals: FxHashMap<UnitLeaf, u32>,
    flat: Flat,
    /// Factors of the terms of all open units, and where each term ends among them.
    factors: Vec<u32>,
    terms: Vec<(usize, TermPlaces)>,
    /// For each open unit, its factors in the order of their visit.
    visits: Vec<u32>,
}

/// The nodes that the root reaches.
pub(super) fn flatten(units: &Units) -> Result<Flat, TooManyUnits> {
    let n_units = units.graph.layer_ids().map(|id| units.graph.n_units(id)).sum();
    let mut flattening = Flattening {
        units,
        nodes: vec![UNKNOWN; n_units],
        literals: FxHashMap::default(),
        flat: Flat { starts: vec![0], ..Flat::default() },
        factors: Vec::new(),
        terms: Vec::new(),
        visits: Vec::new(),
    };
    flattening.flat.close(u32::MAX)?;
    if units.root() != ALWAYS_ONE {
        flattening.visit(units.root())?;
        flattening.flat.root = flattening.node(units.root());
    }
    Ok(flattening.flat)
}

impl Flattening<'_, '_> {
    fn node(&self, unit: u32) -> u32 {
        if unit == ALWAYS_ONE { ONE_NODE } else { self.nodes[unit as usize] }
    }

    fn visit(&mut self, root: u32) -> Result<(), TooManyUnits> {
        let mut stack = Vec::new();
        stack.extend(self.open(root)?);
        while let Some(frame) = stack.last_mut() {
            let at = frame.first_factor + frame.n_visited;
            if at == self.factors.len() {
                let frame = stack.pop().expect("it was there");
                self.close(&frame)?;
                continue;
            }
            frame.n_visited += 1;
            let factor = self.visits[at];
            if factor != ALWAYS_ONE && self.nodes[factor as usize] == UNKNOWN {
                stack.extend(self.open(factor)?);
            }
        }
        Ok(())
    }

    /// Begins a unit; a leaf is done at once.
    fn open(&mut self, unit: u32) -> Result<Option<Frame>, TooManyUnits> {
        if let Some(leaf) = self.units.leaf(unit) {
            self.nodes[unit as usize] = self.leaf_node(leaf, unit)?;
            return Ok(None);
        }
        let frame =
            Frame { unit, first_term: self.terms.len(), first_factor: self.factors.len(), n_visited: 0 };
        let is_product = self.units.is_product(unit);
        let mut children = Vec::new();
        self.units.each_child(unit, |child, places| children.push((child, places)));
        for &(child, places) in &children {
            self.push_factors(child, !is_product);
            if !is_product {
                self.terms.push((self.factors.len(), places));
            }
        }
        if is_product {
            self.terms.push((self.factors.len(), TermPlaces { weight: NO_PLACE, stat: NO_PLACE }));
        }
        self.plan_visits(&frame);
        Ok(Some(frame))
    }

    fn leaf_node(&mut self, leaf: UnitLeaf, unit: u32) -> Result<u32, TooManyUnits> {
        if let Some(&node) = self.literals.get(&leaf) {
            return Ok(node);
        }
        let node = self.flat.close(self.units.scope(unit))?;
        self.flat.leaves.push(leaf);
        self.literals.insert(leaf, node);
        Ok(node)
    }

    /// Pushes the factors that a child is: itself, or those of a product that nothing else reads, or of a
    /// pair that is read by a sum.
    fn push_factors(&mut self, child: u32, is_of_sum: bool) {
        if is_of_sum && child != ALWAYS_ONE && self.units.is_pair(child) {
            let factors = &mut self.factors;
            return self.units.each_child(child, |factor, _| {
                if factor != ALWAYS_ONE {
                    factors.push(factor);
                }
            });
        }
        let mut open = vec![child];
        while let Some(unit) = open.pop() {
            if unit == ALWAYS_ONE {
                continue;
            }
            if !self.units.is_inlined(unit) {
                self.factors.push(unit);
                continue;
            }
            let first = open.len();
            self.units.each_child(unit, |factor, _| open.push(factor));
            open[first..].reverse();
        }
    }

    /// First factors of all terms come before the others: in a structured circuit those are over one scope,
    /// and the nodes of a scope should be made one after another.
    fn plan_visits(&mut self, frame: &Frame) {
        let ends = self.terms[frame.first_term..].iter().map(|term| term.0);
        let starts = std::iter::once(frame.first_factor).chain(ends.clone());
        let ranges: Vec<(usize, usize)> = starts.zip(ends).filter(|(start, end)| start < end).collect();
        self.visits.extend(ranges.iter().map(|&(start, _)| self.factors[start]));
        self.visits.extend(ranges.iter().flat_map(|&(start, end)| &self.factors[start + 1..end]));
    }

    /// Ends a unit whose factors all have nodes.
    fn close(&mut self, frame: &Frame) -> Result<(), TooManyUnits> {
        let scope = self.units.scope(frame.unit);
        let mut start = frame.first_factor;
        let mut pairs = Vec::with_capacity(self.terms.len() - frame.first_term);
        for at in frame.first_term..self.terms.len() {
            let (end, places) = self.terms[at];
            let mut nodes: Vec<u32> = self.factors[start..end].iter().map(|&unit| self.node(unit)).collect();
            start = end;
            while nodes.len() > 2 {
                nodes = self.halve(&nodes, scope)?;
            }
            let factor = |i: usize| nodes.get(i).copied().unwrap_or(ONE_NODE);
            pairs.push(([factor(0), factor(1)], places));
        }
        pairs.iter().for_each(|&(term, places)| self.flat.push(term, places));
        self.nodes[frame.unit as usize] = self.flat.close(scope)?;
        self.terms.truncate(frame.first_term);
        self.factors.truncate(frame.first_factor);
        self.visits.truncate(frame.first_factor);
        Ok(())
    }

    /// A node for each pair of factors.
    fn halve(&mut self, nodes: &[u32], scope: u32) -> Result<Vec<u32>, TooManyUnits> {
        let mut halves = Vec::with_capacity(nodes.len().div_ceil(2));
        for pair in nodes.chunks(2) {
            let &[a, b] = pair else {
                halves.push(pair[0]);
                continue;
            };
            self.flat.push([a, b], TermPlaces { weight: NO_PLACE, stat: NO_PLACE });
            halves.push(self.flat.close(scope)?);
        }
        Ok(halves)
    }
}
