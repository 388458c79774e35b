//! Sets of values of one discrete variable: the codes that a unit allows.

use crate::Domain;

/// A set of codes that is not empty. Equal sets are equal values.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum ValueSet {
    /// One code, by far the most common set.
    One(u32),
    /// Runs of codes, both ends included, in order, with gaps between them.
    Runs(Box<[(u32, u32)]>),
}

impl ValueSet {
    /// The union of sets; `None` of no sets.
    pub fn union<'a>(sets: impl IntoIterator<Item = &'a ValueSet>) -> Option<ValueSet> {
        let mut runs: Vec<(u32, u32)> = sets.into_iter().flat_map(ValueSet::runs).collect();
        runs.sort_unstable();
        let mut merged: Vec<(u32, u32)> = Vec::new();
        for (low, high) in runs {
            match merged.last_mut() {
                Some(last) if low <= last.1.saturating_add(1) => last.1 = last.1.max(high),
                _ => merged.push((low, high)),
            }
        }
        Self::from_runs(merged)
    }

    /// What is in both; `None` when they are disjoint.
    pub fn intersection(&self, other: &ValueSet) -> Option<ValueSet> {
        let mut runs = Vec::new();
        for (low, high) in self.runs() {
            for (other_low, other_high) in other.runs() {
                let (low, high) = (low.max(other_low), high.min(other_high));
                if low <= high {
                    runs.push((low, high));
                }
            }
        }
        Self::from_runs(runs)
    }

    /// Whether no code is in both.
    pub fn is_disjoint(&self, other: &ValueSet) -> bool {
        match (self, other) {
            (ValueSet::One(a), ValueSet::One(b)) => a != b,
            _ => self.intersection(other).is_none(),
        }
    }

    /// Whether it has every code of a domain.
    pub fn is_whole(&self, domain: Domain) -> bool {
        let (low, high) = (self.first(), self.runs().last().map_or(0, |(_, high)| high));
        self.runs().count() == 1 && low == 0 && domain.n_values().is_some_and(|n| high + 1 == n)
    }

    /// The smallest code.
    pub fn first(&self) -> u32 {
        match self {
            ValueSet::One(code) => *code,
            ValueSet::Runs(runs) => runs[0].0,
        }
    }

    /// Its runs, in order.
    pub fn runs(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        let (one, runs) = match self {
            ValueSet::One(code) => (Some((*code, *code)), [].as_slice()),
            ValueSet::Runs(runs) => (None, &**runs),
        };
        one.into_iter().chain(runs.iter().copied())
    }

    fn from_runs(runs: Vec<(u32, u32)>) -> Option<ValueSet> {
        match runs.as_slice() {
            [] => None,
            [(low, high)] if low == high => Some(ValueSet::One(*low)),
            _ => Some(ValueSet::Runs(runs.into())),
        }
    }
}
