//! The downward pass: flows of units, and what they add to the statistics of tables.

use super::sum::{SMALLEST_LINEAR_SUM, Shifted};
use super::{LogSpace, Rows};
use pcc_ir::{Family, Graph, Layer, LayerId, LayerKind, ParamId, ParamShape, Value};
use std::ops::Range;

impl LogSpace {
    pub(super) fn layer_down(&mut self, id: LayerId, rows: Rows, into: &mut [f64]) {
        let layer = rows.graph.layer(id);
        match (layer.kind, rows.soft(layer)) {
            (LayerKind::Input { param, .. }, Some(soft)) => {
                return self.soft_input_down(id, layer, param, &soft, rows, into);
            }
            (_, Some(_)) => return,
            (_, None) => {}
        }
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
                    let (a, b) = rows.graph.outer_factors(id, unit);
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
    pub(super) fn stats_of(&self, graph: &Graph, param: ParamId, layer: Layer, group: usize) -> Range<usize> {
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
            let group = unit / units;
            let table = rows.table(param, layer, group);
            let range = self.stats_of(rows.graph, param, layer, group);
            let unit_of_group = UnitOfGroup { family, table, unit: unit % units, units };
            for (&flow, &value) in self.flows[self.unit(id, unit)].iter().zip(seen) {
                unit_of_group.observe(value, flow, &mut into[range.clone()]);
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

/// One of the units of an input group, with the group's table.
pub(super) struct UnitOfGroup<'a> {
    pub(super) family: Family,
    pub(super) table: &'a [f32],
    pub(super) unit: usize,
    pub(super) units: usize,
}

impl UnitOfGroup<'_> {
    pub(super) fn observe(&self, value: Value, flow: f64, stats: &mut [f64]) {
        let UnitOfGroup { family, table, unit, units } = *self;
        match value {
            Value::Missing => {}
            _ if flow == 0.0 => {}
            Value::Code(code) => stats[code as usize * units + unit] += flow,
            Value::Real(_) => {
                let column = table.iter().skip(unit).step_by(units);
                let theta: Vec<f64> = column.map(|&number| f64::from(number)).collect();
                let mut own = vec![0.0; family.n_stats()];
                family.get().observe(&theta, value, flow, &mut own);
                own.iter().enumerate().for_each(|(r, s)| stats[r * units + unit] += s);
            }
        }
    }
}
