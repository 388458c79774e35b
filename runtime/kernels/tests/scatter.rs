//! Flows of discrete leaves against float64, over bundles of every shape.

mod support;

use pcc_kernels::{MISSING, TILE};
use support::bundle::{Bundle, SHAPES};
use support::{Buffer, Numbers, assert_near, each_tier};

/// How codes are spread over a table's values: even, mostly one of them, only one, only missing.
const SPREADS: [fn(usize, &mut Numbers) -> u32; 4] = [
    |n, numbers| if numbers.below(9) == 0 { MISSING } else { numbers.below(n) as u32 },
    |n, numbers| if numbers.below(4) == 0 { numbers.below(n) as u32 } else { n as u32 - 1 },
    |n, _| n as u32 / 2,
    |_, _| MISSING,
];

#[test]
fn counts_gain_the_flows_of_their_codes() {
    let mut numbers = Numbers::new(131);
    for units in [1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 24, 33, 64, 100] {
        for shape in SHAPES {
            for spread in SPREADS {
                let n_values = [2, 5, 40][numbers.below(3)];
                let mut bundle = Bundle::new(shape, 1 + units);
                bundle.fill(0..1, |_, _| f32::from_bits(spread(n_values, &mut numbers)));
                bundle.fill(1..1 + units, |_, _| numbers.unit() as f32);
                let start = Buffer::filled(n_values * units, || numbers.unit() as f32);
                let mut want: Vec<f64> = start.iter().map(|&x| f64::from(x)).collect();
                for at in bundle.samples() {
                    let code = bundle.at(0, at).to_bits();
                    for u in (0..units).filter(|_| code != MISSING) {
                        want[code as usize * units + u] += bundle.f64(1 + u, at);
                    }
                }
                each_tier(|kernels| {
                    let (mut bundle, mut counts) = (bundle.copy(), start.copy());
                    let (tiles, codes, flow) = (bundle.tiles(), bundle.row(0).cast(), bundle.row(1));
                    // SAFETY: the bundle has these rows, the counts a row for each value.
                    unsafe { (kernels.scatter)(&tiles, units, codes, flow, counts.as_mut_ptr()) };
                    for at in 0..want.len() {
                        let what = format_args!("{:?} {shape:?} {units} units", kernels.tier).to_string();
                        let error = want[at] * (TILE * 4) as f64 * f64::from(f32::EPSILON);
                        assert_near(f64::from(counts[at]), want[at], error, what);
                    }
                });
            }
        }
    }
}
