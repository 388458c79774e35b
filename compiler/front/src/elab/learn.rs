//! `learn` items: requests to the world, and the values it answers with.

use super::eval::Tags;
use super::{Elaborator, Eval, Learning};
use crate::value::{Env, Tree, Value};
use pcc_diag::{Diagnostic, Sink, Span};
use pcc_grammar::ast::{self, Arg, Expr, ExprKind, Name};
use pcc_ir::recipe::{
    ChowLiuOptions, Codes, DataSource, DataView, LearnCall, LearnRequest, Learned, RootChoice, VarTree,
};
use pcc_ir::{VarGroup, VarId};
use std::rc::Rc;

/// What every learner is told of the program.
pub(crate) struct Inventory {
    pub(crate) sources: Vec<DataSource>,
    pub(crate) variables: Vec<VarGroup>,
}

impl<'p> Elaborator<'p> {
    /// The value of a `learn` item.
    pub(super) fn learned(&mut self, learn: &'p ast::Learn, env: &Env<'p>) -> Eval<Value<'p>> {
        let is_single = matches!(learn.value.kind, ExprKind::Call(..));
        let outer = self.learner.replace((&learn.name.text, is_single, 0));
        let value = self.eval(&learn.value, env);
        self.learner = outer;
        value
    }

    /// Gathers the requests of all `learn` items of the root module instead of carrying them out.
    pub(crate) fn gather(&mut self) -> Eval<Vec<LearnRequest>> {
        self.learning = Learning::Gather(Vec::new());
        let program = self.program;
        for (id, item) in program.items() {
            if let ast::ItemKind::Learn(learn) = &item.kind {
                self.global_item(id, 0, learn.name.span)?;
            }
        }
        match std::mem::replace(&mut self.learning, Learning::Fetch) {
            Learning::Gather(requests) => Ok(requests),
            Learning::Fetch => Ok(Vec::new()),
        }
    }

    /// `chow_liu(data, options)` or `kmeans(features, k = .., options)`
    pub(super) fn call_learner(
        &mut self,
        learner: &str,
        args: &'p [Arg],
        tags: Tags<'p>,
        env: &Env<'p>,
        span: Span,
    ) -> Eval<Value<'p>> {
        if let Some(tag) = tags.table.or(tags.latent) {
            let message = format!("`{learner}` is no builder of layers");
            return Err(Diagnostic::error("misplaced-tag", message).at(tag.span, "").into());
        }
        let Some((item, is_single, n)) = self.learner else {
            let message = format!("`{learner}` looks at data, which only a `learn` item may do");
            return Err(Diagnostic::error("misplaced-learner", message)
                .at(span, "")
                .help(format!("write `learn name = {learner}(..)`, and use the name here"))
                .into());
        };
        let name = if is_single { item.to_string() } else { format!("{item}[{n}]") };
        self.learner = Some((item, is_single, n + 1));
        match learner {
            "kmeans" => self.kmeans(name, args, env, span),
            _ => self.chow_liu(name, args, env, span),
        }
    }

    fn chow_liu(&mut self, name: String, args: &'p [Arg], env: &Env<'p>, span: Span) -> Eval<Value<'p>> {
        let Some((Arg::Positional(of), rest)) = args.split_first() else {
            return Err(Diagnostic::error("missing-argument", "`chow_liu` needs data").at(span, "").into());
        };
        let options = self.chow_liu_options(rest, env)?;
        let of_span = of.span;
        let of = self.eval(of, env)?;
        let (call, vars, n) = match &of {
            Value::Data(data) if data.1.is_empty() => {
                let message = "`chow_liu` needs data over variables, and this holds none";
                return Err(Diagnostic::error("kind-mismatch", message).at(of_span, "").into());
            }
            Value::Data(data) => {
                let vars = matches!(data.0, DataView::Whole(_)).then(|| data.1.clone());
                (
                    LearnCall::ChowLiu { data: data.0.clone(), options: options.clone() },
                    vars,
                    Some(data.1.len()),
                )
            }
            Value::Codes(codes) => {
                let codes = Box::new(Codes::clone(codes));
                (LearnCall::ChowLiuOfCodes { codes, options: options.clone() }, None, None)
            }
            other => return Err(self.mismatch("data or codes", other, of_span, "`chow_liu` takes").into()),
        };
        let Some(learned) = self.request(LearnRequest { name, call, span })? else {
            return Ok(Value::Pending);
        };
        let trees = match learned {
            Learned::Tree(tree) => vec![tree],
            Learned::Trees(trees) => trees,
            Learned::Labels(_) => return Err(self.bug("labels are no trees", span)),
        };
        let trees: Vec<_> =
            trees.iter().map(|t| self.learned_tree(t, vars.as_deref(), n, span)).collect::<Eval<_>>()?;
        match (options.trees, trees.into_iter()) {
            (1, mut trees) => trees.next().ok_or_else(|| self.bug("no tree was learned", span)),
            (_, trees) => Ok(Value::list(trees.collect())),
        }
    }

    fn learned_tree(
        &self,
        tree: &VarTree,
        vars: Option<&[VarId]>,
        n: Option<usize>,
        span: Span,
    ) -> Eval<Value<'p>> {
        let is_right = n.is_none_or(|n| n == tree.parents.len());
        let made = Tree::new(tree.parents.clone()).ok().filter(|_| is_right);
        let bound = made.and_then(|tree| match vars {
            Some(vars) => tree.over(&vars.into()),
            None => Some(tree),
        });
        match bound {
            Some(tree) => Ok(Value::Tree(Rc::new(tree))),
            None => Err(Diagnostic::error("stale-lock", "the learned tree does not fit these variables")
                .at(span, "")
                .help("learn it again")
                .into()),
        }
    }

    fn chow_liu_options(&mut self, args: &'p [Arg], env: &Env<'p>) -> Eval<ChowLiuOptions> {
        let mut options = ChowLiuOptions {
            max_rows: None,
            bits: None,
            pseudocount: 1.0,
            trees: 1,
            every: 1,
            root: RootChoice::Centre,
        };
        for (name, expr) in named(args, "chow_liu")? {
            let what = format!("`{}`", name.text);
            if name.text == "root" {
                options.root = match word(expr) {
                    Some("centre") => RootChoice::Centre,
                    Some("first") => RootChoice::First,
                    _ => return Err(unknown_word("root", &["centre", "first"], expr.span).into()),
                };
                continue;
            }
            let value = self.eval(expr, env)?;
            match name.text.as_str() {
                "max_rows" => options.max_rows = Some(u64::from(self.as_count(&value, expr.span, &what)?)),
                "bits" => options.bits = Some(self.as_count(&value, expr.span, &what)?),
                "trees" => options.trees = self.as_count(&value, expr.span, &what)?,
                "every" => options.every = self.as_count(&value, expr.span, &what)?,
                "pseudocount" => options.pseudocount = self.as_weight(&value, expr.span, &what)?,
                _ => return Err(unknown_option("chow_liu", name).into()),
            }
        }
        Ok(options)
    }

    /// A number that is zero or more.
    pub(crate) fn as_weight(&self, value: &Value<'p>, span: Span, what: &str) -> Eval<f64> {
        match value.as_number() {
            Some(x) if x >= 0.0 => Ok(x),
            Some(x) => {
                let message = format!("{what} is 0 or more, not {x}");
                Err(Diagnostic::error("bad-option", message).at(span, "").into())
            }
            None => Err(self.mismatch("a number", value, span, &format!("{what} is")).into()),
        }
    }

    /// Carries a request out, or notes it.
    fn request(&mut self, request: LearnRequest) -> Eval<Option<Learned>> {
        if let Learning::Gather(requests) = &mut self.learning {
            requests.push(request);
            return Ok(None);
        }
        let inventory = self.inventory()?;
        let (name, span) = (request.name.clone(), request.span);
        match self.world.learned(&request, &inventory.sources, &inventory.variables)? {
            Some(learned) => Ok(Some(learned)),
            None => {
                let message = format!("this circuit is not elaborated: `{name}` is learned from data");
                Err(Diagnostic::advice("not-elaborated", message).at(span, "learned by `pcc run`").into())
            }
        }
    }

    /// All data sets and variables of the program.
    pub(crate) fn inventory(&mut self) -> Eval<Rc<Inventory>> {
        if let Some(known) = &self.inventory {
            return Ok(known.clone());
        }
        let mut sink = Sink::new();
        let variables = crate::items::variables(self.program, self.settings, &mut sink);
        let sources = crate::items::data_sources(self.program, self.settings, &mut sink);
        if let Some(error) = sink.into_vec().into_iter().find(Diagnostic::is_error) {
            return Err(error.into());
        }
        let made = Rc::new(Inventory { sources, variables });
        self.inventory = Some(made.clone());
        Ok(made)
    }
}

/// The named arguments behind the first.
pub(crate) fn named<'p>(args: &'p [Arg], of: &str) -> Eval<Vec<(&'p Name, &'p Expr)>> {
    args.iter()
        .map(|arg| match arg {
            Arg::Named(name, value) => Ok((name, value)),
            Arg::Positional(e) => Err(unnamed(of, e.span).into()),
            Arg::For(clause) => Err(unnamed(of, clause.span).into()),
        })
        .collect()
}

fn unnamed(of: &str, span: Span) -> Diagnostic {
    Diagnostic::error("unknown-argument", format!("the options of `{of}` have names, as in `name = value`"))
        .at(span, "")
}

/// A word of a closed set, which is no name.
pub(crate) fn word(expr: &Expr) -> Option<&str> {
    match &expr.kind {
        ExprKind::Name(name) => Some(name),
        _ => None,
    }
}

pub(crate) fn unknown_word(option: &str, words: &[&str], span: Span) -> Diagnostic {
    let message = format!("`{option}` is one of {}", crate::words::listing(words));
    Diagnostic::error("unknown-word", message).at(span, "")
}

pub(crate) fn unknown_option(of: &str, name: &Name) -> Diagnostic {
    let known: Vec<&str> = crate::builtin::SIGNATURES
        .iter()
        .filter(|s| s.name == of)
        .flat_map(|s| s.params.iter().skip(1).map(|p| p.name))
        .collect();
    let error = Diagnostic::error("unknown-argument", format!("`{of}` has no option `{}`", name.text));
    let error = error.at(name.span, "");
    error.did_you_mean(&name.text, known.iter().copied(), |error| {
        error.help(format!("it has {}", crate::words::listing(&known)))
    })
}
