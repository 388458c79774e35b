//! Domains of variables, as far as the check phase knows them: the name is known, the number of values may
//! be a symbol or unknown.

use super::size::{Comparison, Size};
use std::fmt;

/// The values that a variable can take.
#[derive(Clone, Debug, PartialEq)]
pub enum Domain {
    /// `bool`
    Bool,
    /// `cat(n)`
    Cat(Option<Size>),
    /// `token(n)`
    Token(Option<Size>),
    /// `int(a .. b)`, both ends included.
    Int(Option<Size>, Option<Size>),
    /// `nat`
    Nat,
    /// `real`
    Real,
}

impl Domain {
    /// How many values it has, when that is finite and known.
    pub fn n_values(&self) -> Option<Size> {
        match self {
            Domain::Bool => Some(Size::constant(2)),
            Domain::Cat(n) | Domain::Token(n) => n.clone(),
            Domain::Int(low, high) => high.as_ref()?.minus(low.as_ref()?)?.plus(&Size::constant(1)),
            Domain::Nat | Domain::Real => None,
        }
    }

    /// Whether it has finitely many values.
    pub fn is_finite(&self) -> bool {
        !matches!(self, Domain::Nat | Domain::Real)
    }

    /// Whether it certainly does not have `n` values.
    pub fn cannot_have(&self, n: &Size) -> bool {
        !self.is_finite() || self.n_values().is_some_and(|values| values.compare(n) == Comparison::Different)
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |size: &Option<Size>| size.as_ref().map_or("..".to_string(), Size::to_string);
        match self {
            Domain::Bool => write!(f, "bool"),
            Domain::Cat(n) => write!(f, "cat({})", shown(n)),
            Domain::Token(n) => write!(f, "token({})", shown(n)),
            Domain::Int(low, high) => write!(f, "int({} .. {})", shown(low), shown(high)),
            Domain::Nat => write!(f, "nat"),
            Domain::Real => write!(f, "real"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_includes_both_ends() {
        let digits = Domain::Int(Some(Size::constant(0)), Some(Size::constant(9)));
        assert_eq!(digits.n_values(), Some(Size::constant(10)));
        assert!(digits.cannot_have(&Size::constant(9)));
        assert!(!digits.cannot_have(&Size::constant(10)));
    }

    #[test]
    fn the_unbounded_have_no_number_of_values() {
        assert!(Domain::Real.cannot_have(&Size::constant(2)));
        assert!(!Domain::Cat(None).cannot_have(&Size::constant(2)), "unknown, so it may");
    }
}
