//! Binomial: the number of successes in `n` trials, with one parameter, the probability of success.

use super::{Distribution, Smoothing, Uniform, disturb_weights, draw};
use crate::evidence::Value;
use crate::variable::Domain;

/// The family of binomial distributions with `n` trials, over the values 0 to n.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Binomial {
    /// How many trials.
    pub n: u32,
}

/// Keeps the parameter inside the open interval, so that every value keeps some mass.
const MARGIN: f64 = 1e-6;

impl Distribution for Binomial {
    fn name(&self) -> &'static str {
        "binomial"
    }

    fn n_params(&self) -> usize {
        1
    }

    fn n_stats(&self) -> usize {
        self.n as usize + 1
    }

    fn n_values(&self) -> Option<u32> {
        Some(self.n + 1)
    }

    fn fits(&self, domain: Domain) -> bool {
        domain.n_values() == Some(self.n + 1)
    }

    fn log_density(&self, theta: &[f64], value: Value) -> f64 {
        match value {
            Value::Code(k) if k <= self.n => log_mass(self.n, k, theta[0]),
            Value::Missing => 0.0,
            _ => f64::NEG_INFINITY,
        }
    }

    fn mode(&self, theta: &[f64]) -> Value {
        let k = (f64::from(self.n) + 1.0) * theta[0];
        // At an integer, k - 1 and k are equally likely: the smaller code is the answer.
        Value::Code((k.ceil() - 1.0).clamp(0.0, f64::from(self.n)) as u32)
    }

    fn mean(&self, theta: &[f64]) -> f64 {
        f64::from(self.n) * theta[0]
    }

    fn sample(&self, theta: &[f64], uniform: Uniform) -> Value {
        let mass = (0..=self.n).map(|k| log_mass(self.n, k, theta[0]).exp());
        Value::Code(draw(mass, uniform))
    }

    fn observe(&self, _: &[f64], value: Value, weight: f64, stats: &mut [f64]) {
        if let Value::Code(code) = value {
            stats[code as usize] += weight;
        }
    }

    fn maximize(&self, stats: &[f64], smoothing: Smoothing, old: &[f64], theta: &mut [f64]) {
        let total = stats.iter().sum::<f64>() + smoothing.per_node;
        let successes: f64 = stats.iter().enumerate().map(|(k, count)| k as f64 * count).sum();
        theta[0] = match total > 0.0 && self.n > 0 {
            // The imaginary observations are half successes.
            true => (successes / f64::from(self.n) + smoothing.per_node / 2.0) / total,
            false => old[0],
        };
        theta[0] = theta[0].clamp(MARGIN, 1.0 - MARGIN);
    }

    fn start(&self, marginal: &[f64], uniform: Uniform, theta: &mut [f64]) {
        // A value drawn from the data, blurred: units start apart, where data is.
        let k = f64::from(draw(marginal.iter().copied(), uniform));
        theta[0] = (k + uniform()) / (f64::from(self.n) + 1.0);
        theta[0] = theta[0].clamp(0.01, 0.99);
    }

    fn disturb(&self, noise: f64, uniform: Uniform, theta: &mut [f64]) {
        let mut both = [1.0 - theta[0], theta[0]];
        disturb_weights(noise, uniform, &mut both);
        theta[0] = both[1];
    }

    fn check(&self, theta: &[f64]) -> Result<(), String> {
        super::Bernoulli.check(theta)
    }

    fn n_prepared(&self) -> usize {
        self.n as usize + 1
    }

    fn prepare(&self, theta: &[f64], prepared: &mut [f64]) {
        for (k, mass) in prepared.iter_mut().enumerate() {
            *mass = log_mass(self.n, k as u32, theta[0]).exp();
        }
    }
}

/// ln C(n, k) + k ln p + (n - k) ln(1 - p), with 0 ln 0 = 0.
fn log_mass(n: u32, k: u32, p: f64) -> f64 {
    let times = |count: u32, log: f64| if count == 0 { 0.0 } else { f64::from(count) * log };
    log_choose(n, k) + times(k, p.ln()) + times(n - k, (-p).ln_1p())
}

/// The logarithm of the number of ways to choose k of n, as a sum of logarithms (exact to rounding).
fn log_choose(n: u32, k: u32) -> f64 {
    let k = k.min(n - k);
    (1..=k).map(|i| (f64::from(n - k + i) / f64::from(i)).ln()).sum()
}
