//! Sums and their flows against float64, over bundles of every shape.

mod support;

use pcc_kernels::{Kernels, TILE, ZERO_EXPONENT};
use support::bundle::{Bundle, SHAPES, fill_group};
use support::{Buffer, Numbers, assert_near, each_tier};

/// A sum of `m` units over `k`, with its flow.
struct Sum {
    m: usize,
    k: usize,
    w: Buffer,
    /// Rows of terms and their exponent, of the value and its exponent, of the flow, and of the terms' flow.
    bundle: Bundle,
}

impl Sum {
    fn random(shape: (usize, usize), m: usize, k: usize, wildness: f64, numbers: &mut Numbers) -> Sum {
        let is_sparse = wildness > 0.0 && numbers.below(2) == 0;
        let w = Buffer::filled(m * k, || match is_sparse && numbers.below(2) == 0 {
            true => 0.0,
            false => numbers.power(-1.0 - wildness / 2.0, -1.0),
        });
        let mut bundle = Bundle::new(shape, 2 * (k + m + 1));
        fill_group(&mut bundle, 0, k, 6.0 + wildness, numbers);
        let flow = k + 1 + m + 1;
        bundle.fill(flow..flow + m, |_, _| if numbers.below(9) == 0 { 0.0 } else { numbers.unit() as f32 });
        bundle.fill(flow + m..flow + m + k, |_, _| numbers.unit() as f32);
        Sum { m, k, w, bundle }
    }

    fn value(&self) -> usize {
        self.k + 1
    }

    fn flow(&self) -> usize {
        self.value() + self.m + 1
    }

    fn child_flow(&self) -> usize {
        self.flow() + self.m
    }

    /// The sums, from the terms.
    fn up(&self, kernels: &Kernels, is_watched: bool) -> Bundle {
        let mut bundle = self.bundle.copy();
        let floor = self.w.iter().copied().filter(|&x| x > 0.0).fold(1.0, f32::min);
        let (tiles, value) = (bundle.tiles(), self.value());
        let [terms, term_exponent, out, exponent] =
            [0, self.k, value, value + self.m].map(|row| bundle.row(row));
        let (m, k, w) = (self.m, self.k, self.w.as_ptr());
        // SAFETY: the bundle has these rows.
        unsafe {
            (kernels.sum)(
                &tiles,
                m,
                k,
                w,
                &floor,
                usize::from(is_watched),
                terms,
                term_exponent,
                out,
                exponent,
            );
        }
        bundle.check_marks();
        bundle
    }

    /// The flows, with the values of `bundle`; gives the statistics.
    fn down(&self, kernels: &Kernels, bundle: &mut Bundle, start: &Buffer, into: Option<usize>) -> Buffer {
        let tiles = bundle.tiles();
        let (m, k, w, value) = (self.m, self.k, self.w.as_ptr(), self.value());
        let [terms, term_exponent, values, value_exponent, flow, child_flow] =
            [0, k, value, value + m, self.flow(), self.child_flow()].map(|row| bundle.row(row));
        let child_flow = if into.is_some() { child_flow } else { std::ptr::null_mut() };
        let mut dw = start.copy();
        let mut scratch = Buffer::constant(tiles.n * (m + 2 * k.next_multiple_of(16)) * TILE, f32::NAN);
        // SAFETY: the bundle has these rows, and scratch has the size that the contract asks.
        unsafe {
            (kernels.sum_down)(
                &tiles,
                m,
                k,
                w,
                flow,
                values,
                value_exponent,
                terms,
                term_exponent,
                dw.as_mut_ptr(),
                child_flow,
                into.unwrap_or(0),
                scratch.as_mut_ptr(),
            );
        }
        dw
    }

    fn weight(&self, i: usize, j: usize) -> f64 {
        f64::from(self.w[i * self.k + j])
    }

    /// A sum in units of its terms' exponent.
    fn exact(&self, i: usize, at: (usize, usize)) -> f64 {
        (0..self.k).map(|j| self.weight(i, j) * self.bundle.f64(j, at)).sum()
    }

    /// What the flow of unit `i` is divided by: as computed, in units of the terms' exponent.
    fn ratio(&self, up: &Bundle, i: usize, at: (usize, usize)) -> f64 {
        let value = self.value();
        let shift = up.f64(value + self.m, at) - up.f64(self.k, at);
        let (flow, value) = (up.f64(self.flow() + i, at), up.f64(value + i, at) * shift.exp2());
        if flow > 0.0 && value > 0.0 { flow / value } else { 0.0 }
    }

    /// Checks the sums of a sample that is not marked.
    fn check(&self, got: &Bundle, at: (usize, usize), what: &str) {
        let exponent = got.f64(self.value() + self.m, at);
        let values: Vec<f64> = (0..self.m).map(|i| got.f64(self.value() + i, at)).collect();
        let top = values.iter().copied().fold(0.0, f64::max);
        assert!(top == 0.0 || (-8.0..8.0).contains(&top.log2()), "{what}: the largest mantissa is {top:e}");
        assert!(top > 0.0 || exponent == f64::from(ZERO_EXPONENT), "{what}: a zero group");
        for i in 0..self.m {
            let want = self.exact(i, at);
            let want = if want == 0.0 { 0.0 } else { want * (got.f64(self.k, at) - exponent).exp2() };
            assert_near(values[i], want, want * (1e-6 + rounding(self.k)), what);
        }
    }
}

/// The worst rounding of a sum of `n` positive terms, relative to the sum.
fn rounding(n: usize) -> f64 {
    (n + 6) as f64 * f64::from(f32::EPSILON)
}

const SIZES: [usize; 12] = [1, 2, 3, 4, 5, 8, 15, 16, 17, 33, 64, 100];

/// Pairs of sizes that together show all of both.
fn sizes() -> impl Iterator<Item = (usize, usize)> {
    SIZES.into_iter().flat_map(|n| [(n, n), (1, n), (n, 1), (8, n), (n, 17), (n, 33)])
}

#[test]
fn tame_sums_are_right_and_not_marked() {
    let mut numbers = Numbers::new(111);
    for (m, k) in sizes() {
        for shape in SHAPES {
            let sum = Sum::random(shape, m, k, 0.0, &mut numbers);
            each_tier(|kernels| {
                let got = sum.up(kernels, numbers_are_even(m + k));
                let what = format!("{:?} {shape:?} {m} x {k}", kernels.tier);
                for at in got.samples() {
                    assert!(!got.is_marked(at), "{what} at {at:?}: marked");
                    sum.check(&got, at, &what);
                }
            });
        }
    }
}

fn numbers_are_even(n: usize) -> bool {
    n.is_multiple_of(2)
}

#[test]
fn wild_sums_are_right_where_they_are_not_marked() {
    let mut numbers = Numbers::new(112);
    let (mut n_marked, mut n_passed) = (0, 0);
    for _ in 0..800 {
        let [m, k] = [(); 2].map(|()| SIZES[numbers.below(10)]);
        let shape = SHAPES[numbers.below(SHAPES.len())];
        let wildness = 125.0 * numbers.unit().powi(2);
        let sum = Sum::random(shape, m, k, wildness, &mut numbers);
        each_tier(|kernels| {
            let got = sum.up(kernels, true);
            for at in got.samples().filter(|&at| !got.is_marked(at)) {
                sum.check(&got, at, &format!("{:?} {shape:?} {m} x {k}", kernels.tier));
            }
        });
        let got = sum.up(pcc_kernels::tier(pcc_kernels::Tier::Portable).unwrap(), true);
        n_marked += got.samples().filter(|&at| got.is_marked(at)).count();
        n_passed += got.samples().filter(|&at| !got.is_marked(at)).count();
    }
    assert!(n_marked > 500 && n_passed > 5000, "{n_marked} marked, {n_passed} passed");
}

#[test]
fn flows_of_sums_agree_with_float64() {
    let mut numbers = Numbers::new(113);
    for (m, k) in sizes() {
        for shape in SHAPES {
            let sum = Sum::random(shape, m, k, 0.0, &mut numbers);
            let start = Buffer::filled(m * k, || numbers.unit() as f32);
            each_tier(|kernels| {
                for into in [None, Some(0), Some(1)] {
                    let up = sum.up(kernels, false);
                    let mut got = up.copy();
                    let dw = sum.down(kernels, &mut got, &start, into);
                    let what = format!("{:?} {shape:?} {m} x {k} into {into:?}", kernels.tier);
                    check_statistics(&sum, &up, &start, &dw, &what);
                    check_child_flow(&sum, &up, &got, into, &what);
                }
            });
        }
    }
}

fn check_statistics(sum: &Sum, up: &Bundle, start: &Buffer, dw: &Buffer, what: &str) {
    for (i, j) in (0..sum.m).flat_map(|i| (0..sum.k).map(move |j| (i, j))) {
        let gain: f64 = up.samples().map(|at| sum.ratio(up, i, at) * up.f64(j, at)).sum();
        let at = i * sum.k + j;
        let (got, before) = (f64::from(dw[at]), f64::from(start[at]));
        assert_near(got, before + gain, before * 1e-6 + gain * (1e-6 + rounding(256)), what);
    }
}

fn check_child_flow(sum: &Sum, up: &Bundle, got: &Bundle, into: Option<usize>, what: &str) {
    for at in up.samples() {
        let ratios: Vec<f64> = (0..sum.m).map(|i| sum.ratio(up, i, at)).collect();
        for j in 0..sum.k {
            let row = sum.child_flow() + j;
            let before = if into == Some(0) { 0.0 } else { up.f64(row, at) };
            let gain = if into.is_none() { 0.0 } else { up.f64(j, at) };
            let gain = gain * (0..sum.m).map(|i| sum.weight(i, j) * ratios[i]).sum::<f64>();
            let error = before * 1e-6 + gain * (2e-6 + rounding(sum.m));
            assert_near(got.f64(row, at), before + gain, error, what);
        }
    }
}

#[test]
fn marked_samples_without_flow_have_no_part_in_flows() {
    let mut numbers = Numbers::new(114);
    for (m, k) in [(1, 1), (5, 3), (8, 8), (16, 40), (64, 64)] {
        let mut sum = Sum::random((4, 64), m, k, 0.0, &mut numbers);
        // Terms far out of range, values that have overflowed or vanished, and a flow of 0.
        for at in sum.bundle.samples().filter(|(_, s)| s % 3 == 0) {
            for j in 0..k {
                sum.bundle.set(j, at, [0.0, f32::MAX, f32::MIN_POSITIVE][at.1 / 3 % 3]);
            }
            for i in 0..m {
                sum.bundle.set(sum.flow() + i, at, 0.0);
            }
        }
        let start = Buffer::constant(m * k, 0.0);
        each_tier(|kernels| {
            let up = sum.up(kernels, true);
            let mut got = up.copy();
            let dw = sum.down(kernels, &mut got, &start, Some(0));
            check_statistics(&sum, &up, &start, &dw, kernels.tier.name());
            check_child_flow(&sum, &up, &got, Some(0), kernels.tier.name());
        });
    }
}
