//! Input families by name, and whether one may stand over a variable of a domain.

use super::domain::Domain;
use super::size::Size;

/// An input family with what is known of its settings.
#[derive(Clone, Debug, PartialEq)]
pub enum Family {
    /// Two values with one probability.
    Bernoulli,
    /// Any distribution over finitely many values.
    Categorical,
    /// The number of successes in n trials.
    Binomial(Option<Size>),
    /// The normal distribution.
    Gaussian,
}

/// The words that name a family. Each also builds a leaf when its first argument is a variable.
pub const NAMES: [&str; 4] = ["bernoulli", "categorical", "binomial", "gaussian"];

impl Family {
    /// The family that a word names, its settings unknown.
    pub fn of_name(name: &str) -> Option<Family> {
        match name {
            "bernoulli" => Some(Family::Bernoulli),
            "categorical" => Some(Family::Categorical),
            "binomial" => Some(Family::Binomial(None)),
            "gaussian" => Some(Family::Gaussian),
            _ => None,
        }
    }

    /// As it is called in source.
    pub fn name(&self) -> &'static str {
        match self {
            Family::Bernoulli => "bernoulli",
            Family::Categorical => "categorical",
            Family::Binomial(_) => "binomial",
            Family::Gaussian => "gaussian",
        }
    }

    /// Whether it certainly may not stand over a variable of this domain.
    pub fn is_refused_by(&self, domain: &Domain) -> bool {
        match self {
            Family::Bernoulli => domain.cannot_have(&Size::constant(2)),
            Family::Categorical => !domain.is_finite(),
            Family::Binomial(None) => !domain.is_finite(),
            Family::Binomial(Some(n)) => {
                n.plus(&Size::constant(1)).is_some_and(|n_values| domain.cannot_have(&n_values))
            }
            Family::Gaussian => *domain != Domain::Real,
        }
    }

    /// What it stands over, in words.
    pub fn fits_what(&self) -> String {
        match self {
            Family::Bernoulli => "variables of two values, such as `bool`".into(),
            Family::Categorical => "variables of finitely many values, such as `cat(n)`".into(),
            Family::Binomial(Some(n)) => format!("the values 0 to {n}"),
            Family::Binomial(None) => "the values 0 to n".into(),
            Family::Gaussian => "`real` variables".into(),
        }
    }
}

/// The families that may stand over a domain, as they would be written.
pub fn fitting(domain: &Domain) -> Vec<String> {
    match domain {
        Domain::Bool => vec!["bernoulli()".into()],
        Domain::Cat(n) | Domain::Token(n) => finite(n.as_ref().and_then(Size::value)),
        Domain::Int(..) => finite(domain.n_values().as_ref().and_then(Size::value)),
        Domain::Nat => Vec::new(),
        Domain::Real => vec!["gaussian()".into()],
    }
}

fn finite(n_values: Option<i64>) -> Vec<String> {
    let binomial = n_values.map_or("binomial(n)".into(), |n| format!("binomial({})", n - 1));
    vec!["categorical()".into(), binomial]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_family_has_its_domains() {
        let grey = Domain::Cat(Some(Size::constant(256)));
        let coin = Domain::Cat(Some(Size::constant(2)));
        assert!(Family::Bernoulli.is_refused_by(&grey));
        assert!(!Family::Bernoulli.is_refused_by(&coin));
        assert!(!Family::Binomial(Some(Size::constant(255))).is_refused_by(&grey));
        assert!(Family::Binomial(Some(Size::constant(256))).is_refused_by(&grey));
        assert!(Family::Gaussian.is_refused_by(&grey));
        assert!(Family::Categorical.is_refused_by(&Domain::Real));
        assert!(!Family::Bernoulli.is_refused_by(&Domain::Cat(None)));
    }

    #[test]
    fn every_name_is_a_family() {
        for name in NAMES {
            assert_eq!(Family::of_name(name).map(|f| f.name()), Some(name));
        }
    }
}
