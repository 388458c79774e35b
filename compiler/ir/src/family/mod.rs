//! Input families. Each file of this folder is the one home of a family: its density, mode, sampler,
//! sufficient statistics, update, and the table that a compiled back end reads.
//!
//! Parameters of a layer lie row-major, one row of units for each of the family's parameters; the
//! functions here work on one unit, given the numbers of its column.

mod bernoulli;
mod binomial;
mod categorical;
mod gaussian;

pub use bernoulli::Bernoulli;
pub use binomial::Binomial;
pub use categorical::Categorical;
pub use gaussian::{Gaussian, MinSd};

use crate::evidence::Value;
use crate::variable::Domain;

/// A source of uniform numbers in [0, 1).
pub type Uniform<'a> = &'a mut dyn FnMut() -> f64;

/// How an EM update smooths.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Smoothing {
    /// Imaginary observations given to each unit, spread evenly over its values (or weights).
    pub per_node: f64,
}

/// What a family is, for one unit. `theta` has [`Distribution::n_params`] numbers, `stats` has
/// [`Distribution::n_stats`]. All arithmetic is in 64-bit floats: this is the reference.
pub trait Distribution {
    /// The name in source and messages.
    fn name(&self) -> &'static str;

    /// Numbers of a unit.
    fn n_params(&self) -> usize;

    /// Sufficient statistics of a unit. A family with finitely many values counts each value.
    fn n_stats(&self) -> usize;

    /// The number of values it gives mass to, when it is finite: the codes below it.
    fn n_values(&self) -> Option<u32>;

    /// Whether it may stand over a variable of this domain.
    fn fits(&self, domain: Domain) -> bool;

    /// The natural logarithm of the density or mass at a value; 0 where the value is missing.
    fn log_density(&self, theta: &[f64], value: Value) -> f64;

    /// The most likely value (the smallest code among equals).
    fn mode(&self, theta: &[f64]) -> Value;

    /// The mean of the value itself (codes for discrete families).
    fn mean(&self, theta: &[f64]) -> f64;

    /// The variance of the value itself. A family without finitely many values has a formula of its own.
    fn variance(&self, theta: &[f64]) -> f64 {
        let mean = self.mean(theta);
        let codes = 0..self.n_values().unwrap_or(0);
        codes.map(|x| self.log_density(theta, Value::Code(x)).exp() * (f64::from(x) - mean).powi(2)).sum()
    }

    /// The entropy in nats, differential for densities.
    fn entropy(&self, theta: &[f64]) -> f64 {
        let log = |code| self.log_density(theta, Value::Code(code));
        let logs = (0..self.n_values().unwrap_or(0)).map(log).filter(|log| log.is_finite());
        -logs.map(|log| log * log.exp()).sum::<f64>()
    }

    /// A draw.
    fn sample(&self, theta: &[f64], uniform: Uniform) -> Value;

    /// Adds a weighted observation to the statistics of a unit with these parameters. A missing value adds
    /// nothing.
    fn observe(&self, theta: &[f64], value: Value, weight: f64, stats: &mut [f64]);

    /// The maximum-likelihood parameters of smoothed statistics that were observed with `old`; `old` where they
    /// say nothing.
    fn maximize(&self, stats: &[f64], smoothing: Smoothing, old: &[f64], theta: &mut [f64]);

    /// Replaces new parameters by those a share `step` of the way from the old ones, in a straight line of
    /// the expected statistics: for families whose parameters are means, that is linear in them.
    fn blend(&self, old: &[f64], step: f64, theta: &mut [f64]) {
        for (new, old) in theta.iter_mut().zip(old) {
            *new = old + step * (*new - old);
        }
    }

    /// Makes of statistics that were observed with `old` parameters those that `new` ones would have observed. Only
    /// families whose statistics depend on the parameters have anything to do.
    fn recentre(&self, old: &[f64], new: &[f64], stats: &mut [f64]) {
        let _ = (old, new, stats);
    }

    /// A random start around the statistics of the whole data set, observed with parameters that are all 0;
    /// different for each unit.
    fn start(&self, marginal: &[f64], uniform: Uniform, theta: &mut [f64]);

    /// Moves parameters by noise of a deviation, relative to their own scale, so that equal units become different.
    fn disturb(&self, noise: f64, uniform: Uniform, theta: &mut [f64]);

    /// What is wrong with given parameters, in the user's words.
    fn check(&self, theta: &[f64]) -> Result<(), String>;

    /// Rows of the table that compiled code reads: one row for each value where there are finitely many
    /// (mass), else as the family says.
    fn n_prepared(&self) -> usize;

    /// Computes one unit's column of that table.
    fn prepare(&self, theta: &[f64], prepared: &mut [f64]);
}

/// A family with its fixed settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// Two values with one probability.
    Bernoulli(Bernoulli),
    /// Any distribution over n values.
    Categorical(Categorical),
    /// The number of successes in n trials.
    Binomial(Binomial),
    /// The normal distribution.
    Gaussian(Gaussian),
}

impl Family {
    /// The family that a domain picks when none is named; `nat` has no bound to count against and picks none.
    pub fn default_for(domain: Domain) -> Option<Family> {
        match domain {
            Domain::Bool => Some(Family::Bernoulli(Bernoulli)),
            Domain::Real => Some(Family::Gaussian(Gaussian::default())),
            _ => domain.n_values().map(|n| Family::Categorical(Categorical { n })),
        }
    }

    /// The family's one definition.
    pub fn get(&self) -> &dyn Distribution {
        match self {
            Family::Bernoulli(f) => f,
            Family::Categorical(f) => f,
            Family::Binomial(f) => f,
            Family::Gaussian(f) => f,
        }
    }

    /// The name in source and messages.
    pub fn name(&self) -> &'static str {
        self.get().name()
    }

    /// Numbers of a unit.
    pub fn n_params(&self) -> usize {
        self.get().n_params()
    }

    /// Sufficient statistics of a unit.
    pub fn n_stats(&self) -> usize {
        self.get().n_stats()
    }
}

/// Draws an index with probability proportional to its weight.
pub(crate) fn draw(weights: impl Iterator<Item = f64> + Clone, uniform: Uniform) -> u32 {
    let total: f64 = weights.clone().sum();
    let mut left = uniform() * total;
    let mut last = 0;
    for (i, w) in weights.enumerate().filter(|&(_, w)| w > 0.0) {
        last = i as u32;
        left -= w;
        if left < 0.0 {
            break;
        }
    }
    last
}

/// Multiplies weights by log-normal numbers of mean one, whose logarithm has the deviation `noise`, and brings them
/// to a sum of one. Zeros stay.
pub fn disturb_weights(noise: f64, uniform: Uniform, weights: &mut [f64]) {
    for weight in weights.iter_mut().filter(|weight| **weight > 0.0) {
        *weight *= (noise * normal(uniform) - noise * noise / 2.0).exp();
    }
    let total: f64 = weights.iter().sum();
    if total > 0.0 {
        weights.iter_mut().for_each(|weight| *weight /= total);
    }
}

/// A standard normal draw (Box and Muller, 1958).
pub(crate) fn normal(uniform: Uniform) -> f64 {
    let radius = (-2.0 * (1.0 - uniform()).ln()).sqrt();
    radius * (std::f64::consts::TAU * uniform()).cos()
}

/// A draw of the exponential distribution with mean one.
pub(crate) fn exponential(uniform: Uniform) -> f64 {
    -(1.0 - uniform()).ln()
}
