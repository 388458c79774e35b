//! The guards: no sample with a loss may pass, and samples without any must.

mod support;

use pcc_kernels::{GUARD_ENTRY, GUARD_MAXIMUM, TILE};
use support::{Buffer, Numbers, each_tier, samples, wide_rows};

const RULES: [usize; 4] = [0, GUARD_MAXIMUM, GUARD_ENTRY, GUARD_MAXIMUM | GUARD_ENTRY];

/// What the rules for products say of one sample's factors, in float64.
fn product_rule(pairs: &[(f64, f64)], guard: usize) -> bool {
    let largest = pairs.iter().map(|(x, y)| x * y).fold(0.0, f64::max);
    let smallest = pairs.iter().map(|(x, y)| x * y).filter(|&p| p > 0.0).fold(1.0, f64::min);
    let low = largest > 0.0 && largest < (-60_f64).exp2();
    guard & GUARD_MAXIMUM != 0 && low || guard & GUARD_ENTRY != 0 && smallest < (-120_f64).exp2()
}

#[test]
fn products_are_marked_exactly_by_the_rules() {
    let mut numbers = Numbers::new(31);
    for n in [1, 2, 3, 8, 33] {
        for _ in 0..20 {
            let [a, b] = [(); 2].map(|()| wide_rows(n, &mut numbers));
            each_tier(|kernels| {
                for guard in RULES {
                    let (mut marks, mut fused) = (0, 0);
                    let (mut out, mut scratch) = (Buffer::constant(TILE, 0.0), a.copy());
                    let ones = vec![1.0; n];
                    // SAFETY: `n` rows each, `n` weights and one row of results.
                    unsafe {
                        (kernels.guard_product)(n, a.as_ptr(), b.as_ptr(), guard, &mut marks);
                        (kernels.product_matmul)(
                            1,
                            n,
                            ones.as_ptr(),
                            n,
                            1,
                            a.as_ptr(),
                            b.as_ptr(),
                            out.as_mut_ptr(),
                            0,
                            scratch.as_mut_ptr(),
                            guard,
                            &mut fused,
                        );
                    }
                    let want = samples(|s| {
                        let pairs: Vec<_> = (0..n).map(|i| (a.at(i, s), b.at(i, s))).collect();
                        product_rule(&pairs, guard)
                    });
                    assert_eq!((marks, fused), (want, want), "{:?} rule {guard}", kernels.tier);
                }
            });
        }
    }
}

#[test]
fn outer_products_are_marked_exactly_by_the_rules() {
    let mut numbers = Numbers::new(32);
    for (na, nb) in [(1, 1), (2, 3), (5, 8)] {
        for _ in 0..20 {
            let (a, b) = (wide_rows(na, &mut numbers), wide_rows(nb, &mut numbers));
            each_tier(|kernels| {
                for guard in RULES {
                    let mut marks = 0;
                    // SAFETY: the groups have these sizes.
                    unsafe { (kernels.guard_outer)(na, nb, a.as_ptr(), b.as_ptr(), guard, &mut marks) };
                    let want = samples(|s| {
                        let pairs = |i: usize| (i / nb, i % nb);
                        let pairs: Vec<_> =
                            (0..na * nb).map(pairs).map(|(i, j)| (a.at(i, s), b.at(j, s))).collect();
                        product_rule(&pairs, guard)
                    });
                    assert_eq!(marks, want, "{:?} rule {guard}", kernels.tier);
                }
            });
        }
    }
}

#[test]
fn sums_that_lost_every_term_are_marked_and_exact_zeros_are_not() {
    let mut numbers = Numbers::new(33);
    let smallest = f64::from(f32::MIN_POSITIVE);
    for (m, k) in [(1, 1), (2, 3), (7, 5), (17, 33)] {
        for round in 0..40 {
            // Rounds with and without tiny weights, so that both paths are taken.
            let low = if round % 2 == 0 { -5.0 } else { -60.0 };
            let w =
                Buffer::filled(m * k, || if numbers.below(3) > 0 { 0.0 } else { numbers.power(low, 0.0) });
            let floor = w.iter().copied().filter(|&x| x > 0.0).fold(1.0, f32::min);
            let e = wide_rows(k, &mut numbers);
            each_tier(|kernels| {
                let (mut out, mut marks) = (Buffer::constant(m * TILE, 7.0), 0);
                // SAFETY: the buffers have the sizes of the contract.
                unsafe {
                    (kernels.matmul)(m, k, w.as_ptr(), k, 1, e.as_ptr(), out.as_mut_ptr(), 0);
                    (kernels.guard_sum)(m, k, w.as_ptr(), k, 1, &floor, e.as_ptr(), out.as_ptr(), &mut marks);
                }
                let sum = |i: usize, s: usize| -> f64 {
                    (0..k).map(|j| f64::from(w[i * k + j]) * e.at(j, s)).sum()
                };
                for s in 0..TILE {
                    let marked = marks >> s & 1 == 1;
                    let lost = (0..m).any(|i| out.at(i, s) == 0.0 && sum(i, s) > 0.0);
                    assert_eq!(marked, lost, "{:?} {m}x{k} sample {s}", kernels.tier);
                    let flushed = (0..m).any(|i| sum(i, s) > 0.0 && sum(i, s) < 0.5 * smallest);
                    assert!(marked || !flushed, "a sum far under the smallest number must be marked");
                }
            });
        }
    }
}

#[test]
fn dense_circuits_with_leaf_ratios_up_to_e_to_the_40_are_never_marked() {
    let mut numbers = Numbers::new(35);
    let k = 8;
    for _ in 0..100 {
        let [a, b] = [(); 2].map(|()| {
            let peak: Vec<usize> = (0..TILE).map(|_| numbers.below(k)).collect();
            Buffer::rows(k, |i, s| if i == peak[s] { 1.0 } else { numbers.power(-28.8, 0.0) })
        });
        let w = Buffer::filled(k * k, || numbers.power(-20.0, 0.0));
        each_tier(|kernels| {
            let (mut out, mut scratch) = (a.copy(), b.copy());
            let (mut exponent, mut marks) = (Buffer::constant(TILE, 0.0), 0);
            let guard = GUARD_MAXIMUM | GUARD_ENTRY;
            // SAFETY: the buffers have the sizes of the contract.
            unsafe {
                (kernels.product_matmul)(
                    k,
                    k,
                    w.as_ptr(),
                    k,
                    1,
                    a.as_ptr(),
                    b.as_ptr(),
                    out.as_mut_ptr(),
                    0,
                    scratch.as_mut_ptr(),
                    guard,
                    &mut marks,
                );
                (kernels.rescale)(k, out.as_mut_ptr(), exponent.as_mut_ptr(), guard, &mut marks);
            }
            assert_eq!(marks, 0, "{:?}", kernels.tier);
        });
    }
}

/// A group of `width` rows with its exponent row behind it, its maximum in [1, 2), and entries down to
/// `2^-depth` of it.
fn group(width: usize, depth: f64, numbers: &mut Numbers) -> Vec<f32> {
    let mut rows = vec![0.0; (width + 1) * TILE];
    for s in 0..TILE {
        let top = numbers.below(width);
        for i in 0..width {
            let power = if i == top { numbers.power(0.0, 0.99) } else { numbers.power(-depth, 0.99) };
            rows[i * TILE + s] = power;
        }
        rows[width * TILE + s] = numbers.below(41) as f32 - 20.0;
    }
    rows
}

#[test]
fn a_product_that_fell_too_far_is_marked_and_what_is_kept_is_right() {
    let mut numbers = Numbers::new(77);
    let (mut n_marked, mut n_passed) = (0, 0);
    for (n, width, depth) in [(3, 4, 20.0), (4, 2, 60.0), (8, 5, 30.0), (60, 3, 2.0), (40, 8, 10.0)] {
        let arena: Vec<f32> = (0..n).flat_map(|_| group(width, depth, &mut numbers)).collect();
        let first = |i: usize| i * (width + 1);
        let list: Vec<u32> = (0..n).flat_map(|i| [first(i) as u32, (first(i) + width) as u32]).collect();
        // log2 of each unit's product, and of the product of the maxima, in float64.
        let log = |i: usize, u: usize, s: usize| f64::from(arena[(first(i) + u) * TILE + s]).log2();
        let unit = |u: usize, s: usize| (0..n).map(|i| log(i, u, s)).sum::<f64>();
        let top = |s: usize| -> f64 {
            (0..n).map(|i| (0..width).map(|u| log(i, u, s)).fold(f64::MIN, f64::max)).sum()
        };
        each_tier(|kernels| {
            let mut rows = Buffer::rows(width, |u, s| arena[u * TILE + s]);
            let mut exponent = Buffer::rows(1, |_, s| arena[width * TILE + s]);
            let (mut by_steps, mut by_fall) = (0, 0);
            for i in 1..n {
                let factor = arena[first(i) * TILE..].as_ptr();
                let of_factor = arena[(first(i) + width) * TILE..].as_ptr();
                // SAFETY: `width` rows and one exponent row on both sides.
                unsafe {
                    let maximum = GUARD_MAXIMUM;
                    (kernels.guard_product)(width, rows.as_ptr(), factor, maximum, &mut by_steps);
                    (kernels.multiply)(width, rows.as_ptr(), factor, rows.as_mut_ptr());
                    (kernels.add)(1, exponent.as_ptr(), of_factor, exponent.as_mut_ptr());
                    (kernels.rescale)(width, rows.as_mut_ptr(), exponent.as_mut_ptr(), 0, &mut by_steps);
                }
            }
            // SAFETY: the list names `n` groups of `width` rows in the arena.
            unsafe {
                (kernels.guard_fall)(
                    n,
                    width,
                    arena.as_ptr(),
                    list.as_ptr(),
                    exponent.as_ptr(),
                    &mut by_fall,
                );
            }
            for s in 0..TILE {
                let best = (0..width).map(|u| unit(u, s)).fold(f64::MIN, f64::max);
                let fall = top(s) - best;
                let is_marked = (by_steps | by_fall) >> s & 1 == 1;
                assert!(is_marked || fall < 57.5, "{:?}: fell by 2^{fall} unseen", kernels.tier);
                assert!(by_fall >> s & 1 == 0 || fall > 55.0, "{:?}: marked at 2^{fall}", kernels.tier);
                if !is_marked {
                    let kept = (0..width).map(|u| rows.at(u, s)).fold(0.0, f64::max).log2();
                    let offset: f64 = (0..n).map(|i| f64::from(arena[(first(i) + width) * TILE + s])).sum();
                    let found = kept + exponent.at(0, s);
                    assert!((found - best - offset).abs() < 1e-4, "{:?}: {found}", kernels.tier);
                }
            }
        });
        for s in 0..TILE {
            let best = (0..width).map(|u| unit(u, s)).fold(f64::MIN, f64::max);
            if top(s) - best > 57.5 { n_marked += 1 } else { n_passed += 1 }
        }
    }
    assert!(n_marked > 20 && n_passed > 20, "{n_marked} falls, {n_passed} passes: the test tests nothing");
}
