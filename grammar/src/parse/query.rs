//! Queries: one question about a circuit on a command line.

use super::{Builder, Parts, Rule};
use crate::ast::{Query, QueryKind, Term};
use pcc_diag::{Diagnostic, suggest};
use pest::iterators::Pair;

impl Builder<'_> {
    /// `p(A = true | B = false)`. An unknown word is an error, and stands as a probability.
    pub(super) fn query(&mut self, pair: Pair<Rule>) -> Query {
        let span = self.span(&pair);
        let mut parts = Parts::of(pair);
        let name = self.name(parts.one());
        let kind = QueryKind::from_word(&name.text).unwrap_or_else(|| {
            let words = QueryKind::WORDS.map(|(word, _)| word);
            let error =
                Diagnostic::error("unknown-query", format!("there is no query named `{}`", name.text));
            let help = match suggest(&name.text, words) {
                Some(word) => format!("did you mean `{word}`?"),
                None => format!("queries are {}", words.map(|word| format!("`{word}`")).join(", ")),
            };
            self.errors.push(error.at(name.span, "").help(help));
            QueryKind::Probability
        });
        let mut list = |rule| parts.one_if(rule).map(|p| self.terms(p)).unwrap_or_default();
        Query { kind, targets: list(Rule::targets), given: list(Rule::evidence), span }
    }

    fn terms(&mut self, pair: Pair<Rule>) -> Vec<Term> {
        Parts::of(pair).map(|term| self.term(term)).collect()
    }

    fn term(&mut self, pair: Pair<Rule>) -> Term {
        let span = self.span(&pair);
        let mut parts = Parts::of(pair);
        Term { subject: self.expr(parts.one()), value: parts.next().map(|value| self.expr(value)), span }
    }
}
