//! Kinds: what a value is, as far as the source says.
//!
//! [`Kind::Any`] is the kind of what is not known, be it a parameter without a type or the result of a fault
//! that has been reported: it fits everywhere, so that one fault gives one message.

use super::domain::Domain;
use super::family::Family;
use super::signature::Signature;
use super::size::Size;
use crate::builtin;
use std::fmt;
use std::rc::Rc;

/// What a value is.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Not known; fits everywhere.
    Any,
    /// An integer, perhaps known as a polynomial over static parameters.
    Int(Option<Size>),
    /// A number with a fraction, such as `0.5` or `2.0`.
    Float,
    /// A number of either kind; only what is built in takes it.
    Number,
    /// `true` or `false`.
    Bool,
    /// A string.
    Text,
    /// One word of a closed set, such as the `position` of `per = position`.
    Word(&'static [&'static str]),
    /// A key of the random numbers.
    Key,
    /// One variable.
    Var(Option<Domain>),
    /// A set of variables, a sequence, or a grid.
    Scope(Scope),
    /// A rectangle of a grid.
    Box,
    /// A rooted tree over variables.
    Tree,
    /// A binary tree whose leaves are variables.
    Vtree,
    /// A propositional formula.
    Formula,
    /// A variable or its negation as a formula of its own; in a circuit, the leaf that is one where it holds.
    Literal,
    /// Values in order, all of one kind.
    List(Rc<Kind>),
    /// A fixed number of values.
    Tuple(Rc<[Kind]>),
    /// Rows of values.
    Data,
    /// One number for each row of data: how much it counts.
    Weights,
    /// Learned labels, with the number of different ones.
    Codes(Option<Size>),
    /// A teacher network, and how many codes it gives, where that is known.
    Teacher(Option<Size>),
    /// An input family.
    Family(Option<Family>),
    /// A `param`: a table of numbers, or one for each key.
    Table {
        /// Declared with `[_]`.
        is_keyed: bool,
    },
    /// K functions over one scope.
    Layer(Option<Size>),
    /// A `circuit` item, which is a layer of one unit with named parts.
    Circuit(crate::ItemId),
    /// A structure, a function, or a lambda.
    Function(Rc<Signature>),
    /// Something that can be called, with unknown parameters.
    Closure,
    /// A number that changes during training.
    Schedule,
    /// An imported module.
    Module(crate::ModuleId),
}

/// What is known of a set of variables.
#[derive(Clone, Debug)]
pub struct Scope {
    /// How much order it has.
    pub order: Order,
    /// The domain of all its variables.
    pub domain: Option<Domain>,
    /// The extents of a grid; an unknown one is `None`.
    pub extents: Option<Vec<Option<Size>>>,
}

/// How much order a scope has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Order {
    /// None, as of a random half.
    Unordered,
    /// `scope`: none that is promised. What is passed for it may have more, and keeps it.
    Unknown,
    /// `seq`: first to last.
    Seq,
    /// `grid`: extents.
    Grid,
}

impl Scope {
    /// A scope of which only the order is known.
    pub fn of_order(order: Order) -> Scope {
        Scope { order, domain: None, extents: None }
    }

    /// How many variables it has.
    pub fn len(&self) -> Option<Size> {
        let extents = self.extents.as_ref()?;
        extents.iter().try_fold(Size::constant(1), |product, extent| product.times(extent.as_ref()?))
    }
}

impl Kind {
    /// An integer that is known.
    pub fn number(size: Size) -> Kind {
        Kind::Int(Some(size))
    }

    /// A list of values of one kind.
    pub fn list(element: Kind) -> Kind {
        Kind::List(Rc::new(element))
    }

    /// A pair.
    pub fn pair(first: Kind, second: Kind) -> Kind {
        Kind::Tuple(Rc::from([first, second]))
    }

    /// A set of variables of which no order is known.
    pub fn set(domain: Option<Domain>) -> Kind {
        Kind::Scope(Scope { domain, ..Scope::of_order(Order::Unknown) })
    }

    /// The kind that a table of what is built in calls by this name.
    pub fn of_builtin(kind: builtin::Kind) -> Kind {
        match kind {
            builtin::Kind::Int => Kind::Int(None),
            builtin::Kind::Float => Kind::Float,
            builtin::Kind::Bool => Kind::Bool,
            builtin::Kind::Text => Kind::Text,
            builtin::Kind::Key => Kind::Key,
            builtin::Kind::Var => Kind::Var(None),
            builtin::Kind::Scope => Kind::set(None),
            builtin::Kind::Seq => Kind::Scope(Scope::of_order(Order::Seq)),
            builtin::Kind::Grid => Kind::Scope(Scope::of_order(Order::Grid)),
            builtin::Kind::Box => Kind::Box,
            builtin::Kind::Tree => Kind::Tree,
            builtin::Kind::Vtree => Kind::Vtree,
            builtin::Kind::Formula => Kind::Formula,
            builtin::Kind::List => Kind::list(Kind::Any),
            // A tuple of unknown length says no more than nothing.
            builtin::Kind::Tuple | builtin::Kind::Any => Kind::Any,
            builtin::Kind::Layer => Kind::Layer(None),
            builtin::Kind::Family => Kind::Family(None),
            builtin::Kind::Table => Kind::Table { is_keyed: false },
            builtin::Kind::Data => Kind::Data,
            builtin::Kind::Weights => Kind::Weights,
            builtin::Kind::Codes => Kind::Codes(None),
            builtin::Kind::Function => Kind::Closure,
            builtin::Kind::Schedule => Kind::Schedule,
            builtin::Kind::Word(words) => Kind::Word(words),
        }
    }

    /// Whether nothing is known of it.
    pub fn is_any(&self) -> bool {
        matches!(self, Kind::Any)
    }

    /// Its value, when it is a known integer.
    pub fn size(&self) -> Option<&Size> {
        match self {
            Kind::Int(size) => size.as_ref(),
            _ => None,
        }
    }

    /// The domain of the variables in it.
    pub fn domain(&self) -> Option<&Domain> {
        match self {
            Kind::Var(domain) => domain.as_ref(),
            Kind::Scope(scope) => scope.domain.as_ref(),
            Kind::List(element) => element.domain(),
            _ => None,
        }
    }
}

impl fmt::Display for Kind {
    /// With its article: `a list`, `an integer`, `a layer of K units`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self {
            Kind::Any => "something unknown",
            Kind::Int(_) => "an integer",
            Kind::Float => "a number with a fraction",
            Kind::Number => "a number",
            Kind::Bool => "a truth value",
            Kind::Text => "a text",
            Kind::Word(_) => "a word",
            Kind::Key => "a key",
            Kind::Var(Some(domain)) => return write!(f, "a variable of domain `{domain}`"),
            Kind::Var(None) => "a variable",
            Kind::Scope(scope) => scope.order.words(),
            Kind::Box => "a box",
            Kind::Tree => "a tree",
            Kind::Vtree => "a vtree",
            Kind::Formula => "a formula",
            Kind::Literal => "a literal",
            Kind::List(_) => "a list",
            Kind::Tuple(parts) => return write!(f, "a tuple of {}", parts.len()),
            Kind::Data => "data",
            Kind::Weights => "weights of rows",
            Kind::Codes(_) => "learned codes",
            Kind::Teacher(_) => "a teacher",
            Kind::Family(_) => "an input family",
            Kind::Table { .. } => "a table of parameters",
            Kind::Layer(Some(width)) => return write!(f, "a layer of width {width}"),
            Kind::Layer(None) => "a layer",
            Kind::Circuit(_) => "a circuit",
            Kind::Function(signature) => return write!(f, "{}", signature.what.words()),
            Kind::Closure => "a function",
            Kind::Schedule => "a schedule",
            Kind::Module(_) => "a module",
        };
        write!(f, "{words}")
    }
}

impl Order {
    /// With its article.
    pub fn words(self) -> &'static str {
        match self {
            Order::Unordered => "a set of variables",
            Order::Unknown => "a scope",
            Order::Seq => "a sequence of variables",
            Order::Grid => "a grid of variables",
        }
    }
}
