//! Expressions and blocks.

use super::{Elaborator, Eval};
use crate::value::closure::{Body, Scope};
use crate::value::{Closure, Env, Tables, Value};
use pcc_diag::{Diagnostic, Span};
use pcc_grammar::ast::{self, Block, Expr, ExprKind, Number, Pattern, Stmt};
use std::rc::Rc;

/// Stack that an expression finds free, and how much is added when it does not.
const RED_ZONE: usize = 256 << 10;
const STACK_PIECE: usize = 4 << 20;

/// What stands behind a call: `with table by latent`.
#[derive(Clone, Copy, Default)]
pub(crate) struct Tags<'p> {
    pub(crate) table: Option<&'p Expr>,
    pub(crate) latent: Option<&'p Expr>,
}

impl<'p> Elaborator<'p> {
    /// The value of an expression.
    pub(crate) fn eval(&mut self, expr: &'p Expr, env: &Env<'p>) -> Eval<Value<'p>> {
        self.spend(1, expr.span)?;
        stacker::maybe_grow(RED_ZONE, STACK_PIECE, || self.eval_here(expr, env))
    }

    fn eval_here(&mut self, expr: &'p Expr, env: &Env<'p>) -> Eval<Value<'p>> {
        match &expr.kind {
            ExprKind::Name(name) => self.name(name, env, expr.span),
            ExprKind::Number(number) => integer_or_float(number, expr.span),
            ExprKind::Text(text) => Ok(Value::Text(text.as_str().into())),
            ExprKind::List(items) => self.list(items, env, expr.span),
            ExprKind::Tuple(items) => {
                let values: Vec<_> = items.iter().map(|e| self.eval(e, env)).collect::<Eval<_>>()?;
                Ok(Value::Tuple(values.into()))
            }
            ExprKind::Paren(inner) => self.eval(inner, env),
            ExprKind::Unary(op, operand) => self.unary(*op, operand, env, expr.span),
            ExprKind::Binary(op, left, right) => self.binary(*op, left, right, env, expr.span),
            ExprKind::Lambda(params, body) => Ok(lambda(params, body, env)),
            ExprKind::If(condition, yes, no) => self.branch(condition, yes, no.as_deref(), env, expr.span),
            ExprKind::Share(callee) => {
                let callee = self.eval(callee, env)?;
                self.share(callee, expr.span)
            }
            ExprKind::Index(callee, args) => self.index(callee, args, env, expr.span),
            ExprKind::Call(callee, args) => self.call(callee, args, Tags::default(), env, expr.span),
            ExprKind::Field(object, name) => self.field_of(object, name, env),
            ExprKind::With(..) | ExprKind::By(..) => self.tagged(expr, env),
        }
    }

    fn list(&mut self, items: &'p [ast::Arg], env: &Env<'p>, span: Span) -> Eval<Value<'p>> {
        let args = self.args(items, env, span)?;
        if let Some((name, ..)) = args.named.first() {
            let message = format!("a list has no named elements such as `{}`", name.text);
            return Err(Diagnostic::error("unknown-argument", message).at(name.span, "").into());
        }
        Ok(Value::list(args.positional.into_iter().map(|(v, _)| v).collect()))
    }

    fn branch(
        &mut self,
        condition: &'p Expr,
        yes: &'p Block,
        no: Option<&'p Block>,
        env: &Env<'p>,
        span: Span,
    ) -> Eval<Value<'p>> {
        let value = self.eval(condition, env)?;
        match (self.as_bool(&value, condition.span, "a condition")?, no) {
            (true, _) => self.block(yes, env),
            (false, Some(no)) => self.block(no, env),
            (false, None) => {
                Err(Diagnostic::error("missing-else", "this `if` has no value when its condition fails")
                    .at(span, "")
                    .help("add `else { .. }`")
                    .into())
            }
        }
    }

    /// `call with table by latent`: the tags go to the builder that is called.
    fn tagged(&mut self, expr: &'p Expr, env: &Env<'p>) -> Eval<Value<'p>> {
        let mut tags = Tags::default();
        let mut inner = expr;
        loop {
            inner = match &inner.kind {
                ExprKind::With(of, table) if tags.table.replace(table).is_none() => of,
                ExprKind::By(of, latent) if tags.latent.replace(latent).is_none() => of,
                ExprKind::Paren(of) => of,
                ExprKind::Call(callee, args) => return self.call(callee, args, tags, env, inner.span),
                ExprKind::With(..) => return Err(misplaced("with", inner.span).into()),
                ExprKind::By(..) => return Err(misplaced("by", inner.span).into()),
                _ => {
                    let word = if tags.table.is_some() { "with" } else { "by" };
                    return Err(misplaced(word, inner.span).into());
                }
            };
        }
    }

    /// The value of a block: its bindings in a scope of their own, then its result.
    pub(super) fn block(&mut self, block: &'p Block, env: &Env<'p>) -> Eval<Value<'p>> {
        if block.stmts.is_empty() {
            return self.eval(&block.result, env);
        }
        let functions = block.stmts.iter().filter_map(|s| match s {
            Stmt::Fn(f) => Some(f),
            _ => None,
        });
        let inner = Scope::inside(env, functions.collect());
        for stmt in &block.stmts {
            match stmt {
                Stmt::Let(binding) => self.let_binding(binding, &inner)?,
                Stmt::Param(params) => self.declare_tables(params, &inner),
                Stmt::Fn(_) => {}
            }
        }
        self.eval(&block.result, &inner)
    }

    fn let_binding(&mut self, binding: &'p ast::LetStmt, env: &Env<'p>) -> Eval<()> {
        let mut value = self.eval(&binding.value, env)?;
        if let Pattern::Name(name) = &binding.pattern {
            value = self.labelled(value, &name.text);
        }
        self.bind_pattern(&binding.pattern, value, env, binding.value.span)
    }

    /// A value that carries the name which `let` gives it, as far as it stands for layers.
    fn labelled(&mut self, value: Value<'p>, name: &'p str) -> Value<'p> {
        match value {
            Value::Layer(layer) => {
                self.builder.label(layer.id, name);
                Value::Layer(layer)
            }
            Value::Closure(closure) => {
                Value::Closure(Rc::new(Closure { label: Some(name), ..(*closure).clone() }))
            }
            Value::Structure(applied) => {
                let mut applied = (*applied).clone();
                applied.label = Some(name);
                Value::Structure(Rc::new(applied))
            }
            Value::Shared(shared) => {
                shared.label.set(Some(name));
                Value::Shared(shared)
            }
            other => other,
        }
    }

    fn declare_tables(&mut self, params: &'p ast::ParamStmt, env: &Env<'p>) {
        for key in &params.keys {
            let tables = Tables::new(&key.name.text, key.name.span, key.is_keyed, self.place());
            env.bind(&key.name.text, Value::Tables(Rc::new(tables)));
        }
    }

    /// The value of a name: local, then an item, then of the prelude.
    pub(crate) fn name(&mut self, name: &'p str, env: &Env<'p>, span: Span) -> Eval<Value<'p>> {
        if let Some(value) = Scope::find(env, name) {
            return Ok(value);
        }
        if let Some(named) = self.program.find(env.module, name) {
            return self.global(named, name, span);
        }
        match name {
            "true" => return Ok(Value::Bool(true)),
            "false" => return Ok(Value::Bool(false)),
            _ => {}
        }
        match crate::builtin::prelude_signature(name) {
            Some(signature) => Ok(Value::Builtin(signature, Rc::new([]))),
            None => Err(self.unknown_name(name, env, span).into()),
        }
    }

    fn unknown_name(&self, name: &str, env: &Env<'p>, span: Span) -> Diagnostic {
        let error = Diagnostic::error("unknown-name", format!("nothing is named `{name}`")).at(span, "");
        let mut items: Vec<&str> = self.program.names(env.module).collect();
        items.sort_unstable();
        let mut known: Vec<&str> = Scope::names(env);
        known.extend(items);
        for prelude in crate::builtin::prelude_names() {
            known.push(prelude);
        }
        error.did_you_mean(name, known, |error| match crate::modules::std_export(name) {
            Some((near, module)) => error.help(format!("did you mean `{near}` (from `{module}`)?")),
            None => error,
        })
    }
}

fn lambda<'p>(params: &'p [ast::Param], body: &'p Expr, env: &Env<'p>) -> Value<'p> {
    let body = Body::Expr(body);
    let closure = Closure { name: None, params, body, ty: None, env: env.clone(), memo: None, label: None };
    Value::Closure(Rc::new(closure))
}

fn misplaced(word: &str, span: Span) -> Diagnostic {
    let (message, help) = match word {
        "with" => (
            "`with` gives a table to one `input`, `sum` or `mix`, and this is none",
            "write it right behind the call of the builder",
        ),
        _ => (
            "`by` names the latent of one `sum`, and this is none",
            "write it right behind the call of `sum`",
        ),
    };
    Diagnostic::error("misplaced-tag", message).at(span, "").help(help)
}

/// Numbers up to 2^53 are exact in the 64-bit floats in which the parser keeps them.
const MOST_EXACT: f64 = 9_007_199_254_740_992.0;

fn integer_or_float<'p>(number: &Number, span: Span) -> Eval<Value<'p>> {
    match number.is_integer {
        true if number.value.abs() < MOST_EXACT => Ok(Value::Int(number.value as i64)),
        true => {
            let message = format!("`{}` is too large for a whole number", number.text);
            Err(Diagnostic::error("number-overflow", message).at(span, "").into())
        }
        false => Ok(Value::Float(number.value)),
    }
}
