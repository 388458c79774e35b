//! Items: what may stand at the left margin of a file.

use super::{Block, Expr, Name, Param, Recipe, Ty};
use pcc_diag::Span;

/// One item with its attributes and its documentation.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// What it is.
    pub kind: ItemKind,
    /// From its first keyword to its last character; attributes and documentation excluded.
    pub span: Span,
    /// `@block(32)` and the like, in order: hints that never change meaning.
    pub attributes: Vec<Expr>,
    /// The text of the `///` lines right above it, without the slashes.
    pub doc: Option<String>,
}

/// The kinds of item.
#[derive(Clone, Debug, PartialEq)]
pub enum ItemKind {
    /// `import std/trees.{chow_liu}`
    Import(Import),
    /// `native fn chow_liu(d: data) -> tree` (only in `std`)
    Native(Native),
    /// `const CODES = 400`
    Constant(Constant),
    /// `vars X[28, 28] : cat(256)`, or `latent Z[8, 8] : cat(400)`
    Vars(Vars),
    /// `data train : X from npy("train.npy")`
    Data(Data),
    /// `learn tree = chow_liu(train)`
    Learn(Learn),
    /// `teacher bert = transformer("models/minilm")`
    Teacher(Teacher),
    /// `constraint Valid(A, B) = A or B`
    Constraint(Constraint),
    /// `structure Hmm[K: int](X: seq) -> layer[1] { .. }`
    Structure(Structure),
    /// `fn leaf_of(t: tree) -> list { .. }` at the top of a file
    Function(super::FnStmt),
    /// `circuit Text = Hmm[K = 64](W)`
    Circuit(Circuit),
    /// `assert Text: smooth, decomposable`
    Assertion(Assertion),
    /// `recipe train() for Text { .. }`
    Recipe(Recipe),
}

/// `import path`, `import path.{a, b}`, `import path as name`.
#[derive(Clone, Debug, PartialEq)]
pub struct Import {
    /// `std/trees` or a path relative to the file, without `.pc`.
    pub path: Name,
    /// The names in braces; empty when the module itself is imported.
    pub names: Vec<Name>,
    /// The name given with `as`.
    pub alias: Option<Name>,
}

/// A function that is implemented in the compiler or the runtime.
#[derive(Clone, Debug, PartialEq)]
pub struct Native {
    /// Its name.
    pub name: Name,
    /// Its parameters.
    pub params: Vec<Param>,
    /// What it returns.
    pub ty: Ty,
}

/// A named static value.
#[derive(Clone, Debug, PartialEq)]
pub struct Constant {
    /// Its name.
    pub name: Name,
    /// Its written type.
    pub ty: Option<Ty>,
    /// Its value.
    pub value: Expr,
}

/// Variables of one domain.
#[derive(Clone, Debug, PartialEq)]
pub struct Vars {
    /// Declared by `latent` instead of `vars`.
    pub is_latent: bool,
    /// The declared names with their extents.
    pub decls: Vec<VarDecl>,
    /// Their domain.
    pub domain: Domain,
}

/// `X[28, 28]`; no extents for a single variable.
#[derive(Clone, Debug, PartialEq)]
pub struct VarDecl {
    /// The name.
    pub name: Name,
    /// The extents.
    pub extents: Vec<Expr>,
}

/// `bool`, `cat(256)`, `int(0 .. 9)`, ...
#[derive(Clone, Debug, PartialEq)]
pub struct Domain {
    /// The domain's name.
    pub name: Name,
    /// Its arguments.
    pub args: Vec<Expr>,
    /// The whole.
    pub span: Span,
}

/// A named data set.
#[derive(Clone, Debug, PartialEq)]
pub struct Data {
    /// Its name.
    pub name: Name,
    /// What it holds: variables, or `embedding(Z, 768)`.
    pub target: Expr,
    /// Where it comes from, such as `npy("train.npy")`.
    pub source: Expr,
}

/// A value that is learned from data.
#[derive(Clone, Debug, PartialEq)]
pub struct Learn {
    /// Its name.
    pub name: Name,
    /// How.
    pub value: Expr,
}

/// A teacher network.
#[derive(Clone, Debug, PartialEq)]
pub struct Teacher {
    /// Its name.
    pub name: Name,
    /// The network.
    pub network: Expr,
    /// The data it is trained on.
    pub data: Option<Expr>,
}

/// A named propositional formula.
#[derive(Clone, Debug, PartialEq)]
pub struct Constraint {
    /// Its name.
    pub name: Name,
    /// The variables it speaks of.
    pub variables: Vec<Name>,
    /// The formula.
    pub formula: Expr,
}

/// A function from static arguments and scopes to a layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Structure {
    /// Its name.
    pub name: Name,
    /// Its parameters in brackets.
    pub statics: Vec<Param>,
    /// Its parameters in parentheses.
    pub params: Vec<Param>,
    /// `layer[..]`.
    pub ty: Ty,
    /// Its body.
    pub body: Block,
}

/// A named circuit.
#[derive(Clone, Debug, PartialEq)]
pub struct Circuit {
    /// Its name.
    pub name: Name,
    /// Its expression.
    pub value: Expr,
}

/// `assert Text: smooth, params < 200M`.
#[derive(Clone, Debug, PartialEq)]
pub struct Assertion {
    /// What it speaks of.
    pub subject: Expr,
    /// The claimed properties.
    pub properties: Vec<Property>,
}

/// One claimed property, perhaps `given` observed latents.
#[derive(Clone, Debug, PartialEq)]
pub struct Property {
    /// `deterministic`, `supports(F)`, `params < 200M`, ...
    pub value: Expr,
    /// The latents counted as observed.
    pub given: Option<Expr>,
}
