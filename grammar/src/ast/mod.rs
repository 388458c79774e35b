//! The syntax tree of one file: one node for each construct of `pc.pest`, a span on every node.
//!
//! The tree says what was written, not what it means: names are not resolved, numbers keep their text,
//! and a circuit expression looks like any other. Comments are not in it (see [`crate::Trivia`]), but a
//! `///` comment is kept as the [`Item::doc`] of the item below it.

mod expr;
mod item;
mod query;
mod recipe;

pub use expr::{Arg, BinaryOp, Block, Clause, Expr, ExprKind, FnStmt, LetStmt, Number, Param, ParamStmt};
pub use expr::{ParamKey, Pattern, Stmt, Ty, UnaryOp};
pub use item::{
    Assertion, Circuit, Constant, Constraint, Data, Domain, Import, Item, ItemKind, Learn, Native, Property,
    Structure, Teacher, VarDecl, Vars,
};
pub use query::{Query, QueryKind, Term};
pub use recipe::{Evaluate, Fit, Labels, Materialize, Recipe, Report, Stage, StageClause, Step};

use pcc_diag::Span;

/// A name as written, with its place.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Name {
    /// The text, never a keyword except as the name of an argument.
    pub text: String,
    /// Where it stands.
    pub span: Span,
}

/// All whole items of a file, in order. Broken items are not here; their errors are in the parse result.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct File {
    /// The items.
    pub items: Vec<Item>,
}
