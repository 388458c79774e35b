//! Products of all pairs against float64, over bundles of every shape.

mod support;

use pcc_kernels::{GUARD_ENTRY, GUARD_MAXIMUM, GUARD_RAISE, Kernels, ZERO_EXPONENT};
use support::bundle::{Bundle, SHAPES, fill_group};
use support::{Numbers, assert_near, each_tier};

/// All pairs of the groups `0..na` and `na + 1..na + 1 + nb`, with their exponents behind them, and the rows
/// of the result behind both.
fn run(kernels: &Kernels, [na, nb]: [usize; 2], bundle: &Bundle, guard: usize) -> Bundle {
    let mut bundle = bundle.copy();
    let (tiles, out) = (bundle.tiles(), na + nb + 2);
    let [a, a_exponent, b, b_exponent, rows, exponent] =
        [0, na, na + 1, na + 1 + nb, out, out + na * nb].map(|row| bundle.row(row));
    // SAFETY: the bundle has these rows.
    unsafe { (kernels.outer)(&tiles, na, nb, a, a_exponent, b, b_exponent, rows, exponent, guard) };
    bundle.check_marks();
    bundle
}

fn random(shape: (usize, usize), [na, nb]: [usize; 2], depth: f64, numbers: &mut Numbers) -> Bundle {
    let mut bundle = Bundle::new(shape, na + nb + 3 + na * nb);
    fill_group(&mut bundle, 0, na, depth, numbers);
    fill_group(&mut bundle, na + 1, nb, depth, numbers);
    bundle
}

/// What may be lost of a pair.
#[derive(Clone, Copy, PartialEq)]
enum Loss {
    Nothing,
    /// So much of the largest.
    OfLargest(f64),
    /// Tiny pairs are raised, to this at most.
    Raised(f64),
}

/// The rules, and what each lets happen.
const RULES: [(usize, Loss); 3] = [
    (GUARD_MAXIMUM, Loss::OfLargest(1.0 / (1_u128 << 64) as f64)),
    (GUARD_MAXIMUM | GUARD_ENTRY, Loss::Nothing),
    (GUARD_MAXIMUM | GUARD_RAISE, Loss::Raised(1.0 / (1_u128 << 125) as f64)),
];

/// Checks a sample that is not marked.
fn check(got: &Bundle, [na, nb]: [usize; 2], at: (usize, usize), loss: Loss) {
    let out = na + nb + 2;
    let exponent = got.f64(out + na * nb, at);
    let pair = |u: usize| got.f64(u / nb, at) * got.f64(na + 1 + u % nb, at);
    let top = (0..na * nb).map(|u| got.f64(out + u, at)).fold(0.0, f64::max);
    if (0..na * nb).all(|u| pair(u) == 0.0) {
        assert_eq!((top, exponent), (0.0, f64::from(ZERO_EXPONENT)));
        return;
    }
    assert!((-8.0..8.0).contains(&top.log2()), "the largest mantissa is {top:e}");
    let shift = got.f64(na, at) + got.f64(na + 1 + nb, at) - exponent;
    for u in 0..na * nb {
        let (found, want) = (got.f64(out + u, at), pair(u) * shift.exp2());
        let lost = match loss {
            Loss::Nothing => 0.0,
            Loss::OfLargest(part) => top * part,
            Loss::Raised(to) => to,
        };
        assert_near(found, want, want * 1e-6 + lost, format_args!("pair {u}"));
        if let Loss::Raised(_) = loss {
            assert_eq!(found > 0.0, pair(u) > 0.0, "pair {u}: {found:e} for {want:e}");
        }
    }
}

const SIZES: [[usize; 2]; 9] = [[1, 1], [2, 3], [3, 1], [4, 4], [5, 8], [8, 8], [16, 3], [3, 17], [20, 20]];

#[test]
fn pairs_of_tame_groups_are_right_and_not_marked() {
    let mut numbers = Numbers::new(121);
    for sizes in SIZES {
        for shape in SHAPES {
            let bundle = random(shape, sizes, 10.0, &mut numbers);
            each_tier(|kernels| {
                let got = run(kernels, sizes, &bundle, GUARD_MAXIMUM | GUARD_ENTRY);
                for at in got.samples() {
                    assert!(!got.is_marked(at), "{:?} {sizes:?} {at:?}: marked", kernels.tier);
                    check(&got, sizes, at, Loss::Nothing);
                }
            });
        }
    }
}

#[test]
fn pairs_of_wild_groups_are_right_where_they_are_not_marked() {
    let mut numbers = Numbers::new(122);
    let mut n_marked = 0;
    for round in 0..200 {
        let (sizes, shape) = (SIZES[round % SIZES.len()], SHAPES[numbers.below(SHAPES.len())]);
        // Entries are normal numbers, of tops from 2^-8 on.
        let bundle = random(shape, sizes, 118.0 * numbers.unit(), &mut numbers);
        each_tier(|kernels| {
            for (guard, loss) in RULES {
                let got = run(kernels, sizes, &bundle, guard);
                for at in got.samples() {
                    let is_marked = got.is_marked(at);
                    assert!(!is_marked || guard & GUARD_ENTRY != 0, "normalised groups: only entries mark");
                    if is_marked {
                        continue;
                    }
                    check(&got, sizes, at, loss);
                }
            }
        });
        let portable = pcc_kernels::tier(pcc_kernels::Tier::Portable).unwrap();
        let got = run(portable, sizes, &bundle, GUARD_MAXIMUM | GUARD_ENTRY);
        n_marked += got.samples().filter(|&at| got.is_marked(at)).count();
    }
    assert!(n_marked > 500, "{n_marked} marked: the test tests nothing");
}

#[test]
fn a_product_of_tiny_maxima_is_marked() {
    each_tier(|kernels| {
        let mut bundle = Bundle::new((1, 64), 6);
        // As no normalised groups are, so that the largest pair is under 2^-60.
        bundle.fill(0..1, |_, (_, s)| if s % 2 == 0 { (-40_f32).exp2() } else { 1.0 });
        bundle.fill(1..2, |_, _| 0.0);
        bundle.fill(2..3, |_, _| (-30_f32).exp2());
        bundle.fill(3..4, |_, _| 0.0);
        let got = run(kernels, [1, 1], &bundle, GUARD_MAXIMUM);
        assert_eq!(got.marks[0], 0x5555_5555_5555_5555);
    });
}
