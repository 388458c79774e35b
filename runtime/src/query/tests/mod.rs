//! Queries against enumeration and reference values.

pub(crate) mod circuits;

use super::*;
use crate::exec::{CpuExecutor, CpuOptions, Executor};
use circuits::*;
use pcc_ir::{Batch, Domain, MISSING, VarId};
use proptest::prelude::*;

/// P(x1 x2 x3 x4) from 0000 to 1111.
const LITTLE: [f64; 16] =
    [0.07, 0.28, 0.21, 0.14, 0.01, 0.04, 0.03, 0.02, 0.01, 0.04, 0.03, 0.02, 0.01, 0.04, 0.03, 0.02];

/// Tables hold 32-bit floats, so the probabilities of a row sum to one only up to 2^-24 for each number; a
/// missing value counts as exactly one, and enumeration as that sum.
const ROUNDING: f64 = 1e-6;

fn close(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance
}

#[test]
fn the_little_circuit_has_its_reference_values() {
    let mut executor = interpreter(&little());
    let table = table(&mut executor);
    assert!(table.iter().zip(LITTLE).all(|((_, p), q)| close(*p, q, 1e-7)), "{table:?}");
    let marginals = evidence(&[
        &[Some(0), Some(0), Some(0), None],
        &[None, Some(1), Some(0), None],
        &[Some(0), None, None, None],
        &[None, Some(1), None, Some(1)],
        &[None, None, None, None],
    ]);
    let logs = log_likelihood(&mut executor, &marginals).unwrap();
    for (log, expected) in logs.iter().zip([0.35, 0.10, 0.80, 0.12, 1.0f64]) {
        assert!(close(*log, expected.ln(), 1e-6), "{log} {expected}");
    }
}

#[test]
fn the_best_completion_of_the_little_circuit_is_exact() {
    let mut executor = interpreter(&little());
    let given = evidence(&[&[Some(0), Some(0), Some(0), None]]);
    let best = most_probable(&mut executor, &given, Exactness::Exact).unwrap();
    assert_eq!(best[0].row, [0, 0, 0, 1]);
    assert!(best[0].is_exact && close(best[0].log_value, -1.2729657, 1e-6));
}

/// 0.6 [a] (0.5 b + 0.5 not b) + 0.4 [not a] (0.9 b + 0.1 not b): the heavier branch is not the better one.
#[test]
fn the_best_completion_weighs_branches_by_what_follows() {
    let mut make = Make::new(2, Domain::Bool);
    let branches = [(1, 0.5), (0, 0.9)].map(|(a, b)| {
        let parts = [make.literal(0, a), make.bernoulli(1, 1, Some(vec![b]))];
        make.product(&parts)
    });
    let root = make.sum(&branches, 1, Some(vec![0.6, 0.4]));
    let mut executor = interpreter(&make.finish(root));
    let best = most_probable(&mut executor, &Batch::missing(2, 1), Exactness::Exact).unwrap();
    assert_eq!(best[0].row, [0, 1]);
    assert!(close(best[0].log_value, 0.36f64.ln(), 1e-7));
}

#[test]
fn max_product_is_refused_where_it_would_be_wrong() {
    let mut executor = interpreter(&two_halves_beat_one());
    let nothing = Batch::missing(1, 1);
    let refusal = most_probable(&mut executor, &nothing, Exactness::Exact).unwrap_err();
    assert_eq!(refusal.code, "unsupported-query");
    assert!(refusal.help.unwrap().contains("--approx"));
    let guess = most_probable(&mut executor, &nothing, Exactness::Approximate).unwrap();
    assert_eq!(guess[0].row, [0], "max-product looks at single parts");
    assert!(!guess[0].is_exact && close(guess[0].log_value, 0.4f64.ln(), 1e-7));
    let truth = posteriors(&mut executor, &nothing, &[VarId(0)]).unwrap();
    let Posterior::Table(truth) = &truth[0][0] else { panic!("a boolean has a table") };
    assert!(close(truth[1], 0.6, 1e-6));
}

/// Two products mixed by a latent Z: p(A = 1 | Z) is 0.9 or 0.4, p(B = 1 | Z) is 0.2 or 0.7. With Z the best
/// assignment is (1, 0, Z = 0), 0.5 * 0.9 * 0.8; where Z = 1 is known, (0, 1), 0.5 * 0.6 * 0.7.
#[test]
fn latents_that_are_asked_for_or_known_make_a_mixture_deterministic() {
    let mut make = Make::new(2, Domain::Bool);
    make.builder.variables("Z", &[], Domain::Cat(2), true);
    let z = VarId(2);
    let parts = [make.bernoulli(0, 2, Some(vec![0.9, 0.4])), make.bernoulli(1, 2, Some(vec![0.2, 0.7]))];
    let indicator = make.builder.indicator(z, 0, 1, 2, pcc_diag::Span::NONE);
    let product = make.product(&[parts[0], parts[1], indicator]);
    let root = make.sum(&[product], 1, Some(vec![0.5, 0.5]));
    let mut executor = interpreter(&make.finish(root));
    let nothing = Batch::missing(3, 1);
    assert!(most_probable(&mut executor, &nothing, Exactness::Exact).is_err(), "Z is summed out");
    let both = most_probable_with(&mut executor, &nothing, &[z], Exactness::Exact).unwrap();
    assert_eq!(both[0].row, [1, 0, 0]);
    assert!(both[0].is_exact && close(both[0].log_value, 0.36f64.ln(), 1e-6));
    let known = evidence(&[&[None, None, Some(1)]]);
    let given = most_probable(&mut executor, &known, Exactness::Exact).unwrap();
    assert_eq!(given[0].row, [0, 1, 1]);
    assert!(given[0].is_exact && close(given[0].log_value, 0.21f64.ln(), 1e-6));
    let unknown = evidence(&[&[None, None, Some(1)], &[None, None, None]]);
    assert!(most_probable(&mut executor, &unknown, Exactness::Exact).is_err(), "Z is not known in every row");
}

#[test]
fn a_condition_of_probability_zero_is_an_error() {
    let mut make = Make::new(2, Domain::Bool);
    let parts = [make.literal(0, 1), make.bernoulli(1, 1, Some(vec![0.3]))];
    let root = make.product(&parts);
    let mut executor = interpreter(&make.finish(root));
    let impossible = evidence(&[&[None, Some(1)], &[Some(0), None]]);
    let targets = evidence(&[&[Some(1), None], &[None, Some(1)]]);
    for fault in [
        log_probability(&mut executor, &targets, &impossible).unwrap_err(),
        sample(&mut executor, &impossible, 1, 0).unwrap_err(),
        posteriors(&mut executor, &impossible, &[VarId(0)]).unwrap_err(),
        most_probable(&mut executor, &impossible, Exactness::Exact).unwrap_err(),
    ] {
        assert_eq!(fault.code, "impossible-evidence");
        assert!(fault.message.contains("row 2"), "{}", fault.message);
    }
}

#[test]
fn a_target_that_contradicts_its_condition_has_probability_zero() {
    let mut executor = interpreter(&little());
    let [targets, given] =
        [[Some(1), None, None, None], [Some(0), None, None, None]].map(|r| evidence(&[&r]));
    assert_eq!(log_probability(&mut executor, &targets, &given).unwrap(), [f64::NEG_INFINITY]);
}

#[test]
fn codes_outside_the_domain_are_refused() {
    let mut executor = interpreter(&little());
    let fault = log_likelihood(&mut executor, &evidence(&[&[None, Some(2), None, None]])).unwrap_err();
    assert_eq!(fault.code, "value-out-of-domain");
    assert!(fault.message.contains("`X[1]`"), "{}", fault.message);
}

#[test]
fn unset_tables_are_refused() {
    let mut make = Make::new(1, Domain::Bool);
    let root = make.bernoulli(0, 1, None);
    let mut executor = interpreter(&make.finish(root));
    let nothing = Batch::missing(1, 1);
    assert_eq!(log_likelihood(&mut executor, &nothing).unwrap_err().code, "unset-parameter");
    assert_eq!(sample(&mut executor, &nothing, 1, 0).unwrap_err().code, "unset-parameter");
}

#[test]
fn a_variable_outside_the_circuit_is_named() {
    let mut make = Make::new(2, Domain::Bool);
    let root = make.bernoulli(0, 1, Some(vec![0.5]));
    let mut executor = interpreter(&make.finish(root));
    let fault = posteriors(&mut executor, &Batch::missing(2, 1), &[VarId(1)]).unwrap_err();
    assert_eq!(fault.code, "unknown-name");
    assert!(fault.message.contains("`X[1]`"), "{}", fault.message);
}

/// A thousand rare events at once: far below the smallest float, and still no zero.
#[test]
fn possible_events_never_get_probability_zero() {
    let mut make = Make::new(1000, Domain::Bool);
    let leaves: Vec<_> = (0..1000).map(|i| make.bernoulli(i, 1, Some(vec![0.0009765625]))).collect();
    let root = make.product(&leaves);
    let mut executor = interpreter(&make.finish(root));
    let mut rows = Batch::empty(1000);
    rows.push(&[1; 1000]);
    let log = log_likelihood(&mut executor, &rows).unwrap()[0];
    assert!(close(log, 1000.0 * 0.0009765625f64.ln(), 1e-8), "{log}");
}

/// Pearson's statistic of 16 cells; with 15 degrees of freedom it is above 37.7 once in a thousand seeds.
#[test]
fn samples_have_the_circuit_s_distribution() {
    let mut executor = interpreter(&little());
    let n = 50_000;
    let samples = sample(&mut executor, &Batch::missing(4, 1), n, 11).unwrap();
    let mut counts = [0u32; 16];
    for row in 0..n {
        counts[samples.row(row).iter().fold(0, |cell, &bit| 2 * cell + bit as usize)] += 1;
    }
    let term = |(count, p): (&u32, f64)| (f64::from(*count) - n as f64 * p).powi(2) / (n as f64 * p);
    let statistic: f64 = counts.iter().zip(LITTLE).map(term).sum();
    assert!(statistic < 37.7, "{statistic} {counts:?}");
}

#[test]
fn conditional_samples_keep_the_evidence_and_have_the_conditional_distribution() {
    let mut executor = interpreter(&little());
    let n = 20_000;
    let given = evidence(&[&[Some(0), Some(0), Some(0), None]]);
    let samples = sample(&mut executor, &given, n, 5).unwrap();
    assert!((0..n).all(|row| samples.row(row)[..3] == [0, 0, 0]));
    let ones = (0..n).filter(|&row| samples.row(row)[3] == 1).count() as f64 / n as f64;
    // 0.28 / 0.35, within four standard errors.
    assert!(close(ones, 0.8, 4.0 * (0.16 / n as f64).sqrt()), "{ones}");
}

#[test]
fn the_same_seed_draws_the_same_samples() {
    let mut executor = interpreter(&random(3, 4, true));
    let given = Batch::missing(4, 2);
    let draws = [1, 1, 2].map(|seed| sample(&mut executor, &given, 20, seed).unwrap());
    assert_eq!(draws[0], draws[1]);
    assert_ne!(draws[0], draws[2]);
}

#[test]
fn latents_are_drawn_and_have_posteriors() {
    let mut make = Make::new(1, Domain::Bool);
    make.builder.variables("Z", &[], Domain::Cat(2), true);
    let heads = make.bernoulli(0, 2, Some(vec![0.9, 0.2]));
    let z = make.builder.indicator(VarId(1), 0, 1, 2, pcc_diag::Span::NONE);
    let both = make.product(&[heads, z]);
    let root = make.sum(&[both], 1, Some(vec![0.5, 0.5]));
    let mut executor = interpreter(&make.finish(root));
    let given = evidence(&[&[Some(1), None]]);
    let Posterior::Table(z) = &posteriors(&mut executor, &given, &[VarId(1)]).unwrap()[0][0] else {
        panic!("a category has a table")
    };
    // Bayes: 0.9 / (0.9 + 0.2).
    assert!(close(z[0], 9.0 / 11.0, 1e-6), "{z:?}");
    let samples = sample(&mut executor, &given, 10_000, 1).unwrap();
    let zeros = (0..10_000).filter(|&row| samples.row(row)[1] == 0).count() as f64 / 1e4;
    assert!(close(zeros, 9.0 / 11.0, 0.016), "{zeros}");
}

/// A mixture of normals has the moments of the law of total variance.
#[test]
fn posteriors_of_real_variables_are_moments_of_the_mixture() {
    let mut make = Make::new(2, Domain::Real);
    let [a, b] = [[-1.0, 1.0, 0.5, 0.5], [2.0, 5.0, 1.0, 2.0]]
        .into_iter()
        .enumerate()
        .map(|(var, theta)| make.gaussian(var as u32, 2, Some(theta.to_vec())))
        .collect::<Vec<_>>()[..]
    else {
        panic!("two leaves")
    };
    let both = make.product(&[a, b]);
    let root = make.sum(&[both], 1, Some(vec![0.25, 0.75]));
    let mut executor = interpreter(&make.finish(root));
    let found = posteriors(&mut executor, &Batch::missing(2, 1), &[VarId(1)]).unwrap();
    let mean = 0.25 * 2.0 + 0.75 * 5.0;
    let variance = 0.25 * (1.0 + 4.0) + 0.75 * (4.0 + 25.0) - mean * mean;
    let Posterior::Moments { mean: m, sd } = found[0][0] else { panic!("a real variable has moments") };
    assert!(close(m, mean, 1e-9) && close(sd, f64::sqrt(variance), 1e-9));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn marginals_and_conditionals_agree_with_enumeration(seed: u64, n in 2u32..5) {
        let graph = random(seed, n, true);
        let mut executor = interpreter(&graph);
        let table = table(&mut executor);
        let [given, targets] = [seed, seed ^ 1].map(|s| random_rows(&graph, 6, 0.5, s));
        let logs = log_probability(&mut executor, &targets, &given).unwrap();
        for row in 0..6 {
            let p = |keep: &dyn Fn(&[u32]) -> bool| table.iter().filter(|(x, _)| keep(x)).map(|(_, p)| p).sum::<f64>();
            let condition = p(&|x| agrees(x, given.row(row)));
            let both = p(&|x| agrees(x, given.row(row)) && agrees(x, targets.row(row)));
            prop_assert!(close(logs[row].exp(), both / condition, ROUNDING), "{} {}", logs[row].exp(), both / condition);
        }
    }

    #[test]
    fn posteriors_agree_with_enumeration(seed: u64, n in 2u32..5) {
        let graph = random(seed, n, true);
        let mut executor = interpreter(&graph);
        let table = table(&mut executor);
        let given = random_rows(&graph, 4, 0.6, seed);
        let variables: Vec<VarId> = (0..n).map(VarId).collect();
        let found = posteriors(&mut executor, &given, &variables).unwrap();
        for row in 0..4 {
            let possible: Vec<_> = table.iter().filter(|(x, _)| agrees(x, given.row(row))).collect();
            let total: f64 = possible.iter().map(|(_, p)| p).sum();
            for (var, posterior) in found[row].iter().enumerate() {
                let Posterior::Table(posterior) = posterior else { panic!("a category has a table") };
                for (code, p) in posterior.iter().enumerate() {
                    let mass: f64 = possible.iter().filter(|(x, _)| x[var] == code as u32).map(|(_, p)| p).sum();
                    prop_assert!(close(*p, mass / total, ROUNDING), "{p} {}", mass / total);
                }
            }
        }
    }

    /// Compiled values are 32-bit floats, so posteriors agree to a few units of their last place.
    #[test]
    fn compiled_code_answers_like_the_interpreter(seed: u64, n in 2u32..5) {
        let graph = random(seed, n, true);
        let options = CpuOptions::threads(std::num::NonZeroUsize::MIN);
        let mut compiled = CpuExecutor::new(graph.clone(), pcc_ir::Params::of(&graph), options).unwrap();
        let given = random_rows(&graph, 4, 0.6, seed);
        let variables: Vec<VarId> = (0..n).map(VarId).collect();
        let found = posteriors(&mut compiled, &given, &variables).unwrap();
        let expected = posteriors(&mut interpreter(&graph), &given, &variables).unwrap();
        for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
            let (Posterior::Table(found), Posterior::Table(expected)) = (found, expected) else {
                panic!("a category has a table")
            };
            prop_assert!(found.iter().zip(expected).all(|(a, b)| close(*a, *b, 1e-5)));
        }
    }

    #[test]
    fn exact_completions_agree_with_enumeration(seed: u64) {
        let mut executor = interpreter(&little());
        let table = table(&mut executor);
        let given = random_rows(executor.graph(), 4, 0.6, seed);
        for (row, best) in most_probable(&mut executor, &given, Exactness::Exact).unwrap().iter().enumerate() {
            let possible = table.iter().filter(|(x, _)| agrees(x, given.row(row)));
            let most = possible.map(|(_, p)| *p).fold(0.0, f64::max);
            prop_assert!(close(best.log_value, most.ln(), 1e-9));
            prop_assert!(agrees(&best.row, given.row(row)) && !best.row.contains(&MISSING));
        }
    }

    /// Whatever max-product finds, it says truly how probable that is, and keeps the evidence.
    #[test]
    fn approximate_completions_report_their_own_probability(seed: u64, n in 2u32..5) {
        let graph = random(seed, n, true);
        let mut executor = interpreter(&graph);
        let table = table(&mut executor);
        let given = random_rows(&graph, 4, 0.6, seed);
        for (row, found) in most_probable(&mut executor, &given, Exactness::Approximate).unwrap().iter().enumerate() {
            let p = table.iter().find(|(x, _)| *x == found.row).map(|(_, p)| *p).unwrap();
            prop_assert!(close(found.log_value.exp(), p, 1e-12) && agrees(&found.row, given.row(row)));
        }
    }
}
