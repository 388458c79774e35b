//! The M-step of input tables, through the families' one definition.
//!
//! A group's table has one row of units for each parameter, its flows one row of units for each statistic.
//! Any family goes unit by unit through [`Distribution::maximize`]; categorical tables, which may have
//! thousands of rows, go row by row with the same arithmetic.

use super::blend::{Blend, LARGEST_SCALE};
use super::em::TableUpdate;
use super::strips::{add_column_sums, each_strip, strip, strip_mut};
use pcc_ir::Family;
use pcc_ir::family::{Distribution, Smoothing};

/// Moves the units of one group.
pub(crate) fn maximize(family: Family, units: usize, flows: &[f32], update: TableUpdate, theta: &mut [f32]) {
    match family {
        Family::Categorical(_) => maximize_categorical(units, flows, update, theta),
        _ => maximize_units(family.get(), units, flows, update, theta),
    }
}

/// How much a unit was used: the sum of its counts, or the weight that stands first in its statistics.
fn usage(family: &dyn Distribution, stats: &[f64]) -> f64 {
    match family.n_values() {
        Some(_) => stats.iter().sum(),
        None => stats[0],
    }
}

fn maximize_units(
    family: &dyn Distribution,
    units: usize,
    flows: &[f32],
    update: TableUpdate,
    theta: &mut [f32],
) {
    let count = update.count_of_unit(family.n_values().map_or(1, |n| n as usize));
    let smoothing = Smoothing { per_node: count };
    let mut stats = vec![0.0; family.n_stats()];
    let mut old = vec![0.0; family.n_params()];
    let mut new = vec![0.0; family.n_params()];
    for unit in 0..units {
        read_column(flows, units, unit, &mut stats);
        let used = usage(family, &stats);
        if used > 0.0 {
            read_column(theta, units, unit, &mut old);
            family.maximize(&stats, smoothing, &old, &mut new);
            family.blend(&old, update.step_of(unit, used), &mut new);
            write_column(&new, units, unit, theta);
        }
    }
}

/// Copies a unit's column out of a row-major table.
pub(super) fn read_column(table: &[f32], units: usize, unit: usize, into: &mut [f64]) {
    for (row, x) in into.iter_mut().enumerate() {
        *x = f64::from(table[row * units + unit]);
    }
}

/// Copies a unit's column into a row-major table.
pub(super) fn write_column(column: &[f64], units: usize, unit: usize, table: &mut [f32]) {
    for (row, x) in column.iter().enumerate() {
        table[row * units + unit] = *x as f32;
    }
}

/// What the values of each unit become: `keep` times the old ones, `scale` times the counts, and `share`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Blends {
    units: Vec<Blend>,
    /// The same in 32 bits, apart.
    keep: Vec<f32>,
    scale: Vec<f32>,
    share: Vec<f32>,
    /// Whether some scale is beyond 32 bits.
    is_wide: bool,
}

impl Blends {
    /// The blends of units with `values` values each, by how much they were `used` and by the `mass` of their
    /// old values, which may be wrong where the step is 1.
    pub(crate) fn set(&mut self, update: &TableUpdate, values: usize, used: &[f64], mass: &[f64]) {
        self.clear();
        let units = used.iter().zip(mass).enumerate();
        units.for_each(|(unit, (&used, &mass))| self.push(Blend::of(update, unit, values, used, mass)));
    }

    fn clear(&mut self) {
        self.units.clear();
        [&mut self.keep, &mut self.scale, &mut self.share].into_iter().for_each(Vec::clear);
        self.is_wide = false;
    }

    /// Adds a unit.
    pub(crate) fn push(&mut self, blend: Blend) {
        self.is_wide |= blend.scale > LARGEST_SCALE;
        self.keep.push(blend.keep as f32);
        self.scale.push(blend.scale as f32);
        self.share.push(blend.share as f32);
        self.units.push(blend);
    }

    /// How many units there are.
    pub(crate) fn n_units(&self) -> usize {
        self.units.len()
    }

    /// Moves the probabilities of one value.
    #[inline(always)]
    pub(crate) fn blend_row(&self, counts: &[f32], probabilities: &mut [f32]) {
        match self.is_wide {
            true => self.blend_wide_row(counts, probabilities),
            false => {
                each_strip!(probabilities.len(), |at, N| self.blend_strip::<N>(counts, probabilities, at))
            }
        }
    }

    #[inline(always)]
    fn blend_strip<const N: usize>(&self, counts: &[f32], probabilities: &mut [f32], at: usize) {
        let (keep, scale) = (strip::<N, f32>(&self.keep, at), strip::<N, f32>(&self.scale, at));
        let (share, f) = (strip::<N, f32>(&self.share, at), strip::<N, f32>(counts, at));
        let p = strip_mut::<N, f32>(probabilities, at);
        for i in 0..N {
            p[i] = keep[i] * p[i] + (scale[i] * f[i] + share[i]);
        }
    }

    #[cold]
    fn blend_wide_row(&self, counts: &[f32], probabilities: &mut [f32]) {
        for ((p, f), blend) in probabilities.iter_mut().zip(counts).zip(&self.units) {
            *p = blend.apply(*p, *f);
        }
    }
}

/// How much each unit of a categorical table was used, and the mass of its values, as far as they were added.
#[derive(Clone, Debug, Default)]
pub(crate) struct Columns {
    pub(crate) used: Vec<f64>,
    pub(crate) mass: Vec<f64>,
}

impl Columns {
    /// Forgets what was added, for a table of so many units.
    pub(crate) fn reset(&mut self, units: usize) {
        for sums in [&mut self.used, &mut self.mass] {
            sums.clear();
            sums.resize(units, 0.0);
        }
    }

    /// Adds the sums over other rows of the same table.
    pub(crate) fn join(&mut self, other: &Self) {
        for (sums, others) in [(&mut self.used, &other.used), (&mut self.mass, &other.mass)] {
            sums.iter_mut().zip(others).for_each(|(sum, other)| *sum += other);
        }
    }

    /// Adds some rows.
    #[inline(always)]
    pub(crate) fn add(&mut self, flows: &[f32], theta: &[f32], update: &TableUpdate) {
        add_column_sums(flows, &mut self.used);
        if update.step != 1.0 {
            add_column_sums(theta, &mut self.mass);
        }
    }
}

fn maximize_categorical(units: usize, flows: &[f32], update: TableUpdate, theta: &mut [f32]) {
    let (mut columns, mut blends) = (Columns::default(), Blends::default());
    columns.reset(units);
    columns.add(flows, theta, &update);
    blends.set(&update, flows.len() / units, &columns.used, &columns.mass);
    for (counts, probabilities) in flows.chunks_exact(units).zip(theta.chunks_exact_mut(units)) {
        blends.blend_row(counts, probabilities);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::tests::circuits::Make;
    use crate::train::Update;
    use pcc_ir::family::Categorical;
    use pcc_ir::recipe::Per;
    use pcc_ir::{Domain, ParamId};

    #[test]
    fn categorical_tables_follow_the_definition_of_the_family() {
        let (values, units) = (5, 3);
        let mut make = Make::new(1, Domain::Cat(values));
        let leaf = make.categorical(0, values, units as u32, None);
        let root = make.sum(&[leaf], 1, None);
        let graph = make.finish(root);
        let flows: Vec<f32> = (0..15).map(|i| if i % 3 == 1 { 0.0 } else { i as f32 * 0.7 }).collect();
        let old: Vec<f32> = (0..15).map(|i| [0.1, 0.2, 0.3, 0.15, 0.25][(i / 3 + i) % 5]).collect();
        for (step, per) in [(1.0, Per::Node), (0.3, Per::Cell), (0.0, Per::Node)] {
            let update = Update { step, pseudocount: 0.5, per, rows: Some(40.0), held: &[], threads: 1 };
            let mut update = update.of_table(&graph, ParamId(0), None);
            update.reach = &[0.1, 0.5, 0.7];
            let [mut quick, mut slow] = [old.clone(), old.clone()];
            maximize_categorical(units, &flows, update, &mut quick);
            maximize_units(&Categorical { n: values }, units, &flows, update, &mut slow);
            for (a, b) in quick.iter().zip(&slow) {
                assert!((a - b).abs() < 1e-7, "{quick:?} {slow:?}");
            }
        }
    }
}
