//! Replaces layers that pass their one child through unchanged by that child: products of one factor, and
//! sums and mixes of one child whose weights are fixed at the identity.
//!
//! ```text
//! t0 = table "one" sum 2 x 2 groups 1 fixed values 1 0 0 1
//! l1 = sum t0 l0 : 1 x 2
//! l2 = product l1 : 1 x 2          ->    (l0 stands for l1 and l2)
//! l3 = product l2 l9 : 1 x 2             l3 = product l0 l9 : 1 x 2
//! ```
//!
//! Weights that learning may change stay, whatever their values are now. A child in other groups than the
//! sum's stays too: the groups say which units share an exponent, and parents read them.

use super::rebuild::Rebuild;
use pcc_ir::{Graph, LayerId, LayerKind, Param, ParamShape};

/// Runs the pass.
pub fn run(graph: &Graph) -> Graph {
    let mut rebuild = Rebuild::new(graph);
    for id in graph.layer_ids() {
        match passed_through(graph, id) {
            Some(child) => rebuild.stand_in(rebuild.layer(child)),
            None => rebuild.copy(id, &rebuild.children(id)),
        }
    }
    rebuild.finish()
}

/// The child of a layer that equals it, unit by unit.
fn passed_through(graph: &Graph, id: LayerId) -> Option<LayerId> {
    let layer = graph.layer(id);
    let &[child] = layer.children else { return None };
    let is_identity = match layer.kind {
        LayerKind::Product => true,
        LayerKind::Sum { param } | LayerKind::Mix { param } => is_identity(graph.param(param)),
        _ => false,
    };
    (is_identity && graph.layer(child).groups == layer.groups).then_some(child)
}

/// Whether the weights are fixed, one where a unit meets itself and zero elsewhere.
fn is_identity(param: &Param) -> bool {
    let Some(values) = param.initial.as_ref().filter(|_| param.is_fixed) else { return false };
    match param.shape {
        ParamShape::Mix { children, .. } => children == 1 && values.iter().all(|&v| v == 1.0),
        ParamShape::Sum { rows, columns } => {
            let n = columns as usize;
            let diagonal = |i: usize| (i % (n * n)).is_multiple_of(n + 1);
            let is_right = |(i, &v): (usize, &f64)| v == f64::from(u8::from(diagonal(i)));
            rows == columns && values.iter().enumerate().all(is_right)
        }
        ParamShape::Input { .. } => false,
    }
}
