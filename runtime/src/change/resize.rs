//! The same circuit with units left out or doubled.
//!
//! Each new unit of a layer has an *origin*, the old unit that it is or is a copy of. The weight of an edge is that
//! between the origins, shared out among the copies of the child: so every unit has the value of its origin,
//! whatever the evidence. Origins must agree: those of a product or a mix with those of its children, those of a
//! layer's groups with each other, and those of layers that share a table too. That is for the caller to see to.

use super::Changed;
use pcc_ir::graph::EdgeMask;
use pcc_ir::{
    Graph, GraphBuilder, GraphError, Layer, LayerId, LayerKind, Param, ParamId, ParamShape, Params,
};
use rustc_hash::FxHashMap;

/// Makes the new circuit. `origins` has for each layer the old unit of each new one, in their order; a layer without
/// any is left out. Those of an `Outer` layer follow from its children's.
pub(super) fn resize(graph: &Graph, params: &Params, origins: &[Vec<u32>]) -> Changed {
    let mut builder = GraphBuilder::new();
    for group in graph.var_groups() {
        builder.variables(&group.name, &group.extents, group.domain, group.is_latent);
    }
    let mut resizing = Resizing {
        graph,
        params,
        origins,
        builder,
        layers: vec![None; graph.n_layers()],
        tables: FxHashMap::default(),
        by_name: FxHashMap::default(),
    };
    for id in graph.layer_ids().filter(|id| !origins[id.index()].is_empty()) {
        let new = resizing.layer(id).expect("origins agree, so a layer fits as the old one did");
        resizing.layers[id.index()] = Some(new);
    }
    resizing.finish()
}

struct Resizing<'a> {
    graph: &'a Graph,
    params: &'a Params,
    origins: &'a [Vec<u32>],
    builder: GraphBuilder,
    layers: Vec<Option<LayerId>>,
    tables: FxHashMap<ParamId, ParamId>,
    /// The values of new tables, by name.
    by_name: FxHashMap<String, Vec<f32>>,
}

impl Resizing<'_> {
    fn layer(&mut self, id: LayerId) -> Result<LayerId, GraphError> {
        let layer = self.graph.layer(id);
        let width = (self.origins[id.index()].len() / layer.groups as usize) as u32;
        let children: Vec<LayerId> =
            layer.children.iter().filter_map(|child| self.layers[child.index()]).collect();
        let (groups, span) = (layer.groups, layer.span);
        match layer.kind {
            LayerKind::Input { var, param } => {
                let table = self.input_table(param, layer, id);
                self.builder.input(var, table, groups, span)
            }
            LayerKind::Literal { var, value } => Ok(self.builder.literal(var, value, groups, width, span)),
            LayerKind::Indicator { var, first } => {
                Ok(self.builder.indicator(var, first, groups, width, span))
            }
            LayerKind::Product => self.builder.product(&children, span),
            LayerKind::Outer => self.builder.outer(children[0], children[1], groups, span),
            LayerKind::Sum { param } => {
                let columns = self.columns(layer);
                let table = self.weight_table(param, layer, id, &columns);
                self.builder.sum(&children, table, groups, span)
            }
            LayerKind::Mix { param } => {
                let columns: Vec<u32> = (0..layer.children.len() as u32).collect();
                let table = self.weight_table(param, layer, id, &columns);
                self.builder.mix(&children, table, groups, span)
            }
        }
    }

    /// The old column of each new column of a sum, those of its first group.
    fn columns(&self, layer: Layer) -> Vec<u32> {
        let (mut columns, mut before) = (Vec::new(), 0);
        for &child in layer.children {
            let origins = &self.origins[child.index()];
            let own = &origins[..origins.len() / layer.groups as usize];
            columns.extend(own.iter().map(|origin| before + origin));
            before += self.graph.n_units(child) as u32 / layer.groups;
        }
        columns
    }

    /// The old row of each new row of a layer's table.
    fn rows(&self, layer: Layer, id: LayerId) -> Vec<u32> {
        let origins = &self.origins[id.index()];
        origins[..origins.len() / layer.groups as usize].to_vec()
    }

    fn input_table(&mut self, old: ParamId, layer: Layer, id: LayerId) -> ParamId {
        let rows = self.rows(layer, id);
        self.table(old, |param, theta| {
            let ParamShape::Input { family, units } = param.shape else { unreachable!("an input's table") };
            let shape = ParamShape::Input { family, units: rows.len() as u32 };
            let columns = theta.chunks_exact(units as usize);
            let values = columns.flat_map(|row| rows.iter().map(|&unit| row[unit as usize])).collect();
            (shape, values, None)
        })
    }

    fn weight_table(&mut self, old: ParamId, layer: Layer, id: LayerId, columns: &[u32]) -> ParamId {
        let rows = self.rows(layer, id);
        self.table(old, |param, theta| {
            let all = param.unit_len();
            let mut copies = vec![0.0_f32; all];
            columns.iter().for_each(|&column| copies[column as usize] += 1.0);
            let places: Vec<usize> = (0..param.groups as usize)
                .flat_map(|group| rows.iter().map(move |&row| group * param.group_len() + row as usize * all))
                .flat_map(|row| columns.iter().map(move |&column| row + column as usize))
                .collect();
            let values = places.iter().map(|&at| theta[at] / copies[at % all]).collect();
            let mask =
                param.mask.as_ref().map(|mask| EdgeMask::of(places.iter().map(|&at| mask.is_live(at))));
            let (n_rows, n_columns) = (rows.len() as u32, columns.len() as u32);
            let shape = match param.shape {
                ParamShape::Mix { .. } => ParamShape::Mix { units: n_rows, children: n_columns },
                _ => ParamShape::Sum { rows: n_rows, columns: n_columns },
            };
            (shape, values, mask.filter(|mask| !mask.is_whole()))
        })
    }

    /// The new table of an old one, made when it is first asked for.
    fn table(
        &mut self,
        old: ParamId,
        make: impl FnOnce(&Param, &[f32]) -> (ParamShape, Vec<f32>, Option<EdgeMask>),
    ) -> ParamId {
        if let Some(&new) = self.tables.get(&old) {
            return new;
        }
        let param = self.graph.param(old);
        let (shape, values, mask) = make(param, self.params.table(old));
        // What was written in the source is not what a table that learns holds now.
        let initial = param.is_fixed.then(|| values.iter().map(|&x| f64::from(x)).collect());
        let new = self.builder.param(Param { shape, mask, initial, ..param.clone() });
        self.tables.insert(old, new);
        self.by_name.insert(param.name.clone(), values);
        new
    }

    fn finish(mut self) -> Changed {
        for (layer, name) in self.graph.labels() {
            if let Some(new) = self.layers[layer.index()] {
                self.builder.label(new, name);
            }
        }
        let root = self.layers[self.graph.root().index()].expect("the root is kept");
        let graph = self.builder.finish(root).expect("the root has one unit, as before");
        let mut params = Params::of(&graph);
        for (i, param) in graph.params().iter().enumerate() {
            params.table_mut(ParamId::new(i)).copy_from_slice(&self.by_name[&param.name]);
        }
        Changed { graph, params }
    }
}
