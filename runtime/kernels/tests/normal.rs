//! Products of normal densities and their statistics against float64, for one leaf and for many, with values
//! far from means, means far from zero, and values missing.

mod support;

use pcc_kernels::{Kernels, MAX_TILES, NormalLeaf};
use std::f64::consts::{LN_2, TAU};
use support::bundle::{Bundle, SHAPES};
use support::{Buffer, Numbers, assert_near, each_tier};

/// The logarithm of the smallest mantissa that a positive number gets, relative to the largest.
const SMALLEST: f64 = -124.0 * LN_2;

/// Checks mantissas and exponent of a sample against the exact logarithms of its units: within a relative
/// 1e-6, or within `error`.
fn check_logs(want: &[f64], got: impl Fn(usize) -> f64, exponent: f64, error: f64, what: &str) {
    let largest = want.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    for (u, &want) in want.iter().enumerate() {
        let log = got(u).ln() + exponent * LN_2;
        if want < largest + SMALLEST + 1.0 {
            assert!(got(u) > 0.0 && log < largest + SMALLEST + 2.0, "{what}: positive and tiny");
        } else {
            assert_near(log, want, error.max(1e-6 * want.abs()), what);
        }
    }
}

/// Leaves over the first rows of a bundle; tables and statistics lie in the order of the leaves.
struct Leaves {
    units: usize,
    tables: Buffer,
    leaves: Vec<NormalLeaf>,
}

impl Leaves {
    /// Deviations are between `2^-spread` and `2^spread`, means about that far apart, and all far from zero.
    fn new(n: usize, units: usize, spread: f64, numbers: &mut Numbers) -> Leaves {
        let mut tables = Vec::new();
        for _ in 0..n {
            let centre = 1000.0 * numbers.normal();
            let sds: Vec<f64> = (0..units).map(|_| f64::from(numbers.power(-spread, spread))).collect();
            tables.extend((0..units).map(|_| (centre + spread * numbers.normal()) as f32));
            tables.extend(sds.iter().map(|sd| (1.0 / sd) as f32));
            tables.extend(sds.iter().map(|sd| (-sd.ln() - 0.5 * TAU.ln()) as f32));
        }
        let mut values = tables.into_iter();
        let tables = Buffer::filled(3 * units * n, || values.next().unwrap());
        let start = |i: usize| (3 * units * i) as u64;
        let leaves = (0..n).map(|i| NormalLeaf { row: i as u32, table: start(i), stats: start(i) }).collect();
        Leaves { units, tables, leaves }
    }

    fn n(&self) -> usize {
        self.leaves.len()
    }

    /// One of a unit's three numbers for a leaf.
    fn number(&self, leaf: usize, row: usize, unit: usize) -> f64 {
        f64::from(self.tables[(3 * leaf + row) * self.units + unit])
    }

    /// Values near the means, a few of them far.
    fn fill(&self, bundle: &mut Bundle, missing: f64, far: f64, numbers: &mut Numbers) {
        bundle.fill(0..self.n(), |leaf, _| {
            let unit = numbers.below(self.units);
            let distance = numbers.normal() / self.number(leaf, 1, unit);
            let factor = if numbers.below(9) == 0 { far } else { 1.0 };
            let x = self.number(leaf, 0, unit) + factor * distance;
            if numbers.unit() < missing { f32::NAN } else { x as f32 }
        });
    }

    /// The logarithm of a unit's product, and the sum of the sizes of its terms.
    fn log(&self, bundle: &Bundle, unit: usize, at: (usize, usize)) -> (f64, f64) {
        let observed = (0..self.n()).filter(|&leaf| !bundle.at(leaf, at).is_nan());
        observed.fold((0.0, 0.0), |(log, size), leaf| {
            let z = (bundle.f64(leaf, at) - self.number(leaf, 0, unit)) * self.number(leaf, 1, unit);
            let norm = self.number(leaf, 2, unit);
            (log + norm - 0.5 * z * z, size + norm.abs() + 0.5 * z * z)
        })
    }

    /// Runs the kernel: the block lies behind the values.
    fn run(&self, kernels: &Kernels, bundle: &mut Bundle) {
        let tiles = bundle.tiles();
        let (n, units) = (self.n(), self.units);
        let [base, out, exponent] = [0, n, n + units].map(|row| bundle.row(row));
        let (tables, leaves) = (self.tables.as_ptr(), self.leaves.as_ptr());
        // SAFETY: the bundle has rows for the values, the units and their exponent.
        unsafe { (kernels.normal)(&tiles, n, units, base, tables, leaves, out, exponent) };
    }
}

#[test]
fn products_of_densities_agree_with_float64() {
    let mut numbers = Numbers::new(61);
    for (case, shape) in (0..24).zip(SHAPES.into_iter().cycle()) {
        let n = [1, 2, 5, 49, 64, 65, 130, 784][case % 8];
        let units = [1, 2, 3, 7, 8, 16, 17, 33][(case + case / 8) % 8];
        let leaves = Leaves::new(n, units, [0.5, 2.0][case % 2], &mut numbers);
        let mut values = Bundle::new(shape, n + units + 1);
        let far = if case % 3 == 0 { 30.0 } else { 3.0 };
        leaves.fill(&mut values, [0.0, 0.3, 0.01, 1.0][case % 4], far, &mut numbers);
        each_tier(|kernels| {
            let mut bundle = values.copy();
            leaves.run(kernels, &mut bundle);
            assert_eq!(bundle.marks, [0; MAX_TILES]);
            for at in bundle.samples() {
                let logs: Vec<(f64, f64)> = (0..units).map(|u| leaves.log(&bundle, u, at)).collect();
                let want: Vec<f64> = logs.iter().map(|log| log.0).collect();
                // The contract is 1e-5 for each variable; sums of many keep more.
                let size = logs.iter().map(|log| log.1).fold(0.0, f64::max);
                let error = 3e-7 * size + 1e-6;
                let got = |unit| bundle.f64(n + unit, at);
                check_logs(&want, got, bundle.f64(n + units, at), error, kernels.tier.name());
                if size < 20.0 * n as f64 {
                    assert!(error < 1e-5 * n as f64 || n == 1);
                }
            }
        });
    }
}

/// How units compare must not suffer from how small all of them are: flows are made of their ratios.
#[test]
fn units_of_many_leaves_are_exact_relative_to_each_other() {
    let mut numbers = Numbers::new(62);
    let (n, units) = (784, 4);
    let mut leaves = Leaves::new(n, units, 0.0, &mut numbers);
    // All units alike, but for one in eight of the leaves.
    for leaf in 0..n {
        for unit in 1..units {
            let shift = if leaf % 8 == 0 { 0.1 * unit as f32 } else { 0.0 };
            leaves.tables[3 * units * leaf + unit] = leaves.tables[3 * units * leaf] + shift;
        }
    }
    let mut values = Bundle::new((1, 64), n + units + 1);
    leaves.fill(&mut values, 0.0, 1.0, &mut numbers);
    each_tier(|kernels| {
        let mut bundle = values.copy();
        leaves.run(kernels, &mut bundle);
        for at in bundle.samples() {
            let want = |unit| leaves.log(&bundle, unit, at).0 - leaves.log(&bundle, 0, at).0;
            for unit in 1..units {
                let got = (bundle.f64(n + unit, at) / bundle.f64(n, at)).ln();
                assert_near(got, want(unit), 5e-5, kernels.tier.name());
            }
        }
    });
}

#[test]
fn densities_out_of_range_are_marked_and_finite() {
    let far = [1e4, 1e19, f32::INFINITY, -1e30, f32::MAX, f32::NEG_INFINITY, 0.5, f32::NAN];
    let table = Buffer::filled(3, {
        let mut numbers = [0.0, 1.0, -0.918_938_5].into_iter();
        move || numbers.next().unwrap()
    });
    for n in [1, 3] {
        let leaves = (0..n).map(|row| NormalLeaf { row, table: 0, stats: 0 }).collect();
        let leaves = Leaves { units: 1, tables: table.copy(), leaves };
        let mut values = Bundle::new((2, 32), n as usize + 2);
        values.fill(0..n as usize, |row, (_, s)| if row == 0 { far[s % 8] } else { 0.25 });
        each_tier(|kernels| {
            let mut bundle = values.copy();
            leaves.run(kernels, &mut bundle);
            bundle.check_marks();
            for at in bundle.samples() {
                assert_eq!(bundle.is_marked(at), at.1 % 8 < 6, "sample {at:?}");
                assert!((0..2).all(|row| bundle.at(n as usize + row, at).is_finite()));
            }
        });
    }
}

#[test]
fn statistics_are_sums_of_flows_and_of_their_distances_from_the_mean() {
    let mut numbers = Numbers::new(63);
    for (case, shape) in (0..24).zip(SHAPES.into_iter().cycle()) {
        let n = [1, 2, 4, 7, 8, 9, 21, 49][case % 8];
        let units = [1, 3, 8, 15, 16, 17, 32, 40][(case + case / 8) % 8];
        let leaves = Leaves::new(n, units, 1.0, &mut numbers);
        let mut values = Bundle::new(shape, n + units);
        leaves.fill(&mut values, [0.0, 0.3, 0.001, 1.0][case % 4], 3.0, &mut numbers);
        values.fill(n..n + units, |_, _| numbers.unit() as f32);
        let start = Buffer::filled(3 * units * n, || numbers.unit() as f32);
        each_tier(|kernels| {
            let mut bundle = values.copy();
            let mut stats = start.copy();
            let mut scratch = Buffer::constant(bundle.n * units.next_multiple_of(16) * 64, f32::NAN);
            let tiles = bundle.tiles();
            let [base, flow] = [0, n].map(|row| bundle.row(row));
            let (tables, list) = (leaves.tables.as_ptr(), leaves.leaves.as_ptr());
            // SAFETY: the bundle has rows for values and flows, and the buffers the sizes of the contract.
            unsafe {
                let (stats, scratch) = (stats.as_mut_ptr(), scratch.as_mut_ptr());
                (kernels.normal_down)(&tiles, n, units, base, tables, list, flow, stats, scratch)
            };
            for (leaf, unit) in (0..n).flat_map(|leaf| (0..units).map(move |unit| (leaf, unit))) {
                let observed = bundle.samples().filter(|&at| !bundle.at(leaf, at).is_nan());
                let terms: Vec<(f64, f64)> = observed
                    .map(|at| (bundle.f64(n + unit, at), bundle.f64(leaf, at) - leaves.number(leaf, 0, unit)))
                    .collect();
                for power in 0..3 {
                    let at = (3 * leaf + power as usize) * units + unit;
                    let terms = terms.iter().map(|(flow, distance)| flow * distance.powi(power));
                    let size: f64 = terms.clone().map(f64::abs).sum();
                    let want = f64::from(start[at]) + terms.sum::<f64>();
                    assert_near(f64::from(stats[at]), want, 1e-5 * size + 1e-6, kernels.tier.name());
                }
            }
        });
    }
}
