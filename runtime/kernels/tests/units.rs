//! Tapes of single units against plain loops, in every tier.

mod support;

use pcc_kernels::Tier;
use pcc_kernels::units::{
    FORBIDDEN, LANES, LARGEST, Links, ONE, Row, SMALLEST, Tape, UnitKernels, UnitSum, unit_tier,
};
use support::Numbers;

fn each_tier(test: impl Fn(&UnitKernels)) {
    Tier::ALL.into_iter().filter_map(unit_tier).for_each(test);
}

/// A tape whose sums read what lies before them; the last reads all that nothing else does.
struct Case {
    n_leaves: usize,
    tape: Tape,
    weights: Vec<f64>,
    rows: Vec<Row>,
}

impl Case {
    fn random(numbers: &mut Numbers) -> Case {
        let (n_leaves, n_sums) = (1 + numbers.below(6), 1 + numbers.below(40));
        let (mut sums, mut terms) = (Vec::new(), Vec::new());
        for i in 0..n_sums {
            let out = (1 + n_leaves + i) as u32;
            let n_terms = if i + 1 == n_sums { 70 } else { numbers.below(7) as u32 };
            sums.push(UnitSum { out, n_terms });
            for _ in 0..n_terms {
                let a = 1 + numbers.below(n_leaves + i) as u32;
                let b = if numbers.below(3) == 0 { ONE } else { 1 + numbers.below(n_leaves + i) as u32 };
                terms.push([a, b]);
            }
        }
        let n_rows = 1 + n_leaves + n_sums;
        let weights = terms.iter().map(|_| numbers.unit()).collect();
        let mut rows = vec![Row::splat(f64::NAN); n_rows];
        rows[ONE as usize] = Row::splat(1.0);
        for row in &mut rows[1..=n_leaves] {
            row.0 = std::array::from_fn(|_| if numbers.below(4) == 0 { 0.0 } else { 0.05 + numbers.unit() });
        }
        Case { n_leaves, tape: Tape::new(n_rows, sums, terms), weights, rows }
    }

    fn root(&self) -> usize {
        self.rows.len() - 1
    }

    fn weight(&self, term: usize, is_weighted: bool) -> f64 {
        if is_weighted { self.weights[term] } else { 1.0 }
    }

    /// All values of one sample.
    fn values(&self, s: usize, is_weighted: bool) -> Vec<f64> {
        let mut values: Vec<f64> = self.rows.iter().map(|row| row.0[s]).collect();
        let mut term = 0;
        for sum in self.tape.sums() {
            let range = term..term + sum.n_terms as usize;
            term = range.end;
            let each = range.map(|term| {
                let [a, b] = self.tape.terms()[term];
                self.weight(term, is_weighted) * values[a as usize] * values[b as usize]
            });
            values[sum.out as usize] = each.sum();
        }
        values
    }

    /// Derivatives of the last sum by all rows, and each term's share.
    fn derivatives(&self, values: &[f64], start: f64, is_weighted: bool) -> (Vec<f64>, Vec<f64>) {
        let mut derivatives = vec![0.0; values.len()];
        derivatives[self.root()] = start;
        let (mut shares, mut end) = (vec![0.0; self.weights.len()], self.weights.len());
        for sum in self.tape.sums().iter().rev() {
            let own = derivatives[sum.out as usize];
            for term in end - sum.n_terms as usize..end {
                let [a, b] = self.tape.terms()[term].map(|row| row as usize);
                let passed = own * self.weight(term, is_weighted);
                derivatives[a] += passed * values[b];
                derivatives[b] += passed * values[a];
                shares[term] = passed * values[a] * values[b];
            }
            end -= sum.n_terms as usize;
        }
        (derivatives, shares)
    }
}

fn assert_close(found: f64, wanted: f64, what: &str) {
    let is_close = found == wanted || (found - wanted).abs() <= 1e-12 * wanted.abs();
    assert!(is_close, "{what}: {found} is not {wanted}");
}

#[test]
fn values_are_sums_of_products() {
    each_tier(|kernels| {
        let mut numbers = Numbers::new(1);
        for case in 0..200 {
            let mut case_rows = Case::random(&mut numbers);
            let is_weighted = case % 2 == 0;
            let wanted: Vec<Vec<f64>> = (0..LANES).map(|s| case_rows.values(s, is_weighted)).collect();
            let weights = is_weighted.then_some(case_rows.weights.as_slice());
            let marks = case_rows.tape.up(kernels, weights, &mut case_rows.rows);
            for (s, wanted) in wanted.iter().enumerate() {
                let is_out = |&v: &f64| v != 0.0 && !(SMALLEST..=LARGEST).contains(&v);
                assert_eq!(marks >> s & 1 == 1, wanted.iter().any(is_out), "{:?} {case}", kernels.tier);
                for (row, &value) in case_rows.rows.iter().zip(wanted) {
                    assert_close(row.0[s], value, &format!("{:?}, case {case}", kernels.tier));
                }
            }
        }
    });
}

#[test]
fn derivatives_and_shares_are_those_of_the_chain_rule() {
    each_tier(|kernels| {
        let mut numbers = Numbers::new(2);
        for case in 0..200 {
            let mut own = Case::random(&mut numbers);
            let is_weighted = case % 2 == 0;
            let weights = own.weights.clone();
            let weights = is_weighted.then_some(weights.as_slice());
            own.tape.up(kernels, weights, &mut own.rows);
            let root = own.root();
            let start = Row(std::array::from_fn(|s| s as f64 / own.rows[root].0[s].max(1e-9)));
            let is_linked = |term: usize| !term.is_multiple_of(3);
            let link = |term| if is_linked(term) { (term / 2) as u32 } else { Links::NOWHERE };
            let links = Links::new((0..own.weights.len()).map(link).collect());
            let mut stats = vec![0.0; own.weights.len()];
            let mut shared = vec![0.0; own.weights.len()];
            for has_stats in [false, true] {
                let mut derivatives = vec![Row::splat(0.0); own.rows.len()];
                derivatives[root] = start;
                let gather = has_stats.then_some((&links, stats.as_mut_slice()));
                own.tape.down(kernels, weights, &own.rows, &mut derivatives, gather);
                for s in 0..LANES {
                    let values: Vec<f64> = own.rows.iter().map(|row| row.0[s]).collect();
                    let (wanted, shares) = own.derivatives(&values, start.0[s], is_weighted);
                    let place = format!("{:?}, case {case}, {has_stats}", kernels.tier);
                    for leaf in 1..=own.n_leaves {
                        // With statistics, what a unit of value zero passes on is left out.
                        let (found, wanted) = (derivatives[leaf].0[s], wanted[leaf]);
                        match has_stats {
                            true => assert_close(found * values[leaf], wanted * values[leaf], &place),
                            false => assert_close(found, wanted, &place),
                        }
                    }
                    if has_stats {
                        let linked = shares.iter().enumerate().filter(|(term, _)| is_linked(*term));
                        linked.for_each(|(term, share)| shared[term / 2] += share);
                    }
                    let inner = own.n_leaves + 1..own.rows.len();
                    assert!(derivatives[inner].iter().all(|row| row.0[s] == 0.0), "{place}");
                }
            }
            stats.iter().zip(&shared).for_each(|(&a, &b)| assert_close(a, b, &format!("stats of {case}")));
        }
    });
}

/// A chain of one product, with given leaves and weight.
fn marks_of(kernels: &UnitKernels, a: f64, b: f64, weight: f64) -> u8 {
    let tape = Tape::new(4, vec![UnitSum { out: 3, n_terms: 1 }], vec![[1, 2]]);
    let mut rows = [1.0, a, b, 0.0].map(Row::splat);
    rows[1].0[5] = 0.0;
    tape.up(kernels, Some(&[weight]), &mut rows)
}

#[test]
fn samples_out_of_range_are_marked() {
    let but_the_zero = !(1 << 5);
    each_tier(|kernels| {
        assert_eq!(marks_of(kernels, 1.0, 1.0, 1.0), 0);
        assert_eq!(marks_of(kernels, SMALLEST, 1.0, 1.0), 0);
        assert_eq!(marks_of(kernels, LARGEST, 1.0, 1.0), 0);
        assert_eq!(marks_of(kernels, SMALLEST, 1.0, 0.5), but_the_zero);
        assert_eq!(marks_of(kernels, LARGEST, 1.0, 2.0), but_the_zero);
        assert_eq!(marks_of(kernels, SMALLEST, SMALLEST, 1.0), but_the_zero);
        assert_eq!(marks_of(kernels, LARGEST, LARGEST, LARGEST), but_the_zero);
        assert_eq!(marks_of(kernels, SMALLEST, SMALLEST, FORBIDDEN), but_the_zero);
        assert_eq!(marks_of(kernels, LARGEST, LARGEST, FORBIDDEN), but_the_zero);
        assert_eq!(marks_of(kernels, f64::NAN, 1.0, 1.0), but_the_zero);
    });
}

#[test]
#[should_panic(expected = "out of bounds")]
fn a_tape_reads_rows_that_exist() {
    Tape::new(2, vec![UnitSum { out: 1, n_terms: 1 }], vec![[1, 2]]);
}
