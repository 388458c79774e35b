//! Arguments: evaluating them, and giving each parameter its own.

use super::{Elaborator, Eval};
use crate::value::closure::Scope;
use crate::value::{Env, Value};
use crate::words::listing;
use pcc_diag::{Diagnostic, Span};
use pcc_grammar::ast::{self, Arg, Clause, Name, Pattern};

/// The most elements of one list.
const MOST_ELEMENTS: usize = 1 << 24;

/// Evaluated arguments; comprehensions are spliced in.
pub(crate) struct Args<'p> {
    pub(crate) positional: Vec<(Value<'p>, Span)>,
    pub(crate) named: Vec<(&'p Name, Value<'p>, Span)>,
    /// The whole call.
    pub(crate) span: Span,
}

impl<'p> Elaborator<'p> {
    /// Evaluates arguments from left to right.
    pub(super) fn args(&mut self, args: &'p [Arg], env: &Env<'p>, span: Span) -> Eval<Args<'p>> {
        let mut evaluated = Args { positional: Vec::with_capacity(args.len()), named: Vec::new(), span };
        for arg in args {
            match arg {
                Arg::Positional(e) => evaluated.positional.push((self.eval(e, env)?, e.span)),
                Arg::Named(name, e) => evaluated.named.push((name, self.eval(e, env)?, e.span)),
                Arg::For(clause) => self.comprehension(clause, env, &mut evaluated.positional)?,
            }
        }
        Ok(evaluated)
    }

    fn comprehension(
        &mut self,
        clause: &'p Clause,
        env: &Env<'p>,
        into: &mut Vec<(Value<'p>, Span)>,
    ) -> Eval<()> {
        let source = self.eval(&clause.source, env)?;
        for element in self.elements(&source, clause.source.span)? {
            let inner = Scope::inside(env, Vec::new());
            self.bind_pattern(&clause.pattern, element, &inner, clause.source.span)?;
            let is_kept = match &clause.condition {
                Some(condition) => {
                    let value = self.eval(condition, &inner)?;
                    self.as_bool(&value, condition.span, "the condition of `for`")?
                }
                None => true,
            };
            if is_kept {
                into.push((self.eval(&clause.value, &inner)?, clause.value.span));
            }
        }
        Ok(())
    }

    /// What `for` runs through.
    pub(super) fn elements(&mut self, value: &Value<'p>, span: Span) -> Eval<Vec<Value<'p>>> {
        let n = value.n_elements().unwrap_or(0);
        self.spend(n as u64, span)?;
        if n > MOST_ELEMENTS {
            let message = format!("this would be a list of {n} elements; {MOST_ELEMENTS} are the most");
            return Err(Diagnostic::error("budget-spent", message).at(span, "").into());
        }
        let wanted = || self.mismatch("a list, a range or a scope", value, span, "what is run through is");
        value.elements().ok_or_else(|| wanted().into())
    }

    /// The elements of a list of numbers.
    pub(super) fn numbers_of(&mut self, value: &Value<'p>, span: Span, of: &str) -> Eval<Vec<f64>> {
        let numbers = match value.n_elements() {
            Some(_) => self.elements(value, span)?.iter().map(Value::as_number).collect(),
            None => None,
        };
        numbers.ok_or_else(|| self.mismatch("a list of numbers", value, span, of).into())
    }

    /// Binds the names of a pattern.
    pub(crate) fn bind_pattern(
        &mut self,
        pattern: &'p Pattern,
        value: Value<'p>,
        env: &Env<'p>,
        span: Span,
    ) -> Eval<()> {
        match pattern {
            Pattern::Name(name) => env.bind(&name.text, value),
            Pattern::Tuple(names, at) => {
                let parts = match &value {
                    Value::Tuple(parts) | Value::List(parts) if parts.len() == names.len() => parts.clone(),
                    _ => {
                        let message =
                            format!("{} names can't be bound to {}", names.len(), self.described(&value));
                        return Err(Diagnostic::error("pattern-differs", message)
                            .at(*at, format!("{} names", names.len()))
                            .note(span, "the value")
                            .into());
                    }
                };
                for (name, part) in names.iter().zip(parts.iter()) {
                    env.bind(&name.text, part.clone());
                }
            }
        }
        Ok(())
    }

    fn described(&self, value: &Value<'p>) -> String {
        match value {
            Value::Tuple(parts) | Value::List(parts) => format!("a {} of {}", value.kind(), parts.len()),
            _ => crate::words::with_article(value.kind()),
        }
    }

    /// Gives each parameter its argument, or its default, and binds them all in `env`; the values come back
    /// in the order of the parameters. Types are checked once all are bound, as they may name each other.
    pub(super) fn bind_params(
        &mut self,
        callee: &str,
        params: &'p [ast::Param],
        args: Args<'p>,
        env: &Env<'p>,
    ) -> Eval<Vec<(&'p str, Value<'p>)>> {
        let given = assign(callee, params, args)?;
        let mut bound = Vec::with_capacity(params.len());
        for (param, value) in params.iter().zip(given) {
            let (value, span) = match (value, &param.default) {
                (Some(given), _) => given,
                (None, Some(default)) => (self.eval(default, env)?, default.span),
                (None, None) => return Err(self.bug("an argument is missing", param.name.span)),
            };
            env.bind(&param.name.text, value.clone());
            bound.push((param.name.text.as_str(), value, span));
        }
        let mut checked = Vec::with_capacity(params.len());
        for (param, (name, value, span)) in params.iter().zip(bound) {
            let value = match &param.ty {
                Some(ty) => self.coerce(value, ty, env, span, name)?,
                None => value,
            };
            env.bind(name, value.clone());
            checked.push((name, value));
        }
        Ok(checked)
    }
}

type Given<'p> = Option<(Value<'p>, Span)>;

/// Which argument belongs to which parameter.
fn assign<'p>(callee: &str, params: &'p [ast::Param], args: Args<'p>) -> Eval<Vec<Given<'p>>> {
    let mut given: Vec<Given<'p>> = params.iter().map(|_| None).collect();
    let n_given = args.positional.len();
    for (i, (value, span)) in args.positional.into_iter().enumerate() {
        match given.get_mut(i) {
            Some(slot) => *slot = Some((value, span)),
            None => return Err(too_many(callee, params, n_given, span).into()),
        }
    }
    for (name, value, span) in args.named {
        let position = params.iter().position(|p| p.name.text == name.text);
        match position.and_then(|i| given.get_mut(i)) {
            Some(slot) if slot.is_none() => *slot = Some((value, span)),
            Some(_) => {
                let message = format!("`{}` is given twice", name.text);
                return Err(Diagnostic::error("duplicate-argument", message).at(name.span, "").into());
            }
            None => return Err(unknown_argument(callee, params, name).into()),
        }
    }
    for (param, slot) in params.iter().zip(&given) {
        if slot.is_none() && param.default.is_none() {
            let message = format!("`{callee}` needs `{}`", param.name.text);
            return Err(Diagnostic::error("missing-argument", message)
                .at(args.span, "")
                .note(param.name.span, "declared here, without a default")
                .into());
        }
    }
    Ok(given)
}

fn too_many(callee: &str, params: &[ast::Param], n_given: usize, span: Span) -> Diagnostic {
    let n = crate::words::count(params.len(), "argument");
    let message = format!("`{callee}` takes {n}, but {n_given} are given");
    Diagnostic::error("unknown-argument", message).at(span, "one too many")
}

fn unknown_argument(callee: &str, params: &[ast::Param], name: &Name) -> Diagnostic {
    let message = format!("`{callee}` has no parameter `{}` here", name.text);
    let error = Diagnostic::error("unknown-argument", message).at(name.span, "");
    let names: Vec<&str> = params.iter().map(|p| p.name.text.as_str()).collect();
    error.did_you_mean(&name.text, names.iter().copied(), |error| match names.is_empty() {
        true => error,
        false => error.help(format!(
            "it has {}; brackets take static arguments, parentheses the others",
            listing(&names)
        )),
    })
}
