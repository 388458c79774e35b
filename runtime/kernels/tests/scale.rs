//! Exponents: rescaling, aligning and ratios, all exact against float64.

mod support;

use pcc_kernels::{GUARD_ENTRY, GUARD_MAXIMUM, GUARD_RAISE, Kernels, TILE, ZERO_EXPONENT};
use support::{Buffer, Numbers, SIZES, assert_near, each_tier, samples};

/// Rescales in place; gives the marks.
fn rescale(kernels: &Kernels, rows: &mut Buffer, exponent: &mut Buffer, guard: usize) -> u64 {
    let mut marks = 0;
    // SAFETY: whole rows, and one row of exponents.
    unsafe {
        let n = rows.len() / TILE;
        (kernels.rescale)(n, rows.as_mut_ptr(), exponent.as_mut_ptr(), guard, &mut marks);
    }
    marks
}

#[test]
fn rescaling_is_exact_and_puts_the_largest_mantissa_between_1_and_2() {
    let mut numbers = Numbers::new(21);
    for n in SIZES {
        let scale: Vec<f64> = (0..TILE).map(|_| numbers.unit() * 150.0 - 70.0).collect();
        let before =
            Buffer::rows(n, |_, s| if s == 5 { 0.0 } else { numbers.power(scale[s] - 20.0, scale[s]) });
        let old = Buffer::rows(1, |_, _| numbers.below(4000) as f32 - 2000.0);
        each_tier(|kernels| {
            let (mut rows, mut exponent) = (before.copy(), old.copy());
            rescale(kernels, &mut rows, &mut exponent, 0);
            for s in 0..TILE {
                let largest = (0..n).map(|i| rows.at(i, s)).fold(0.0, f64::max);
                if s == 5 {
                    assert_eq!((largest, exponent[s]), (0.0, ZERO_EXPONENT));
                    continue;
                }
                assert!((1.0..2.0).contains(&largest), "{:?}: largest is {largest}", kernels.tier);
                let shift = f64::from(exponent[s] - old[s]).exp2();
                assert!((0..n).all(|i| rows.at(i, s) * shift == before.at(i, s)));
            }
        });
    }
}

#[test]
fn rescaling_marks_small_maxima_small_entries_and_overflow_by_the_rules_asked_for() {
    let power = |by: i32| 2.0_f32.powi(by);
    // Largest, other entry, old exponent.
    let cases = [
        (power(-59), power(-60), 0.0),
        (power(-61), power(-61), 0.0),
        (0.0, 0.0, 0.0),
        (1.0, power(-101), 0.0),
        (1.0, power(-99), 0.0),
        (1.0, 0.0, 0.0),
        (power(30), power(-91), 0.0),
        (power(30), power(-89), 0.0),
        (power(101), 1.0, 0.0),
        (f32::INFINITY, 1.0, 0.0),
        (1.0, 1.0, 8_388_609.0),
        (1.0, 1.0, -8_388_609.0),
        (0.0, 0.0, -8_388_609.0),
    ];
    let marked = |guard: usize| match guard {
        GUARD_MAXIMUM => vec![1, 8, 9, 10, 11],
        GUARD_ENTRY => vec![3, 6, 8, 9, 10, 11],
        _ => vec![8, 9, 10, 11],
    };
    let case = |s: usize| cases[s % cases.len()];
    each_tier(|kernels| {
        for guard in [0, GUARD_MAXIMUM, GUARD_ENTRY] {
            let mut rows = Buffer::rows(2, |i, s| if i == 0 { case(s).0 } else { case(s).1 });
            let mut exponent = Buffer::rows(1, |_, s| case(s).2);
            let marks = rescale(kernels, &mut rows, &mut exponent, guard);
            let want = samples(|s| marked(guard).contains(&(s % cases.len())));
            assert_eq!(marks, want, "{:?} with rule {guard}", kernels.tier);
            assert!(rows.iter().chain(exponent.iter()).all(|x| x.is_finite()));
        }
    });
}

#[test]
fn zero_groups_never_win_a_maximum_of_exponents() {
    let a = Buffer::rows(1, |_, s| if s % 2 == 0 { ZERO_EXPONENT } else { -5000.0 });
    let b = Buffer::rows(1, |_, s| if s % 3 == 0 { ZERO_EXPONENT + ZERO_EXPONENT } else { -8_000_000.0 });
    each_tier(|kernels| {
        let mut out = Buffer::constant(TILE, 7.0);
        // SAFETY: three rows.
        unsafe { (kernels.max_exponent)(a.as_ptr(), b.as_ptr(), out.as_mut_ptr()) };
        for s in 0..TILE {
            let want = match (s % 2, s % 3) {
                (0, 0) => ZERO_EXPONENT,
                (0, _) => -8_000_000.0,
                _ => -5000.0,
            };
            assert_eq!(out[s], want);
        }
    });
}

#[test]
fn aligning_is_exact_over_any_gap_and_marks_or_raises_what_it_flushes() {
    let gaps = [0.0, 1.0, 30.0, 60.0, 100.0, 126.0, 127.0, 150.0, 252.0, 4000.0, 8e6, -ZERO_EXPONENT];
    let mut numbers = Numbers::new(22);
    let rows = Buffer::rows(3, |i, s| if (i + s) % 7 == 0 { 0.0 } else { numbers.power(-40.0, 1.0) });
    let from = Buffer::rows(1, |_, s| -((s % 5) as f32));
    let to = Buffer::rows(1, |_, s| from[s] + gaps[s % gaps.len()]);
    each_tier(|kernels| {
        let (mut out, mut marks, mut unguarded) = (Buffer::constant(3 * TILE, 7.0), 0, 0);
        // SAFETY: three rows in and out, and a row of each exponent.
        unsafe {
            let (rows, from, to) = (rows.as_ptr(), from.as_ptr(), to.as_ptr());
            (kernels.align)(3, rows, from, to, out.as_mut_ptr(), GUARD_MAXIMUM, &mut unguarded);
            (kernels.align)(3, rows, from, to, out.as_mut_ptr(), GUARD_ENTRY, &mut marks)
        };
        let (mut raised, mut unmarked) = (Buffer::constant(3 * TILE, 7.0), 0);
        // SAFETY: as before.
        unsafe {
            let (rows, from, to) = (rows.as_ptr(), from.as_ptr(), to.as_ptr());
            (kernels.align)(3, rows, from, to, raised.as_mut_ptr(), GUARD_RAISE, &mut unmarked);
        }
        assert_eq!(unmarked, 0, "{:?}: what is raised is not marked", kernels.tier);
        let mut flushed = 0;
        for (i, s) in (0..3).flat_map(|i| (0..TILE).map(move |s| (i, s))) {
            let exact = rows.at(i, s) * f64::from(from[s] - to[s]).exp2();
            let want = if exact < f64::from(f32::MIN_POSITIVE) { 0.0 } else { exact };
            assert_eq!(out.at(i, s), want, "{:?} sample {s}", kernels.tier);
            let least = if rows.at(i, s) > 0.0 { f64::from(f32::MIN_POSITIVE) } else { 0.0 };
            assert_eq!(raised.at(i, s), want.max(least), "{:?} sample {s}", kernels.tier);
            flushed |= u64::from(rows.at(i, s) > 0.0 && want == 0.0) << s;
        }
        assert_eq!((marks, unguarded), (flushed, 0));
    });
}

#[test]
fn ratios_divide_by_the_value_before_rescaling_and_are_zero_at_zero() {
    let mut numbers = Numbers::new(23);
    for n in [1, 3, 17] {
        let value = Buffer::rows(n, |i, s| if (i + s) % 5 == 0 { 0.0 } else { numbers.power(-30.0, 1.0) });
        let flow = Buffer::rows(n, |_, s| if s == 9 { 0.0 } else { numbers.unit() as f32 });
        // Sample 11 is a zero group, so that its exponent is the marker's.
        let terms = Buffer::rows(1, |_, _| -(numbers.below(3000) as f32));
        let shift: Vec<f32> = (0..TILE).map(|_| -(numbers.below(60) as f32)).collect();
        let value = Buffer::rows(n, |i, s| if s == 11 { 0.0 } else { value[i * TILE + s] });
        let result = Buffer::rows(1, |_, s| if s == 11 { ZERO_EXPONENT } else { terms[s] + shift[s] });
        each_tier(|kernels| {
            let mut out = flow.copy();
            // SAFETY: `n` rows each and two rows of exponents; `ratio` may write over the flow.
            unsafe {
                let (flow, value) = (out.as_ptr(), value.as_ptr());
                (kernels.ratio)(n, flow, value, result.as_ptr(), terms.as_ptr(), out.as_mut_ptr())
            };
            for (i, s) in (0..n).flat_map(|i| (0..TILE).map(move |s| (i, s))) {
                let before = value.at(i, s) * f64::from(shift[s]).exp2();
                let want = if before == 0.0 { 0.0 } else { flow.at(i, s) / before };
                assert_near(out.at(i, s), want, want * f64::from(f32::EPSILON), kernels.tier.name());
            }
        });
    }
}

#[test]
fn a_flow_of_zero_gives_a_ratio_of_zero_whatever_the_value() {
    let value = Buffer::rows(1, |_, s| [f32::INFINITY, f32::NAN, 0.0, 1.0][s % 4]);
    let zeros = Buffer::constant(TILE, 0.0);
    each_tier(|kernels| {
        let mut out = Buffer::constant(TILE, 7.0);
        // SAFETY: one row each.
        unsafe {
            let (flow, exponent) = (zeros.as_ptr(), zeros.as_ptr());
            (kernels.ratio)(1, flow, value.as_ptr(), exponent, exponent, out.as_mut_ptr())
        };
        assert!(out.iter().all(|&x| x == 0.0));
    });
}
