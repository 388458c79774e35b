//! Indicators and literals.

mod support;

use pcc_kernels::{GUARD_ENTRY, GivenRows, MAX_TILES, MISSING, TILE, ZERO_EXPONENT};
use support::bundle::{Bundle, SHAPES};
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

#[test]
fn weights_of_rows_become_rows_of_units() {
    let mut numbers = Numbers::new(44);
    let least = f64::from(2.0_f32.powi(-125));
    for (units, shape) in [1, 2, 7, 8, 9, 17, 64].into_iter().flat_map(|n| SHAPES.map(|shape| (n, shape))) {
        let (first, slot, row_len, n_slots, n_rows) = (3, 1, units + 5, 3, 11);
        let weight = || if numbers.below(6) == 0 { -130.5 } else { numbers.unit() as f32 };
        let weights: Vec<f32> = std::iter::repeat_with(weight).take(n_rows * row_len).collect();
        let exponents: Vec<f32> = (0..n_rows * n_slots).map(|i| i as f32 - 9.0).collect();
        let rows: Vec<u32> = (0..MAX_TILES * TILE).map(|_| numbers.below(n_rows) as u32).collect();
        for guard in [0, GUARD_ENTRY] {
            each_tier(|kernels| {
                let given = GivenRows {
                    weights: weights.as_ptr(),
                    exponents: exponents.as_ptr(),
                    row_len,
                    n_slots,
                    rows: rows.as_ptr(),
                };
                let mut bundle = Bundle::new(shape, units + 1);
                let tiles = bundle.tiles();
                let [out, exponent] = [0, units].map(|row| bundle.row(row));
                // SAFETY: the buffers have the sizes of the contract.
                unsafe { (kernels.leaf_given)(&tiles, &given, units, first, slot, out, exponent, guard) };
                for (tile, s) in bundle.samples() {
                    let row = rows[tile * TILE + s] as usize;
                    let own = &weights[row * row_len + first..][..units];
                    for (u, &weight) in own.iter().enumerate() {
                        let expected = if weight < 0.0 { least } else { f64::from(weight) };
                        assert_eq!(bundle.f64(u, (tile, s)), expected);
                    }
                    assert_eq!(bundle.at(units, (tile, s)), exponents[row * n_slots + slot]);
                    let is_marked = guard == GUARD_ENTRY && own.iter().any(|&weight| weight < 0.0);
                    assert_eq!(bundle.marks[tile] >> s & 1 == 1, is_marked);
                }
            });
        }
    }
}
