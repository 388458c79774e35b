//! Leaves over discrete values against table look-ups.

mod support;

use pcc_kernels::{MISSING, TILE, ZERO_EXPONENT};
use support::{Buffer, Numbers, SIZES, assert_near, each_tier};

/// Codes under `values`, every ninth missing and some repeated.
fn codes(values: usize, numbers: &mut Numbers) -> Vec<u32> {
    (0..TILE).map(|s| if s % 9 == 4 { MISSING } else { numbers.below(values) as u32 }).collect()
}

#[test]
fn gathered_leaves_are_their_table_entries_and_ones_where_missing() {
    let mut numbers = Numbers::new(41);
    for units in SIZES {
        let values = 5;
        // The entries of value 3 are all zero; the others span many powers of two.
        let mut at = 0;
        let table = Buffer::filled(values * units, || {
            at += 1;
            if (at - 1) / units == 3 || numbers.below(6) == 0 { 0.0 } else { numbers.power(-60.0, 0.0) }
        });
        let codes = codes(values, &mut numbers);
        each_tier(|kernels| {
            let (mut out, mut exponent) = (Buffer::constant(units * TILE, 7.0), Buffer::constant(TILE, 7.0));
            // SAFETY: the buffers have the sizes of the contract, and the table has all codes.
            unsafe {
                (kernels.leaf_gather)(
                    units,
                    table.as_ptr(),
                    codes.as_ptr(),
                    out.as_mut_ptr(),
                    exponent.as_mut_ptr(),
                )
            };
            for s in 0..TILE {
                let want = |u: usize| match codes[s] {
                    MISSING => 1.0,
                    code => f64::from(table[code as usize * units + u]),
                };
                let largest = (0..units).map(|u| out.at(u, s)).fold(0.0, f64::max);
                if (0..units).all(|u| want(u) == 0.0) {
                    assert_eq!((largest, exponent[s]), (0.0, ZERO_EXPONENT));
                    continue;
                }
                assert!((1.0..2.0).contains(&largest));
                for u in 0..units {
                    assert_eq!(out.at(u, s) * f64::from(exponent[s]).exp2(), want(u), "{:?}", kernels.tier);
                }
            }
        });
    }
}

#[test]
fn scattered_flows_add_to_the_counts_of_their_codes() {
    let mut numbers = Numbers::new(42);
    for units in SIZES {
        let values = 5;
        let codes = codes(values, &mut numbers);
        let flow = Buffer::rows(units, |_, _| numbers.unit() as f32);
        let start = Buffer::filled(values * units, || numbers.unit() as f32);
        let mut want: Vec<f64> = start.iter().map(|&x| f64::from(x)).collect();
        for s in (0..TILE).filter(|&s| codes[s] != MISSING) {
            (0..units).for_each(|u| want[codes[s] as usize * units + u] += flow.at(u, s));
        }
        each_tier(|kernels| {
            let mut counts = start.copy();
            // SAFETY: the buffers have the sizes of the contract, and the counts all codes.
            unsafe { (kernels.leaf_scatter)(units, codes.as_ptr(), flow.as_ptr(), counts.as_mut_ptr()) };
            for at in 0..want.len() {
                assert_near(f64::from(counts[at]), want[at], want[at] * 1e-5, kernels.tier.name());
            }
        });
    }
}

#[test]
fn indicators_and_literals_are_one_where_they_hold() {
    let mut numbers = Numbers::new(43);
    for units in [1, 2, 5, 17] {
        let first = 2;
        let codes = codes(first + units + 2, &mut numbers);
        each_tier(|kernels| {
            let [mut indicator, mut literal] = [(); 2].map(|()| Buffer::constant(units * TILE, 7.0));
            let [mut exponent, mut of_literal] = [(); 2].map(|()| Buffer::constant(TILE, 7.0));
            // SAFETY: the buffers have the sizes of the contract.
            unsafe {
                (kernels.leaf_indicator)(
                    units,
                    first,
                    codes.as_ptr(),
                    indicator.as_mut_ptr(),
                    exponent.as_mut_ptr(),
                );
                (kernels.leaf_literal)(
                    units,
                    first,
                    codes.as_ptr(),
                    literal.as_mut_ptr(),
                    of_literal.as_mut_ptr(),
                );
            }
            for s in 0..TILE {
                let holds = |value: usize| codes[s] == MISSING || codes[s] as usize == value;
                for u in 0..units {
                    assert_eq!(indicator.at(u, s), f64::from(holds(first + u)));
                    assert_eq!(literal.at(u, s), f64::from(holds(first)));
                }
                let of = |any: bool| if any { 0.0 } else { ZERO_EXPONENT };
                assert_eq!(exponent[s], of((0..units).any(|u| holds(first + u))));
                assert_eq!(of_literal[s], of(holds(first)));
            }
        });
    }
}
