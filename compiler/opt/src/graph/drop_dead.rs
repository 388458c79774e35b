//! Drops the children of sums and mixes that fixed weights of zero silence for every unit, and then
//! whatever only they used.
//!
//! ```text
//! t0 = table "w" sum 1 x 2 groups 1 fixed values 1 0
//! l2 = sum t0 l0 l1 : 1 x 1        ->    t0 = table "w" sum 1 x 1 groups 1 fixed values 1
//!                                        l2 = sum t0 l0 : 1 x 1
//! ```
//!
//! The smaller table keeps its name. Weights that learning may change stay. One child is always kept, so
//! that a sum of nothing stays the zero it was.
//!
//! Properties are claims about the structure, where a weight of zero does not count: what is claimed of a
//! circuit is judged before this pass, and what it leaves may have more properties than what was written.

use super::rebuild::Rebuild;
use pcc_ir::{Graph, LayerId, LayerKind, Param, ParamId, ParamShape};
use rustc_hash::FxHashMap;

/// A table and how many of its columns each child of a layer has, with whether that child stays.
type Cut = (ParamId, Vec<(usize, bool)>);

/// Runs the pass.
pub fn run(graph: &Graph) -> Graph {
    let mut rebuild = Rebuild::new(graph);
    let mut cuts: FxHashMap<Cut, ParamId> = FxHashMap::default();
    for id in graph.layer_ids() {
        let children = rebuild.children(id);
        let Some((param, parts)) = cut(graph, id) else {
            rebuild.copy(id, &children);
            continue;
        };
        let kept: Vec<LayerId> =
            children.into_iter().zip(&parts).filter(|(_, part)| part.1).map(|(child, _)| child).collect();
        let smaller = |rebuild: &mut Rebuild<'_>| rebuild.new_param(without(graph.param(param), &parts));
        let key = (param, parts.clone());
        let param = *cuts.entry(key).or_insert_with(|| smaller(&mut rebuild));
        rebuild.copy_with(id, &kept, Some(param));
    }
    rebuild.finish()
}

/// What to cut from a layer's table; `None` when every child stays.
fn cut(graph: &Graph, id: LayerId) -> Option<Cut> {
    let layer = graph.layer(id);
    let (LayerKind::Sum { param } | LayerKind::Mix { param }) = layer.kind else { return None };
    let table = graph.param(param);
    let values = table.initial.as_ref().filter(|_| table.is_fixed)?;
    let (n_columns, is_mix) = columns(table)?;
    let part = |&child: &LayerId| if is_mix { 1 } else { graph.n_units(child) / layer.groups as usize };
    let mut start = 0;
    let mut parts = Vec::with_capacity(layer.children.len());
    for n in layer.children.iter().map(part) {
        let is_silent = values.chunks(n_columns).all(|row| row[start..start + n].iter().all(|&w| w == 0.0));
        parts.push((n, !is_silent));
        start += n;
    }
    if parts.iter().all(|(_, is_kept)| !is_kept) {
        parts[0].1 = true;
    }
    parts.iter().any(|(_, is_kept)| !is_kept).then_some((param, parts))
}

/// How many weights a unit has, and whether one for each child.
fn columns(param: &Param) -> Option<(usize, bool)> {
    match param.shape {
        ParamShape::Sum { columns, .. } => Some((columns as usize, false)),
        ParamShape::Mix { children, .. } => Some((children as usize, true)),
        ParamShape::Input { .. } => None,
    }
}

/// The table with the columns of the parts that stay.
fn without(param: &Param, parts: &[(usize, bool)]) -> Param {
    let is_kept: Vec<bool> = parts.iter().flat_map(|&(n, is_kept)| std::iter::repeat_n(is_kept, n)).collect();
    let n_kept = is_kept.iter().filter(|&&k| k).count() as u32;
    let shape = match param.shape {
        ParamShape::Sum { rows, .. } => ParamShape::Sum { rows, columns: n_kept },
        ParamShape::Mix { units, .. } => ParamShape::Mix { units, children: n_kept },
        input => input,
    };
    let kept = |values: &Vec<f64>| {
        values.iter().zip(is_kept.iter().cycle()).filter(|(_, kept)| **kept).map(|(&v, _)| v).collect()
    };
    Param { shape, initial: param.initial.as_ref().map(kept), ..param.clone() }
}
