//! One layer to its upward step.

use super::Lowering;
use crate::plan::Step;
use crate::{BlockId, Family, Layer, LayerId, LayerKind, ParamId, ParamShape, VarId};

/// Stands for the guard of a product until [`super::guards`] knows it.
const UNKNOWN_GUARD: u32 = u32::MAX;

impl Lowering<'_> {
    pub(super) fn lower_layer(&mut self, id: LayerId) {
        let layer = self.graph.layer(id);
        self.plan.layers[id.index()] = match layer.kind {
            LayerKind::Input { var, param } => self.leaf(layer, var, |out, family| match family {
                Some(Family::Gaussian(_)) => Step::Normal { out, var, table: param },
                _ => Step::Gather { out, var, table: param },
            }),
            LayerKind::Literal { var, value } => {
                self.leaf(layer, var, |out, _| Step::Literal { out, var, value })
            }
            LayerKind::Indicator { var, first } => {
                self.leaf(layer, var, |out, _| Step::Indicator { out, var, first })
            }
            LayerKind::Product => self.product(layer),
            LayerKind::Outer => Some(self.outer(layer)),
            LayerKind::Sum { param } => Some(self.sum(layer, param)),
            LayerKind::Mix { param } => Some(self.mix(layer, param)),
        };
    }

    fn push(&mut self, step: Step) -> BlockId {
        let out = step.out().expect("an upward step has an output");
        self.plan.steps.push(step);
        out
    }

    /// A leaf, unless its variable is never observed.
    fn leaf(
        &mut self,
        layer: Layer,
        var: VarId,
        step: impl FnOnce(BlockId, Option<Family>) -> Step,
    ) -> Option<BlockId> {
        if self.options.unobserved.contains(var) {
            return None;
        }
        let family = layer.kind.param().and_then(|p| match self.graph.param(p).shape {
            ParamShape::Input { family, .. } => Some(family),
            _ => None,
        });
        let out = self.block(layer.groups, layer.width, true);
        Some(self.push(step(out, family)))
    }

    /// A product without its constant factors; one factor alone is the product itself.
    fn product(&mut self, layer: Layer) -> Option<BlockId> {
        let factors: Vec<BlockId> =
            layer.children.iter().filter_map(|c| self.plan.layers[c.index()]).collect();
        match factors[..] {
            [] => None,
            [one] => Some(one),
            _ => Some(self.multiply(&factors)),
        }
    }

    fn multiply(&mut self, factors: &[BlockId]) -> BlockId {
        let most = factors.iter().map(|&f| self.plan.block(f).groups).max().unwrap_or(1);
        let units = self.plan.block(factors[0]).units();
        if most == units {
            let out = self.block(units, 1, true);
            return self.push(Step::MultiplyUnits { out, children: factors.into() });
        }
        let regroup = |this: &mut Self, factor: BlockId| match most % this.plan.block(factor).groups {
            0 => factor,
            _ => this.concat_blocks(&[factor], most),
        };
        let children: Box<[BlockId]> = factors.iter().map(|&f| regroup(self, f)).collect();
        let is_scaled = children.len() > 2 || !children.iter().all(|c| self.is_scaled[c.index()]);
        let out = self.block(most, units / most, is_scaled);
        self.push(Step::Multiply { out, children, is_scaled, guard: UNKNOWN_GUARD })
    }

    fn outer(&mut self, layer: Layer) -> BlockId {
        let [left, right] = [0, 1].map(|c| self.concat(&layer.children[c..=c], layer.groups));
        let is_scaled = !(self.is_scaled[left.index()] && self.is_scaled[right.index()]);
        let out = self.block(layer.groups, layer.width, is_scaled);
        self.push(Step::Outer { out, left, right, is_scaled, guard: UNKNOWN_GUARD })
    }

    fn sum(&mut self, layer: Layer, table: ParamId) -> BlockId {
        let blocks: Vec<BlockId> = layer.children.iter().map(|&c| self.block_of(c)).collect();
        let are_single = blocks.iter().all(|&b| self.plan.block(b).width == 1);
        if layer.width == 1 && are_single {
            let out = self.block(layer.groups, 1, true);
            return self.push(Step::SumUnits { out, children: blocks.into(), table });
        }
        let child = self.concat_blocks(&blocks, layer.groups);
        let out = self.block(layer.groups, layer.width, true);
        self.push(Step::Sum { out, child, table })
    }

    fn mix(&mut self, layer: Layer, table: ParamId) -> BlockId {
        let child = self.concat(layer.children, layer.groups);
        let out = self.block(layer.groups, layer.width, true);
        self.push(Step::Mix { out, child, table })
    }

    fn concat(&mut self, children: &[LayerId], groups: u32) -> BlockId {
        let blocks: Vec<BlockId> = children.iter().map(|&c| self.block_of(c)).collect();
        self.concat_blocks(&blocks, groups)
    }

    /// The parts of all blocks under one exponent a group; a single block that is so already stays.
    fn concat_blocks(&mut self, blocks: &[BlockId], groups: u32) -> BlockId {
        if let [one] = *blocks
            && self.plan.block(one).groups == groups
        {
            return one;
        }
        let units: u32 = blocks.iter().map(|&b| self.plan.block(b).units()).sum();
        // A part of a larger group may lie far below that group's maximum.
        let out = self.block(groups, units / groups, false);
        self.push(Step::Concat { out, children: blocks.into() })
    }
}
