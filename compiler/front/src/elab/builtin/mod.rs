//! What the names of the prelude and the natives of `std` do.
//!
//! Each call is dispatched here by name; arguments of all but `copies` and the learners are evaluated first.
//! A name in [`crate::builtin::SIGNATURES`] that has no arm here is a fault of pcc, and a test finds it.

mod family;
mod layers;
mod lists;
mod logic;
mod numbers;
mod scopes;

use super::args::Args;
use super::eval::Tags;
use super::{Elaborator, Eval};
use crate::builtin::{Home, Need, Signature};
use crate::value::{Env, Value};
use pcc_diag::{Diagnostic, Span};
use pcc_grammar::ast::Arg;

/// The arguments of a builtin: one place for each parameter, and those of a parameter that takes many.
pub(super) struct Given<'p> {
    places: Vec<Option<(Value<'p>, Span)>>,
    rest: Vec<(Value<'p>, Span)>,
    /// The call.
    pub(super) span: Span,
}

impl<'p> Given<'p> {
    /// The argument of the parameter at a position.
    pub(super) fn at(&self, position: usize) -> Option<&(Value<'p>, Span)> {
        self.places.get(position).and_then(Option::as_ref)
    }
}

impl<'p> Elaborator<'p> {
    /// `builtin[statics](args) with table by latent`
    pub(super) fn call_builtin(
        &mut self,
        signature: &'static Signature,
        statics: &[Value<'p>],
        args: &'p [Arg],
        tags: Tags<'p>,
        env: &Env<'p>,
        span: Span,
    ) -> Eval<Value<'p>> {
        if statics.len() != signature.statics.len() {
            let name = signature.name;
            let wanted: Vec<&str> = signature.statics.iter().map(|p| p.name).collect();
            let message = format!("`{name}` needs its {} in brackets", wanted.join(", "));
            return Err(Diagnostic::error("missing-argument", message)
                .at(span, "")
                .help(format!("write `{name}[{}](..)`", wanted.join(", ")))
                .into());
        }
        match (signature.home, signature.name) {
            (Home::Prelude, "copies") => return self.copies(statics, args, env, span),
            (Home::Std(_), "chow_liu" | "kmeans") => {
                return self.call_learner(signature.name, args, tags, env, span);
            }
            _ => {}
        }
        let args = self.args(args, env, span)?;
        let given = self.assign(signature, args)?;
        if given.places.iter().flatten().chain(&given.rest).any(|(v, _)| matches!(v, Value::Pending)) {
            return Ok(Value::Pending);
        }
        match (signature.home, signature.name) {
            (Home::Prelude, "input" | "sum" | "mix" | "prod" | "outer") => {
                self.build(signature.name, statics, given, tags, env)
            }
            _ => {
                if let Some(tag) = tags.table.or(tags.latent) {
                    let word = if tags.table.is_some() { "with" } else { "by" };
                    let message = format!("`{}` takes no `{word}`", signature.name);
                    return Err(Diagnostic::error("misplaced-tag", message).at(tag.span, "").into());
                }
                self.compute(signature, given)
            }
        }
    }

    fn compute(&mut self, signature: &'static Signature, given: Given<'p>) -> Eval<Value<'p>> {
        match (signature.home, signature.name) {
            (Home::Prelude, "bernoulli" | "categorical" | "binomial" | "gaussian") => {
                self.family_or_leaf(signature.name, given)
            }
            (Home::Prelude, "literal") => self.literal_of(given),
            (Home::Prelude, "fixed") => self.fixed(given),
            (
                Home::Prelude,
                "len" | "head" | "tail" | "reverse" | "concat" | "join" | "zip" | "range" | "contains",
            ) => self.list_function(signature.name, given),
            (Home::Prelude, "min" | "max" | "total" | "div" | "log2" | "ceil_log2" | "float") => {
                self.number_function(signature.name, given)
            }
            (Home::Prelude, "key" | "random_halves" | "shuffle") => self.keyed(signature.name, given),
            (Home::Prelude, "union" | "minus" | "balanced" | "right_linear" | "left_linear") => {
                self.scope_function(signature.name, given)
            }
            (Home::Std("std/trees"), "tree_of") => self.tree_of(given),
            (Home::Std("std/logic"), "partition") => self.partition(given),
            (Home::Std("std/logic"), "literal") => self.literal_in(given),
            (Home::Std("std/logic"), name) => self.cardinality(name, given),
            (_, name) => Err(self.bug(&format!("`{name}` is declared but does nothing"), given.span)),
        }
    }

    fn assign(&self, signature: &'static Signature, args: Args<'p>) -> Eval<Given<'p>> {
        let params = signature.params;
        let mut given =
            Given { places: params.iter().map(|_| None).collect(), rest: Vec::new(), span: args.span };
        let n_given = args.positional.len();
        for (i, (value, span)) in args.positional.into_iter().enumerate() {
            let takes_many = params.last().is_some_and(|p| p.need == Need::Rest);
            match given.places.get_mut(i) {
                _ if takes_many && i + 1 >= params.len() => given.rest.push((value, span)),
                Some(place) => *place = Some((value, span)),
                None => {
                    let n = crate::words::count(params.len(), "argument");
                    let message = format!("`{}` takes {n}, but {n_given} are given", signature.name);
                    return Err(Diagnostic::error("unknown-argument", message)
                        .at(span, "one too many")
                        .into());
                }
            }
        }
        for (name, value, span) in args.named {
            let position = params.iter().position(|p| p.name == name.text && p.need != Need::Rest);
            match position.and_then(|i| given.places.get_mut(i)) {
                Some(place) if place.is_none() => *place = Some((value, span)),
                Some(_) => {
                    let message = format!("`{}` is given twice", name.text);
                    return Err(Diagnostic::error("duplicate-argument", message).at(name.span, "").into());
                }
                None => {
                    let message = format!("`{}` has no parameter `{}`", signature.name, name.text);
                    let error = Diagnostic::error("unknown-argument", message).at(name.span, "");
                    let known = params.iter().map(|p| p.name);
                    return Err(error.did_you_mean(&name.text, known, |error| error).into());
                }
            }
        }
        let missing = params.iter().zip(&given.places).find(|(p, v)| p.need == Need::Required && v.is_none());
        if let Some((param, _)) = missing {
            let message = format!("`{}` needs `{}`", signature.name, param.name);
            return Err(Diagnostic::error("missing-argument", message).at(given.span, "").into());
        }
        Ok(given)
    }

    /// A required argument.
    fn arg(&self, given: &Given<'p>, position: usize) -> Eval<(Value<'p>, Span)> {
        given.at(position).cloned().ok_or_else(|| self.bug("an argument is missing", given.span))
    }

    fn int_arg(&self, given: &Given<'p>, position: usize, what: &str) -> Eval<i64> {
        let (value, span) = self.arg(given, position)?;
        self.as_int(&value, span, what)
    }
}

#[cfg(test)]
mod tests {
    use crate::builtin::{Home, SIGNATURES};

    /// Every callable of the prelude and of `std` is named in a dispatch above.
    #[test]
    fn every_signature_is_dispatched() {
        let text = concat!(include_str!("mod.rs"), include_str!("logic.rs"));
        for signature in SIGNATURES {
            if matches!(signature.home, Home::Prelude | Home::Std(_)) {
                assert!(text.contains(&format!("\"{}\"", signature.name)), "{}", signature.name);
            }
        }
    }
}
