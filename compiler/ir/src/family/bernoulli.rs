//! Bernoulli: one parameter, the probability of `true` (code 1).

use super::{Distribution, Smoothing, Uniform, disturb_weights, exponential};
use crate::evidence::Value;
use crate::variable::Domain;

/// The family of distributions over two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bernoulli;

impl Distribution for Bernoulli {
    fn name(&self) -> &'static str {
        "bernoulli"
    }

    fn n_params(&self) -> usize {
        1
    }

    fn n_stats(&self) -> usize {
        2
    }

    fn n_values(&self) -> Option<u32> {
        Some(2)
    }

    fn fits(&self, domain: Domain) -> bool {
        domain.n_values() == Some(2)
    }

    fn log_density(&self, theta: &[f64], value: Value) -> f64 {
        match value {
            Value::Code(1) => theta[0].ln(),
            Value::Code(0) => (-theta[0]).ln_1p(),
            Value::Missing => 0.0,
            _ => f64::NEG_INFINITY,
        }
    }

    fn mode(&self, theta: &[f64]) -> Value {
        Value::Code(u32::from(theta[0] > 0.5))
    }

    fn mean(&self, theta: &[f64]) -> f64 {
        theta[0]
    }

    fn sample(&self, theta: &[f64], uniform: Uniform) -> Value {
        Value::Code(u32::from(uniform() < theta[0]))
    }

    fn observe(&self, _: &[f64], value: Value, weight: f64, stats: &mut [f64]) {
        if let Value::Code(code) = value {
            stats[code as usize] += weight;
        }
    }

    fn maximize(&self, stats: &[f64], smoothing: Smoothing, old: &[f64], theta: &mut [f64]) {
        let total = stats[0] + stats[1] + smoothing.per_node;
        theta[0] = if total > 0.0 { (stats[1] + smoothing.per_node / 2.0) / total } else { old[0] };
    }

    fn start(&self, marginal: &[f64], uniform: Uniform, theta: &mut [f64]) {
        let no = marginal[0] * exponential(uniform);
        let yes = marginal[1] * exponential(uniform);
        theta[0] = if no + yes > 0.0 { yes / (no + yes) } else { uniform() };
    }

    fn disturb(&self, noise: f64, uniform: Uniform, theta: &mut [f64]) {
        let mut both = [1.0 - theta[0], theta[0]];
        disturb_weights(noise, uniform, &mut both);
        theta[0] = both[1];
    }

    fn check(&self, theta: &[f64]) -> Result<(), String> {
        match theta[0] {
            p if (0.0..=1.0).contains(&p) => Ok(()),
            p => Err(format!("a probability is between 0 and 1, not {p}")),
        }
    }

    fn n_prepared(&self) -> usize {
        2
    }

    fn prepare(&self, theta: &[f64], prepared: &mut [f64]) {
        prepared[0] = 1.0 - theta[0];
        prepared[1] = theta[0];
    }
}
