//! Normal leaves of a single row: sums of logarithms in 64 bits, and one exponent for each group.

use super::exact::two_to_wide;
use super::{Group, Part, Run};
use crate::NormalLeaf;
use std::f64::consts::LOG2_E;

/// Densities this far under the largest of their group, as a power of two, are raised to that, so that the
/// guards of what they feed see them.
const LEAST_POWER: f64 = -124.0;

impl Run<'_> {
    /// The product of the densities of normal leaves.
    #[inline(always)]
    pub(super) unsafe fn normals(&mut self, out: Group, leaves: Part) {
        let leaves = &self.steps.normals[leaves.first as usize..][..leaves.n as usize];
        let width = out.width as usize;
        // SAFETY: the caller's tables have these sizes.
        let power = |run: &Self, unit| unsafe { run.power(leaves, width, unit) };
        let most = (0..width).map(|unit| power(self, unit)).fold(f64::NEG_INFINITY, f64::max).floor();
        if most == f64::NEG_INFINITY {
            self.is_marked = true;
            // SAFETY: the group lies within the caller's numbers.
            return unsafe { self.fill(out, |_| false) };
        }
        for unit in 0..width {
            let under = (power(self, unit) - most).max(LEAST_POWER);
            let whole = under.floor();
            let mantissa = (under - whole).exp2() * two_to_wide(whole as i32);
            // SAFETY: the group lies within the caller's numbers.
            unsafe { self.set(out.units + unit as u32, mantissa as f32) };
        }
        // SAFETY: as above.
        unsafe { self.set_exponent(out, most as f32) }
    }

    /// The binary logarithm of a unit's density. A table is `[3][unit]`: means, reciprocal deviations, and the
    /// natural logarithm of the density at the mean.
    #[inline(always)]
    unsafe fn power(&self, leaves: &[NormalLeaf], width: usize, unit: usize) -> f64 {
        let mut log = 0.0;
        for leaf in leaves {
            let value = f32::from_bits(self.codes[leaf.row as usize]);
            if !value.is_nan() {
                // SAFETY: the caller's tables have these sizes.
                let table = unsafe { self.tables.prepared.as_ptr().add(leaf.table as usize + unit) };
                // SAFETY: as above.
                let [mean, scale, peak] = [0, 1, 2].map(|row| f64::from(unsafe { *table.add(row * width) }));
                let z = (f64::from(value) - mean) * scale;
                log += peak - z * z / 2.0;
            }
        }
        log * LOG2_E
    }
}
