//! What must hold of every graph, checked in linear time. The builder upholds most of it; passes, readers
//! and tests run this after they made a graph.
//!
//! Verified:
//!
//! - order: a child's id is smaller than its parent's; leaves have no children, inner layers have some,
//!   an `outer` has two.
//! - sizes: every layer has a group and a unit; groups times width agrees with the children and the table;
//!   the units of a child divide among the groups of a sum, mix or outer.
//! - scopes: a leaf's scope is its variable, any other scope is the union of the children's.
//! - tables: ids in range, the shape that the layer needs, groups that divide the layer's, as many initial
//!   values as numbers, names unique and not empty.
//! - domains: a family fits its variable; literals and indicators stand for values of the domain.
//! - labels name layers; the root has one unit.
//!
//! Not verified: smoothness, decomposability and the like (see [`crate::props`]), and whether weights are
//! normalised.

use super::{Graph, Layer, LayerKind, ParamShape};
use crate::{Domain, LayerId, Scope};
use rustc_hash::FxHashSet;

/// One thing that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The layer at fault; `None` for a fault of the whole graph or of a table.
    pub layer: Option<LayerId>,
    /// What is wrong: lower case, no full stop.
    pub message: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.layer {
            Some(layer) => write!(f, "{layer}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// Everything that is wrong with a graph; empty when it is whole.
pub fn verify(graph: &Graph) -> Vec<Fault> {
    let mut faults = Vec::new();
    check_tables(graph, &mut faults);
    let mut scratch = Scope::empty(graph.variables().len());
    for id in graph.layer_ids() {
        let checks = [check_children, check_sizes, check_table, check_domain];
        // Later checks look things up that earlier ones found to be there.
        let first = checks.iter().find_map(|check| check(graph, id).err());
        let first = first.or_else(|| check_scope(graph, id, &mut scratch).err());
        faults.extend(first.map(|message| Fault { layer: Some(id), message }));
    }
    check_ends(graph, &mut faults);
    faults
}

fn check_tables(graph: &Graph, faults: &mut Vec<Fault>) {
    let mut names = FxHashSet::default();
    for (i, param) in graph.params().iter().enumerate() {
        let mut fault =
            |message: String| faults.push(Fault { layer: None, message: format!("t{i}: {message}") });
        if param.name.is_empty() || !names.insert(&param.name) {
            fault(format!("the name \"{}\" is empty or not unique", param.name));
        }
        if param.is_empty() {
            fault("the table is empty".into());
        }
        if !param.takes_mask(param.mask.as_ref()) {
            fault(format!("the mask is not one of {} weights", param.len()));
        }
        if param.initial.as_ref().is_some_and(|v| v.len() != param.len()) {
            fault(format!("the table has {} numbers, but another count of values", param.len()));
        }
    }
}

fn check_children(graph: &Graph, id: LayerId) -> Result<(), String> {
    let layer = graph.layer(id);
    if let Some(child) = layer.children.iter().find(|&&c| c >= id) {
        return Err(format!("child {child} does not come before its parent"));
    }
    let n = layer.children.len();
    let is_right = match layer.kind {
        LayerKind::Input { .. } | LayerKind::Literal { .. } | LayerKind::Indicator { .. } => n == 0,
        LayerKind::Outer => n == 2,
        LayerKind::Product | LayerKind::Sum { .. } | LayerKind::Mix { .. } => n > 0,
    };
    if is_right { Ok(()) } else { Err(format!("a layer of kind `{}` has {n} children", layer.kind.word())) }
}

fn check_sizes(graph: &Graph, id: LayerId) -> Result<(), String> {
    let layer = graph.layer(id);
    if layer.groups == 0 || layer.width == 0 {
        return Err(format!("{} groups of {} units", layer.groups, layer.width));
    }
    match layer.kind {
        LayerKind::Product | LayerKind::Mix { .. } => check_equal_units(graph, &layer),
        LayerKind::Outer => {
            let parts = parts(graph, &layer)?;
            let needed = parts.iter().product::<u64>();
            agree(needed, u64::from(layer.width), "units in a group")
        }
        LayerKind::Sum { .. } => parts(graph, &layer).map(|_| ()),
        _ => Ok(()),
    }
}

fn check_equal_units(graph: &Graph, layer: &Layer<'_>) -> Result<(), String> {
    match layer.children.iter().find(|&&c| graph.n_units(c) != layer.n_units()) {
        Some(&c) => Err(format!("{c} has {} units, not {}", graph.n_units(c), layer.n_units())),
        None => Ok(()),
    }
}

/// How many units each child gives to one group.
fn parts(graph: &Graph, layer: &Layer<'_>) -> Result<Vec<u64>, String> {
    let groups = layer.groups as usize;
    let part = |&c: &LayerId| match graph.n_units(c) {
        units if units.is_multiple_of(groups) => Ok((units / groups) as u64),
        units => Err(format!("the {units} units of {c} do not divide among {groups} groups")),
    };
    layer.children.iter().map(part).collect()
}

fn check_table(graph: &Graph, id: LayerId) -> Result<(), String> {
    let layer = graph.layer(id);
    let Some(param_id) = layer.kind.param() else { return Ok(()) };
    let param = graph.params().get(param_id.index()).ok_or_else(|| format!("{param_id} does not exist"))?;
    if param.groups == 0 || !layer.groups.is_multiple_of(param.groups) {
        return Err(format!("{} groups are no multiple of {param_id}'s {}", layer.groups, param.groups));
    }
    let width = u64::from(layer.width);
    match (layer.kind, param.shape) {
        (LayerKind::Input { .. }, ParamShape::Input { units, .. }) => agree(u64::from(units), width, "units"),
        (LayerKind::Sum { .. }, ParamShape::Sum { rows, columns }) => {
            agree(u64::from(rows), width, "rows")?;
            agree(parts(graph, &layer)?.iter().sum(), u64::from(columns), "columns")
        }
        (LayerKind::Mix { .. }, ParamShape::Mix { units, children }) => {
            agree(u64::from(units), width, "units")?;
            agree(layer.children.len() as u64, u64::from(children), "children")
        }
        (kind, shape) => Err(format!("a layer of kind `{}` has a table of {shape:?}", kind.word())),
    }
}

fn agree(needed: u64, found: u64, what: &str) -> Result<(), String> {
    if needed == found { Ok(()) } else { Err(format!("{found} {what} where {needed} are needed")) }
}

fn check_domain(graph: &Graph, id: LayerId) -> Result<(), String> {
    let layer = graph.layer(id);
    let Some(var) = layer.kind.var() else { return Ok(()) };
    let variable = graph.variables().get(var.index()).ok_or_else(|| format!("{var} does not exist"))?;
    let last_code = match layer.kind {
        LayerKind::Literal { value, .. } => u64::from(value),
        LayerKind::Indicator { first, .. } => u64::from(first) + u64::from(layer.width) - 1,
        LayerKind::Input { param, .. } => return check_family(graph.param(param).shape, variable.domain),
        _ => return Ok(()),
    };
    let is_inside = match variable.domain {
        Domain::Real => false,
        Domain::Nat => last_code < u64::from(u32::MAX),
        domain => domain.n_values().is_some_and(|n| last_code < u64::from(n)),
    };
    match is_inside {
        true => Ok(()),
        false => Err(format!("the code {last_code} is outside `{}`", variable.domain)),
    }
}

fn check_family(shape: ParamShape, domain: Domain) -> Result<(), String> {
    match shape {
        ParamShape::Input { family, .. } if !family.get().fits(domain) => {
            Err(format!("the family `{}` does not fit `{domain}`", family.name()))
        }
        _ => Ok(()),
    }
}

fn check_scope(graph: &Graph, id: LayerId, scratch: &mut Scope) -> Result<(), String> {
    let layer = graph.layer(id);
    // Children that share the layer's own interned scope, the common case under sums, need no look.
    if !layer.children.is_empty() && layer.children.iter().all(|&c| graph.layer(c).scope == layer.scope) {
        return Ok(());
    }
    scratch.clear();
    match layer.kind.var() {
        Some(var) => scratch.insert(var),
        None => layer.children.iter().for_each(|&c| scratch.unite(graph.scope(c))),
    }
    match scratch == graph.scope(id) {
        true => Ok(()),
        false => Err("the scope is not the union of the children's".into()),
    }
}

fn check_ends(graph: &Graph, faults: &mut Vec<Fault>) {
    let mut fault = |message: String| faults.push(Fault { layer: None, message });
    for (layer, name) in graph.labels() {
        if layer.index() >= graph.n_layers() {
            fault(format!("the label \"{name}\" names {layer}, which does not exist"));
        }
    }
    match graph.root {
        None => fault("the graph has no root".into()),
        Some(root) if root.index() >= graph.n_layers() => fault(format!("the root {root} does not exist")),
        Some(root) if graph.n_units(root) != 1 => fault(format!("the root {root} has more than one unit")),
        Some(_) => {}
    }
}
