//! Making a graph out of another, layer by layer, from the leaves up.
//!
//! A pass decides for each old layer what stands for it: a copy, a copy with other children, or a layer
//! made before. Layers, tables and labels that end up unused are dropped when the new graph is finished;
//! labels of a replaced layer go to what replaced it.

use pcc_ir::{Domain, Graph, GraphBuilder, GraphError, LayerId, LayerKind, Param, ParamId, VarId};
use rustc_hash::FxHashMap;

/// A graph in the making.
pub(super) struct Rebuild<'g> {
    from: &'g Graph,
    builder: GraphBuilder,
    /// For each old layer what stands for it.
    layers: Vec<Option<LayerId>>,
    params: FxHashMap<ParamId, ParamId>,
}

impl<'g> Rebuild<'g> {
    /// Starts with the same variables. Layers must then be given in order, one for each old one.
    pub fn new(from: &'g Graph) -> Self {
        let mut builder = GraphBuilder::new();
        for group in from.var_groups() {
            builder.variables(&group.name, &group.extents, group.domain, group.is_latent);
        }
        Rebuild { from, builder, layers: Vec::with_capacity(from.n_layers()), params: FxHashMap::default() }
    }

    /// A latent that the old graph does not have, before the first layer.
    pub fn latent(&mut self, name: &str, n_values: u32) -> VarId {
        let first = self.builder.graph().variables().len();
        self.builder.variables(name, &[1], Domain::Cat(n_values), true);
        VarId::new(first)
    }

    /// Lets indicators of all values of a variable stand for the next old layer, unit by unit.
    pub fn indicate(&mut self, old: LayerId, var: VarId) {
        let width = self.from.n_units(old) as u32;
        let new = self.builder.indicator(var, 0, 1, width, self.from.layer(old).span);
        self.stand_in(new);
    }

    /// What stands for an old layer, which must not have been skipped.
    pub fn layer(&self, old: LayerId) -> LayerId {
        self.layers[old.index()].expect("nothing uses a layer that was skipped")
    }

    /// What stands for an old layer's children.
    pub fn children(&self, old: LayerId) -> Vec<LayerId> {
        self.from.children(old).iter().map(|&c| self.layer(c)).collect()
    }

    /// Lets a new layer stand for the next old one.
    pub fn stand_in(&mut self, new: LayerId) {
        self.layers.push(Some(new));
    }

    /// Lets nothing stand for the next old layer.
    pub fn skip(&mut self) {
        self.layers.push(None);
    }

    /// Copies the next old layer, over these new children and with its own table.
    pub fn copy(&mut self, old: LayerId, children: &[LayerId]) {
        let param = self.from.layer(old).kind.param().map(|p| self.param(p));
        self.copy_with(old, children, param);
    }

    /// Copies the next old layer, over these new children and with this new table.
    pub fn copy_with(&mut self, old: LayerId, children: &[LayerId], param: Option<ParamId>) {
        // The children have the units of the old ones and the table their shape, so nothing is refused.
        let new = self.try_copy(old, children, param).expect("a copied layer fits as the old one did");
        self.layers.push(Some(new));
    }

    fn try_copy(
        &mut self,
        old: LayerId,
        children: &[LayerId],
        param: Option<ParamId>,
    ) -> Result<LayerId, GraphError> {
        let layer = self.from.layer(old);
        let (groups, span, b) = (layer.groups, layer.span, &mut self.builder);
        match (layer.kind, param) {
            (LayerKind::Input { var, .. }, Some(param)) => b.input(var, param, groups, span),
            (LayerKind::Literal { var, value }, _) => Ok(b.literal(var, value, groups, layer.width, span)),
            (LayerKind::Indicator { var, first }, _) => {
                Ok(b.indicator(var, first, groups, layer.width, span))
            }
            (LayerKind::Product, _) => b.product(children, span),
            (LayerKind::Outer, _) => b.outer(children[0], children[1], groups, span),
            (LayerKind::Sum { .. }, Some(param)) => b.sum(children, param, groups, span),
            (LayerKind::Mix { .. }, Some(param)) => b.mix(children, param, groups, span),
            (kind, None) => unreachable!("a layer of kind `{}` has a table", kind.word()),
        }
    }

    /// The copy of an old table.
    pub fn param(&mut self, old: ParamId) -> ParamId {
        let (builder, from) = (&mut self.builder, self.from);
        *self.params.entry(old).or_insert_with(|| builder.param(from.param(old).clone()))
    }

    /// A table that the old graph does not have.
    pub fn new_param(&mut self, param: Param) -> ParamId {
        self.builder.param(param)
    }

    /// The new graph.
    pub fn finish(mut self) -> Graph {
        for (layer, name) in self.from.labels() {
            // What was skipped has no name any more.
            if let Some(new) = self.layers[layer.index()] {
                self.builder.label(new, name);
            }
        }
        let root = self.layer(self.from.root());
        self.builder.finish(root).expect("the root has one unit, as before")
    }
}
