//! Expressions, and what stands inside the braces of a structure.

use super::Name;
use pcc_diag::Span;

/// An expression with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands.
    pub span: Span,
}

/// The kinds of expression.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// A name; `true` and `false` are names of the prelude.
    Name(String),
    /// A number.
    Number(Number),
    /// A string, without its quotes.
    Text(String),
    /// `[a, b, for x in xs: f(x)]`
    List(Vec<Arg>),
    /// `(a, b)`, two elements or more. A single expression in parentheses is [`ExprKind::Paren`].
    Tuple(Vec<Expr>),
    /// `(a)`
    Paren(Box<Expr>),
    /// `not a`, `-a`
    Unary(UnaryOp, Box<Expr>),
    /// `a + b`, `a => b`, `a .. b`, ...
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// `fn(v) => input[K](v)`
    Lambda(Vec<Param>, Box<Expr>),
    /// `if c { a } else { b }`; the else branch is a block (an `else if` is a block of one `if`).
    If(Box<Expr>, Box<Block>, Option<Box<Block>>),
    /// `share Hclt[K = 64]`
    Share(Box<Expr>),
    /// `callee[K = 64]`: indexing, or static arguments.
    Index(Box<Expr>, Vec<Arg>),
    /// `callee(x, y)`
    Call(Box<Expr>, Vec<Arg>),
    /// `object.field`, also `k.0`
    Field(Box<Expr>, Name),
    /// `circuit with table`
    With(Box<Expr>, Box<Expr>),
    /// `circuit by Z`
    By(Box<Expr>, Box<Expr>),
}

/// A number as written and as meant (`200M` is 200,000,000).
#[derive(Clone, Debug, PartialEq)]
pub struct Number {
    /// The text in the source.
    pub text: String,
    /// Its value.
    pub value: f64,
    /// Whether it was written without a fraction or a negative power.
    pub is_integer: bool,
}

/// Prefix operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum UnaryOp {
    Not,
    Negate,
}

/// Infix operators, loosest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum BinaryOp {
    Implies,
    Or,
    And,
    Equal,
    NotEqual,
    LessEqual,
    GreaterEqual,
    Less,
    Greater,
    /// `a .. b`, half open
    Range,
    /// `a -> b`, the ends of a schedule
    Arrow,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl BinaryOp {
    /// As it is written.
    pub fn word(self) -> &'static str {
        match self {
            BinaryOp::Implies => "=>",
            BinaryOp::Or => "or",
            BinaryOp::And => "and",
            BinaryOp::Equal => "==",
            BinaryOp::NotEqual => "!=",
            BinaryOp::LessEqual => "<=",
            BinaryOp::GreaterEqual => ">=",
            BinaryOp::Less => "<",
            BinaryOp::Greater => ">",
            BinaryOp::Range => "..",
            BinaryOp::Arrow => "->",
            BinaryOp::Add => "+",
            BinaryOp::Subtract => "-",
            BinaryOp::Multiply => "*",
            BinaryOp::Divide => "/",
            BinaryOp::Remainder => "%",
        }
    }
}

/// One argument of a call, an index or a list.
#[derive(Clone, Debug, PartialEq)]
pub enum Arg {
    /// `x`
    Positional(Expr),
    /// `K = 64`
    Named(Name, Expr),
    /// `for x in xs if c: f(x)`, spliced into the list of arguments
    For(Box<Clause>),
}

/// The comprehension `for pattern in source if condition: value`.
#[derive(Clone, Debug, PartialEq)]
pub struct Clause {
    /// What is bound.
    pub pattern: Pattern,
    /// What is run through.
    pub source: Expr,
    /// Which elements are kept.
    pub condition: Option<Expr>,
    /// What each gives.
    pub value: Expr,
    /// The whole.
    pub span: Span,
}

/// `x` or `(l, r)`.
#[derive(Clone, Debug, PartialEq)]
pub enum Pattern {
    /// One name.
    Name(Name),
    /// The parts of a tuple.
    Tuple(Vec<Name>, Span),
}

/// `name: ty = default`
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// The name.
    pub name: Name,
    /// The written type.
    pub ty: Option<Ty>,
    /// The default value.
    pub default: Option<Expr>,
}

/// `layer[K](X)`, `tree(V)`, `int`
#[derive(Clone, Debug, PartialEq)]
pub struct Ty {
    /// The type's name.
    pub name: Name,
    /// What stands in brackets.
    pub widths: Vec<Expr>,
    /// What stands in parentheses.
    pub scopes: Vec<Expr>,
    /// The whole.
    pub span: Span,
}

/// `{ statements result }`
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// The bindings.
    pub stmts: Vec<Stmt>,
    /// The value of the block.
    pub result: Expr,
    /// From brace to brace.
    pub span: Span,
}

/// One binding of a block.
#[derive(Clone, Debug, PartialEq)]
pub enum Stmt {
    /// `let x = e`
    Let(LetStmt),
    /// `param emit[_], step`
    Param(ParamStmt),
    /// `memo fn node(..) -> ty { .. }`
    Fn(FnStmt),
}

/// `let pattern = value`
#[derive(Clone, Debug, PartialEq)]
pub struct LetStmt {
    /// What is bound.
    pub pattern: Pattern,
    /// The value.
    pub value: Expr,
    /// The whole.
    pub span: Span,
}

/// `param emit[_], step`
#[derive(Clone, Debug, PartialEq)]
pub struct ParamStmt {
    /// The declared parameters.
    pub keys: Vec<ParamKey>,
    /// The whole.
    pub span: Span,
}

/// `emit[_]`: one table for each key; `emit`: one table.
#[derive(Clone, Debug, PartialEq)]
pub struct ParamKey {
    /// The name.
    pub name: Name,
    /// Whether `[_]` was written.
    pub is_keyed: bool,
}

/// `memo fn name(params) -> ty { body }`
#[derive(Clone, Debug, PartialEq)]
pub struct FnStmt {
    /// Whether calls with equal arguments share their result.
    pub is_memo: bool,
    /// The name.
    pub name: Name,
    /// The parameters.
    pub params: Vec<Param>,
    /// The written result.
    pub ty: Ty,
    /// The body.
    pub body: Block,
    /// The whole.
    pub span: Span,
}
