//! The guards at work: in small sparse circuits, whatever sample they let pass has the right value and the
//! right flows, and without them some would not.

mod support;

use pcc_kernels::{Factor, GUARD_ENTRY, GUARD_MAXIMUM, GUARD_RAISE, Kernels, TILE, ZERO_EXPONENT};
use std::cell::Cell;
use support::bundle::Bundle;
use support::{Buffer, Numbers, each_tier};

/// Units of each group.
const K: usize = 6;

/// Rows of a group and its exponent.
const GROUP: usize = K + 1;

// Where the groups of a circuit lie: four leaves, two sums over products of two, a root over the product of
// those, its flow, and the flow of that product.
const LEAVES: usize = 0;
const PRODUCTS: usize = 4 * GROUP;
const SUMS: usize = 7 * GROUP;
const ROOT: usize = 9 * GROUP;
const FLOW: usize = ROOT + 2;
const ROWS: usize = FLOW + 1 + K;

/// A circuit of four leaves, two sums and a root.
struct Trial {
    leaves: Bundle,
    weights: [Buffer; 3],
    /// What is done about tiny entries of products.
    of_entries: usize,
}

impl Trial {
    fn random(numbers: &mut Numbers, of_entries: usize) -> Trial {
        let mut leaves = Bundle::new((2, 64), ROWS);
        for at in leaves.samples() {
            let depth = 125.0 * numbers.unit().powi(2);
            for leaf in 0..4 {
                let top = numbers.below(K);
                let mut largest = 0.0;
                for u in 0..K {
                    let tiny = if numbers.below(5) == 0 { 0.0 } else { numbers.power(-depth, 0.0) };
                    let value = if u == top { numbers.power(-1.0, 0.0) } else { tiny };
                    let value = if numbers.below(30) == 0 { 0.0 } else { value };
                    largest = f32::max(largest, value);
                    leaves.set(LEAVES + leaf * GROUP + u, at, value);
                }
                // Normalised, or zero.
                let scale = if largest > 0.0 { (-largest.log2().floor()).exp2() } else { 1.0 };
                for row in (0..K).map(|u| LEAVES + leaf * GROUP + u) {
                    leaves.set(row, at, leaves.at(row, at) * scale);
                }
                let exponent = if largest > 0.0 { -scale.log2() } else { ZERO_EXPONENT };
                leaves.set(LEAVES + leaf * GROUP + K, at, exponent);
            }
        }
        let mut weight = || if numbers.below(2) == 0 { 0.0 } else { numbers.power(-50.0, 0.0) };
        Trial { leaves, weights: [K * K, K * K, K].map(|n| Buffer::filled(n, &mut weight)), of_entries }
    }

    fn product(&self, kernels: &Kernels, bundle: &mut Bundle, children: [usize; 2], to: usize) {
        let factors = children.map(|row| Factor {
            rows: row as u32,
            exponent: (row + K) as u32,
            table: 0,
            row_exponents: 0,
        });
        let (tiles, base, none) = (bundle.tiles(), bundle.row(0), std::ptr::null());
        let (out, exponent, guard) = (bundle.row(to), bundle.row(to + K), GUARD_MAXIMUM | self.of_entries);
        // SAFETY: the bundle has these rows, and no factor is a leaf.
        unsafe { (kernels.product)(&tiles, 2, K, base, none, none, factors.as_ptr(), out, exponent, guard) };
    }

    fn sum(&self, kernels: &Kernels, bundle: &mut Bundle, m: usize, which: usize, terms: usize, to: usize) {
        let w = &self.weights[which];
        let floor = w.iter().copied().filter(|&x| x > 0.0).fold(1.0, f32::min);
        let tiles = bundle.tiles();
        let [terms, term_exponent, out, exponent] = [terms, terms + K, to, to + m].map(|row| bundle.row(row));
        // SAFETY: the bundle has these rows.
        unsafe {
            (kernels.sum)(&tiles, m, K, w.as_ptr(), &floor, 1, terms, term_exponent, out, exponent);
        }
    }

    /// Gives the bundle with everything upward.
    fn up(&self, kernels: &Kernels) -> Bundle {
        let mut bundle = self.leaves.copy();
        for i in 0..2 {
            let children = [2 * i, 2 * i + 1].map(|leaf| LEAVES + leaf * GROUP);
            self.product(kernels, &mut bundle, children, PRODUCTS + i * GROUP);
            self.sum(kernels, &mut bundle, K, i, PRODUCTS + i * GROUP, SUMS + i * GROUP);
        }
        self.product(kernels, &mut bundle, [SUMS, SUMS + GROUP], PRODUCTS + 2 * GROUP);
        self.sum(kernels, &mut bundle, 1, 2, PRODUCTS + 2 * GROUP, ROOT);
        bundle.check_marks();
        bundle
    }

    /// The statistics of the first sum's weights; samples that are marked have no flow.
    fn down(&self, kernels: &Kernels, bundle: &mut Bundle) -> Buffer {
        for at in bundle.samples() {
            let seed = if bundle.is_marked(at) { 0.0 } else { 1.0 };
            bundle.set(FLOW, at, seed);
        }
        let mut root_dw = Buffer::constant(K, 0.0);
        let to = FLOW + 1;
        self.sum_down(kernels, bundle, [1, 2], [ROOT, PRODUCTS + 2 * GROUP, FLOW], &mut root_dw, Some(to));
        let mut dw = Buffer::constant(K * K, 0.0);
        self.sum_down(kernels, bundle, [K, 0], [SUMS, PRODUCTS, to], &mut dw, None);
        dw
    }

    fn sum_down(
        &self,
        kernels: &Kernels,
        bundle: &mut Bundle,
        [m, which]: [usize; 2],
        [value, terms, flow]: [usize; 3],
        dw: &mut Buffer,
        to: Option<usize>,
    ) {
        let tiles = bundle.tiles();
        let mut scratch = Buffer::constant(tiles.n * (m + 2 * K.next_multiple_of(16)) * TILE, f32::NAN);
        let child_flow = to.map_or(std::ptr::null_mut(), |row| bundle.row(row));
        let [value, value_exponent, terms, term_exponent, flow] =
            [value, value + m, terms, terms + K, flow].map(|row| bundle.row(row));
        let (w, dw, scratch) = (self.weights[which].as_ptr(), dw.as_mut_ptr(), scratch.as_mut_ptr());
        // SAFETY: the bundle has these rows, and scratch the size that the contract asks.
        unsafe {
            (kernels.sum_down)(
                &tiles,
                m,
                K,
                w,
                flow,
                value,
                value_exponent,
                terms,
                term_exponent,
                dw,
                child_flow,
                0,
                scratch,
            );
        }
    }

    fn leaf(&self, leaf: usize, u: usize, at: (usize, usize)) -> f64 {
        let (row, exponent) = (LEAVES + leaf * GROUP + u, LEAVES + leaf * GROUP + K);
        self.leaves.f64(row, at) * self.leaves.f64(exponent, at).exp2()
    }

    /// The sums over the products of a pair of leaves, in float64.
    fn exact_sums(&self, i: usize, at: (usize, usize)) -> Vec<f64> {
        let term = |j: usize| self.leaf(2 * i, j, at) * self.leaf(2 * i + 1, j, at);
        (0..K).map(|u| (0..K).map(|j| f64::from(self.weights[i][u * K + j]) * term(j)).sum()).collect()
    }

    /// The root's value, and the flow over the value of each unit of the first sum.
    fn exact(&self, at: (usize, usize)) -> (f64, Vec<f64>) {
        let [left, right] = [0, 1].map(|i| self.exact_sums(i, at));
        let root: f64 = (0..K).map(|u| f64::from(self.weights[2][u]) * left[u] * right[u]).sum();
        (root, (0..K).map(|u| f64::from(self.weights[2][u]) * right[u] / root).collect())
    }

    /// Checks the flows, and gives each sample's mark and relative error of the root's value.
    fn run(&self, kernels: &Kernels) -> Vec<(bool, f64)> {
        let mut bundle = self.up(kernels);
        let dw = self.down(kernels, &mut bundle);
        let mut want_dw = vec![0.0; K * K];
        let errors = bundle.samples().map(|at| {
            let (want, through) = self.exact(at);
            if !bundle.is_marked(at) && want > 0.0 {
                for (u, j) in (0..K).flat_map(|u| (0..K).map(move |j| (u, j))) {
                    want_dw[u * K + j] += through[u] * self.leaf(0, j, at) * self.leaf(1, j, at);
                }
            }
            let got = bundle.f64(ROOT, at) * bundle.f64(ROOT + 1, at).exp2();
            (bundle.is_marked(at), if got == want { 0.0 } else { (got - want).abs() / want })
        });
        let errors = errors.collect();
        for at in 0..K * K {
            let weight = f64::from(self.weights[0][at]);
            let (got, want) = (weight * f64::from(dw[at]), weight * want_dw[at]);
            let near = (got - want).abs() <= (1e-4 * want).max(1e-7);
            assert!(near, "{:?}: flow {got:e} for {want:e}", kernels.tier);
        }
        errors
    }
}

/// How many samples passed and were marked, and the worst relative error of a marked one. Fails where one that
/// passed is wrong.
fn run_trials(of_entries: usize) -> (usize, usize, f64) {
    let mut numbers = Numbers::new(71);
    let (passed, marked) = (Cell::new(0), Cell::new(0));
    let worst_marked = Cell::new(0.0_f64);
    for _ in 0..200 {
        let trial = Trial::random(&mut numbers, of_entries);
        each_tier(|kernels| {
            for (is_marked, error) in trial.run(kernels) {
                if is_marked {
                    marked.set(marked.get() + 1);
                    worst_marked.set(worst_marked.get().max(error));
                } else {
                    passed.set(passed.get() + 1);
                    assert!(error <= 1e-5, "{:?}: relative error {error:e}", kernels.tier);
                }
            }
        });
    }
    (passed.get(), marked.get(), worst_marked.get())
}

#[test]
fn samples_that_pass_have_right_values_and_flows_and_others_need_not() {
    let (passed, marked, worst) = run_trials(GUARD_ENTRY);
    assert!(passed > 1000 && marked > 1000, "{passed} passed, {marked} marked");
    assert!(worst > 0.1, "without guards nothing went wrong: {worst:e}");
}

#[test]
fn fewer_are_marked_where_tiny_entries_are_raised_and_those_that_pass_are_right() {
    let (passed, marked, worst) = run_trials(GUARD_RAISE);
    assert!(marked > 1000, "{passed} passed, {marked} marked");
    assert!(worst > 0.1, "no raised entry went wrong: {worst:e}");
    let (_, all_marked, _) = run_trials(GUARD_ENTRY);
    assert!(marked < all_marked, "{marked} marked instead of {all_marked}");
}
