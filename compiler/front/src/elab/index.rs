//! Brackets: indices and slices, static arguments, keys of parameters.

use super::args::Args;
use super::{Elaborator, Eval};
use crate::value::scope::{Index, IndexFault};
use crate::value::{Applied, Env, GridBox, ScopeValue, Value};
use crate::words::count;
use pcc_diag::{Diagnostic, Span};
use pcc_grammar::ast::{Arg, Expr};
use std::rc::Rc;

impl<'p> Elaborator<'p> {
    pub(super) fn index(
        &mut self,
        callee: &'p Expr,
        args: &'p [Arg],
        env: &Env<'p>,
        span: Span,
    ) -> Eval<Value<'p>> {
        let of = self.eval(callee, env)?;
        let args = self.args(args, env, span)?;
        match of {
            Value::Structure(applied) => self.apply_statics(&applied, args),
            Value::Builtin(signature, statics) if statics.is_empty() && !signature.statics.is_empty() => {
                let values = self.positional_only(args, signature.statics.len(), signature.name)?;
                Ok(Value::Builtin(signature, values.into_iter().map(|(v, _)| v).collect()))
            }
            Value::Scope(scope) => self.slice(&scope, args),
            Value::List(_) | Value::Tuple(_) | Value::Range(..) => self.element(&of, args),
            Value::Tables(tables) if tables.is_keyed => {
                let key = self.one_key(args)?;
                let shown = self.shown(&key);
                Ok(Value::Slot(tables.slot(key, &shown)))
            }
            Value::Tables(tables) => {
                let message = format!("`{}` is one table, without keys", tables.name);
                Err(Diagnostic::error("param-key", message)
                    .at(span, "")
                    .note(tables.span, "declared here")
                    .help(format!("`param {}[_]` is one table for each key", tables.name))
                    .into())
            }
            Value::Shared(_) => {
                let message = "a shared structure has its static arguments where `share` is written";
                Err(Diagnostic::error("kind-mismatch", message).at(span, "").into())
            }
            other => {
                let error = self.mismatch("what can be indexed", &other, callee.span, "brackets follow");
                Err(error.help("brackets hold numbers, parentheses hold circuits").into())
            }
        }
    }

    /// `Structure[K = 64]`
    fn apply_statics(&mut self, applied: &Rc<Applied<'p>>, args: Args<'p>) -> Eval<Value<'p>> {
        let name = applied.structure.name.text.as_str();
        if applied.statics.is_some() {
            let message = format!("`{name}` has its static arguments already");
            return Err(Diagnostic::error("unknown-argument", message).at(args.span, "").into());
        }
        let statics = self.bind_statics(applied, args)?;
        let mut applied = (**applied).clone();
        applied.statics = Some(statics.into_iter().map(|(_, v)| v).collect());
        Ok(Value::Structure(Rc::new(applied)))
    }

    /// Positional arguments of a builtin, exactly so many.
    pub(super) fn positional_only(
        &self,
        args: Args<'p>,
        n: usize,
        name: &str,
    ) -> Eval<Vec<(Value<'p>, Span)>> {
        if let Some((named, ..)) = args.named.first() {
            let message = format!("`{name}` takes no named arguments here");
            return Err(Diagnostic::error("unknown-argument", message).at(named.span, "").into());
        }
        match args.positional.len() {
            found if found == n => Ok(args.positional),
            found => {
                let code = if found < n { "missing-argument" } else { "unknown-argument" };
                let message = format!("`{name}` takes {} here, not {found}", count(n, "argument"));
                Err(Diagnostic::error(code, message).at(args.span, "").into())
            }
        }
    }

    fn one_key(&self, args: Args<'p>) -> Eval<Value<'p>> {
        let span = args.span;
        let mut keys = self.positional_only_any(args)?;
        match (keys.len(), keys.pop()) {
            (1, Some((key, _))) => Ok(key),
            (_, last) => {
                let keys = keys.into_iter().chain(last).map(|(v, _)| v);
                let keys: Vec<_> = keys.collect();
                if keys.is_empty() {
                    Err(self.bug("an empty index", span))
                } else {
                    Ok(Value::Tuple(keys.into()))
                }
            }
        }
    }

    fn positional_only_any(&self, args: Args<'p>) -> Eval<Vec<(Value<'p>, Span)>> {
        let n = args.positional.len();
        self.positional_only(args, n, "an index")
    }

    fn element(&mut self, of: &Value<'p>, args: Args<'p>) -> Eval<Value<'p>> {
        let n = of.n_elements().unwrap_or(0) as i64;
        let of_kind = of.kind();
        let [(index, span)] = <[_; 1]>::try_from(self.positional_only(args, 1, of_kind)?)
            .map_err(|_| self.bug("one index", Span::NONE))?;
        match (&index, of) {
            (Value::Int(i), _) if *i < 0 || *i >= n => Err(outside(*i, n, of_kind, span).into()),
            (Value::Int(i), Value::Range(a, _)) => Ok(Value::Int(a + i)),
            (Value::Int(i), Value::List(values) | Value::Tuple(values)) => {
                values.get(*i as usize).cloned().ok_or_else(|| self.bug("an index", span))
            }
            (Value::Range(a, b), _) if *a < 0 || *b < *a || *b > n => {
                let message = format!("{a} .. {b} leaves this {of_kind} of {n}");
                Err(Diagnostic::error("index-outside", message).at(span, "").into())
            }
            (Value::Range(a, b), Value::Range(c, _)) => Ok(Value::Range(c + a, c + b)),
            (Value::Range(a, b), Value::List(values) | Value::Tuple(values)) => {
                Ok(Value::list(values.get(*a as usize..*b as usize).unwrap_or(&[]).to_vec()))
            }
            _ => Err(self.mismatch("an int or a range", &index, span, "an index is").into()),
        }
    }

    /// `X[3, 5]`, `X[0 .. 2, 4]`, `X[b]`
    fn slice(&mut self, scope: &ScopeValue, args: Args<'p>) -> Eval<Value<'p>> {
        let span = args.span;
        let args = self.positional_only_any(args)?;
        if let [(Value::Box(b), at)] = args.as_slice() {
            return self.box_of(scope, b, *at);
        }
        let mut indices = Vec::with_capacity(args.len());
        for (value, at) in &args {
            indices.push(match value {
                Value::Int(i) => Index::At(*i),
                Value::Range(a, b) => Index::Part(*a, *b),
                _ => return Err(self.mismatch("an int or a range", value, *at, "an index is").into()),
            });
        }
        match scope.at(&indices) {
            Ok((vars, kept)) => match (kept.as_slice(), vars.as_slice()) {
                ([], [var]) => Ok(Value::Var(*var)),
                _ => Ok(Value::Scope(Rc::new(ScopeValue::grid(vars, kept)))),
            },
            Err(fault) => Err(self.index_fault(scope, fault, &args, span).into()),
        }
    }

    fn box_of(&self, scope: &ScopeValue, b: &GridBox, span: Span) -> Eval<Value<'p>> {
        match scope.rectangle(&b.ranges) {
            Some(vars) => Ok(Value::Scope(Rc::new(ScopeValue::grid(vars, b.extents())))),
            None => {
                let message = format!("this box lies in a grid of {}", extents_in_words(&b.grid));
                let is = scope
                    .extents()
                    .map_or("no grid".into(), |e| format!("a grid of {}", extents_in_words(&e)));
                Err(Diagnostic::error(
                    "index-outside",
                    format!("{message}, and what it is taken from is {is}"),
                )
                .at(span, "")
                .into())
            }
        }
    }

    fn index_fault(
        &self,
        scope: &ScopeValue,
        fault: IndexFault,
        args: &[(Value<'p>, Span)],
        span: Span,
    ) -> Diagnostic {
        match fault {
            IndexFault::Unordered => {
                Diagnostic::error("kind-mismatch", "a scope is a set without order, so it has no indices")
                    .at(span, "")
                    .help("declare the parameter as `seq` or `grid`")
            }
            IndexFault::Rank { needed, found } => {
                let indices = if needed == 1 { "1 index".into() } else { format!("{needed} indices") };
                let message = format!("this {} takes {indices}, not {found}", scope.kind());
                Diagnostic::error("index-outside", message).at(span, "")
            }
            IndexFault::Outside { axis, extent } => {
                let (value, at) =
                    args.get(axis).map_or((String::new(), span), |(v, at)| (self.shown(v), *at));
                let message =
                    format!("{value} is outside: this axis has the indices 0 to {}", i64::from(extent) - 1);
                Diagnostic::error("index-outside", message)
                    .at(at, "")
                    .help("indices start at 0, ranges leave out their end")
            }
        }
    }
}

fn outside(index: i64, n: i64, kind: &str, span: Span) -> Diagnostic {
    let message = match n {
        0 => format!("this {kind} is empty, so it has no index {index}"),
        _ => format!("{index} is outside: this {kind} has the indices 0 to {}", n - 1),
    };
    Diagnostic::error("index-outside", message).at(span, "")
}

fn extents_in_words(extents: &[u32]) -> String {
    let extents: Vec<String> = extents.iter().map(u32::to_string).collect();
    extents.join(" x ")
}
