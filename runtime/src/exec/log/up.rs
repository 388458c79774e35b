//! The upward pass: logarithms of unit values, layer by layer.

use super::sum::{SMALLEST_LINEAR_SUM, Shifted, log_sum};
use super::{LogSpace, Rows};
use pcc_ir::family::Categorical;
use pcc_ir::{Family, Graph, Layer, LayerId, LayerKind, ParamId, ParamShape, Value, group_table};
use std::ops::Range;

impl LogSpace {
    pub(super) fn layer_up(&mut self, id: LayerId, rows: Rows) {
        let layer = rows.graph.layer(id);
        if let Some(soft) = rows.soft(layer) {
            return self.soft_leaf(id, layer, &soft, rows);
        }
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
            let (a, b) = graph.outer_factors(id, unit);
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
    pub(super) fn inputs(&self, graph: &Graph, layer: Layer, group: usize) -> Vec<Range<usize>> {
        let mut inputs = Vec::new();
        for &child in layer.children {
            let part = graph.n_units(child) / layer.groups as usize;
            inputs.extend((group * part..(group + 1) * part).map(|unit| self.unit(child, unit)));
        }
        inputs
    }

    /// The values that one unit of a mixture reads, and its weights.
    pub(super) fn mix_inputs<'a>(
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
}

pub(super) fn leaf_log(family: Family, table: &[f32], units: usize, unit: usize, value: Value) -> f64 {
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
