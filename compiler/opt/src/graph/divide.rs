//! Cutting a circuit where latents are observed (Liu, Zhang and Van den Broeck, 2023, Eq. 3).
//!
//! ```text
//! p(x, z) = p(z) * product over i of p(x_i | z_i)
//! ```
//!
//! Where `sum[K](copies[M](c)) by Z` has independent copies under it, a row whose Z is known visits one of the M
//! and says nothing of the others. So each copy is a learning problem of its own, on the rows whose label is
//! its own, and an epoch over all of them visits an M-th of the edges. What is over the cuts is a circuit over
//! the latents. Places that share their tables, such as the tiles of a picture under one `share`, are one
//! problem with the rows of all places.
//!
//! In: a circuit and the latents that will be observed. Out: the circuit of one copy for each set of places,
//! and the rest of the circuit, with tables that name those of the whole. What can't be cut (heads of one
//! body, copies that share tables or contain other latents) stays in the rest: no answer changes, only the
//! work.

use super::rebuild::Rebuild;
use pcc_ir::graph::{InitialValues, print_with};
use pcc_ir::{Graph, GraphBuilder, LayerId, LayerKind, Param, ParamId, VarId};
use rustc_hash::FxHashMap;

/// A circuit in independent problems.
#[derive(Clone, Debug)]
pub struct Division {
    /// What is under the cuts.
    pub parts: Vec<Part>,
    /// What is left: the cuts are indicators of their latents.
    pub rest: Graph,
    /// The table of the whole circuit that each table of the rest is.
    pub rest_tables: Vec<ParamId>,
}

/// Independent copies of one circuit.
#[derive(Clone, Debug)]
pub struct Part {
    /// One copy, over variables of its own numbering.
    pub graph: Graph,
    /// For each of its tables, the table of the whole circuit that holds those of all copies, copy after copy.
    pub tables: Vec<ParamId>,
    /// How many copies there are: one for each value of a latent.
    pub n_copies: u32,
    /// Where it stands.
    pub places: Vec<Place>,
}

/// A place of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The latent whose value says which copy a row belongs to.
    pub latent: VarId,
    /// The variable of the whole circuit that each variable of the part is.
    pub variables: Vec<VarId>,
}

impl Division {
    /// What an epoch visits for each row, in the problems that have a table which is moved: one copy at each place.
    pub fn visits(&self, is_moved: impl Fn(ParamId) -> bool) -> u64 {
        let visits = |graph: &Graph, tables: &[ParamId], times: usize| match tables
            .iter()
            .any(|&table| is_moved(table))
        {
            true => graph.n_edges() * times as u64,
            false => 0,
        };
        let parts = self.parts.iter().map(|part| visits(&part.graph, &part.tables, part.places.len()));
        visits(&self.rest, &self.rest_tables, 1) + parts.sum::<u64>()
    }
}

/// Cuts a circuit at latents.
pub fn divide(graph: &Graph, latents: &[VarId]) -> Division {
    let parents = parents(graph);
    let found: Vec<Region> =
        latents.iter().filter_map(|&latent| Region::below(graph, latent, latents, &parents)).collect();
    let (parts, cuts) = joined(graph, found);
    let mut is_below = vec![false; graph.n_layers()];
    cuts.iter().flat_map(|cut| &cut.layers).for_each(|id| is_below[id.index()] = true);
    let mut rebuild = Rebuild::new(graph);
    for id in graph.layer_ids() {
        if is_below[id.index()] {
            rebuild.skip();
        } else if let Some(cut) = cuts.iter().find(|cut| cut.product == id) {
            rebuild.stand_in(rebuild.layer(cut.indicator));
        } else {
            rebuild.copy(id, &rebuild.children(id));
        }
    }
    let rest = rebuild.finish();
    let rest_tables = rest.params().iter().map(|param| table_named(graph, &param.name)).collect();
    Division { parts, rest, rest_tables }
}

pub(super) fn table_named(graph: &Graph, name: &str) -> ParamId {
    let at = graph.params().iter().position(|param| param.name == name);
    ParamId::new(at.expect("passes keep the names of tables"))
}

fn parents(graph: &Graph) -> Vec<Vec<LayerId>> {
    let mut parents = vec![Vec::new(); graph.n_layers()];
    for id in graph.layer_ids() {
        graph.children(id).iter().for_each(|child| parents[child.index()].push(id));
    }
    parents
}

/// What is below the cut of one latent, when it falls apart into copies.
struct Region {
    /// The product of heads and indicator, and the indicator.
    product: LayerId,
    indicator: LayerId,
    heads: Vec<LayerId>,
    /// All layers under the heads, the heads themselves included, children first.
    layers: Vec<LayerId>,
    latent: VarId,
    n_copies: u32,
}

impl Region {
    /// The region below a latent; `None` where it can't be cut into copies.
    fn below(graph: &Graph, latent: VarId, latents: &[VarId], parents: &[Vec<LayerId>]) -> Option<Region> {
        let n_copies = graph.variable(latent).domain.n_values()?;
        let mut indicators = graph.layer_ids().filter(|&id| graph.layer(id).kind.var() == Some(latent));
        let indicator = indicators.next()?;
        let layer = graph.layer(indicator);
        let is_whole = layer.kind == LayerKind::Indicator { var: latent, first: 0 }
            && (layer.groups, layer.width) == (1, n_copies)
            && indicators.next().is_none();
        let [product] = parents[indicator.index()][..] else { return None };
        if !is_whole || graph.layer(product).kind != LayerKind::Product {
            return None;
        }
        let heads: Vec<LayerId> =
            graph.children(product).iter().copied().filter(|&child| child != indicator).collect();
        let layers = under(graph, &heads);
        let region = Region { product, indicator, heads, layers, latent, n_copies };
        (region.falls_apart(graph, latents) && region.is_alone(graph, parents)).then_some(region)
    }

    /// Whether every layer and table is made of as many equal parts as there are copies, with nothing between
    /// them.
    fn falls_apart(&self, graph: &Graph, latents: &[VarId]) -> bool {
        self.layers.iter().all(|&id| {
            let layer = graph.layer(id);
            let has_blocks = match layer.kind {
                LayerKind::Product => layer.n_units().is_multiple_of(self.n_copies as usize),
                _ => layer.groups.is_multiple_of(self.n_copies),
            };
            // Of copies that were pruned each is another circuit.
            let has_tables = layer.kind.param().is_none_or(|table| {
                let table = graph.param(table);
                table.groups.is_multiple_of(self.n_copies) && table.mask.is_none()
            });
            let is_observed = layer.kind.var().is_some_and(|var| latents.contains(&var));
            has_blocks && has_tables && !is_observed
        })
    }

    /// Whether nothing outside reads a layer of it.
    fn is_alone(&self, graph: &Graph, parents: &[Vec<LayerId>]) -> bool {
        let mut is_inside = vec![false; graph.n_layers()];
        self.layers.iter().chain([&self.product]).for_each(|id| is_inside[id.index()] = true);
        self.layers.iter().all(|id| parents[id.index()].iter().all(|parent| is_inside[parent.index()]))
    }

    fn tables(&self, graph: &Graph) -> Vec<ParamId> {
        let mut tables: Vec<ParamId> =
            self.layers.iter().filter_map(|&id| graph.layer(id).kind.param()).collect();
        tables.sort();
        tables.dedup();
        tables
    }

    /// One copy of it.
    fn part(&self, graph: &Graph) -> Part {
        let mut copy = Copy::new(graph, self);
        for &id in &self.layers {
            copy.add(graph, id, self.n_copies);
        }
        let heads: Vec<LayerId> = self.heads.iter().map(|head| copy.layers[head]).collect();
        let root = match heads[..] {
            [root] => root,
            _ => copy
                .builder
                .product(&heads, graph.layer(self.product).span)
                .expect("heads have one unit each"),
        };
        let part = copy.builder.finish(root).expect("a copy has one unit for each value of its latent");
        let tables = part.params().iter().map(|param| table_named(graph, &param.name)).collect();
        let places = vec![Place { latent: self.latent, variables: copy.variables }];
        Part { graph: part, tables, n_copies: self.n_copies, places }
    }
}

/// All layers under some, these included, in their order.
fn under(graph: &Graph, heads: &[LayerId]) -> Vec<LayerId> {
    let mut is_under = vec![false; graph.n_layers()];
    heads.iter().for_each(|head| is_under[head.index()] = true);
    for id in graph.layer_ids().rev() {
        if is_under[id.index()] {
            graph.children(id).iter().for_each(|child| is_under[child.index()] = true);
        }
    }
    graph.layer_ids().filter(|id| is_under[id.index()]).collect()
}

/// The circuit of one copy in the making.
struct Copy {
    builder: GraphBuilder,
    variables: Vec<VarId>,
    layers: FxHashMap<LayerId, LayerId>,
    params: FxHashMap<ParamId, ParamId>,
}

impl Copy {
    /// Declares the variables of a region, group by group.
    fn new(graph: &Graph, region: &Region) -> Copy {
        let mut is_used = vec![false; graph.variables().len()];
        region
            .heads
            .iter()
            .flat_map(|&head| graph.scope(head).iter())
            .for_each(|var| is_used[var.index()] = true);
        let mut builder = GraphBuilder::new();
        let mut variables = Vec::new();
        for group in graph.var_groups() {
            let own: Vec<VarId> = group.variables().filter(|var| is_used[var.index()]).collect();
            if !own.is_empty() {
                builder.variables(&group.name, &[own.len() as u32], group.domain, group.is_latent);
                variables.extend(own);
            }
        }
        Copy { builder, variables, layers: FxHashMap::default(), params: FxHashMap::default() }
    }

    /// Adds the first copy of a layer whose children were added.
    fn add(&mut self, graph: &Graph, id: LayerId, n_copies: u32) {
        let layer = graph.layer(id);
        let children: Vec<LayerId> = layer.children.iter().map(|child| self.layers[child]).collect();
        let (groups, span) = (layer.groups / n_copies, layer.span);
        let param = layer.kind.param().map(|table| self.param(graph, table, n_copies));
        let var = layer.kind.var().map(|var| self.variable(var));
        let b = &mut self.builder;
        let new = match (layer.kind, var, param) {
            (LayerKind::Input { .. }, Some(var), Some(param)) => b.input(var, param, groups, span),
            (LayerKind::Literal { value, .. }, Some(var), _) => {
                Ok(b.literal(var, value, groups, layer.width, span))
            }
            (LayerKind::Indicator { first, .. }, Some(var), _) => {
                Ok(b.indicator(var, first, groups, layer.width, span))
            }
            (LayerKind::Sum { .. }, _, Some(param)) => b.sum(&children, param, groups, span),
            (LayerKind::Mix { .. }, _, Some(param)) => b.mix(&children, param, groups, span),
            (LayerKind::Outer, ..) => b.outer(children[0], children[1], groups, span),
            _ => b.product(&children, span),
        };
        self.layers.insert(id, new.expect("a copy of a layer fits as the whole did"));
    }

    fn variable(&self, var: VarId) -> VarId {
        VarId::new(
            self.variables.iter().position(|&own| own == var).expect("a leaf's variable is in the scope"),
        )
    }

    fn param(&mut self, graph: &Graph, table: ParamId, n_copies: u32) -> ParamId {
        let builder = &mut self.builder;
        *self.params.entry(table).or_insert_with(|| {
            let whole = graph.param(table);
            let groups = whole.groups / n_copies;
            builder.param(Param { groups, initial: None, ..whole.clone() })
        })
    }
}

/// The parts of regions, those of equal tables joined; and the regions that were cut. Regions that share some
/// tables and are not the same circuit are no independent problems, and are left where they are.
fn joined(graph: &Graph, regions: Vec<Region>) -> (Vec<Part>, Vec<Region>) {
    let mut parts: Vec<Part> = Vec::new();
    let mut texts: Vec<String> = Vec::new();
    let mut owners: FxHashMap<ParamId, usize> = FxHashMap::default();
    let mut is_spoilt: Vec<bool> = Vec::new();
    let mut part_of = Vec::with_capacity(regions.len());
    for region in &regions {
        let part = region.part(graph);
        let text = print_with(&part.graph, InitialValues::LeftOut);
        let tables = region.tables(graph);
        let sharing: Vec<usize> = tables.iter().filter_map(|table| owners.get(table).copied()).collect();
        let is_same = sharing.first().is_some_and(|&first| {
            sharing.len() == tables.len() && sharing.iter().all(|&p| p == first) && texts[first] == text
        });
        match (is_same, sharing.first()) {
            (true, Some(&first)) => {
                parts[first].places.extend(part.places);
                part_of.push(first);
            }
            _ => {
                sharing.iter().for_each(|&p| is_spoilt[p] = true);
                owners.extend(tables.iter().map(|&table| (table, parts.len())));
                part_of.push(parts.len());
                is_spoilt.push(!sharing.is_empty());
                parts.push(part);
                texts.push(text);
            }
        }
    }
    let cuts = regions.into_iter().zip(part_of).filter(|&(_, p)| !is_spoilt[p]).map(|(region, _)| region);
    let kept = parts.into_iter().zip(&is_spoilt).filter(|(_, is_spoilt)| !**is_spoilt).map(|(part, _)| part);
    (kept.collect(), cuts.collect())
}
