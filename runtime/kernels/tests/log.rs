//! Logarithms brought over to mantissas, against float64, out to far tails.

mod support;

use pcc_kernels::{TILE, ZERO_EXPONENT};
use support::{Buffer, Numbers, check_logs, each_tier, samples};

#[test]
fn logarithms_come_over_with_exact_zeros_and_marks_for_what_has_none() {
    let mut numbers = Numbers::new(52);
    for n in [1, 2, 5, 33] {
        let scale: Vec<f64> = (0..TILE).map(|_| -(10.0 * numbers.unit()).exp()).collect();
        let logs = Buffer::rows(n, |i, s| match (s, numbers.below(4)) {
            (3, _) | (_, 0) => f32::NEG_INFINITY,
            (5, _) if i == 0 => f32::NAN,
            (6, _) if i == 0 => f32::INFINITY,
            (7, _) if i == 0 => 1e8,
            _ => (scale[s] - 60.0 * numbers.unit()) as f32,
        });
        let bad = samples(|s| (0..n).any(|i| logs[i * TILE + s].is_nan() || logs[i * TILE + s] > 1e7));
        each_tier(|kernels| {
            let (mut out, mut exponent, mut marks) = (logs.copy(), Buffer::constant(TILE, 7.0), 0);
            // SAFETY: `n` rows, in place.
            unsafe {
                let (rows, exponent) = (out.as_mut_ptr(), exponent.as_mut_ptr());
                (kernels.from_log)(n, rows, rows, exponent, &mut marks)
            };
            assert_eq!(marks, bad, "{:?}", kernels.tier);
            assert!(out.iter().chain(exponent.iter()).all(|x| x.is_finite()));
            for s in (0..TILE).filter(|s| bad >> s & 1 == 0) {
                let want: Vec<f64> = (0..n).map(|i| logs.at(i, s)).collect();
                check_logs(&want, |i| out.at(i, s), f64::from(exponent[s]), 1e-6, kernels.tier.name());
                if want.iter().all(|&x| x == f64::NEG_INFINITY) {
                    assert_eq!(exponent[s], ZERO_EXPONENT);
                }
            }
        });
    }
}

#[test]
fn mantissas_of_logarithms_are_within_a_relative_millionth_of_an_exponential() {
    let logs = Buffer::rows(87, |i, s| -(i as f32) - s as f32 / 64.0);
    // The first row is the largest of each sample, so that the rest is taken at all distances from it.
    each_tier(|kernels| {
        let (mut out, mut exponent, mut marks) = (logs.copy(), Buffer::constant(TILE, 7.0), 0);
        // SAFETY: 87 rows, in place.
        unsafe {
            let (rows, exponent) = (out.as_mut_ptr(), exponent.as_mut_ptr());
            (kernels.from_log)(87, rows, rows, exponent, &mut marks)
        };
        assert_eq!(marks, 0);
        for (i, s) in (0..85).flat_map(|i| (0..TILE).map(move |s| (i, s))) {
            let want = logs.at(i, s).exp();
            let got = out.at(i, s) * f64::from(exponent[s]).exp2();
            assert!((got / want - 1.0).abs() < 3e-7, "{:?}: {got:e} for {want:e}", kernels.tier);
        }
    });
}
