//! Queries: one question about a circuit.

use super::Expr;
use pcc_diag::Span;

/// `p(A = true | B = false)`
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// What is asked.
    pub kind: QueryKind,
    /// What it is asked about: what stands left of the bar.
    pub targets: Vec<Term>,
    /// What is known: what stands right of the bar.
    pub given: Vec<Term>,
    /// The whole.
    pub span: Span,
}

/// `X[3, 5] = 7`; without a value a variable, a circuit, or a condition such as `X < 5`.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// What stands left of `=`.
    pub subject: Expr,
    /// What stands right of it.
    pub value: Option<Expr>,
    /// The whole.
    pub span: Span,
}

/// What a query asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QueryKind {
    /// `p(A = true | B = false)`: a probability or a density.
    Probability,
    /// `map(A, C | B = false)`: the likeliest values.
    Map,
    /// `sample(A | B = false)`: values drawn from the distribution.
    Sample,
    /// `marginals(A | B = false)`: the posterior of each variable apart.
    Marginals,
    /// `mean(X | B = false)`
    Mean,
    /// `variance(X | B = false)`
    Variance,
    /// `entropy(A)`: in nats.
    Entropy,
    /// `kl(Other)`: the Kullback-Leibler divergence to another circuit, in nats.
    Divergence,
    /// `mi(A, B)`: mutual information, in nats.
    MutualInformation,
}

impl QueryKind {
    /// All kinds with the word that asks for each.
    pub const WORDS: [(&str, QueryKind); 9] = [
        ("p", QueryKind::Probability),
        ("map", QueryKind::Map),
        ("sample", QueryKind::Sample),
        ("marginals", QueryKind::Marginals),
        ("mean", QueryKind::Mean),
        ("variance", QueryKind::Variance),
        ("entropy", QueryKind::Entropy),
        ("kl", QueryKind::Divergence),
        ("mi", QueryKind::MutualInformation),
    ];

    /// The kind that a word asks for.
    pub fn from_word(word: &str) -> Option<QueryKind> {
        Self::WORDS.iter().find(|(known, _)| *known == word).map(|(_, kind)| *kind)
    }
}
