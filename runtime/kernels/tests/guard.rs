//! The guards, rule by rule: what triggers each, and what just doesn't.

mod support;

use pcc_kernels::{Factor, GUARD_ENTRY, GUARD_MAXIMUM, Kernels, TILE};
use support::bundle::Bundle;
use support::{Buffer, Numbers, each_tier};

/// Even samples of all tiles.
const EVEN: u64 = 0x5555_5555_5555_5555;

/// Groups of `width` units: mantissas by group, unit and sample, and exponents by group.
struct Groups<'a> {
    n: usize,
    width: usize,
    value: &'a dyn Fn(usize, usize, usize) -> f32,
    exponent: f32,
}

impl Groups<'_> {
    /// The marks of their product.
    fn product_marks(&self, kernels: &Kernels, guard: usize) -> u64 {
        let (n, width) = (self.n, self.width);
        let mut bundle = Bundle::new((2, 64), (n + 1) * (width + 1));
        for i in 0..n {
            let first = i * (width + 1);
            bundle.fill(first..first + width, |u, (_, s)| (self.value)(i, u, s));
            bundle.fill(first + width..first + width + 1, |_, _| self.exponent);
        }
        let row = |i: usize| (i * (width + 1)) as u32;
        let factor = |i| Factor { rows: row(i), exponent: row(i) + width as u32, table: 0, row_exponents: 0 };
        let factors: Vec<Factor> = (0..n).map(factor).collect();
        let (tiles, base, none) = (bundle.tiles(), bundle.row(0), std::ptr::null());
        let (out, exponent) = (bundle.row(n * (width + 1)), bundle.row(n * (width + 1) + width));
        // SAFETY: the bundle has these rows, and no factor is a leaf.
        unsafe {
            (kernels.product)(&tiles, n, width, base, none, none, factors.as_ptr(), out, exponent, guard);
        }
        bundle.check_marks();
        assert_eq!(bundle.marks[0], bundle.marks[1], "both tiles hold the same");
        bundle.marks[0]
    }
}

/// Widths that take every way through the kernels.
const WIDTHS: [usize; 7] = [2, 4, 5, 8, 16, 20, 64];

fn two(power: i32) -> f32 {
    (power as f32).exp2()
}

#[test]
fn a_product_whose_largest_falls_under_two_to_the_minus_60_is_marked() {
    for width in WIDTHS {
        let disjoint =
            |s: usize, i: usize, u: usize| if u % 2 == i { 1.0 } else { two(-30 - (s as i32 + 1) % 2) };
        // Each unit is large in one of the factors: at most 2^-31 or 2^-30.
        let tame = Groups { n: 2, width, value: &|i, u, s| disjoint(s, i, u), exponent: 3.0 };
        let value = |i: usize, u: usize, s: usize| match u % 2 == i {
            true => 1.0,
            false => two(if s.is_multiple_of(2) { -61 } else { -59 }),
        };
        let wild = Groups { value: &value, ..tame };
        each_tier(|kernels| {
            assert_eq!(tame.product_marks(kernels, GUARD_MAXIMUM), 0, "{:?} {width}", kernels.tier);
            assert_eq!(wild.product_marks(kernels, GUARD_MAXIMUM), EVEN, "{:?} {width}", kernels.tier);
        });
    }
}

#[test]
fn a_tiny_entry_of_a_product_is_marked_where_entries_matter() {
    for width in WIDTHS {
        let value = |_: usize, u: usize, s: usize| match (u, s % 2) {
            (1, 0) => two(-61),
            (1, _) => two(-59),
            _ => 1.5,
        };
        let groups = Groups { n: 2, width, value: &value, exponent: 0.0 };
        each_tier(|kernels| {
            let both = GUARD_MAXIMUM | GUARD_ENTRY;
            assert_eq!(groups.product_marks(kernels, both), EVEN, "{:?} {width}", kernels.tier);
            assert_eq!(groups.product_marks(kernels, GUARD_MAXIMUM), 0, "{:?} {width}", kernels.tier);
        });
    }
}

#[test]
fn an_exact_zero_is_never_a_loss() {
    for width in WIDTHS {
        let value = |i: usize, u: usize, s: usize| match (s % 3, u) {
            (0, _) if i == 1 => 0.0,
            (1, _) if u % 2 == i => 0.0,
            (2, 1) => 0.0,
            _ => 1.0,
        };
        let groups = Groups { n: 2, width, value: &value, exponent: -7.0 };
        each_tier(|kernels| {
            let marks = groups.product_marks(kernels, GUARD_MAXIMUM | GUARD_ENTRY);
            assert_eq!(marks, 0, "{:?} {width}", kernels.tier);
        });
    }
}

#[test]
fn a_long_product_that_falls_far_is_marked() {
    for (n, width) in [(5, 2), (8, 4), (9, 8), (12, 20)] {
        // Units take turns in being small: the largest product falls by a step at every second factor.
        let value = |i: usize, u: usize, s: usize| match (i + u).is_multiple_of(2) {
            true => 1.0,
            false => two(-(if s.is_multiple_of(2) { 60_usize.div_ceil(n / 2) } else { 50 / (n / 2) } as i32)),
        };
        let groups = Groups { n, width, value: &value, exponent: 0.0 };
        each_tier(|kernels| {
            let marks = groups.product_marks(kernels, GUARD_MAXIMUM);
            assert_eq!(marks, EVEN, "{:?} {n} factors of {width}", kernels.tier);
        });
    }
}

#[test]
fn exponents_out_of_range_are_marked() {
    for width in WIDTHS {
        each_tier(|kernels| {
            for (exponent, marks) in [(5e6, u64::MAX), (-5e6, u64::MAX), (4e6, 0), (-4e6, 0)] {
                let groups = Groups { n: 2, width, value: &|_, _, _| 1.0, exponent };
                assert_eq!(groups.product_marks(kernels, GUARD_MAXIMUM), marks, "{:?}", kernels.tier);
            }
        });
    }
}

/// The marks of a sum over terms given by unit and sample.
fn sum_marks(
    kernels: &Kernels,
    [m, k]: [usize; 2],
    w: &[f32],
    is_watched: bool,
    term: impl Fn(usize, usize) -> f32,
    exponent: f32,
) -> u64 {
    let mut bundle = Bundle::new((2, 64), k + m + 2);
    bundle.fill(0..k, |j, (_, s)| term(j, s));
    bundle.fill(k..k + 1, |_, _| exponent);
    let floor = w.iter().copied().filter(|&x| x > 0.0).fold(1.0, f32::min);
    let tiles = bundle.tiles();
    let [terms, term_exponent, out, exponent] = [0, k, k + 1, k + 1 + m].map(|row| bundle.row(row));
    let is_watched = usize::from(is_watched);
    // SAFETY: the bundle has these rows.
    unsafe {
        (kernels.sum)(&tiles, m, k, w.as_ptr(), &floor, is_watched, terms, term_exponent, out, exponent);
    }
    bundle.check_marks();
    assert!(bundle.samples().all(|at| (0..m + 1).all(|i| bundle.at(k + 1 + i, at).is_finite())));
    assert_eq!(bundle.marks[0], bundle.marks[1], "both tiles hold the same");
    bundle.marks[0]
}

#[test]
fn tiny_and_huge_sums_are_marked() {
    for [m, k] in [[1, 1], [4, 4], [5, 3], [16, 16], [33, 8], [300, 300]] {
        // The last sum is small, the others about 1.
        let weights =
            |low: f32| -> Vec<f32> { (0..m * k).map(|at| if at / k == m - 1 { low } else { 1.0 }).collect() };
        let even = |_: usize, s: usize| if s.is_multiple_of(2) { 1.0 } else { 16.0 };
        each_tier(|kernels| {
            let sizes = [m, k];
            let marks = |w: f32, exponent: f32| {
                let w = w / k as f32;
                sum_marks(kernels, sizes, &weights(w), true, even, exponent)
            };
            assert_eq!(marks(two(-102), 0.0), EVEN, "{:?} {sizes:?}: under 2^-100", kernels.tier);
            assert_eq!(marks(two(-98), 0.0), 0, "{:?} {sizes:?}: over 2^-100", kernels.tier);
            assert_eq!(marks(two(102), 0.0), u64::MAX, "{:?} {sizes:?}: over 2^100", kernels.tier);
            assert_eq!(marks(two(127), 0.0) & !EVEN, !EVEN, "{:?} {sizes:?}: infinite", kernels.tier);
            let top = 8_388_608.0 - 10.0;
            assert_eq!(marks(two(20), top), u64::MAX, "{:?} {sizes:?}: an exponent over 2^23", kernels.tier);
            assert_eq!(marks(two(20), top - 40.0), 0, "{:?} {sizes:?}: under it", kernels.tier);
        });
    }
}

#[test]
fn sums_of_flushed_terms_alone_are_marked_where_they_are_watched() {
    for [m, k] in [[1, 2], [4, 4], [8, 16], [20, 33], [300, 300]] {
        // The last sum sees the last term alone, by a weight of 2^-70.
        let weight = |at: usize| match (at / k == m - 1, at % k == k - 1) {
            (true, true) => two(-70),
            (true, false) => 0.0,
            _ => 1.0,
        };
        let w: Vec<f32> = (0..m * k).map(weight).collect();
        let term = |j: usize, s: usize| match (j == k - 1, s % 2) {
            (true, 0) => two(-60),
            (true, _) => 0.0,
            _ => 1.0,
        };
        each_tier(|kernels| {
            assert_eq!(sum_marks(kernels, [m, k], &w, true, term, 0.0), EVEN, "{:?}", kernels.tier);
            assert_eq!(sum_marks(kernels, [m, k], &w, false, term, 0.0), 0, "{:?}", kernels.tier);
        });
    }
}

#[test]
fn dense_circuits_with_leaf_ratios_up_to_e_to_the_40_are_never_marked() {
    let mut numbers = Numbers::new(35);
    for k in [4, 8, 16, 40] {
        for _ in 0..20 {
            let mut draw = || -> Vec<f32> {
                let peak: Vec<usize> = (0..TILE).map(|_| numbers.below(k)).collect();
                let unit =
                    |at: usize| if at / TILE == peak[at % TILE] { 1.0 } else { numbers.power(-28.8, 0.0) };
                (0..k * TILE).map(unit).collect()
            };
            let (a, b) = (draw(), draw());
            let w = Buffer::filled(k * k, || numbers.power(-20.0, 0.0));
            each_tier(|kernels| {
                let value =
                    |i: usize, u: usize, s: usize| if i == 0 { a[u * TILE + s] } else { b[u * TILE + s] };
                let groups = Groups { n: 2, width: k, value: &value, exponent: 0.0 };
                let product = |j: usize, s: usize| value(0, j, s) * value(1, j, s);
                let marks = groups.product_marks(kernels, GUARD_MAXIMUM | GUARD_ENTRY)
                    | sum_marks(kernels, [k, k], &w, true, product, 0.0);
                assert_eq!(marks, 0, "{:?}", kernels.tier);
            });
        }
    }
}
