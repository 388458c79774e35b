//! M-steps that also want entropy: of `log-likelihood + t N H` (Liu and Van den Broeck, 2021).
//!
//! H is the entropy of the circuit with its latents, the choices of all sums; where the circuit is deterministic that
//! is the entropy of its variables. It is the sum, over units, of how often the model reaches the unit (TD, see
//! [`Reach`](super::Reach)) times the entropy of its own choice, so the step of a unit with flows F maximises
//!
//! ```text
//! sum_c F_c ln theta_c + t N TD (sum_c theta_c H_c - sum_c theta_c ln theta_c)
//! ```
//!
//! with H_c the entropy of its child c; TD and H_c are those of the parameters before the step, added up over the
//! layers that share a table. A leaf of finitely many values is a choice among children without entropy. Leaves of
//! other families move as without the term: the entropy of a normal leaf has no bound.
//!
//! The optimum has `F_c / theta_c - w ln theta_c + w H_c = l` for all c, with w = t N TD. For a given l each theta_c
//! is the one root of a monotone function, and their sum is convex and falls with l; Newton's method, begun where
//! the sum is at least one, finds both without overshooting.

use super::em::{Update, maximize};
use super::leaf_tables::{read_column, write_column};
use super::reach::{for_each_layer_down, unit_of_group};
use pcc_ir::family::Distribution;
use pcc_ir::{Family, Flows, Graph, Layer, LayerId, LayerKind, ParamId, ParamShape, Params, group_table};

/// Moves all tables that are neither fixed nor held: by `update`, and by the weight `t N` of the entropy.
pub(super) fn maximize_with_entropy(
    graph: &Graph,
    flows: &Flows,
    update: &Update,
    weight: f64,
    params: &mut Params,
) {
    let old = params.clone();
    maximize(graph, flows, update, params);
    let wanted = Wanted::of(graph, &old);
    for (i, param) in graph.params().iter().enumerate() {
        let id = ParamId::new(i);
        if param.is_fixed || update.held[i] {
            continue;
        }
        let step = TableStep { graph, update, weight, wanted: &wanted, id };
        let (old, flows, new) = (old.table(id), flows.table(id), params.table_mut(id));
        match param.shape {
            ParamShape::Sum { .. } | ParamShape::Mix { .. } => step.rows(old, flows, new),
            ParamShape::Input { family: family @ (Family::Categorical(_) | Family::Bernoulli(_)), units } => {
                step.leaves(family.get(), units as usize, old, flows, new);
            }
            ParamShape::Input { .. } => {}
        }
    }
}

/// What the entropy of the circuit says of each table.
struct Wanted {
    /// How often each unit is reached.
    reach: Vec<Vec<f64>>,
    /// For each weight, how often its unit is reached in each layer times the entropy of the child there.
    of_children: Vec<Vec<f64>>,
}

impl Wanted {
    fn of(graph: &Graph, params: &Params) -> Self {
        let entropies = entropies(graph, params);
        let mut wanted = Wanted {
            reach: graph.params().iter().map(|param| vec![0.0; param.n_units()]).collect(),
            of_children: graph.params().iter().map(|param| vec![0.0; param.len()]).collect(),
        };
        for_each_layer_down(graph, params, |id, reached| wanted.add(graph, id, reached, &entropies));
        wanted
    }

    fn add(&mut self, graph: &Graph, id: LayerId, reached: &[f64], entropies: &[Vec<f64>]) {
        let layer = graph.layer(id);
        let Some(table) = layer.kind.param() else { return };
        for (unit, &reached) in reached.iter().enumerate() {
            let (group, k) = (unit / layer.width as usize, unit % layer.width as usize);
            let row = unit_of_group(graph, table, layer, group) + k;
            self.reach[table.index()][row] += reached;
            if matches!(layer.kind, LayerKind::Input { .. }) {
                continue;
            }
            let n = graph.param(table).unit_len();
            let cells = &mut self.of_children[table.index()][row * n..(row + 1) * n];
            let mut cells = cells.iter_mut();
            each_input(graph, layer, unit, |child, at| {
                *cells.next().expect("a weight for each input") += reached * entropies[child.index()][at];
            });
        }
    }
}

/// The entropy of every unit, in nats.
pub(super) fn entropies(graph: &Graph, params: &Params) -> Vec<Vec<f64>> {
    let mut entropies: Vec<Vec<f64>> = Vec::with_capacity(graph.n_layers());
    for id in graph.layer_ids() {
        let layer = graph.layer(id);
        let of_unit = |unit: usize| unit_entropy(graph, params, id, unit, &entropies);
        let own = (0..layer.n_units()).map(of_unit).collect();
        entropies.push(own);
    }
    entropies
}

fn unit_entropy(graph: &Graph, params: &Params, id: LayerId, unit: usize, below: &[Vec<f64>]) -> f64 {
    let layer = graph.layer(id);
    let (group, k) = (unit / layer.width as usize, unit % layer.width as usize);
    match layer.kind {
        LayerKind::Literal { .. } | LayerKind::Indicator { .. } => 0.0,
        LayerKind::Product => layer.children.iter().map(|child| below[child.index()][unit]).sum(),
        LayerKind::Outer => {
            let (one, other) = graph.outer_factors(id, unit);
            below[layer.children[0].index()][one] + below[layer.children[1].index()][other]
        }
        LayerKind::Input { param, .. } => {
            let ParamShape::Input { family, units } = graph.param(param).shape else { return 0.0 };
            let table = &params.table(param)[group_table(graph, param, layer.groups, group as u32)];
            let mut theta = vec![0.0; family.n_params()];
            read_column(table, units as usize, k, &mut theta);
            family.get().entropy(&theta)
        }
        LayerKind::Sum { param } | LayerKind::Mix { param } => {
            let n = graph.param(param).unit_len();
            let table = &params.table(param)[group_table(graph, param, layer.groups, group as u32)];
            let mut weights = table[k * n..(k + 1) * n].iter().map(|&w| f64::from(w));
            let mut entropy = 0.0;
            each_input(graph, layer, unit, |child, at| {
                let weight = weights.next().expect("a weight for each input");
                if weight > 0.0 {
                    entropy += weight * (below[child.index()][at] - weight.ln());
                }
            });
            entropy
        }
    }
}

/// Calls `visit` for each input of a unit of a sum or mix, in the order of its weights: a child, and its unit.
fn each_input(graph: &Graph, layer: Layer, unit: usize, mut visit: impl FnMut(LayerId, usize)) {
    let group = unit / layer.width as usize;
    for &child in layer.children {
        match layer.kind {
            LayerKind::Mix { .. } => visit(child, unit),
            _ => {
                let part = graph.n_units(child) / layer.groups as usize;
                (group * part..(group + 1) * part).for_each(|at| visit(child, at));
            }
        }
    }
}

/// The step of one table.
struct TableStep<'a> {
    graph: &'a Graph,
    update: &'a Update<'a>,
    weight: f64,
    wanted: &'a Wanted,
    id: ParamId,
}

impl TableStep<'_> {
    fn rows(&self, old: &[f32], flows: &[f32], new: &mut [f32]) {
        let param = self.graph.param(self.id);
        let (n, wanted) = (param.unit_len(), &self.wanted.of_children[self.id.index()]);
        for (unit, reach) in self.wanted.reach[self.id.index()].iter().enumerate() {
            let cells = unit * n..(unit + 1) * n;
            let live: Vec<usize> =
                cells.filter(|&at| param.mask.as_ref().is_none_or(|mask| mask.is_live(at))).collect();
            let counts: Vec<f64> = live.iter().map(|&at| f64::from(flows[at])).collect();
            let of_children: Vec<f64> = live.iter().map(|&at| self.weight * wanted[at]).collect();
            let Some(best) = self.best(&counts, self.weight * reach, &of_children) else { continue };
            let total: f64 = live.iter().map(|&at| f64::from(old[at])).sum();
            for (&at, best) in live.iter().zip(best) {
                new[at] = self.blend(f64::from(old[at]) / total, best);
            }
        }
    }

    fn leaves(&self, family: &dyn Distribution, units: usize, old: &[f32], flows: &[f32], new: &mut [f32]) {
        let param = self.graph.param(self.id);
        let n_values = family.n_stats();
        let nothing = vec![0.0; n_values];
        let mut counts = vec![0.0; n_values];
        let mut theta = vec![0.0; family.n_params()];
        for (row, reach) in self.wanted.reach[self.id.index()].iter().enumerate() {
            let (group, unit) = (row / units, row % units);
            let (stats, table) = (group * units * n_values, group * param.group_len());
            read_column(&flows[stats..], units, unit, &mut counts);
            let Some(best) = self.best(&counts, self.weight * reach, &nothing) else { continue };
            read_column(&old[table..], units, unit, &mut theta);
            // A Bernoulli unit keeps the probability of its second value alone.
            let first = n_values - theta.len();
            theta.iter_mut().zip(&best[first..]).for_each(|(x, best)| *x = f64::from(self.blend(*x, *best)));
            write_column(&theta, units, unit, &mut new[table..]);
        }
    }

    /// The whole step of a unit; `None` where it has no flow, and so stays.
    fn best(&self, counts: &[f64], weight: f64, of_children: &[f64]) -> Option<Vec<f64>> {
        let used: f64 = counts.iter().sum();
        if used.is_nan() || used <= 0.0 {
            return None;
        }
        let count = self.update.of_table(self.graph, self.id, None).count_of_unit(counts.len());
        let share = count / counts.len() as f64;
        let smoothed: Vec<f64> = counts.iter().map(|x| x + share).collect();
        Some(entropic(&smoothed, weight, of_children))
    }

    fn blend(&self, old: f64, best: f64) -> f32 {
        (old + self.update.step * (best - old)) as f32
    }
}

/// Rounds of Newton's method at most; a handful do.
const ROUNDS: usize = 100;

/// The distribution that maximises `sum_c F_c ln theta_c - w sum_c theta_c ln theta_c + sum_c theta_c g_c`.
pub(super) fn entropic(flows: &[f64], weight: f64, gains: &[f64]) -> Vec<f64> {
    let total: f64 = flows.iter().sum();
    let start: Vec<f64> = flows.iter().map(|flow| flow / total).collect();
    if weight <= total * 1e-12 {
        return start;
    }
    // At the least of these slopes every theta_c is at least what it is at the start, so their sum is at least one.
    let slopes = flows.iter().zip(gains).zip(&start).filter(|(_, theta)| **theta > 0.0);
    let mut multiplier = slopes
        .map(|((flow, gain), theta)| flow / theta - weight * theta.ln() + gain)
        .fold(f64::INFINITY, f64::min);
    let mut logs: Vec<f64> = vec![0.0; flows.len()];
    for _ in 0..ROUNDS {
        let (mut sum, mut slope) = (0.0, 0.0);
        for ((log, flow), gain) in logs.iter_mut().zip(flows).zip(gains) {
            *log = log_of_slope(*flow, weight, multiplier - gain);
            let theta = log.exp();
            sum += theta;
            slope += if theta > 0.0 { theta / (flow / theta + weight) } else { 0.0 };
        }
        let step = (sum - 1.0) / slope;
        multiplier += step;
        if step.abs() <= 1e-13 * multiplier.abs().max(weight) {
            break;
        }
    }
    let sum: f64 = logs.iter().map(|log| log.exp()).sum();
    logs.iter().map(|log| log.exp() / sum).collect()
}

/// The logarithm y of theta with `F / theta - w ln theta = slope`: a root of `F e^-y - w y - slope`, which is convex
/// and falls, so Newton's method from the left of it never passes it.
fn log_of_slope(flow: f64, weight: f64, slope: f64) -> f64 {
    let without_flow = -slope / weight;
    if flow <= 0.0 {
        return without_flow;
    }
    // Left of the root: without flow, or where F e^-y alone is the slope, whichever is further right.
    let mut log = if slope > 0.0 { without_flow.max((flow / slope).ln().min(0.0)) } else { without_flow };
    for _ in 0..ROUNDS {
        let left = flow * (-log).exp();
        let step = (left - weight * log - slope) / (left + weight);
        log += step;
        if step.abs() <= 1e-15 * log.abs().max(1.0) {
            break;
        }
    }
    log
}
