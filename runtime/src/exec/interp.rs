//! The float64 interpreter: the oracle that every compiled path is judged by.
//!
//! One row at a time, one unit at a time, in log space, straight from the graph. It stays under 300 lines
//! and is never optimised. Flows follow Darwiche's differential approach: the flow of an edge is
//! `theta * d log p / d theta`, computed top-down as `F_nc = F_n * theta_nc * v_c / v_n`.

use super::gathered::Gathered;
use super::{Executor, Values};
use crate::train::{Momentum, Update};
use pcc_ir::{
    Batch, Flows, Graph, Layer, LayerId, LayerKind, ParamId, ParamShape, Params, Value, group_table,
};

/// The oracle.
#[derive(Clone, Debug)]
pub struct Interpreter {
    graph: Graph,
    params: Params,
    gathered: Gathered,
}

impl Interpreter {
    /// An interpreter of a circuit with these parameters.
    pub fn new(graph: Graph, params: Params) -> Self {
        Interpreter { graph, params, gathered: Gathered::default() }
    }

    /// Logarithms of all units' values, layer by layer, for one row.
    pub fn row_values(&self, batch: &Batch, row: usize) -> Vec<Vec<f64>> {
        let mut values: Vec<Vec<f64>> = Vec::with_capacity(self.graph.n_layers());
        for id in self.graph.layer_ids() {
            values.push(self.layer_values(id, batch, row, &values));
        }
        values
    }

    fn layer_values(&self, id: LayerId, batch: &Batch, row: usize, values: &[Vec<f64>]) -> Vec<f64> {
        let layer = self.graph.layer(id);
        match layer.kind {
            LayerKind::Input { var, param } => {
                let seen = batch.alternatives(&self.graph, row, var);
                self.each_unit(layer, |g, k| leaf_log(&seen, |v| self.input_log(param, layer, g, k, v)))
            }
            LayerKind::Literal { var, value } => {
                let seen = batch.alternatives(&self.graph, row, var);
                self.each_unit(layer, |_, _| leaf_log(&seen, |v| indicator_log(v, value)))
            }
            LayerKind::Indicator { var, first } => {
                let seen = batch.alternatives(&self.graph, row, var);
                self.each_unit(layer, |_, k| leaf_log(&seen, |v| indicator_log(v, first + k as u32)))
            }
            LayerKind::Product => self.each_unit(layer, |g, k| {
                let unit = g * layer.width as usize + k;
                layer.children.iter().map(|c| values[c.index()][unit]).sum()
            }),
            LayerKind::Outer => self.each_unit(layer, |g, k| {
                let [a, b] = [part(layer, g, values, 0), part(layer, g, values, 1)];
                a[k / b.len()] + b[k % b.len()]
            }),
            LayerKind::Sum { param } => self.each_unit(layer, |g, k| {
                let inputs = self.sum_inputs(layer, g, values);
                let weights = self.weights(param, layer, g, k);
                log_sum_exp(inputs.iter().zip(&weights).map(|(x, w)| x + w.ln()))
            }),
            LayerKind::Mix { param } => self.each_unit(layer, |g, k| {
                let weights = self.weights(param, layer, g, k);
                let unit = g * layer.width as usize + k;
                log_sum_exp(
                    layer.children.iter().zip(&weights).map(|(c, w)| values[c.index()][unit] + w.ln()),
                )
            }),
        }
    }

    fn each_unit(&self, layer: Layer, value: impl Fn(usize, usize) -> f64) -> Vec<f64> {
        let value = &value;
        let units = |g: usize| (0..layer.width as usize).map(move |k| value(g, k));
        (0..layer.groups as usize).flat_map(units).collect()
    }

    /// All units that a group of a sum reads, child after child.
    fn sum_inputs(&self, layer: Layer, group: usize, values: &[Vec<f64>]) -> Vec<f64> {
        (0..layer.children.len()).flat_map(|c| part(layer, group, values, c).iter().copied()).collect()
    }

    /// The weights of one unit of a sum or mix.
    fn weights(&self, param: ParamId, layer: Layer, group: usize, unit: usize) -> Vec<f64> {
        let table = group_table(&self.graph, param, layer.groups, group as u32);
        let row_len = table.len() / layer.width as usize;
        let row = &self.params.table(param)[table][unit * row_len..(unit + 1) * row_len];
        row.iter().map(|&w| f64::from(w)).collect()
    }

    fn input_log(&self, param: ParamId, layer: Layer, group: usize, unit: usize, value: Value) -> f64 {
        let ParamShape::Input { family, .. } = self.graph.param(param).shape else { return f64::NAN };
        family.get().log_density(&self.theta(param, layer, group, unit), value)
    }

    /// The parameters of one input unit.
    fn theta(&self, param: ParamId, layer: Layer, group: usize, unit: usize) -> Vec<f64> {
        let table = &self.params.table(param)[group_table(&self.graph, param, layer.groups, group as u32)];
        table.iter().skip(unit).step_by(layer.width as usize).map(|&number| f64::from(number)).collect()
    }

    /// Adds one row's flows, starting from `weight` at the root.
    fn row_flows(&self, batch: &Batch, row: usize, values: &[Vec<f64>], weight: f64, into: &mut [f64]) {
        let mut flows: Vec<Vec<f64>> = values.iter().map(|v| vec![0.0; v.len()]).collect();
        flows[self.graph.root().index()][0] = weight;
        for id in self.graph.layer_ids().rev() {
            let flow = std::mem::take(&mut flows[id.index()]);
            for (unit, &f) in flow.iter().enumerate().filter(|(_, f)| **f != 0.0) {
                self.unit_flows(id, unit, f, batch, row, values, &mut flows, into);
            }
        }
    }

    /// Passes the flow of one unit to its children and its parameters.
    fn unit_flows(
        &self,
        id: LayerId,
        unit: usize,
        flow: f64,
        batch: &Batch,
        row: usize,
        values: &[Vec<f64>],
        flows: &mut [Vec<f64>],
        into: &mut [f64],
    ) {
        let layer = self.graph.layer(id);
        let (group, k) = (unit / layer.width as usize, unit % layer.width as usize);
        let log_value = values[id.index()][unit];
        match layer.kind {
            LayerKind::Input { var, param } => {
                for (value, weight) in batch.alternatives(&self.graph, row, var) {
                    let log = self.input_log(param, layer, group, k, value) + weight;
                    let share = flow * (log - log_value).exp();
                    self.observe(param, layer, group, k, value, share, into);
                }
            }
            LayerKind::Literal { .. } | LayerKind::Indicator { .. } => {}
            LayerKind::Product => layer.children.iter().for_each(|c| flows[c.index()][unit] += flow),
            LayerKind::Outer => {
                let widths = [0, 1].map(|c| part(layer, group, values, c).len());
                flows[layer.children[0].index()][group * widths[0] + k / widths[1]] += flow;
                flows[layer.children[1].index()][group * widths[1] + k % widths[1]] += flow;
            }
            LayerKind::Sum { param } => {
                let weights = self.weights(param, layer, group, k);
                let stats = self.stats_start(param, layer, group) + k * weights.len();
                let mut column = 0;
                for (c, child) in layer.children.iter().enumerate() {
                    let inputs = part(layer, group, values, c);
                    for (j, x) in inputs.iter().enumerate() {
                        let edge = flow * (weights[column].ln() + x - log_value).exp();
                        flows[child.index()][group * inputs.len() + j] += edge;
                        into[stats + column] += edge;
                        column += 1;
                    }
                }
            }
            LayerKind::Mix { param } => {
                let weights = self.weights(param, layer, group, k);
                let stats = self.stats_start(param, layer, group) + k * weights.len();
                for (c, child) in layer.children.iter().enumerate() {
                    let edge = flow * (weights[c].ln() + values[child.index()][unit] - log_value).exp();
                    flows[child.index()][unit] += edge;
                    into[stats + c] += edge;
                }
            }
        }
    }

    /// Where the statistics of a layer's group start among all statistics.
    fn stats_start(&self, param: ParamId, layer: Layer, group: usize) -> usize {
        let before = self.graph.params()[..param.index()].iter().map(|p| p.stats_len()).sum::<usize>();
        let p = self.graph.param(param);
        before + group * p.groups as usize / layer.groups as usize * p.group_stats_len()
    }

    fn observe(
        &self,
        param: ParamId,
        layer: Layer,
        group: usize,
        unit: usize,
        value: Value,
        flow: f64,
        into: &mut [f64],
    ) {
        let ParamShape::Input { family, units } = self.graph.param(param).shape else { return };
        let start = self.stats_start(param, layer, group) + unit;
        let mut stats = vec![0.0; family.n_stats()];
        family.get().observe(&self.theta(param, layer, group, unit), value, flow, &mut stats);
        for (r, s) in stats.iter().enumerate() {
            into[start + r * units as usize] += s;
        }
    }
}

impl Executor for Interpreter {
    fn graph(&self) -> &Graph {
        &self.graph
    }

    fn circuit(&mut self) -> (&Graph, &Params) {
        (&self.graph, &self.params)
    }

    fn update(&mut self, change: &mut dyn FnMut(&mut Params)) {
        change(&mut self.params);
    }

    fn log_likelihoods(&mut self, batch: &Batch) -> Vec<f64> {
        let root = self.graph.root().index();
        (0..batch.n_rows()).map(|row| self.row_values(batch, row)[root][0]).collect()
    }

    fn flows(&mut self, batch: &Batch, weights: Option<&[f32]>, flows: &mut Flows) -> Vec<f64> {
        self.gathered.forget();
        let root = self.graph.root().index();
        let mut sums = vec![0.0; flows.values().len()];
        let mut logs = Vec::with_capacity(batch.n_rows());
        for row in 0..batch.n_rows() {
            let values = self.row_values(batch, row);
            logs.push(values[root][0]);
            if values[root][0] > f64::NEG_INFINITY {
                let weight = weights.map_or(1.0, |w| f64::from(w[row]));
                self.row_flows(batch, row, &values, weight, &mut sums);
            }
        }
        flows.values_mut().iter_mut().zip(&sums).for_each(|(f, s)| *f = (f64::from(*f) + s) as f32);
        logs
    }

    fn gather(&mut self, batch: &Batch, weights: Option<&[f32]>) -> Vec<f64> {
        let mut flows = self.gathered.take(&self.graph);
        let logs = self.flows(batch, weights, &mut flows);
        self.gathered.put(flows);
        logs
    }

    fn maximize(&mut self, update: &Update, momentum: Option<&mut Momentum>) {
        self.gathered.maximize(&self.graph, update, momentum, &mut self.params);
    }

    fn forget(&mut self) {
        self.gathered.forget();
    }

    fn fill(&mut self, batch: &Batch, all: &mut Values) {
        for row in 0..batch.n_rows() {
            let values = self.row_values(batch, row);
            for layer in all.layers().collect::<Vec<_>>() {
                let units = values[layer.index()].iter().enumerate();
                units.for_each(|(unit, &log)| all.set(layer, unit, row, log));
            }
        }
    }
}

/// The units of a child that one group of a layer reads.
fn part<'v>(layer: Layer, group: usize, values: &'v [Vec<f64>], child: usize) -> &'v [f64] {
    let all = &values[layer.children[child].index()];
    let len = all.len() / layer.groups as usize;
    &all[group * len..(group + 1) * len]
}

/// The sum over all that a variable may be, each times its weight.
fn leaf_log(seen: &[(Value, f64)], log: impl Fn(Value) -> f64) -> f64 {
    log_sum_exp(seen.iter().map(|&(value, weight)| log(value) + weight))
}

fn indicator_log(seen: Value, value: u32) -> f64 {
    match seen {
        Value::Missing => 0.0,
        Value::Code(code) if code == value => 0.0,
        _ => f64::NEG_INFINITY,
    }
}

/// ln of the sum of exponentials; minus infinity for nothing but zeros.
fn log_sum_exp(logs: impl Iterator<Item = f64> + Clone) -> f64 {
    let max = logs.clone().fold(f64::NEG_INFINITY, f64::max);
    if max == f64::NEG_INFINITY {
        return max;
    }
    max + logs.map(|x| (x - max).exp()).sum::<f64>().ln()
}
