//! `recipe` items: their steps as data.

use super::assertion::circuit;
use super::change::change;
use super::labels::check_grid;
use super::optimizer::{optimizer, unknown, weights, weights_of};
use super::{keep, with_all_variables};
use crate::Settings;
use crate::builtin::{Home, METRICS};
use crate::elab::learn::{named, unknown_option, word};
use crate::elab::{Elaborator, Eval};
use crate::modules::{ItemId, Program};
use crate::value::closure::Scope;
use crate::value::{Env, Value};
use pcc_diag::{Diagnostic, Sink, Span, suggest};
use pcc_grammar::ast::{self, Arg, Expr, ExprKind, ItemKind, StageClause};
use pcc_ir::recipe::{
    Codes, Evaluate, Fit, LabelSource, Materialize, Metric, Output, Plateau, Recipe, Stage, Step, TrainOn,
};

/// The recipes of the root module, in order, with `settings` put in for their parameters.
pub fn recipes(program: &Program, settings: &Settings, sink: &mut Sink) -> Vec<Recipe> {
    let recipes = with_all_variables(program, settings, sink, |elaborator, program, sink| {
        let mut recipes = Vec::new();
        for (id, item) in program.items().filter(|(id, _)| id.module.0 == 0) {
            if let ItemKind::Recipe(recipe) = &item.kind {
                let lowered = lower(elaborator, program, id, recipe, item.span);
                keep(elaborator, lowered, &mut recipes, sink);
            }
        }
        recipes
    });
    recipes.unwrap_or_default()
}

/// Reports what is wrong with the numbers and options of recipes, leaving out recipes that wait for a value
/// of a parameter: those can't be run, but are no error.
pub fn check_recipes(program: &Program, settings: &Settings, sink: &mut Sink) {
    with_all_variables(program, settings, sink, |elaborator, program, sink| {
        for (id, item) in program.items().filter(|(id, _)| id.module.0 == 0) {
            if let ItemKind::Recipe(recipe) = &item.kind
                && recipe
                    .params
                    .iter()
                    .all(|p| p.default.is_some() || elaborator.overriding(&p.name.text).is_some())
            {
                let lowered = lower(elaborator, program, id, recipe, item.span);
                keep(elaborator, lowered, &mut Vec::new(), sink);
            }
        }
    });
}

struct Lowering<'e, 'p> {
    elaborator: &'e mut Elaborator<'p>,
    program: &'p Program,
    env: Env<'p>,
    /// How many `fit` steps stood outside stages.
    n_bare: usize,
}

fn lower<'p>(
    elaborator: &mut Elaborator<'p>,
    program: &'p Program,
    id: ItemId,
    recipe: &'p ast::Recipe,
    span: Span,
) -> Eval<Recipe> {
    let (circuit, _) = circuit(program, &recipe.circuit)?;
    let outside = elaborator.module_env(id.module);
    let env = Scope::inside(&outside, Vec::new());
    let mut seed = 0;
    for param in &recipe.params {
        let value = parameter(elaborator, param, &env)?;
        if param.name.text == "seed" {
            seed = elaborator.as_int(&value, param.name.span, "a seed")? as u64;
        }
        env.bind(&param.name.text, value);
    }
    let mut lowering = Lowering { elaborator, program, env, n_bare: 0 };
    let mut steps = Vec::new();
    for step in &recipe.steps {
        steps.extend(lowering.step(step)?);
    }
    Ok(Recipe { name: recipe.name.text.clone(), circuit: circuit.into(), seed, steps, span })
}

/// What is set from outside, else the default.
fn parameter<'p>(e: &mut Elaborator<'p>, param: &'p ast::Param, env: &Env<'p>) -> Eval<Value<'p>> {
    let name = &param.name;
    let Some(expr) = e.overriding(&name.text).or(param.default.as_ref()) else {
        let message = format!("the recipe needs a value for `{}`", name.text);
        return Err(Diagnostic::error("missing-argument", message)
            .at(name.span, "")
            .help(format!("give it a default, or set it: `--set {}=..`", name.text))
            .into());
    };
    let value = e.eval(expr, env)?;
    match &param.ty {
        Some(ty) => e.coerce(value, ty, env, expr.span, &name.text),
        None => Ok(value),
    }
}

impl<'p> Lowering<'_, 'p> {
    fn step(&mut self, step: &'p ast::Step) -> Eval<Option<Step>> {
        Ok(Some(match step {
            ast::Step::Let(binding) => {
                self.bind(binding)?;
                return Ok(None);
            }
            ast::Step::Materialize(materialize) => Step::Materialize(self.materialize(materialize)?),
            ast::Step::Marginalize(latent, span) => Step::Marginalize(self.latent(latent)?, *span),
            ast::Step::Stage(stage) => Step::Stage(Box::new(self.stage(stage)?)),
            ast::Step::Fit(fit) => Step::Stage(Box::new(self.bare_fit(fit)?)),
            ast::Step::Evaluate(evaluate) => Step::Evaluate(self.evaluate(evaluate)?),
            ast::Step::Report(report) => {
                let outputs = report.outputs.iter().map(|o| self.output(o)).collect::<Eval<_>>()?;
                Step::Report(outputs, report.span)
            }
        }))
    }

    fn materialize(&mut self, materialize: &'p ast::Materialize) -> Eval<Materialize> {
        let latent = self.latent(&materialize.latent)?;
        let labels: Vec<LabelSource> =
            materialize.labels.iter().map(|labels| self.labels(labels)).collect::<Eval<_>>()?;
        let inventory = self.elaborator.inventory()?;
        for source in &labels {
            check_grid(&source.codes, &latent, &inventory, source.span)?;
        }
        Ok(Materialize { latent, labels, span: materialize.span })
    }

    /// The name of a latent; labels are those of all its variables.
    fn latent(&mut self, expr: &'p Expr) -> Eval<String> {
        match word(expr) {
            Some(name) => Ok(name.into()),
            None => {
                let message = "labels belong to a whole latent, as it was declared";
                Err(Diagnostic::error("not-latent", message).at(expr.span, "").into())
            }
        }
    }

    fn labels(&mut self, labels: &'p ast::Labels) -> Eval<LabelSource> {
        let codes = match self.elaborator.eval(&labels.codes, &self.env)? {
            Value::Codes(codes) => Codes::clone(&codes),
            other => {
                let what = "a latent gets its values from";
                return Err(self.elaborator.mismatch("codes", &other, labels.codes.span, what).into());
            }
        };
        let data = labels.data.as_ref().map(|data| self.data(data)).transpose()?;
        Ok(LabelSource { codes, data, span: labels.codes.span })
    }

    fn bind(&mut self, binding: &'p ast::LetStmt) -> Eval<()> {
        let value = self.elaborator.eval(&binding.value, &self.env)?;
        let env = self.env.clone();
        self.elaborator.bind_pattern(&binding.pattern, value, &env, binding.value.span)
    }

    fn bare_fit(&mut self, fit: &'p ast::Fit) -> Eval<Stage> {
        self.n_bare += 1;
        let name = if self.n_bare == 1 { "fit".into() } else { format!("fit_{}", self.n_bare) };
        Ok(Stage { name, fit: self.fit(fit)?, until: None, then: Vec::new(), span: fit.span })
    }

    fn stage(&mut self, stage: &'p ast::Stage) -> Eval<Stage> {
        let (mut fit, mut until, mut then) = (None, None, Vec::new());
        for clause in &stage.clauses {
            match clause {
                StageClause::Let(binding) => self.bind(binding)?,
                StageClause::Fit(f) if fit.is_none() => fit = Some(self.fit(f)?),
                StageClause::Until(e, _) if until.is_none() => until = Some(self.plateau(e)?),
                StageClause::Then(e, span) => then.push((change(self.elaborator, e, &self.env)?, *span)),
                StageClause::Fit(ast::Fit { span, .. }) | StageClause::Until(_, span) => {
                    let message =
                        format!("the stage `{}` has one `fit` and at most one `until`", stage.name.text);
                    return Err(Diagnostic::error("stage-form", message).at(*span, "one too many").into());
                }
            }
        }
        let Some(fit) = fit else {
            let message = format!("the stage `{}` has no `fit`", stage.name.text);
            return Err(Diagnostic::error("stage-form", message).at(stage.name.span, "").into());
        };
        Ok(Stage { name: stage.name.text.clone(), fit, until, then, span: stage.span })
    }

    fn fit(&mut self, fit: &'p ast::Fit) -> Eval<Fit> {
        let part = self.part(&fit.circuit)?;
        let data = self.train_on(&fit.data)?;
        let given = fit.given.iter().map(|latent| self.latent(latent)).collect::<Eval<_>>()?;
        let mut holding = Vec::new();
        for held in &fit.holding {
            match self.part(held)? {
                Some(part) => holding.push(part),
                None => {
                    let message = "`holding` names parts of the circuit, not the whole";
                    return Err(Diagnostic::error("stage-form", message).at(held.span, "").into());
                }
            }
        }
        let env = self.env.clone();
        let optimizer = optimizer(self.elaborator, &fit.optimizer, &env)?;
        let weights = weights_of(self.elaborator, &fit.optimizer, &env, data.name())?;
        Ok(Fit { part, data, weights, given, holding, optimizer, span: fit.span })
    }

    /// `Image` is the whole, `Image.patch` the part that `let patch` names.
    fn part(&self, expr: &'p Expr) -> Eval<Option<String>> {
        match &expr.kind {
            ExprKind::Field(of, name) => {
                circuit(self.program, of)?;
                Ok(Some(name.text.clone()))
            }
            _ => {
                circuit(self.program, expr)?;
                Ok(None)
            }
        }
    }

    /// A data set, or learned labels alone.
    fn train_on(&mut self, expr: &'p Expr) -> Eval<TrainOn> {
        match self.elaborator.eval(expr, &self.env)? {
            Value::Codes(codes) => Ok(TrainOn::Codes(Box::new(Codes::clone(&codes)))),
            _ => self.data(expr).map(TrainOn::Data),
        }
    }

    /// The name of a data set.
    fn data(&mut self, expr: &'p Expr) -> Eval<String> {
        match self.elaborator.eval(expr, &self.env)? {
            Value::Data(data) => Ok(data.0.data().to_string()),
            other => Err(self.elaborator.mismatch("data", &other, expr.span, "`on` takes").into()),
        }
    }

    /// `plateau(valid.bpd, patience = 3)`
    fn plateau(&mut self, expr: &'p Expr) -> Eval<Plateau> {
        let ExprKind::Call(callee, args) = &expr.kind else {
            return Err(unknown(Home::Stop, "rule for stopping", word(expr).unwrap_or(""), expr.span).into());
        };
        if word(callee) != Some("plateau") {
            return Err(
                unknown(Home::Stop, "rule for stopping", word(callee).unwrap_or(""), callee.span).into()
            );
        }
        let Some((Arg::Positional(of), rest)) = args.split_first() else {
            return Err(plateau_form(expr.span).into());
        };
        let ExprKind::Field(data, metric_name) = &of.kind else { return Err(plateau_form(of.span).into()) };
        let mut plateau = Plateau {
            data: self.data(data)?,
            weights: None,
            metric: metric(&metric_name.text, metric_name.span)?,
            patience: 1,
            min_delta: 0.0,
        };
        let env = self.env.clone();
        for (name, e) in named(rest, "plateau")? {
            if name.text == "weights" {
                plateau.weights = Some(weights(self.elaborator, e, &env, &plateau.data)?);
                continue;
            }
            let value = self.elaborator.eval(e, &env)?;
            match name.text.as_str() {
                "patience" => plateau.patience = self.elaborator.as_count(&value, e.span, "`patience`")?,
                "min_delta" => {
                    plateau.min_delta = self.elaborator.as_weight(&value, e.span, "`min_delta`")?
                }
                _ => return Err(unknown_option("plateau", name).into()),
            }
        }
        Ok(plateau)
    }

    fn evaluate(&mut self, evaluate: &'p ast::Evaluate) -> Eval<Evaluate> {
        let data = self.data(&evaluate.data)?;
        let metrics =
            evaluate.metrics.iter().map(|m| metric(word(m).unwrap_or(""), m.span)).collect::<Eval<_>>()?;
        Ok(Evaluate { data, metrics, span: evaluate.span })
    }

    fn output(&mut self, expr: &'p Expr) -> Eval<Output> {
        match &expr.kind {
            ExprKind::Text(path) => file_output(path, expr.span),
            ExprKind::Call(callee, args) => match word(callee) {
                Some("samples") => {
                    let (count, to) = self.count_and_path("samples", args, expr.span)?;
                    match count {
                        Some(count) => Ok(Output::Samples { count, to }),
                        None => Err(missing("samples", "count", expr.span).into()),
                    }
                }
                Some("inpaint") => {
                    let Some((Arg::Positional(data), rest)) = args.split_first() else {
                        return Err(missing("inpaint", "data", expr.span).into());
                    };
                    let data = self.data(data)?;
                    let (count, to) = self.count_and_path("inpaint", rest, expr.span)?;
                    Ok(Output::Inpaint { data, count: count.unwrap_or(8), to })
                }
                other => Err(unknown(Home::Output, "output", other.unwrap_or(""), callee.span).into()),
            },
            _ => Err(unknown(Home::Output, "output", word(expr).unwrap_or(""), expr.span)
                .help(
                    "a report writes `\"report.json\"`, `samples(64, to = \"samples.png\")` or `inpaint(..)`",
                )
                .into()),
        }
    }

    fn count_and_path(&mut self, of: &str, args: &'p [Arg], span: Span) -> Eval<(Option<u32>, String)> {
        let (mut count, mut to) = (None, None);
        let env = self.env.clone();
        for arg in args {
            let (name, e) = match arg {
                Arg::Positional(e) if count.is_none() => ("count", e),
                Arg::Named(name, e) if matches!(name.text.as_str(), "count" | "to") => {
                    (name.text.as_str(), e)
                }
                Arg::Named(name, _) => return Err(unknown_option(of, name).into()),
                Arg::Positional(e) => return Err(missing(of, "to", e.span).into()),
                Arg::For(clause) => return Err(missing(of, "to", clause.span).into()),
            };
            let value = self.elaborator.eval(e, &env)?;
            match (name, &value) {
                ("count", _) => count = Some(self.elaborator.as_count(&value, e.span, "`count`")?),
                (_, Value::Text(path)) => to = Some(path.to_string()),
                _ => return Err(self.elaborator.mismatch("a string", &value, e.span, "`to` is").into()),
            }
        }
        match to {
            Some(to) => Ok((count, to)),
            None => Err(missing(of, "to", span).into()),
        }
    }
}

/// What a file that is only named holds, by its ending.
fn file_output(path: &str, span: Span) -> Eval<Output> {
    match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("json") => Ok(Output::Json(path.into())),
        Some("html") => Ok(Output::Page(path.into())),
        _ => {
            let message = format!("the name `{path}` says no format that a report has");
            Err(Diagnostic::error("unknown-format", message)
                .at(span, "")
                .help("end the name in `.json`, or in `.html` for a page with pictures")
                .into())
        }
    }
}

fn missing(of: &str, what: &str, span: Span) -> Diagnostic {
    let help = match of {
        "samples" => "write `samples(64, to = \"samples.png\")`",
        _ => "write `inpaint(test, to = \"inpaint.png\")`",
    };
    Diagnostic::error("missing-argument", format!("`{of}` needs `{what}`")).at(span, "").help(help)
}

fn plateau_form(span: Span) -> Diagnostic {
    Diagnostic::error("bad-option", "`plateau` looks at a metric on data")
        .at(span, "")
        .help("write `plateau(valid.bpd, patience = 3)`")
}

fn metric(name: &str, span: Span) -> Eval<Metric> {
    match name {
        "ll" => Ok(Metric::LogLikelihood),
        "bpd" => Ok(Metric::BitsPerDimension),
        "perplexity" => Ok(Metric::Perplexity),
        _ => {
            let error = Diagnostic::error("unknown-metric", format!("`{name}` is no metric")).at(span, "");
            Err(match suggest(name, METRICS.iter().copied()) {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None => error.help(format!("the metrics are {}", crate::words::listing(METRICS))),
            }
            .into())
        }
    }
}
