//! Cutting a circuit where everything below is settled.
//!
//! ```text
//! a held:   sum[4](prod(a(X), b(Y)))   ->   sum[4](prod(indicator(V), b(Y)))
//! ```
//!
//! While the tables below a layer stay as they are, its units are fixed functions of a row. They can be computed
//! once, and be soft evidence of a new latent whose indicators stand for the layer: the rest learns as it would in
//! the whole circuit, without a visit to what is below. That holds whatever the layer is, a copy for each value of a
//! latent, heads of one shared body, or nothing of that kind.
//!
//! In: a circuit, and which tables stay. Out: the rest, and what its new latents stand for; nothing where that saves
//! too little. Nothing here computes a number.

use super::divide::table_named;
use super::rebuild::Rebuild;
use pcc_ir::{Graph, LayerId, LayerKind, ParamId, VarId};

/// What is left of a circuit whose settled layers are cut off.
#[derive(Clone, Debug)]
pub struct Settled {
    /// The rest: the same variables, then the new latents.
    pub rest: Graph,
    /// The table of the whole circuit that each table of the rest is.
    pub rest_tables: Vec<ParamId>,
    /// Where it was cut, in the order of the new latents.
    pub cuts: Vec<SettledCut>,
}

/// A layer that is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettledCut {
    /// The layer of the whole circuit.
    pub layer: LayerId,
    /// The latent of the rest that has a value for each of its units.
    pub latent: VarId,
}

impl Settled {
    /// What an epoch visits for each row: edges of the rest, and the units that are given.
    pub fn visits(&self, graph: &Graph) -> u64 {
        self.rest.n_edges() + self.n_units(graph)
    }

    /// Units that are given, of all cuts.
    pub fn n_units(&self, graph: &Graph) -> u64 {
        self.cuts.iter().map(|cut| graph.n_units(cut.layer) as u64).sum()
    }
}

/// Cuts a circuit whose tables stay where `is_held`. None where an epoch of the rest visits more than two thirds of
/// what one of the whole does, and where nothing is left to learn.
pub fn cut_settled(graph: &Graph, is_held: &[bool]) -> Option<Settled> {
    let layers = frontier(graph, is_held);
    if layers.is_empty() {
        return None;
    }
    let mut rebuild = Rebuild::new(graph);
    let cut = |(i, layer): (usize, LayerId)| {
        let n_values = graph.n_units(layer) as u32;
        // No name of a program has a space in it.
        SettledCut { layer, latent: rebuild.latent(&format!("cut {i}"), n_values) }
    };
    let cuts: Vec<SettledCut> = layers.into_iter().enumerate().map(cut).collect();
    let mut next = cuts.iter().peekable();
    for id in graph.layer_ids() {
        match next.next_if(|cut| cut.layer == id) {
            Some(cut) => rebuild.indicate(id, cut.latent),
            None => rebuild.copy(id, &rebuild.children(id)),
        }
    }
    let rest = rebuild.finish();
    let rest_tables = rest.params().iter().map(|param| table_named(graph, &param.name)).collect();
    let settled = Settled { rest, rest_tables, cuts };
    (3 * settled.visits(graph) <= 2 * graph.n_edges()).then_some(settled)
}

/// The settled layers, leaves aside, that a layer reads which is not settled; in their order.
fn frontier(graph: &Graph, is_held: &[bool]) -> Vec<LayerId> {
    let mut is_settled = vec![false; graph.n_layers()];
    let mut is_read = vec![false; graph.n_layers()];
    for id in graph.layer_ids() {
        let layer = graph.layer(id);
        let is_still = |table: ParamId| is_held[table.index()] || graph.param(table).is_fixed;
        let is_own = layer.kind.param().is_none_or(is_still);
        is_settled[id.index()] = is_own && layer.children.iter().all(|child| is_settled[child.index()]);
        if !is_settled[id.index()] {
            layer.children.iter().for_each(|child| is_read[child.index()] = true);
        }
    }
    let is_cut =
        |id: &LayerId| is_settled[id.index()] && is_read[id.index()] && !is_leaf(graph.layer(*id).kind);
    graph.layer_ids().filter(is_cut).collect()
}

fn is_leaf(kind: LayerKind) -> bool {
    matches!(kind, LayerKind::Input { .. } | LayerKind::Literal { .. } | LayerKind::Indicator { .. })
}
