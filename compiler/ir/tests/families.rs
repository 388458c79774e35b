//! Input families against reference values, sums over all values, numerical integration and closed forms.

use pcc_ir::family::{Bernoulli, Binomial, Categorical, Gaussian, MinSd, Smoothing};
use pcc_ir::{Domain, Family, Value};

const NO_SMOOTHING: Smoothing = Smoothing { per_node: 0.0 };

fn families() -> Vec<(Family, Vec<f64>)> {
    vec![
        (Family::Bernoulli(Bernoulli), vec![0.3]),
        (Family::Categorical(Categorical { n: 5 }), vec![0.1, 0.0, 0.2, 0.4, 0.3]),
        (Family::Binomial(Binomial { n: 10 }), vec![0.3]),
        (Family::Gaussian(Gaussian::default()), vec![0.5, 0.5]),
    ]
}

/// A small keyed generator, so that draws are the same in every run.
fn uniforms(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed;
    move || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[track_caller]
fn assert_close(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "found {found}, expected {expected}");
}

#[test]
fn log_densities_have_their_reference_values() {
    let binomial = |n, p, k| Family::Binomial(Binomial { n }).get().log_density(&[p], Value::Code(k));
    assert_close(binomial(10, 0.3, 4), -1.608_833_350_218_672_5, 1e-12);
    assert_close(binomial(255, 0.5, 128), -2.999_356_634_901_033_7, 1e-11);
    let gaussian = Family::Gaussian(Gaussian::default());
    assert_close(gaussian.get().log_density(&[0.5, 0.5], Value::Real(0.3)), -0.305_791_352_644_727_34, 1e-14);
}

#[test]
fn mass_over_all_values_is_one() {
    for (family, theta) in families() {
        let Some(n) = family.get().n_values() else { continue };
        let total: f64 = (0..n).map(|k| family.get().log_density(&theta, Value::Code(k)).exp()).sum();
        assert_close(total, 1.0, 1e-12);
        assert_eq!(family.get().log_density(&theta, Value::Code(n)), f64::NEG_INFINITY, "{}", family.name());
    }
}

#[test]
fn the_gaussian_density_integrates_to_one() {
    let family = Family::Gaussian(Gaussian::default());
    let step = 1e-3;
    let density = |i: i32| family.get().log_density(&[0.5, 0.5], Value::Real(f64::from(i) * step)).exp();
    assert_close((-6000..7000).map(density).sum::<f64>() * step, 1.0, 1e-9);
}

#[test]
fn a_missing_value_is_summed_out() {
    for (family, theta) in families() {
        assert_eq!(family.get().log_density(&theta, Value::Missing), 0.0);
        let mut stats = vec![0.0; family.n_stats()];
        family.get().observe(&theta, Value::Missing, 1.0, &mut stats);
        assert!(stats.iter().all(|&s| s == 0.0));
    }
}

#[test]
fn the_prepared_table_of_a_finite_family_is_its_mass() {
    for (family, theta) in families() {
        let Some(n) = family.get().n_values() else { continue };
        let mut prepared = vec![0.0; family.get().n_prepared()];
        family.get().prepare(&theta, &mut prepared);
        for k in 0..n {
            let mass = family.get().log_density(&theta, Value::Code(k)).exp();
            assert_close(prepared[k as usize], mass, 1e-14);
        }
    }
}

#[test]
fn samples_have_the_mean_of_the_family() {
    for (family, theta) in families() {
        let mut uniform = uniforms(7);
        let n = 40_000;
        let draw = |u: &mut dyn FnMut() -> f64| match family.get().sample(&theta, u) {
            Value::Code(k) => f64::from(k),
            Value::Real(x) => x,
            Value::Missing => f64::NAN,
        };
        let mean = (0..n).map(|_| draw(&mut uniform)).sum::<f64>() / f64::from(n);
        // Five standard errors of the widest family here (sd 1.45).
        assert_close(mean, family.get().mean(&theta), 5.0 * 1.45 / 200.0);
    }
}

#[test]
fn the_mode_is_a_most_likely_value() {
    for (family, theta) in families() {
        let mode = family.get().log_density(&theta, family.get().mode(&theta));
        let others: Vec<Value> = match family.get().n_values() {
            Some(n) => (0..n).map(Value::Code).collect(),
            None => (-30..30).map(|i| Value::Real(f64::from(i) / 10.0)).collect(),
        };
        assert!(others.iter().all(|&v| family.get().log_density(&theta, v) <= mode), "{}", family.name());
    }
    // (n + 1) p = 2: the values 1 and 2 are equally likely, and the smaller is the answer.
    assert_eq!(Family::Binomial(Binomial { n: 3 }).get().mode(&[0.5]), Value::Code(1));
}

#[test]
fn maximising_observed_data_gives_the_closed_form() {
    let codes = [2, 0, 2, 3, 2, 1, 4, 2];
    for (family, old) in families() {
        let mut stats = vec![0.0; family.n_stats()];
        for &code in &codes {
            let value = match family.get().n_values() {
                Some(2) => Value::Code(code % 2),
                Some(_) => Value::Code(code),
                None => Value::Real(f64::from(code)),
            };
            family.get().observe(&old, value, 1.0, &mut stats);
        }
        let mut theta = vec![0.0; family.n_params()];
        family.get().maximize(&stats, NO_SMOOTHING, &old, &mut theta);
        let expected = match family {
            Family::Bernoulli(_) => vec![2.0 / 8.0],
            Family::Categorical(_) => vec![0.125, 0.125, 0.5, 0.125, 0.125],
            Family::Binomial(_) => vec![2.0 / 10.0],
            // mean 2; squares 4+0+4+9+4+1+16+4 = 42; variance 42/8 - 4 = 1.25
            Family::Gaussian(_) => vec![2.0, 1.25_f64.sqrt()],
        };
        theta.iter().zip(&expected).for_each(|(&t, &e)| assert_close(t, e, 1e-12));
    }
}

#[test]
fn without_flow_parameters_stay_and_smoothing_pulls_to_the_middle() {
    for (family, old) in families() {
        let stats = vec![0.0; family.n_stats()];
        let mut theta = vec![f64::NAN; family.n_params()];
        family.get().maximize(&stats, NO_SMOOTHING, &old, &mut theta);
        theta.iter().zip(&old).for_each(|(&t, &o)| assert_close(t, o, 1e-9));
        family.get().maximize(&stats, Smoothing { per_node: 0.1 }, &old, &mut theta);
        assert!(family.get().check(&theta).is_ok(), "{}: {theta:?}", family.name());
    }
}

#[test]
fn a_gaussian_far_from_zero_keeps_its_deviation_in_32_bits() {
    let family = Family::Gaussian(Gaussian::default());
    let old = [1e4, 3.0];
    let mut stats = vec![0.0; 3];
    for x in [9_999.0, 10_000.0, 10_001.5, 10_003.5] {
        family.get().observe(&old, Value::Real(x), 0.25, &mut stats);
    }
    let stats: Vec<f64> = stats.iter().map(|&s| f64::from(s as f32)).collect();
    let mut theta = [0.0; 2];
    family.get().maximize(&stats, NO_SMOOTHING, &old, &mut theta);
    // Distances -1, 0, 1.5 and 3.5: mean 1, mean square 15.5 / 4, variance 2.875.
    assert_close(theta[0], 10_001.0, 1e-9);
    assert_close(theta[1], 2.875_f64.sqrt(), 1e-6);
}

#[test]
fn the_deviation_of_a_gaussian_has_a_floor() {
    let family = Family::Gaussian(Gaussian { min_sd: MinSd::new(0.25).unwrap() });
    let mut theta = [0.0; 2];
    family.get().maximize(&[3.0, 6.0, 12.0], NO_SMOOTHING, &[0.0, 1.0], &mut theta);
    assert_eq!(theta, [2.0, 0.25]);
    assert_eq!(MinSd::new(0.0), None);
}

#[test]
fn starts_are_valid_and_differ() {
    for (family, _) in families() {
        let mut marginal = vec![0.0; family.n_stats()];
        let zeros = vec![0.0; family.n_params()];
        let mut observe = |value, weight| family.get().observe(&zeros, value, weight, &mut marginal);
        match family.get().n_values() {
            Some(n) => (0..n).for_each(|k| observe(Value::Code(k), 2.0)),
            None => [0.5, 1.5].iter().for_each(|&x| observe(Value::Real(x), 1.0)),
        }
        let mut uniform = uniforms(3);
        let mut start = || {
            let mut theta = vec![0.0; family.n_params()];
            family.get().start(&marginal, &mut uniform, &mut theta);
            theta
        };
        let (a, b) = (start(), start());
        assert_ne!(a, b, "{}", family.name());
        assert!(family.get().check(&a).is_ok() && family.get().check(&b).is_ok());
    }
}

#[test]
fn families_know_their_domains() {
    assert!(Family::default_for(Domain::Int(3, 7)).unwrap().get().fits(Domain::Int(3, 7)));
    assert_eq!(Family::default_for(Domain::Nat), None);
    assert!(!Family::Gaussian(Gaussian::default()).get().fits(Domain::Cat(3)));
    assert!(!Family::Binomial(Binomial { n: 3 }).get().fits(Domain::Cat(3)));
    assert!(Family::Binomial(Binomial { n: 2 }).get().fits(Domain::Cat(3)));
    assert_eq!(Domain::Int(3, 7).code_of(7.0), Some(4));
    assert_eq!(Domain::Int(3, 7).code_of(8.0), None);
    assert_eq!(Domain::Cat(3).code_of(0.5), None);
    assert_eq!(Domain::Int(-2, 2).value_of(0), -2.0);
}
