//! Indicators and literals.

mod support;

use pcc_kernels::{MISSING, TILE, ZERO_EXPONENT};
use support::{Buffer, Numbers, each_tier};

/// Codes under `values`, every ninth missing and some repeated.
fn codes(values: usize, numbers: &mut Numbers) -> Vec<u32> {
    (0..TILE).map(|s| if s % 9 == 4 { MISSING } else { numbers.below(values) as u32 }).collect()
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
