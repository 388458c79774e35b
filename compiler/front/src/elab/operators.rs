//! Operators: exact whole numbers, floats, comparisons, and the connectives of formulas.

use super::{Elaborator, Eval};
use crate::value::formula::Formula;
use crate::value::{Env, Value};
use pcc_diag::{Diagnostic, Span};
use pcc_grammar::ast::{BinaryOp, Expr, UnaryOp};
use std::cmp::Ordering;
use std::rc::Rc;

impl<'p> Elaborator<'p> {
    pub(super) fn unary(
        &mut self,
        op: UnaryOp,
        operand: &'p Expr,
        env: &Env<'p>,
        span: Span,
    ) -> Eval<Value<'p>> {
        let value = self.eval(operand, env)?;
        match (op, &value) {
            (UnaryOp::Not, Value::Bool(b)) => Ok(Value::Bool(!b)),
            (UnaryOp::Negate, Value::Int(i)) => whole(i.checked_neg(), span),
            (UnaryOp::Negate, Value::Float(x)) => Ok(Value::Float(-x)),
            (UnaryOp::Negate, _) => Err(self.mismatch("a number", &value, operand.span, "`-` takes").into()),
            (UnaryOp::Not, _) => {
                let formula = self.as_formula(&value, operand.span)?;
                Ok(Value::Formula(Rc::new(Formula::Not(formula))))
            }
        }
    }

    pub(super) fn binary(
        &mut self,
        op: BinaryOp,
        left: &'p Expr,
        right: &'p Expr,
        env: &Env<'p>,
        span: Span,
    ) -> Eval<Value<'p>> {
        let a = self.eval(left, env)?;
        match (op, &a) {
            (BinaryOp::And, Value::Bool(false)) => return Ok(Value::Bool(false)),
            (BinaryOp::Or, Value::Bool(true)) => return Ok(Value::Bool(true)),
            (BinaryOp::Implies, Value::Bool(false)) => return Ok(Value::Bool(true)),
            _ => {}
        }
        let b = self.eval(right, env)?;
        match op {
            BinaryOp::And | BinaryOp::Or | BinaryOp::Implies => self.connective(op, (&a, left), (&b, right)),
            BinaryOp::Equal | BinaryOp::NotEqual => self.equality(op == BinaryOp::Equal, &a, &b, span),
            BinaryOp::Less | BinaryOp::LessEqual | BinaryOp::Greater | BinaryOp::GreaterEqual => {
                self.comparison(op, &a, &b, span)
            }
            BinaryOp::Range => match (&a, &b) {
                (Value::Int(a), Value::Int(b)) => Ok(Value::Range(*a, *b)),
                _ => Err(self.two_kinds("a range goes from one int to another", &a, &b, span).into()),
            },
            BinaryOp::Arrow => {
                let message = "`a -> b` stands only in the schedule of a recipe";
                Err(Diagnostic::error("kind-mismatch", message)
                    .at(span, "")
                    .help("a range is `a .. b`")
                    .into())
            }
            _ => self.arithmetic(op, &a, &b, span),
        }
    }

    fn connective(
        &mut self,
        op: BinaryOp,
        (a, left): (&Value<'p>, &Expr),
        (b, right): (&Value<'p>, &Expr),
    ) -> Eval<Value<'p>> {
        if let (Value::Bool(_), Value::Bool(b)) = (a, b) {
            // The first operand did not settle it, so the second does.
            return Ok(Value::Bool(*b));
        }
        let (a, b) = (self.as_formula(a, left.span)?, self.as_formula(b, right.span)?);
        let formula = match op {
            BinaryOp::And => Formula::And(a, b),
            BinaryOp::Or => Formula::Or(a, b),
            _ => Formula::Implies(a, b),
        };
        Ok(Value::Formula(Rc::new(formula)))
    }

    fn equality(&mut self, is_equal: bool, a: &Value<'p>, b: &Value<'p>, span: Span) -> Eval<Value<'p>> {
        let is_formula = |v: &Value| matches!(v, Value::Formula(_));
        if is_formula(a) || is_formula(b) || (self.in_constraint && a.as_var().is_some()) {
            let equal = Formula::Equal(self.as_formula(a, span)?, self.as_formula(b, span)?);
            let formula = if is_equal { equal } else { Formula::Not(Rc::new(equal)) };
            return Ok(Value::Formula(Rc::new(formula)));
        }
        let holds = match (a.as_var(), b.as_var(), a.n_elements(), b.n_elements()) {
            (Some(x), Some(y), ..) => x == y,
            (_, _, Some(m), Some(n)) => m == n && (a == b || self.same_elements(a, b, span)?),
            _ if a.kind() == b.kind() => a == b,
            _ => return Err(self.two_kinds("only values of one kind can be equal", a, b, span).into()),
        };
        Ok(Value::Bool(holds == is_equal))
    }

    fn same_elements(&mut self, a: &Value<'p>, b: &Value<'p>, span: Span) -> Eval<bool> {
        Ok(self.elements(a, span)? == self.elements(b, span)?)
    }

    fn comparison(&mut self, op: BinaryOp, a: &Value<'p>, b: &Value<'p>, span: Span) -> Eval<Value<'p>> {
        let order = match (a, b) {
            (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
            (Value::Float(a), Value::Float(b)) => a.partial_cmp(b),
            _ => None,
        };
        let Some(order) = order else {
            return Err(self.two_kinds("two ints or two floats can be compared", a, b, span).into());
        };
        Ok(Value::Bool(match op {
            BinaryOp::Less => order == Ordering::Less,
            BinaryOp::LessEqual => order != Ordering::Greater,
            BinaryOp::Greater => order == Ordering::Greater,
            _ => order != Ordering::Less,
        }))
    }

    fn arithmetic(&mut self, op: BinaryOp, a: &Value<'p>, b: &Value<'p>, span: Span) -> Eval<Value<'p>> {
        match (a, b) {
            (Value::Int(a), Value::Int(b)) => integers(op, *a, *b, span),
            (Value::Float(a), Value::Float(b)) => floats(op, *a, *b, span),
            (Value::Int(_), Value::Float(_)) | (Value::Float(_), Value::Int(_)) => {
                let error = self.two_kinds("numbers of two kinds don't mix", a, b, span);
                Err(error.help("write a whole number as `2.0`, or `float(n)`").into())
            }
            _ => Err(self.two_kinds("arithmetic takes two ints or two floats", a, b, span).into()),
        }
    }

    fn two_kinds(&self, rule: &str, a: &Value<'p>, b: &Value<'p>, span: Span) -> Diagnostic {
        let [a, b] = [a, b].map(|v| crate::words::with_article(v.kind()));
        Diagnostic::error("kind-mismatch", format!("{rule}, and these are {a} and {b}")).at(span, "")
    }
}

fn whole<'p>(result: Option<i64>, span: Span) -> Eval<Value<'p>> {
    match result {
        Some(n) => Ok(Value::Int(n)),
        None => {
            let message = "the result is too large for a whole number";
            Err(Diagnostic::error("number-overflow", message).at(span, "").into())
        }
    }
}

fn integers<'p>(op: BinaryOp, a: i64, b: i64, span: Span) -> Eval<Value<'p>> {
    let is_division = matches!(op, BinaryOp::Divide | BinaryOp::Remainder);
    if is_division && b == 0 {
        return Err(Diagnostic::error("division-by-zero", format!("{a} is divided by zero"))
            .at(span, "")
            .into());
    }
    match op {
        BinaryOp::Add => whole(a.checked_add(b), span),
        BinaryOp::Subtract => whole(a.checked_sub(b), span),
        BinaryOp::Multiply => whole(a.checked_mul(b), span),
        BinaryOp::Remainder => whole(a.checked_rem_euclid(b), span),
        _ if a.checked_rem(b) == Some(0) => whole(a.checked_div(b), span),
        _ => {
            let message = format!("{a} / {b} is not a whole number");
            Err(Diagnostic::error("inexact-division", message)
                .at(span, "")
                .help(format!("`div({a}, {b})` rounds down; for a fraction write floats: `{a}.0 / {b}.0`"))
                .into())
        }
    }
}

fn floats<'p>(op: BinaryOp, a: f64, b: f64, span: Span) -> Eval<Value<'p>> {
    let result = match op {
        BinaryOp::Add => a + b,
        BinaryOp::Subtract => a - b,
        BinaryOp::Multiply => a * b,
        BinaryOp::Divide => a / b,
        _ => a.rem_euclid(b),
    };
    match result.is_finite() {
        true => Ok(Value::Float(result)),
        false => {
            Err(Diagnostic::error("number-overflow", "the result is not a finite number").at(span, "").into())
        }
    }
}
