//! Reads the text form that [`print`](super::print()) writes.
//!
//! In comes text from anywhere (a model file, a hand-written test), out comes a graph that
//! [`verify`](super::verify()) finds whole, or the first line that is wrong and why. The work is linear in
//! the text, and no size that the text claims is believed before it is checked: malformed text is an error,
//! never a panic and never an allocation larger than the limits below.

use super::print::VERSION;
use super::verify::verify;
use super::words::{ReadError, Words, inside, parse};
use super::{EdgeMask, Graph, GraphBuilder, GraphError, LayerKind, Param, ParamShape};
use crate::family::{Bernoulli, Binomial, Categorical, Gaussian, MinSd};
use crate::{Domain, Family, LayerId, ParamId, VarId};
use pcc_diag::Span;
use rustc_hash::{FxHashMap, FxHashSet};

/// The most variables that a text may declare.
const MOST_VARIABLES: u64 = 1 << 24;
/// The most numbers that its tables may hold together.
const MOST_NUMBERS: u64 = 1 << 36;
/// The most units that one layer may have.
const MOST_UNITS: u64 = 1 << 31;

/// The graph that a text describes. Blank lines and lines that start with `#` mean nothing.
///
/// # Errors
/// The first line that is malformed or contradicts another, with the reason.
pub fn read(text: &str) -> Result<Graph, ReadError> {
    let mut reader = Reader::default();
    for (i, line) in text.lines().enumerate() {
        let line_number = i + 1;
        if !line.trim_start().is_empty() && !line.trim_start().starts_with('#') {
            reader.line(Words::new(line_number, line))?;
        }
    }
    reader.finish(text.lines().count().max(1))
}

#[derive(Default)]
struct Reader {
    builder: GraphBuilder,
    groups: FxHashMap<String, usize>,
    table_names: FxHashSet<String>,
    has_header: bool,
    n_params: usize,
    n_numbers: u64,
    layer_lines: Vec<usize>,
    root: Option<LayerId>,
}

impl Reader {
    fn line(&mut self, mut words: Words<'_>) -> Result<(), ReadError> {
        let first = words.next("its first word")?;
        match first {
            "pcg" if !self.has_header => self.header(&mut words)?,
            _ if !self.has_header => return Err(words.error("the text does not begin with `pcg`")),
            "vars" | "latent" => self.group(&mut words, first == "latent")?,
            "label" => self.label(&mut words)?,
            "root" if self.root.is_none() => self.root = Some(self.layer_id(&mut words)?),
            "root" => return Err(words.error("the text has two roots")),
            _ => self.definition(first, &mut words)?,
        }
        words.end()
    }

    fn header(&mut self, words: &mut Words<'_>) -> Result<(), ReadError> {
        self.has_header = true;
        match words.number::<u32>("a version")? {
            VERSION => Ok(()),
            other => {
                Err(words.error(format!("version {other} is not known; this pcc reads version {VERSION}")))
            }
        }
    }

    fn group(&mut self, words: &mut Words<'_>, is_latent: bool) -> Result<(), ReadError> {
        let (name, extents) = words.name_and_numbers("a name with extents")?;
        words.expect(":")?;
        let word = words.next("a domain")?;
        let domain = domain(word).ok_or_else(|| words.error(format!("`{word}` is not a domain")))?;
        if !self.layer_lines.is_empty() {
            return Err(words.error("variables are declared after the first layer"));
        }
        let before = self.builder.graph().variables().len() as u64;
        let n = extents.iter().try_fold(1_u64, |n, &e| n.checked_mul(u64::from(e)));
        if n.is_none_or(|n| n.saturating_add(before) > MOST_VARIABLES) {
            return Err(words.error(format!("more than {MOST_VARIABLES} variables are declared")));
        }
        let position = self.groups.len();
        if self.groups.insert(name.clone(), position).is_some() {
            return Err(words.error(format!("`{name}` is declared twice")));
        }
        self.builder.variables(&name, &extents, domain, is_latent);
        Ok(())
    }

    fn definition(&mut self, id: &str, words: &mut Words<'_>) -> Result<(), ReadError> {
        let letter = id.chars().next().filter(|c| matches!(c, 't' | 'l'));
        let number = letter.and_then(|c| id.strip_prefix(c)).and_then(parse::<usize>);
        let (Some(letter), Some(number)) = (letter, number) else {
            return Err(words.error(format!("`{id}` is not the start of any line")));
        };
        let next = if letter == 't' { self.n_params } else { self.layer_lines.len() };
        if number != next {
            return Err(
                words.error(format!("`{id}` stands where `{letter}{next}` should: ids count from zero"))
            );
        }
        words.expect("=")?;
        if letter == 't' { self.table(words) } else { self.layer(words) }
    }

    fn table(&mut self, words: &mut Words<'_>) -> Result<(), ReadError> {
        words.expect("table")?;
        let name = words.quoted("a name")?;
        if name.is_empty() || !self.table_names.insert(name.clone()) {
            return Err(words.error(format!("two tables are named \"{name}\", or the name is empty")));
        }
        let shape = shape(words)?;
        words.expect("groups")?;
        let groups = words.count("a number of groups")?;
        self.n_numbers = self.n_numbers.saturating_add(n_numbers(shape, groups));
        if self.n_numbers > MOST_NUMBERS {
            return Err(words.error(format!("the tables hold more than {MOST_NUMBERS} numbers")));
        }
        let mut param =
            Param { shape, groups, initial: None, is_fixed: false, mask: None, name, span: Span::NONE };
        let mut word = words.try_next();
        if word == Some("fixed") {
            param.is_fixed = true;
            word = words.try_next();
        }
        if word == Some("mask") {
            param.mask = Some(mask(words, &param)?);
            word = words.try_next();
        }
        match word {
            Some("values") => param.initial = Some(values(words, param.len())?),
            Some(other) => return Err(words.error(format!("`{other}` is not known in a table"))),
            None => {}
        }
        self.builder.param(param);
        self.n_params += 1;
        Ok(())
    }

    fn layer(&mut self, words: &mut Words<'_>) -> Result<(), ReadError> {
        let kind = self.kind(words)?;
        let (children, groups, width) = self.children_and_size(words)?;
        if u64::from(groups) * u64::from(width) > MOST_UNITS {
            return Err(words.error(format!("a layer of more than {MOST_UNITS} units")));
        }
        if kind.var().is_some() && !children.is_empty() {
            return Err(words.error(format!("an `{}` layer has no children", kind.word())));
        }
        self.check_sizes(words, kind, &children, groups)?;
        let id = self.build(kind, &children, groups, width).map_err(|e| words.error(e.to_string()))?;
        let built = self.builder.graph().layer(id);
        if (built.groups, built.width) != (groups, width) {
            let (g, w) = (built.groups, built.width);
            return Err(words.error(format!("the layer says {groups} x {width}, but it is {g} x {w}")));
        }
        self.layer_lines.push(words.line);
        Ok(())
    }

    fn kind(&self, words: &mut Words<'_>) -> Result<LayerKind, ReadError> {
        Ok(match words.next("a kind of layer")? {
            "input" => LayerKind::Input { var: self.variable(words)?, param: self.param(words)? },
            "literal" => LayerKind::Literal { var: self.variable(words)?, value: words.number("a code")? },
            "indicator" => {
                LayerKind::Indicator { var: self.variable(words)?, first: words.number("a code")? }
            }
            "product" => LayerKind::Product,
            "outer" => LayerKind::Outer,
            "sum" => LayerKind::Sum { param: self.param(words)? },
            "mix" => LayerKind::Mix { param: self.param(words)? },
            other => return Err(words.error(format!("`{other}` is not a kind of layer"))),
        })
    }

    fn children_and_size(&self, words: &mut Words<'_>) -> Result<(Vec<LayerId>, u32, u32), ReadError> {
        let mut children = Vec::new();
        loop {
            let ahead = words.clone().next("`:`")?;
            if ahead == ":" {
                words.expect(":")?;
                let (groups, width) = words.times("a number of groups", "a width")?;
                return Ok((children, groups, width));
            }
            children.push(self.layer_id(words)?);
        }
    }

    /// That no number the builder computes overflows.
    fn check_sizes(
        &self,
        words: &Words<'_>,
        kind: LayerKind,
        children: &[LayerId],
        groups: u32,
    ) -> Result<(), ReadError> {
        let units = |c: &LayerId| self.builder.graph().n_units(*c) as u64;
        let total = match kind {
            LayerKind::Sum { .. } => children.iter().map(units).sum(),
            LayerKind::Outer if children.len() != 2 => return Err(words.error("an `outer` has two children")),
            LayerKind::Outer => units(&children[0]) * units(&children[1]) / u64::from(groups),
            _ => 0,
        };
        if total > MOST_UNITS {
            return Err(words.error(format!("a layer over more than {MOST_UNITS} units")));
        }
        Ok(())
    }

    fn build(
        &mut self,
        kind: LayerKind,
        children: &[LayerId],
        groups: u32,
        width: u32,
    ) -> Result<LayerId, GraphError> {
        let b = &mut self.builder;
        match kind {
            LayerKind::Input { var, param } => b.input(var, param, groups, Span::NONE),
            LayerKind::Literal { var, value } => Ok(b.literal(var, value, groups, width, Span::NONE)),
            LayerKind::Indicator { var, first } => Ok(b.indicator(var, first, groups, width, Span::NONE)),
            LayerKind::Product => b.product(children, Span::NONE),
            LayerKind::Outer => b.outer(children[0], children[1], groups, Span::NONE),
            LayerKind::Sum { param } => b.sum(children, param, groups, Span::NONE),
            LayerKind::Mix { param } => b.mix(children, param, groups, Span::NONE),
        }
    }

    fn label(&mut self, words: &mut Words<'_>) -> Result<(), ReadError> {
        let layer = self.layer_id(words)?;
        let name = words.quoted("a label")?;
        self.builder.label(layer, &name);
        Ok(())
    }

    fn variable(&self, words: &mut Words<'_>) -> Result<VarId, ReadError> {
        let (name, index) = words.name_and_numbers("a variable")?;
        let group = self.groups.get(&name).map(|&g| &self.builder.graph().var_groups()[g]);
        let group = group.ok_or_else(|| words.error(format!("no variables are named `{name}`")))?;
        let outside = || words.error(format!("`{name}` has no variable at {index:?}"));
        group.at(&index).ok_or_else(outside)
    }

    fn param(&self, words: &mut Words<'_>) -> Result<ParamId, ReadError> {
        words.id('t', self.n_params, "a table").map(ParamId::new)
    }

    fn layer_id(&self, words: &mut Words<'_>) -> Result<LayerId, ReadError> {
        words.id('l', self.layer_lines.len(), "a layer").map(LayerId::new)
    }

    fn finish(self, last_line: usize) -> Result<Graph, ReadError> {
        let error = |message: &str| ReadError::new(last_line, message);
        if !self.has_header {
            return Err(error("the text does not begin with `pcg`"));
        }
        let root = self.root.ok_or_else(|| error("the text ends without a `root` line"))?;
        // A whole text has only what its root reaches, so no id moves and faults can name their lines.
        let n_layers = self.layer_lines.len();
        let graph = self.builder.finish(root).map_err(|e| error(&e.to_string()))?;
        if graph.n_layers() != n_layers || graph.params().len() != self.n_params {
            return Err(error("the root does not reach all layers and tables"));
        }
        match verify(&graph).first() {
            Some(fault) => {
                let line = fault.layer.map_or(last_line, |l| self.layer_lines[l.index()]);
                Err(ReadError::new(line, fault.message.clone()))
            }
            None => Ok(graph),
        }
    }
}

fn domain(word: &str) -> Option<Domain> {
    let size = |name| inside(word, name).and_then(parse::<u32>).filter(|&n| n > 0 && n < u32::MAX);
    match word {
        "bool" => Some(Domain::Bool),
        "nat" => Some(Domain::Nat),
        "real" => Some(Domain::Real),
        _ if word.starts_with("cat") => size("cat").map(Domain::Cat),
        _ if word.starts_with("token") => size("token").map(Domain::Token),
        _ => {
            let (low, high) = inside(word, "int")?.split_once("..")?;
            let (low, high) = (parse::<i64>(low)?, parse::<i64>(high)?);
            let n = i128::from(high) - i128::from(low) + 1;
            (n > 0 && n < i128::from(u32::MAX)).then_some(Domain::Int(low, high))
        }
    }
}

fn shape(words: &mut Words<'_>) -> Result<ParamShape, ReadError> {
    match words.next("what the table holds")? {
        "sum" => {
            let (rows, columns) = words.times("a number of rows", "a number of columns")?;
            Ok(ParamShape::Sum { rows, columns })
        }
        "mix" => {
            let (units, children) = words.times("a number of units", "a number of children")?;
            Ok(ParamShape::Mix { units, children })
        }
        "input" => {
            let word = words.next("a family")?;
            let family = family(word).ok_or_else(|| words.error(format!("`{word}` is not a family")))?;
            words.expect("x")?;
            Ok(ParamShape::Input { family, units: words.count("a number of units")? })
        }
        other => Err(words.error(format!("`{other}` is not what a table can hold"))),
    }
}

fn family(word: &str) -> Option<Family> {
    let size = |name| inside(word, name).and_then(parse::<u32>).filter(|&n| n < u32::MAX);
    if word == "bernoulli" {
        return Some(Family::Bernoulli(Bernoulli));
    }
    if let Some(n) = size("categorical").filter(|&n| n > 0) {
        return Some(Family::Categorical(Categorical { n }));
    }
    if let Some(n) = size("binomial") {
        return Some(Family::Binomial(Binomial { n }));
    }
    let min_sd = MinSd::new(parse(inside(word, "gaussian")?)?)?;
    Some(Family::Gaussian(Gaussian { min_sd }))
}

/// The length of a table, without trusting that it fits.
fn n_numbers(shape: ParamShape, groups: u32) -> u64 {
    let (a, b) = match shape {
        ParamShape::Sum { rows, columns } => (rows, columns),
        ParamShape::Mix { units, children } => (units, children),
        // Statistics are at least as many as parameters, and are allocated too.
        ParamShape::Input { family, units } => (units, family.n_params().max(family.n_stats()) as u32),
    };
    (u64::from(a) * u64::from(b)).saturating_mul(u64::from(groups))
}

fn mask(words: &mut Words<'_>, param: &Param) -> Result<EdgeMask, ReadError> {
    let digits = words.next("the digits of a mask")?;
    let mask = EdgeMask::from_digits(digits, param.len());
    let mask = mask.filter(|mask| param.takes_mask(Some(mask)));
    mask.ok_or_else(|| words.error(format!("`{digits}` is no mask of a table of {} weights", param.len())))
}

fn values(words: &mut Words<'_>, n: usize) -> Result<Vec<f64>, ReadError> {
    let mut values = Vec::new();
    while let Some(word) = words.try_next() {
        let value = parse::<f64>(word).filter(|v| !v.is_nan());
        values.push(value.ok_or_else(|| words.error(format!("`{word}` is not a number")))?);
    }
    match values.len() {
        found if found == n => Ok(values),
        found => Err(words.error(format!("the table has {found} values, but its shape needs {n}"))),
    }
}
