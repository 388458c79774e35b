//! `data` items: rows of variables, the weights of rows, and embeddings.

use super::{keep, with_all_variables};
use crate::Settings;
use crate::builtin::{Home, names_at};
use crate::elab::learn::{named, unknown_option, unknown_word, word};
use crate::elab::{Elaborator, Eval};
use crate::modules::{ItemId, Program};
use crate::value::{Env, Value};
use pcc_diag::{Diagnostic, Sink, Span, suggest};
use pcc_grammar::ast::{self, Arg, Expr, ExprKind, ItemKind};
use pcc_ir::recipe::{DataSource, EmbeddingSource, Reader, Rows, TextOptions, WeightSource};
use rustc_hash::FxHashMap;

/// The data sets over variables, in order. Embeddings are none of them: they hold no values of variables.
pub fn data_sources(program: &Program, settings: &Settings, sink: &mut Sink) -> Vec<DataSource> {
    let sources = with_all_variables(program, settings, sink, |elaborator, program, sink| {
        let mut sources = Vec::new();
        for (id, item) in program.items() {
            if let ItemKind::Data(data) = &item.kind
                && matches!(Holds::of(&data.target), Holds::Variables)
            {
                let source = source(elaborator, program, id, data);
                keep(elaborator, source, &mut sources, sink);
            }
        }
        sources
    });
    let mut sources = sources.unwrap_or_default();
    share_vocabularies(&mut sources);
    sources
}

/// The weights of rows, in order.
pub fn weight_sources(program: &Program, settings: &Settings, sink: &mut Sink) -> Vec<WeightSource> {
    let sources = with_all_variables(program, settings, sink, |elaborator, program, sink| {
        let mut sources = Vec::new();
        for (id, item) in program.items() {
            if let ItemKind::Data(data) = &item.kind
                && let Holds::Weights(_) = Holds::of(&data.target)
            {
                let source = weights(elaborator, program, id, data);
                keep(elaborator, source, &mut sources, sink);
            }
        }
        sources
    });
    sources.unwrap_or_default()
}

/// What a `data` item holds.
pub(crate) enum Holds<'e> {
    /// Values of variables.
    Variables,
    /// `embedding(Z, width)`: vectors for a latent.
    Embedding(&'e [Arg]),
    /// `weights(train)`: a number for each row of other data.
    Weights(&'e [Arg]),
}

impl Holds<'_> {
    /// As the words before `from` say.
    pub(crate) fn of(target: &Expr) -> Holds<'_> {
        match &target.kind {
            ExprKind::Call(callee, args) if word(callee) == Some("embedding") => Holds::Embedding(args),
            ExprKind::Call(callee, args) if word(callee) == Some("weights") => Holds::Weights(args),
            _ => Holds::Variables,
        }
    }
}

/// Text without a vocabulary of its own has that of the first text over the same variables.
fn share_vocabularies(sources: &mut [DataSource]) {
    let mut first: FxHashMap<Vec<String>, String> = FxHashMap::default();
    for source in sources {
        if let Reader::Text(options) = &mut source.reader {
            let owner = first.entry(source.variables.clone()).or_insert_with(|| source.name.clone());
            options.vocabulary_of = owner.clone();
        }
    }
}

fn source<'p>(
    elaborator: &mut Elaborator<'p>,
    program: &'p Program,
    id: ItemId,
    data: &'p ast::Data,
) -> Eval<DataSource> {
    let env = elaborator.module_env(id.module);
    let target = elaborator.eval(&data.target, &env)?;
    let vars = elaborator.data_vars(&target, data.target.span)?;
    let variables = elaborator.group_names(&vars);
    let n: usize = variables.iter().filter_map(|g| elaborator.graph().find_group(g)).map(|g| g.len()).sum();
    if n != vars.len() {
        let message = "data holds whole groups of variables, as they were declared";
        return Err(Diagnostic::error("data-shape", message).at(data.target.span, "").into());
    }
    let File { path, reader, rows } = file(elaborator, program, data, n, env)?;
    let name = data.name.text.clone();
    Ok(DataSource { name, variables, path, beside: folder(program, id), reader, rows, span: data.name.span })
}

fn weights<'p>(
    elaborator: &mut Elaborator<'p>,
    program: &'p Program,
    id: ItemId,
    data: &'p ast::Data,
) -> Eval<WeightSource> {
    let env = elaborator.module_env(id.module);
    let of = elaborator.weighed(data, &env)?;
    let File { path, reader, rows } = file(elaborator, program, data, 1, env)?;
    let name = data.name.text.clone();
    Ok(WeightSource { name, of, path, beside: folder(program, id), reader, rows, span: data.name.span })
}

/// What a `data` item with `embedding(Z, 768)` says.
pub(crate) fn embedding<'p>(
    elaborator: &mut Elaborator<'p>,
    id: ItemId,
    data: &'p ast::Data,
    env: &Env<'p>,
) -> Eval<EmbeddingSource> {
    let program = elaborator.program;
    let Holds::Embedding([Arg::Positional(latent), Arg::Positional(width)]) = Holds::of(&data.target) else {
        let message = "`embedding` takes the latents and how many numbers each has";
        return Err(Diagnostic::error("missing-argument", message)
            .at(data.target.span, "")
            .help("write `embedding(Z, 768)`")
            .into());
    };
    let value = elaborator.eval(latent, env)?;
    let vars = elaborator.data_vars(&value, latent.span)?;
    let names = elaborator.group_names(&vars);
    let is_whole = |name: &String| elaborator.graph().find_group(name).is_some_and(|g| g.len() == vars.len());
    let Some(group) = names.first().filter(|name| names.len() == 1 && is_whole(name)) else {
        let message = "vectors belong to a whole latent, as it was declared";
        return Err(Diagnostic::error("data-shape", message).at(latent.span, "").into());
    };
    let (latent, positions) = (group.clone(), vars.len());
    let value = elaborator.eval(width, env)?;
    let width = elaborator.as_count(&value, width.span, "the width of a vector")? as usize;
    let File { path, reader, rows } = file(elaborator, program, data, positions * width, env.clone())?;
    if matches!(reader, Reader::Text(_) | Reader::Bits) {
        let message = "vectors are numbers, which neither `text` nor `bits` reads";
        return Err(Diagnostic::error("unknown-reader", message).at(data.source.span, "").into());
    }
    let name = data.name.text.clone();
    let beside = folder(program, id);
    Ok(EmbeddingSource { name, latent, positions, width, path, beside, reader, rows })
}

/// What stands behind `from`.
struct File {
    path: String,
    reader: Reader,
    rows: Rows,
}

/// Reads `npy("train.npy", rows = 0 .. 1000)`; `n` values make a row.
fn file<'p>(
    elaborator: &mut Elaborator<'p>,
    program: &'p Program,
    data: &'p ast::Data,
    n: usize,
    env: Env<'p>,
) -> Eval<File> {
    let ExprKind::Call(callee, args) = &data.source.kind else {
        return Err(unknown_reader(program.text(data.source.span), data.source.span).into());
    };
    let mut call = ReaderCall::new(elaborator, word(callee).unwrap_or(""), callee.span, args, env)?;
    let rows = call.rows()?;
    let reader = call.reader(n, &data.name.text)?;
    Ok(File { path: call.path, reader, rows })
}

/// The folder of the source file in which an item stands.
fn folder(program: &Program, id: ItemId) -> String {
    program.module(id.module).map_or(String::new(), |m| m.folder.clone())
}

struct ReaderCall<'e, 'p> {
    elaborator: &'e mut Elaborator<'p>,
    name: &'p str,
    span: Span,
    path: String,
    options: Vec<(&'p ast::Name, &'p Expr)>,
    env: Env<'p>,
}

impl<'e, 'p> ReaderCall<'e, 'p> {
    fn new(
        elaborator: &'e mut Elaborator<'p>,
        name: &'p str,
        span: Span,
        args: &'p [Arg],
        env: Env<'p>,
    ) -> Eval<Self> {
        if names_at(Home::Reader).all(|known| known != name) {
            return Err(unknown_reader(name, span).into());
        }
        let Some((Arg::Positional(first), rest)) = args.split_first() else {
            let message = format!("`{name}` needs the path of a file");
            return Err(Diagnostic::error("missing-argument", message).at(span, "").into());
        };
        let options = named(rest, name)?;
        let path = match elaborator.eval(first, &env)? {
            Value::Text(path) => path.to_string(),
            other => return Err(elaborator.mismatch("a string", &other, first.span, "a path is").into()),
        };
        let known: Vec<&str> = crate::builtin::SIGNATURES
            .iter()
            .filter(|s| s.home == Home::Reader && s.name == name)
            .flat_map(|s| s.params.iter().skip(1).map(|p| p.name))
            .collect();
        if let Some((option, _)) = options.iter().find(|(option, _)| !known.contains(&option.text.as_str())) {
            return Err(unknown_option(name, option).into());
        }
        Ok(ReaderCall { elaborator, name, span, path, options, env })
    }

    fn option(&self, name: &str) -> Option<&'p Expr> {
        self.options.iter().find(|(n, _)| n.text == name).map(|(_, e)| *e)
    }

    fn value(&mut self, name: &str) -> Eval<Option<(Value<'p>, Span)>> {
        let env = self.env.clone();
        let option = self.option(name);
        option.map(|e| Ok((self.elaborator.eval(e, &env)?, e.span))).transpose()
    }

    fn rows(&mut self) -> Eval<Rows> {
        match self.value("rows")? {
            None => Ok(Rows::default()),
            Some((Value::Range(a, b), span)) => match (u64::try_from(a), u64::try_from(b)) {
                (Ok(start), Ok(end)) if start < end => Ok(Rows { start, end: Some(end) }),
                _ => Err(Diagnostic::error("bad-option", format!("rows {a} .. {b} are none"))
                    .at(span, "")
                    .into()),
            },
            Some((other, span)) => Err(self.elaborator.mismatch("a range", &other, span, "`rows` is").into()),
        }
    }

    fn reader(&mut self, n: usize, data: &str) -> Eval<Reader> {
        match self.name {
            "idx" => Ok(Reader::Idx),
            "npy" => Ok(Reader::Npy),
            "npz" => Ok(Reader::Npz { array: self.array("an array in the archive")? }),
            "safetensors" => Ok(Reader::Safetensors { array: self.array("a tensor in the file")? }),
            "parquet" => Ok(Reader::Parquet),
            "csv" => self.csv(),
            "bits" => Ok(Reader::Bits),
            _ => self.text_reader(n, data),
        }
    }

    fn array(&mut self, what: &str) -> Eval<String> {
        let name = self.name;
        self.text("array")?.ok_or_else(|| {
            let message = format!("`{name}` needs `array`, the name of {what}");
            Diagnostic::error("missing-argument", message).at(self.span, "").into()
        })
    }

    fn csv(&mut self) -> Eval<Reader> {
        let has_header = match self.value("header")? {
            None => false,
            Some((value, span)) => self.elaborator.as_bool(&value, span, "`header`")?,
        };
        let separator = match self.text("separator")? {
            None => ',',
            Some(text) => {
                let mut characters = text.chars();
                match (characters.next(), characters.next()) {
                    (Some(one), None) => one,
                    _ => {
                        let span = self.option("separator").map_or(self.span, |e| e.span);
                        let message = "`separator` is one character";
                        return Err(Diagnostic::error("bad-option", message).at(span, "").into());
                    }
                }
            }
        };
        Ok(Reader::Csv { has_header, separator })
    }

    fn text_reader(&mut self, n: usize, data: &str) -> Eval<Reader> {
        let window = self.count("window")?.unwrap_or(n);
        if window != n {
            let span = self.option("window").map_or(self.span, |e| e.span);
            let message = format!("a window of {window} tokens does not fill {n} variables");
            return Err(Diagnostic::error("data-shape", message).at(span, "").into());
        }
        let stride = self.count("stride")?.unwrap_or(window);
        let by_character = match self.option("by").map(|e| (word(e), e.span)) {
            None | Some((Some("word"), _)) => false,
            Some((Some("character"), _)) => true,
            Some((_, span)) => return Err(unknown_word("by", &["word", "character"], span).into()),
        };
        let vocabulary = self.text("vocabulary")?;
        Ok(Reader::Text(TextOptions { window, stride, by_character, vocabulary, vocabulary_of: data.into() }))
    }

    fn count(&mut self, name: &str) -> Eval<Option<usize>> {
        let value = self.value(name)?;
        value
            .map(|(v, span)| Ok(self.elaborator.as_count(&v, span, &format!("`{name}`"))? as usize))
            .transpose()
    }

    fn text(&mut self, name: &str) -> Eval<Option<String>> {
        match self.value(name)? {
            None => Ok(None),
            Some((Value::Text(text), _)) => Ok(Some(text.to_string())),
            Some((other, span)) => {
                Err(self.elaborator.mismatch("a string", &other, span, &format!("`{name}` is")).into())
            }
        }
    }
}

fn unknown_reader(name: &str, span: Span) -> Diagnostic {
    let known: Vec<&str> = names_at(Home::Reader).collect();
    let error = Diagnostic::error("unknown-reader", format!("`{name}` is no format of data")).at(span, "");
    match suggest(name, known.iter().copied()) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help(format!("the formats are {}", crate::words::listing(&known))),
    }
}
