//! The guards at work: in small sparse circuits, whatever sample they let pass has the right value and the
//! right flows, and without them some would not.

mod support;

use pcc_kernels::{GUARD_ENTRY, GUARD_MAXIMUM, Kernels, TILE};
use std::cell::Cell;
use support::{Buffer, Numbers, each_tier, wide_rows};

/// Units of each group.
const K: usize = 6;

/// A group's mantissas and exponents.
struct Group {
    rows: Buffer,
    exponent: Buffer,
}

/// A sum layer over the products of two groups, with what the downward pass needs.
struct Sum {
    value: Group,
    products: Group,
}

/// Computes a sum of `m` units as compiled code would, with all guards.
fn sum(kernels: &Kernels, m: usize, w: &Buffer, a: &Group, b: &Group, marks: &mut u64) -> Sum {
    let floor = w.iter().copied().filter(|&x| x > 0.0).fold(1.0, f32::min);
    let [mut products, mut rows] = [K, m].map(|n| Buffer::constant(n * TILE, 0.0));
    let mut exponent = Buffer::constant(TILE, 0.0);
    let (a_rows, b_rows, guard) = (a.rows.as_ptr(), b.rows.as_ptr(), GUARD_MAXIMUM | GUARD_ENTRY);
    let (w, out, e) = (w.as_ptr(), rows.as_mut_ptr(), products.as_mut_ptr());
    // SAFETY: the buffers have the sizes of the contract.
    unsafe {
        (kernels.add)(1, a.exponent.as_ptr(), b.exponent.as_ptr(), exponent.as_mut_ptr());
        (kernels.product_matmul)(m, K, w, K, 1, a_rows, b_rows, out, 0, e, guard, marks);
        (kernels.guard_sum)(m, K, w, K, 1, &floor, e, out, marks);
    }
    let products = Group { rows: products, exponent: exponent.copy() };
    // SAFETY: `m` rows and a row of exponents.
    unsafe { (kernels.rescale)(m, out, exponent.as_mut_ptr(), guard, marks) };
    Sum { value: Group { rows, exponent }, products }
}

/// The flows through the weights of `left`, divided by the weights, given a root over `left` times
/// another group; samples that are marked have no flow.
fn flows(kernels: &Kernels, root_w: &Buffer, root: &Sum, left: &Sum, marks: u64) -> Buffer {
    let mut ratio = Buffer::rows(1, |_, s| if marks >> s & 1 == 0 { 1.0 } else { 0.0 });
    let [mut flow, mut scratch] = [K, 16].map(|n| Buffer::constant(n * TILE, 0.0));
    let mut dw = Buffer::constant(K * K, 0.0);
    let divide = |n: usize, flow: *mut f32, sum: &Sum| {
        let (value, products) = (&sum.value, &sum.products);
        let exponents = (value.exponent.as_ptr(), products.exponent.as_ptr());
        // SAFETY: `n` rows of flow, replaced by their ratios, and of values.
        unsafe { (kernels.ratio)(n, flow, value.rows.as_ptr(), exponents.0, exponents.1, flow) };
    };
    divide(1, ratio.as_mut_ptr(), root);
    let down = flow.as_mut_ptr();
    // SAFETY: the buffers have the sizes of the contract; the root has one row of `K` weights.
    unsafe {
        (kernels.matmul)(K, 1, root_w.as_ptr(), 1, K, ratio.as_ptr(), down, 0);
        (kernels.multiply)(K, down, root.products.rows.as_ptr(), down);
    }
    divide(K, down, left);
    let e = left.products.rows.as_ptr();
    // SAFETY: the same, and scratch for a multiple of 16 rows.
    unsafe { (kernels.flow)(K, K, down, e, dw.as_mut_ptr(), K, scratch.as_mut_ptr()) };
    dw
}

/// The sums of one sample in float64.
fn exact_sum(m: usize, w: &Buffer, a: &[f64], b: &[f64]) -> Vec<f64> {
    (0..m).map(|i| (0..K).map(|j| f64::from(w[i * K + j]) * a[j] * b[j]).sum()).collect()
}

/// One random circuit of four leaves, two sums and a root: checks it in one tier.
struct Trial {
    leaves: [Buffer; 4],
    weights: [Buffer; 2],
    root_w: Buffer,
}

impl Trial {
    fn random(numbers: &mut Numbers) -> Trial {
        let leaves = [(); 4].map(|()| wide_rows(K, numbers));
        let mut weight = || if numbers.below(2) == 0 { 0.0 } else { numbers.power(-50.0, 0.0) };
        let weights = [(); 2].map(|()| Buffer::filled(K * K, &mut weight));
        Trial { leaves, weights, root_w: Buffer::filled(K, &mut weight) }
    }

    /// Gives the marks and each sample's relative error of the root's value.
    fn run(&self, kernels: &Kernels) -> (u64, Vec<f64>) {
        let group = |rows: &Buffer| Group { rows: rows.copy(), exponent: Buffer::constant(TILE, 0.0) };
        let [a, b, c, d] = self.leaves.each_ref().map(group);
        let mut marks = 0;
        let left = sum(kernels, K, &self.weights[0], &a, &b, &mut marks);
        let right = sum(kernels, K, &self.weights[1], &c, &d, &mut marks);
        let root = sum(kernels, 1, &self.root_w, &left.value, &right.value, &mut marks);
        let dw = flows(kernels, &self.root_w, &root, &left, marks);
        let mut want_dw = vec![0.0; K * K];
        let errors = (0..TILE).map(|s| {
            let leaf = self.leaves.each_ref().map(|rows| (0..K).map(|i| rows.at(i, s)).collect::<Vec<_>>());
            let left = exact_sum(K, &self.weights[0], &leaf[0], &leaf[1]);
            let right = exact_sum(K, &self.weights[1], &leaf[2], &leaf[3]);
            let want = exact_sum(1, &self.root_w, &left, &right)[0];
            if marks >> s & 1 == 0 && want > 0.0 {
                for (i, j) in (0..K).flat_map(|i| (0..K).map(move |j| (i, j))) {
                    let through = f64::from(self.root_w[i]) * right[i] / want;
                    want_dw[i * K + j] += through * leaf[0][j] * leaf[1][j];
                }
            }
            let got = root.value.rows.at(0, s) * root.value.exponent.at(0, s).exp2();
            if got == want { 0.0 } else { (got - want).abs() / want }
        });
        let errors = errors.collect();
        for at in 0..K * K {
            let weight = f64::from(self.weights[0][at]);
            let (got, want) = (weight * f64::from(dw[at]), weight * want_dw[at]);
            let near = (got - want).abs() <= (1e-4 * want).max(1e-7);
            assert!(near, "{:?}: flow {got:e} for {want:e}", kernels.tier);
        }
        (marks, errors)
    }
}

#[test]
fn samples_that_pass_have_right_values_and_flows_and_others_need_not() {
    let mut numbers = Numbers::new(71);
    let (passed, marked) = (Cell::new(0), Cell::new(0));
    let worst_marked = Cell::new(0.0_f64);
    for _ in 0..300 {
        let trial = Trial::random(&mut numbers);
        each_tier(|kernels| {
            let (marks, errors) = trial.run(kernels);
            for (s, error) in errors.into_iter().enumerate() {
                if marks >> s & 1 == 1 {
                    marked.set(marked.get() + 1);
                    worst_marked.set(worst_marked.get().max(error));
                } else {
                    passed.set(passed.get() + 1);
                    assert!(error <= 2e-6, "{:?}: relative error {error:e}", kernels.tier);
                }
            }
        });
    }
    assert!(passed.get() > 1000 && marked.get() > 1000, "{} passed, {} marked", passed.get(), marked.get());
    assert!(worst_marked.get() > 0.1, "without guards nothing went wrong: {:e}", worst_marked.get());
}
