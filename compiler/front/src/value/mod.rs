//! The values of the static language, one file for each kind that has rules of its own.
//!
//! Values are pure: equal values have equal hashes, so that `memo` and keyed parameters can look them up.
//! Circuits are built elsewhere; here a layer is only the handle of one.

mod boxes;
pub(crate) mod closure;
pub(crate) mod diagram;
pub(crate) mod display;
pub mod formula;
pub(crate) mod key;
pub(crate) mod layer;
pub(crate) mod params;
pub(crate) mod scope;
pub(crate) mod tree;
pub mod vtree;

pub(crate) use boxes::GridBox;
pub(crate) use closure::{Applied, Closure, Env};
pub(crate) use key::Key;
pub(crate) use layer::LayerValue;
pub(crate) use params::{Place, Shared, Slot, Tables};
pub(crate) use scope::{ScopeValue, Shape};
pub(crate) use tree::Tree;

use crate::builtin::Signature;
use crate::modules::ModuleId;
use formula::Formula;
use pcc_ir::recipe::{Codes, DataView, Features, Teacher};
use pcc_ir::{Family, VarId};
use std::hash::{Hash, Hasher};
use std::rc::Rc;
use vtree::Vtree;

/// A value. Closures refer to the syntax tree, hence the lifetime.
#[derive(Clone)]
pub(crate) enum Value<'p> {
    Int(i64),
    Float(f64),
    Bool(bool),
    Text(Rc<str>),
    Key(Key),
    Var(VarId),
    Scope(Rc<ScopeValue>),
    Box(Rc<GridBox>),
    Tree(Rc<Tree>),
    Vtree(Rc<Vtree>),
    Formula(Rc<Formula>),
    /// A formula in canonical form: which table of diagrams, which node.
    Diagram(usize, diagram::NodeId),
    /// `a .. b`
    Range(i64, i64),
    List(Rc<[Value<'p>]>),
    Tuple(Rc<[Value<'p>]>),
    Layer(LayerValue),
    Family(Family),
    /// `fixed(..)`
    Fixed(Rc<Value<'p>>),
    /// What `param` declares.
    Tables(Rc<Tables<'p>>),
    /// One table of it.
    Slot(Rc<Slot>),
    Closure(Rc<Closure<'p>>),
    Structure(Rc<Applied<'p>>),
    Shared(Rc<Shared<'p>>),
    /// A name of the prelude, or a native, with what stood in brackets.
    Builtin(&'static Signature, Rc<[Value<'p>]>),
    /// A view of data, and the variables of one of its rows.
    Data(Rc<(DataView, Vec<VarId>)>),
    /// The weights of rows: their own name, and that of the data.
    Weights(Rc<(String, String)>),
    /// What can be clustered: a vector for each row and position.
    Features(Rc<Features>),
    /// A network that makes them.
    Teacher(Rc<Teacher>),
    /// Learned labels, by the call that gives them.
    Codes(Rc<Codes>),
    Module(ModuleId),
    /// A learned value that is not at hand, while only requests are gathered.
    Pending,
}

impl<'p> Value<'p> {
    /// A list of values.
    pub(crate) fn list(values: Vec<Value<'p>>) -> Self {
        Value::List(values.into())
    }

    /// The word for its kind in messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Value::Int(_) => "int",
            Value::Float(_) => "float",
            Value::Bool(_) => "bool",
            Value::Text(_) => "text",
            Value::Key(_) => "key",
            Value::Var(_) => "var",
            Value::Scope(s) => s.kind(),
            Value::Box(_) => "box",
            Value::Tree(_) => "tree",
            Value::Vtree(_) => "vtree",
            Value::Formula(_) | Value::Diagram(..) => "formula",
            Value::Range(..) | Value::List(_) => "list",
            Value::Tuple(_) => "tuple",
            Value::Layer(_) => "layer",
            Value::Family(_) => "family",
            Value::Fixed(_) => "table",
            Value::Tables(_) | Value::Slot(_) => "param",
            Value::Closure(_) | Value::Builtin(..) => "function",
            Value::Structure(_) | Value::Shared(_) => "structure",
            Value::Data(_) => "data",
            Value::Weights(_) => "list of weights",
            Value::Features(_) => "list of features",
            Value::Teacher(_) => "teacher",
            Value::Codes(_) => "codes",
            Value::Module(_) => "module",
            Value::Pending => "learned value",
        }
    }

    /// The elements of what can be run through by `for`: lists, ranges, tuples and scopes.
    pub(crate) fn elements(&self) -> Option<Vec<Value<'p>>> {
        match self {
            Value::Range(a, b) => Some((*a..*b).map(Value::Int).collect()),
            Value::List(values) | Value::Tuple(values) => Some(values.to_vec()),
            Value::Scope(scope) => Some(scope.vars.iter().map(|v| Value::Var(*v)).collect()),
            _ => None,
        }
    }

    /// How many elements [`Value::elements`] has.
    pub(crate) fn n_elements(&self) -> Option<usize> {
        match self {
            Value::Range(a, b) => Some(usize::try_from(b.saturating_sub(*a)).unwrap_or(0)),
            Value::List(values) | Value::Tuple(values) => Some(values.len()),
            Value::Scope(scope) => Some(scope.vars.len()),
            _ => None,
        }
    }

    /// The variables of a scope, a variable, or a list of different variables.
    pub(crate) fn as_scope(&self) -> Option<Rc<ScopeValue>> {
        match self {
            Value::Scope(scope) => Some(scope.clone()),
            Value::Var(v) => Some(Rc::new(ScopeValue::sequence(vec![*v]))),
            Value::List(values) => {
                let mut vars = Vec::with_capacity(values.len());
                for value in values.iter() {
                    match value.as_var() {
                        Some(v) => vars.push(v),
                        None => return None,
                    }
                }
                let scope = ScopeValue::sequence(vars);
                scope.is_set().then(|| Rc::new(scope))
            }
            _ => None,
        }
    }

    /// A variable, or the only one of a scope.
    pub(crate) fn as_var(&self) -> Option<VarId> {
        match self {
            Value::Var(v) => Some(*v),
            Value::Scope(scope) => match *scope.vars {
                [v] => Some(v),
                _ => None,
            },
            _ => None,
        }
    }

    /// A number, whole or not.
    pub(crate) fn as_number(&self) -> Option<f64> {
        match self {
            Value::Int(i) => Some(*i as f64),
            Value::Float(x) => Some(*x),
            _ => None,
        }
    }
}

impl PartialEq for Value<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Value::Int(a), Value::Int(b)) => a == b,
            (Value::Float(a), Value::Float(b)) => a.to_bits() == b.to_bits(),
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Text(a), Value::Text(b)) => a == b,
            (Value::Features(a), Value::Features(b)) => a == b,
            (Value::Teacher(a), Value::Teacher(b)) => a == b,
            (Value::Codes(a), Value::Codes(b)) => a == b,
            (Value::Key(a), Value::Key(b)) => a == b,
            (Value::Var(a), Value::Var(b)) => a == b,
            (Value::Scope(a), Value::Scope(b)) => Rc::ptr_eq(a, b) || a == b,
            (Value::Box(a), Value::Box(b)) => a == b,
            (Value::Tree(a), Value::Tree(b)) => Rc::ptr_eq(a, b) || a == b,
            (Value::Vtree(a), Value::Vtree(b)) => Rc::ptr_eq(a, b) || a == b,
            (Value::Formula(a), Value::Formula(b)) => Rc::ptr_eq(a, b) || a == b,
            (Value::Diagram(m, a), Value::Diagram(n, b)) => (m, a) == (n, b),
            (Value::Range(a, b), Value::Range(c, d)) => (a, b) == (c, d),
            (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) => a == b,
            (Value::Layer(a), Value::Layer(b)) => a == b,
            (Value::Family(a), Value::Family(b)) => a == b,
            (Value::Fixed(a), Value::Fixed(b)) => a == b,
            (Value::Tables(a), Value::Tables(b)) => Rc::ptr_eq(a, b),
            (Value::Slot(a), Value::Slot(b)) => Rc::ptr_eq(a, b),
            (Value::Closure(a), Value::Closure(b)) => Rc::ptr_eq(a, b) || a.is_same(b),
            (Value::Structure(a), Value::Structure(b)) => Rc::ptr_eq(a, b) || a.is_same(b),
            (Value::Shared(a), Value::Shared(b)) => Rc::ptr_eq(a, b),
            (Value::Builtin(a, s), Value::Builtin(b, t)) => std::ptr::eq(*a, *b) && s == t,
            (Value::Data(a), Value::Data(b)) => a == b,
            (Value::Weights(a), Value::Weights(b)) => a == b,
            (Value::Module(a), Value::Module(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Value<'_> {}

impl Hash for Value<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        match self {
            Value::Int(i) => i.hash(state),
            Value::Float(x) => x.to_bits().hash(state),
            Value::Bool(b) => b.hash(state),
            Value::Text(s) => s.hash(state),
            Value::Key(k) => k.hash(state),
            Value::Var(v) => v.hash(state),
            Value::Scope(s) => s.hash(state),
            Value::Box(b) => b.hash(state),
            Value::Tree(t) => t.hash(state),
            Value::Vtree(v) => v.hash(state),
            Value::Formula(f) => f.hash(state),
            Value::Diagram(m, node) => (m, node).hash(state),
            Value::Range(a, b) => (a, b).hash(state),
            Value::List(values) | Value::Tuple(values) => values.hash(state),
            Value::Layer(layer) => layer.hash(state),
            Value::Family(family) => family.hash(state),
            Value::Fixed(value) => value.hash(state),
            Value::Builtin(signature, statics) => (signature.name, statics).hash(state),
            Value::Module(id) => id.hash(state),
            // Equal ones may be told apart by comparing alone; these are rarely keys.
            Value::Tables(_) | Value::Slot(_) | Value::Closure(_) | Value::Structure(_) => {}
            Value::Shared(_) | Value::Data(_) | Value::Weights(_) | Value::Pending => {}
            Value::Features(_) | Value::Teacher(_) | Value::Codes(_) => {}
        }
    }
}
