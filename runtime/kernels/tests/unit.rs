//! Sums and products of single units, over huge gaps of exponents, against float64.

mod support;

use pcc_kernels::{NO_FLOW, TILE, ZERO_EXPONENT};
use support::{Buffer, Numbers, assert_near, each_tier, samples};

/// Units with a mantissa and an exponent row each: child `j` has rows `2 j` and `2 j + 1`.
struct Units {
    rows: Buffer,
    table: Vec<u32>,
}

impl Units {
    /// A tenth of the values is zero; exponents lie within `spread` of -3000.
    fn random(n: usize, spread: usize, numbers: &mut Numbers) -> Units {
        let zero: Vec<bool> = (0..n * TILE).map(|_| numbers.below(10) == 0).collect();
        let rows = Buffer::rows(2 * n, |row, s| match (row % 2, zero[row / 2 * TILE + s]) {
            (0, true) => 0.0,
            (_, true) => ZERO_EXPONENT,
            (0, false) => 1.0 + numbers.unit() as f32,
            _ => -3000.0 - numbers.below(spread) as f32,
        });
        // Children are listed backwards, so that the table matters.
        let table = (0..n as u32).rev().flat_map(|j| [2 * j, 2 * j + 1]).collect();
        Units { rows, table }
    }

    fn mantissa(&self, j: usize, s: usize) -> f64 {
        self.rows.at(self.table[2 * j] as usize, s)
    }

    /// The base-2 logarithm of child `j`.
    fn log2(&self, j: usize, s: usize) -> f64 {
        self.mantissa(j, s).log2() + self.rows.at(self.table[2 * j + 1] as usize, s)
    }
}

/// `log2` of a sum, given the logarithms of its terms.
fn log2_sum(terms: &[f64]) -> f64 {
    let largest = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if largest == f64::NEG_INFINITY {
        return largest;
    }
    largest + terms.iter().map(|t| (t - largest).exp2()).sum::<f64>().log2()
}

fn check(mantissa: &Buffer, exponent: &Buffer, s: usize, want: f64) {
    if want == f64::NEG_INFINITY {
        assert_eq!((mantissa[s], exponent[s]), (0.0, ZERO_EXPONENT));
    } else {
        assert!((1.0..2.0).contains(&mantissa[s]), "normalised: {}", mantissa[s]);
        assert_near(mantissa.at(0, s).log2() + exponent.at(0, s), want, 1e-5, "value");
    }
}

/// Weights, a third of them zero and one tiny.
fn weights(n: usize, numbers: &mut Numbers) -> Vec<f32> {
    (0..n)
        .map(|j| if j % 3 == 1 { 0.0 } else { numbers.power(if j == 3 { -120.0 } else { -3.0 }, 0.0) })
        .collect()
}

#[test]
fn sums_and_products_agree_with_float64_over_any_gap() {
    let mut numbers = Numbers::new(61);
    for n in [0, 1, 2, 3, 7, 20] {
        for spread in [1, 40, 1000] {
            let units = Units::random(n, spread, &mut numbers);
            let weights = weights(n, &mut numbers);
            each_tier(|kernels| {
                let [mut sum, mut of_sum, mut product, mut of_product] =
                    [(); 4].map(|()| Buffer::constant(TILE, 7.0));
                let (base, table, mut marks) = (units.rows.as_ptr(), units.table.as_ptr(), 0);
                // SAFETY: the table lists rows of the buffer.
                unsafe {
                    (kernels.sum_units)(
                        n,
                        weights.as_ptr(),
                        base,
                        table,
                        sum.as_mut_ptr(),
                        of_sum.as_mut_ptr(),
                        &mut marks,
                    );
                    (kernels.product_units)(
                        n,
                        base,
                        table,
                        product.as_mut_ptr(),
                        of_product.as_mut_ptr(),
                        &mut marks,
                    );
                }
                assert_eq!(marks, 0);
                for s in 0..TILE {
                    let terms: Vec<f64> =
                        (0..n).map(|j| f64::from(weights[j]).log2() + units.log2(j, s)).collect();
                    check(&sum, &of_sum, s, log2_sum(&terms));
                    check(&product, &of_product, s, (0..n).map(|j| units.log2(j, s)).sum());
                }
            });
        }
    }
}

#[test]
fn children_may_be_single_units_of_a_wide_group() {
    // The mantissas are far under their group's largest, and one is zero under an ordinary exponent.
    let mantissas = [2.0_f32.powi(-100), 0.0, 2.0_f32.powi(-110)];
    let exponents = [100.0, 4000.0, 109.0];
    let rows = Buffer::rows(6, |row, _| if row % 2 == 0 { mantissas[row / 2] } else { exponents[row / 2] });
    let (table, weights) = ([0, 1, 2, 3, 4, 5], [0.5, 0.25, 0.25]);
    each_tier(|kernels| {
        let (mut sum, mut exponent, mut marks) =
            (Buffer::constant(TILE, 7.0), Buffer::constant(TILE, 7.0), 0);
        // SAFETY: the table lists rows of the buffer.
        unsafe {
            let (out, exponent) = (sum.as_mut_ptr(), exponent.as_mut_ptr());
            (kernels.sum_units)(3, weights.as_ptr(), rows.as_ptr(), table.as_ptr(), out, exponent, &mut marks)
        };
        // 1/2 * 2^0 + 1/4 * 0 + 1/4 * 2^-1 = 5/8.
        assert!((0..TILE).all(|s| sum.at(0, s) * exponent.at(0, s).exp2() == 0.625));
    });
}

#[test]
fn exponents_out_of_range_are_marked() {
    let exponents = [-8e6_f32, -4e6, 8e6, 0.0];
    let rows = Buffer::rows(4, |row, s| match row {
        0 | 2 => 1.0,
        _ => exponents[s % 4] - if s < 32 { 0.0 } else { row as f32 },
    });
    each_tier(|kernels| {
        let (mut out, mut exponent, mut marks) =
            (Buffer::constant(TILE, 7.0), Buffer::constant(TILE, 7.0), 0);
        // SAFETY: the table lists rows of the buffer.
        unsafe {
            let (table, out, exponent) = ([0, 1, 2, 3], out.as_mut_ptr(), exponent.as_mut_ptr());
            (kernels.product_units)(2, rows.as_ptr(), table.as_ptr(), out, exponent, &mut marks)
        };
        assert_eq!(marks, samples(|s| [0, 2].contains(&(s % 4))));
    });
}

#[test]
fn flows_of_sums_reach_their_children() {
    let mut numbers = Numbers::new(62);
    for n in [1, 2, 3, 7] {
        let units = Units::random(n, 60, &mut numbers);
        let weights = weights(n, &mut numbers);
        let flow = Buffer::rows(1, |_, s| if s == 8 { 0.0 } else { numbers.unit() as f32 });
        let start = Buffer::rows(n, |_, _| numbers.unit() as f32);
        let mut rows: Vec<u32> = (0..n as u32).rev().collect();
        rows[n - 1] = if n > 2 { NO_FLOW } else { rows[n - 1] };
        each_tier(|kernels| {
            let [mut value, mut exponent] = [(); 2].map(|()| Buffer::constant(TILE, 7.0));
            let mut of_sum = start.copy();
            let mut dw = Buffer::constant(n, 0.5);
            let (w, base, table, mut marks) =
                (weights.as_ptr(), units.rows.as_ptr(), units.table.as_ptr(), 0);
            // SAFETY: the tables list rows of the buffers.
            unsafe {
                (kernels.sum_units)(n, w, base, table, value.as_mut_ptr(), exponent.as_mut_ptr(), &mut marks);
                (kernels.sum_units_flow)(
                    n,
                    w,
                    base,
                    table,
                    value.as_ptr(),
                    exponent.as_ptr(),
                    flow.as_ptr(),
                    of_sum.as_mut_ptr(),
                    rows.as_ptr(),
                    dw.as_mut_ptr(),
                );
            }
            for j in 0..n {
                let weight = f64::from(weights[j]);
                let mut want_dw = 0.5;
                for s in 0..TILE {
                    let terms: Vec<f64> =
                        (0..n).map(|i| f64::from(weights[i]).log2() + units.log2(i, s)).collect();
                    let total = log2_sum(&terms);
                    let ratio = if total.is_finite() { (units.log2(j, s) - total).exp2() } else { 0.0 };
                    let share = if weight > 0.0 { flow.at(0, s) * ratio } else { 0.0 };
                    want_dw += share;
                    if rows[j] != NO_FLOW {
                        let row = rows[j] as usize;
                        let want = start.at(row, s) + weight * share;
                        assert_near(of_sum.at(row, s), want, 2e-6, kernels.tier.name());
                    }
                }
                assert_near(f64::from(dw[j]), want_dw, 1e-5 * want_dw, kernels.tier.name());
            }
            if rows[n - 1] == NO_FLOW {
                assert!((0..TILE).all(|s| of_sum.at(0, s) == start.at(0, s)), "row 0 belongs to no child");
            }
        });
    }
}
