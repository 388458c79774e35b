//! Calls of functions, structures and shared structures.

use super::args::Args;
use super::eval::Tags;
use super::frames::Call;
use super::{Elaborator, Eval};
use crate::value::closure::{Body, Scope};
use crate::value::{Applied, Closure, Env, Value};
use pcc_diag::{Diagnostic, Span};
use pcc_grammar::ast::{Arg, Expr, ExprKind};
use std::rc::Rc;

impl<'p> Elaborator<'p> {
    /// `callee(args) with table by latent`
    pub(super) fn call(
        &mut self,
        callee: &'p Expr,
        args: &'p [Arg],
        tags: Tags<'p>,
        env: &Env<'p>,
        span: Span,
    ) -> Eval<Value<'p>> {
        let function = match &callee.kind {
            ExprKind::Field(object, name) => {
                let object = self.eval(object, env)?;
                if !matches!(object, Value::Module(_)) {
                    self.no_tags(tags, &format!("`{}`", name.text))?;
                    if let Value::Teacher(teacher) = &object {
                        return self.ask_teacher(teacher, name, args, env, span);
                    }
                    let args = self.args(args, env, span)?;
                    return self.method(&object, name, args);
                }
                self.field(&object, name)?
            }
            _ => self.eval(callee, env)?,
        };
        if let Value::Builtin(signature, statics) = function {
            return self.call_builtin(signature, &statics, args, tags, env, span);
        }
        self.no_tags(tags, &self.shown(&function))?;
        let args = self.args(args, env, span)?;
        self.apply(&function, args, callee.span)
    }

    fn no_tags(&self, tags: Tags<'p>, callee: &str) -> Eval<()> {
        let Some(tag) = tags.table.or(tags.latent) else { return Ok(()) };
        let (word, what) = match tags.table {
            Some(_) => ("with", "gives a table to `input`, `sum` or `mix`"),
            None => ("by", "names the latent of a `sum`"),
        };
        let message = format!("`{word}` {what}, and this is a call of {callee}");
        Err(Diagnostic::error("misplaced-tag", message).at(tag.span, "").into())
    }

    /// Calls a value with evaluated arguments.
    pub(super) fn apply(&mut self, function: &Value<'p>, args: Args<'p>, span: Span) -> Eval<Value<'p>> {
        match function {
            Value::Closure(closure) => self.call_closure(closure, args),
            Value::Structure(applied) => self.call_structure(applied, args),
            Value::Shared(shared) => self.call_shared(shared, args),
            Value::Pending => Ok(Value::Pending),
            other => Err(self.mismatch("a function", other, span, "what is called is").into()),
        }
    }

    fn call_closure(&mut self, closure: &Rc<Closure<'p>>, args: Args<'p>) -> Eval<Value<'p>> {
        let span = args.span;
        let env = Scope::inside(&closure.env, Vec::new());
        let params = self.bind_params(closure.name.unwrap_or("fn"), closure.params, args, &env)?;
        let key = closure.memo.as_ref().map(|memo| {
            (memo.clone(), (self.nest.copies, params.iter().map(|(_, v)| v.clone()).collect::<Vec<_>>()))
        });
        if let Some((memo, key)) = &key
            && let Some(known) = memo.borrow().get(key)
        {
            return Ok(known.clone());
        }
        let call = Call { span, callee: closure.name, statics: Vec::new(), params };
        let value = self.in_call(call, |elaborator| {
            let value = match closure.body {
                Body::Block(block) => elaborator.block(block, &env)?,
                Body::Expr(expr) => elaborator.eval(expr, &env)?,
            };
            let result_span = match closure.body {
                Body::Block(block) => block.result.span,
                Body::Expr(expr) => expr.span,
            };
            match closure.ty {
                Some(ty) => elaborator.coerce(value, ty, &env, result_span, closure.name.unwrap_or("fn")),
                None => Ok(value),
            }
        })?;
        self.label_result(&value, closure.label);
        if let Some((memo, key)) = key {
            memo.borrow_mut().insert(key, value.clone());
        }
        Ok(value)
    }

    fn call_structure(&mut self, applied: &Rc<Applied<'p>>, args: Args<'p>) -> Eval<Value<'p>> {
        let structure = applied.structure;
        let name = structure.name.text.as_str();
        let statics = match &applied.statics {
            Some(values) => {
                let names = structure.statics.iter().map(|p| p.name.text.as_str());
                names.zip(values.iter().cloned()).collect()
            }
            None => {
                let none = Args { positional: Vec::new(), named: Vec::new(), span: args.span };
                self.bind_statics(applied, none)?
            }
        };
        let outside = self.module_env(applied.item.module);
        let static_env = Scope::inside(&outside, Vec::new());
        for (name, value) in &statics {
            static_env.bind(name, value.clone());
        }
        let env = Scope::inside(&static_env, Vec::new());
        let span = args.span;
        let params = self.bind_params(name, &structure.params, args, &env)?;
        let call = Call { span, callee: Some(name), statics, params };
        let value = self.in_call(call, |elaborator| {
            let value = elaborator.block(&structure.body, &env)?;
            elaborator.coerce(value, &structure.ty, &env, structure.body.result.span, name)
        })?;
        self.label_result(&value, applied.label);
        Ok(value)
    }

    /// Gives static parameters their values.
    pub(super) fn bind_statics(
        &mut self,
        applied: &Applied<'p>,
        args: Args<'p>,
    ) -> Eval<Vec<(&'p str, Value<'p>)>> {
        let outside = self.module_env(applied.item.module);
        let env = Scope::inside(&outside, Vec::new());
        let structure = applied.structure;
        self.bind_params(&structure.name.text, &structure.statics, args, &env)
    }

    /// Runs the body of a call with the call on record; a fault that leaves it gets the calls attached.
    fn in_call(
        &mut self,
        call: Call<'p>,
        body: impl FnOnce(&mut Self) -> Eval<Value<'p>>,
    ) -> Eval<Value<'p>> {
        self.may_nest(&call).map_err(|fault| self.framed(fault))?;
        self.calls.push(call);
        let result = body(self).map_err(|fault| self.framed(fault));
        self.calls.pop();
        result
    }

    /// Names the layer that a call through a `let` gave.
    pub(super) fn label_result(&mut self, value: &Value<'p>, label: Option<&'p str>) {
        if let (Value::Layer(layer), Some(label)) = (value, label) {
            self.builder.label(layer.id, label);
        }
    }

    /// The names that the items of a module see outside all of their own.
    pub(crate) fn module_env(&mut self, module: crate::modules::ModuleId) -> Env<'p> {
        self.envs.entry(module.0).or_insert_with(|| Scope::outermost(module)).clone()
    }
}
