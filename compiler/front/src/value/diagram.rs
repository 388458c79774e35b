//! Canonical forms of formulas: reduced ordered binary decision diagrams (Bryant, 1986).
//!
//! Equal formulas have equal nodes, so that `memo` shares what a constraint leads to twice. The order is the
//! left-to-right order of a vtree; then the diagram cut between the two parts of a vtree node gives the
//! compressed partition of the formula there (Darwiche, 2011).

use super::formula::Formula;
use pcc_ir::VarId;
use rustc_hash::{FxHashMap, FxHashSet};

/// A node of [`Diagrams`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct NodeId(u32);

/// The diagram of what never holds.
pub(crate) const FALSE: NodeId = NodeId(0);
/// The diagram of what always holds.
pub(crate) const TRUE: NodeId = NodeId(1);

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Node {
    level: u32,
    low: NodeId,
    high: NodeId,
}

/// The level of the two constants: after all variables.
const END: u32 = u32::MAX;

/// All diagrams over one order of variables.
pub(crate) struct Diagrams {
    order: Vec<VarId>,
    levels: FxHashMap<VarId, u32>,
    nodes: Vec<Node>,
    unique: FxHashMap<Node, NodeId>,
    choices: FxHashMap<(NodeId, NodeId, NodeId), NodeId>,
}

impl Diagrams {
    /// No diagrams yet, over these variables.
    pub(crate) fn new(order: &[VarId]) -> Self {
        let constant = |node| Node { level: END, low: node, high: node };
        Diagrams {
            order: order.to_vec(),
            levels: order.iter().enumerate().map(|(i, v)| (*v, i as u32)).collect(),
            nodes: vec![constant(FALSE), constant(TRUE)],
            unique: FxHashMap::default(),
            choices: FxHashMap::default(),
        }
    }

    /// Where a variable stands in the order.
    pub(crate) fn level(&self, var: VarId) -> Option<u32> {
        self.levels.get(&var).copied()
    }

    fn node(&self, id: NodeId) -> Node {
        self.nodes.get(id.0 as usize).copied().unwrap_or(Node { level: END, low: FALSE, high: FALSE })
    }

    fn make(&mut self, level: u32, low: NodeId, high: NodeId) -> NodeId {
        if low == high {
            return low;
        }
        let node = Node { level, low, high };
        let next = NodeId(self.nodes.len() as u32);
        let id = *self.unique.entry(node).or_insert(next);
        if id == next {
            self.nodes.push(node);
        }
        id
    }

    /// `if condition then yes else no`. The recursion is at most as deep as the order is long.
    fn choose(&mut self, condition: NodeId, yes: NodeId, no: NodeId) -> NodeId {
        match (condition, yes, no) {
            (TRUE, ..) => return yes,
            (FALSE, ..) => return no,
            (_, TRUE, FALSE) => return condition,
            _ if yes == no => return yes,
            _ => {}
        }
        if let Some(&known) = self.choices.get(&(condition, yes, no)) {
            return known;
        }
        let level = self.node(condition).level.min(self.node(yes).level).min(self.node(no).level);
        let [low, high] = [false, true].map(|side| {
            let [c, y, n] = [condition, yes, no].map(|f| self.side(f, level, side));
            stacker::maybe_grow(64 << 10, 1 << 20, || self.choose(c, y, n))
        });
        let made = self.make(level, low, high);
        self.choices.insert((condition, yes, no), made);
        made
    }

    /// The formula where the variable of the level is `side`; the level is not below its own.
    fn side(&self, f: NodeId, level: u32, side: bool) -> NodeId {
        let node = self.node(f);
        match node.level == level {
            true if side => node.high,
            true => node.low,
            false => f,
        }
    }

    fn not(&mut self, f: NodeId) -> NodeId {
        self.choose(f, FALSE, TRUE)
    }

    fn var(&mut self, var: VarId) -> Option<NodeId> {
        let level = self.level(var)?;
        Some(self.make(level, FALSE, TRUE))
    }

    /// The diagram of a formula; `None` when it speaks of a variable that is not in the order.
    pub(crate) fn of(&mut self, formula: &Formula) -> Option<NodeId> {
        stacker::maybe_grow(64 << 10, 1 << 20, || match formula {
            Formula::Constant(b) => Some(if *b { TRUE } else { FALSE }),
            Formula::Var(v) => self.var(*v),
            Formula::Not(a) => self.of(a).map(|a| self.not(a)),
            Formula::And(a, b) => self.pair(a, b, |d, a, b| d.choose(a, b, FALSE)),
            Formula::Or(a, b) => self.pair(a, b, |d, a, b| d.choose(a, TRUE, b)),
            Formula::Implies(a, b) => self.pair(a, b, |d, a, b| d.choose(a, b, TRUE)),
            Formula::Equal(a, b) => self.pair(a, b, |d, a, b| {
                let not_b = d.not(b);
                d.choose(a, b, not_b)
            }),
            Formula::Count { low, high, of } => self.count(*low, *high, of),
        })
    }

    fn pair(
        &mut self,
        a: &Formula,
        b: &Formula,
        join: fn(&mut Self, NodeId, NodeId) -> NodeId,
    ) -> Option<NodeId> {
        let (a, b) = (self.of(a)?, self.of(b)?);
        Some(join(self, a, b))
    }

    /// `counts[n]` holds when exactly n of the formulas so far hold; the last entry stands for more than `high`.
    fn count(&mut self, low: usize, high: usize, of: &[Formula]) -> Option<NodeId> {
        let most = high.min(of.len());
        let mut counts = vec![FALSE; most + 2];
        *counts.first_mut()? = TRUE;
        for formula in of {
            let f = self.of(formula)?;
            let mut below = FALSE;
            for (n, count) in counts.iter_mut().enumerate() {
                let here = *count;
                // What is past `high` stays past it.
                let with = if n > most { self.choose(below, TRUE, here) } else { below };
                *count = self.choose(f, with, here);
                below = here;
            }
        }
        let wanted = counts.iter().take(most + 1).skip(low).copied().collect::<Vec<_>>();
        Some(wanted.into_iter().fold(FALSE, |all, n| self.choose(all, TRUE, n)))
    }

    /// The same formula as a diagram of another order; `None` when that lacks a variable.
    pub(crate) fn moved(&self, f: NodeId, to: &mut Diagrams) -> Option<NodeId> {
        let mut done: FxHashMap<NodeId, NodeId> = [(FALSE, FALSE), (TRUE, TRUE)].into_iter().collect();
        let mut open = vec![f];
        while let Some(&id) = open.last() {
            let node = self.node(id);
            match (done.contains_key(&id), done.get(&node.low), done.get(&node.high)) {
                (true, ..) => {
                    open.pop();
                }
                (false, Some(&low), Some(&high)) => {
                    let var = self.order.get(node.level as usize).and_then(|v| to.var(*v))?;
                    let made = to.choose(var, high, low);
                    done.insert(id, made);
                    open.pop();
                }
                _ => open.extend([node.low, node.high]),
            }
        }
        done.get(&f).copied()
    }

    /// The variables that a formula depends on.
    pub(crate) fn support(&self, f: NodeId) -> FxHashSet<VarId> {
        let (mut seen, mut vars) = (FxHashSet::default(), FxHashSet::default());
        let mut open = vec![f];
        while let Some(id) = open.pop() {
            let node = self.node(id);
            if node.level != END && seen.insert(id) {
                vars.extend(self.order.get(node.level as usize));
                open.extend([node.low, node.high]);
            }
        }
        vars
    }

    /// The partition of a formula between the levels before `boundary` and the rest: pairs of a prime over
    /// the first and a sub over the second. Primes exclude each other, subs are all different, and pairs
    /// with the sub that never holds are left out.
    pub(crate) fn partition(&mut self, f: NodeId, boundary: u32) -> Vec<(NodeId, NodeId)> {
        let mut subs = Vec::new();
        let mut seen = FxHashSet::default();
        let mut open = vec![f];
        while let Some(id) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            let node = self.node(id);
            if node.level >= boundary {
                subs.push(id);
            } else {
                open.extend([node.high, node.low]);
            }
        }
        subs.retain(|s| *s != FALSE);
        subs.into_iter().map(|sub| (self.prime(f, sub, boundary, &mut FxHashMap::default()), sub)).collect()
    }

    /// When following `f` leads to `sub` at the boundary.
    fn prime(
        &mut self,
        f: NodeId,
        sub: NodeId,
        boundary: u32,
        known: &mut FxHashMap<NodeId, NodeId>,
    ) -> NodeId {
        let node = self.node(f);
        if node.level >= boundary {
            return if f == sub { TRUE } else { FALSE };
        }
        if let Some(&prime) = known.get(&f) {
            return prime;
        }
        let [low, high] = [node.low, node.high]
            .map(|side| stacker::maybe_grow(64 << 10, 1 << 20, || self.prime(side, sub, boundary, known)));
        let prime = self.make(node.level, low, high);
        known.insert(f, prime);
        prime
    }

    /// The values a variable may have in a formula over it alone: (may be false, may be true).
    pub(crate) fn values_of(&self, f: NodeId, var: VarId) -> (bool, bool) {
        let node = self.node(f);
        match self.level(var) {
            Some(level) if node.level == level => (node.low != FALSE, node.high != FALSE),
            _ => (f != FALSE, f != FALSE),
        }
    }

    #[cfg(test)]
    fn holds(&self, mut f: NodeId, value: &dyn Fn(VarId) -> bool) -> bool {
        while self.node(f).level != END {
            let node = self.node(f);
            f = if value(self.order[node.level as usize]) { node.high } else { node.low };
        }
        f == TRUE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::rc::Rc;

    fn vars(n: u32) -> Vec<VarId> {
        (0..n).map(VarId).collect()
    }

    /// (x0 or x1) and (x2 => x3) and exactly one of x0, x2.
    fn menu() -> Formula {
        let var = |i| Rc::new(Formula::Var(VarId(i)));
        let or = Formula::Or(var(0), var(1));
        let implies = Formula::Implies(var(2), var(3));
        let one =
            Formula::Count { low: 1, high: 1, of: [Formula::Var(VarId(0)), Formula::Var(VarId(2))].into() };
        Formula::And(Rc::new(Formula::And(Rc::new(or), Rc::new(implies))), Rc::new(one))
    }

    #[test]
    fn diagrams_agree_with_enumeration() {
        let mut diagrams = Diagrams::new(&vars(5));
        let counts = |low, high| {
            let of = (0..5).map(|i| Formula::Var(VarId(i))).collect();
            Formula::Count { low, high, of }
        };
        for formula in [menu(), counts(0, 2), counts(2, 5), counts(3, 3), counts(6, 9), counts(0, 0)] {
            let node = diagrams.of(&formula).unwrap();
            for bits in 0..32_u32 {
                let value = |v: VarId| bits >> v.0 & 1 == 1;
                assert_eq!(diagrams.holds(node, &value), formula.holds(&value), "{formula:?} {bits:05b}");
            }
        }
    }

    #[test]
    fn a_partition_is_exclusive_and_gives_the_formula_back() {
        let mut diagrams = Diagrams::new(&vars(4));
        let f = diagrams.of(&menu()).unwrap();
        for boundary in 1..4 {
            let parts = diagrams.partition(f, boundary);
            for bits in 0..16_u32 {
                let value = |v: VarId| bits >> v.0 & 1 == 1;
                let holding: Vec<_> = parts.iter().filter(|(p, _)| diagrams.holds(*p, &value)).collect();
                assert!(holding.len() <= 1, "primes exclude each other");
                let found = holding.iter().any(|(_, sub)| diagrams.holds(*sub, &value));
                assert_eq!(found, menu().holds(&value), "boundary {boundary}, {bits:04b}");
            }
        }
    }

    #[test]
    fn moving_to_another_order_keeps_the_formula() {
        let mut from = Diagrams::new(&vars(4));
        let f = from.of(&menu()).unwrap();
        let mut to = Diagrams::new(&[VarId(3), VarId(1), VarId(0), VarId(2)]);
        let moved = from.moved(f, &mut to).unwrap();
        assert_eq!(Some(moved), to.of(&menu()));
        assert_eq!(to.support(moved).len(), 4);
        assert_eq!(from.moved(f, &mut Diagrams::new(&vars(2))), None);
    }

    #[test]
    fn twenty_variables_are_quick() {
        let of = (0..20).map(|i| Formula::Var(VarId(i))).collect();
        let mut diagrams = Diagrams::new(&vars(20));
        let f = diagrams.of(&Formula::Count { low: 10, high: 10, of }).unwrap();
        // Between 10 and 10 variables, each count of the first half meets one of the second.
        assert_eq!(diagrams.partition(f, 10).len(), 11);
    }
}
