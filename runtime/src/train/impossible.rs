//! Which part of a circuit makes a row impossible.
//!
//! A layer is *dead* for a row when all its units are zero. A dead literal alone says nothing: the other
//! alternatives of a sum may be alive. So blame goes from the leaves up: a dead product passes on whom its
//! factors blame; a dead sum passes on what all its alternatives blame alike, by scope, and takes the blame
//! when that is nothing. What the root blames are parts over which no alternative is left.

use crate::exec::{Executor, Values};
use pcc_diag::Diagnostic;
use pcc_ir::{Batch, Graph, LayerId, LayerKind, Value};

/// How many variables a message names before it only counts.
const MOST_NAMED: usize = 8;

/// How many layers a product passes blame on to: a message names one of them.
const MOST_BLAMED: usize = 64;

/// The error for a row of likelihood zero: `row` is its position in the batch, `number` how a person counts
/// it in the data, from one.
pub fn zero_likelihood(executor: &mut dyn Executor, batch: &Batch, row: usize, number: u64) -> Diagnostic {
    let one = batch.one_row(row);
    let values = executor.values(&one);
    let graph = executor.graph();
    let guilty = guilty_layer(graph, &values);
    let message = format!("row {number} has likelihood zero: {}", fault(graph, guilty, &one));
    Diagnostic::error("zero-likelihood", message)
        .at(graph.layer(guilty).span, format!("every unit is zero for row {number}"))
        .help("give learning a pseudocount, widen the distribution, or correct the row")
}

/// The first row that counts and is impossible. A logarithm that is no number counts as impossible too.
pub(super) fn first_impossible(logs: &[f64], weights: Option<&[f32]>) -> Option<usize> {
    let counts = |row: usize| weights.is_none_or(|w| w[row] > 0.0);
    let is_possible = |log: f64| log > f64::NEG_INFINITY;
    (0..logs.len()).find(|&row| counts(row) && !is_possible(logs[row]))
}

/// The smallest of the layers that the root blames.
fn guilty_layer(graph: &Graph, values: &Values) -> LayerId {
    let mut blamed: Vec<Vec<LayerId>> = Vec::with_capacity(graph.n_layers());
    for id in graph.layer_ids() {
        let blame = if is_dead(graph, values, id) { blame(graph, id, &blamed) } else { Vec::new() };
        blamed.push(blame);
    }
    let of_root = blamed[graph.root().index()].iter().copied();
    of_root.min_by_key(|id| graph.scope(*id).len()).unwrap_or_else(|| graph.root())
}

/// Whom a dead layer blames, one layer for each scope, when it is known whom its children blame; those that
/// are alive blame nobody.
fn blame(graph: &Graph, id: LayerId, blamed: &[Vec<LayerId>]) -> Vec<LayerId> {
    let layer = graph.layer(id);
    let mut of_children = layer.children.iter().map(|child| &blamed[child.index()]);
    let mut guilty: Vec<LayerId> = match layer.kind {
        LayerKind::Product | LayerKind::Outer => of_children.flatten().copied().take(MOST_BLAMED).collect(),
        LayerKind::Sum { .. } | LayerKind::Mix { .. } => {
            let mut common = of_children.next().cloned().unwrap_or_default();
            let scope = |id: &LayerId| graph.layer(*id).scope;
            of_children.for_each(|other| common.retain(|one| other.iter().any(|o| scope(o) == scope(one))));
            common
        }
        _ => Vec::new(),
    };
    if guilty.is_empty() {
        guilty.push(id);
    }
    guilty
}

fn is_dead(graph: &Graph, values: &Values, id: LayerId) -> bool {
    (0..graph.n_units(id)).all(|unit| values.get(id, unit, 0) == f64::NEG_INFINITY)
}

fn fault(graph: &Graph, id: LayerId, row: &Batch) -> String {
    let seen = assignment(graph, id, row);
    match graph.layer(id).kind {
        LayerKind::Input { .. } => format!("no unit of the input gives mass to {seen}"),
        kind @ (LayerKind::Literal { .. } | LayerKind::Indicator { .. }) => {
            format!("the {} excludes {seen}", kind.word())
        }
        kind @ (LayerKind::Product | LayerKind::Outer) => {
            format!("the factors of a `{}` are never possible together for {seen}", kind.word())
        }
        kind => format!("no alternative of a `{}` is possible for {seen}", kind.word()),
    }
}

/// The known values of a layer's variables, as `A = 1, B = 0`.
fn assignment(graph: &Graph, id: LayerId, row: &Batch) -> String {
    let value_of = |var| match row.get(graph, 0, var) {
        Value::Missing => None,
        Value::Code(code) => {
            Some(format!("`{}` = {}", graph.variable_name(var), graph.variable(var).domain.value_of(code)))
        }
        Value::Real(x) => Some(format!("`{}` = {x}", graph.variable_name(var))),
    };
    let known: Vec<String> = graph.scope(id).iter().filter_map(value_of).collect();
    match known.len() {
        0 => "every value".into(),
        n if n <= MOST_NAMED => known.join(", "),
        n => format!("{}, and {} more values", known[..MOST_NAMED].join(", "), n - MOST_NAMED),
    }
}
