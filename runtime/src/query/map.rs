//! Most probable completions of evidence.
//!
//! A max-product pass upward, in 64-bit floats, then a descent along the maxima. In a deterministic circuit
//! at most one child of a sum is possible for a complete assignment, so a maximum over children is the sum,
//! and the answer is exact. In any other circuit the maximum ignores that several children add up, and the
//! answer may be wrong (0.4 + 0.3 beats 0.4 + 0.0 only as a sum); it is then refused, unless an
//! approximation is asked for, and marked as one. Latents are summed out, unless they are known or asked for:
//! then determinism over them too is enough.

use super::evidence::{check, impossible};
use super::units::{Edge, Join, Units};
use crate::exec::Executor;
use crate::train::{Need, refuse_unless_deterministic};
use pcc_diag::{Diagnostic, Span};
use pcc_ir::{Batch, Graph, LayerId, LayerKind, Value, VarGroupId, VarId};

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
    most_probable_with(executor, evidence, &[], exactness)
}

/// The most probable completion of each row of evidence in which these latents are completed as well, instead
/// of summed out.
///
/// # Errors
/// As [`most_probable`]; the circuit need only be deterministic given the latents that are known in every row
/// or asked for, group by group.
pub fn most_probable_with(
    executor: &mut dyn Executor,
    evidence: &Batch,
    latents: &[VarId],
    exactness: Exactness,
) -> Result<Vec<Completion>, Diagnostic> {
    check(executor, evidence)?;
    let given = observed_groups(executor.graph(), evidence, latents);
    let refusal = refuse_unless_deterministic(executor.graph(), &given, Need::ExactMap, Span::NONE).err();
    if let (Some(refusal), Exactness::Exact) = (&refusal, exactness) {
        return Err(refusal.clone());
    }
    if let Some(row) = executor.log_likelihoods(evidence).iter().position(|&log| log == f64::NEG_INFINITY) {
        return Err(impossible(row));
    }
    let (graph, params) = executor.circuit();
    let units = Units { graph, params };
    let is_completed = completed_variables(units.graph, latents);
    let mut completed = Batch::empty(evidence.n_variables());
    for row in 0..evidence.n_rows() {
        completed.push(&Search { units, evidence, row, is_completed: &is_completed }.complete());
    }
    let logs = executor.log_likelihoods(&completed);
    let completion = |(row, log_value): (usize, f64)| Completion {
        row: completed.row(row).to_vec(),
        log_value,
        is_exact: refusal.is_none(),
    };
    Ok(logs.into_iter().enumerate().map(completion).collect())
}

/// The groups of latents of which every variable is known in every row or asked for.
fn observed_groups(graph: &Graph, evidence: &Batch, latents: &[VarId]) -> Vec<VarGroupId> {
    let is_known = |var| (0..evidence.n_rows()).all(|row| evidence.get(graph, row, var) != Value::Missing);
    let is_observed = |var: VarId| latents.contains(&var) || is_known(var);
    let groups = graph.var_groups().iter().enumerate();
    let observed = groups.filter(|(_, group)| group.is_latent && group.variables().all(is_observed));
    observed.map(|(i, _)| VarGroupId::new(i)).collect()
}

/// For each variable, whether it gets a value where the evidence leaves it open.
fn completed_variables(graph: &Graph, latents: &[VarId]) -> Vec<bool> {
    let mut is_completed: Vec<bool> = graph.variables().iter().map(|v| !v.is_latent).collect();
    latents.iter().for_each(|latent| is_completed[latent.index()] = true);
    is_completed
}

/// The search for the completion of one row.
#[derive(Clone, Copy)]
struct Search<'a> {
    units: Units<'a>,
    evidence: &'a Batch,
    row: usize,
    is_completed: &'a [bool],
}

impl Search<'_> {
    fn complete(self) -> Vec<u32> {
        let (units, maxima) = (self.units, self.maxima());
        let mut words = self.evidence.row(self.row).to_vec();
        let mut edges = Vec::new();
        let mut path = vec![(units.graph.root(), 0)];
        while let Some((id, unit)) = path.pop() {
            units.edges(id, unit, &mut edges);
            match units.join(id) {
                Join::All => path.extend(edges.iter().map(|edge| (edge.layer, edge.unit))),
                Join::Choice => path.extend(best_edge(&edges, &maxima).map(|edge| (edge.layer, edge.unit))),
                Join::Leaf => {
                    if let Some((var, value)) = self.leaf_choice(id, unit) {
                        words[var.index()] = value.to_word();
                    }
                }
            }
        }
        words
    }

    /// Logarithms of the largest value that each unit reaches.
    fn maxima(self) -> Vec<Vec<f64>> {
        let (units, graph) = (self.units, self.units.graph);
        let mut maxima: Vec<Vec<f64>> = Vec::with_capacity(graph.n_layers());
        let mut edges = Vec::new();
        for id in graph.layer_ids() {
            let value_of = |unit: usize| {
                units.edges(id, unit, &mut edges);
                match units.join(id) {
                    Join::All => edges.iter().map(|e| maxima[e.layer.index()][e.unit]).sum(),
                    Join::Choice => {
                        best_edge(&edges, &maxima).map_or(f64::NEG_INFINITY, |e| score(e, &maxima))
                    }
                    Join::Leaf => self.leaf_maximum(id, unit),
                }
            };
            let values = (0..graph.n_units(id)).map(value_of).collect();
            maxima.push(values);
        }
        maxima
    }

    fn leaf_maximum(self, id: LayerId, unit: usize) -> f64 {
        let layer = self.units.graph.layer(id);
        let Some(var) = layer.kind.var() else { return 0.0 };
        let known = self.evidence.get(self.units.graph, self.row, var);
        match (layer.kind, self.leaf_choice(id, unit)) {
            (LayerKind::Input { param, .. }, choice) => {
                let (family, theta) = self.units.distribution(id, unit, param);
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

    /// The value that a leaf gives to its variable, when that is open and not summed out.
    fn leaf_choice(self, id: LayerId, unit: usize) -> Option<(VarId, Value)> {
        let layer = self.units.graph.layer(id);
        let var = layer.kind.var()?;
        let is_open = self.evidence.get(self.units.graph, self.row, var) == Value::Missing;
        if !is_open || !self.is_completed[var.index()] {
            return None;
        }
        let value = match layer.kind {
            LayerKind::Input { param, .. } => {
                let (family, theta) = self.units.distribution(id, unit, param);
                family.get().mode(&theta)
            }
            kind => leaf_value(kind, unit % layer.width as usize),
        };
        Some((var, value))
    }
}

fn score(edge: &Edge, maxima: &[Vec<f64>]) -> f64 {
    edge.weight.ln() + maxima[edge.layer.index()][edge.unit]
}

/// The edge with the highest score; the first of equals.
fn best_edge<'e>(edges: &'e [Edge], maxima: &[Vec<f64>]) -> Option<&'e Edge> {
    edges.iter().reduce(|best, edge| if score(edge, maxima) > score(best, maxima) { edge } else { best })
}

/// The one value that an indicator allows.
fn leaf_value(kind: LayerKind, unit: usize) -> Value {
    match kind {
        LayerKind::Literal { value, .. } => Value::Code(value),
        LayerKind::Indicator { first, .. } => Value::Code(first + unit as u32),
        _ => Value::Missing,
    }
}
