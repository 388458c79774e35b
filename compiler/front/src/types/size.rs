//! Widths and other static integers as polynomials over static parameters.
//!
//! `K * K`, `heads`, `2 * K + 1` and `400` are kept in one normal form, so that two sizes which are written
//! differently but are equal for all arguments compare as equal. What a polynomial cannot hold (a quotient, a
//! conditional) is not a [`Size`]; its users then know nothing and say nothing, and elaboration, which has
//! numbers, decides. This file knows no kinds and reports nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

/// A static integer that is not known: a parameter such as `K`.
///
/// Two symbols are the same only when they come from the same declaration, whatever their names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Symbol {
    /// Which declaration it is.
    pub id: u32,
    /// As written in the source.
    pub name: Rc<str>,
}

/// A product of symbols, in order, repeated for powers; empty for the constant term.
type Monomial = Vec<Symbol>;

/// A polynomial over symbols with integer coefficients, in normal form: no coefficient is zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Size {
    terms: BTreeMap<Monomial, i64>,
}

/// Polynomials with more terms than this are given up: no written width has them.
const MOST_TERMS: usize = 64;

/// Whether two sizes are equal for all values of their symbols.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// Equal whatever the symbols are.
    Equal,
    /// Different whatever the symbols are.
    Different,
    /// It depends on the symbols.
    Open,
}

impl Size {
    /// A number.
    pub fn constant(value: i64) -> Size {
        Size::from_terms([(Monomial::new(), value)])
    }

    /// A parameter.
    pub fn symbol(symbol: Symbol) -> Size {
        Size::from_terms([(vec![symbol], 1)])
    }

    fn from_terms(terms: impl IntoIterator<Item = (Monomial, i64)>) -> Size {
        Size { terms: terms.into_iter().filter(|(_, coefficient)| *coefficient != 0).collect() }
    }

    /// Its value when no symbol is in it.
    pub fn value(&self) -> Option<i64> {
        match self.terms.iter().next() {
            None => Some(0),
            Some((monomial, value)) if monomial.is_empty() && self.terms.len() == 1 => Some(*value),
            Some(_) => None,
        }
    }

    /// The sum; `None` on overflow.
    pub fn plus(&self, other: &Size) -> Option<Size> {
        let mut terms = self.terms.clone();
        for (monomial, coefficient) in &other.terms {
            add_term(&mut terms, monomial.clone(), *coefficient)?;
        }
        Some(Size::from_terms(terms))
    }

    /// The difference; `None` on overflow.
    pub fn minus(&self, other: &Size) -> Option<Size> {
        self.plus(&other.times(&Size::constant(-1))?)
    }

    /// The product; `None` on overflow, or when it has too many terms.
    pub fn times(&self, other: &Size) -> Option<Size> {
        let mut terms = BTreeMap::new();
        for (left, a) in &self.terms {
            for (right, b) in &other.terms {
                let mut monomial: Monomial = left.iter().chain(right).cloned().collect();
                monomial.sort();
                add_term(&mut terms, monomial, a.checked_mul(*b)?)?;
            }
        }
        (terms.len() <= MOST_TERMS).then(|| Size::from_terms(terms))
    }

    /// The quotient of two numbers, rounded towards zero; `None` for symbols, which may not divide.
    pub fn divided_by(&self, other: &Size) -> Option<Size> {
        self.value()?.checked_div(other.value()?).map(Size::constant)
    }

    /// The remainder of two numbers.
    pub fn remainder(&self, other: &Size) -> Option<Size> {
        self.value()?.checked_rem(other.value()?).map(Size::constant)
    }

    /// Whether this equals the other for all, for no, or for some values of the symbols.
    pub fn compare(&self, other: &Size) -> Comparison {
        match self.minus(other).and_then(|difference| difference.value()) {
            Some(0) => Comparison::Equal,
            Some(_) => Comparison::Different,
            None => Comparison::Open,
        }
    }

    /// This size with a size in place of each symbol; `None` when one of its symbols is unknown there.
    pub fn substitute(&self, value_of: &dyn Fn(&Symbol) -> Option<Size>) -> Option<Size> {
        let mut result = Size::constant(0);
        for (monomial, coefficient) in &self.terms {
            let mut product = Size::constant(*coefficient);
            for symbol in monomial {
                product = product.times(&value_of(symbol)?)?;
            }
            result = result.plus(&product)?;
        }
        Some(result)
    }
}

fn add_term(terms: &mut BTreeMap<Monomial, i64>, monomial: Monomial, coefficient: i64) -> Option<()> {
    let total = terms.entry(monomial).or_insert(0);
    *total = total.checked_add(coefficient)?;
    Some(())
}

impl fmt::Display for Size {
    /// As it would be written: highest powers first, `K * K + 2 * K - 1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut terms: Vec<_> = self.terms.iter().collect();
        terms.sort_by_key(|(monomial, _)| std::cmp::Reverse(monomial.len()));
        if terms.is_empty() {
            return write!(f, "0");
        }
        for (position, (monomial, coefficient)) in terms.into_iter().enumerate() {
            write_sign(f, position == 0, *coefficient < 0)?;
            write_term(f, monomial, coefficient.unsigned_abs())?;
        }
        Ok(())
    }
}

fn write_sign(f: &mut fmt::Formatter<'_>, is_first: bool, is_negative: bool) -> fmt::Result {
    match (is_first, is_negative) {
        (true, false) => Ok(()),
        (true, true) => write!(f, "-"),
        (false, false) => write!(f, " + "),
        (false, true) => write!(f, " - "),
    }
}

fn write_term(f: &mut fmt::Formatter<'_>, monomial: &[Symbol], coefficient: u64) -> fmt::Result {
    let mut factors: Vec<String> = monomial.iter().map(|symbol| symbol.name.to_string()).collect();
    if coefficient != 1 || factors.is_empty() {
        factors.insert(0, coefficient.to_string());
    }
    write!(f, "{}", factors.join(" * "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn symbol(id: u32, name: &str) -> Size {
        Size::symbol(Symbol { id, name: name.into() })
    }

    #[test]
    fn equal_polynomials_have_one_form() {
        let (k, h) = (symbol(0, "K"), symbol(1, "H"));
        let square_of_sum = k.plus(&h).and_then(|s| s.times(&s));
        let expanded = k
            .times(&k)
            .and_then(|s| s.plus(&h.times(&h)?))
            .and_then(|s| s.plus(&k.times(&h)?.times(&Size::constant(2))?));
        assert_eq!(square_of_sum, expanded);
        assert_eq!(k.times(&h), h.times(&k));
        assert_eq!(k.minus(&k), Some(Size::constant(0)));
    }

    #[test]
    fn only_a_constant_difference_decides() {
        let (k, h) = (symbol(0, "K"), symbol(1, "K"));
        let next = k.plus(&Size::constant(1)).unwrap();
        assert_eq!(k.compare(&k), Comparison::Equal);
        assert_eq!(k.compare(&next), Comparison::Different);
        assert_eq!(k.compare(&h), Comparison::Open, "two declarations of one name");
        assert_eq!(k.compare(&k.times(&k).unwrap()), Comparison::Open, "equal for K = 1");
        assert_eq!(Size::constant(64).compare(&Size::constant(32)), Comparison::Different);
    }

    #[test]
    fn substitution_evaluates() {
        let k = symbol(0, "K");
        let size = k.times(&k).and_then(|s| s.plus(&Size::constant(3))).unwrap();
        assert_eq!(size.substitute(&|_| Some(Size::constant(5))), Some(Size::constant(28)));
        assert_eq!(size.substitute(&|_| None), None);
        assert_eq!(Size::constant(7).substitute(&|_| None), Some(Size::constant(7)));
    }

    #[test]
    fn overflow_is_not_a_size() {
        let big = Size::constant(i64::MAX);
        assert_eq!(big.plus(&Size::constant(1)), None);
        assert_eq!(big.times(&Size::constant(2)), None);
        assert_eq!(Size::constant(i64::MIN).divided_by(&Size::constant(-1)), None);
        assert_eq!(Size::constant(7).divided_by(&Size::constant(0)), None);
    }

    #[test]
    fn it_is_shown_as_it_would_be_written() {
        let k = symbol(0, "K");
        let size = k.times(&k).and_then(|s| s.minus(&k.times(&Size::constant(2))?)).unwrap();
        assert_eq!(size.minus(&Size::constant(1)).unwrap().to_string(), "K * K - 2 * K - 1");
        assert_eq!(Size::constant(0).to_string(), "0");
        assert_eq!(Size::constant(-4).to_string(), "-4");
    }
}
