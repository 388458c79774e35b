//! Recipes.

use super::comments::{CALL, Formatter};
use super::doc::{Doc, concat, join, line, text};
use super::range;
use crate::ast::{Evaluate, Expr, Fit, Labels, Materialize, Recipe, Stage, StageClause, Step};
use pcc_diag::Span;
use std::ops::Range;

impl Formatter<'_> {
    /// A recipe that stands at `place`.
    pub(super) fn recipe(&mut self, recipe: &Recipe, place: Range<usize>) -> Doc {
        let params = self.params(CALL, &recipe.params);
        let circuit = self.expr(&recipe.circuit);
        let head =
            concat([text(format!("recipe {}", recipe.name.text)), params, text(" for "), circuit, text(" ")]);
        let inside = recipe.circuit.span.end as usize..place.end - 1;
        let first = recipe.steps.first().map(|step| step_span(step).start as usize);
        head.then(self.braced(inside, first, |f, inside| {
            f.sequence(&recipe.steps, inside, |s| range(step_span(s)), |_| false, Formatter::step)
        }))
    }

    fn step(&mut self, step: &Step) -> Doc {
        match step {
            Step::Let(binding) => self.let_stmt(binding),
            Step::Materialize(materialize) => self.materialize(materialize),
            Step::Marginalize(latent, _) => text("marginalize ").then(self.expr(latent)),
            Step::Stage(stage) => self.stage(stage),
            Step::Fit(fit) => self.fit(fit),
            Step::Evaluate(evaluate) => self.evaluate(evaluate),
            Step::Report(report) => text("report ").then(self.separated(&report.outputs)),
        }
    }

    fn materialize(&mut self, materialize: &Materialize) -> Doc {
        let latent = self.expr(&materialize.latent);
        let labels: Vec<Doc> = materialize.labels.iter().map(|labels| self.labels(labels)).collect();
        let labels = join(labels, &text(",").then(line())).nest().group();
        concat([text("materialize "), latent, text(" from "), labels])
    }

    fn labels(&mut self, labels: &Labels) -> Doc {
        let codes = self.expr(&labels.codes);
        let data = labels.data.as_ref().map(|data| text(" on ").then(self.expr(data)));
        concat([codes].into_iter().chain(data))
    }

    /// A stage of one clause stays on one line where it was written so.
    fn stage(&mut self, stage: &Stage) -> Doc {
        let head = text(format!("stage {} ", stage.name.text));
        if let [clause] = stage.clauses.as_slice()
            && !self.source(range(stage.span)).contains('\n')
        {
            let inside = line().then(self.clause(clause)).nest();
            return head.then(concat([text("{"), inside, line(), text("}")]).group());
        }
        let inside = stage.name.span.end as usize..stage.span.end as usize - 1;
        let first = stage.clauses.first().map(|clause| clause_span(clause).start as usize);
        head.then(self.braced(inside, first, |f, inside| {
            f.sequence(&stage.clauses, inside, |c| range(clause_span(c)), |_| false, Formatter::clause)
        }))
    }

    fn clause(&mut self, clause: &StageClause) -> Doc {
        match clause {
            StageClause::Let(binding) => self.let_stmt(binding),
            StageClause::Fit(fit) => self.fit(fit),
            StageClause::Until(condition, _) => text("until ").then(self.expr(condition)),
            StageClause::Then(change, _) => text("then ").then(self.expr(change)),
        }
    }

    fn fit(&mut self, fit: &Fit) -> Doc {
        let mut parts = vec![text("fit "), self.expr(&fit.circuit), text(" on "), self.expr(&fit.data)];
        for (word, list) in [("given ", &fit.given), ("holding ", &fit.holding)] {
            if !list.is_empty() {
                parts.extend([line(), text(word), self.separated(list)]);
            }
        }
        parts.extend([line(), text("by "), self.expr(&fit.optimizer)]);
        concat(parts).nest().group()
    }

    fn evaluate(&mut self, evaluate: &Evaluate) -> Doc {
        let data = self.expr(&evaluate.data);
        concat([text("evaluate on "), data, text(": "), self.separated(&evaluate.metrics)])
    }

    /// `a, b` without brackets.
    fn separated(&mut self, exprs: &[Expr]) -> Doc {
        let exprs: Vec<Doc> = exprs.iter().map(|expr| self.expr(expr)).collect();
        join(exprs, &text(",").then(line())).nest().group()
    }
}

fn step_span(step: &Step) -> Span {
    match step {
        Step::Let(binding) => binding.span,
        Step::Materialize(materialize) => materialize.span,
        Step::Marginalize(_, span) => *span,
        Step::Stage(stage) => stage.span,
        Step::Fit(fit) => fit.span,
        Step::Evaluate(evaluate) => evaluate.span,
        Step::Report(report) => report.span,
    }
}

fn clause_span(clause: &StageClause) -> Span {
    match clause {
        StageClause::Let(binding) => binding.span,
        StageClause::Fit(fit) => fit.span,
        StageClause::Until(_, span) | StageClause::Then(_, span) => *span,
    }
}
