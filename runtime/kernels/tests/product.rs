//! Products of blocks and leaves against float64, over bundles of every shape.

mod support;

use pcc_kernels::{Factor, GUARD_ENTRY, GUARD_MAXIMUM, GUARD_RAISE, Kernels, LEAF, MISSING, ZERO_EXPONENT};
use std::cell::Cell;
use support::bundle::{Bundle, SHAPES, fill_group};
use support::{Buffer, Numbers, assert_near, each_tier};

const RULES: [usize; 2] = [GUARD_MAXIMUM, GUARD_MAXIMUM | GUARD_ENTRY];

/// A product to be computed: a bundle whose last `width + 1` rows are its result, and its factors.
struct Product {
    width: usize,
    bundle: Bundle,
    tables: Buffer,
    row_exponents: Buffer,
    factors: Vec<Factor>,
}

/// What the entries of a leaf's table are like.
#[derive(Clone, Copy)]
struct TableKind {
    n_values: usize,
    /// Entries are between two to the minus this and 1.
    depth: f64,
}

impl Product {
    /// `is_leaf` has an entry for each factor. Some codes are missing.
    fn random(
        shape: (usize, usize),
        width: usize,
        is_leaf: &[bool],
        kind: TableKind,
        depth: f64,
        numbers: &mut Numbers,
    ) -> Product {
        let n = is_leaf.len();
        let mut bundle = Bundle::new(shape, n + (n + 1) * (width + 1));
        let (mut tables, mut row_exponents) = (Vec::new(), Vec::new());
        let factors = (0..n).map(|i| {
            let rows = n + i * (width + 1);
            if !is_leaf[i] {
                fill_group(&mut bundle, rows, width, depth, numbers);
                return Factor {
                    rows: rows as u32,
                    exponent: (rows + width) as u32,
                    table: 0,
                    row_exponents: 0,
                };
            }
            let (table, exponents) = (tables.len() as u64, row_exponents.len() as u64);
            for value in 0..kind.n_values {
                let row: Vec<f32> = (0..width)
                    .map(|_| if numbers.below(6) == 0 { 0.0 } else { numbers.power(-kind.depth, 0.0) })
                    .collect();
                let row = if value == 1 { vec![0.0; width] } else { row };
                let largest = row.iter().copied().fold(0.0, f32::max);
                row_exponents.push(if largest > 0.0 { largest.log2().floor() } else { f32::NEG_INFINITY });
                tables.extend(row);
            }
            for at in bundle.samples() {
                let code = if numbers.below(8) == 0 { MISSING } else { numbers.below(kind.n_values) as u32 };
                bundle.set(i, at, f32::from_bits(code));
            }
            Factor { rows: i as u32, exponent: LEAF, table, row_exponents: exponents }
        });
        let factors = factors.collect();
        let buffer = |v: Vec<f32>| {
            let mut values = v.iter().copied();
            Buffer::filled(v.len(), || values.next().unwrap_or_default())
        };
        Product { width, bundle, tables: buffer(tables), row_exponents: buffer(row_exponents), factors }
    }

    /// The row at which the result begins.
    fn out(&self) -> usize {
        let n = self.factors.len();
        n + n * (self.width + 1)
    }

    /// Runs it; gives the bundle afterwards.
    fn run(&self, kernels: &Kernels, guard: usize) -> Bundle {
        let mut bundle = self.bundle.copy();
        let (tiles, base, out) = (bundle.tiles(), bundle.row(0), self.out());
        let (rows, exponent) = (bundle.row(out), bundle.row(out + self.width));
        let (tables, row_exponents) = (self.tables.as_ptr(), self.row_exponents.as_ptr());
        let factors = self.factors.as_ptr();
        // SAFETY: the bundle and the tables have the sizes that the factors say.
        unsafe {
            (kernels.product)(
                &tiles,
                self.factors.len(),
                self.width,
                base,
                tables,
                row_exponents,
                factors,
                rows,
                exponent,
                guard,
            );
        }
        bundle.check_marks();
        bundle
    }

    /// The logarithm to base 2 of a unit of a factor, exactly; minus infinity of 0.
    fn log_factor(&self, factor: &Factor, unit: usize, at: (usize, usize)) -> f64 {
        if factor.exponent != LEAF {
            let mantissa = self.bundle.f64(factor.rows as usize + unit, at).log2();
            return mantissa + self.bundle.f64(factor.exponent as usize, at);
        }
        match self.bundle.at(factor.rows as usize, at).to_bits() {
            MISSING => 0.0,
            code => f64::from(self.tables[factor.table as usize + code as usize * self.width + unit]).log2(),
        }
    }

    /// The logarithm of a unit of the product.
    fn log(&self, unit: usize, at: (usize, usize)) -> f64 {
        let logs = self.factors.iter().map(|f| self.log_factor(f, unit, at));
        logs.fold(0.0, |a, b| if b == f64::NEG_INFINITY { b } else { a + b })
    }

    /// How far the largest product lies under the product of the largest.
    fn fall(&self, at: (usize, usize)) -> f64 {
        let max = |logs: &mut dyn Iterator<Item = f64>| logs.fold(f64::NEG_INFINITY, f64::max);
        let tops = self.factors.iter().map(|f| max(&mut (0..self.width).map(|u| self.log_factor(f, u, at))));
        tops.sum::<f64>() - max(&mut (0..self.width).map(|u| self.log(u, at)))
    }

    /// Checks a sample that is not marked: all that a later sum may see.
    fn check(&self, got: &Bundle, at: (usize, usize), is_each_entry_kept: bool, what: &str) {
        let out = self.out();
        let largest = (0..self.width).map(|u| self.log(u, at)).fold(f64::NEG_INFINITY, f64::max);
        let exponent = got.f64(out + self.width, at);
        let top = (0..self.width).map(|u| got.f64(out + u, at)).fold(0.0, f64::max);
        if largest == f64::NEG_INFINITY {
            assert_eq!((top, exponent), (0.0, f64::from(ZERO_EXPONENT)), "{what}: a zero group");
            return;
        }
        assert!((-8.0..8.0).contains(&top.log2()), "{what}: the largest mantissa is {top:e}");
        for u in 0..self.width {
            let (got, want) = (got.f64(out + u, at), (self.log(u, at) - exponent).exp2());
            let lost = if is_each_entry_kept { 0.0 } else { top * (-64_f64).exp2() };
            assert_near(got, want, want * 2e-6 + lost, what);
        }
    }
}

impl Product {
    /// Checks a sample that is not marked, where tiny entries are raised; gives how many were.
    fn check_raised(&self, got: &Bundle, at: (usize, usize), what: &str) -> usize {
        self.check(got, at, false, what);
        let out = self.out();
        let mut n_raised = 0;
        for u in 0..self.width {
            let log = self.log(u, at);
            let (found, want) = (got.f64(out + u, at), (log - got.f64(out + self.width, at)).exp2());
            assert_eq!(found > 0.0, log > f64::NEG_INFINITY, "{what}: {found:e} for {want:e}");
            assert_near(found, want, want * 2e-6 + (-125_f64).exp2(), what);
            n_raised += usize::from(found > 2.0 * want);
        }
        n_raised
    }
}

/// Which of `n` factors are leaves.
fn leaves(n: usize, pattern: usize) -> Vec<bool> {
    (0..n).map(|i| pattern >> i & 1 == 1).collect()
}

#[test]
fn products_of_tame_factors_are_right_and_not_marked() {
    let mut numbers = Numbers::new(101);
    let kinds = [TableKind { n_values: 3, depth: 6.0 }, TableKind { n_values: 300, depth: 9.0 }];
    for width in [1, 2, 3, 4, 5, 8, 12, 15, 16, 17, 24, 33, 64, 100] {
        for shape in SHAPES {
            for is_leaf in
                [leaves(1, 0), leaves(1, 1), leaves(2, 0), leaves(2, 1), leaves(2, 2), leaves(3, 5)]
            {
                let kind = kinds[numbers.below(2)];
                let product = Product::random(shape, width, &is_leaf, kind, 6.0, &mut numbers);
                each_tier(|kernels| {
                    for guard in RULES {
                        let got = product.run(kernels, guard);
                        let what = format!("{:?} {shape:?} width {width} leaves {is_leaf:?}", kernels.tier);
                        for at in got.samples() {
                            assert!(!got.is_marked(at), "{what} at {at:?}: marked");
                            product.check(&got, at, true, &what);
                        }
                    }
                });
            }
        }
    }
}

#[test]
fn wild_products_are_right_where_they_are_not_marked() {
    let mut numbers = Numbers::new(102);
    let (mut n_marked, mut n_passed) = (0, 0);
    for round in 0..600 {
        let n = 1 + round % 12;
        let width = [1, 2, 3, 5, 8, 9, 16, 20, 40][numbers.below(9)];
        let shape = SHAPES[numbers.below(SHAPES.len())];
        let is_leaf = leaves(n, numbers.below(1 << n));
        let kind = TableKind { n_values: 2 + numbers.below(9), depth: 120.0 * numbers.unit().powi(2) };
        let depth = 120.0 * numbers.unit().powi(2);
        let product = Product::random(shape, width, &is_leaf, kind, depth, &mut numbers);
        each_tier(|kernels| {
            for guard in RULES {
                let got = product.run(kernels, guard);
                let what = format!("{:?} {shape:?} width {width} of {n}, rule {guard}", kernels.tier);
                for at in got.samples().filter(|&at| !got.is_marked(at)) {
                    // Sums keep 2^-126 of about 1, so an entry that the rule lets pass is kept whole.
                    product.check(&got, at, n <= 2 && guard & GUARD_ENTRY != 0, &what);
                }
            }
        });
        let got = product.run(pcc_kernels::tier(pcc_kernels::Tier::Portable).unwrap(), GUARD_MAXIMUM);
        let is_marked = |at: &(usize, usize)| got.is_marked(*at);
        n_marked += got.samples().filter(is_marked).count();
        n_passed += got.samples().filter(|at| !is_marked(at)).count();
    }
    assert!(n_marked > 500 && n_passed > 5000, "{n_marked} marked, {n_passed} passed");
}

#[test]
fn leaves_that_are_all_tiny_are_right_together() {
    let mut numbers = Numbers::new(109);
    for width in [3, 8, 9, 16, 33] {
        for n in [2, 3, 4, 6] {
            let kind = TableKind { n_values: 6, depth: 8.0 };
            let mut product = Product::random((2, 64), width, &vec![true; n], kind, 8.0, &mut numbers);
            // Together far under what one 32-bit number can be scaled by.
            product.tables.iter_mut().for_each(|x| *x *= 2.0_f32.powi(-90));
            product.row_exponents.iter_mut().for_each(|e| *e -= 90.0);
            each_tier(|kernels| {
                let got = product.run(kernels, GUARD_MAXIMUM);
                let what = format!("{:?} width {width} of {n} tiny leaves", kernels.tier);
                for at in got.samples() {
                    assert!(!got.is_marked(at) || product.fall(at) > 50.0, "{what}");
                    if !got.is_marked(at) {
                        product.check(&got, at, false, &what);
                    }
                }
            });
        }
    }
}

#[test]
fn a_product_that_did_not_fall_is_not_marked_for_its_maximum() {
    let mut numbers = Numbers::new(103);
    for n in 1..=12 {
        for width in [1, 4, 8, 16, 33] {
            let is_leaf = leaves(n, numbers.below(1 << n));
            let kind = TableKind { n_values: 4, depth: 3.0 };
            let product = Product::random((2, 64), width, &is_leaf, kind, 2.0, &mut numbers);
            each_tier(|kernels| {
                let got = product.run(kernels, GUARD_MAXIMUM);
                for at in got.samples().filter(|&at| product.fall(at) < 30.0) {
                    assert!(!got.is_marked(at), "{:?} {n} factors of {width}: marked", kernels.tier);
                }
            });
        }
    }
}

#[test]
fn tiny_products_stay_positive_where_they_are_raised() {
    let mut numbers = Numbers::new(104);
    let n_raised = Cell::new(0);
    for round in 0..300 {
        let n = [2, 2, 2, 3, 4, 6][round % 6];
        let width = [1, 2, 3, 4, 5, 8, 9, 16, 20, 40][numbers.below(10)];
        let shape = SHAPES[numbers.below(SHAPES.len())];
        let is_leaf = leaves(n, numbers.below(1 << n));
        let kind = TableKind { n_values: 2 + numbers.below(9), depth: 110.0 / n as f64 * numbers.unit() };
        let depth = 110.0 * numbers.unit();
        let product = Product::random(shape, width, &is_leaf, kind, depth, &mut numbers);
        each_tier(|kernels| {
            let what = format!("{:?} {shape:?} width {width} of {n}", kernels.tier);
            let got = product.run(kernels, GUARD_MAXIMUM | GUARD_RAISE);
            if n == 2 {
                let marks = product.run(kernels, GUARD_MAXIMUM).marks;
                assert_eq!(got.marks, marks, "{what}: marked for its maximum alone");
            }
            for at in got.samples().filter(|&at| !got.is_marked(at)) {
                n_raised.set(n_raised.get() + product.check_raised(&got, at, &what));
            }
        });
    }
    assert!(n_raised.get() > 1000, "{} raised: the test tests nothing", n_raised.get());
}
