//! A graph as Graphviz text, for people.
//!
//! One node for each layer with its kind, units and the size of its scope; labels of `let` are boxes around
//! the layers they name. A large graph is cut off at a number of layers, counted from the root, with a node
//! that says so. Nothing is read back.

use super::{Graph, Layer, LayerKind};
use crate::LayerId;
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, VecDeque};
use std::fmt::{self, Write};

/// The graph as Graphviz text, at most `most_layers` of them, those nearest to the root.
pub fn dot(graph: &Graph, most_layers: usize) -> String {
    let mut text = String::new();
    write_dot(&mut text, graph, most_layers).expect("writing to a string cannot fail");
    text
}

fn write_dot(out: &mut String, graph: &Graph, most_layers: usize) -> fmt::Result {
    let shown = nearest(graph, most_layers);
    writeln!(out, "digraph circuit {{\n  rankdir = BT;\n  node [shape = box, fontname = \"monospace\"];")?;
    write_clusters(out, graph, &shown)?;
    for &id in &shown {
        writeln!(out, "  {id} [label = \"{}\"];", describe(graph, &graph.layer(id)))?;
    }
    let is_shown = |id: LayerId| shown.binary_search(&id).is_ok();
    for &id in &shown {
        for &child in graph.children(id).iter().filter(|&&c| is_shown(c)) {
            writeln!(out, "  {child} -> {id};")?;
        }
        let n_hidden = graph.children(id).iter().filter(|&&c| !is_shown(c)).count();
        if n_hidden > 0 {
            writeln!(
                out,
                "  more_{id} [shape = plaintext, label = \"{n_hidden} more\"]; more_{id} -> {id};"
            )?;
        }
    }
    let n_left = graph.n_layers() - shown.len();
    if n_left > 0 {
        writeln!(out, "  label = \"{n_left} of {} layers are not shown\";", graph.n_layers())?;
    }
    writeln!(out, "}}")
}

/// The layers nearest to the root, in order of their ids.
fn nearest(graph: &Graph, most: usize) -> Vec<LayerId> {
    let mut is_seen = vec![false; graph.n_layers()];
    let mut queue = VecDeque::from([graph.root()]);
    is_seen[graph.root().index()] = true;
    let mut shown = Vec::new();
    while let Some(id) = queue.pop_front().filter(|_| shown.len() < most) {
        shown.push(id);
        for &child in graph.children(id) {
            if !std::mem::replace(&mut is_seen[child.index()], true) {
                queue.push_back(child);
            }
        }
    }
    shown.sort_unstable();
    shown
}

/// A box for each label; a layer with several labels lies in the box of the first.
fn write_clusters(out: &mut String, graph: &Graph, shown: &[LayerId]) -> fmt::Result {
    let mut first: FxHashMap<LayerId, &str> = FxHashMap::default();
    for (layer, name) in graph.labels() {
        first.entry(*layer).or_insert(name);
    }
    let mut clusters: BTreeMap<&str, Vec<LayerId>> = BTreeMap::new();
    for id in shown {
        if let Some(name) = first.get(id) {
            clusters.entry(name).or_default().push(*id);
        }
    }
    for (i, (name, layers)) in clusters.iter().enumerate() {
        let ids: Vec<String> = layers.iter().map(LayerId::to_string).collect();
        writeln!(out, "  subgraph cluster_{i} {{ label = \"{}\"; {}; }}", escape(name), ids.join("; "))?;
    }
    Ok(())
}

/// Kind, variable and value, units, size of the scope.
fn describe(graph: &Graph, layer: &Layer<'_>) -> String {
    let name = |var| escape(&graph.variable_name(var));
    let what = match layer.kind {
        LayerKind::Input { var, param } => {
            format!("{} {}", crate::shape_word(graph.param(param).shape), name(var))
        }
        LayerKind::Literal { var, value } => {
            format!("{} = {}", name(var), graph.variable(var).domain.value_of(value))
        }
        LayerKind::Indicator { var, .. } => format!("indicator {}", name(var)),
        kind => kind.word().to_owned(),
    };
    let units = match layer.groups {
        1 => layer.width.to_string(),
        groups => format!("{groups} x {}", layer.width),
    };
    let n_vars = graph.scopes().get(layer.scope).len();
    let vars = if n_vars == 1 { "variable" } else { "variables" };
    format!("{what}\\n{units} | {n_vars} {vars}")
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}
