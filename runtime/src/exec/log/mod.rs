//! Evaluation in log space and float64, a few rows at a time.
//!
//! What `--numerics log` runs, and what samples are computed with that the linear code marks as out of its
//! range. Written apart from the interpreter, which judges both: here rows lie side by side, and a sum
//! over inputs is shifted by their maximum and taken linearly, term by term only where that underflows.
//!
//! In: a graph, its parameters, rows of evidence. Out: logarithms of unit values, and flows.

use super::{Executor, Values};
use pcc_ir::family::Categorical;
use pcc_ir::{
    Batch, Family, Flows, Graph, Layer, LayerId, LayerKind, ParamId, ParamShape, Params, Value, VarId,
    group_table,
};
use std::ops::Range;

/// A linear sum, shifted by its largest input, is good down to this: what it loses to underflow is at most
/// 1e-308 a term.
const SMALLEST_LINEAR_SUM: f64 = 1e-200;

/// Numbers that the values of all rows of one pass may take up.
const NUMBERS_OF_A_PASS: usize = 1 << 20;

/// Working memory for passes over a few rows.
#[derive(Clone, Debug)]
pub(super) struct LogSpace {
    /// Where a layer's units start, then the number of all units.
    starts: Vec<usize>,
    /// Where a table's statistics start.
    stats: Vec<usize>,
    /// Rows of one pass.
    pub(super) width: usize,
    /// `[unit][row]` logarithms.
    values: Vec<f64>,
    /// `[unit][row]` flows.
    flows: Vec<f64>,
}

/// A circuit and the rows of a batch that a pass is over.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) graph: &'a Graph,
    pub(super) params: &'a Params,
    pub(super) batch: &'a Batch,
    /// At most [`LogSpace::width`] of them.
    pub(super) rows: &'a [usize],
}

impl Rows<'_> {
    fn values_of(&self, var: VarId) -> Vec<Value> {
        self.rows.iter().map(|&row| self.batch.get(self.graph, row, var)).collect()
    }

    /// The numbers of a table that one group of a layer reads.
    fn table(&self, param: ParamId, layer: Layer, group: usize) -> &[f32] {
        &self.params.table(param)[group_table(self.graph, param, layer.groups, group as u32)]
    }
}

impl LogSpace {
    /// Memory for a graph.
    pub(super) fn of(graph: &Graph) -> Self {
        let starts = sums(graph.layer_ids().map(|id| graph.n_units(id)));
        let stats = sums(graph.params().iter().map(|p| p.stats_len()));
        let n_units = starts[starts.len() - 1];
        let width = (NUMBERS_OF_A_PASS / n_units.max(1)).clamp(1, 16);
        LogSpace { starts, stats, width, values: vec![0.0; n_units * width], flows: Vec::new() }
    }

    /// Computes every unit's value for the rows. Returns the root's.
    pub(super) fn up(&mut self, rows: Rows) -> Vec<f64> {
        for id in rows.graph.layer_ids() {
            self.layer_up(id, rows);
        }
        let root = self.starts[rows.graph.root().index()];
        (0..rows.rows.len()).map(|row| self.values[root * self.width + row]).collect()
    }

    /// The logarithm of a unit's value, after [`LogSpace::up`].
    pub(super) fn log(&self, layer: LayerId, unit: usize, row: usize) -> f64 {
        self.values[(self.starts[layer.index()] + unit) * self.width + row]
    }

    /// Adds the flows of the rows that [`LogSpace::up`] was last called for, each times its weight.
    pub(super) fn down(&mut self, rows: Rows, weights: &[f64], into: &mut [f64]) {
        self.flows.clear();
        self.flows.resize(self.values.len(), 0.0);
        let root = self.starts[rows.graph.root().index()] * self.width;
        for (row, &weight) in weights.iter().enumerate() {
            let is_possible = self.values[root + row] > f64::NEG_INFINITY;
            self.flows[root + row] = if is_possible { weight } else { 0.0 };
        }
        for id in rows.graph.layer_ids().rev() {
            self.layer_down(id, rows, into);
        }
    }

    /// Where the values of a layer's unit lie.
    fn unit(&self, layer: LayerId, unit: usize) -> Range<usize> {
        let first = (self.starts[layer.index()] + unit) * self.width;
        first..first + self.width
    }

    fn layer_up(&mut self, id: LayerId, rows: Rows) {
        let layer = rows.graph.layer(id);
        match layer.kind {
            LayerKind::Input { var, param } => self.input(id, layer, param, &rows.values_of(var), rows),
            LayerKind::Literal { var, value } => self.indicators(id, layer, &rows.values_of(var), |_| value),
            LayerKind::Indicator { var, first } => {
                let code = |unit: usize| first + unit as u32 % layer.width;
                self.indicators(id, layer, &rows.values_of(var), code);
            }
            LayerKind::Product => {
                for unit in 0..layer.n_units() {
                    let factors: Vec<Range<usize>> =
                        layer.children.iter().map(|&c| self.unit(c, unit)).collect();
                    self.product(self.unit(id, unit), &factors);
                }
            }
            LayerKind::Outer => self.outer(id, layer, rows.graph),
            LayerKind::Sum { param } => {
                (0..layer.groups as usize).for_each(|group| self.sum(id, layer, param, group, rows));
            }
            LayerKind::Mix { param } => {
                (0..layer.n_units()).for_each(|unit| self.mix(id, layer, param, unit, rows));
            }
        }
    }

    fn input(&mut self, id: LayerId, layer: Layer, param: ParamId, seen: &[Value], rows: Rows) {
        let ParamShape::Input { family, units } = rows.graph.param(param).shape else { return };
        let units = units as usize;
        for unit in 0..layer.n_units() {
            let range = self.unit(id, unit);
            let table = rows.table(param, layer, unit / units);
            for (log, &value) in self.values[range].iter_mut().zip(seen) {
                *log = leaf_log(family, table, units, unit % units, value);
            }
        }
    }

    fn indicators(&mut self, id: LayerId, layer: Layer, seen: &[Value], code: impl Fn(usize) -> u32) {
        for unit in 0..layer.n_units() {
            let range = self.unit(id, unit);
            for (log, &value) in self.values[range].iter_mut().zip(seen) {
                let is_possible = value == Value::Missing || value == Value::Code(code(unit));
                *log = if is_possible { 0.0 } else { f64::NEG_INFINITY };
            }
        }
    }

    fn product(&mut self, out: Range<usize>, factors: &[Range<usize>]) {
        for row in 0..self.width {
            self.values[out.start + row] = factors.iter().map(|f| self.values[f.start + row]).sum();
        }
    }

    fn outer(&mut self, id: LayerId, layer: Layer, graph: &Graph) {
        for unit in 0..layer.n_units() {
            let [a, b] = outer_units(graph, layer, unit);
            let factors = [self.unit(layer.children[0], a), self.unit(layer.children[1], b)];
            self.product(self.unit(id, unit), &factors);
        }
    }

    fn sum(&mut self, id: LayerId, layer: Layer, param: ParamId, group: usize, rows: Rows) {
        let inputs = self.inputs(rows.graph, layer, group);
        let shifted = Shifted::of(&self.values, &inputs, self.width);
        let table = rows.table(param, layer, group);
        for k in 0..layer.width as usize {
            let weights = &table[k * inputs.len()..(k + 1) * inputs.len()];
            let sums = shifted.weigh(weights);
            let out = self.unit(id, group * layer.width as usize + k);
            for row in 0..self.width {
                self.values[out.start + row] = match sums[row] > SMALLEST_LINEAR_SUM {
                    true => sums[row].ln() + shifted.max[row],
                    false => log_sum(&self.values, &inputs, weights, row),
                };
            }
        }
    }

    fn mix(&mut self, id: LayerId, layer: Layer, param: ParamId, unit: usize, rows: Rows) {
        let (inputs, weights) = self.mix_inputs(layer, param, unit, rows);
        let out = self.unit(id, unit);
        for row in 0..self.width {
            self.values[out.start + row] = log_sum(&self.values, &inputs, weights, row);
        }
    }

    /// Where the values of all units lie that one group of a sum reads.
    fn inputs(&self, graph: &Graph, layer: Layer, group: usize) -> Vec<Range<usize>> {
        let mut inputs = Vec::new();
        for &child in layer.children {
            let part = graph.n_units(child) / layer.groups as usize;
            inputs.extend((group * part..(group + 1) * part).map(|unit| self.unit(child, unit)));
        }
        inputs
    }

    /// The values that one unit of a mixture reads, and its weights.
    fn mix_inputs<'a>(
        &self,
        layer: Layer,
        param: ParamId,
        unit: usize,
        rows: Rows<'a>,
    ) -> (Vec<Range<usize>>, &'a [f32]) {
        let inputs: Vec<Range<usize>> = layer.children.iter().map(|&c| self.unit(c, unit)).collect();
        let (group, k) = (unit / layer.width as usize, unit % layer.width as usize);
        let table = group_table(rows.graph, param, layer.groups, group as u32);
        let weights = &rows.params.table(param)[table][k * inputs.len()..(k + 1) * inputs.len()];
        (inputs, weights)
    }

    fn layer_down(&mut self, id: LayerId, rows: Rows, into: &mut [f64]) {
        let layer = rows.graph.layer(id);
        match layer.kind {
            LayerKind::Input { var, param } => {
                self.input_down(id, layer, param, &rows.values_of(var), rows, into);
            }
            LayerKind::Literal { .. } | LayerKind::Indicator { .. } => {}
            LayerKind::Product => {
                for unit in 0..layer.n_units() {
                    layer.children.iter().for_each(|&c| self.pass(self.unit(id, unit), self.unit(c, unit)));
                }
            }
            LayerKind::Outer => {
                for unit in 0..layer.n_units() {
                    let [a, b] = outer_units(rows.graph, layer, unit);
                    self.pass(self.unit(id, unit), self.unit(layer.children[0], a));
                    self.pass(self.unit(id, unit), self.unit(layer.children[1], b));
                }
            }
            LayerKind::Sum { param } => {
                for group in 0..layer.groups as usize {
                    self.sum_down(id, layer, param, group, rows, into);
                }
            }
            LayerKind::Mix { param } => {
                for unit in 0..layer.n_units() {
                    let (inputs, weights) = self.mix_inputs(layer, param, unit, rows);
                    let k = unit % layer.width as usize;
                    let stats = self.stats_of(rows.graph, param, layer, unit / layer.width as usize);
                    let stats = &mut into[stats.start + k * inputs.len()..][..inputs.len()];
                    (0..rows.rows.len())
                        .for_each(|row| self.terms_down(self.unit(id, unit), &inputs, weights, row, stats));
                }
            }
        }
    }

    /// Where the statistics lie that one group of a layer adds to.
    fn stats_of(&self, graph: &Graph, param: ParamId, layer: Layer, group: usize) -> Range<usize> {
        let p = graph.param(param);
        let table = group * p.groups as usize / layer.groups as usize;
        let first = self.stats[param.index()] + table * p.group_stats_len();
        first..first + p.group_stats_len()
    }

    fn input_down(
        &mut self,
        id: LayerId,
        layer: Layer,
        param: ParamId,
        seen: &[Value],
        rows: Rows,
        into: &mut [f64],
    ) {
        let ParamShape::Input { family, units } = rows.graph.param(param).shape else { return };
        let units = units as usize;
        for unit in 0..layer.n_units() {
            let range = self.stats_of(rows.graph, param, layer, unit / units);
            let stats = &mut into[range];
            for (&flow, &value) in self.flows[self.unit(id, unit)].iter().zip(seen) {
                observe(family, value, flow, unit % units, units, stats);
            }
        }
    }

    fn pass(&mut self, from: Range<usize>, to: Range<usize>) {
        for row in 0..self.width {
            self.flows[to.start + row] += self.flows[from.start + row];
        }
    }

    fn sum_down(
        &mut self,
        id: LayerId,
        layer: Layer,
        param: ParamId,
        group: usize,
        rows: Rows,
        into: &mut [f64],
    ) {
        let inputs = self.inputs(rows.graph, layer, group);
        let shifted = Shifted::of(&self.values, &inputs, self.width);
        let table = rows.table(param, layer, group);
        let stats = self.stats_of(rows.graph, param, layer, group);
        let stats = &mut into[stats];
        for k in 0..layer.width as usize {
            let out = self.unit(id, group * layer.width as usize + k);
            let range = k * inputs.len()..(k + 1) * inputs.len();
            let (weights, stats) = (&table[range.clone()], &mut stats[range]);
            for row in 0..rows.rows.len() {
                let sum = (self.values[out.start + row] - shifted.max[row]).exp();
                if sum > SMALLEST_LINEAR_SUM {
                    let ratio = self.flows[out.start + row] / sum;
                    self.linear_down(&inputs, &shifted, weights, row, ratio, stats);
                } else {
                    self.terms_down(out.clone(), &inputs, weights, row, stats);
                }
            }
        }
    }

    /// Passes a sum's flow over its shifted value to the inputs.
    fn linear_down(
        &mut self,
        inputs: &[Range<usize>],
        shifted: &Shifted,
        weights: &[f32],
        row: usize,
        ratio: f64,
        stats: &mut [f64],
    ) {
        for (j, (input, &weight)) in inputs.iter().zip(weights).enumerate() {
            let flow = ratio * f64::from(weight) * shifted.terms[j * shifted.width + row];
            self.flows[input.start + row] += flow;
            stats[j] += flow;
        }
    }

    /// Passes the flow of one unit and row to its inputs, term by term.
    fn terms_down(
        &mut self,
        out: Range<usize>,
        inputs: &[Range<usize>],
        weights: &[f32],
        row: usize,
        stats: &mut [f64],
    ) {
        let (flow, log) = (self.flows[out.start + row], self.values[out.start + row]);
        if flow == 0.0 || log == f64::NEG_INFINITY {
            return;
        }
        for (j, (input, &weight)) in inputs.iter().zip(weights).enumerate() {
            let share = (f64::from(weight).ln() + self.values[input.start + row] - log).exp();
            self.flows[input.start + row] += flow * share;
            stats[j] += flow * share;
        }
    }
}

/// The inputs of a sum, linear, each row relative to its largest.
struct Shifted {
    max: Vec<f64>,
    /// `[input][row]`.
    terms: Vec<f64>,
    width: usize,
}

impl Shifted {
    fn of(values: &[f64], inputs: &[Range<usize>], width: usize) -> Self {
        let mut max = vec![f64::NEG_INFINITY; width];
        for input in inputs {
            max.iter_mut().zip(&values[input.clone()]).for_each(|(m, &v)| *m = m.max(v));
        }
        // All zero: any shift will do, and this one is finite.
        max.iter_mut().filter(|m| **m == f64::NEG_INFINITY).for_each(|m| *m = 0.0);
        let shift = |input: &Range<usize>| values[input.clone()].iter().zip(&max).map(|(v, m)| (v - m).exp());
        let terms = inputs.iter().flat_map(shift).collect();
        Shifted { max, terms, width }
    }

    /// The weighted sum of each row.
    fn weigh(&self, weights: &[f32]) -> Vec<f64> {
        let mut sums = vec![0.0; self.width];
        for (terms, &weight) in self.terms.chunks_exact(self.width).zip(weights) {
            sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum += f64::from(weight) * term);
        }
        sums
    }
}

/// The logarithm of a weighted sum, each term in log space.
fn log_sum(values: &[f64], inputs: &[Range<usize>], weights: &[f32], row: usize) -> f64 {
    let term = |(input, &weight): (&Range<usize>, &f32)| f64::from(weight).ln() + values[input.start + row];
    let terms: Vec<f64> = inputs.iter().zip(weights).map(term).collect();
    let max = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    match max {
        f64::NEG_INFINITY => max,
        _ => max + terms.iter().map(|t| (t - max).exp()).sum::<f64>().ln(),
    }
}

/// The units of both children whose product a unit of an outer layer is.
fn outer_units(graph: &Graph, layer: Layer, unit: usize) -> [usize; 2] {
    let part = |child: usize| graph.n_units(layer.children[child]) / layer.groups as usize;
    let (group, pair) = (unit / layer.width as usize, unit % layer.width as usize);
    [group * part(0) + pair / part(1), group * part(1) + pair % part(1)]
}

fn leaf_log(family: Family, table: &[f32], units: usize, unit: usize, value: Value) -> f64 {
    match (family, value) {
        (_, Value::Missing) => 0.0,
        (Family::Categorical(Categorical { n }), Value::Code(code)) => match code < n {
            true => f64::from(table[code as usize * units + unit]).ln(),
            false => f64::NEG_INFINITY,
        },
        _ => {
            let theta: Vec<f64> =
                (0..family.n_params()).map(|r| f64::from(table[r * units + unit])).collect();
            family.get().log_density(&theta, value)
        }
    }
}

fn observe(family: Family, value: Value, flow: f64, unit: usize, units: usize, stats: &mut [f64]) {
    match value {
        Value::Missing => {}
        _ if flow == 0.0 => {}
        Value::Code(code) => stats[code as usize * units + unit] += flow,
        Value::Real(_) => {
            let mut own = vec![0.0; family.n_stats()];
            family.get().observe(value, flow, &mut own);
            own.iter().enumerate().for_each(|(r, s)| stats[r * units + unit] += s);
        }
    }
}

fn sums(lens: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut sums = vec![0];
    for len in lens {
        sums.push(sums[sums.len() - 1] + len);
    }
    sums
}

/// Runs a circuit in log space and float64.
#[derive(Clone, Debug)]
pub struct LogExecutor {
    graph: Graph,
    params: Params,
    space: LogSpace,
}

impl LogExecutor {
    /// An executor of a circuit with these parameters.
    pub fn new(graph: Graph, params: Params) -> Self {
        let space = LogSpace::of(&graph);
        LogExecutor { graph, params, space }
    }

    /// Calls `visit` after each upward pass, with the rows that it was over.
    fn each_pass(&mut self, batch: &Batch, mut visit: impl FnMut(&mut LogSpace, Rows, Vec<f64>)) {
        let all: Vec<usize> = (0..batch.n_rows()).collect();
        for rows in all.chunks(self.space.width) {
            let rows = Rows { graph: &self.graph, params: &self.params, batch, rows };
            let logs = self.space.up(rows);
            visit(&mut self.space, rows, logs);
        }
    }
}

impl Executor for LogExecutor {
    fn graph(&self) -> &Graph {
        &self.graph
    }

    fn params(&self) -> &Params {
        &self.params
    }

    fn update(&mut self, change: &mut dyn FnMut(&mut Params)) {
        change(&mut self.params);
    }

    fn log_likelihoods(&mut self, batch: &Batch) -> Vec<f64> {
        let mut all = Vec::with_capacity(batch.n_rows());
        self.each_pass(batch, |_, _, logs| all.extend(logs));
        all
    }

    fn flows(&mut self, batch: &Batch, weights: Option<&[f32]>, flows: &mut Flows) -> Vec<f64> {
        let mut sums = vec![0.0; flows.values().len()];
        let mut all = Vec::with_capacity(batch.n_rows());
        self.each_pass(batch, |space, rows, logs| {
            let weight = |&row: &usize| weights.map_or(1.0, |w| f64::from(w[row]));
            let weights: Vec<f64> = rows.rows.iter().map(weight).collect();
            space.down(rows, &weights, &mut sums);
            all.extend(logs);
        });
        flows.values_mut().iter_mut().zip(&sums).for_each(|(f, s)| *f = (f64::from(*f) + s) as f32);
        all
    }

    fn values(&mut self, batch: &Batch) -> Values {
        let mut values = Values::of(&self.graph, batch.n_rows());
        self.each_pass(batch, |space, rows, _| space.copy_values(rows, &mut values));
        values
    }
}

impl LogSpace {
    /// Copies all values of the last upward pass.
    pub(super) fn copy_values(&self, rows: Rows, values: &mut Values) {
        for id in rows.graph.layer_ids() {
            for unit in 0..rows.graph.n_units(id) {
                for (i, &row) in rows.rows.iter().enumerate() {
                    values.set(id, unit, row, self.log(id, unit, i));
                }
            }
        }
    }
}
