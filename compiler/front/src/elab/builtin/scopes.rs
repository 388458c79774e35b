//! Functions of scopes: set operations, keyed randomness, vtrees and trees.

use super::Given;
use crate::elab::{Elaborator, Eval};
use crate::value::tree::TreeFault;
use crate::value::vtree::Vtree;
use crate::value::{Key, ScopeValue, Tree, Value};
use pcc_diag::{Diagnostic, Span};
use pcc_ir::VarId;
use rustc_hash::FxHashSet;
use std::rc::Rc;

impl<'p> Elaborator<'p> {
    pub(super) fn scope_function(&mut self, name: &str, given: Given<'p>) -> Eval<Value<'p>> {
        match name {
            "union" => {
                let mut seen = FxHashSet::default();
                let mut vars = Vec::new();
                for (scope, span) in &given.rest {
                    let scope = self.as_scope(scope, *span, "`union`")?;
                    vars.extend(scope.vars.iter().copied().filter(|v| seen.insert(*v)));
                }
                Ok(Value::Scope(Rc::new(ScopeValue::sequence(vars))))
            }
            "minus" => {
                let of = self.scope_arg(&given, 0, name)?;
                let without: FxHashSet<VarId> =
                    self.scope_arg(&given, 1, name)?.vars.iter().copied().collect();
                let vars = of.vars.iter().copied().filter(|v| !without.contains(v)).collect();
                Ok(Value::Scope(Rc::new(ScopeValue::sequence(vars))))
            }
            _ => {
                let scope = self.scope_arg(&given, 0, name)?;
                let vtree = match name {
                    "balanced" => Vtree::balanced(&scope.vars),
                    "right_linear" => Vtree::new(&scope.vars, |_| 1),
                    _ => Vtree::new(&scope.vars, |n| n - 1),
                };
                match vtree {
                    Some(vtree) => Ok(Value::Vtree(vtree)),
                    None => Err(empty(name, given.span).into()),
                }
            }
        }
    }

    fn scope_arg(&self, given: &Given<'p>, position: usize, name: &str) -> Eval<Rc<ScopeValue>> {
        let (value, span) = self.arg(given, position)?;
        self.as_scope(&value, span, &format!("`{name}`"))
    }

    pub(super) fn keyed(&mut self, name: &str, given: Given<'p>) -> Eval<Value<'p>> {
        match name {
            "key" => {
                let mut numbers = vec![self.int_arg(&given, 0, "a seed")?];
                for (value, span) in &given.rest {
                    numbers.push(self.as_int(value, *span, "a part of a key")?);
                }
                Ok(Value::Key(Key::new(&numbers)))
            }
            "shuffle" => {
                let (of, span) = self.arg(&given, 0)?;
                let key = self.key_arg(&given)?;
                let mut values = self.elements(&of, span)?;
                key.shuffle(&mut values);
                self.alike(&of, values, span)
            }
            _ => self.random_halves(given),
        }
    }

    fn key_arg(&self, given: &Given<'p>) -> Eval<Key> {
        match self.arg(given, 1)? {
            (Value::Key(key), _) => Ok(key),
            (other, span) => {
                let error = self.mismatch("a key", &other, span, "randomness takes");
                Err(error.help("`key(seed)` makes a key of a number").into())
            }
        }
    }

    /// Two disjoint sets of which each is equally likely to be any half; of an odd number the first is larger.
    fn random_halves(&mut self, given: Given<'p>) -> Eval<Value<'p>> {
        let scope = self.scope_arg(&given, 0, "random_halves")?;
        let key = self.key_arg(&given)?;
        if scope.vars.len() < 2 {
            let n = crate::words::count(scope.vars.len(), "variable");
            let message = format!("{n} can't be split in two halves");
            return Err(Diagnostic::error("empty-scope", message)
                .at(given.span, "")
                .help("stop the recursion at `len(S) == 1`")
                .into());
        }
        let mut positions: Vec<usize> = (0..scope.vars.len()).collect();
        key.shuffle(&mut positions);
        let (left, right) = positions.split_at_mut(scope.vars.len().div_ceil(2));
        let half = |positions: &mut [usize]| {
            positions.sort_unstable();
            let vars = positions.iter().filter_map(|i| scope.vars.get(*i).copied()).collect();
            Value::Scope(Rc::new(ScopeValue::set(vars)))
        };
        Ok(Value::Tuple([half(left), half(right)].into_iter().collect()))
    }

    /// `tree_of(S, parents)`: the parent of each variable by position, -1 for the root.
    pub(super) fn tree_of(&mut self, given: Given<'p>) -> Eval<Value<'p>> {
        let scope = self.scope_arg(&given, 0, "tree_of")?;
        let (list, span) = self.arg(&given, 1)?;
        let mut parents = Vec::new();
        for value in self.elements(&list, span)? {
            let parent = self.as_int(&value, span, "a parent")?;
            parents.push(if parent == -1 { None } else { Some(u32::try_from(parent).unwrap_or(u32::MAX)) });
        }
        let n = parents.len();
        let tree = Tree::new(parents).map_err(|fault| no_tree(fault, span))?;
        match tree.over(&scope.vars) {
            Some(tree) => Ok(Value::Tree(Rc::new(tree))),
            None => {
                let message = format!("{n} parents are given for {} variables", scope.vars.len());
                Err(Diagnostic::error("tree-differs", message).at(span, "").into())
            }
        }
    }
}

fn empty(name: &str, span: Span) -> Diagnostic {
    Diagnostic::error("empty-scope", format!("`{name}` needs at least one variable")).at(span, "")
}

fn no_tree(fault: TreeFault, span: Span) -> Diagnostic {
    let message = match fault {
        TreeFault::Empty => "a tree has at least one variable".into(),
        TreeFault::Outside(i) => format!("the parent of position {i} is no position"),
        TreeFault::Roots(i) => format!("a tree has one root, and position {i} is a second one"),
        TreeFault::Circle => "these parents form a circle, so they are no tree".into(),
    };
    Diagnostic::error("tree-differs", message).at(span, "").help("the root has the parent -1")
}
