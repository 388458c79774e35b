//! Growing: every unit of a latent becomes two, which noise tells apart (Dang, Liu and Van den Broeck, 2022).
//!
//! A copy beside each unit doubles the width of a layer; the weight of an edge is shared out equally among the
//! copies of its child, which changes no likelihood. Noise then multiplies weights, and probabilities of leaves, by
//! log-normal numbers of mean one and normalises them, and moves the means of normal leaves by their deviations.
//!
//! What has a meaning beyond the circuit's own latents keeps its width: the root, indicators, which stand for the
//! values of a variable, and whatever is multiplied unit by unit with such. So do factors of an `outer` that
//! anything but a sum reads, and layers whose tables serve others of another kind.

use super::Changed;
use super::resize::resize;
use crate::train::{Purpose, Stream};
use pcc_ir::{Graph, LayerId, LayerKind, ParamId, ParamShape, Params};

/// Doubles units, with noise of a deviation (0 for none) from a seed. The graph is the same for any noise.
pub fn grow(graph: &Graph, params: &Params, noise: f64, seed: u64) -> Changed {
    let doubles = doubling(graph);
    let mut changed = resize(graph, params, &origins(graph, &doubles));
    if noise > 0.0 {
        let before = graph.params().iter().map(|param| (param.name.as_str(), param.len()));
        let before: rustc_hash::FxHashMap<&str, usize> = before.collect();
        for (i, param) in changed.graph.params().iter().enumerate() {
            let has_grown = before[param.name.as_str()] != param.len();
            if has_grown && !param.is_fixed {
                let mut stream = Stream::new(seed, Purpose::Grow, &[i as u64]);
                disturb(param.shape, noise, &mut stream, changed.params.table_mut(ParamId::new(i)));
            }
        }
    }
    changed
}

/// For each layer whether its units become two. All do that may.
fn doubling(graph: &Graph) -> Vec<bool> {
    let mut doubles: Vec<bool> = graph.layer_ids().map(|id| may_double(graph, id)).collect();
    loop {
        let before = doubles.clone();
        for id in graph.layer_ids().rev() {
            agree_with_children(graph, id, &mut doubles);
        }
        agree_over_tables(graph, &mut doubles);
        if doubles == before {
            return doubles;
        }
    }
}

fn may_double(graph: &Graph, id: LayerId) -> bool {
    let is_indicator = matches!(graph.layer(id).kind, LayerKind::Indicator { .. });
    id != graph.root() && !is_indicator && graph.n_units(id) <= u32::MAX as usize / 8
}

/// The children of a product, a mix and an `outer` double all or none; with the former does the layer itself. An
/// `outer` says whether its factors may.
fn agree_with_children(graph: &Graph, id: LayerId, doubles: &mut [bool]) {
    let layer = graph.layer(id);
    match layer.kind {
        LayerKind::Product | LayerKind::Mix { .. } => {
            let reads_pairs = layer.children.iter().any(|&child| is_outer(graph, child));
            let all = layer.children.iter().all(|child| doubles[child.index()]) && !reads_pairs;
            let all = all && doubles[id.index()];
            doubles[id.index()] = all;
            layer.children.iter().for_each(|child| doubles[child.index()] = all);
        }
        LayerKind::Outer => {
            let may = doubles[id.index()];
            let all =
                may && layer.children.iter().all(|child| doubles[child.index()] && !is_outer(graph, *child));
            doubles[id.index()] = all;
            layer.children.iter().for_each(|child| doubles[child.index()] = all);
        }
        LayerKind::Sum { .. } => {
            // A group of the sum must read whole groups of pairs.
            for &child in layer.children.iter().filter(|&&child| is_outer(graph, child)) {
                doubles[child.index()] &= graph.layer(child).groups.is_multiple_of(layer.groups);
            }
        }
        LayerKind::Input { .. } | LayerKind::Literal { .. } | LayerKind::Indicator { .. } => {}
    }
}

fn is_outer(graph: &Graph, id: LayerId) -> bool {
    graph.layer(id).kind == LayerKind::Outer
}

/// Layers of one table double all or none, and the units that they read at one place too.
fn agree_over_tables(graph: &Graph, doubles: &mut [bool]) {
    let mut users: Vec<Vec<LayerId>> = vec![Vec::new(); graph.params().len()];
    for id in graph.layer_ids() {
        graph.layer(id).kind.param().into_iter().for_each(|param| users[param.index()].push(id));
    }
    for users in users.iter().filter(|users| users.len() > 1) {
        let all = users.iter().all(|id| doubles[id.index()]);
        users.iter().for_each(|id| doubles[id.index()] = all);
        let parts = |id: LayerId| -> Vec<(usize, bool)> {
            let layer = graph.layer(id);
            let part =
                |&child: &LayerId| (graph.n_units(child) / layer.groups as usize, is_outer(graph, child));
            layer.children.iter().map(part).collect()
        };
        let is_same = users.iter().all(|&id| parts(id) == parts(users[0]));
        if !is_same {
            let children = users.iter().flat_map(|&id| graph.children(id));
            children.for_each(|child| doubles[child.index()] = false);
            continue;
        }
        for at in 0..graph.children(users[0]).len() {
            let all = users.iter().all(|&id| doubles[graph.children(id)[at].index()]);
            users.iter().for_each(|&id| doubles[graph.children(id)[at].index()] = all);
        }
    }
}

/// The old unit of each new one: copies stand beside each other, so that parts of a layer stay parts.
fn origins(graph: &Graph, doubles: &[bool]) -> Vec<Vec<u32>> {
    let mut origins: Vec<Vec<u32>> = Vec::with_capacity(graph.n_layers());
    for id in graph.layer_ids() {
        let n = graph.n_units(id) as u32;
        let own = match (graph.layer(id).kind, doubles[id.index()]) {
            (LayerKind::Outer, true) => pairs(graph, id, &origins),
            (_, true) => (0..2 * n).map(|unit| unit / 2).collect(),
            (_, false) => (0..n).collect(),
        };
        origins.push(own);
    }
    origins
}

/// The old pair of each new one.
fn pairs(graph: &Graph, id: LayerId, origins: &[Vec<u32>]) -> Vec<u32> {
    let layer = graph.layer(id);
    let [one, other] = [0, 1].map(|i| &origins[layer.children[i].index()]);
    let groups = layer.groups as usize;
    let width_of_other = (graph.n_units(layer.children[1]) / groups) as u32;
    let [n_one, n_other] = [one, other].map(|origins| origins.len() / groups);
    let mut pairs = Vec::with_capacity(groups * n_one * n_other);
    for group in 0..groups as u32 {
        // Parts of all groups are alike, so those of the first tell a unit's place in its own.
        for a in &one[..n_one] {
            pairs.extend(other[..n_other].iter().map(|b| group * layer.width + a * width_of_other + b));
        }
    }
    pairs
}

/// Noise on one table.
fn disturb(shape: ParamShape, noise: f64, stream: &mut Stream, table: &mut [f32]) {
    match shape {
        ParamShape::Sum { columns: n, .. } | ParamShape::Mix { children: n, .. } => {
            table.chunks_exact_mut(n as usize).for_each(|row| disturb_row(row, noise, stream));
        }
        ParamShape::Input { family, units } => {
            let units = units as usize;
            let mut theta = vec![0.0; family.n_params()];
            for group in table.chunks_exact_mut(units * theta.len()) {
                for unit in 0..units {
                    let places = (0..theta.len()).map(|row| row * units + unit);
                    theta.iter_mut().zip(places.clone()).for_each(|(x, at)| *x = f64::from(group[at]));
                    family.get().disturb(noise, &mut || stream.uniform(), &mut theta);
                    theta.iter().zip(places).for_each(|(x, at)| group[at] = *x as f32);
                }
            }
        }
    }
}

fn disturb_row(row: &mut [f32], noise: f64, stream: &mut Stream) {
    let before: f64 = row.iter().map(|&x| f64::from(x)).sum();
    let mut numbers: Vec<f64> = row.iter().map(|&x| f64::from(x)).collect();
    pcc_ir::family::disturb_weights(noise, &mut || stream.uniform(), &mut numbers);
    row.iter_mut().zip(&numbers).for_each(|(x, new)| *x = (before * new) as f32);
}
