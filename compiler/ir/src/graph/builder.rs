//! Building a graph from the leaves up.
//!
//! The builder checks what it must to keep a layer's arithmetic defined: children exist, widths and
//! groups agree, tables have the right size. Smoothness and decomposability are properties of the whole,
//! checked afterwards by [`crate::props`] with a witness.

use super::{Graph, LayerKind, Param, ParamShape};
use crate::{Domain, LayerId, ParamId, Scope, ScopeId, VarGroup, VarGroupId, VarId, Variable};
use pcc_diag::Span;
use rustc_hash::{FxHashMap, FxHashSet};

/// Why a layer can't be built. Callers turn it into a diagnostic with the user's own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GraphError {
    /// A product, sum or mix without children.
    NoChildren,
    /// Units that should be equal in number are not.
    UnitsDiffer {
        /// Units of the first child.
        expected: usize,
        /// The first child that differs, by position.
        child: usize,
        /// Its units.
        found: usize,
    },
    /// A child's units can't be split among the layer's groups.
    GroupsDoNotDivide {
        /// The layer's groups.
        groups: u32,
        /// The child, by position.
        child: usize,
        /// Its units.
        units: usize,
    },
    /// An input layer was given the weights of a sum or mix.
    NotAnInputTable(ParamShape),
    /// The parameter has another shape than the layer needs.
    TableDiffers {
        /// What the layer needs.
        needed: ParamShape,
        /// What the table is.
        found: ParamShape,
    },
    /// The layer's groups are not a multiple of the parameter's.
    TableGroups {
        /// The layer's groups.
        layer: u32,
        /// The parameter's groups.
        param: u32,
    },
    /// The circuit has more than one unit.
    RootWidth(usize),
}

impl std::fmt::Display for GraphError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            GraphError::NoChildren => write!(f, "the layer has no children"),
            GraphError::UnitsDiffer { expected, child, found } => {
                write!(f, "child {child} has {found} units, but the first has {expected}")
            }
            GraphError::GroupsDoNotDivide { groups, child, units } => {
                write!(f, "the {units} units of child {child} do not divide among {groups} groups")
            }
            GraphError::NotAnInputTable(found) => {
                write!(f, "an input needs the table of a family, but its table is of {found:?}")
            }
            GraphError::TableDiffers { needed, found } => {
                write!(f, "the layer needs a table of {needed:?}, but its table is of {found:?}")
            }
            GraphError::TableGroups { layer, param } => {
                write!(f, "{layer} groups of the layer are no multiple of the table's {param}")
            }
            GraphError::RootWidth(n) => write!(f, "the root has {n} units, not one"),
        }
    }
}

impl std::error::Error for GraphError {}

/// A graph that is being built.
#[derive(Debug, Default)]
pub struct GraphBuilder {
    graph: Graph,
    singles: Vec<Option<ScopeId>>,
}

impl GraphBuilder {
    /// An empty graph.
    pub fn new() -> Self {
        Self::default()
    }

    /// What was built so far. Its root is not set.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Declares variables. All must be declared before the first layer.
    pub fn variables(&mut self, name: &str, extents: &[u32], domain: Domain, is_latent: bool) -> VarGroupId {
        let id = VarGroupId::new(self.graph.groups.len());
        let first = VarId::new(self.graph.variables.len());
        let group = VarGroup { name: name.into(), extents: extents.into(), domain, is_latent, first };
        let n = group.len();
        self.graph.variables.extend(std::iter::repeat_n(Variable { group: id, domain, is_latent }, n));
        self.singles.resize(self.graph.variables.len(), None);
        self.graph.groups.push(group);
        id
    }

    /// Adds a parameter table.
    pub fn param(&mut self, param: Param) -> ParamId {
        self.graph.params.push(param);
        ParamId::new(self.graph.params.len() - 1)
    }

    /// Adds input units over one variable.
    pub fn input(
        &mut self,
        var: VarId,
        param: ParamId,
        groups: u32,
        span: Span,
    ) -> Result<LayerId, GraphError> {
        let shape = self.graph.param(param).shape;
        let ParamShape::Input { units, .. } = shape else {
            return Err(GraphError::NotAnInputTable(shape));
        };
        self.check_table(param, shape, groups)?;
        let scope = self.single(var);
        Ok(self.push(LayerKind::Input { var, param }, groups, units, scope, span, &[]))
    }

    /// Adds units that are all the indicator of one value.
    pub fn literal(&mut self, var: VarId, value: u32, groups: u32, width: u32, span: Span) -> LayerId {
        let scope = self.single(var);
        self.push(LayerKind::Literal { var, value }, groups, width, scope, span, &[])
    }

    /// Adds units that are the indicators of the values from `first` on, in each group.
    pub fn indicator(&mut self, var: VarId, first: u32, groups: u32, width: u32, span: Span) -> LayerId {
        let scope = self.single(var);
        self.push(LayerKind::Indicator { var, first }, groups, width, scope, span, &[])
    }

    /// Multiplies layers unit by unit. The result has as many groups as the child with most.
    pub fn product(&mut self, children: &[LayerId], span: Span) -> Result<LayerId, GraphError> {
        let units = self.equal_units(children)?;
        let groups = children.iter().map(|&c| self.graph.layer(c).groups).max().unwrap_or(1);
        let scope = self.union(children);
        Ok(self.push(LayerKind::Product, groups, units as u32 / groups, scope, span, children))
    }

    /// Multiplies every pair of units of two layers, within each of `groups` groups.
    pub fn outer(&mut self, a: LayerId, b: LayerId, groups: u32, span: Span) -> Result<LayerId, GraphError> {
        let parts = self.parts(&[a, b], groups)?;
        let scope = self.union(&[a, b]);
        Ok(self.push(LayerKind::Outer, groups, parts[0] * parts[1], scope, span, &[a, b]))
    }

    /// Mixes all units of all children into the rows of the parameter, block-diagonally over groups.
    pub fn sum(
        &mut self,
        children: &[LayerId],
        param: ParamId,
        groups: u32,
        span: Span,
    ) -> Result<LayerId, GraphError> {
        let columns = self.parts(children, groups)?.iter().sum();
        let shape = self.graph.param(param).shape;
        let rows = if let ParamShape::Sum { rows, .. } = shape { rows } else { 1 };
        self.check_table(param, ParamShape::Sum { rows, columns }, groups)?;
        let scope = self.union(children);
        Ok(self.push(LayerKind::Sum { param }, groups, rows, scope, span, children))
    }

    /// Mixes the unit k of every child into unit k.
    pub fn mix(
        &mut self,
        children: &[LayerId],
        param: ParamId,
        groups: u32,
        span: Span,
    ) -> Result<LayerId, GraphError> {
        let all = self.equal_units(children)? as u32;
        let units = self.parts(children, groups)?[0];
        debug_assert_eq!(all, units * groups);
        self.check_table(param, ParamShape::Mix { units, children: children.len() as u32 }, groups)?;
        let scope = self.union(children);
        Ok(self.push(LayerKind::Mix { param }, groups, units, scope, span, children))
    }

    /// Names a layer, as `let` does. A name may stand for many layers.
    pub fn label(&mut self, layer: LayerId, name: &str) {
        self.graph.labels.push((layer, name.into()));
    }

    /// Makes the layer the root and drops all layers, tables and labels that it does not reach.
    pub fn finish(self, root: LayerId) -> Result<Graph, GraphError> {
        match self.graph.n_units(root) {
            1 => Ok(compact(self.graph, root)),
            n => Err(GraphError::RootWidth(n)),
        }
    }

    fn push(
        &mut self,
        kind: LayerKind,
        groups: u32,
        width: u32,
        scope: ScopeId,
        span: Span,
        children: &[LayerId],
    ) -> LayerId {
        let g = &mut self.graph;
        g.kinds.push(kind);
        g.n_groups.push(groups);
        g.widths.push(width);
        g.layer_scopes.push(scope);
        g.spans.push(span);
        g.child_starts.push(g.children.len() as u32);
        g.children.extend_from_slice(children);
        LayerId::new(g.kinds.len() - 1)
    }

    fn single(&mut self, var: VarId) -> ScopeId {
        if let Some(id) = self.singles[var.index()] {
            return id;
        }
        let scope = Scope::single(var, self.graph.variables.len());
        let id = self.graph.scopes.intern(scope);
        self.singles[var.index()] = Some(id);
        id
    }

    fn union(&mut self, children: &[LayerId]) -> ScopeId {
        let ids: Vec<ScopeId> = children.iter().map(|c| self.graph.layer_scopes[c.index()]).collect();
        self.graph.scopes.union(ids)
    }

    fn equal_units(&self, children: &[LayerId]) -> Result<usize, GraphError> {
        let units = |c: &LayerId| self.graph.n_units(*c);
        let expected = children.first().map(units).ok_or(GraphError::NoChildren)?;
        match children.iter().position(|c| units(c) != expected) {
            Some(child) => Err(GraphError::UnitsDiffer { expected, child, found: units(&children[child]) }),
            None => Ok(expected),
        }
    }

    /// How many units one group reads from each child.
    fn parts(&self, children: &[LayerId], groups: u32) -> Result<Vec<u32>, GraphError> {
        if children.is_empty() {
            return Err(GraphError::NoChildren);
        }
        let part = |(child, &c): (usize, &LayerId)| {
            let units = self.graph.n_units(c);
            match units % groups as usize {
                0 => Ok((units / groups as usize) as u32),
                _ => Err(GraphError::GroupsDoNotDivide { groups, child, units }),
            }
        };
        children.iter().enumerate().map(part).collect()
    }

    fn check_table(&self, param: ParamId, needed: ParamShape, groups: u32) -> Result<(), GraphError> {
        let found = self.graph.param(param);
        if found.shape != needed {
            return Err(GraphError::TableDiffers { needed, found: found.shape });
        }
        if !groups.is_multiple_of(found.groups) {
            return Err(GraphError::TableGroups { layer: groups, param: found.groups });
        }
        Ok(())
    }
}

/// Keeps what the root reaches, in the same order, and gives unnamed tables a name.
fn compact(graph: Graph, root: LayerId) -> Graph {
    let mut is_live = vec![false; graph.n_layers()];
    is_live[root.index()] = true;
    for id in graph.layer_ids().rev() {
        if is_live[id.index()] {
            graph.children(id).iter().for_each(|c| is_live[c.index()] = true);
        }
    }
    let mut builder = GraphBuilder::new();
    builder.graph.groups = graph.groups.clone();
    builder.graph.variables = graph.variables.clone();
    builder.graph.scopes = graph.scopes.clone();
    let mut layers = vec![LayerId(0); graph.n_layers()];
    let mut params = FxHashMap::default();
    for id in graph.layer_ids().filter(|id| is_live[id.index()]) {
        let layer = graph.layer(id);
        let mut keep = |p: ParamId| *params.entry(p).or_insert_with(|| builder.param(graph.param(p).clone()));
        let kind = match layer.kind {
            LayerKind::Input { var, param } => LayerKind::Input { var, param: keep(param) },
            LayerKind::Sum { param } => LayerKind::Sum { param: keep(param) },
            LayerKind::Mix { param } => LayerKind::Mix { param: keep(param) },
            other => other,
        };
        let children: Vec<LayerId> = layer.children.iter().map(|c| layers[c.index()]).collect();
        layers[id.index()] =
            builder.push(kind, layer.groups, layer.width, layer.scope, layer.span, &children);
    }
    let live_labels = graph.labels.into_iter().filter(|(l, _)| is_live[l.index()]);
    builder.graph.labels = live_labels.map(|(l, name)| (layers[l.index()], name)).collect();
    builder.graph.root = Some(layers[root.index()]);
    name_params(&mut builder.graph.params);
    builder.graph
}

/// Makes parameter names unique: unnamed tables are called after their place, and the first of equal names
/// is kept. The others get a number, one that makes a name which is written nowhere.
fn name_params(params: &mut [Param]) {
    let written: FxHashSet<String> = params.iter().map(|param| param.name.clone()).collect();
    let mut given: FxHashSet<String> = FxHashSet::default();
    let mut last: FxHashMap<String, u32> = FxHashMap::default();
    for (i, param) in params.iter_mut().enumerate() {
        let was_unnamed = param.name.is_empty();
        let stem = if was_unnamed { format!("table.{i}") } else { std::mem::take(&mut param.name) };
        let is_free = !(was_unnamed && written.contains(&stem)) && given.insert(stem.clone());
        param.name = if is_free { stem } else { numbered(stem, &written, &mut given, &mut last) };
    }
}

fn numbered(
    stem: String,
    written: &FxHashSet<String>,
    given: &mut FxHashSet<String>,
    last: &mut FxHashMap<String, u32>,
) -> String {
    let n = last.entry(stem.clone()).or_insert(1);
    loop {
        *n += 1;
        let name = format!("{stem}#{n}");
        if !written.contains(&name) && given.insert(name.clone()) {
            return name;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_has_a_name_of_its_own() {
        let named = |name: &str| Param {
            name: name.into(),
            shape: ParamShape::Sum { rows: 1, columns: 1 },
            groups: 1,
            initial: None,
            is_fixed: false,
            mask: None,
            span: Span::NONE,
        };
        let mut params: Vec<Param> = ["a", "a", "a#2", "", "table.3", "a", "a#2"].map(named).into();
        name_params(&mut params);
        let names: Vec<&str> = params.iter().map(|param| param.name.as_str()).collect();
        assert_eq!(names, ["a", "a#3", "a#2", "table.3#2", "table.3", "a#4", "a#2#2"]);
    }
}
