//! What emitted code reads besides parameters: prepared tables, and what guards must watch.
//!
//! In: a plan, its graph's families, parameter values. Out: [`DerivedTables`], to be updated whenever the
//! parameters change.

use pcc_ir::plan::{Plan, Source};
use pcc_ir::{Graph, Param, ParamId, ParamShape, Params};
use pcc_kernels::{GUARD_ENTRY, GUARD_MAXIMUM};

/// Weights under this are small enough to cancel what a product keeps in its 32 bits.
const SMALL_WEIGHT: f32 = f32::from_bits((127 - 40) << 23);

/// What guards watch, from the weights' sizes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Watch {
    /// For each table, 1 when it has weights under 2^-40 or zeros, else 0.
    pub(crate) is_small: Vec<u64>,
    /// For each table, its smallest positive number.
    pub(crate) floors: Vec<f32>,
}

/// Everything that is computed from parameters before a tile can run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DerivedTables {
    pub(crate) prepared: Vec<f32>,
    /// For each row of a discrete leaf's table `floor(log2)` of its largest number, 0 for a row of zeros and for
    /// other tables. Where a table's start is for [`row_exponent_starts`] to say.
    pub(crate) row_exponents: Vec<f32>,
    watch: Watch,
}

impl DerivedTables {
    /// Computes them. The plan must have been made from the graph.
    pub fn of(graph: &Graph, plan: &Plan, params: &Params) -> Self {
        let mut prepared = vec![0.0; plan.source_len(Source::Prepared) as usize];
        let starts = row_exponent_starts(plan);
        let mut row_exponents = vec![0.0; starts[plan.tables.len()] as usize];
        let mut watch = Watch::default();
        for (i, param) in graph.params().iter().enumerate() {
            let (id, table) = (ParamId::new(i), plan.tables[i]);
            let values = params.table(id);
            let mut read = values;
            if table.source == Source::Prepared {
                let range = table.start as usize..(table.start + table.len()) as usize;
                prepare(param, values, &mut prepared[range.clone()]);
                read = &prepared[range];
            }
            if is_looked_up(param) {
                let rows = read.chunks_exact(table.columns as usize);
                let exponents = &mut row_exponents[starts[i] as usize..starts[i + 1] as usize];
                rows.zip(exponents).for_each(|(row, exponent)| *exponent = row_exponent(row));
            }
            let (is_small, floor) = extremes(param, values);
            watch.is_small.push(u64::from(is_small));
            watch.floors.push(floor);
        }
        DerivedTables { prepared, row_exponents, watch }
    }

    /// What guards watch.
    pub fn watch(&self) -> &Watch {
        &self.watch
    }
}

/// Where the row exponents of each table start, then how many there are: one for each row of each group,
/// whatever the table is for, so that all plans of a graph agree.
pub(crate) fn row_exponent_starts(plan: &Plan) -> Vec<u64> {
    let mut starts = vec![0];
    for table in &plan.tables {
        starts.push(starts[starts.len() - 1] + u64::from(table.rows) * u64::from(table.groups));
    }
    starts
}

/// Whether leaves look rows of the table up by a variable's value.
fn is_looked_up(param: &Param) -> bool {
    matches!(param.shape, ParamShape::Input { family, .. } if family.get().n_values().is_some())
}

/// `floor(log2(..))` of the largest number of a row, 0 when all are zero. Numbers are normal or zero.
fn row_exponent(row: &[f32]) -> f32 {
    let largest = row.iter().fold(0.0_f32, |largest, &x| largest.max(x));
    if largest > 0.0 { exponent(largest) } else { 0.0 }
}

/// `floor(log2(x))` of a positive normal number.
fn exponent(x: f32) -> f32 {
    ((x.to_bits() >> 23) as i32 - 127) as f32
}

impl Watch {
    /// The guard bits of each of a plan's guards.
    pub fn guard_bits(&self, plan: &Plan) -> Vec<u64> {
        let is_small = |table: &ParamId| self.is_small[table.index()] != 0;
        let bits = |guard: &pcc_ir::plan::Guard| {
            let entry = guard.is_always || guard.tables.iter().any(is_small);
            (GUARD_MAXIMUM | if entry { GUARD_ENTRY } else { 0 }) as u64
        };
        plan.guards.iter().map(bits).collect()
    }
}

/// Fills the prepared table of a family, group by group and unit by unit.
fn prepare(param: &Param, values: &[f32], prepared: &mut [f32]) {
    let ParamShape::Input { family, units } = param.shape else { return };
    let units = units as usize;
    let family = family.get();
    let mut theta = vec![0.0; family.n_params()];
    let mut column = vec![0.0; family.n_prepared()];
    let groups =
        values.chunks_exact(theta.len() * units).zip(prepared.chunks_exact_mut(column.len() * units));
    for (values, prepared) in groups {
        for unit in 0..units {
            theta.iter_mut().enumerate().for_each(|(r, t)| *t = f64::from(values[r * units + unit]));
            family.prepare(&theta, &mut column);
            for (r, &value) in column.iter().enumerate() {
                prepared[r * units + unit] = normal_or_zero(value as f32);
            }
        }
    }
}

/// The number, or zero where it has no normal 32-bit form: kernels take denormals for zeros.
fn normal_or_zero(value: f32) -> f32 {
    if value.is_subnormal() { 0.0 } else { value }
}

/// Whether a table of weights has some under 2^-40 or zero, and its smallest positive one.
fn extremes(param: &Param, values: &[f32]) -> (bool, f32) {
    if matches!(param.shape, ParamShape::Input { .. }) {
        return (false, f32::INFINITY);
    }
    let is_small = values.iter().any(|&w| w < SMALL_WEIGHT);
    let floor = values.iter().copied().filter(|&w| w > 0.0).fold(f32::INFINITY, f32::min);
    (is_small, floor)
}
