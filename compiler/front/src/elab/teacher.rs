//! `teacher` items, and what teachers are asked for.

use super::learn::{named, unknown_option, unknown_word, word};
use super::{Elaborator, Eval};
use crate::builtin::{Home, names_at};
use crate::modules::ItemId;
use crate::value::scope::ScopeValue;
use crate::value::{Env, Value};
use pcc_diag::{Diagnostic, Span};
use pcc_grammar::ast::{self, Arg, Expr, ExprKind, Name};
use pcc_ir::recipe::{
    AutoencoderOptions, Context, DataView, Features, LearnCall, Network, Teacher, TeacherView, VqVaeOptions,
    WordVectorOptions,
};
use std::rc::Rc;

/// The options of a network that were written, by name.
type Options<'p> = Vec<(&'p Name, &'p Expr)>;

impl<'p> Elaborator<'p> {
    /// The value of a `teacher` item.
    pub(super) fn teacher(&mut self, id: ItemId, item: &'p ast::Teacher, env: &Env<'p>) -> Eval<Value<'p>> {
        let data = item.data.as_ref().map(|data| self.whole_data(data, env)).transpose()?;
        let network = self.network(id, &item.network, env)?;
        match (&data, network.patch()) {
            (None, _) if network.is_trained() => {
                let message = format!("`{}` has no weights yet, so it is trained on data", item.name.text);
                return Err(Diagnostic::error("missing-argument", message)
                    .at(item.network.span, "")
                    .help("write `on train` behind it")
                    .into());
            }
            (Some((_, grid)), Some(patch)) => self.check_patch(patch, grid, item.network.span)?,
            _ => {}
        }
        let data = data.map(|(name, _)| name);
        Ok(Value::Teacher(Rc::new(Teacher { name: item.name.text.clone(), network, data })))
    }

    /// The name of a data set, all of it, and the grid of its variables.
    fn whole_data(&mut self, expr: &'p Expr, env: &Env<'p>) -> Eval<(String, ScopeValue)> {
        match self.eval(expr, env)? {
            Value::Data(data) if matches!(data.0, DataView::Whole(_)) => {
                Ok((data.0.data().to_string(), self.grid_of(&data.1)))
            }
            other => Err(self.mismatch("whole data", &other, expr.span, "a teacher looks at").into()),
        }
    }

    /// A patch divides the grid that it is cut from; axes that it doesn't have stay whole.
    fn check_patch(&self, patch: &[u32], grid: &ScopeValue, span: Span) -> Eval<()> {
        let extents = grid.extents().unwrap_or_default();
        let divides = |(extent, size): (&u32, &u32)| extent.is_multiple_of(*size);
        if patch.len() <= extents.len() && extents.iter().zip(patch).all(divides) {
            return Ok(());
        }
        let by = |e: &[u32]| e.iter().map(u32::to_string).collect::<Vec<_>>().join(" x ");
        let message = format!("a grid of {} can't be cut into patches of {}", by(&extents), by(patch));
        Err(Diagnostic::error("tiles-do-not-divide", message)
            .at(span, "")
            .help("the extents of a patch divide those of the data's variables, which are declared together")
            .into())
    }

    fn network(&mut self, id: ItemId, expr: &'p Expr, env: &Env<'p>) -> Eval<Network> {
        let (name, args): (_, &'p [Arg]) = match &expr.kind {
            ExprKind::Call(callee, args) => (word(callee), args),
            _ => (word(expr), &[]),
        };
        match name {
            Some("transformer") => self.transformer(id, args, env, expr.span),
            Some("masked_autoencoder") => self.masked_autoencoder(args, env, expr.span),
            Some("vq_vae") => self.vq_vae(args, env, expr.span),
            Some("word_vectors") => self.word_vectors(args, env),
            _ => {
                let known: Vec<&str> = names_at(Home::Teacher).collect();
                let help = format!("there are {}", crate::words::listing(&known));
                let report = Diagnostic::error("unknown-word", "this is no teacher network");
                Err(report.at(expr.span, "").help(help).into())
            }
        }
    }

    fn transformer(&mut self, id: ItemId, args: &'p [Arg], env: &Env<'p>, span: Span) -> Eval<Network> {
        let Some((Arg::Positional(first), rest)) = args.split_first() else {
            let message = "`transformer` needs the folder of a checkpoint";
            return Err(Diagnostic::error("missing-argument", message).at(span, "").into());
        };
        if let Some((option, _)) = named(rest, "transformer")?.first() {
            return Err(unknown_option("transformer", option).into());
        }
        match self.eval(first, env)? {
            Value::Text(path) => {
                let beside = self.program.module(id.module).map_or(String::new(), |m| m.folder.clone());
                Ok(Network::Transformer { path: path.to_string(), beside })
            }
            other => Err(self.mismatch("a string", &other, first.span, "a path is").into()),
        }
    }

    fn masked_autoencoder(&mut self, args: &'p [Arg], env: &Env<'p>, span: Span) -> Eval<Network> {
        let mut options = AutoencoderOptions {
            patch: Vec::new(),
            dim: 64,
            layers: 3,
            heads: 4,
            epochs: 20,
            batch: 64,
            seed: 0,
        };
        let written = named(args, "masked_autoencoder")?;
        self.patch(&written, env, "masked_autoencoder", span, &mut options.patch)?;
        for (name, expr) in written.into_iter().filter(|(name, _)| name.text != "patch") {
            let field = match name.text.as_str() {
                "dim" => &mut options.dim,
                "layers" => &mut options.layers,
                "heads" => &mut options.heads,
                "epochs" => &mut options.epochs,
                "batch" => &mut options.batch,
                "seed" => {
                    options.seed = self.seed(expr, env)?;
                    continue;
                }
                _ => return Err(unknown_option("masked_autoencoder", name).into()),
            };
            *field = self.count(name, expr, env)?;
        }
        if !options.dim.is_multiple_of(options.heads) {
            let message = format!(
                "a token of {} numbers can't be shared out among {} heads",
                options.dim, options.heads
            );
            return Err(Diagnostic::error("bad-option", message)
                .at(span, "")
                .help("`heads` divides `dim`")
                .into());
        }
        Ok(Network::MaskedAutoencoder(options))
    }

    fn vq_vae(&mut self, args: &'p [Arg], env: &Env<'p>, span: Span) -> Eval<Network> {
        let mut options =
            VqVaeOptions { patch: Vec::new(), codes: 0, dim: 32, epochs: 20, batch: 64, seed: 0 };
        let written = named(args, "vq_vae")?;
        self.patch(&written, env, "vq_vae", span, &mut options.patch)?;
        for (name, expr) in written.into_iter().filter(|(name, _)| name.text != "patch") {
            let field = match name.text.as_str() {
                "codes" => &mut options.codes,
                "dim" => &mut options.dim,
                "epochs" => &mut options.epochs,
                "batch" => &mut options.batch,
                "seed" => {
                    options.seed = self.seed(expr, env)?;
                    continue;
                }
                _ => return Err(unknown_option("vq_vae", name).into()),
            };
            *field = self.count(name, expr, env)?;
        }
        match options.codes {
            0 => {
                let message = "`vq_vae` needs `codes`, the size of its code book";
                Err(Diagnostic::error("missing-argument", message).at(span, "").into())
            }
            _ => Ok(Network::VqVae(options)),
        }
    }

    fn word_vectors(&mut self, args: &'p [Arg], env: &Env<'p>) -> Eval<Network> {
        let mut options = WordVectorOptions { dim: 64, window: 5, seed: 0 };
        for (name, expr) in named(args, "word_vectors")? {
            match name.text.as_str() {
                "dim" => options.dim = self.count(name, expr, env)?,
                "window" => options.window = self.count(name, expr, env)?,
                "seed" => options.seed = self.seed(expr, env)?,
                _ => return Err(unknown_option("word_vectors", name).into()),
            }
        }
        Ok(Network::WordVectors(options))
    }

    fn count(&mut self, name: &Name, expr: &'p Expr, env: &Env<'p>) -> Eval<u32> {
        let value = self.eval(expr, env)?;
        self.as_count(&value, expr.span, &format!("`{}`", name.text))
    }

    fn seed(&mut self, expr: &'p Expr, env: &Env<'p>) -> Eval<u64> {
        let value = self.eval(expr, env)?;
        Ok(self.as_int(&value, expr.span, "a seed")? as u64)
    }

    /// `patch = (4, 4)`: the extents of a patch.
    fn patch(
        &mut self,
        written: &Options<'p>,
        env: &Env<'p>,
        of: &str,
        span: Span,
        into: &mut Vec<u32>,
    ) -> Eval<()> {
        let Some((_, expr)) = written.iter().find(|(name, _)| name.text == "patch") else {
            let message = format!("`{of}` needs `patch`, the extents of a patch");
            let report = Diagnostic::error("missing-argument", message).at(span, "");
            return Err(report.help("write `patch = (4, 4)`").into());
        };
        match self.eval(expr, env)? {
            Value::Tuple(extents) | Value::List(extents) => {
                for extent in extents.iter() {
                    into.push(self.as_count(extent, expr.span, "an extent of `patch`")?);
                }
                Ok(())
            }
            other => Err(self.mismatch("a tuple", &other, expr.span, "`patch` is").into()),
        }
    }

    /// `bert.suffixes(train)`, `mae.features(train, context = ancestors)`, `vq.codes(train)`
    pub(super) fn ask_teacher(
        &mut self,
        teacher: &Teacher,
        name: &'p Name,
        args: &'p [Arg],
        env: &Env<'p>,
        span: Span,
    ) -> Eval<Value<'p>> {
        let known = teacher.network.views();
        if !known.contains(&name.text.as_str()) {
            let message = format!("`{}` does not give `{}`", teacher.name, name.text);
            let error = Diagnostic::error("unknown-field", message).at(name.span, "");
            return Err(error
                .did_you_mean(&name.text, known.iter().copied(), |error| {
                    error.help(format!("it gives {}", crate::words::listing(known)))
                })
                .into());
        }
        let Some((Arg::Positional(of), rest)) = args.split_first() else {
            let message = format!("`{}` needs data", name.text);
            return Err(Diagnostic::error("missing-argument", message).at(span, "").into());
        };
        let (data, grid) = self.whole_data(of, env)?;
        if let Some(patch) = teacher.network.patch() {
            self.check_patch(patch, &grid, of.span)?;
        }
        let context = context(&name.text, rest)?;
        let view = match name.text.as_str() {
            "suffixes" => TeacherView::Suffixes,
            "prefixes" => TeacherView::Prefixes,
            "words" => TeacherView::Words,
            "codes" => {
                let call = LearnCall::TeacherCodes { teacher: teacher.clone(), data };
                let item = self.learner.map(|(item, ..)| item.to_string());
                let name = item.unwrap_or_else(|| self.program.text(span).to_string());
                return Ok(self.codes(name, call, span));
            }
            _ => TeacherView::Patches(context),
        };
        Ok(Value::Features(Rc::new(Features::Teacher { teacher: teacher.clone(), view, data })))
    }
}

/// The option `context`, which only `features` has.
fn context(of: &str, args: &[Arg]) -> Eval<Context> {
    let mut context = Context::Alone;
    for (name, expr) in named(args, of)? {
        if (of, name.text.as_str()) != ("features", "context") {
            let message = format!("`{of}` has no option `{}`", name.text);
            return Err(Diagnostic::error("unknown-argument", message).at(name.span, "").into());
        }
        context = match word(expr) {
            Some("alone") => Context::Alone,
            Some("neighbours") => Context::Neighbours,
            Some("ancestors") => Context::Ancestors,
            _ => {
                return Err(unknown_word("context", &["alone", "neighbours", "ancestors"], expr.span).into());
            }
        };
    }
    Ok(context)
}
