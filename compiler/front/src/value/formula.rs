//! Propositional formulas over boolean variables, as written.

use pcc_ir::VarId;
use std::rc::Rc;

/// A formula. Its nesting is that of the source and of the recursion that made it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Formula {
    /// Always true, or always false.
    Constant(bool),
    /// A variable is true.
    Var(VarId),
    /// `not a`
    Not(Rc<Formula>),
    /// `a and b`
    And(Rc<Formula>, Rc<Formula>),
    /// `a or b`
    Or(Rc<Formula>, Rc<Formula>),
    /// `a => b`
    Implies(Rc<Formula>, Rc<Formula>),
    /// `a == b`
    Equal(Rc<Formula>, Rc<Formula>),
    /// At least `low` and at most `high` of these hold.
    Count {
        /// The least number.
        low: usize,
        /// The largest number.
        high: usize,
        /// Which ones.
        of: Rc<[Formula]>,
    },
}

impl Formula {
    /// Whether it holds for these values of the variables.
    pub fn holds(&self, value: &dyn Fn(VarId) -> bool) -> bool {
        stacker::maybe_grow(64 << 10, 1 << 20, || match self {
            Formula::Constant(b) => *b,
            Formula::Var(v) => value(*v),
            Formula::Not(a) => !a.holds(value),
            Formula::And(a, b) => a.holds(value) && b.holds(value),
            Formula::Or(a, b) => a.holds(value) || b.holds(value),
            Formula::Implies(a, b) => !a.holds(value) || b.holds(value),
            Formula::Equal(a, b) => a.holds(value) == b.holds(value),
            Formula::Count { low, high, of } => {
                let n = of.iter().filter(|f| f.holds(value)).count();
                (*low..=*high).contains(&n)
            }
        })
    }

    /// Its variables, each once, in the order of the text.
    pub fn vars(&self) -> Vec<VarId> {
        let mut found = Vec::new();
        let mut seen = rustc_hash::FxHashSet::default();
        let mut open = vec![self];
        while let Some(formula) = open.pop() {
            match formula {
                Formula::Constant(_) => {}
                Formula::Var(v) => {
                    if seen.insert(*v) {
                        found.push(*v);
                    }
                }
                Formula::Not(a) => open.push(a),
                Formula::And(a, b) | Formula::Or(a, b) | Formula::Implies(a, b) | Formula::Equal(a, b) => {
                    open.push(b);
                    open.push(a);
                }
                Formula::Count { of, .. } => open.extend(of.iter().rev()),
            }
        }
        found
    }

    /// The variable and its value, when the formula is one variable or its negation.
    pub fn as_literal(&self) -> Option<(VarId, bool)> {
        match self {
            Formula::Var(v) => Some((*v, true)),
            Formula::Not(a) => a.as_literal().map(|(v, value)| (v, !value)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counting_is_by_enumeration() {
        let of: Rc<[Formula]> = (0..4).map(|i| Formula::Var(VarId(i))).collect();
        let exactly_two = Formula::Count { low: 2, high: 2, of };
        let n = (0..16_u32).filter(|bits| exactly_two.holds(&|v| bits >> v.0 & 1 == 1)).count();
        assert_eq!(n, 6);
        assert_eq!(exactly_two.vars(), (0..4).map(VarId).collect::<Vec<_>>());
    }
}
