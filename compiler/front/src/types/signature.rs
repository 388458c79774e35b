//! Signatures: the parameters and the result of what can be called, with widths as symbols.
//!
//! A result such as `layer[heads]` mentions the callee's own parameters; [`Signature::result_with`] puts the
//! arguments of one call in their place.

use super::domain::Domain;
use super::kind::{Kind, Scope};
use super::size::{Size, Symbol};
use crate::builtin;
use pcc_diag::Span;
use std::rc::Rc;

/// What can be called.
#[derive(Clone, Debug)]
pub struct Signature {
    /// Its name, for messages.
    pub name: String,
    /// What it is.
    pub what: What,
    /// Where it was declared; [`Span::NONE`] for what is built in.
    pub span: Span,
    /// What stands in brackets.
    pub statics: Vec<Parameter>,
    /// What stands in parentheses.
    pub params: Vec<Parameter>,
    /// What it gives.
    pub result: Kind,
}

/// What kind of thing is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A `structure`.
    Structure,
    /// A function, at the top of a file or in a body.
    Function,
    /// `fn(v) => ..`
    Lambda,
    /// A native that looks at data.
    Learner,
    /// What the language has of itself.
    Builtin,
}

impl What {
    /// With its article.
    pub fn words(self) -> &'static str {
        match self {
            What::Structure => "a structure",
            What::Function | What::Lambda | What::Learner | What::Builtin => "a function",
        }
    }
}

/// How often an argument must be given.
#[derive(Clone, Debug)]
pub enum Need {
    /// Once.
    Required,
    /// At most once; what it is when left out.
    Optional(Kind),
    /// Any number of times.
    Rest,
}

/// One parameter.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Where it was declared.
    pub span: Span,
    /// What it takes.
    pub kind: Kind,
    /// The symbol that stands for its value in widths, when it is an integer.
    pub symbol: Option<Symbol>,
    /// How often it must be given.
    pub need: Need,
    /// Whether the rest of the signature mentions it.
    pub is_mentioned: bool,
}

impl Signature {
    /// What a call gives: the result with `sizes` (those of `statics`, then of `params`) for the symbols.
    pub fn result_with(&self, sizes: &[Option<Size>]) -> Kind {
        let parameters: Vec<&Parameter> = self.statics.iter().chain(&self.params).collect();
        substitute(&self.result, &|symbol| value_of(symbol, &parameters, sizes))
    }

    /// The signature that is left when the brackets have been filled in.
    pub fn without_statics(&self, sizes: &[Option<Size>]) -> Signature {
        let statics: Vec<&Parameter> = self.statics.iter().collect();
        let put = |kind: &Kind| substitute(kind, &|symbol| value_of(symbol, &statics, sizes));
        let params = self.params.iter().map(|p| Parameter { kind: put(&p.kind), ..p.clone() });
        Signature { statics: Vec::new(), params: params.collect(), result: put(&self.result), ..self.clone() }
    }

    /// The signature of something built in.
    pub fn of_builtin(builtin: &builtin::Signature) -> Signature {
        Signature {
            name: builtin.name.into(),
            what: What::Builtin,
            span: Span::NONE,
            statics: builtin.statics.iter().map(builtin_parameter).collect(),
            params: builtin.params.iter().map(builtin_parameter).collect(),
            result: Kind::of_builtin(builtin.result),
        }
    }

    /// The signature of a method.
    pub fn of_method(name: &str, params: &[builtin::Parameter], result: Kind) -> Signature {
        Signature {
            name: name.into(),
            what: What::Builtin,
            span: Span::NONE,
            statics: Vec::new(),
            params: params.iter().map(builtin_parameter).collect(),
            result,
        }
    }
}

/// The integer that each parameter stands for in a call: its argument, or its default, which may mention the
/// parameters before it.
pub fn sizes(parameters: &[&Parameter], given: &[Option<Kind>]) -> Vec<Option<Size>> {
    let mut sizes: Vec<Option<Size>> = Vec::new();
    for (parameter, kind) in parameters.iter().zip(given) {
        let size = match (kind, &parameter.need) {
            (Some(kind), _) => kind.size().cloned(),
            (None, Need::Optional(default)) => {
                let put = |symbol: &Symbol| value_of(symbol, parameters, &sizes);
                default.size().and_then(|size| size.substitute(&put))
            }
            (None, Need::Required | Need::Rest) => None,
        };
        sizes.push(size);
    }
    sizes
}

/// What stands for a symbol: the size of the parameter that it belongs to, else itself.
fn value_of(symbol: &Symbol, parameters: &[&Parameter], sizes: &[Option<Size>]) -> Option<Size> {
    match parameters.iter().position(|parameter| parameter.symbol.as_ref() == Some(symbol)) {
        Some(position) => sizes.get(position).cloned().flatten(),
        None => Some(Size::symbol(symbol.clone())),
    }
}

fn builtin_parameter(parameter: &builtin::Parameter) -> Parameter {
    Parameter {
        name: parameter.name.into(),
        span: Span::NONE,
        kind: match parameter.kind {
            builtin::Kind::Float => Kind::Number,
            kind => Kind::of_builtin(kind),
        },
        symbol: None,
        need: match parameter.need {
            builtin::Need::Required => Need::Required,
            builtin::Need::Optional => Need::Optional(Kind::Any),
            builtin::Need::Rest => Need::Rest,
        },
        is_mentioned: true,
    }
}

/// A kind with sizes in place of symbols; a size that is not known there becomes unknown.
fn substitute(kind: &Kind, value_of: &dyn Fn(&Symbol) -> Option<Size>) -> Kind {
    let put = |size: &Option<Size>| size.as_ref().and_then(|size| size.substitute(value_of));
    let put_domain = |domain: &Option<Domain>| domain.as_ref().map(|domain| substitute_domain(domain, &put));
    match kind {
        Kind::Int(size) => Kind::Int(put(size)),
        Kind::Layer(width) => Kind::Layer(put(width)),
        Kind::Codes(n) => Kind::Codes(put(n)),
        Kind::Var(domain) => Kind::Var(put_domain(domain)),
        Kind::Scope(scope) => Kind::Scope(Scope {
            order: scope.order,
            domain: put_domain(&scope.domain),
            extents: scope.extents.as_ref().map(|extents| extents.iter().map(&put).collect()),
        }),
        Kind::List(element) => Kind::list(substitute(element, value_of)),
        Kind::Tuple(parts) => {
            Kind::Tuple(parts.iter().map(|part| substitute(part, value_of)).collect::<Rc<[_]>>())
        }
        other => other.clone(),
    }
}

fn substitute_domain(domain: &Domain, put: &dyn Fn(&Option<Size>) -> Option<Size>) -> Domain {
    match domain {
        Domain::Cat(n) => Domain::Cat(put(n)),
        Domain::Token(n) => Domain::Token(put(n)),
        Domain::Int(low, high) => Domain::Int(put(low), put(high)),
        Domain::Bool | Domain::Nat | Domain::Real => domain.clone(),
    }
}
