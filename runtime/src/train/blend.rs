//! What an M-step makes of one number: old value, flow and share of the pseudocount, blended.

use super::em::TableUpdate;

/// What a unit's values become: `keep` times the old ones, `scale` times their flows, and `share`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Blend {
    pub(crate) keep: f64,
    pub(crate) scale: f64,
    pub(crate) share: f64,
}

/// Up to this scale 32 bits do: no flow is so large that its product with it is beyond them. Units with larger
/// ones were hardly used at all.
pub(crate) const LARGEST_SCALE: f64 = (1_u128 << 100) as f64;

impl Blend {
    /// Leaves everything as it is.
    const NONE: Blend = Blend { keep: 1.0, scale: 0.0, share: 0.0 };

    /// The blend of a unit with so many cells, by how much it was `used` and by the `mass` of its old values,
    /// which may be wrong where the step is 1.
    #[inline(always)]
    pub(crate) fn of(update: &TableUpdate, unit: usize, cells: usize, used: f64, mass: f64) -> Self {
        if used.is_nan() || used <= 0.0 {
            return Blend::NONE;
        }
        let step = update.step_of(unit, used);
        let count = update.count_of_unit(cells);
        let scale = step / (used + count);
        // Rounding would let the sum of the values drift over thousands of updates, hence it is divided out.
        let keep = if step < 1.0 && mass > 0.0 { (1.0 - step) / mass } else { 0.0 };
        Blend { keep, scale, share: scale * count / cells as f64 }
    }

    /// One number.
    pub(crate) fn apply(&self, old: f32, flow: f32) -> f32 {
        (self.keep * f64::from(old) + self.scale * f64::from(flow) + self.share) as f32
    }
}
