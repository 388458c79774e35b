//! Families of input distributions, leaves with numbers, and literals of any domain.

use super::Given;
use crate::elab::tables::Table;
use crate::elab::{Elaborator, Eval};
use crate::value::Value;
use pcc_diag::{Diagnostic, Span};
use pcc_ir::family::{Bernoulli, Binomial, Categorical, Gaussian, MinSd};
use pcc_ir::{Domain, Family, VarId};
use std::rc::Rc;

impl<'p> Elaborator<'p> {
    /// `gaussian(min_sd = 1e-3)` names a family, `gaussian(v, mean, sd)` builds a leaf.
    pub(super) fn family_or_leaf(&mut self, name: &str, given: Given<'p>) -> Eval<Value<'p>> {
        let is_leaf = given.at(0).is_some_and(|(v, _)| v.as_var().is_some());
        if is_leaf { self.leaf(name, given) } else { self.family(name, given) }
    }

    fn family(&mut self, name: &str, given: Given<'p>) -> Eval<Value<'p>> {
        let n_given = given.places.iter().flatten().count();
        let family = match (name, n_given) {
            ("bernoulli", 0) => Family::Bernoulli(Bernoulli),
            // The number of values is that of the variable's domain, as soon as there is one.
            ("categorical", 0) => Family::Categorical(Categorical { n: 0 }),
            ("binomial", 1) => {
                let (n, span) = match (given.at(0), given.at(1)) {
                    (Some(n), _) | (None, Some(n)) => n.clone(),
                    _ => return Err(self.leaf_needs("binomial", "n", &given).into()),
                };
                Family::Binomial(Binomial { n: self.as_count(&n, span, "the number of trials")? })
            }
            ("gaussian", 0) => Family::Gaussian(Gaussian::default()),
            ("gaussian", 1) if given.at(3).is_some() => {
                Family::Gaussian(Gaussian { min_sd: self.min_sd(&given)? })
            }
            ("binomial", 0) => return Err(self.leaf_needs("binomial", "n", &given).into()),
            _ => return Err(self.leaf_needs(name, "variable", &given).into()),
        };
        Ok(Value::Family(family))
    }

    fn leaf_needs(&self, name: &str, what: &str, given: &Given<'p>) -> Diagnostic {
        let message = format!("`{name}` needs `{what}`");
        let error = Diagnostic::error("missing-argument", message).at(given.span, "");
        match name {
            "bernoulli" => error.help("a leaf is `bernoulli(v, p)`, the family `bernoulli()`"),
            "categorical" => {
                error.help("a leaf is `categorical(v, [p0, p1, ..])`, the family `categorical()`")
            }
            "binomial" => error.help("a leaf is `binomial(v, n, p)`, the family `binomial(n)`"),
            _ => error.help("a leaf is `gaussian(v, mean, sd)`, the family `gaussian(min_sd = 1e-3)`"),
        }
    }

    fn min_sd(&self, given: &Given<'p>) -> Eval<MinSd> {
        let Some((value, span)) = given.at(3) else { return Ok(Gaussian::default().min_sd) };
        match value.as_number().and_then(MinSd::new) {
            Some(min_sd) => Ok(min_sd),
            None => {
                let message =
                    format!("the smallest deviation is a positive number, not {}", self.shown(value));
                Err(Diagnostic::error("bad-parameter", message).at(*span, "").into())
            }
        }
    }

    fn leaf(&mut self, name: &str, given: Given<'p>) -> Eval<Value<'p>> {
        let (value, span) = self.arg(&given, 0)?;
        let var = self.as_var(&value, span, &format!("`{name}`"))?;
        let (family, numbers) = match name {
            "bernoulli" => (Family::Bernoulli(Bernoulli), vec![self.number(name, "p", &given, 1)?]),
            "categorical" => {
                let Some((list, at)) = given.at(1).cloned() else {
                    return Err(self.leaf_needs(name, "p", &given).into());
                };
                let numbers = self.numbers_of(&list, at, "`categorical` takes")?;
                (Family::Categorical(Categorical { n: numbers.len() as u32 }), numbers)
            }
            "binomial" => {
                let Some((n, at)) = given.at(1).cloned() else {
                    return Err(self.leaf_needs(name, "n", &given).into());
                };
                let n = self.as_count(&n, at, "the number of trials")?;
                (Family::Binomial(Binomial { n }), vec![self.number(name, "p", &given, 2)?])
            }
            _ => {
                let family = Family::Gaussian(Gaussian { min_sd: self.min_sd(&given)? });
                (family, vec![self.number(name, "mean", &given, 1)?, self.number(name, "sd", &given, 2)?])
            }
        };
        self.check_fits(family, var, span)?;
        let table = Table::Numbers { rows: vec![numbers], is_fixed: false, span: given.span };
        let layer = self.input_of(var, family, 1, table, given.span)?;
        Ok(self.layer_value(layer))
    }

    fn number(&self, leaf: &str, what: &str, given: &Given<'p>, position: usize) -> Eval<f64> {
        let Some((value, span)) = given.at(position) else {
            return Err(self.leaf_needs(leaf, what, given).into());
        };
        let wanted = || self.mismatch("a number", value, *span, &format!("`{what}` is"));
        value.as_number().ok_or_else(|| wanted().into())
    }

    /// The family that a domain picks.
    pub(super) fn default_family(&self, var: VarId, span: Span) -> Eval<Family> {
        let domain = self.graph().variable(var).domain;
        Family::default_for(domain).ok_or_else(|| {
            let message = format!("`{domain}` has no bound, so it picks no family by itself");
            Diagnostic::error("family-does-not-fit", message)
                .at(span, format!("`{domain}`"))
                .help("give the variable a bounded domain, such as `int(0 .. 255)`")
                .into()
        })
    }

    /// A family that was named for a variable.
    pub(super) fn fitting_family(&mut self, value: &Value<'p>, var: VarId, span: Span) -> Eval<Family> {
        let Value::Family(family) = self.family_named(value.clone(), span)? else {
            return Err(self.bug("a family", span));
        };
        let domain = self.graph().variable(var).domain;
        let family = match (family, domain.n_values()) {
            (Family::Categorical(Categorical { n: 0 }), Some(n)) => Family::Categorical(Categorical { n }),
            _ => family,
        };
        self.check_fits(family, var, span)?;
        Ok(family)
    }

    /// A family; its name alone, without parentheses, will do where it has no settings to give.
    pub(in crate::elab) fn family_named(&mut self, value: Value<'p>, span: Span) -> Eval<Value<'p>> {
        match value {
            Value::Family(family) => Ok(Value::Family(family)),
            other => {
                let error = self.mismatch("a family of distributions", &other, span, "this takes");
                Err(error
                    .help("the families are `bernoulli()`, `categorical()`, `binomial(n)` and `gaussian()`")
                    .into())
            }
        }
    }

    fn check_fits(&self, family: Family, var: VarId, span: Span) -> Eval<()> {
        let domain = self.graph().variable(var).domain;
        if family.get().fits(domain) {
            return Ok(());
        }
        let name = self.graph().variable_name(var);
        let what = match family.get().n_values() {
            Some(n) if n > 0 => format!("`{}` over {n} values", family.name()),
            _ => format!("`{}`", family.name()),
        };
        let message = format!("{what} does not fit `{name}`, which is `{domain}`");
        let error = Diagnostic::error("family-does-not-fit", message).at(span, format!("`{domain}`"));
        Err(match Family::default_for(domain) {
            Some(default) => error.help(format!("`{domain}` takes `{}`", default.name())).into(),
            None => error.into(),
        })
    }

    /// `literal(v, value)`: the indicator of one value.
    pub(super) fn literal_of(&mut self, given: Given<'p>) -> Eval<Value<'p>> {
        let (value, span) = self.arg(&given, 0)?;
        let var = self.as_var(&value, span, "`literal`")?;
        let (value, span) = self.arg(&given, 1)?;
        let domain = self.graph().variable(var).domain;
        let code = match (&value, domain) {
            (Value::Bool(b), Domain::Bool) => Some(u32::from(*b)),
            (_, Domain::Bool) => None,
            _ => value.as_number().and_then(|x| domain.code_of(x)),
        };
        let Some(code) = code else {
            let name = self.graph().variable_name(var);
            let message = format!("{} is no value of `{name}`, which is `{domain}`", self.shown(&value));
            return Err(Diagnostic::error("value-out-of-domain", message).at(span, "").into());
        };
        let layer = self.literal(var, code, given.span)?;
        Ok(self.layer_value(layer))
    }

    /// `fixed(table)`: numbers that learning leaves alone.
    pub(super) fn fixed(&mut self, given: Given<'p>) -> Eval<Value<'p>> {
        let (value, _) = self.arg(&given, 0)?;
        Ok(Value::Fixed(Rc::new(value)))
    }
}
