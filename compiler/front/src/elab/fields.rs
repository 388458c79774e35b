//! Fields and methods of values.

use super::args::Args;
use super::{Elaborator, Eval};
use crate::builtin::FIELDS;
use crate::modules::Named;
use crate::value::scope::tile_ranges;
use crate::value::vtree::VtreeKind;
use crate::value::{Env, GridBox, ScopeValue, Tree, Value};
use pcc_diag::{Diagnostic, Span};
use pcc_grammar::ast::{Expr, Name};
use pcc_ir::recipe::DataView;
use pcc_ir::{Domain, VarId};
use std::rc::Rc;

impl<'p> Elaborator<'p> {
    pub(super) fn field_of(&mut self, object: &'p Expr, name: &'p Name, env: &Env<'p>) -> Eval<Value<'p>> {
        let value = self.eval(object, env)?;
        self.field(&value, name)
    }

    /// `value.name`
    pub(super) fn field(&mut self, value: &Value<'p>, name: &'p Name) -> Eval<Value<'p>> {
        let found = match (value, name.text.as_str()) {
            (Value::Pending, _) => Some(Value::Pending),
            (Value::Module(module), field) => match self.program.find(*module, field) {
                Some(named @ Named::Item(id, _)) if id.module == *module => {
                    return self.global(named, field, name.span);
                }
                _ => None,
            },
            (Value::Scope(scope), _) => scope_field(scope, &name.text),
            (Value::Box(b), _) => box_field(b, &name.text),
            (Value::Var(v), field) => self.var_field(*v, field, name.span)?,
            (Value::Tree(tree), field) => self.tree_field(tree, field, name.span)?,
            (Value::Vtree(vtree), field) => match (field, vtree.kind()) {
                ("is_leaf", kind) => Some(Value::Bool(matches!(kind, VtreeKind::Leaf(_)))),
                ("vars", _) => Some(Value::list(vtree.vars().iter().map(|v| Value::Var(*v)).collect())),
                ("var", VtreeKind::Leaf(v)) => Some(Value::Var(*v)),
                ("left", VtreeKind::Inner(left, _)) => Some(Value::Vtree(left.clone())),
                ("right", VtreeKind::Inner(_, right)) => Some(Value::Vtree(right.clone())),
                ("var" | "left" | "right", _) => return Err(wrong_vtree_node(name).into()),
                _ => None,
            },
            (Value::Key(key), "left") => Some(Value::Key(key.child(1))),
            (Value::Key(key), "right") => Some(Value::Key(key.child(2))),
            (Value::Tuple(parts), field) => field.parse().ok().and_then(|i: usize| parts.get(i).cloned()),
            _ => None,
        };
        found.ok_or_else(|| self.unknown_field(value, name).into())
    }

    /// `value.name(args)`
    pub(super) fn method(&mut self, value: &Value<'p>, name: &'p Name, args: Args<'p>) -> Eval<Value<'p>> {
        let span = args.span;
        if matches!(value, Value::Pending) {
            return Ok(Value::Pending);
        }
        let known = FIELDS.iter().find(|f| f.name == name.text && f.params.is_some() && applies(f.of, value));
        if let (Value::Codes(codes), Some(_)) = (value, known) {
            return self.label_by(codes, args);
        }
        let Some(params) = known.and_then(|f| f.params) else {
            return Err(self.unknown_field(value, name).into());
        };
        let (arg, at) = self.only_argument(args, params.first().map_or("", |p| p.name), &name.text)?;
        match (value, name.text.as_str()) {
            (Value::Scope(scope), "tile") => self.tile(scope, &arg, at),
            (Value::Scope(scope), "tiles") => self.tiles(scope, &arg, at),
            (Value::Box(b), "cuts") => {
                let every = self.as_count(&arg, at, "the distance of cuts")?;
                Ok(pairs(b.cuts(every)))
            }
            (Value::Tree(tree), "children") => {
                let var = self.as_var(&arg, at, "`children`")?;
                self.check_bound(tree, span)?;
                match tree.children(var) {
                    Some(children) => Ok(Value::list(children.into_iter().map(Value::Var).collect())),
                    None => Err(self.not_in_tree(var, at).into()),
                }
            }
            (Value::Tree(tree), "parent") => {
                let var = self.as_var(&arg, at, "`parent`")?;
                self.check_bound(tree, span)?;
                match tree.parent(var) {
                    Some(Some(parent)) => Ok(Value::Var(parent)),
                    Some(None) => {
                        let message =
                            format!("`{}` is the root, so it has no parent", self.graph().variable_name(var));
                        Err(Diagnostic::error("index-outside", message).at(at, "").into())
                    }
                    None => Err(self.not_in_tree(var, at).into()),
                }
            }
            (Value::Key(key), "split") => {
                let n = self.as_count(&arg, at, "the number of keys")?;
                self.spend(u64::from(n), span)?;
                Ok(Value::list((0..n).map(|i| Value::Key(key.child(u64::from(i) + 3))).collect()))
            }
            (Value::Data(data), "tile") => self.data_tile(data, &arg, at),
            (Value::Data(data), "tiles") => self.data_tiles(data, &arg, at),

            _ => Err(self.unknown_field(value, name).into()),
        }
    }

    pub(super) fn only_argument(
        &self,
        args: Args<'p>,
        parameter: &str,
        method: &str,
    ) -> Eval<(Value<'p>, Span)> {
        let span = args.span;
        let named = args.named.into_iter().map(|(name, value, at)| (Some(name), value, at));
        let mut all = args.positional.into_iter().map(|(value, at)| (None, value, at)).chain(named);
        match (all.next(), all.next()) {
            (Some((name, value, at)), None) if name.is_none_or(|n| n.text == parameter) => Ok((value, at)),
            (Some((Some(name), ..)), None) => {
                let message = format!("`{method}` has no parameter `{}`", name.text);
                Err(Diagnostic::error("unknown-argument", message)
                    .at(name.span, "")
                    .help(format!("it has `{parameter}`"))
                    .into())
            }
            (None, _) => {
                let message = format!("`{method}` needs `{parameter}`");
                Err(Diagnostic::error("missing-argument", message).at(span, "").into())
            }
            _ => {
                let message = format!("`{method}` takes 1 argument");
                Err(Diagnostic::error("unknown-argument", message).at(span, "").into())
            }
        }
    }

    fn var_field(&self, var: VarId, field: &str, span: Span) -> Eval<Option<Value<'p>>> {
        let domain = self.graph().variable(var).domain;
        match field {
            "index" => {
                let group = self.graph().var_group(self.graph().variable(var).group);
                Ok(Some(Value::Int(i64::from(var.0 - group.first.0))))
            }
            "n_values" | "values" => match domain.n_values() {
                Some(n) if field == "n_values" => Ok(Some(Value::Int(i64::from(n)))),
                Some(n) => Ok(Some(values_of(domain, n))),
                None => {
                    let message = format!("the values of `{domain}` are not finitely many");
                    Err(Diagnostic::error("kind-mismatch", message).at(span, "").into())
                }
            },
            _ => Ok(None),
        }
    }

    fn tree_field(&self, tree: &Tree, field: &str, span: Span) -> Eval<Option<Value<'p>>> {
        match field {
            "root" => {
                self.check_bound(tree, span)?;
                Ok(tree.root().map(Value::Var))
            }
            "vars" => {
                self.check_bound(tree, span)?;
                Ok(tree.vars().map(|vars| Value::list(vars.iter().map(|v| Value::Var(*v)).collect())))
            }
            _ => Ok(None),
        }
    }

    fn check_bound(&self, tree: &Tree, span: Span) -> Eval<()> {
        match tree.vars() {
            Some(_) => Ok(()),
            None => Err(Diagnostic::error("tree-differs", "this tree knows its variables by position alone")
                .at(span, "")
                .help("hand it to a parameter of type `tree(S)`; then it spans S")
                .into()),
        }
    }

    fn not_in_tree(&self, var: VarId, span: Span) -> Diagnostic {
        let message = format!("`{}` is not in this tree", self.graph().variable_name(var));
        Diagnostic::error("index-outside", message).at(span, "")
    }

    /// The extents of the group that a variable is declared in, and its index there.
    fn cell(&self, var: VarId) -> (Vec<u32>, Vec<u32>) {
        let group = self.graph().var_group(self.graph().variable(var).group);
        (group.extents.clone(), group.index_of(var))
    }

    fn tile(&self, scope: &ScopeValue, at: &Value<'p>, span: Span) -> Eval<Value<'p>> {
        let (tiles, index) = self.cell(self.as_var(at, span, "`tile`")?);
        self.one_tile(scope, &tiles, &index, span)
    }

    fn one_tile(&self, scope: &ScopeValue, tiles: &[u32], index: &[u32], span: Span) -> Eval<Value<'p>> {
        let extents = scope.extents().unwrap_or_default();
        let ranges = tile_ranges(&extents, tiles, index);
        let tile = ranges.and_then(|ranges| {
            let extents = ranges.iter().map(|r| r.end - r.start).collect();
            Some(ScopeValue::grid(scope.rectangle(&ranges)?, extents))
        });
        match tile {
            Some(tile) => Ok(Value::Scope(Rc::new(tile))),
            None => Err(tiles_do_not_divide(&extents, tiles, span).into()),
        }
    }

    fn tiles(&self, scope: &ScopeValue, grid: &Value<'p>, span: Span) -> Eval<Value<'p>> {
        let tiles = self.as_scope(grid, span, "`tiles`")?;
        let tiles = tiles.extents().unwrap_or_default();
        let indices = GridBox::whole(&tiles);
        let n = indices.area().max(0) as u32;
        let index_of = |i: u32| {
            let mut rest = i;
            let mut index: Vec<u32> = tiles
                .iter()
                .rev()
                .map(|e| {
                    let d = rest % e;
                    rest /= e;
                    d
                })
                .collect();
            index.reverse();
            index
        };
        let all: Eval<Vec<_>> = (0..n).map(|i| self.one_tile(scope, &tiles, &index_of(i), span)).collect();
        Ok(Value::list(all?))
    }

    fn data_tile(&self, data: &(DataView, Vec<VarId>), at: &Value<'p>, span: Span) -> Eval<Value<'p>> {
        let var = self.as_var(at, span, "`tile`")?;
        let (tiles, index) = self.cell(var);
        let group = self.graph().var_group(self.graph().variable(var).group);
        let Value::Scope(tile) = self.one_tile(&self.grid_of(&data.1), &tiles, &index, span)? else {
            return Err(self.bug("a tile is a scope", span));
        };
        let view = DataView::Tile { data: data.0.data().into(), tiles, index: var.0 - group.first.0 };
        Ok(Value::Data(Rc::new((view, tile.vars.to_vec()))))
    }

    fn data_tiles(&self, data: &(DataView, Vec<VarId>), grid: &Value<'p>, span: Span) -> Eval<Value<'p>> {
        let tiles = self.as_scope(grid, span, "`tiles`")?.extents().unwrap_or_default();
        let first = self.one_tile(&self.grid_of(&data.1), &tiles, &vec![0; tiles.len()], span)?;
        let vars = first.as_scope().map_or(Vec::new(), |s| s.vars.to_vec());
        let view = DataView::Tiles { data: data.0.data().into(), tiles };
        Ok(Value::Data(Rc::new((view, vars))))
    }

    /// The grid that the variables of data were declared as; a sequence when there are several groups.
    pub(super) fn grid_of(&self, vars: &[VarId]) -> ScopeValue {
        let groups = self.graph().var_groups().iter();
        let whole = groups.into_iter().find(|g| g.len() == vars.len() && vars.first() == Some(&g.first));
        match whole {
            Some(group) => ScopeValue::grid(vars.to_vec(), group.extents.clone()),
            None => ScopeValue::sequence(vars.to_vec()),
        }
    }

    fn unknown_field(&self, value: &Value<'p>, name: &Name) -> Diagnostic {
        let kind = value.kind();
        let message = format!("{} has no `{}`", crate::words::with_article(kind), name.text);
        let error = Diagnostic::error("unknown-field", message).at(name.span, "");
        let known: Vec<&str> = FIELDS.iter().filter(|f| applies(f.of, value)).map(|f| f.name).collect();
        error.did_you_mean(&name.text, known.iter().copied(), |error| match known.is_empty() {
            true => error,
            false => error.help(format!("it has {}", crate::words::listing(&known))),
        })
    }
}

/// Whether the fields of a kind are fields of a value.
fn applies(of: crate::builtin::Kind, value: &Value) -> bool {
    use crate::builtin::Kind;
    match value {
        Value::Scope(_) => matches!(of, Kind::Scope | Kind::Grid),
        Value::Box(_) => of == Kind::Box,
        Value::Var(_) => of == Kind::Var,
        Value::Tree(_) => of == Kind::Tree,
        Value::Vtree(_) => of == Kind::Vtree,
        Value::Key(_) => of == Kind::Key,
        Value::Data(_) => of == Kind::Data,
        Value::Codes(_) => of == Kind::Codes,
        _ => false,
    }
}

/// The values of a domain, as they are written.
fn values_of<'p>(domain: Domain, n: u32) -> Value<'p> {
    match domain {
        Domain::Bool => Value::list(vec![Value::Bool(false), Value::Bool(true)]),
        Domain::Int(low, high) => Value::Range(low, high.saturating_add(1)),
        _ => Value::Range(0, i64::from(n)),
    }
}

fn scope_field<'p>(scope: &ScopeValue, field: &str) -> Option<Value<'p>> {
    let extents = scope.extents();
    match field {
        "vars" => Some(Value::list(scope.vars.iter().map(|v| Value::Var(*v)).collect())),
        "first" => scope.vars.first().map(|v| Value::Var(*v)),
        "last" => scope.vars.last().map(|v| Value::Var(*v)),
        "box" => extents.map(|e| Value::Box(Rc::new(GridBox::whole(&e)))),
        "extents" => extents.map(|e| ints(&e)),
        _ => None,
    }
}

fn box_field<'p>(b: &GridBox, field: &str) -> Option<Value<'p>> {
    match field {
        "area" => Some(Value::Int(b.area())),
        "extents" => Some(ints(&b.extents())),
        "quarters" => Some(Value::list(b.quarters().into_iter().map(|q| Value::Box(Rc::new(q))).collect())),
        "halves" => Some(pairs(b.halves())),
        _ => None,
    }
}

fn ints<'p>(values: &[u32]) -> Value<'p> {
    Value::list(values.iter().map(|v| Value::Int(i64::from(*v))).collect())
}

fn pairs<'p>(parts: Vec<(GridBox, GridBox)>) -> Value<'p> {
    let pair = |(a, b): (GridBox, GridBox)| {
        Value::Tuple([Value::Box(Rc::new(a)), Value::Box(Rc::new(b))].into_iter().collect())
    };
    Value::list(parts.into_iter().map(pair).collect())
}

fn wrong_vtree_node(name: &Name) -> Diagnostic {
    let message = match name.text.as_str() {
        "var" => "only a leaf of a vtree has a `var`, and this is an inner node".into(),
        part => format!("only an inner node of a vtree has a `{part}`, and this is a leaf"),
    };
    Diagnostic::error("index-outside", message).at(name.span, "").help("ask `is_leaf` first")
}

fn tiles_do_not_divide(extents: &[u32], tiles: &[u32], span: Span) -> Diagnostic {
    let by = |e: &[u32]| e.iter().map(u32::to_string).collect::<Vec<_>>().join(" x ");
    let message = format!("a grid of {} can't be cut into {} equal tiles", by(extents), by(tiles));
    Diagnostic::error("tiles-do-not-divide", message).at(span, "")
}
