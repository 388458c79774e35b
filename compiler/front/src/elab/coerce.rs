//! What a place takes: written types, and the few readings a value has (a variable as a scope, as a
//! formula, as a literal). Nothing else converts by itself.

use super::{Elaborator, Eval};
use crate::builtin::TYPES;
use crate::value::formula::Formula;
use crate::value::{Env, LayerValue, ScopeValue, Shape, Tree, Value};
use crate::words::{count, with_article};
use pcc_diag::{Diagnostic, Span};
use pcc_grammar::ast::{Expr, ExprKind, Ty};
use pcc_ir::{Domain, LayerId, VarId};
use std::rc::Rc;

impl<'p> Elaborator<'p> {
    /// "`of` takes an int, and this is a float".
    pub(crate) fn mismatch(&self, wanted: &str, found: &Value<'p>, span: Span, of: &str) -> Diagnostic {
        let message = format!("{of} {wanted}, and this is {}", with_article(found.kind()));
        Diagnostic::error("kind-mismatch", message).at(span, with_article(found.kind()))
    }

    pub(crate) fn as_bool(&self, value: &Value<'p>, span: Span, of: &str) -> Eval<bool> {
        match value {
            Value::Bool(b) => Ok(*b),
            _ => {
                let error = self.mismatch("`true` or `false`", value, span, &format!("{of} is"));
                Err(match value {
                    Value::Var(_) | Value::Formula(_) => {
                        error.help("the value of a variable is not known here")
                    }
                    _ => error,
                }
                .into())
            }
        }
    }

    pub(crate) fn as_int(&self, value: &Value<'p>, span: Span, of: &str) -> Eval<i64> {
        match value {
            Value::Int(i) => Ok(*i),
            _ => Err(self.mismatch("an int", value, span, &format!("{of} is")).into()),
        }
    }

    /// A number of units, copies and the like: from 1 to 2^32 - 1.
    pub(crate) fn as_count(&self, value: &Value<'p>, span: Span, of: &str) -> Eval<u32> {
        let n = self.as_int(value, span, of)?;
        match u32::try_from(n) {
            Ok(n) if n > 0 => Ok(n),
            _ => {
                let message = format!("{of} is 1 or more, and this is {n}");
                Err(Diagnostic::error("width-not-positive", message).at(span, "").into())
            }
        }
    }

    pub(crate) fn as_var(&self, value: &Value<'p>, span: Span, of: &str) -> Eval<VarId> {
        value.as_var().ok_or_else(|| {
            let error = self.mismatch("one variable", value, span, &format!("{of} takes"));
            match value {
                Value::Scope(s) => {
                    error.help(format!("this scope has {}", count(s.vars.len(), "variable"))).into()
                }
                _ => error.into(),
            }
        })
    }

    pub(crate) fn as_scope(&self, value: &Value<'p>, span: Span, of: &str) -> Eval<Rc<ScopeValue>> {
        value.as_scope().ok_or_else(|| self.mismatch("a scope", value, span, &format!("{of} takes")).into())
    }

    /// A formula as it was written. Canonical forms have no text, so they can't be built upon.
    pub(crate) fn as_formula(&self, value: &Value<'p>, span: Span) -> Eval<Rc<Formula>> {
        match value {
            Value::Formula(f) => Ok(f.clone()),
            Value::Bool(b) => Ok(Rc::new(Formula::Constant(*b))),
            _ => match value.as_var() {
                Some(v) => {
                    self.check_boolean(v, span)?;
                    Ok(Rc::new(Formula::Var(v)))
                }
                None => Err(self.mismatch("a formula", value, span, "this takes").into()),
            },
        }
    }

    fn check_boolean(&self, var: VarId, span: Span) -> Eval<()> {
        match self.graph().variable(var).domain {
            Domain::Bool => Ok(()),
            domain => {
                let name = self.graph().variable_name(var);
                let message = format!("only a `bool` is its own literal, and `{name}` is `{domain}`");
                Err(Diagnostic::error("not-a-literal", message)
                    .at(span, "")
                    .help(format!("`literal({name}, value)` is one value, `input[K]({name})` a distribution"))
                    .into())
            }
        }
    }

    /// A circuit: a layer, or the literal that a boolean variable or its negation is.
    pub(super) fn as_layer(&mut self, value: &Value<'p>, span: Span) -> Eval<LayerId> {
        match value {
            Value::Layer(layer) => self.check_inside(*layer, span),
            Value::Formula(formula) => match formula.as_literal() {
                Some((var, is_true)) => self.literal(var, u32::from(is_true), span),
                None => {
                    Err(Diagnostic::error("not-a-literal", "a formula is no circuit; only a literal is both")
                        .at(span, "")
                        .help("`std/psdd` turns a formula into a circuit")
                        .into())
                }
            },
            _ => match value.as_var() {
                Some(var) => {
                    self.check_boolean(var, span)?;
                    self.literal(var, 1, span)
                }
                None => Err(self.mismatch("a circuit", value, span, "this takes").into()),
            },
        }
    }

    /// Copies are told apart only by where they were built, so a circuit from elsewhere has no copies here.
    fn check_inside(&self, layer: LayerValue, span: Span) -> Eval<LayerId> {
        if layer.copies == self.nest.copies {
            return Ok(layer.id);
        }
        let built = self.graph().layer(layer.id).span;
        Err(Diagnostic::error(
            "outside-copies",
            "`copies` replicates only what is built inside its parentheses",
        )
        .at(span, "this circuit was built outside")
        .note(built, "here")
        .help("build it inside; what all copies share is a `param` or a `share`")
        .into())
    }

    pub(super) fn literal(&mut self, var: VarId, code: u32, span: Span) -> Eval<LayerId> {
        let layer = self.builder.literal(var, code, self.nest.groups, 1, span);
        self.made(layer)
    }

    pub(super) fn layer_value(&self, id: LayerId) -> Value<'p> {
        Value::Layer(LayerValue { id, copies: self.nest.copies })
    }

    /// Checks a value against a written type; a scope gets the order that the type speaks of, and a tree the
    /// variables.
    pub(crate) fn coerce(
        &mut self,
        value: Value<'p>,
        ty: &'p Ty,
        env: &Env<'p>,
        span: Span,
        name: &str,
    ) -> Eval<Value<'p>> {
        let fits = match (ty.name.text.as_str(), &value) {
            ("any", _) | (_, Value::Pending) => true,
            ("scope" | "seq" | "grid", _) => return self.coerce_scope(value, ty, span, name),
            ("tree", Value::Tree(tree)) => return self.coerce_tree(tree, ty, env, span, name),
            ("layer", _) => return self.coerce_layer(&value, ty, env, span, name),
            ("var", _) => return Ok(Value::Var(self.as_var(&value, span, &format!("`{name}`"))?)),
            ("formula", Value::Diagram(..)) => true,
            ("formula", _) => return Ok(Value::Formula(self.as_formula(&value, span)?)),
            ("function", Value::Structure(_) | Value::Shared(_)) => true,
            ("family", Value::Builtin(..)) => return self.family_named(value, span),
            (wanted, _) => wanted == value.kind(),
        };
        match fits {
            true => Ok(value),
            false => Err(self.type_mismatch(&value, ty, span, name).into()),
        }
    }

    fn type_mismatch(&self, value: &Value<'p>, ty: &Ty, span: Span, name: &str) -> Diagnostic {
        let wanted = ty.name.text.as_str();
        if TYPES.iter().all(|(known, _)| *known != wanted) {
            let error =
                Diagnostic::error("unknown-type", format!("there is no type `{wanted}`")).at(ty.span, "");
            return error.did_you_mean(wanted, TYPES.iter().map(|(known, _)| *known), |error| error);
        }
        let error = self.mismatch(&with_article(wanted), value, span, &format!("`{name}` is"));
        let error = error.note(ty.span, "");
        match (wanted, value) {
            ("float", Value::Int(i)) => error.help(format!("write `{i}.0`")),
            _ => error,
        }
    }

    fn coerce_scope(&mut self, value: Value<'p>, ty: &Ty, span: Span, name: &str) -> Eval<Value<'p>> {
        let Some(scope) = value.as_scope() else {
            return Err(self.type_mismatch(&value, ty, span, name).into());
        };
        match (ty.name.text.as_str(), &scope.shape) {
            ("scope", _) | ("grid", Shape::Grid(_)) | ("seq", Shape::Sequence) => Ok(Value::Scope(scope)),
            ("seq", Shape::Grid(_)) => Ok(Value::Scope(Rc::new(scope.flattened()))),
            _ => Err(self.type_mismatch(&value, ty, span, name).into()),
        }
    }

    fn coerce_tree(
        &mut self,
        tree: &Rc<Tree>,
        ty: &'p Ty,
        env: &Env<'p>,
        span: Span,
        name: &str,
    ) -> Eval<Value<'p>> {
        let [over] = ty.scopes.as_slice() else { return Ok(Value::Tree(tree.clone())) };
        if is_tile(over) {
            return Ok(Value::Tree(tree.clone()));
        }
        let scope = self.eval(over, env)?;
        let scope = self.as_scope(&scope, over.span, "`tree(..)`")?;
        let is_same_set = tree.vars().is_some_and(|vars| is_permutation(vars, &scope.vars));
        if is_same_set {
            return Ok(Value::Tree(tree.clone()));
        }
        let fitting = if tree.vars().is_some() { None } else { tree.over(&scope.vars) };
        match fitting {
            Some(tree) => Ok(Value::Tree(Rc::new(tree))),
            None => Err(self.tree_differs(tree, &scope, ty, span, name).into()),
        }
    }

    fn tree_differs(&self, tree: &Tree, scope: &ScopeValue, ty: &Ty, span: Span, name: &str) -> Diagnostic {
        let over = crate::value::display::scope(self.graph(), &scope.vars);
        let message = format!("the tree given as `{name}` does not span {over}");
        let is = match tree.vars() {
            Some(vars) => format!("a tree over {}", crate::value::display::scope(self.graph(), vars)),
            None => format!("a tree of {}", count(tree.len(), "variable")),
        };
        Diagnostic::error("tree-differs", message)
            .at(span, is)
            .note(ty.span, count(scope.vars.len(), "variable"))
            .help("a tree learned on tiles fits every tile of that size; another one only its own variables")
    }

    /// Checks a layer against `layer[K]` or `layer[K](S)`.
    pub(super) fn coerce_layer(
        &mut self,
        value: &Value<'p>,
        ty: &'p Ty,
        env: &Env<'p>,
        span: Span,
        name: &str,
    ) -> Eval<Value<'p>> {
        let layer = self.as_layer(value, span)?;
        if let [width] = ty.widths.as_slice() {
            let wanted = self.eval(width, env)?;
            let wanted = self.as_int(&wanted, width.span, "a width")?;
            let found = self.width(layer) as i64;
            if found != wanted {
                let message = format!("`{name}` is declared as `layer[{wanted}]`, but has {found} units");
                return Err(Diagnostic::error("width-mismatch", message)
                    .at(span, count(found as usize, "unit"))
                    .note(ty.span, count(wanted.max(0) as usize, "unit"))
                    .into());
            }
        }
        if let [over] = ty.scopes.as_slice() {
            self.check_over(layer, over, env, span, name)?;
        }
        Ok(self.layer_value(layer))
    }

    fn check_over(
        &mut self,
        layer: LayerId,
        over: &'p Expr,
        env: &Env<'p>,
        span: Span,
        name: &str,
    ) -> Eval<()> {
        let wanted = self.eval(over, env)?;
        let wanted = self.as_scope(&wanted, over.span, "`layer[..](..)`")?;
        let found: Vec<VarId> = self.graph().scope(layer).iter().collect();
        if is_permutation(&found, &wanted.vars) {
            return Ok(());
        }
        let shown = |vars: &[VarId]| crate::value::display::scope(self.graph(), vars);
        let message =
            format!("`{name}` is declared over {}, but is over {}", shown(&wanted.vars), shown(&found));
        Err(Diagnostic::error("scope-differs", message).at(span, "").note(over.span, "declared here").into())
    }
}

/// `tile(X, Z)` in a type speaks of any tile of X.
fn is_tile(over: &Expr) -> bool {
    match &over.kind {
        ExprKind::Call(callee, _) => matches!(&callee.kind, ExprKind::Name(n) if n == "tile"),
        _ => false,
    }
}

fn is_permutation(a: &[VarId], b: &[VarId]) -> bool {
    let sorted = |vars: &[VarId]| {
        let mut sorted = vars.to_vec();
        sorted.sort_unstable();
        sorted
    };
    a.len() == b.len() && sorted(a) == sorted(b)
}
