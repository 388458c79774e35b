//! Most probable completions of evidence.
//!
//! A max-product pass upward, in 64-bit floats, then a descent along the maxima. In a deterministic circuit
//! at most one child of a sum is possible for a complete assignment, so a maximum over children is the sum,
//! and the answer is exact. In any other circuit the maximum ignores that several children add up, and the
//! answer may be wrong (0.4 + 0.3 beats 0.4 + 0.0 only as a sum); it is then refused, unless an
//! approximation is asked for, and marked as one. Latents are summed out, not maximised.

use super::evidence::{check, impossible};
use super::units::{Edge, Join, Units};
use crate::exec::Executor;
use crate::train::{Need, refuse_unless_deterministic};
use pcc_diag::{Diagnostic, Span};
use pcc_ir::{Batch, LayerId, LayerKind, Value, VarId};

/// What a most probable completion must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exactness {
    /// The true maximum, or an error.
    Exact,
    /// What max-product finds, whether or not it is the maximum.
    Approximate,
}

/// A completion of one row.
#[derive(Clone, Debug, PartialEq)]
pub struct Completion {
    /// One word for each variable; known values as they were, latents and variables that the circuit does
    /// not have as they were given.
    pub row: Vec<u32>,
    /// The logarithm of its probability (with that of the evidence), in nats.
    pub log_value: f64,
    /// Whether it is known to be the maximum.
    pub is_exact: bool,
}

/// The most probable completion of each row of evidence.
///
/// # Errors
/// `unsupported-query` when exactness is asked for and the circuit is not deterministic,
/// `impossible-evidence`, `value-out-of-domain`, `unset-parameter`.
pub fn most_probable(
    executor: &mut dyn Executor,
    evidence: &Batch,
    exactness: Exactness,
) -> Result<Vec<Completion>, Diagnostic> {
    check(executor, evidence)?;
    let refusal = refuse_unless_deterministic(executor.graph(), &[], Need::ExactMap, Span::NONE).err();
    if let (Some(refusal), Exactness::Exact) = (&refusal, exactness) {
        return Err(refusal.clone());
    }
    if let Some(row) = executor.log_likelihoods(evidence).iter().position(|&log| log == f64::NEG_INFINITY) {
        return Err(impossible(row));
    }
    let units = Units { graph: executor.graph(), params: executor.params() };
    let mut completed = Batch::empty(evidence.n_variables());
    for row in 0..evidence.n_rows() {
        completed.push(&complete(units, evidence, row));
    }
    let logs = executor.log_likelihoods(&completed);
    let completion = |(row, log_value): (usize, f64)| Completion {
        row: completed.row(row).to_vec(),
        log_value,
        is_exact: refusal.is_none(),
    };
    Ok(logs.into_iter().enumerate().map(completion).collect())
}

fn complete(units: Units, evidence: &Batch, row: usize) -> Vec<u32> {
    let maxima = maxima(units, evidence, row);
    let mut words = evidence.row(row).to_vec();
    let mut edges = Vec::new();
    let mut path = vec![(units.graph.root(), 0)];
    while let Some((id, unit)) = path.pop() {
        units.edges(id, unit, &mut edges);
        match units.join(id) {
            Join::All => path.extend(edges.iter().map(|edge| (edge.layer, edge.unit))),
            Join::Choice => path.extend(best_edge(&edges, &maxima).map(|edge| (edge.layer, edge.unit))),
            Join::Leaf => {
                if let Some((var, value)) = leaf_choice(units, id, unit, evidence, row) {
                    words[var.index()] = value.to_word();
                }
            }
        }
    }
    words
}

/// Logarithms of the largest value that each unit reaches.
fn maxima(units: Units, evidence: &Batch, row: usize) -> Vec<Vec<f64>> {
    let graph = units.graph;
    let mut maxima: Vec<Vec<f64>> = Vec::with_capacity(graph.n_layers());
    let mut edges = Vec::new();
    for id in graph.layer_ids() {
        let value_of = |unit: usize| {
            units.edges(id, unit, &mut edges);
            match units.join(id) {
                Join::All => edges.iter().map(|e| maxima[e.layer.index()][e.unit]).sum(),
                Join::Choice => best_edge(&edges, &maxima).map_or(f64::NEG_INFINITY, |e| score(e, &maxima)),
                Join::Leaf => leaf_maximum(units, id, unit, evidence, row),
            }
        };
        let values = (0..graph.n_units(id)).map(value_of).collect();
        maxima.push(values);
    }
    maxima
}

fn score(edge: &Edge, maxima: &[Vec<f64>]) -> f64 {
    edge.weight.ln() + maxima[edge.layer.index()][edge.unit]
}

/// The edge with the highest score; the first of equals.
fn best_edge<'e>(edges: &'e [Edge], maxima: &[Vec<f64>]) -> Option<&'e Edge> {
    edges.iter().reduce(|best, edge| if score(edge, maxima) > score(best, maxima) { edge } else { best })
}

fn leaf_maximum(units: Units, id: LayerId, unit: usize, evidence: &Batch, row: usize) -> f64 {
    let layer = units.graph.layer(id);
    let Some(var) = layer.kind.var() else { return 0.0 };
    let known = evidence.get(units.graph, row, var);
    match (layer.kind, leaf_choice(units, id, unit, evidence, row)) {
        (LayerKind::Input { param, .. }, choice) => {
            let (family, theta) = units.distribution(id, unit, param);
            family.get().log_density(&theta, choice.map_or(known, |(_, value)| value))
        }
        (kind, _) => match known {
            Value::Code(code) if Value::Code(code) != leaf_value(kind, unit % layer.width as usize) => {
                f64::NEG_INFINITY
            }
            _ => 0.0,
        },
    }
}

/// The value that a leaf gives to its variable, when that is open and not latent.
fn leaf_choice(
    units: Units,
    id: LayerId,
    unit: usize,
    evidence: &Batch,
    row: usize,
) -> Option<(VarId, Value)> {
    let layer = units.graph.layer(id);
    let var = layer.kind.var()?;
    let is_open = evidence.get(units.graph, row, var) == Value::Missing;
    if !is_open || units.graph.variable(var).is_latent {
        return None;
    }
    let value = match layer.kind {
        LayerKind::Input { param, .. } => {
            let (family, theta) = units.distribution(id, unit, param);
            family.get().mode(&theta)
        }
        kind => leaf_value(kind, unit % layer.width as usize),
    };
    Some((var, value))
}

/// The one value that an indicator allows.
fn leaf_value(kind: LayerKind, unit: usize) -> Value {
    match kind {
        LayerKind::Literal { value, .. } => Value::Code(value),
        LayerKind::Indicator { first, .. } => Value::Code(first + unit as u32),
        _ => Value::Missing,
    }
}
