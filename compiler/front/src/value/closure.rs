//! Functions and structures as values, and the environments in which names are looked up.

use super::Value;
use crate::modules::{ItemId, ModuleId};
use pcc_grammar::ast;
use rustc_hash::FxHashMap;
use std::cell::RefCell;
use std::rc::Rc;

/// The names known at one place, inside out.
pub(crate) type Env<'p> = Rc<Scope<'p>>;

/// The results that a `memo fn` has given: by the evaluation of `copies` it was called in, and its arguments.
pub(crate) type Memo<'p> = RefCell<FxHashMap<(u32, Vec<Value<'p>>), Value<'p>>>;

/// The names of one block or one list of parameters.
pub(crate) struct Scope<'p> {
    parent: Option<Env<'p>>,
    /// The module whose items are known outside all scopes.
    pub(crate) module: ModuleId,
    values: RefCell<Vec<(&'p str, Value<'p>)>>,
    functions: Vec<(&'p ast::FnStmt, Option<Rc<Memo<'p>>>)>,
}

impl<'p> Scope<'p> {
    /// The outermost scope of a module.
    pub(crate) fn outermost(module: ModuleId) -> Env<'p> {
        Rc::new(Scope { parent: None, module, values: RefCell::default(), functions: Vec::new() })
    }

    /// A scope inside another. Functions are known in the whole of their block, also before their own place.
    pub(crate) fn inside(parent: &Env<'p>, functions: Vec<&'p ast::FnStmt>) -> Env<'p> {
        let with_memo = |f: &'p ast::FnStmt| (f, f.is_memo.then(Rc::default));
        Rc::new(Scope {
            parent: Some(parent.clone()),
            module: parent.module,
            values: RefCell::default(),
            functions: functions.into_iter().map(with_memo).collect(),
        })
    }

    /// Makes a name known.
    pub(crate) fn bind(&self, name: &'p str, value: Value<'p>) {
        self.values.borrow_mut().push((name, value));
    }

    /// The value of a name that is known here, items and prelude aside.
    pub(crate) fn find(env: &Env<'p>, name: &str) -> Option<Value<'p>> {
        let mut scope = Some(env);
        while let Some(env) = scope {
            let values = env.values.borrow();
            if let Some((_, value)) = values.iter().rev().find(|(n, _)| *n == name) {
                return Some(value.clone());
            }
            if let Some((f, memo)) = env.functions.iter().find(|(f, _)| f.name.text == name) {
                return Some(Value::Closure(Rc::new(Closure::of(f, memo.clone(), env))));
            }
            scope = env.parent.as_ref();
        }
        None
    }

    /// All names that are known here, items and prelude aside, innermost first.
    pub(crate) fn names(env: &Env<'p>) -> Vec<&'p str> {
        let mut names = Vec::new();
        let mut scope = Some(env);
        while let Some(env) = scope {
            names.extend(env.values.borrow().iter().rev().map(|(n, _)| *n));
            names.extend(env.functions.iter().map(|(f, _)| f.name.text.as_str()));
            scope = env.parent.as_ref();
        }
        names
    }
}

/// What a function does when it is called.
#[derive(Clone, Copy)]
pub(crate) enum Body<'p> {
    Block(&'p ast::Block),
    Expr(&'p ast::Expr),
}

/// A function with the names that were known where it was written.
#[derive(Clone)]
pub(crate) struct Closure<'p> {
    /// The name of a `fn`; a lambda has none.
    pub(crate) name: Option<&'p str>,
    pub(crate) params: &'p [ast::Param],
    pub(crate) body: Body<'p>,
    pub(crate) ty: Option<&'p ast::Ty>,
    pub(crate) env: Env<'p>,
    pub(crate) memo: Option<Rc<Memo<'p>>>,
    /// The name that `let` gives it.
    pub(crate) label: Option<&'p str>,
}

impl<'p> Closure<'p> {
    /// The value of a `fn`.
    pub(crate) fn of(f: &'p ast::FnStmt, memo: Option<Rc<Memo<'p>>>, env: &Env<'p>) -> Self {
        Closure {
            name: Some(&f.name.text),
            params: &f.params,
            body: Body::Block(&f.body),
            ty: Some(&f.ty),
            env: env.clone(),
            memo,
            label: None,
        }
    }

    /// Whether it is the same text in the same environment.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let is_same_body = match (self.body, other.body) {
            (Body::Block(a), Body::Block(b)) => std::ptr::eq(a, b),
            (Body::Expr(a), Body::Expr(b)) => std::ptr::eq(a, b),
            _ => false,
        };
        is_same_body && Rc::ptr_eq(&self.env, &other.env)
    }
}

/// A structure, perhaps with its static arguments.
#[derive(Clone)]
pub(crate) struct Applied<'p> {
    pub(crate) item: ItemId,
    pub(crate) structure: &'p ast::Structure,
    /// One for each static parameter, once brackets were written.
    pub(crate) statics: Option<Vec<Value<'p>>>,
    /// The name that `let` gives it.
    pub(crate) label: Option<&'p str>,
}

impl Applied<'_> {
    /// Whether it is the same structure with equal static arguments.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.item == other.item && self.statics == other.statics
    }
}
