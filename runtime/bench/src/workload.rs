//! A workload, built: a circuit with its numbers and the rows that it is run on.

use crate::arrays::Arrays;
use crate::catalogue::{Entry, Known, Size};
use crate::numbers::Numbers;
use pcc_diag::Diagnostic;
use pcc_ir::{Batch, Graph, LayerKind, MISSING, ParamShape, Params, VarId};
use pcc_runtime::exec::LiteralWeights;

/// What is run.
pub struct Workload {
    /// The circuit.
    pub graph: Graph,
    /// Its parameters.
    pub params: Params,
    /// The rows.
    pub evidence: Evidence,
}

/// What is known of each row.
pub enum Evidence {
    /// Values of variables.
    Values(Batch),
    /// Weights of all values of all variables: the circuit's value is a weighted model count.
    Weights(LiteralWeights),
}

/// Makes unknown what rows are not to know.
fn forget(known: Known, batch: &mut Batch) {
    let first = match known {
        Known::All => batch.n_rows(),
        Known::LastHalf => 0,
        Known::LastHalfOfOthers => 1,
    };
    let n_unknown = batch.n_variables() / 2;
    (first..batch.n_rows()).for_each(|row| batch.row_mut(row)[..n_unknown].fill(MISSING));
}

impl Evidence {
    /// How many rows there are.
    pub fn n_rows(&self) -> usize {
        match self {
            Evidence::Values(batch) => batch.n_rows(),
            Evidence::Weights(weights) => weights.n_rows(),
        }
    }
}

impl Workload {
    /// A workload of the catalogue with numbers drawn from a fixed seed.
    ///
    /// # Errors
    /// `arrays-differ` when the circuit has no such size.
    pub fn drawn(entry: &Entry, size: Size) -> Result<Self, Diagnostic> {
        Self::build(entry, size, &Numbers::Drawn { seed: 0 })
    }

    /// A workload of the catalogue with given numbers.
    ///
    /// # Errors
    /// `arrays-differ` when they do not fit the circuit.
    pub fn given(entry: &Entry, size: Size, arrays: Arrays) -> Result<Self, Diagnostic> {
        Self::build(entry, size, &Numbers::Given(arrays))
    }

    fn build(entry: &Entry, size: Size, numbers: &Numbers) -> Result<Self, Diagnostic> {
        let graph = (entry.build)(size, numbers)?;
        let params = numbers.params(&graph)?;
        let mut batch = numbers.batch(&graph, size.batch)?;
        forget(entry.known, &mut batch);
        Ok(Workload { graph, params, evidence: Evidence::Values(batch) })
    }

    /// A circuit that comes from elsewhere, on rows drawn from a seed.
    pub fn of_circuit(graph: Graph, params: Params, rows: usize, seed: u64) -> Result<Self, Diagnostic> {
        let evidence = Evidence::Values(Numbers::Drawn { seed }.batch(&graph, rows)?);
        Ok(Workload { graph, params, evidence })
    }

    /// A circuit over truth values that comes from elsewhere, with weights for each row: the array `p`
    /// `[rows][variables]` of 64-bit floats weighs true, and `1 - p` false.
    ///
    /// # Errors
    /// `arrays-differ` when the array does not fit the circuit, or holds what is no probability.
    pub fn weighted(graph: Graph, params: Params, arrays: &Arrays) -> Result<Self, Diagnostic> {
        let n = graph.variables().len();
        let shape = arrays.shape("p").unwrap_or_default();
        let rows = match shape[..] {
            [rows, columns] if columns == n && rows > 0 => rows,
            _ => {
                return Err(arrays.differ(format!("has `p` in shape {shape:?}, but there are {n} variables")));
            }
        };
        let (all, mut weights) = (arrays.doubles("p")?, LiteralWeights::ones(&graph, rows));
        for var in 0..n {
            let p: Vec<f64> = (0..rows).map(|row| all[row * n + var]).collect();
            let not_p: Vec<f64> = p.iter().map(|p| 1.0 - p).collect();
            let set = weights.set(VarId::new(var), 1, &p).and(weights.set(VarId::new(var), 0, &not_p));
            set.map_err(|bad| arrays.differ(format!("holds what can't be in `p`: {bad}")))?;
        }
        Ok(Workload { graph, params, evidence: Evidence::Weights(weights) })
    }
}

/// Operations of one row's likelihood by the definition of the circuit, a multiplication and an addition as
/// two: what any system has to do that evaluates it. Look-ups, scaling and logarithms are not counted, a
/// normal density counts as two multiplications and two additions. Learning is taken as three times this: the
/// likelihood, the flows of the children, and the statistics.
pub fn model_operations(graph: &Graph) -> u64 {
    let operations = |id| {
        let (layer, units) = (graph.layer(id), graph.n_units(id) as u64);
        let read = || layer.children.iter().map(|&c| graph.n_units(c) as u64).sum::<u64>();
        match layer.kind {
            LayerKind::Sum { .. } => 2 * u64::from(layer.width) * read(),
            LayerKind::Mix { .. } => 2 * units * layer.children.len() as u64,
            LayerKind::Product => units * (layer.children.len() as u64).saturating_sub(1),
            LayerKind::Outer => units,
            LayerKind::Input { param, .. } if is_continuous(graph.param(param).shape) => 4 * units,
            _ => 0,
        }
    };
    graph.layer_ids().map(operations).sum()
}

fn is_continuous(shape: ParamShape) -> bool {
    matches!(shape, ParamShape::Input { family, .. } if family.get().n_values().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::circuits::{Tree, hclt, hmm};

    /// By hand: `K` states make `T - 1` products of `K x K` and as many of `K` factors, and a root of `K` weights.
    #[test]
    fn operations_are_those_of_the_definition() {
        let (steps, k) = (7, 5);
        let graph = hmm(steps, 3, k as u32).expect("a circuit");
        let by_hand = (steps - 1) * (2 * k * k + k) + 2 * k;
        assert_eq!(model_operations(&graph), by_hand as u64);
        let tree = hclt(&Tree::of_grid(4, 0), 3, k as u32).expect("a circuit");
        assert_eq!(model_operations(&tree), (15 * (2 * k * k + k) + 2 * k) as u64);
    }
}
