//! The circuit graph.
//!
//! A graph is a DAG of *layers*; a layer is a vector of units over one scope. Layers and their ordered
//! children lie in arrays side by side, so that a circuit of a million one-unit layers (a PSDD, a learned
//! tree) is as quick to walk as one of a hundred wide layers.
//!
//! A layer has `groups * width` units, group-major. Groups come from `copies[N](..)`: a sum layer of G
//! groups reads the G-th part of each child, block-diagonally, so N copies stay one layer.
//! For a sum with P groups over a child with U units, group p reads units p*U/P .. (p+1)*U/P.
//! A product multiplies unit by unit over all U units, whatever the groups of its children.
//!
//! Invariants (checked by `verify`): a child's id is smaller than its parent's, so a loop over ids is a
//! bottom-up pass; every layer's scope is the union of its children's; widths agree; the root has one unit.

mod builder;
mod dot;
mod layer;
mod mask;
mod param;
mod print;
mod read;
mod same;
mod verify;
mod walk;
mod words;

pub use builder::{GraphBuilder, GraphError};
pub use dot::dot;
pub use layer::{Layer, LayerKind};
pub use mask::EdgeMask;
pub use param::{Param, ParamShape};
pub use print::{InitialValues, print, print_with};
pub use read::read;
pub use verify::{Fault, verify};
pub use walk::Walk;
pub use words::ReadError;

use crate::{LayerId, ParamId, Scope, ScopeId, Scopes, VarGroup, VarGroupId, VarId, Variable};
use pcc_diag::Span;

/// A circuit: see the module.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    groups: Vec<VarGroup>,
    variables: Vec<Variable>,
    scopes: Scopes,
    params: Vec<Param>,
    kinds: Vec<LayerKind>,
    n_groups: Vec<u32>,
    widths: Vec<u32>,
    layer_scopes: Vec<ScopeId>,
    spans: Vec<Span>,
    child_starts: Vec<u32>,
    children: Vec<LayerId>,
    labels: Vec<(LayerId, String)>,
    root: Option<LayerId>,
}

impl Graph {
    /// The declared groups of variables.
    pub fn var_groups(&self) -> &[VarGroup] {
        &self.groups
    }

    /// The group of an id.
    pub fn var_group(&self, id: VarGroupId) -> &VarGroup {
        &self.groups[id.index()]
    }

    /// All variables, observed and latent.
    pub fn variables(&self) -> &[Variable] {
        &self.variables
    }

    /// The variable of an id.
    pub fn variable(&self, id: VarId) -> Variable {
        self.variables[id.index()]
    }

    /// A variable's name as in source, such as `X[3, 5]`.
    pub fn variable_name(&self, id: VarId) -> String {
        self.var_group(self.variable(id).group).name_of(id)
    }

    /// The group with that name.
    pub fn find_group(&self, name: &str) -> Option<&VarGroup> {
        self.groups.iter().find(|g| g.name == name)
    }

    /// All parameter tables.
    pub fn params(&self) -> &[Param] {
        &self.params
    }

    /// The parameter table of an id.
    pub fn param(&self, id: ParamId) -> &Param {
        &self.params[id.index()]
    }

    /// Sets which edges of a table are there.
    ///
    /// # Panics
    /// When the table has no weights, or other than the mask is for.
    pub fn set_mask(&mut self, id: ParamId, mask: Option<EdgeMask>) {
        let param = &mut self.params[id.index()];
        assert!(param.takes_mask(mask.as_ref()), "a mask has a bit for each weight");
        param.mask = mask;
    }

    /// Whether edges of some table were pruned.
    pub fn is_pruned(&self) -> bool {
        self.params.iter().any(|param| param.mask.is_some())
    }

    /// How many layers there are.
    pub fn n_layers(&self) -> usize {
        self.kinds.len()
    }

    /// All layers, children before parents.
    pub fn layer_ids(&self) -> impl DoubleEndedIterator<Item = LayerId> + ExactSizeIterator + use<> {
        (0..self.kinds.len() as u32).map(LayerId)
    }

    /// Everything about a layer.
    pub fn layer(&self, id: LayerId) -> Layer<'_> {
        let i = id.index();
        Layer {
            kind: self.kinds[i],
            groups: self.n_groups[i],
            width: self.widths[i],
            scope: self.layer_scopes[i],
            span: self.spans[i],
            children: self.children(id),
        }
    }

    /// A layer's ordered children.
    pub fn children(&self, id: LayerId) -> &[LayerId] {
        let i = id.index();
        let end = self.child_starts.get(i + 1).map_or(self.children.len(), |&e| e as usize);
        &self.children[self.child_starts[i] as usize..end]
    }

    /// How many units a layer has: groups times width.
    pub fn n_units(&self, id: LayerId) -> usize {
        self.n_groups[id.index()] as usize * self.widths[id.index()] as usize
    }

    /// The two units, one of each child, whose product a unit of an `Outer` layer is.
    pub fn outer_factors(&self, id: LayerId, unit: usize) -> (usize, usize) {
        let layer = self.layer(id);
        let part = |child: usize| self.n_units(layer.children[child]) / layer.groups as usize;
        let (group, pair) = (unit / layer.width as usize, unit % layer.width as usize);
        (group * part(0) + pair / part(1), group * part(1) + pair % part(1))
    }

    /// A layer's scope.
    pub fn scope(&self, id: LayerId) -> &Scope {
        self.scopes.get(self.layer_scopes[id.index()])
    }

    /// The interned scopes.
    pub fn scopes(&self) -> &Scopes {
        &self.scopes
    }

    /// Names given to layers by `let`, in the order they were given.
    pub fn labels(&self) -> &[(LayerId, String)] {
        &self.labels
    }

    /// The layer whose one unit is the circuit.
    ///
    /// # Panics
    /// When the graph was never finished; [`GraphBuilder::finish`] is the only way to a public graph.
    pub fn root(&self) -> LayerId {
        self.root.expect("a finished graph has a root")
    }

    /// How many edges the layers have, counting one for each weight of a sum that is there and each factor of a
    /// product.
    pub fn n_edges(&self) -> u64 {
        self.layer_ids().map(|id| self.layer_edges(id)).sum()
    }

    /// How many numbers all trainable tables hold, without those of edges that were pruned.
    pub fn n_parameters(&self) -> u64 {
        self.params.iter().filter(|p| !p.is_fixed).map(|p| p.n_live() as u64).sum()
    }

    fn layer_edges(&self, id: LayerId) -> u64 {
        let inputs = || self.children(id).iter().map(|&c| self.n_units(c) as u64);
        if let LayerKind::Sum { param } | LayerKind::Mix { param } = self.kinds[id.index()]
            && let Some(mask) = &self.param(param).mask
        {
            return mask.n_live() as u64 * u64::from(self.n_groups[id.index()] / self.param(param).groups);
        }
        match self.kinds[id.index()] {
            LayerKind::Sum { .. } => inputs().sum::<u64>() * u64::from(self.widths[id.index()]),
            LayerKind::Product | LayerKind::Outer | LayerKind::Mix { .. } => {
                self.n_units(id) as u64 * self.children(id).len() as u64
            }
            _ => 0,
        }
    }
}
