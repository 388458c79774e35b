//! Softened data: every known value of a discrete variable counts as soft evidence, the value itself with weight
//! 1 - h and every value v with weight h m(v) more (Liu and Van den Broeck, 2021).
//!
//! m is the share of each value in the training data, pooled over the variables whose leaves share a table. So a
//! leaf of probabilities p has, where x is known, the value `q(x) = (1 - h) p(x) + h sum_v m(v) p(v)`, and the
//! indicator of a value a has `(1 - h) [x = a] + h m(a)`. Missing values, real ones and latents stay as they are.
//!
//! In: a circuit and rows. Out: a circuit with tables q in the place of leaves, whose likelihoods of the data as
//! they are are those of softened data, and the way from its statistics back to those of the circuit: of the flow F
//! through a leaf at x, a share `(1 - h) p(x) / q(x)` was x, and a share `h m(v) p(v) / q(x)` was v.

use super::leaf_tables::{read_column, write_column};
use super::rows::{Rows, for_each_chunk, weights_of};
use pcc_ir::family::Categorical;
use pcc_ir::{
    Domain, Family, Flows, Graph, GraphBuilder, GraphError, LayerId, LayerKind, MISSING, Param, ParamId,
    ParamShape, Params, VarId,
};
use rustc_hash::FxHashMap;

/// The names of tables that stand for literals begin so; no name in a source has a blank.
const LITERAL: &str = "softened literal ";

/// A circuit whose leaves take data softly.
pub(super) struct Softened {
    /// The circuit with tables q.
    pub(super) graph: Graph,
    share: f64,
    /// What each of its tables is made of.
    tables: Vec<Made>,
}

/// Where the values of a table come from.
enum Made {
    /// The circuit's own table, as it is.
    Same(ParamId),
    /// The probabilities of the circuit's table, softened by the shares of values.
    Leaf { own: ParamId, marginal: Vec<f64> },
    /// Whatever the parameters, these.
    Literal(Vec<f64>),
}

impl Softened {
    /// Softens by a share h; `None` where a circuit has no discrete variable that is not latent.
    pub(super) fn of(graph: &Graph, data: &dyn Rows, share: f64) -> Option<Softened> {
        let counts = Counts::of(graph, data);
        let mut softening = Softening {
            graph,
            counts: &counts,
            share,
            builder: GraphBuilder::new(),
            made: FxHashMap::default(),
        };
        softening.declare();
        let mut layers: Vec<LayerId> = Vec::with_capacity(graph.n_layers());
        for id in graph.layer_ids() {
            let children: Vec<LayerId> =
                graph.children(id).iter().map(|child| layers[child.index()]).collect();
            layers.push(softening.layer(id, &children).expect("a softened layer fits as its own did"));
        }
        let is_any = softening.made.values().any(|(_, made)| !matches!(made, Made::Same(_)));
        let root = layers[graph.root().index()];
        let name = |id: ParamId| softening.builder.graph().param(id).name.clone();
        let mut made: FxHashMap<String, Made> =
            softening.made.into_values().map(|(id, made)| (name(id), made)).collect();
        let softened = softening.builder.finish(root).expect("the root has one unit, as before");
        let tables =
            softened.params().iter().map(|param| made.remove(&param.name).expect("it was made")).collect();
        is_any.then_some(Softened { graph: softened, share, tables })
    }

    /// The tables of the softened circuit.
    pub(super) fn params(&self, graph: &Graph, params: &Params) -> Params {
        let mut soft = Params::of(&self.graph);
        for (i, made) in self.tables.iter().enumerate() {
            let table = soft.table_mut(ParamId::new(i));
            match made {
                Made::Same(own) => table.copy_from_slice(params.table(*own)),
                Made::Literal(values) => table.iter_mut().zip(values).for_each(|(to, x)| *to = *x as f32),
                Made::Leaf { own, marginal } => each_unit(graph, params, *own, |masses, at, units| {
                    write_column(
                        &self.soften(&masses, marginal),
                        units,
                        at.0,
                        &mut table[at.1 * units * masses.len()..],
                    );
                }),
            }
        }
        soft
    }

    fn soften(&self, masses: &[f64], marginal: &[f64]) -> Vec<f64> {
        let rest: f64 = masses.iter().zip(marginal).map(|(p, m)| p * m).sum();
        masses.iter().map(|p| (1.0 - self.share) * p + self.share * rest).collect()
    }

    /// The circuit's statistics, by those of the softened one.
    pub(super) fn statistics(&self, graph: &Graph, params: &Params, soft: &Flows) -> Flows {
        let mut flows = Flows::zero(graph);
        for (i, made) in self.tables.iter().enumerate() {
            let from = soft.table(ParamId::new(i));
            match made {
                Made::Same(own) => flows.table_mut(*own).copy_from_slice(from),
                Made::Literal(_) => {}
                Made::Leaf { own, marginal } => {
                    let table = flows.table_mut(*own);
                    each_unit(graph, params, *own, |masses, (unit, group), units| {
                        let start = group * units * masses.len();
                        let mut counts = vec![0.0; masses.len()];
                        read_column(&from[start..], units, unit, &mut counts);
                        let counts = self.harden(&masses, marginal, &counts);
                        write_column(&counts, units, unit, &mut table[start..]);
                    });
                }
            }
        }
        flows
    }

    /// What values there were, of flows by the values that were known.
    fn harden(&self, masses: &[f64], marginal: &[f64], flows: &[f64]) -> Vec<f64> {
        let soft = self.soften(masses, marginal);
        let ratios: Vec<f64> =
            flows.iter().zip(&soft).map(|(f, q)| if *f > 0.0 { f / q } else { 0.0 }).collect();
        let total: f64 = ratios.iter().sum();
        let value =
            |v: usize| masses[v] * ((1.0 - self.share) * ratios[v] + self.share * marginal[v] * total);
        (0..masses.len()).map(value).collect()
    }
}

/// Calls `visit` for each unit of a table of a family of finitely many values: the probabilities of these, the unit
/// and its group, and the units of a group.
fn each_unit(
    graph: &Graph,
    params: &Params,
    id: ParamId,
    mut visit: impl FnMut(Vec<f64>, (usize, usize), usize),
) {
    let param = graph.param(id);
    let ParamShape::Input { family, units } = param.shape else { return };
    let (family, units) = (family.get(), units as usize);
    let mut theta = vec![0.0; family.n_params()];
    for (group, table) in params.table(id).chunks_exact(param.group_len()).enumerate() {
        for unit in 0..units {
            read_column(table, units, unit, &mut theta);
            let mut masses = vec![0.0; family.n_prepared()];
            family.prepare(&theta, &mut masses);
            visit(masses, (unit, group), units);
        }
    }
}

/// The softened circuit in the making.
struct Softening<'a> {
    graph: &'a Graph,
    counts: &'a Counts,
    share: f64,
    builder: GraphBuilder,
    /// New tables by the circuit's own, or by the literal that they stand for.
    made: FxHashMap<Key, (ParamId, Made)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Table(ParamId),
    /// A variable, the value of the first unit, how many units there are, and whether their values follow it.
    Literal(VarId, u32, u32, bool),
}

impl Softening<'_> {
    fn declare(&mut self) {
        for group in self.graph.var_groups() {
            self.builder.variables(&group.name, &group.extents, group.domain, group.is_latent);
        }
    }

    fn layer(&mut self, id: LayerId, children: &[LayerId]) -> Result<LayerId, GraphError> {
        let layer = self.graph.layer(id);
        let (groups, span) = (layer.groups, layer.span);
        let param = layer.kind.param().map(|own| self.table(own));
        match (layer.kind, param) {
            (LayerKind::Input { var, .. }, Some(param)) => self.builder.input(var, param, groups, span),
            (LayerKind::Literal { var, value }, _) => match self.literal(var, value, layer.width, false) {
                Some(param) => self.builder.input(var, param, groups, span),
                None => Ok(self.builder.literal(var, value, groups, layer.width, span)),
            },
            (LayerKind::Indicator { var, first }, _) => match self.literal(var, first, layer.width, true) {
                Some(param) => self.builder.input(var, param, groups, span),
                None => Ok(self.builder.indicator(var, first, groups, layer.width, span)),
            },
            (LayerKind::Product, _) => self.builder.product(children, span),
            (LayerKind::Outer, _) => self.builder.outer(children[0], children[1], groups, span),
            (LayerKind::Sum { .. }, Some(param)) => self.builder.sum(children, param, groups, span),
            (LayerKind::Mix { .. }, Some(param)) => self.builder.mix(children, param, groups, span),
            (kind, None) => unreachable!("a layer of kind `{}` has a table", kind.word()),
        }
    }

    /// The table that stands for one of the circuit.
    fn table(&mut self, own: ParamId) -> ParamId {
        if let Some((id, _)) = self.made.get(&Key::Table(own)) {
            return *id;
        }
        let param = self.graph.param(own).clone();
        let made = match param.shape {
            ParamShape::Input { family, units }
                if family.get().n_values().is_some() && self.counts.is_observed(self.graph, own) =>
            {
                let n = family.get().n_values().unwrap_or(0);
                let shape = ParamShape::Input { family: Family::Categorical(Categorical { n }), units };
                let leaf = Made::Leaf { own, marginal: self.counts.of_table(own, n as usize) };
                (Param { shape, initial: None, ..param }, leaf)
            }
            _ => (Param { initial: None, ..param }, Made::Same(own)),
        };
        self.add(Key::Table(own), made)
    }

    /// The table of units that are indicators of values: the same for all, or one after another. Those of latents
    /// and of variables without bounds stay what they are.
    fn literal(&mut self, var: VarId, first: u32, width: u32, do_follow: bool) -> Option<ParamId> {
        let variable = self.graph.variable(var);
        let n = variable.domain.n_values().filter(|_| !variable.is_latent)?;
        let marginal = self.counts.of_variable(var, n as usize);
        let value = |unit: u32| if do_follow { first + unit } else { first };
        let of = |x: u32, a: u32| {
            let is_it = if x == a { 1.0 - self.share } else { 0.0 };
            is_it + self.share * marginal[a as usize]
        };
        let values =
            (0..n).flat_map(|x| (0..width).map(move |unit| (x, unit))).map(|(x, unit)| of(x, value(unit)));
        let made = Made::Literal(values.collect());
        let name = format!("{LITERAL}{var} {first} {width} {do_follow}");
        let shape = ParamShape::Input { family: Family::Categorical(Categorical { n }), units: width };
        let span = pcc_diag::Span::NONE;
        let param = Param { shape, groups: 1, initial: None, is_fixed: true, mask: None, name, span };
        Some(self.add(Key::Literal(var, first, width, do_follow), (param, made)))
    }

    fn add(&mut self, key: Key, (param, made): (Param, Made)) -> ParamId {
        if let Some((id, _)) = self.made.get(&key) {
            return *id;
        }
        let id = self.builder.param(param);
        self.made.insert(key, (id, made));
        id
    }
}

/// How often each value of each discrete variable is known in the data.
struct Counts {
    of_variables: Vec<Vec<f64>>,
    /// The variables of each table's leaves.
    variables: Vec<Vec<VarId>>,
}

impl Counts {
    fn of(graph: &Graph, data: &dyn Rows) -> Self {
        let n_values = |domain: Domain| domain.n_values().unwrap_or(0) as usize;
        let is_counted = |v: &pcc_ir::Variable| !v.is_latent && v.domain.is_discrete();
        let empty = |v: &pcc_ir::Variable| vec![0.0; if is_counted(v) { n_values(v.domain) } else { 0 }];
        let mut counts: Vec<Vec<f64>> = graph.variables().iter().map(empty).collect();
        for_each_chunk(graph.variables().len(), data, |chunk, batch| {
            let weights = weights_of(data, chunk);
            for row in 0..chunk.len() {
                let weight = weights.as_ref().map_or(1.0, |weights| f64::from(weights[row]));
                for (counts, &word) in counts.iter_mut().zip(batch.row(row)) {
                    if word != MISSING && (word as usize) < counts.len() {
                        counts[word as usize] += weight;
                    }
                }
            }
            true
        });
        let mut variables = vec![Vec::new(); graph.params().len()];
        for id in graph.layer_ids() {
            if let LayerKind::Input { var, param } = graph.layer(id).kind {
                variables[param.index()].push(var);
            }
        }
        variables.iter_mut().for_each(|variables: &mut Vec<VarId>| {
            variables.sort_unstable();
            variables.dedup();
        });
        Counts { of_variables: counts, variables }
    }

    /// Whether no leaf of a table is over a latent.
    fn is_observed(&self, graph: &Graph, id: ParamId) -> bool {
        self.variables[id.index()].iter().all(|&var| !graph.variable(var).is_latent)
    }

    fn of_variable(&self, var: VarId, n: usize) -> Vec<f64> {
        shares(&[var], &self.of_variables, n)
    }

    /// Over all variables of a table's leaves.
    fn of_table(&self, id: ParamId, n: usize) -> Vec<f64> {
        shares(&self.variables[id.index()], &self.of_variables, n)
    }
}

/// The shares of values, all equal where none is known.
fn shares(variables: &[VarId], counts: &[Vec<f64>], n: usize) -> Vec<f64> {
    let count = |value: usize| variables.iter().filter_map(|var| counts[var.index()].get(value)).sum::<f64>();
    let all: Vec<f64> = (0..n).map(count).collect();
    let total: f64 = all.iter().sum();
    all.iter().map(|count| if total > 0.0 { count / total } else { 1.0 / n as f64 }).collect()
}
