//! `kmeans(..)`, `codes.assign(..)` and what they cluster.

use super::args::Args;
use super::learn::{named, unknown_option, unknown_word, word};
use super::{Elaborator, Eval, Learning};
use crate::value::{Env, Value};
use pcc_diag::{Diagnostic, Span};
use pcc_grammar::ast::{Arg, Expr};
use pcc_ir::recipe::{Clusters, Codes, DataView, Features, KmeansOptions, LearnCall, LearnRequest};
use std::rc::Rc;

impl<'p> Elaborator<'p> {
    /// `kmeans(features, k = .., options)`
    pub(super) fn kmeans(
        &mut self,
        name: String,
        args: &'p [Arg],
        env: &Env<'p>,
        span: Span,
    ) -> Eval<Value<'p>> {
        let Some((Arg::Positional(of), rest)) = args.split_first() else {
            let message = "`kmeans` needs `features`";
            return Err(Diagnostic::error("missing-argument", message).at(span, "").into());
        };
        let value = self.eval(of, env)?;
        let features = self.as_features(&value, of.span, "`kmeans` clusters")?;
        let options = self.kmeans_options(rest, env, span)?;
        Ok(self.codes(name, LearnCall::Kmeans { features, options }, span))
    }

    /// `codes.assign(features)`
    pub(super) fn label_by(&mut self, codes: &Codes, args: Args<'p>) -> Eval<Value<'p>> {
        let span = args.span;
        let (value, at) = self.only_argument(args, "features", "assign")?;
        let features = self.as_features(&value, at, "`assign` labels")?;
        let name = match self.learner {
            Some((item, true, _)) => item.to_string(),
            _ => self.program.text(span).to_string(),
        };
        Ok(self.codes(name, LearnCall::Assign { codes: Box::new(codes.clone()), features }, span))
    }

    /// Labels by their call, which is a request of its own while requests are gathered.
    pub(super) fn codes(&mut self, name: String, call: LearnCall, span: Span) -> Value<'p> {
        if let Learning::Gather(requests) = &mut self.learning {
            requests.push(LearnRequest { name: name.clone(), call: call.clone(), span });
        }
        Value::Codes(Rc::new(Codes { name, call }))
    }

    /// What can be clustered: embeddings, what a teacher makes, or the tiles of data.
    fn as_features(&self, value: &Value<'p>, span: Span, what: &str) -> Eval<Features> {
        match value {
            Value::Features(features) => Ok(Features::clone(features)),
            Value::Data(data) => match &data.0 {
                DataView::Tiles { data, tiles } => {
                    Ok(Features::Tiles { data: data.clone(), tiles: tiles.clone() })
                }
                DataView::Whole(name) | DataView::Tile { data: name, .. } => {
                    let message =
                        format!("{what} a vector for each value of a latent, and `{name}` has none");
                    Err(Diagnostic::error("kind-mismatch", message)
                        .at(span, "")
                        .help(format!(
                            "write `{name}.tiles(Z)` for the values themselves, or ask a teacher: \
                             `bert.suffixes({name})`"
                        ))
                        .into())
                }
            },
            other => Err(self.mismatch("features", other, span, what).into()),
        }
    }

    fn kmeans_options(&mut self, args: &'p [Arg], env: &Env<'p>, span: Span) -> Eval<KmeansOptions> {
        let mut options = KmeansOptions {
            k: 0,
            clusters: Clusters::Shared,
            seed: 0,
            restarts: 1,
            iterations: 100,
            batch: None,
        };
        for (option, expr) in named(args, "kmeans")? {
            if option.text == "per" {
                options.clusters = clusters(expr)?;
                continue;
            }
            let value = self.eval(expr, env)?;
            let what = format!("`{}`", option.text);
            match option.text.as_str() {
                "k" => options.k = self.as_count(&value, expr.span, &what)?,
                "seed" => options.seed = self.as_int(&value, expr.span, &what)? as u64,
                "restarts" => options.restarts = self.as_count(&value, expr.span, &what)?,
                "iterations" => options.iterations = self.as_count(&value, expr.span, &what)?,
                "batch" => options.batch = Some(self.as_count(&value, expr.span, &what)?),
                _ => return Err(unknown_option("kmeans", option).into()),
            }
        }
        match options.k {
            0 => {
                let message = "`kmeans` needs `k`, the number of clusters";
                Err(Diagnostic::error("missing-argument", message).at(span, "").into())
            }
            _ => Ok(options),
        }
    }
}

fn clusters(expr: &Expr) -> Eval<Clusters> {
    match word(expr) {
        Some("position") => Ok(Clusters::PerPosition),
        Some("all") => Ok(Clusters::Shared),
        _ => Err(unknown_word("per", &["position", "all"], expr.span).into()),
    }
}
