//! Leaving out units that no edge reaches any more.
//!
//! A unit stays when a unit that stays has an edge to it. Layers are vectors, so what stays is then filled up until
//! it is made of whole vectors again: all groups of a layer keep the same units, a product or mix and its children
//! keep the same, layers that share a table too, and indicators, which stand for consecutive values, stay whole.

use super::Changed;
use super::resize::resize;
use pcc_ir::{Graph, LayerId, LayerKind, ParamId, Params};

/// The circuit without the units that its root does not reach. Every likelihood stays.
pub fn drop_unreached(graph: &Graph, params: &Params) -> Changed {
    let mut reached = Reached::of(graph);
    while reached.grow() {}
    let units = |kept: &Vec<bool>| (0..kept.len() as u32).filter(|&unit| kept[unit as usize]).collect();
    let origins: Vec<Vec<u32>> = reached.units.iter().map(units).collect();
    resize(graph, params, &origins)
}

struct Reached<'g> {
    graph: &'g Graph,
    /// For each layer, which units stay.
    units: Vec<Vec<bool>>,
    /// For each table, which rows of weights, or units of an input, stay, and which columns.
    rows: Vec<Vec<bool>>,
    columns: Vec<Vec<bool>>,
    has_changed: bool,
}

impl<'g> Reached<'g> {
    fn of(graph: &'g Graph) -> Self {
        let mut units: Vec<Vec<bool>> = graph.layer_ids().map(|id| vec![false; graph.n_units(id)]).collect();
        units[graph.root().index()][0] = true;
        let rows = graph.params().iter().map(|p| vec![false; p.n_units() / p.groups as usize]).collect();
        let columns = graph.params().iter().map(|p| vec![false; p.unit_len()]).collect();
        Reached { graph, units, rows, columns, has_changed: false }
    }

    /// Follows all edges once; returns whether anything more was reached.
    fn grow(&mut self) -> bool {
        self.has_changed = false;
        for id in self.graph.layer_ids().rev() {
            self.fill(id);
            self.follow(id);
        }
        self.has_changed
    }

    /// Keeps one more unit.
    fn keep(&mut self, layer: LayerId, unit: usize) {
        self.has_changed |= !std::mem::replace(&mut self.units[layer.index()][unit], true);
    }

    /// Fills a layer up until all its groups, and all layers of its table, keep the same units.
    fn fill(&mut self, id: LayerId) {
        let layer = self.graph.layer(id);
        let width = layer.width as usize;
        let own = &self.units[id.index()];
        let mut kept: Vec<bool> = (0..width).map(|k| own.iter().skip(k).step_by(width).any(|&x| x)).collect();
        if let Some(table) = layer.kind.param() {
            let rows = &mut self.rows[table.index()];
            kept.iter_mut().zip(rows).for_each(|(kept, row)| {
                self.has_changed |= *kept && !*row;
                *row |= *kept;
                *kept = *row;
            });
        }
        if let LayerKind::Indicator { .. } = layer.kind
            && kept.contains(&true)
        {
            kept.fill(true);
        }
        // A layer that nothing reaches stays away, whatever others of its table keep.
        if own.contains(&true) {
            for unit in (0..layer.n_units()).filter(|unit| kept[unit % width]) {
                self.keep(id, unit);
            }
        }
    }

    fn follow(&mut self, id: LayerId) {
        let layer = self.graph.layer(id);
        if !self.units[id.index()].contains(&true) {
            return;
        }
        match layer.kind {
            LayerKind::Input { .. } | LayerKind::Literal { .. } | LayerKind::Indicator { .. } => {}
            LayerKind::Product | LayerKind::Mix { .. } => {
                layer.children.iter().for_each(|&child| self.equal(id, child));
            }
            LayerKind::Outer => self.follow_pairs(id),
            LayerKind::Sum { param } => self.follow_sum(id, param),
        }
    }

    /// Lets a layer and its child keep the same units.
    fn equal(&mut self, layer: LayerId, child: LayerId) {
        for unit in 0..self.graph.n_units(layer) {
            if self.units[layer.index()][unit] || self.units[child.index()][unit] {
                self.keep(layer, unit);
                self.keep(child, unit);
            }
        }
    }

    /// Pairs stay where both factors do, in each group; so all pairs of what is kept are.
    fn follow_pairs(&mut self, id: LayerId) {
        let children = self.graph.children(id);
        for unit in 0..self.graph.n_units(id) {
            let (one, other) = self.graph.outer_factors(id, unit);
            if self.units[id.index()][unit] {
                self.keep(children[0], one);
                self.keep(children[1], other);
            } else if self.units[children[0].index()][one] && self.units[children[1].index()][other] {
                self.keep(id, unit);
            }
        }
    }

    /// Notes the columns in which a row that stays has an edge.
    fn note_columns(&mut self, table: ParamId) {
        let param = self.graph.param(table);
        let (n, rows) = (param.unit_len(), &self.rows[table.index()]);
        let columns = &mut self.columns[table.index()];
        for unit in (0..param.n_units()).filter(|unit| rows[unit % rows.len()]) {
            let is_live =
                |column: usize| param.mask.as_ref().is_none_or(|mask| mask.is_live(unit * n + column));
            for (column, kept) in columns.iter_mut().enumerate().filter(|(_, kept)| !**kept) {
                *kept = is_live(column);
                self.has_changed |= *kept;
            }
        }
    }

    /// A column is the units at one place of every group's part of a child.
    fn follow_sum(&mut self, id: LayerId, table: ParamId) {
        self.note_columns(table);
        let layer = self.graph.layer(id);
        let groups = layer.groups as usize;
        let mut first = 0;
        for &child in layer.children {
            let part = self.graph.n_units(child) / groups;
            for at in 0..part {
                let is_kept = (0..groups).any(|group| self.units[child.index()][group * part + at]);
                let column = &mut self.columns[table.index()][first + at];
                if is_kept || *column {
                    self.has_changed |= !std::mem::replace(column, true);
                    (0..groups).for_each(|group| self.keep(child, group * part + at));
                }
            }
            first += part;
        }
    }
}
