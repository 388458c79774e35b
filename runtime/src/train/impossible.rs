//! Which part of a circuit makes a row impossible.
//!
//! A layer is *dead* for a row when all its units are zero. The guilty layer is a dead one none of whose
//! children is dead: below it everything is possible, in it nothing is. Among several, the one over the
//! fewest variables says most.

use crate::exec::{Executor, Values};
use pcc_diag::Diagnostic;
use pcc_ir::{Batch, Graph, LayerId, LayerKind, Value};

/// How many variables a message names before it only counts.
const MOST_NAMED: usize = 8;

/// The error for a row of likelihood zero: `row` is its position in the batch, `number` how a person counts
/// it in the data, from one.
pub fn zero_likelihood(executor: &mut dyn Executor, batch: &Batch, row: usize, number: u64) -> Diagnostic {
    let mut one = Batch::empty(batch.n_variables());
    one.push(batch.row(row));
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

fn guilty_layer(graph: &Graph, values: &Values) -> LayerId {
    let is_dead: Vec<bool> = graph.layer_ids().map(|id| is_dead(graph, values, id)).collect();
    graph
        .layer_ids()
        .filter(|id| is_dead[id.index()] && !graph.children(*id).iter().any(|c| is_dead[c.index()]))
        .min_by_key(|id| graph.scope(*id).len())
        .unwrap_or_else(|| graph.root())
}

fn is_dead(graph: &Graph, values: &Values, id: LayerId) -> bool {
    (0..graph.n_units(id)).all(|unit| values.get(id, unit, 0) == f64::NEG_INFINITY)
}

fn fault(graph: &Graph, id: LayerId, row: &Batch) -> String {
    let layer = graph.layer(id);
    let seen = assignment(graph, id, row);
    match layer.kind {
        LayerKind::Input { .. } => format!("no unit of the input gives mass to {seen}"),
        LayerKind::Literal { .. } | LayerKind::Indicator { .. } => {
            format!("a {} excludes {seen}", layer.kind.word())
        }
        kind => {
            format!("every unit of a `{}` is zero for {seen}, though none of its children is", kind.word())
        }
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
