//! Leaves over variables that are known softly: sums over values, each times its weight.
//!
//! In: the weights of each row. Out: logarithms of the leaves, and statistics in which a leaf's flow is spread over
//! values by their shares of it.

use super::down::UnitOfGroup;
use super::up::leaf_log;
use super::{LogSpace, Rows};
use pcc_ir::{Layer, LayerId, LayerKind, ParamId, ParamShape, SoftValue, Value};

impl<'a> Rows<'a> {
    /// The weights of a leaf's variable in each row, where it is known softly.
    pub(super) fn soft(&self, layer: Layer) -> Option<Vec<SoftValue<'a>>> {
        let soft = self.batch.soft()?;
        let var = layer.kind.var().filter(|&var| soft.covers(var))?;
        self.rows.iter().map(|&row| soft.get(row, var)).collect()
    }

    /// The logarithm of what a unit of a leaf gives a value.
    fn leaf(&self, layer: Layer, unit: usize, value: u32) -> f64 {
        let is = |own: u32| if own == value { 0.0 } else { f64::NEG_INFINITY };
        match layer.kind {
            LayerKind::Indicator { first, .. } => is(first + unit as u32 % layer.width),
            LayerKind::Literal { value: own, .. } => is(own),
            LayerKind::Input { param, .. } => {
                let ParamShape::Input { family, units } = self.graph.param(param).shape else {
                    return f64::NAN;
                };
                let units = units as usize;
                let table = self.table(param, layer, unit / units);
                leaf_log(family, table, units, unit % units, Value::Code(value))
            }
            kind => unreachable!("`{}` is no leaf", kind.word()),
        }
    }
}

impl LogSpace {
    pub(super) fn soft_leaf(&mut self, id: LayerId, layer: Layer, soft: &[SoftValue], rows: Rows) {
        for unit in 0..layer.n_units() {
            let range = self.unit(id, unit);
            for (log, weights) in self.values[range].iter_mut().zip(soft) {
                *log = log_of_sum(&terms(rows, layer, unit, weights));
            }
        }
    }

    pub(super) fn soft_input_down(
        &mut self,
        id: LayerId,
        layer: Layer,
        param: ParamId,
        soft: &[SoftValue],
        rows: Rows,
        into: &mut [f64],
    ) {
        let ParamShape::Input { family, units } = rows.graph.param(param).shape else { return };
        let units = units as usize;
        for unit in 0..layer.n_units() {
            let group = unit / units;
            let stats = self.stats_of(rows.graph, param, layer, group);
            let table = rows.table(param, layer, group);
            let own = UnitOfGroup { family, table, unit: unit % units, units };
            for (row, weights) in soft.iter().enumerate() {
                let at = self.unit(id, unit).start + row;
                let (flow, log) = (self.flows[at], self.values[at]);
                if flow == 0.0 || log == f64::NEG_INFINITY {
                    continue;
                }
                for (value, term) in terms(rows, layer, unit, weights).into_iter().enumerate() {
                    let share = flow * (term - log).exp();
                    own.observe(Value::Code(value as u32), share, &mut into[stats.clone()]);
                }
            }
        }
    }
}

/// The logarithm of each value's part of a leaf.
fn terms(rows: Rows, layer: Layer, unit: usize, weights: &SoftValue) -> Vec<f64> {
    let term = |value: u32| match weights.log(value) {
        f64::NEG_INFINITY => f64::NEG_INFINITY,
        weight => weight + rows.leaf(layer, unit, value),
    };
    (0..weights.n_values()).map(term).collect()
}

fn log_of_sum(terms: &[f64]) -> f64 {
    let max = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    match max {
        f64::NEG_INFINITY => max,
        _ => max + terms.iter().map(|term| (term - max).exp()).sum::<f64>().ln(),
    }
}
