//! What a plan costs, for people and for choosing between plans.
//!
//! Operations are counted for one sample, a multiplication and an addition as two; exponents, rescaling
//! and guards are not counted, so the numbers compare with those of plain matrix products. What the downward
//! half computes again is counted by itself: it is no arithmetic of the model.

use super::{Plan, Step};

/// The cost of a plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Floating-point operations of the upward steps, for one sample.
    pub flops_up: u64,
    /// Floating-point operations of the downward steps that pass flows on, for one sample.
    pub flops_down: u64,
    /// Floating-point operations of what the downward half computes again, for one sample.
    pub flops_again: u64,
    /// Bytes of all tables that steps read.
    pub table_bytes: u64,
    /// Bytes of the arena, for one tile.
    pub arena_bytes: u64,
    /// Bytes of the statistics that flows are added to, for one thread.
    pub flow_bytes: u64,
}

impl Plan {
    /// What it costs.
    pub fn cost(&self) -> Cost {
        let (again, down): (Vec<&Step>, Vec<&Step>) = self.down().iter().partition(|s| s.out().is_some());
        Cost {
            flops_up: self.up().iter().map(|s| self.step_flops(s)).sum(),
            flops_down: down.iter().map(|s| self.step_flops(s)).sum(),
            flops_again: again.iter().map(|s| self.step_flops(s)).sum(),
            table_bytes: 4 * self.tables.iter().map(|t| t.len()).sum::<u64>(),
            arena_bytes: self.arena_bytes(),
            flow_bytes: if self.down().is_empty() { 0 } else { 4 * self.stats_len() },
        }
    }

    fn step_flops(&self, step: &Step) -> u64 {
        let units = |id| u64::from(self.block(id).units());
        match step {
            Step::Multiply { out, factors, .. } => units(*out) * (factors.len() as u64).saturating_sub(1),
            Step::MultiplyUnits { out, children } => units(*out) * (children.len() as u64).saturating_sub(1),
            Step::Outer { out, .. } => units(*out),
            Step::Sum { out, child, .. } => 2 * units(*out) * u64::from(self.block(*child).width),
            Step::Mix { child, .. } => 2 * units(*child),
            Step::SumUnits { children, .. } => 2 * children.iter().map(|&c| units(c)).sum::<u64>(),
            // One product for the child's flow, one for the weights'.
            Step::SumDown { out, child, .. } => 4 * units(*out) * u64::from(self.block(*child).width),
            Step::MixDown { child, .. } => 4 * units(*child),
            Step::SumUnitsDown { children, .. } => 4 * children.iter().map(|&c| units(c)).sum::<u64>(),
            Step::OuterDown { left, right, groups, .. } => {
                2 * units(*left) * units(*right) / u64::from(*groups)
            }
            Step::GatherDown { flow, .. } => u64::from(self.buffer(*flow).rows),
            // A distance in deviations, and its square.
            Step::Normal { out, .. } => 4 * units(*out),
            Step::NormalProduct { out, leaves } => 4 * units(*out) * leaves.len() as u64,
            Step::NormalProductDown { leaves, flow } => {
                5 * u64::from(self.buffer(*flow).rows) * leaves.len() as u64
            }
            Step::NormalDown { flow, .. } => 5 * u64::from(self.buffer(*flow).rows),
            _ => 0,
        }
    }
}
