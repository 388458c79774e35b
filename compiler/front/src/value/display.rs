//! Values in messages.

use super::Value;
use super::vtree::Vtree;
use pcc_ir::{Graph, VarId};

/// The most elements of a list, and variables of a scope, that a message shows.
const MOST: usize = 8;

/// A value in a few words, as close to source text as it gets.
pub(crate) fn show(graph: &Graph, value: &Value) -> String {
    match value {
        Value::Int(i) => i.to_string(),
        Value::Float(x) => format!("{x:?}"),
        Value::Bool(b) => b.to_string(),
        Value::Text(s) => format!("{s:?}"),
        Value::Var(v) => graph.variable_name(*v),
        Value::Scope(s) => scope(graph, &s.vars),
        Value::Box(b) => {
            let ranges: Vec<String> = b.ranges.iter().map(|r| format!("{} .. {}", r.start, r.end)).collect();
            format!("box {}", ranges.join(" x "))
        }
        Value::Tree(t) => format!("a tree of {}", crate::words::count(t.len(), "variable")),
        Value::Vtree(v) => vtree(graph, v),
        Value::Range(a, b) => format!("{a} .. {b}"),
        Value::List(values) => format!("[{}]", elements(graph, values)),
        Value::Tuple(values) => format!("({})", elements(graph, values)),
        Value::Layer(layer) => format!("a layer over {}", of_scope(graph, layer.id)),
        Value::Family(family) => family.name().into(),
        Value::Closure(c) => c.name.map_or("a function".into(), |n| format!("`{n}`")),
        Value::Structure(s) => format!("`{}`", s.structure.name.text),
        Value::Builtin(s, _) => format!("`{}`", s.name),
        Value::Tables(t) => format!("`{}`", t.name),
        Value::Slot(s) => format!("`{}`", s.name),
        Value::Data(d) => format!("`{}`", d.0.data()),
        Value::Weights(w) => format!("`{}`", w.0),
        Value::Codes(codes) => format!("`{}`", codes.name),
        Value::Teacher(teacher) => format!("`{}`", teacher.name),
        _ => crate::words::with_article(value.kind()),
    }
}

fn elements(graph: &Graph, values: &[Value]) -> String {
    let shown: Vec<String> = values.iter().take(MOST).map(|v| show(graph, v)).collect();
    match values.len().checked_sub(MOST) {
        Some(more) if more > 0 => format!("{} and {more} more", shown.join(", ")),
        _ => shown.join(", "),
    }
}

fn vtree(graph: &Graph, vtree: &Vtree) -> String {
    format!("a vtree over {}", scope(graph, vtree.vars()))
}

fn of_scope(graph: &Graph, layer: pcc_ir::LayerId) -> String {
    let vars: Vec<VarId> = graph.scope(layer).iter().collect();
    scope(graph, &vars)
}

/// Variables in a few words: whole grids by name, neighbours of a sequence as a range.
pub(crate) fn scope(graph: &Graph, vars: &[VarId]) -> String {
    let mut parts = Vec::new();
    let mut rest = vars;
    let mut n_shown = 0;
    while let Some((first, _)) = rest.split_first() {
        if n_shown == MOST {
            parts.push(format!("{} more", rest.len()));
            break;
        }
        let (part, n) = run(graph, *first, rest);
        parts.push(part);
        rest = rest.get(n..).unwrap_or(&[]);
        n_shown += 1;
    }
    if parts.is_empty() { "no variables".into() } else { parts.join(", ") }
}

/// The words for as many of the variables as one part can name, and their number.
fn run(graph: &Graph, first: VarId, vars: &[VarId]) -> (String, usize) {
    let group = graph.var_group(graph.variable(first).group);
    let end = group.first.0 + group.len() as u32;
    let follows = |(i, v): &(usize, &VarId)| v.0 == first.0 + *i as u32 && v.0 < end;
    let n = vars.iter().enumerate().take_while(follows).count();
    if group.extents.len() > 1 && n == group.len() {
        return (group.name.clone(), n);
    }
    if group.extents.len() == 1 && n > 2 {
        let start = first.0 - group.first.0;
        return (format!("{}[{start} .. {}]", group.name, start as usize + n), n);
    }
    (group.name_of(first), 1)
}
