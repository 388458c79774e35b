//! Normal densities against float64, out to far tails.

mod support;

use pcc_kernels::TILE;
use std::f64::consts::{LN_2, TAU};
use support::{Buffer, Numbers, assert_near, each_tier, samples};

/// The logarithm of the smallest mantissa that a positive number gets, relative to the largest.
const SMALLEST: f64 = -124.0 * LN_2;

/// Checks mantissas and exponent of a sample against the exact logarithms of its units.
fn check_sample(want: &[f64], got: impl Fn(usize) -> f64, exponent: f64, what: &str) {
    let largest = want.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    for (u, &want) in want.iter().enumerate() {
        let log = got(u).ln() + exponent * LN_2;
        if want == f64::NEG_INFINITY {
            assert_eq!(got(u), 0.0, "{what}: an exact zero");
        } else if want < largest + SMALLEST + 1.0 {
            assert!(got(u) > 0.0 && log < largest + SMALLEST + 2.0, "{what}: positive and tiny");
        } else {
            assert_near(log, want, 1e-6 * want.abs().max(1.0), what);
        }
    }
}

#[test]
fn densities_agree_with_float64_out_to_far_tails() {
    let mut numbers = Numbers::new(51);
    for units in [1, 2, 3, 16, 17, 64] {
        let means: Vec<f32> = (0..units).map(|_| numbers.normal() as f32).collect();
        let sds: Vec<f64> = (0..units).map(|_| f64::from(numbers.power(-4.0, 4.0))).collect();
        let reciprocals: Vec<f32> = sds.iter().map(|sd| (1.0 / sd) as f32).collect();
        let norms: Vec<f32> = sds.iter().map(|sd| (-sd.ln() - 0.5 * TAU.ln()) as f32).collect();
        let params = [&means[..], &reciprocals, &norms].concat();
        // Every fourth value is a far tail, down to a logarithm of about -1e6.
        let xs = Buffer::rows(1, |_, s| match s % 4 {
            0 => (numbers.normal() * 1500.0) as f32,
            1 if s % 3 == 0 => f32::NAN,
            _ => numbers.normal() as f32,
        });
        each_tier(|kernels| {
            let (mut out, mut exponent) = (Buffer::constant(units * TILE, 7.0), Buffer::constant(TILE, 7.0));
            let mut marks = 0;
            // SAFETY: the buffers have the sizes of the contract.
            unsafe {
                let (out, exponent) = (out.as_mut_ptr(), exponent.as_mut_ptr());
                (kernels.leaf_gaussian)(units, params.as_ptr(), xs.as_ptr(), out, exponent, &mut marks)
            };
            assert_eq!(marks, 0);
            for s in 0..TILE {
                if xs[s].is_nan() {
                    assert!((0..units).all(|u| out.at(u, s) == 1.0) && exponent[s] == 0.0);
                    continue;
                }
                let want: Vec<f64> = (0..units)
                    .map(|u| {
                        let z = (f64::from(xs[s]) - f64::from(means[u])) * f64::from(reciprocals[u]);
                        f64::from(norms[u]) - 0.5 * z * z
                    })
                    .collect();
                check_sample(&want, |u| out.at(u, s), f64::from(exponent[s]), kernels.tier.name());
            }
        });
    }
}

#[test]
fn densities_out_of_range_are_marked_and_finite() {
    let xs = Buffer::rows(1, |_, s| [1e4, 1e19, f32::INFINITY, -1e30, f32::MAX, f32::NAN][s % 6]);
    let params = [0.0, 1.0, -0.918_938_5];
    each_tier(|kernels| {
        let (mut out, mut exponent, mut marks) =
            (Buffer::constant(TILE, 7.0), Buffer::constant(TILE, 7.0), 0);
        // SAFETY: one unit.
        unsafe {
            let (out, exponent) = (out.as_mut_ptr(), exponent.as_mut_ptr());
            (kernels.leaf_gaussian)(1, params.as_ptr(), xs.as_ptr(), out, exponent, &mut marks)
        };
        assert_eq!(marks, samples(|s| xs[s].is_finite() && xs[s].abs() > 0.0 || xs[s].is_infinite()));
        assert!(out.iter().chain(exponent.iter()).all(|x| x.is_finite()));
    });
}

#[test]
fn statistics_are_sums_of_flows_and_their_moments_over_observed_values() {
    let mut numbers = Numbers::new(53);
    for units in [1, 3, 17] {
        let xs = Buffer::rows(1, |_, s| if s % 7 == 2 { f32::NAN } else { numbers.normal() as f32 });
        let flow = Buffer::rows(units, |_, _| numbers.unit() as f32);
        let start = Buffer::filled(3 * units, || numbers.unit() as f32);
        each_tier(|kernels| {
            let mut stats = start.copy();
            // SAFETY: the buffers have the sizes of the contract.
            unsafe { (kernels.leaf_gaussian_stats)(units, xs.as_ptr(), flow.as_ptr(), stats.as_mut_ptr()) };
            for (power, u) in (0..3).flat_map(|power| (0..units).map(move |u| (power, u))) {
                let observed = (0..TILE).filter(|&s| !xs[s].is_nan());
                let gain: f64 = observed.map(|s| flow.at(u, s) * f64::from(xs[s]).powi(power as i32)).sum();
                let at = power * units + u;
                assert_near(f64::from(stats[at]), f64::from(start[at]) + gain, 1e-4, kernels.tier.name());
            }
        });
    }
}
