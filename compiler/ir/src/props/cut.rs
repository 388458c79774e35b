//! Whether knowing a latent separates what is below it from the rest of the circuit.
//!
//! ```text
//! p(w, rest | Z = j) = p(w | Z = j) p(rest | Z = j)          for the observed variables w below Z
//! ```
//!
//! This holds when each value of Z stands for one circuit over w (Liu, Zhang and Van den Broeck, 2023, Lemma 1).
//! In a smooth and decomposable circuit every induced tree has exactly one indicator of Z, so it passes exactly
//! one of the products that hold one. What is left to ask is that those products have one scope, and that two
//! of them that share a value have the same other factors: then the value alone says which circuit over w a tree
//! uses.
//!
//! In: a checked graph and a latent. Out: the cut, or where it fails. (Scopes that are subsets of each other are
//! not enough: `sum(prod(w-units, r), prod(x1, x2, x3, x4))` splits w in its second product. With the indicators in
//! place that circuit is not smooth.)

use crate::{Graph, LayerId, LayerKind, VarId};
use std::ops::Range;

/// The products that hold the indicators of a latent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The latent.
    pub latent: VarId,
    /// Each product with the values whose cases its units are.
    pub products: Vec<(LayerId, Range<u32>)>,
}

/// Why a latent separates nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoCut {
    /// No sum is indexed by it.
    Nowhere,
    /// It is a leaf that is no index of a sum.
    NoIndex(LayerId),
    /// It stands inside copies, so a value says nothing of which copy is meant.
    InCopies(LayerId),
    /// One value stands for two circuits.
    Twice(LayerId, LayerId),
    /// Its sums are over different variables.
    OtherScope(LayerId, LayerId),
}

/// The cut of a circuit at a latent.
///
/// # Errors
/// Where it fails.
pub fn cut_at(graph: &Graph, latent: VarId) -> Result<Cut, NoCut> {
    let mut products: Vec<(LayerId, Range<u32>)> = Vec::new();
    let mut is_indicator = vec![false; graph.n_layers()];
    for id in graph.layer_ids() {
        let layer = graph.layer(id);
        if layer.kind.var() == Some(latent) {
            match layer.kind {
                LayerKind::Indicator { .. } if layer.groups == 1 => is_indicator[id.index()] = true,
                LayerKind::Indicator { .. } => return Err(NoCut::InCopies(id)),
                _ => return Err(NoCut::NoIndex(id)),
            }
        }
        let Some(&indicator) = layer.children.iter().find(|child| is_indicator[child.index()]) else {
            continue;
        };
        match (layer.kind, graph.layer(indicator).kind) {
            (LayerKind::Product, LayerKind::Indicator { first, .. }) => {
                products.push((id, first..first + graph.layer(indicator).width));
            }
            _ => return Err(NoCut::NoIndex(indicator)),
        }
    }
    match products.split_first() {
        None => Err(NoCut::Nowhere),
        Some(((first, _), rest)) => {
            let scope = graph.layer(*first).scope;
            if let Some((other, _)) = rest.iter().find(|(id, _)| graph.layer(*id).scope != scope) {
                return Err(NoCut::OtherScope(*first, *other));
            }
            match twice(graph, &products, &is_indicator) {
                Some((one, other)) => Err(NoCut::Twice(one, other)),
                None => Ok(Cut { latent, products }),
            }
        }
    }
}

/// Two products that share a value and are not the same circuit in it.
fn twice(
    graph: &Graph,
    products: &[(LayerId, Range<u32>)],
    is_indicator: &[bool],
) -> Option<(LayerId, LayerId)> {
    let factors = |id: LayerId| -> Vec<LayerId> {
        graph.children(id).iter().copied().filter(|child| !is_indicator[child.index()]).collect()
    };
    products.iter().enumerate().find_map(|(i, (one, values))| {
        products[i + 1..].iter().find_map(|(other, others)| {
            let shares = values.start < others.end && others.start < values.end;
            let is_same = values == others && factors(*one) == factors(*other);
            (shares && !is_same).then_some((*one, *other))
        })
    })
}
