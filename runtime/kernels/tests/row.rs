//! Row arithmetic, flows of outer products and mixtures against scalar loops.

mod support;

use pcc_kernels::TILE;
use support::{Buffer, Numbers, assert_near, each_tier, samples};

/// One rounding of each of `k` additions of positive numbers, relative to the sum.
fn rounding(k: usize) -> f64 {
    (k + 2) as f64 * f64::from(f32::EPSILON)
}

#[test]
fn rows_are_added_copied_and_cleared_exactly() {
    let mut numbers = Numbers::new(11);
    for n in [1, 2, 3, 17] {
        let [a, b] = [(); 2].map(|()| Buffer::rows(n, |_, _| numbers.unit() as f32));
        each_tier(|kernels| {
            let (mut sum, mut copied, mut cleared) = (a.copy(), b.copy(), a.copy());
            // SAFETY: buffers of `n` rows; `add` may write over its first operand.
            unsafe {
                (kernels.add)(n, sum.as_ptr(), b.as_ptr(), sum.as_mut_ptr());
                (kernels.copy)(n, a.as_ptr(), copied.as_mut_ptr());
                (kernels.zero)(n, cleared.as_mut_ptr());
            }
            assert!((0..a.len()).all(|at| sum[at] == a[at] + b[at]));
            assert_eq!(&copied[..], &a[..]);
            assert!(cleared.iter().all(|&x| x == 0.0));
        });
    }
}

#[test]
fn flows_of_all_pairs_are_summed_back_to_both_groups() {
    let mut numbers = Numbers::new(13);
    for (na, nb) in [(1, 1), (2, 3), (5, 1), (1, 7), (16, 17)] {
        let [start_a, start_b, f] = [na, nb, na * nb].map(|n| Buffer::rows(n, |_, _| numbers.unit() as f32));
        each_tier(|kernels| {
            let (mut flow_a, mut flow_b) = (start_a.copy(), start_b.copy());
            // SAFETY: the buffers have the sizes of the contract.
            unsafe {
                (kernels.outer_left)(na, nb, f.as_ptr(), flow_a.as_mut_ptr());
                (kernels.outer_right)(na, nb, f.as_ptr(), flow_b.as_mut_ptr());
            }
            for s in 0..TILE {
                for i in 0..na {
                    let want = start_a.at(i, s) + (0..nb).map(|j| f.at(i * nb + j, s)).sum::<f64>();
                    assert_near(flow_a.at(i, s), want, want * rounding(nb), "left");
                }
                for j in 0..nb {
                    let want = start_b.at(j, s) + (0..na).map(|i| f.at(i * nb + j, s)).sum::<f64>();
                    assert_near(flow_b.at(j, s), want, want * rounding(na), "right");
                }
            }
        });
    }
}

#[test]
fn mixtures_sum_their_children_and_share_out_their_flows() {
    let mut numbers = Numbers::new(14);
    for (n, stride) in [(1, 1), (3, 2), (17, 5)] {
        let w = Buffer::filled((n - 1) * stride + 1, || numbers.unit() as f32);
        let [children, r, start] = [(); 3].map(|()| Buffer::rows(n, |_, _| numbers.unit() as f32));
        let before = Buffer::filled(n, || numbers.unit() as f32);
        each_tier(|kernels| {
            let (mut first, mut second, mut flow, mut dw) =
                (start.copy(), start.copy(), start.copy(), before.copy());
            let (w, child) = (&w, children.as_ptr());
            // SAFETY: the buffers have the sizes of the contract.
            unsafe {
                (kernels.mix_forward)(n, w.as_ptr(), stride, child, first.as_mut_ptr(), 0);
                (kernels.mix_forward)(n, w.as_ptr(), stride, child, second.as_mut_ptr(), 1);
                (kernels.mix_backward)(
                    n,
                    w.as_ptr(),
                    stride,
                    r.as_ptr(),
                    child,
                    dw.as_mut_ptr(),
                    1,
                    flow.as_mut_ptr(),
                );
            }
            for i in 0..n {
                let weight = f64::from(w[i * stride]);
                let mut want_dw = f64::from(before[i]);
                for s in 0..TILE {
                    let term = weight * children.at(i, s);
                    assert_near(first.at(i, s), term, term * rounding(1), "assigned");
                    let want = start.at(i, s) + term;
                    assert_near(second.at(i, s), want, want * rounding(1), "accumulated");
                    let want = start.at(i, s) + term * r.at(i, s);
                    assert_near(flow.at(i, s), want, want * rounding(2), "child's flow");
                    want_dw += r.at(i, s) * children.at(i, s);
                }
                assert_near(f64::from(dw[i]), want_dw, want_dw * rounding(TILE), "weight's flow");
            }
        });
    }
}

#[test]
fn guard_mix_marks_what_was_flushed_and_nothing_else() {
    let w = [2.0_f32.powi(-100), 0.0, 0.5];
    // Unit 0 is flushed in samples 1, 4, ..; unit 1 has weight 0; unit 2 is exactly 0 in odd samples.
    let child = Buffer::rows(3, |i, s| match (i, s % 3, s % 2) {
        (0, 1, _) => 2.0_f32.powi(-40),
        (0, _, _) => 1.0,
        (2, _, 1) => 0.0,
        _ => 1.0,
    });
    each_tier(|kernels| {
        let (mut out, mut marks) = (Buffer::constant(3 * TILE, 0.0), 1 << 63);
        // SAFETY: three rows and three weights.
        unsafe {
            (kernels.mix_forward)(3, w.as_ptr(), 1, child.as_ptr(), out.as_mut_ptr(), 0);
            (kernels.guard_mix)(3, w.as_ptr(), 1, child.as_ptr(), out.as_ptr(), &mut marks);
        }
        assert_eq!(marks, samples(|s| s % 3 == 1) | 1 << 63);
    });
}
