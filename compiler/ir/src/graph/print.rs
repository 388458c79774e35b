//! The text form of a graph, `.pcg`: one line for each group of variables, table, layer and label.
//!
//! ```text
//! pcg 1
//! vars X[2, 2] : cat(256)
//! latent Z : cat(8)
//! t0 = table "emit" input categorical(256) x 8 groups 1
//! t1 = table "mix" sum 1 x 8 groups 1 fixed values 0.5 0.5 0 0 0 0 0 0
//! l0 = input X[0,1] t0 : 1 x 8
//! l1 = literal Y 1 : 1 x 8
//! l2 = indicator Z 0 : 1 x 8
//! l3 = product l0 l2 : 1 x 8
//! l4 = outer l0 l2 : 1 x 64
//! l5 = sum t1 l3 : 1 x 1
//! l6 = mix t2 l3 l3 : 1 x 8
//! label l3 "patch"
//! root l5
//! ```
//!
//! A table says its name, what it holds (`sum` rows x columns, `mix` units x children, `input` family x
//! units), its groups, whether learning leaves it alone, and where edges were pruned `mask` with the digits of an
//! [`EdgeMask`](super::EdgeMask); a layer says its kind, its variable or table,
//! its children, and its groups x width. Source spans are left out: they mean nothing without the source.
//! [`read`](super::read()) is the inverse. This module decides nothing and checks nothing.

use super::{Graph, LayerKind, Param, ParamShape};
use crate::{Domain, Family, LayerId, VarGroup, VarId};
use std::fmt::{self, Write};

/// The version in the first line. A reader refuses others.
pub(super) const VERSION: u32 = 1;

/// Whether the values written in the source are printed with their tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InitialValues {
    /// Printed, so that nothing is lost.
    Printed,
    /// Left out, as in a model file, which has trained tables beside the graph.
    LeftOut,
}

/// The whole graph as text; reading it gives the same graph but for spans.
pub fn print(graph: &Graph) -> String {
    print_with(graph, InitialValues::Printed)
}

/// The graph as text, with or without the values of its tables.
pub fn print_with(graph: &Graph, values: InitialValues) -> String {
    let mut text = String::with_capacity(64 + 40 * graph.n_layers());
    write_graph(&mut text, graph, values).expect("writing to a string cannot fail");
    text
}

fn write_graph(out: &mut String, graph: &Graph, values: InitialValues) -> fmt::Result {
    writeln!(out, "pcg {VERSION}")?;
    for group in graph.var_groups() {
        write_group(out, group)?;
    }
    for (i, param) in graph.params().iter().enumerate() {
        write!(out, "t{i} = ")?;
        write_param(out, param, values)?;
    }
    for id in graph.layer_ids() {
        write_layer(out, graph, id)?;
    }
    for (layer, name) in graph.labels() {
        writeln!(out, "label {layer} {}", Quoted(name))?;
    }
    match graph.root {
        Some(root) => writeln!(out, "root {root}"),
        None => Ok(()),
    }
}

fn write_group(out: &mut String, group: &VarGroup) -> fmt::Result {
    write!(out, "{} {}", if group.is_latent { "latent" } else { "vars" }, Name(&group.name))?;
    if !group.extents.is_empty() {
        let extents: Vec<String> = group.extents.iter().map(u32::to_string).collect();
        write!(out, "[{}]", extents.join(","))?;
    }
    match group.domain {
        // Without blanks, so that a domain is one word.
        Domain::Int(low, high) => writeln!(out, " : int({low}..{high})"),
        domain => writeln!(out, " : {domain}"),
    }
}

fn write_param(out: &mut String, param: &Param, values: InitialValues) -> fmt::Result {
    write!(out, "table {} ", Quoted(&param.name))?;
    match param.shape {
        ParamShape::Sum { rows, columns } => write!(out, "sum {rows} x {columns}")?,
        ParamShape::Mix { units, children } => write!(out, "mix {units} x {children}")?,
        ParamShape::Input { family, units } => write!(out, "input {} x {units}", Word(family))?,
    }
    write!(out, " groups {}", param.groups)?;
    if param.is_fixed {
        out.write_str(" fixed")?;
    }
    if let Some(mask) = &param.mask {
        write!(out, " mask {}", mask.digits())?;
    }
    if let (Some(initial), InitialValues::Printed) = (&param.initial, values) {
        out.write_str(" values")?;
        for value in initial {
            write!(out, " {value:?}")?;
        }
    }
    writeln!(out)
}

fn write_layer(out: &mut String, graph: &Graph, id: LayerId) -> fmt::Result {
    let layer = graph.layer(id);
    let name = |var: VarId| VarName(graph, var);
    write!(out, "{id} = ")?;
    match layer.kind {
        LayerKind::Input { var, param } => write!(out, "input {} {param}", name(var))?,
        LayerKind::Literal { var, value } => write!(out, "literal {} {value}", name(var))?,
        LayerKind::Indicator { var, first } => write!(out, "indicator {} {first}", name(var))?,
        LayerKind::Product => out.write_str("product")?,
        LayerKind::Outer => out.write_str("outer")?,
        LayerKind::Sum { param } => write!(out, "sum {param}")?,
        LayerKind::Mix { param } => write!(out, "mix {param}")?,
    }
    for child in layer.children {
        write!(out, " {child}")?;
    }
    writeln!(out, " : {} x {}", layer.groups, layer.width)
}

/// A family with its settings, as one word.
pub(super) struct Word(pub Family);

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Family::Bernoulli(_) => write!(f, "bernoulli"),
            Family::Categorical(c) => write!(f, "categorical({})", c.n),
            Family::Binomial(b) => write!(f, "binomial({})", b.n),
            Family::Gaussian(g) => write!(f, "gaussian({:?})", g.min_sd.get()),
        }
    }
}

/// A variable by its group and index, as one word.
struct VarName<'g>(&'g Graph, VarId);

impl fmt::Display for VarName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let VarName(graph, var) = *self;
        let group = graph.var_group(graph.variable(var).group);
        write!(f, "{}", Name(&group.name))?;
        for (i, index) in group.index_of(var).iter().enumerate() {
            write!(f, "{}{index}", if i == 0 { "[" } else { "," })?;
        }
        f.write_str(if group.extents.is_empty() { "" } else { "]" })
    }
}

/// A group's name: bare where it can be, else in quotes.
struct Name<'a>(&'a str);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_plain = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
        match self.0 {
            name if !name.is_empty() && name.chars().all(is_plain) => f.write_str(name),
            name => write!(f, "{}", Quoted(name)),
        }
    }
}

/// A name in quotes; blanks, quotes and backslashes inside are written as `\u{..}`, so that a quoted name is
/// one word.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' | '\\' => write!(f, "\\u{{{:x}}}", c as u32)?,
                c if c.is_whitespace() || c.is_control() => write!(f, "\\u{{{:x}}}", c as u32)?,
                c => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}
