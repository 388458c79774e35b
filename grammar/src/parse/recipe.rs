//! Recipes and their steps.

use super::{Builder, Parts, Rule};
use crate::ast::{Evaluate, Fit, Labels, Materialize, Recipe, Report, Stage, StageClause, Step};
use pest::iterators::Pair;

impl Builder<'_> {
    /// `recipe name(params) for Circuit { steps }`
    pub(super) fn recipe(&mut self, pair: Pair<Rule>) -> Recipe {
        let mut parts = Parts::of(pair);
        Recipe {
            name: self.name(parts.one()),
            params: self.params(parts.one()),
            circuit: self.expr(parts.one()),
            steps: parts.map(|step| self.step(step)).collect(),
        }
    }

    fn step(&mut self, pair: Pair<Rule>) -> Step {
        let span = self.span(&pair);
        match pair.as_rule() {
            Rule::let_stmt => Step::Let(self.let_stmt(pair)),
            Rule::materialize => Step::Materialize(self.materialize(pair)),
            Rule::marginalize => Step::Marginalize(self.expr(pair), span),
            Rule::stage => Step::Stage(self.stage(pair)),
            Rule::fit => Step::Fit(self.fit(pair)),
            Rule::evaluate => Step::Evaluate(self.evaluate(pair)),
            _ => Step::Report(Report { outputs: self.exprs(Parts::of(pair)), span }),
        }
    }

    fn materialize(&mut self, pair: Pair<Rule>) -> Materialize {
        let span = self.span(&pair);
        let mut parts = Parts::of(pair);
        let latent = self.expr(parts.one());
        Materialize { latent, labels: parts.map(|labels| self.labels(labels)).collect(), span }
    }

    fn labels(&mut self, pair: Pair<Rule>) -> Labels {
        let mut parts = Parts::of(pair);
        Labels { codes: self.expr(parts.one()), data: parts.next().map(|data| self.expr(data)) }
    }

    fn stage(&mut self, pair: Pair<Rule>) -> Stage {
        let span = self.span(&pair);
        let mut parts = Parts::of(pair);
        Stage { name: self.name(parts.one()), clauses: parts.map(|c| self.stage_clause(c)).collect(), span }
    }

    fn stage_clause(&mut self, pair: Pair<Rule>) -> StageClause {
        let span = self.span(&pair);
        match pair.as_rule() {
            Rule::let_stmt => StageClause::Let(self.let_stmt(pair)),
            Rule::fit => StageClause::Fit(self.fit(pair)),
            Rule::until => StageClause::Until(self.expr(pair), span),
            _ => StageClause::Then(self.expr(pair), span),
        }
    }

    fn fit(&mut self, pair: Pair<Rule>) -> Fit {
        let span = self.span(&pair);
        let mut parts = Parts::of(pair);
        let circuit = self.expr(parts.one());
        let data = self.expr(parts.one());
        let mut list = |rule| parts.one_if(rule).map(|p| self.exprs(Parts::of(p))).unwrap_or_default();
        let (given, holding) = (list(Rule::given), list(Rule::holding));
        Fit { circuit, data, given, holding, optimizer: self.expr(parts.one()), span }
    }

    fn evaluate(&mut self, pair: Pair<Rule>) -> Evaluate {
        let span = self.span(&pair);
        let mut parts = Parts::of(pair);
        Evaluate { data: self.expr(parts.one()), metrics: self.exprs(parts), span }
    }
}
