//! Items as values, each computed when its name is first met.

use super::{Elaborator, Eval};
use crate::builtin::{DOMAINS, native_signature};
use crate::items::Holds;
use crate::modules::{ItemId, Named};
use crate::value::{Applied, Closure, Env, ScopeValue, Value};
use pcc_diag::{Diagnostic, Span, suggest};
use pcc_grammar::ast::{self, Arg, ItemKind};
use pcc_ir::recipe::{DataView, Features};
use pcc_ir::{Domain, VarId};
use rustc_hash::FxHashSet;
use std::rc::Rc;

/// The most variables that a program may declare.
const MOST_VARIABLES: u64 = 1 << 28;

impl<'p> Elaborator<'p> {
    /// Declares variables in the order of the modules and items: those of the given items, or all but those
    /// of examples inside `std`.
    pub(crate) fn declare(&mut self, only: Option<&FxHashSet<ItemId>>) -> Eval<()> {
        let program = self.program;
        let is_std = |id: ItemId| {
            id.module.0 > 0 && program.module(id.module).is_some_and(|m| m.name.starts_with("std/"))
        };
        for (id, item) in program.items() {
            let is_wanted = only.map_or(!is_std(id), |only| only.contains(&id));
            if let (ItemKind::Vars(vars), true) = (&item.kind, is_wanted) {
                self.declare_item(id, vars)?;
            }
        }
        Ok(())
    }

    fn declare_item(&mut self, id: ItemId, vars: &'p ast::Vars) -> Eval<()> {
        let env = self.module_env(id.module);
        let domain = self.domain(&vars.domain, &env)?;
        for (position, decl) in vars.decls.iter().enumerate() {
            let mut extents = Vec::new();
            for extent in &decl.extents {
                let value = self.eval(extent, &env)?;
                extents.push(self.as_count(&value, extent.span, "an extent")?);
            }
            let value = self.declare_group(decl, extents, domain, vars.is_latent)?;
            self.variables.insert((id, position), value);
        }
        Ok(())
    }

    fn declare_group(
        &mut self,
        decl: &'p ast::VarDecl,
        extents: Vec<u32>,
        domain: Domain,
        is_latent: bool,
    ) -> Eval<Value<'p>> {
        let name = decl.name.text.as_str();
        if self.graph().find_group(name).is_some() {
            let message = format!("variables named `{name}` are declared twice");
            return Err(Diagnostic::error("duplicate-name", message).at(decl.name.span, "").into());
        }
        let total = extents.iter().try_fold(1_u64, |n, &e| n.checked_mul(u64::from(e)));
        let n_before = self.graph().variables().len() as u64;
        if total.is_none_or(|n| n > MOST_VARIABLES - n_before) {
            let message = format!("`{name}` has too many variables; {MOST_VARIABLES} are the most");
            return Err(Diagnostic::error("budget-spent", message).at(decl.name.span, "").into());
        }
        let group = self.builder.variables(name, &extents, domain, is_latent);
        let vars: Vec<VarId> = self.graph().var_group(group).variables().collect();
        match vars.as_slice() {
            [var] if extents.is_empty() => Ok(Value::Var(*var)),
            _ => Ok(Value::Scope(Rc::new(ScopeValue::grid(vars, extents)))),
        }
    }

    fn domain(&mut self, domain: &'p ast::Domain, env: &Env<'p>) -> Eval<Domain> {
        let name = domain.name.text.as_str();
        let mut args = Vec::new();
        for arg in &domain.args {
            args.push((self.eval(arg, env)?, arg.span));
        }
        match (name, args.as_slice()) {
            ("bool", []) => Ok(Domain::Bool),
            ("nat", []) => Ok(Domain::Nat),
            ("real", []) => Ok(Domain::Real),
            ("cat" | "token", [(n, span)]) => {
                let n = self.as_count(n, *span, "the number of values")?;
                Ok(if name == "cat" { Domain::Cat(n) } else { Domain::Token(n) })
            }
            ("int", [(Value::Range(low, high), span)]) => int_domain(*low, *high, *span),
            (_, found) if DOMAINS.contains(&name) => {
                let form = match name {
                    "cat" | "token" => format!("{name}(n)"),
                    "int" => "int(a .. b)".into(),
                    _ => name.into(),
                };
                let n = crate::words::count(found.len(), "argument");
                let message = format!("the domain `{name}` is written `{form}`, not with {n}");
                Err(Diagnostic::error("unknown-domain", message).at(domain.span, "").into())
            }
            _ => {
                let error = Diagnostic::error("unknown-domain", format!("there is no domain `{name}`"));
                let error = error.at(domain.name.span, "");
                Err(match suggest(name, DOMAINS.iter().copied()) {
                    Some(near) => error.help(format!("did you mean `{near}`?")),
                    None => error.help(format!("the domains are {}", crate::words::listing(DOMAINS))),
                }
                .into())
            }
        }
    }

    /// The value of a name at the top of a module.
    pub(super) fn global(&mut self, named: Named, name: &str, span: Span) -> Eval<Value<'p>> {
        match named {
            Named::Item(id, position) => self.global_item(id, position, span),
            Named::Module(module) => Ok(Value::Module(module)),
            Named::Missing => {
                let message = format!("`{name}` could not be imported");
                Err(Diagnostic::error("unknown-import", message).at(span, "").into())
            }
        }
    }

    pub(super) fn global_item(&mut self, id: ItemId, position: usize, span: Span) -> Eval<Value<'p>> {
        if let Some(value) = self.variables.get(&(id, position)) {
            return Ok(value.clone());
        }
        let Some(item) = self.program.item(id) else { return Err(self.bug("an item is missing", span)) };
        let copies = if matches!(item.kind, ItemKind::Circuit(_)) { self.nest.copies } else { 0 };
        if let Some(value) = self.globals.get(&(id, copies)) {
            return Ok(value.clone());
        }
        if self.busy.contains(&id) {
            let name = crate::modules::declared(item).first().map_or(String::new(), |n| n.text.clone());
            let message = format!("the value of `{name}` needs itself");
            return Err(Diagnostic::error("endless-definition", message)
                .at(item.span, "")
                .note(span, "")
                .into());
        }
        self.busy.push(id);
        let in_constraint = std::mem::replace(&mut self.in_constraint, false);
        let value = self.item_value(id, item, span);
        self.in_constraint = in_constraint;
        self.busy.pop();
        let value = value?;
        self.globals.insert((id, copies), value.clone());
        Ok(value)
    }

    fn item_value(&mut self, id: ItemId, item: &'p ast::Item, span: Span) -> Eval<Value<'p>> {
        let env = self.module_env(id.module);
        match &item.kind {
            ItemKind::Native(native) => {
                let module = self.program.module(id.module).map_or("", |m| m.name.as_str());
                match native_signature(module, &native.name.text) {
                    Some(signature) => Ok(Value::Builtin(signature, Rc::new([]))),
                    None => {
                        let message =
                            format!("pcc has no native function `{}` for `{module}`", native.name.text);
                        Err(Diagnostic::error("unknown-native", message).at(native.name.span, "").into())
                    }
                }
            }
            ItemKind::Constant(constant) => self.constant(id, constant, &env),
            ItemKind::Data(data) => self.data_value(id, data, &env),
            ItemKind::Learn(learn) => self.learned(learn, &env),
            ItemKind::Constraint(constraint) => self.constraint(constraint, &env),
            ItemKind::Structure(structure) => {
                Ok(Value::Structure(Rc::new(Applied { item: id, structure, statics: None, label: None })))
            }
            ItemKind::Function(f) => {
                let memo = f.is_memo.then(Rc::default);
                Ok(Value::Closure(Rc::new(Closure::of(f, memo, &env))))
            }
            ItemKind::Circuit(circuit) => {
                let value = self.eval(&circuit.value, &env)?;
                let layer = self.as_layer(&value, circuit.value.span)?;
                Ok(self.layer_value(layer))
            }
            ItemKind::Vars(_) => {
                let message = "these variables do not belong to the circuit that is spoken of";
                Err(Diagnostic::error("unknown-name", message).at(span, "").into())
            }
            ItemKind::Teacher(teacher) => self.teacher(id, teacher, &env),
            ItemKind::Recipe(recipe) => {
                let message = format!("`{}` is a recipe, which has no value", recipe.name.text);
                Err(Diagnostic::error("kind-mismatch", message).at(span, "").into())
            }
            ItemKind::Import(_) | ItemKind::Assertion(_) => Err(self.bug("the item has no name", span)),
        }
    }

    fn constant(&mut self, id: ItemId, constant: &'p ast::Constant, env: &Env<'p>) -> Eval<Value<'p>> {
        let name = constant.name.text.as_str();
        let expr = self.overriding(name).filter(|_| id.module.0 == 0).unwrap_or(&constant.value);
        let value = self.eval(expr, env)?;
        match &constant.ty {
            Some(ty) => self.coerce(value, ty, env, expr.span, name),
            None => Ok(value),
        }
    }

    fn constraint(&mut self, constraint: &'p ast::Constraint, env: &Env<'p>) -> Eval<Value<'p>> {
        let mut listed = FxHashSet::default();
        for name in &constraint.variables {
            let value = self.name(&name.text, env, name.span)?;
            let scope = self.as_scope(&value, name.span, "a constraint")?;
            listed.extend(scope.vars.iter().copied());
        }
        self.in_constraint = true;
        let value = self.eval(&constraint.formula, env)?;
        let formula = self.as_formula(&value, constraint.formula.span)?;
        if let Some(var) = formula.vars().into_iter().find(|v| !listed.contains(v)) {
            let var = self.graph().variable_name(var);
            let name = &constraint.name.text;
            let message = format!("`{name}` speaks of `{var}`, which is not among its variables");
            return Err(Diagnostic::error("constraint-scope", message)
                .at(constraint.formula.span, "")
                .note(constraint.name.span, format!("add `{var}` here"))
                .into());
        }
        Ok(Value::Formula(formula))
    }

    /// Data as a value: its name and its variables, or what it holds instead of them.
    fn data_value(&mut self, id: ItemId, data: &'p ast::Data, env: &Env<'p>) -> Eval<Value<'p>> {
        let vars = match Holds::of(&data.target) {
            Holds::Weights(_) => {
                let of = self.weighed(data, env)?;
                return Ok(Value::Weights(Rc::new((data.name.text.clone(), of))));
            }
            Holds::Embedding(_) => {
                let source = crate::items::embedding(self, id, data, env)?;
                return Ok(Value::Features(Rc::new(Features::Array(source))));
            }
            Holds::Variables => {
                let value = self.eval(&data.target, env)?;
                self.data_vars(&value, data.target.span)?
            }
        };
        Ok(Value::Data(Rc::new((DataView::Whole(data.name.text.clone()), vars))))
    }

    /// The name of the data whose rows `weights(train)` weighs.
    pub(crate) fn weighed(&mut self, data: &'p ast::Data, env: &Env<'p>) -> Eval<String> {
        let target = &data.target;
        let Holds::Weights([Arg::Positional(of)]) = Holds::of(target) else {
            let message = "`weights` takes the data whose rows it weighs";
            return Err(Diagnostic::error("missing-argument", message).at(target.span, "").into());
        };
        match self.eval(of, env)? {
            Value::Data(data) if matches!(data.0, DataView::Whole(_)) => Ok(data.0.data().to_string()),
            other => Err(self.mismatch("whole data", &other, of.span, "`weights` takes").into()),
        }
    }

    /// The variables of a row of data: one group, or several in a list or tuple.
    pub(crate) fn data_vars(&self, value: &Value<'p>, span: Span) -> Eval<Vec<VarId>> {
        let parts = match value {
            Value::Tuple(parts) | Value::List(parts) => parts.to_vec(),
            one => vec![one.clone()],
        };
        let mut vars = Vec::new();
        for part in &parts {
            vars.extend(self.as_scope(part, span, "data")?.vars.iter().copied());
        }
        Ok(vars)
    }
}

fn int_domain(low: i64, high: i64, span: Span) -> Eval<Domain> {
    let n = high.checked_sub(low).and_then(|n| n.checked_add(1)).and_then(|n| u32::try_from(n).ok());
    match n {
        Some(n) if n > 0 => Ok(Domain::Int(low, high)),
        _ => {
            let message = format!("`int({low} .. {high})` has no values, or too many");
            Err(Diagnostic::error("unknown-domain", message)
                .at(span, "")
                .help("both ends belong to the domain")
                .into())
        }
    }
}
