//! The M-step of input tables, through the families' one definition.
//!
//! A group's table has one row of units for each parameter, its flows one row of units for each statistic.
//! Any family goes unit by unit through [`Distribution::maximize`]; categorical tables, which may have
//! thousands of rows, go row by row with the same arithmetic.

use super::Update;
use pcc_ir::Family;
use pcc_ir::family::{Distribution, Smoothing};

/// Moves the units of one group.
pub(super) fn maximize(family: Family, units: usize, flows: &[f32], update: &Update, theta: &mut [f32]) {
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
    update: &Update,
    theta: &mut [f32],
) {
    let count = update.count_of_unit(family.n_values().map_or(1, |n| n as usize));
    let smoothing = Smoothing { per_node: count };
    let mut stats = vec![0.0; family.n_stats()];
    let mut old = vec![0.0; family.n_params()];
    let mut new = vec![0.0; family.n_params()];
    for unit in 0..units {
        read_column(flows, units, unit, &mut stats);
        if usage(family, &stats) > 0.0 {
            read_column(theta, units, unit, &mut old);
            family.maximize(&stats, smoothing, &old, &mut new);
            family.blend(&old, update.step, &mut new);
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

/// What one unit's values become: `keep` times the old ones, `scale` times the counts, and `share`.
#[derive(Clone, Copy)]
struct Blend {
    keep: f64,
    scale: f64,
    share: f64,
}

fn maximize_categorical(units: usize, flows: &[f32], update: &Update, theta: &mut [f32]) {
    let values = flows.len() / units;
    let count = update.count_of_unit(values);
    let [used, mass] = [column_sums(units, flows), column_sums(units, theta)];
    let blend = |(&used, &mass): (&f64, &f64)| match used > 0.0 {
        true => {
            let scale = update.step / (used + count);
            let keep = if update.step == 1.0 { 0.0 } else { (1.0 - update.step) / mass };
            Blend { keep, scale, share: scale * count / values as f64 }
        }
        false => Blend { keep: 1.0, scale: 0.0, share: 0.0 },
    };
    let blends: Vec<Blend> = used.iter().zip(&mass).map(blend).collect();
    for (row, probabilities) in flows.chunks_exact(units).zip(theta.chunks_exact_mut(units)) {
        for ((p, &f), blend) in probabilities.iter_mut().zip(row).zip(&blends) {
            *p = (blend.keep * f64::from(*p) + blend.scale * f64::from(f) + blend.share) as f32;
        }
    }
}

fn column_sums(units: usize, table: &[f32]) -> Vec<f64> {
    let mut sums = vec![0.0; units];
    for row in table.chunks_exact(units) {
        for (sum, &x) in sums.iter_mut().zip(row) {
            *sum += f64::from(x);
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use pcc_ir::family::Categorical;
    use pcc_ir::recipe::Per;

    #[test]
    fn categorical_tables_follow_the_definition_of_the_family() {
        let (values, units) = (5, 3);
        let flows: Vec<f32> = (0..15).map(|i| if i % 3 == 1 { 0.0 } else { i as f32 * 0.7 }).collect();
        let old: Vec<f32> = (0..15).map(|i| [0.1, 0.2, 0.3, 0.15, 0.25][(i / 3 + i) % 5]).collect();
        for (step, per) in [(1.0, Per::Node), (0.3, Per::Cell), (0.0, Per::Node)] {
            let update = Update { step, pseudocount: 0.5, per, held: &[], threads: 1 };
            let [mut quick, mut slow] = [old.clone(), old.clone()];
            maximize_categorical(units, &flows, &update, &mut quick);
            maximize_units(&Categorical { n: values }, units, &flows, &update, &mut slow);
            for (a, b) in quick.iter().zip(&slow) {
                assert!((a - b).abs() < 1e-7, "{quick:?} {slow:?}");
            }
        }
    }
}
