//! Functions of numbers.

use super::Given;
use crate::elab::{Elaborator, Eval};
use crate::value::Value;
use pcc_diag::{Diagnostic, Span};

impl<'p> Elaborator<'p> {
    pub(super) fn number_function(&mut self, name: &str, given: Given<'p>) -> Eval<Value<'p>> {
        let span = given.span;
        match name {
            "min" | "max" => self.extreme(name, given),
            "total" => {
                let (list, at) = self.arg(&given, 0)?;
                let values = self.elements(&list, at)?;
                self.total(&values, at)
            }
            "div" => {
                let (n, by) = (self.int_arg(&given, 0, "`n`")?, self.int_arg(&given, 1, "`by`")?);
                match (by, n.checked_div_euclid(by)) {
                    (0, _) => Err(Diagnostic::error("division-by-zero", format!("{n} is divided by zero"))
                        .at(span, "")
                        .into()),
                    // Rounding down is the Euclidean quotient for positive divisors, one less for the others.
                    (by, Some(q)) if by > 0 || n.checked_rem(by) == Some(0) => Ok(Value::Int(q)),
                    (_, Some(q)) => Ok(Value::Int(q - 1)),
                    (_, None) => Err(too_large(span).into()),
                }
            }
            "log2" | "ceil_log2" => {
                let n = self.int_arg(&given, 0, "`n`")?;
                let positive = u64::try_from(n).ok().filter(|n| *n > 0);
                match positive {
                    Some(n) if name == "log2" => Ok(Value::Int(i64::from(n.ilog2()))),
                    Some(n) => Ok(Value::Int(i64::from(n.next_power_of_two().trailing_zeros()))),
                    None => {
                        let message = format!("`{name}` takes a positive number, not {n}");
                        Err(Diagnostic::error("bad-option", message).at(span, "").into())
                    }
                }
            }
            _ => Ok(Value::Float(self.int_arg(&given, 0, "`n`")? as f64)),
        }
    }

    /// `min(a, b)` or `min(list)`
    fn extreme(&mut self, name: &str, given: Given<'p>) -> Eval<Value<'p>> {
        let span = given.span;
        let values = match given.rest.as_slice() {
            [(only, at)] if only.n_elements().is_some() => self.elements(only, *at)?,
            many => many.iter().map(|(v, _)| v.clone()).collect(),
        };
        let ints: Option<Vec<i64>> =
            values.iter().map(|v| if let Value::Int(i) = v { Some(*i) } else { None }).collect();
        let floats: Option<Vec<f64>> =
            values.iter().map(|v| if let Value::Float(x) = v { Some(*x) } else { None }).collect();
        let is_min = name == "min";
        let extreme = match (ints, floats) {
            (Some(ints), _) if !ints.is_empty() => {
                if is_min { ints.into_iter().min() } else { ints.into_iter().max() }.map(Value::Int)
            }
            (_, Some(floats)) => {
                floats.into_iter().reduce(if is_min { f64::min } else { f64::max }).map(Value::Float)
            }
            _ => {
                let message = format!("`{name}` takes numbers of one kind, or a list of them");
                return Err(Diagnostic::error("kind-mismatch", message).at(span, "").into());
            }
        };
        extreme.ok_or_else(|| {
            let message = format!("`{name}` of nothing has no value");
            Diagnostic::error("empty-scope", message).at(span, "").into()
        })
    }

    fn total(&self, values: &[Value<'p>], span: Span) -> Eval<Value<'p>> {
        let mut total = Value::Int(0);
        for (i, value) in values.iter().enumerate() {
            total = match (&total, value) {
                (Value::Int(a), Value::Int(b)) => {
                    Value::Int(a.checked_add(*b).ok_or_else(|| too_large(span))?)
                }
                (_, Value::Float(b)) if i == 0 => Value::Float(*b),
                (Value::Float(a), Value::Float(b)) => Value::Float(a + b),
                _ => return Err(self.mismatch("numbers of one kind", value, span, "`total` adds").into()),
            };
        }
        Ok(total)
    }
}

fn too_large(span: Span) -> Diagnostic {
    Diagnostic::error("number-overflow", "the result is too large for a whole number").at(span, "")
}
