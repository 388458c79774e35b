//! Gaussian: mean and standard deviation, with a floor on the latter.

use super::{Distribution, Smoothing, Uniform, normal};
use crate::evidence::Value;
use crate::variable::Domain;

/// The smallest standard deviation that learning may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MinSd(u64);

impl MinSd {
    /// A floor; it must be positive.
    pub fn new(sd: f64) -> Option<MinSd> {
        (sd > 0.0 && sd.is_finite()).then(|| MinSd(sd.to_bits()))
    }

    /// The number.
    pub fn get(self) -> f64 {
        f64::from_bits(self.0)
    }
}

/// The family of normal distributions. Parameters: mean, standard deviation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Gaussian {
    /// The floor.
    pub min_sd: MinSd,
}

impl Default for Gaussian {
    fn default() -> Self {
        Gaussian { min_sd: MinSd(1e-3_f64.to_bits()) }
    }
}

const LOG_SQRT_TAU: f64 = 0.918_938_533_204_672_8;

impl Distribution for Gaussian {
    fn name(&self) -> &'static str {
        "gaussian"
    }

    fn n_params(&self) -> usize {
        2
    }

    /// The weight, and the weighted sums of the distance from the unit's mean and of its square. Distances
    /// keep what raw moments lose where means are far larger than deviations.
    fn n_stats(&self) -> usize {
        3
    }

    fn n_values(&self) -> Option<u32> {
        None
    }

    fn fits(&self, domain: Domain) -> bool {
        domain == Domain::Real
    }

    fn log_density(&self, theta: &[f64], value: Value) -> f64 {
        match value {
            Value::Real(x) => {
                let z = (x - theta[0]) / theta[1];
                -0.5 * z * z - theta[1].ln() - LOG_SQRT_TAU
            }
            Value::Missing => 0.0,
            Value::Code(_) => f64::NEG_INFINITY,
        }
    }

    fn mode(&self, theta: &[f64]) -> Value {
        Value::Real(theta[0])
    }

    fn mean(&self, theta: &[f64]) -> f64 {
        theta[0]
    }

    fn variance(&self, theta: &[f64]) -> f64 {
        theta[1] * theta[1]
    }

    fn entropy(&self, theta: &[f64]) -> f64 {
        theta[1].ln() + LOG_SQRT_TAU + 0.5
    }

    fn sample(&self, theta: &[f64], uniform: Uniform) -> Value {
        Value::Real(theta[0] + theta[1] * normal(uniform))
    }

    fn observe(&self, theta: &[f64], value: Value, weight: f64, stats: &mut [f64]) {
        if let Value::Real(x) = value {
            let distance = x - theta[0];
            stats[0] += weight;
            stats[1] += weight * distance;
            stats[2] += weight * distance * distance;
        }
    }

    /// The imaginary observations have the old mean and deviation, so that they pull towards no scale.
    fn maximize(&self, stats: &[f64], smoothing: Smoothing, old: &[f64], theta: &mut [f64]) {
        let (c, old_mean, old_sd) = (smoothing.per_node, old[0], old[1]);
        let weight = stats[0] + c;
        if weight <= 0.0 {
            theta.copy_from_slice(old);
            return;
        }
        let shift = stats[1] / weight;
        let square = (stats[2] + c * old_sd * old_sd) / weight;
        theta[0] = old_mean + shift;
        theta[1] = (square - shift * shift).max(0.0).sqrt().max(self.min_sd.get());
    }

    /// Blends the first two moments: a blend of deviations would forget that the means moved apart.
    fn blend(&self, old: &[f64], step: f64, theta: &mut [f64]) {
        let between = theta[0] - old[0];
        let variance = (1.0 - step) * old[1] * old[1]
            + step * theta[1] * theta[1]
            + step * (1.0 - step) * between * between;
        theta[0] = old[0] + step * between;
        theta[1] = variance.sqrt().max(self.min_sd.get());
    }

    /// Sums of `x - m'` and of its square are those of `x - m` less the shift `m' - m`.
    fn recentre(&self, old: &[f64], new: &[f64], stats: &mut [f64]) {
        let shift = new[0] - old[0];
        stats[2] += shift * (shift * stats[0] - 2.0 * stats[1]);
        stats[1] -= shift * stats[0];
    }

    fn start(&self, marginal: &[f64], uniform: Uniform, theta: &mut [f64]) {
        let (mean, sd) = match marginal[0] > 0.0 {
            true => {
                let mean = marginal[1] / marginal[0];
                (mean, (marginal[2] / marginal[0] - mean * mean).max(0.0).sqrt())
            }
            false => (0.0, 1.0),
        };
        theta[0] = mean + sd * normal(uniform);
        theta[1] = sd.max(self.min_sd.get());
    }

    /// The mean moves by so many deviations.
    fn disturb(&self, noise: f64, uniform: Uniform, theta: &mut [f64]) {
        theta[0] += noise * theta[1] * normal(uniform);
    }

    fn check(&self, theta: &[f64]) -> Result<(), String> {
        match (theta[0].is_finite(), theta[1] > 0.0 && theta[1].is_finite()) {
            (true, true) => Ok(()),
            (false, _) => Err(format!("a mean is a finite number, not {}", theta[0])),
            (_, false) => Err(format!("a standard deviation is positive, not {}", theta[1])),
        }
    }

    /// Mean, one over the deviation, and the logarithm of the density at the mean.
    fn n_prepared(&self) -> usize {
        3
    }

    fn prepare(&self, theta: &[f64], prepared: &mut [f64]) {
        prepared[0] = theta[0];
        prepared[1] = 1.0 / theta[1];
        prepared[2] = -theta[1].ln() - LOG_SQRT_TAU;
    }
}
