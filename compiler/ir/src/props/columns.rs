//! The inputs of one unit of a sum: which units of which children it adds up.

use crate::{Graph, LayerId, LayerKind};

/// One unit of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Unit {
    /// The layer.
    pub layer: LayerId,
    /// The unit, counted over all groups.
    pub unit: u32,
}

impl Unit {
    pub(super) fn new(layer: LayerId, unit: usize) -> Self {
        // Layers have at most 2^32 units: their number is a product of two counts that tables bound.
        Unit { layer, unit: unit as u32 }
    }
}

/// How many different lists of inputs the units of a sum have: one for each group of a sum, one for each
/// unit of a mix.
pub(super) fn n_lists(graph: &Graph, id: LayerId) -> usize {
    let layer = graph.layer(id);
    match layer.kind {
        LayerKind::Sum { .. } => layer.groups as usize,
        LayerKind::Mix { .. } => layer.n_units(),
        _ => 0,
    }
}

/// The list of inputs that a unit of a sum or mix reads.
pub(super) fn list_of_unit(graph: &Graph, id: LayerId, unit: usize) -> usize {
    let layer = graph.layer(id);
    if let LayerKind::Sum { .. } = layer.kind { unit / layer.width as usize } else { unit }
}

/// The inputs in one of a layer's lists. In a sum every unit of a group reads the whole group.
pub(super) fn columns(graph: &Graph, id: LayerId, list: usize) -> Vec<Unit> {
    let layer = graph.layer(id);
    if let LayerKind::Mix { .. } = layer.kind {
        return layer.children.iter().map(|&child| Unit::new(child, list)).collect();
    }
    let mut all = Vec::new();
    for &child in layer.children {
        let part = graph.n_units(child) / layer.groups as usize;
        all.extend((list * part..(list + 1) * part).map(|unit| Unit::new(child, unit)));
    }
    all
}

/// How many inputs that list has.
pub(super) fn n_columns(graph: &Graph, id: LayerId) -> usize {
    let layer = graph.layer(id);
    match layer.kind {
        LayerKind::Mix { .. } => layer.children.len(),
        _ => layer.children.iter().map(|&c| graph.n_units(c) / layer.groups as usize).sum(),
    }
}

/// The child, by position, that gives the input at a position of a list.
pub(super) fn child_of_column(graph: &Graph, id: LayerId, mut position: usize) -> usize {
    let layer = graph.layer(id);
    if let LayerKind::Mix { .. } = layer.kind {
        return position;
    }
    let parts = layer.children.iter().map(|&c| graph.n_units(c) / layer.groups as usize);
    for (child, part) in parts.enumerate() {
        match position.checked_sub(part) {
            Some(left) => position = left,
            None => return child,
        }
    }
    layer.children.len()
}
