//! Which kinds may stand where others are wanted, and what two kinds have in common.
//!
//! Nothing converts by itself. What fits without being equal is a reading of the same thing: a variable is a scope
//! of one, a `bool` variable is its own literal, a circuit is a layer, codes are data.

use super::domain::Domain;
use super::kind::{Kind, Order, Scope};

impl Kind {
    /// Whether a value of this kind may stand where the other is wanted. Sizes are not compared.
    pub fn fits(&self, wanted: &Kind) -> bool {
        use Kind::*;
        match (self, wanted) {
            (Any, _) | (_, Any) => true,
            (Int(_) | Number, Int(_) | Number)
            | (Float | Number, Float | Number)
            | (Bool, Bool)
            | (Text, Text)
            | (Word(_), Word(_)) => true,
            (Key, Key) | (Box, Box) | (Tree, Tree) | (Vtree, Vtree) | (Schedule, Schedule) => true,
            (Var(_) | Scope(_), Var(_)) | (Var(_), Scope(_)) => true,
            (Scope(found), Scope(wanted)) => found.order.fits(wanted.order),
            (List(element), Scope(wanted)) => wanted.order < Order::Grid && element.fits(&Var(None)),
            (Scope(_), List(element)) => Var(None).fits(element),
            (List(found), List(wanted)) => found.fits(wanted),
            (Tuple(found), Tuple(wanted)) => {
                found.len() == wanted.len() && found.iter().zip(wanted.iter()).all(|(f, w)| f.fits(w))
            }
            (Formula | Literal | Bool, Formula) | (Literal, Literal) => true,
            (Var(domain), Formula | Literal | Layer(_)) => domain.as_ref().is_none_or(|d| *d == Domain::Bool),
            (Scope(scope), Formula | Literal | Layer(_)) => {
                scope.extents.is_none() && scope.domain.as_ref().is_none_or(|d| *d == Domain::Bool)
            }
            (Data | Codes(_), Data)
            | (Codes(_), Codes(_))
            | (Teacher(_), Teacher(_))
            | (Weights, Weights) => true,
            (Family(_), Family(_))
            | (Function(_) | Closure, Function(_) | Closure)
            | (Module(_), Module(_)) => true,
            (Layer(_) | Circuit(_) | Literal, Layer(_)) | (Circuit(_), Circuit(_)) => true,
            (Table { .. }, Table { .. }) | (List(_), Table { .. }) => true,
            (Int(_) | Float, Schedule) => true,
            _ => false,
        }
    }

    /// What both branches of a choice are: the one where the other is unknown, else what they share.
    pub fn join(self, other: Kind) -> Kind {
        match (self, other) {
            (Kind::Int(a), Kind::Int(b)) => Kind::Int(a.filter(|a| b.as_ref() == Some(a))),
            (Kind::Layer(a), Kind::Layer(b)) => Kind::Layer(a.filter(|a| b.as_ref() == Some(a))),
            (Kind::List(a), Kind::List(b)) => Kind::list((*a).clone().join((*b).clone())),
            (Kind::Scope(a), Kind::Scope(b)) => {
                let domain = a.domain.filter(|domain| b.domain.as_ref() == Some(domain));
                Kind::Scope(Scope { order: a.order.join(b.order), domain, extents: None })
            }
            (a, b) if a.fits(&b) && !a.is_any() => b,
            (a, b) if b.fits(&a) && !b.is_any() => a,
            _ => Kind::Any,
        }
    }
}

impl Order {
    /// Whether a scope of this order may stand where the other is wanted.
    fn fits(self, wanted: Order) -> bool {
        self == Order::Unknown || wanted == Order::Unknown || self >= wanted
    }

    /// What is known when it is one of the two.
    fn join(self, other: Order) -> Order {
        match (self, other) {
            (a, b) if a == b => a,
            (Order::Unordered, _) | (_, Order::Unordered) => Order::Unknown,
            (a, b) => a.min(b),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::size::Size;

    fn scope(order: Order) -> Kind {
        Kind::Scope(Scope::of_order(order))
    }

    #[test]
    fn more_order_stands_for_less() {
        assert!(scope(Order::Grid).fits(&scope(Order::Seq)));
        assert!(scope(Order::Seq).fits(&scope(Order::Unknown)));
        assert!(!scope(Order::Seq).fits(&scope(Order::Grid)));
        assert!(scope(Order::Unknown).fits(&scope(Order::Grid)), "what is passed as a `scope` may be a grid");
        assert!(scope(Order::Unordered).fits(&scope(Order::Unknown)));
        assert!(!scope(Order::Unordered).fits(&scope(Order::Seq)), "a random half has no first variable");
        assert!(Kind::list(Kind::Var(None)).fits(&scope(Order::Seq)));
        assert!(!Kind::list(Kind::Bool).fits(&scope(Order::Seq)));
    }

    #[test]
    fn only_a_boolean_variable_is_a_circuit() {
        let layer = Kind::Layer(None);
        assert!(Kind::Var(Some(Domain::Bool)).fits(&layer));
        assert!(!Kind::Var(Some(Domain::Cat(None))).fits(&layer));
        assert!(Kind::Var(None).fits(&layer), "unknown, so it may be one");
        assert!(Kind::Literal.fits(&layer));
        assert!(!Kind::Formula.fits(&layer));
    }

    #[test]
    fn numbers_do_not_convert() {
        assert!(!Kind::Int(None).fits(&Kind::Float));
        assert!(!Kind::Float.fits(&Kind::Int(None)));
        assert!(Kind::Int(None).fits(&Kind::Number) && Kind::Float.fits(&Kind::Number));
    }

    #[test]
    fn the_unknown_fits_everywhere() {
        for kind in [Kind::Key, Kind::Tree, Kind::Layer(None), Kind::list(Kind::Text), Kind::Schedule] {
            assert!(Kind::Any.fits(&kind) && kind.fits(&Kind::Any), "{kind}");
        }
    }

    #[test]
    fn a_choice_is_what_both_branches_are() {
        let width = |n| Kind::Layer(Some(Size::constant(n)));
        assert!(matches!(width(4).join(width(4)), Kind::Layer(Some(_))));
        assert!(matches!(width(4).join(width(5)), Kind::Layer(None)));
        assert!(matches!(Kind::Literal.join(width(1)), Kind::Layer(Some(_))));
        assert!(matches!(Kind::Text.join(Kind::Key), Kind::Any));
        assert!(matches!(
            scope(Order::Grid).join(scope(Order::Seq)),
            Kind::Scope(Scope { order: Order::Seq, .. })
        ));
    }
}
