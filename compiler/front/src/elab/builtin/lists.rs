//! Functions of lists, ranges and scopes alike.

use super::Given;
use crate::elab::{Elaborator, Eval};
use crate::value::{ScopeValue, Shape, Value};
use pcc_diag::{Diagnostic, Span};
use std::rc::Rc;

impl<'p> Elaborator<'p> {
    pub(super) fn list_function(&mut self, name: &str, given: Given<'p>) -> Eval<Value<'p>> {
        match name {
            "len" => self.length(given),
            "head" | "tail" => self.part(name, given),
            "reverse" => {
                let (of, span) = self.arg(&given, 0)?;
                let mut values = self.elements(&of, span)?;
                values.reverse();
                self.alike(&of, values, span)
            }
            "concat" => {
                let mut all = Vec::new();
                for (list, span) in &given.rest {
                    all.extend(self.elements(list, *span)?);
                }
                Ok(Value::list(all))
            }
            "join" => self.join(given),
            "zip" => self.zip(given),
            "range" => {
                let first = self.int_arg(&given, 0, "the end of a range")?;
                match given.at(1) {
                    Some((end, span)) => {
                        Ok(Value::Range(first, self.as_int(end, *span, "the end of a range")?))
                    }
                    None => Ok(Value::Range(0, first)),
                }
            }
            _ => {
                let (of, span) = self.arg(&given, 0)?;
                let (value, _) = self.arg(&given, 1)?;
                Ok(Value::Bool(self.elements(&of, span)?.contains(&value)))
            }
        }
    }

    /// Texts one after the other.
    fn join(&mut self, given: Given<'p>) -> Eval<Value<'p>> {
        let mut all = String::new();
        for (text, span) in &given.rest {
            match text {
                Value::Text(text) => all.push_str(text),
                other => return Err(self.mismatch("a text", other, *span, "`join` takes").into()),
            }
        }
        Ok(Value::Text(all.into()))
    }

    fn length(&mut self, given: Given<'p>) -> Eval<Value<'p>> {
        let (of, span) = self.arg(&given, 0)?;
        let n = match &of {
            Value::Tree(tree) => Some(tree.len()),
            Value::Vtree(vtree) => Some(vtree.vars().len()),
            Value::Var(_) => Some(1),
            other => other.n_elements(),
        };
        match n {
            Some(n) => Ok(Value::Int(n as i64)),
            None => Err(self.mismatch("a list, a scope or a tree", &of, span, "`len` takes").into()),
        }
    }

    /// `head(xs, to = n)` is the first n, `tail(xs, from = n)` all but these.
    fn part(&mut self, name: &str, given: Given<'p>) -> Eval<Value<'p>> {
        let (of, span) = self.arg(&given, 0)?;
        let (at, at_span) = self.arg(&given, 1)?;
        let at = self.as_int(&at, at_span, "a position")?;
        let values = self.elements(&of, span)?;
        let n = values.len();
        let Some(at) = usize::try_from(at).ok().filter(|at| *at <= n) else {
            let message = format!("{at} is outside: there are {n} elements");
            return Err(Diagnostic::error("index-outside", message).at(at_span, "").into());
        };
        let part = if name == "head" { values.get(..at) } else { values.get(at..) };
        self.alike(&of, part.unwrap_or(&[]).to_vec(), span)
    }

    /// Elements of a value as a value of the same kind.
    pub(super) fn alike(&self, of: &Value<'p>, values: Vec<Value<'p>>, span: Span) -> Eval<Value<'p>> {
        let Value::Scope(scope) = of else { return Ok(Value::list(values)) };
        let vars: Option<Vec<_>> = values.iter().map(Value::as_var).collect();
        let Some(vars) = vars else { return Err(self.bug("a scope holds variables", span)) };
        Ok(Value::Scope(Rc::new(match scope.shape {
            Shape::Set => ScopeValue::set(vars),
            _ => ScopeValue::sequence(vars),
        })))
    }

    fn zip(&mut self, given: Given<'p>) -> Eval<Value<'p>> {
        let (left, left_span) = self.arg(&given, 0)?;
        let (right, right_span) = self.arg(&given, 1)?;
        let (a, b) = (self.elements(&left, left_span)?, self.elements(&right, right_span)?);
        if a.len() != b.len() {
            let message = format!("`zip` takes two lists of one length, not of {} and {}", a.len(), b.len());
            return Err(Diagnostic::error("bad-option", message).at(given.span, "").into());
        }
        let pairs = a.into_iter().zip(b).map(|(a, b)| Value::Tuple([a, b].into_iter().collect()));
        Ok(Value::list(pairs.collect()))
    }
}
