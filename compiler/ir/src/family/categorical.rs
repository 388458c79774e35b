//! Categorical: one probability for each value.

use super::{Distribution, Smoothing, Uniform, disturb_weights, draw, exponential};
use crate::evidence::Value;
use crate::variable::Domain;

/// The family of all distributions over `n` values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Categorical {
    /// How many values.
    pub n: u32,
}

impl Distribution for Categorical {
    fn name(&self) -> &'static str {
        "categorical"
    }

    fn n_params(&self) -> usize {
        self.n as usize
    }

    fn n_stats(&self) -> usize {
        self.n as usize
    }

    fn n_values(&self) -> Option<u32> {
        Some(self.n)
    }

    fn fits(&self, domain: Domain) -> bool {
        self.n > 0 && domain.n_values() == Some(self.n)
    }

    fn log_density(&self, theta: &[f64], value: Value) -> f64 {
        match value {
            Value::Code(code) => theta.get(code as usize).map_or(f64::NEG_INFINITY, |p| p.ln()),
            Value::Missing => 0.0,
            Value::Real(_) => f64::NEG_INFINITY,
        }
    }

    fn mode(&self, theta: &[f64]) -> Value {
        let mut best = 0;
        for (i, p) in theta.iter().enumerate() {
            if *p > theta[best] {
                best = i;
            }
        }
        Value::Code(best as u32)
    }

    fn mean(&self, theta: &[f64]) -> f64 {
        theta.iter().enumerate().map(|(i, p)| i as f64 * p).sum()
    }

    fn sample(&self, theta: &[f64], uniform: Uniform) -> Value {
        Value::Code(draw(theta.iter().copied(), uniform))
    }

    fn observe(&self, _: &[f64], value: Value, weight: f64, stats: &mut [f64]) {
        if let Value::Code(code) = value {
            stats[code as usize] += weight;
        }
    }

    fn maximize(&self, stats: &[f64], smoothing: Smoothing, old: &[f64], theta: &mut [f64]) {
        let total = stats.iter().sum::<f64>() + smoothing.per_node;
        if total <= 0.0 {
            theta.copy_from_slice(old);
            return;
        }
        let share = smoothing.per_node / f64::from(self.n);
        for (p, count) in theta.iter_mut().zip(stats) {
            *p = (count + share) / total;
        }
    }

    fn start(&self, marginal: &[f64], uniform: Uniform, theta: &mut [f64]) {
        for (p, m) in theta.iter_mut().zip(marginal) {
            *p = m * exponential(uniform);
        }
        let total: f64 = theta.iter().sum();
        if total > 0.0 {
            theta.iter_mut().for_each(|p| *p /= total);
        } else {
            theta.fill(1.0 / f64::from(self.n));
        }
    }

    fn disturb(&self, noise: f64, uniform: Uniform, theta: &mut [f64]) {
        disturb_weights(noise, uniform, theta);
    }

    fn check(&self, theta: &[f64]) -> Result<(), String> {
        if let Some(p) = theta.iter().find(|p| !(0.0..=1.0).contains(*p)) {
            return Err(format!("a probability is between 0 and 1, not {p}"));
        }
        match theta.iter().sum::<f64>() {
            total if (total - 1.0).abs() < 1e-4 => Ok(()),
            total => Err(format!("the probabilities of its values sum to {total}, not to 1")),
        }
    }

    fn n_prepared(&self) -> usize {
        self.n as usize
    }

    fn prepare(&self, theta: &[f64], prepared: &mut [f64]) {
        prepared.copy_from_slice(theta);
    }
}
