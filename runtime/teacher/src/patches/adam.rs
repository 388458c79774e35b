//! Adam with decoupled weight decay (Kingma and Ba, 2015; Loshchilov and Hutter, 2019).

/// Decay of the mean gradient, and of the mean squared one. The second forgets faster than usual, as networks with
/// attention need it.
const DECAY: [f32; 2] = [0.9, 0.95];
const EPSILON: f32 = 1e-8;
/// What a unit of the step takes off the weights.
const WEIGHT_DECAY: f32 = 0.01;

/// Means of gradients.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Adam {
    /// Of the gradients themselves.
    pub(crate) first: Vec<f32>,
    /// Of their squares.
    pub(crate) second: Vec<f32>,
}

impl Adam {
    /// Before the first step.
    pub(crate) fn new(n: usize) -> Self {
        Adam { first: vec![0.0; n], second: vec![0.0; n] }
    }

    /// Moves weights down a gradient; `step` counts from 1.
    pub(crate) fn step(&mut self, weights: &mut [f32], gradient: &[f32], rate: f32, step: u32) {
        let unbiased = DECAY.map(|decay| 1.0 / (1.0 - decay.powi(step.min(10_000) as i32)));
        let means = self.first.iter_mut().zip(&mut self.second);
        for ((weight, g), (first, second)) in weights.iter_mut().zip(gradient).zip(means) {
            *first = DECAY[0] * *first + (1.0 - DECAY[0]) * g;
            *second = DECAY[1] * *second + (1.0 - DECAY[1]) * g * g;
            let move_by = *first * unbiased[0] / ((*second * unbiased[1]).sqrt() + EPSILON);
            *weight -= rate * (move_by + WEIGHT_DECAY * *weight);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_steps_are_those_of_the_formula() {
        let (mut adam, mut weights) = (Adam::new(1), [2.0]);
        adam.step(&mut weights, &[3.0], 0.1, 1);
        // The first step is the rate itself, whatever the gradient, and the decay.
        assert!((weights[0] - (2.0 - 0.1 - 0.1 * 0.01 * 2.0)).abs() < 1e-6);
        let before = weights[0];
        adam.step(&mut weights, &[-1.0], 0.1, 2);
        let mean = (0.9 * 0.1 * 3.0 - 0.1) / (1.0 - 0.81);
        let square: f32 = (0.95 * 0.05 * 9.0 + 0.05) / (1.0 - 0.9025);
        let expected = before - 0.1 * (mean / square.sqrt() + 0.01 * before);
        assert!((weights[0] - expected).abs() < 1e-5, "{} {expected}", weights[0]);
    }
}
