//! The builders: `input`, `sum`, `prod`, `outer`, `mix` and `copies`.

use super::Given;
use crate::elab::eval::Tags;
use crate::elab::{Elaborator, Eval, Nest};
use crate::value::{Env, LayerValue, Value};
use crate::words::count;
use pcc_diag::{Diagnostic, Span};
use pcc_grammar::ast::{Arg, Expr};
use pcc_ir::{GraphError, LayerId, ParamShape};

/// The most units of one layer.
const MOST_UNITS: u32 = 1 << 30;

/// Children of a builder, each with the place where it was written.
type Children = Vec<(LayerId, Span)>;

impl<'p> Elaborator<'p> {
    pub(super) fn build(
        &mut self,
        name: &str,
        statics: &[Value<'p>],
        given: Given<'p>,
        tags: Tags<'p>,
        env: &Env<'p>,
    ) -> Eval<Value<'p>> {
        let span = given.span;
        if let (Some(tag), true) = (tags.table, matches!(name, "prod" | "outer")) {
            let message = format!("`{name}` has no weights, so it takes no `with`");
            return Err(Diagnostic::error("misplaced-tag", message).at(tag.span, "").into());
        }
        if let (Some(tag), true) = (tags.latent, name != "sum") {
            let message = format!("only `sum` is indexed by a latent; `{name}` takes no `by`");
            return Err(Diagnostic::error("misplaced-tag", message).at(tag.span, "").into());
        }
        let width = match statics.first() {
            Some(width) => self.as_width(width, span)?,
            None => 1,
        };
        let layer = match name {
            "input" => self.input(width, given, tags.table, env)?,
            "sum" => {
                let children = self.children(given, "sum")?;
                self.sum(width, children, tags, env, span)?
            }
            "prod" => {
                let children = self.children(given, "prod")?;
                self.product(&children, span)?
            }
            "outer" => {
                let children = self.children(given, "outer")?;
                self.outer(&children, span)?
            }
            _ => {
                let children = self.children(given, "mix")?;
                self.mix(&children, tags.table, env, span)?
            }
        };
        Ok(self.layer_value(layer))
    }

    /// A width of which all copies together can be numbered.
    fn as_width(&self, value: &Value<'p>, span: Span) -> Eval<u32> {
        let width = self.as_count(value, span, "a width")?;
        match width.checked_mul(self.nest.groups).is_some_and(|units| units <= MOST_UNITS) {
            true => Ok(width),
            false => {
                let message =
                    format!("a layer has at most {MOST_UNITS} units, those of all its copies together");
                Err(Diagnostic::error("budget-spent", message).at(span, "").into())
            }
        }
    }

    fn children(&mut self, given: Given<'p>, name: &str) -> Eval<Children> {
        if given.rest.is_empty() {
            let message = format!("`{name}` has no circuits to work on");
            return Err(Diagnostic::error("empty-scope", message)
                .at(given.span, "")
                .help("does a list or scope come out empty here?")
                .into());
        }
        let mut children = Vec::with_capacity(given.rest.len());
        for (value, span) in &given.rest {
            children.push((self.as_layer(value, *span)?, *span));
        }
        Ok(children)
    }

    fn input(
        &mut self,
        width: u32,
        given: Given<'p>,
        table: Option<&'p Expr>,
        env: &Env<'p>,
    ) -> Eval<LayerId> {
        let (value, span) = self.arg(&given, 0)?;
        let var = self.as_var(&value, span, "`input`")?;
        let family = match given.at(1).cloned() {
            Some((family, span)) => self.fitting_family(&family, var, span)?,
            None => self.default_family(var, span)?,
        };
        let table = self.with(table, env)?;
        self.input_of(var, family, width, table, given.span)
    }

    /// Input units over a variable.
    pub(super) fn input_of(
        &mut self,
        var: pcc_ir::VarId,
        family: pcc_ir::Family,
        width: u32,
        table: crate::elab::tables::Table,
        span: Span,
    ) -> Eval<LayerId> {
        let param = self.table_for(table, ParamShape::Input { family, units: width }, span)?;
        let layer = self.builder.input(var, param, self.nest.groups, span);
        self.built(layer, span)
    }

    fn sum(
        &mut self,
        width: u32,
        children: Children,
        tags: Tags<'p>,
        env: &Env<'p>,
        span: Span,
    ) -> Eval<LayerId> {
        let table = self.with(tags.table, env)?;
        let children = match tags.latent {
            Some(latent) => self.indexed(children, latent, env)?,
            None => children.into_iter().map(|(c, _)| c).collect(),
        };
        let columns: usize = children.iter().map(|c| self.width(*c)).sum();
        let Ok(columns) = u32::try_from(columns) else {
            let message = format!("this `sum` joins {columns} units, which are too many");
            return Err(Diagnostic::error("budget-spent", message).at(span, "").into());
        };
        let param = self.table_for(table, ParamShape::Sum { rows: width, columns }, span)?;
        let layer = self.builder.sum(&children, param, self.nest.groups, span);
        self.built(layer, span)
    }

    /// `by Z`: each unit that is summed over becomes its product with the indicator of one value of Z.
    fn indexed(&mut self, children: Children, latent: &'p Expr, env: &Env<'p>) -> Eval<Vec<LayerId>> {
        let value = self.eval(latent, env)?;
        let var = self.as_var(&value, latent.span, "`by`")?;
        let domain = self.graph().variable(var).domain;
        let total: usize = children.iter().map(|(c, _)| self.width(*c)).sum();
        if domain.n_values().map(|n| n as usize) != Some(total) {
            return Err(self.latent_width(var, &children, total, latent.span).into());
        }
        let mut first = 0;
        let mut indexed = Vec::with_capacity(children.len());
        for (child, _) in children {
            let width = self.width(child) as u32;
            let indicator = self.builder.indicator(var, first, self.nest.groups, width, latent.span);
            let indicator = self.made(indicator)?;
            let product = self.builder.product(&[child, indicator], latent.span);
            indexed.push(self.built(product, latent.span)?);
            first += width;
        }
        Ok(indexed)
    }

    fn latent_width(
        &self,
        var: pcc_ir::VarId,
        children: &[(LayerId, Span)],
        total: usize,
        span: Span,
    ) -> Diagnostic {
        let name = self.graph().variable_name(var);
        let domain = self.graph().variable(var).domain;
        let message = match domain.n_values() {
            Some(n) => {
                format!("`by {name}` needs one unit for each of its {n} values, but there are {total}")
            }
            None => {
                format!("`by {name}` needs a variable with finitely many values, and `{name}` is `{domain}`")
            }
        };
        let mut error = Diagnostic::error("latent-width", message).at(span, format!("`{domain}`"));
        for (child, at) in children {
            error = error.note(*at, count(self.width(*child), "unit"));
        }
        error
    }

    fn product(&mut self, children: &[(LayerId, Span)], span: Span) -> Eval<LayerId> {
        self.check_equal_widths("prod", children, span)?;
        let ids: Vec<LayerId> = children.iter().map(|(c, _)| *c).collect();
        match ids.as_slice() {
            // A product of one circuit is that circuit.
            [only] => Ok(*only),
            _ => {
                let layer = self.builder.product(&ids, span);
                self.built(layer, span)
            }
        }
    }

    fn outer(&mut self, children: &[(LayerId, Span)], span: Span) -> Eval<LayerId> {
        let Some(((first, _), rest)) = children.split_first() else {
            return Err(self.bug("`outer` has no children", span));
        };
        let mut all = *first;
        for (child, _) in rest {
            let units = self.graph().n_units(all) as u64 * self.width(*child) as u64;
            if units > u64::from(MOST_UNITS) {
                let message = format!("this `outer` would have {units} units");
                return Err(Diagnostic::error("budget-spent", message).at(span, "").into());
            }
            let layer = self.builder.outer(all, *child, self.nest.groups, span);
            all = self.built(layer, span)?;
        }
        Ok(all)
    }

    fn mix(
        &mut self,
        children: &[(LayerId, Span)],
        table: Option<&'p Expr>,
        env: &Env<'p>,
        span: Span,
    ) -> Eval<LayerId> {
        self.check_equal_widths("mix", children, span)?;
        let table = self.with(table, env)?;
        let ids: Vec<LayerId> = children.iter().map(|(c, _)| *c).collect();
        let units = ids.first().map_or(0, |c| self.width(*c)) as u32;
        let param = self.table_for(table, ParamShape::Mix { units, children: ids.len() as u32 }, span)?;
        let layer = self.builder.mix(&ids, param, self.nest.groups, span);
        self.built(layer, span)
    }

    fn check_equal_widths(&self, name: &str, children: &[(LayerId, Span)], span: Span) -> Eval<()> {
        let width = |(layer, _): &(LayerId, Span)| self.width(*layer);
        let Some(first) = children.first() else { return Ok(()) };
        let Some(other) = children.iter().find(|c| width(c) != width(first)) else { return Ok(()) };
        let (a, b) = (width(first), width(other));
        let (verb, help) = match name {
            "prod" => ("multiplies", "use `outer` for all pairs, or give both the same number of units"),
            _ => ("mixes", "use `sum` to mix all units, or give both the same number of units"),
        };
        let message = format!("`{name}` {verb} unit by unit, but its children have widths {a} and {b}");
        let error = Diagnostic::error("width-mismatch", message).at(span, "");
        Err(error.note(first.1, count(a, "unit")).note(other.1, count(b, "unit")).help(help).into())
    }

    /// `copies[N](circuit)`: evaluates its argument once, with everything in it N times.
    pub(super) fn copies(
        &mut self,
        statics: &[Value<'p>],
        args: &'p [Arg],
        env: &Env<'p>,
        span: Span,
    ) -> Eval<Value<'p>> {
        let [Arg::Positional(circuit)] = args else {
            let message = "`copies` takes one circuit";
            return Err(Diagnostic::error("missing-argument", message).at(span, "").into());
        };
        let n = match statics.first() {
            Some(n) => self.as_count(n, span, "the number of copies")?,
            None => return Err(self.bug("`copies` without a number", span)),
        };
        let outside = self.nest;
        self.nest = self.nested(n, span)?;
        let result = self.eval(circuit, env).and_then(|value| self.as_layer(&value, circuit.span));
        self.nest = outside;
        Ok(Value::Layer(LayerValue { id: result?, copies: outside.copies }))
    }

    fn nested(&mut self, n: u32, span: Span) -> Eval<Nest> {
        if n > 1 && self.nest.groups != self.nest.tables {
            let message = "`copies` can't stand in a `share` that is itself used inside `copies`";
            return Err(Diagnostic::error("copies-under-share", message)
                .at(span, "")
                .help("share inside the outer `copies`, or leave out one of the three")
                .into());
        }
        // Even a unit of each alone would be a layer too wide.
        let times_n = |nest: u32| nest.checked_mul(n).filter(|&copies| copies <= MOST_UNITS);
        let (Some(groups), Some(tables)) = (times_n(self.nest.groups), times_n(self.nest.tables)) else {
            let message = format!("these `copies` are together more than {MOST_UNITS}");
            return Err(Diagnostic::error("budget-spent", message).at(span, "").into());
        };
        self.n_copies += 1;
        Ok(Nest { groups, tables, copies: self.n_copies })
    }

    /// A layer that the graph accepted. What it can refuse has been checked in the user's words before.
    fn built(&mut self, layer: Result<LayerId, GraphError>, span: Span) -> Eval<LayerId> {
        match layer {
            Ok(layer) => self.made(layer),
            Err(error) => Err(self.bug(&format!("a layer was refused: {error}"), span)),
        }
    }
}
