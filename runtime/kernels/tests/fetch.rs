//! Asking for rows ahead changes no number.

mod support;

use pcc_kernels::{Ahead, MISSING, Tiles};
use support::bundle::{Bundle, SHAPES};
use support::{Buffer, Numbers, each_tier};

#[test]
fn sums_are_the_same_whatever_is_asked_for() {
    let mut numbers = Numbers::new(151);
    let (m, k, n_values) = (17, 20, 30);
    for shape in SHAPES {
        for n_notes in [0, 1, 3, 9] {
            // Rows: codes, terms, their exponent, sums, their exponent.
            let mut bundle = Bundle::new(shape, 1 + k + 1 + m + 1);
            bundle.fill(0..1, |_, _| {
                f32::from_bits(if numbers.below(5) == 0 { MISSING } else { numbers.below(n_values) as u32 })
            });
            bundle.fill(1..1 + k, |_, _| numbers.unit() as f32);
            bundle.fill(1 + k..2 + k, |_, _| 0.0);
            let weights = Buffer::filled(m * k, || 0.1 + numbers.unit() as f32);
            let tables = [3, 16, 40].map(|units| (units, Buffer::filled(n_values * units, || 0.5)));
            each_tier(|kernels| {
                let run = |n_notes: usize| {
                    let mut bundle = bundle.copy();
                    let mut ahead = Ahead::NOTHING;
                    let tiles = Tiles { ahead: &mut ahead, ..bundle.tiles() };
                    let (codes, terms) = (bundle.row(0).cast_const().cast::<u32>(), bundle.row(1));
                    let (out, exponent) = (bundle.row(2 + k), bundle.row(2 + k + m));
                    let floor = 0.1_f32;
                    // SAFETY: the bundle has these rows, and the tables a row for each code.
                    unsafe {
                        for note in 0..n_notes {
                            let (units, table) = &tables[note % tables.len()];
                            (kernels.fetch)(&tiles, *units, n_values, codes, table.as_ptr());
                        }
                        let term_exponent = bundle.row(1 + k);
                        (kernels.sum)(
                            &tiles,
                            m,
                            k,
                            weights.as_ptr(),
                            &floor,
                            0,
                            terms,
                            term_exponent,
                            out,
                            exponent,
                        );
                    }
                    let rows = 2 + k..3 + k + m;
                    rows.flat_map(|row| bundle.samples().map(move |at| (row, at)))
                        .map(|(row, at)| bundle.at(row, at))
                        .collect::<Vec<f32>>()
                };
                assert_eq!(run(n_notes), run(0), "{:?} {shape:?}, {n_notes} notes", kernels.tier);
            });
        }
    }
}
