//! Recipes: an ordered list of steps over one circuit.

use super::{Expr, LetStmt, Name, Param};
use pcc_diag::Span;

/// `recipe name(params) for Circuit { steps }`
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    /// Its name.
    pub name: Name,
    /// Its parameters, set with `--set`.
    pub params: Vec<Param>,
    /// The circuit it trains.
    pub circuit: Expr,
    /// Its steps.
    pub steps: Vec<Step>,
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// `let x = e`
    Let(LetStmt),
    /// `materialize Z from codes on train`
    Materialize(Materialize),
    /// `marginalize Z`
    Marginalize(Expr, Span),
    /// `stage name { .. }`
    Stage(Stage),
    /// A `fit` that stands outside a stage is a stage of its own.
    Fit(Fit),
    /// `evaluate on test: bpd`
    Evaluate(Evaluate),
    /// `report "report.json", samples(64)`
    Report(Report),
}

/// `materialize Z from codes on train, vcodes on valid`
#[derive(Clone, Debug, PartialEq)]
pub struct Materialize {
    /// The latents.
    pub latent: Expr,
    /// The labels, each with the data it belongs to.
    pub labels: Vec<Labels>,
    /// The whole.
    pub span: Span,
}

/// `codes on train`
#[derive(Clone, Debug, PartialEq)]
pub struct Labels {
    /// The labels.
    pub codes: Expr,
    /// The data whose rows they label; the data they were learned from when left out.
    pub data: Option<Expr>,
}

/// `stage name { clauses }`
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// Its name.
    pub name: Name,
    /// Its clauses.
    pub clauses: Vec<StageClause>,
    /// The whole.
    pub span: Span,
}

/// One clause of a stage.
#[derive(Clone, Debug, PartialEq)]
pub enum StageClause {
    /// `let x = e`
    Let(LetStmt),
    /// `fit M on train by em(..)`
    Fit(Fit),
    /// `until plateau(valid.bpd, patience = 3)`
    Until(Expr, Span),
    /// `then prune(below = 1e-3)`
    Then(Expr, Span),
}

/// `fit M on data given Z holding M.patch by em(..)`
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// The circuit, or a named part of it.
    pub circuit: Expr,
    /// The data.
    pub data: Expr,
    /// Latents whose labels count as observed.
    pub given: Vec<Expr>,
    /// Parts whose parameters stay as they are.
    pub holding: Vec<Expr>,
    /// The optimiser with its settings.
    pub optimizer: Expr,
    /// The whole.
    pub span: Span,
}

/// `evaluate on test: bpd, ll`
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluate {
    /// The data.
    pub data: Expr,
    /// The metrics.
    pub metrics: Vec<Expr>,
    /// The whole.
    pub span: Span,
}

/// `report "report.json", samples(64, to = "samples.png")`
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// What is written.
    pub outputs: Vec<Expr>,
    /// The whole.
    pub span: Span,
}
