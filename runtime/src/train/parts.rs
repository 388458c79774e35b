//! The tables that belong to named parts of a circuit, for `holding`.

use pcc_diag::{Diagnostic, Span};
use pcc_ir::{Graph, VarId};

/// For each table, whether a layer under one of the labels uses it. A label may be written with the
/// circuit's name before it (`Image.patch`).
///
/// # Errors
/// `unknown-part` for a label that no layer has.
pub fn tables_of_parts(graph: &Graph, labels: &[String], span: Span) -> Result<Vec<bool>, Diagnostic> {
    let mut is_under = vec![false; graph.n_layers()];
    for label in labels {
        let name = label.rsplit('.').next().unwrap_or(label);
        let mut layers = graph.labels().iter().filter(|(_, l)| l == name || l == label).peekable();
        if layers.peek().is_none() {
            return Err(unknown_part(graph, label, span));
        }
        layers.for_each(|(layer, _)| is_under[layer.index()] = true);
    }
    let mut tables = vec![false; graph.params().len()];
    for id in graph.layer_ids().rev() {
        if is_under[id.index()] {
            graph.children(id).iter().for_each(|child| is_under[child.index()] = true);
            graph.layer(id).kind.param().into_iter().for_each(|table| tables[table.index()] = true);
        }
    }
    Ok(tables)
}

/// For each table, whether only layers use it over whose scope nothing is observed. Such layers are the constant
/// one, so data says nothing of their parameters, and a pseudocount must not move them.
pub fn tables_of_unobserved(graph: &Graph, is_observed: impl Fn(VarId) -> bool) -> Vec<bool> {
    let mut tables = vec![true; graph.params().len()];
    for id in graph.layer_ids() {
        if let Some(table) = graph.layer(id).kind.param()
            && tables[table.index()]
        {
            tables[table.index()] = !graph.scope(id).iter().any(&is_observed);
        }
    }
    tables
}

fn unknown_part(graph: &Graph, label: &str, span: Span) -> Diagnostic {
    let names: Vec<&str> = graph.labels().iter().map(|(_, name)| name.as_str()).collect();
    let fault = Diagnostic::error("unknown-part", format!("no part of the circuit is named `{label}`"))
        .at(span, "held here");
    fault.did_you_mean(label, names.iter().copied(), |fault| {
        fault.help("parts are named by the `let` of a structure")
    })
}
