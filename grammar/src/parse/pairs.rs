//! Walking the children of a pair in the order that the grammar promises.

use super::Rule;
use pest::iterators::{Pair, Pairs};
use std::iter::Peekable;

/// The children of a pair, without its keywords: those are known from its rule.
pub(super) struct Parts<'t> {
    pairs: Peekable<WithoutKeywords<'t>>,
}

/// The pairs whose rule is not one of the `kw_` rules.
struct WithoutKeywords<'t>(Pairs<'t, Rule>);

impl<'t> Iterator for WithoutKeywords<'t> {
    type Item = Pair<'t, Rule>;

    fn next(&mut self) -> Option<Pair<'t, Rule>> {
        self.0.by_ref().find(|pair| !is_keyword(pair.as_rule()))
    }
}

/// Rules are ordered as in `pc.pest`, where the keywords stand in one run.
fn is_keyword(rule: Rule) -> bool {
    (Rule::kw_and..=Rule::kw_with).contains(&rule)
}

impl<'t> Parts<'t> {
    /// The children of a pair.
    pub fn of(pair: Pair<'t, Rule>) -> Parts<'t> {
        Parts { pairs: WithoutKeywords(pair.into_inner()).peekable() }
    }

    /// The next child, where the grammar promises one.
    pub fn one(&mut self) -> Pair<'t, Rule> {
        match self.pairs.next() {
            Some(pair) => pair,
            None => unreachable!("pc.pest promises one more child here"),
        }
    }

    /// The next child when it is of this rule.
    pub fn one_if(&mut self, rule: Rule) -> Option<Pair<'t, Rule>> {
        self.pairs.next_if(|pair| pair.as_rule() == rule)
    }

    /// All children of this rule that come next.
    pub fn all_of(&mut self, rule: Rule) -> impl Iterator<Item = Pair<'t, Rule>> {
        std::iter::from_fn(move || self.one_if(rule))
    }
}

impl<'t> Iterator for Parts<'t> {
    type Item = Pair<'t, Rule>;

    fn next(&mut self) -> Option<Pair<'t, Rule>> {
        self.pairs.next()
    }
}
