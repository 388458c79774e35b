//! Pruning: edges of sums and mixes that matter little go, and what only they reached (Dang, Liu and Van den
//! Broeck, 2022).
//!
//! Every unit keeps its best edge, so that it stays a distribution, and the weights that are left are normalised.
//! Equal edges are told apart by their places, the first ones stay.

use super::Changed;
use super::unreached::drop_unreached;
use pcc_ir::graph::EdgeMask;
use pcc_ir::{Flows, Graph, ParamId, ParamShape, Params};

/// Which edges go.
#[derive(Clone, Copy, Debug)]
pub enum Pruning<'a> {
    /// Those of a weight under this.
    Below(f64),
    /// All but this share of the edges, those with the largest flows.
    Keep(f64, &'a Flows),
}

/// Prunes edges of the tables that are `chosen`; fixed ones stay whole.
pub fn prune(graph: &Graph, params: &Params, how: Pruning, chosen: &[bool]) -> Changed {
    let (mut pruned, mut left) = (graph.clone(), params.clone());
    let threshold = match how {
        Pruning::Below(_) => None,
        Pruning::Keep(share, flows) => smallest_kept(graph, share, flows, chosen),
    };
    for id in tables(graph, chosen) {
        let param = graph.param(id);
        let weights = params.table(id);
        let scores = if let Pruning::Keep(_, flows) = how { flows.table(id) } else { weights };
        let was_live = |at: usize| param.mask.as_ref().is_none_or(|mask| mask.is_live(at));
        let stays = |at: usize| match (how, threshold) {
            (Pruning::Below(least), _) => f64::from(weights[at]) >= least,
            (Pruning::Keep(..), Some(least)) => (Edge { flow: scores[at], table: id, at }).is_before(&least),
            (Pruning::Keep(..), None) => true,
        };
        let n = param.unit_len();
        let mut is_live: Vec<bool> = (0..param.len()).map(|at| was_live(at) && stays(at)).collect();
        for (unit, is_live) in is_live.chunks_exact_mut(n).enumerate() {
            let first = unit * n;
            if !is_live.contains(&true) {
                let rank = |&i: &usize| (scores[first + i], weights[first + i]);
                let best = (0..n)
                    .filter(|i| was_live(first + i))
                    .reduce(|a, b| if rank(&b) > rank(&a) { b } else { a });
                is_live[best.expect("a unit has an edge")] = true;
            }
            normalise(&mut left.table_mut(id)[first..first + n], is_live);
        }
        let mask = EdgeMask::of(is_live);
        pruned.set_mask(id, (!mask.is_whole()).then_some(mask));
    }
    drop_unreached(&pruned, &left)
}

/// The tables whose edges can go.
fn tables(graph: &Graph, chosen: &[bool]) -> Vec<ParamId> {
    let has_edges = |id: &ParamId| {
        let param = graph.param(*id);
        !param.is_fixed && chosen[id.index()] && !matches!(param.shape, ParamShape::Input { .. })
    };
    (0..graph.params().len()).map(ParamId::new).filter(has_edges).collect()
}

/// An edge by its flow and its place.
#[derive(Clone, Copy, Debug)]
struct Edge {
    flow: f32,
    table: ParamId,
    at: usize,
}

impl Edge {
    fn compare(&self, other: &Edge) -> std::cmp::Ordering {
        other.flow.total_cmp(&self.flow).then((self.table, self.at).cmp(&(other.table, other.at)))
    }

    /// Whether it is no later than another, largest flows first.
    fn is_before(&self, other: &Edge) -> bool {
        self.compare(other).is_le()
    }
}

/// The last edge of those that a share keeps; `None` where all stay.
fn smallest_kept(graph: &Graph, share: f64, flows: &Flows, chosen: &[bool]) -> Option<Edge> {
    let mut edges: Vec<Edge> = Vec::new();
    for id in tables(graph, chosen) {
        let mask = graph.param(id).mask.as_ref();
        let live = (0..graph.param(id).len()).filter(|&at| mask.is_none_or(|mask| mask.is_live(at)));
        edges.extend(live.map(|at| Edge { flow: flows.table(id)[at], table: id, at }));
    }
    let kept = (share * edges.len() as f64).round() as usize;
    if kept >= edges.len() {
        return None;
    }
    let (_, last, _) = edges.select_nth_unstable_by(kept.saturating_sub(1), Edge::compare);
    Some(*last)
}

/// Takes weights away and brings the others to a sum of one. Where none of them has any weight they are equal.
fn normalise(weights: &mut [f32], is_live: &[bool]) {
    weights.iter_mut().zip(is_live).filter(|(_, live)| !**live).for_each(|(weight, _)| *weight = 0.0);
    let total: f64 = weights.iter().map(|&weight| f64::from(weight)).sum();
    let n_live = is_live.iter().filter(|&&live| live).count() as f64;
    for (weight, _) in weights.iter_mut().zip(is_live).filter(|(_, live)| **live) {
        *weight = if total > 0.0 { f64::from(*weight) / total } else { 1.0 / n_live } as f32;
    }
}
