//! The units of a graph, seen through what stands for nothing: products of one factor, and units that are
//! always one.

use super::{NO_PLACE, TermPlaces, TooManyUnits, UnitLeaf};
use crate::graph::EdgeMask;
use crate::{Graph, LayerId, LayerKind, Param, ParamId};

/// What stands for a unit whose value is always one.
pub(super) const ALWAYS_ONE: u32 = u32::MAX;

/// All units of a graph, numbered through its layers.
pub(super) struct Units<'g> {
    pub(super) graph: &'g Graph,
    /// The first unit of each layer.
    starts: Vec<u32>,
    layers: Vec<LayerId>,
    /// The unit that has a unit's value: itself, its only factor, or [`ALWAYS_ONE`].
    resolved: Vec<u32>,
    /// How many terms read each unit; 0 where the root does not reach it.
    uses: Vec<u32>,
    first_weights: Vec<u32>,
    first_stats: Vec<u32>,
}

impl<'g> Units<'g> {
    pub(super) fn of(graph: &'g Graph, do_totals_vanish: bool) -> Result<Self, TooManyUnits> {
        let starts = starts(graph.layer_ids().map(|id| graph.n_units(id)))?;
        let n_units = starts[starts.len() - 1] as usize;
        let mut layers = Vec::with_capacity(n_units);
        graph.layer_ids().for_each(|id| layers.extend(std::iter::repeat_n(id, graph.n_units(id))));
        let mut units = Units {
            graph,
            starts,
            layers,
            resolved: (0..n_units as u32).collect(),
            uses: vec![0; n_units],
            first_weights: starts_of_tables(graph, Param::len)?,
            first_stats: starts_of_tables(graph, Param::stats_len)?,
        };
        units.resolve(do_totals_vanish);
        units.count_uses();
        Ok(units)
    }

    /// The unit that has the circuit's value.
    pub(super) fn root(&self) -> u32 {
        self.resolved[self.starts[self.graph.root().index()] as usize]
    }

    pub(super) fn kind(&self, unit: u32) -> LayerKind {
        self.graph.layer(self.layers[unit as usize]).kind
    }

    pub(super) fn scope(&self, unit: u32) -> u32 {
        self.graph.layer(self.layers[unit as usize]).scope.0
    }

    /// Whether a unit is a product that is part of the one term that reads it.
    pub(super) fn is_inlined(&self, unit: u32) -> bool {
        self.uses[unit as usize] == 1 && self.is_product(unit) && unit != self.root()
    }

    /// Whether a unit is a product of two units that are read as they are. Multiplying those for each sum
    /// that reads it costs no more than to read a row of its own.
    pub(super) fn is_pair(&self, unit: u32) -> bool {
        if !self.is_product(unit) || unit == self.root() {
            return false;
        }
        let mut n_factors = 0;
        self.each_child(unit, |factor, _| match factor {
            ALWAYS_ONE => {}
            factor if self.is_inlined(factor) => n_factors = 3,
            _ => n_factors += 1,
        });
        n_factors == 2
    }

    pub(super) fn is_product(&self, unit: u32) -> bool {
        matches!(self.kind(unit), LayerKind::Product | LayerKind::Outer)
    }

    /// What a leaf reads; `None` of a unit with children.
    pub(super) fn leaf(&self, unit: u32) -> Option<UnitLeaf> {
        let id = self.layers[unit as usize];
        let layer = self.graph.layer(id);
        let (group, k) = self.place(unit);
        match layer.kind {
            LayerKind::Literal { var, value } => Some(UnitLeaf::Literal { var, value }),
            LayerKind::Indicator { var, first } => Some(UnitLeaf::Literal { var, value: first + k }),
            LayerKind::Input { var, param } => {
                let table = self.table(param, layer.groups, group);
                Some(UnitLeaf::Input { var, param, table, unit: k })
            }
            _ => None,
        }
    }

    /// Calls `visit` for each child of a unit, in order: the factors of a product, the inputs of a sum with
    /// the places of their weights.
    pub(super) fn each_child(&self, unit: u32, mut visit: impl FnMut(u32, TermPlaces)) {
        let id = self.layers[unit as usize];
        let layer = self.graph.layer(id);
        let within = unit - self.starts[id.index()];
        let (group, k) = self.place(unit);
        let first = |child: LayerId| self.starts[child.index()];
        let mut visit = |unit: u32, places| visit(self.resolved[unit as usize], places);
        match layer.kind {
            LayerKind::Input { .. } | LayerKind::Literal { .. } | LayerKind::Indicator { .. } => {}
            LayerKind::Product => layer.children.iter().for_each(|&c| visit(first(c) + within, NO_PLACES)),
            LayerKind::Outer => {
                let (a, b) = self.graph.outer_factors(id, within as usize);
                visit(first(layer.children[0]) + a as u32, NO_PLACES);
                visit(first(layer.children[1]) + b as u32, NO_PLACES);
            }
            LayerKind::Sum { param } => {
                let part = |child: LayerId| self.graph.n_units(child) as u32 / layer.groups;
                let n_inputs = layer.children.iter().map(|&c| part(c)).sum();
                let mut row = self.row(param, layer.groups, group, k, n_inputs);
                for &child in layer.children {
                    for input in group * part(child)..(group + 1) * part(child) {
                        row.next().into_iter().for_each(|places| visit(first(child) + input, places));
                    }
                }
            }
            LayerKind::Mix { param } => {
                let mut row = self.row(param, layer.groups, group, k, layer.children.len() as u32);
                for &child in layer.children {
                    row.next().into_iter().for_each(|places| visit(first(child) + within, places));
                }
            }
        }
    }

    /// The group of a unit, and its number there.
    fn place(&self, unit: u32) -> (u32, u32) {
        let id = self.layers[unit as usize];
        let (within, width) = (unit - self.starts[id.index()], self.graph.layer(id).width);
        (within / width, within % width)
    }

    /// The group of a table that serves a group of a layer.
    fn table(&self, param: ParamId, layer_groups: u32, group: u32) -> u32 {
        let groups = u64::from(self.graph.param(param).groups);
        (u64::from(group) * groups / u64::from(layer_groups)) as u32
    }

    /// One unit's weights, which follow each other.
    fn row(&self, param: ParamId, layer_groups: u32, group: u32, k: u32, n: u32) -> Row<'_> {
        let table = self.table(param, layer_groups, group) as usize;
        let param_of = self.graph.param(param);
        let at = table * param_of.group_len() + k as usize * n as usize;
        let place = TermPlaces {
            weight: self.first_weights[param.index()] + at as u32,
            stat: self.first_stats[param.index()] + at as u32,
        };
        Row { mask: param_of.mask.as_ref(), at, place }
    }

    fn resolve(&mut self, do_totals_vanish: bool) {
        for unit in 0..self.resolved.len() as u32 {
            let id = self.layers[unit as usize];
            match self.kind(unit) {
                LayerKind::Product | LayerKind::Outer => {
                    let mut found = Factors::None;
                    self.each_child(unit, |child, _| found = found.and(child));
                    match found {
                        Factors::None => self.resolved[unit as usize] = ALWAYS_ONE,
                        Factors::One(factor) => self.resolved[unit as usize] = factor,
                        Factors::Many => {}
                    }
                }
                LayerKind::Sum { .. } if do_totals_vanish && is_total(self.graph, id) => {
                    self.resolved[unit as usize] = ALWAYS_ONE;
                }
                _ => {}
            }
        }
    }

    fn count_uses(&mut self) {
        let root = self.root();
        if root == ALWAYS_ONE {
            return;
        }
        let mut uses = std::mem::take(&mut self.uses);
        uses[root as usize] += 1;
        for unit in (0..uses.len() as u32).rev().filter(|&unit| self.resolved[unit as usize] == unit) {
            if uses[unit as usize] > 0 {
                self.each_child(unit, |child, _| {
                    if child != ALWAYS_ONE {
                        uses[child as usize] += 1;
                    }
                });
            }
        }
        self.uses = uses;
    }
}

const NO_PLACES: TermPlaces = TermPlaces { weight: NO_PLACE, stat: NO_PLACE };

/// Walks along the weights of a unit.
struct Row<'g> {
    mask: Option<&'g EdgeMask>,
    /// The next number in its table, and in all tables.
    at: usize,
    place: TermPlaces,
}

impl Row<'_> {
    /// The places of the next edge, unless it was pruned.
    fn next(&mut self) -> Option<TermPlaces> {
        let is_live = self.mask.is_none_or(|mask| mask.is_live(self.at));
        let here = self.place;
        self.at += 1;
        self.place = TermPlaces { weight: here.weight + 1, stat: here.stat + 1 };
        is_live.then_some(here)
    }
}

/// The factors of a product that are not always one.
#[derive(Clone, Copy)]
enum Factors {
    None,
    One(u32),
    Many,
}

impl Factors {
    fn and(self, factor: u32) -> Self {
        match (self, factor) {
            (_, ALWAYS_ONE) => self,
            (Factors::None, _) => Factors::One(factor),
            _ => Factors::Many,
        }
    }
}

/// Whether a layer is one sum over each value of a variable once, all with the weight 1, which is fixed.
pub(super) fn is_total(graph: &Graph, id: LayerId) -> bool {
    let LayerKind::Sum { param } = graph.layer(id).kind else { return false };
    let table = graph.param(param);
    let is_fixed_at_one = table.is_fixed && table.initial.iter().flatten().all(|&w| w == 1.0);
    if !is_fixed_at_one || table.initial.is_none() || graph.n_units(id) != 1 {
        return false;
    }
    let scope = graph.scope(id);
    let Some(n_values) = scope.iter().next().and_then(|var| graph.variable(var).domain.n_values()) else {
        return false;
    };
    let value_of = |&child: &LayerId| match graph.layer(child).kind {
        LayerKind::Literal { value, .. } if graph.n_units(child) == 1 => Some(value),
        LayerKind::Indicator { first, .. } if graph.n_units(child) == 1 => Some(first),
        _ => None,
    };
    let mut values: Vec<u32> = graph.children(id).iter().filter_map(value_of).collect();
    values.sort_unstable();
    let is_each_once = values.iter().copied().eq(0..n_values);
    scope.len() == 1 && is_each_once && graph.children(id).len() == values.len()
}

fn starts_of_tables(graph: &Graph, len: impl Fn(&Param) -> usize) -> Result<Vec<u32>, TooManyUnits> {
    starts(graph.params().iter().map(len))
}

/// Where each of several things starts that lie one after another, and where the last ends.
fn starts(lens: impl Iterator<Item = usize>) -> Result<Vec<u32>, TooManyUnits> {
    let (mut starts, mut end) = (vec![0], 0_usize);
    for len in lens {
        end = end.saturating_add(len);
        starts.push(u32::try_from(end).ok().filter(|&end| end < 1 << 31).ok_or(TooManyUnits)?);
    }
    Ok(starts)
}
