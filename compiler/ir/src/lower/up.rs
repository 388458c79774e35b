//! One layer to its upward step.

use super::{Lowering, Value};
use crate::plan::{Factor, Mode, Step};
use crate::{BlockId, Family, Layer, LayerId, LayerKind, ParamId, ParamShape, VarId};

/// Stands for the guard of a product until [`super::guards`] knows it.
const UNKNOWN_GUARD: u32 = u32::MAX;

impl Lowering<'_> {
    pub(super) fn lower_layer(&mut self, id: LayerId) {
        let layer = self.graph.layer(id);
        let value = match layer.kind {
            LayerKind::Input { var, .. }
            | LayerKind::Literal { var, .. }
            | LayerKind::Indicator { var, .. }
                if self.options.unobserved.contains(var) =>
            {
                Value::Constant
            }
            LayerKind::Input { var, param } => self.input(layer, var, param),
            LayerKind::Literal { var, value } => self.leaf(layer, |out| Step::Literal { out, var, value }),
            LayerKind::Indicator { var, first } => {
                self.leaf(layer, |out| Step::Indicator { out, var, first })
            }
            LayerKind::Product => self.product(layer),
            LayerKind::Outer => Value::Block(self.outer(layer)),
            LayerKind::Sum { param } => Value::Block(self.sum(layer, param)),
            LayerKind::Mix { param } => Value::Block(self.mix(layer, param)),
        };
        self.values[id.index()] = self.settle(id, value);
    }

    /// Keeps a leaf without a block only where its one reader can look it up, and values are not asked for.
    fn settle(&mut self, id: LayerId, value: Value) -> Value {
        let is_free = self.is_lone_factor[id.index()] && self.options.mode != Mode::Values;
        match value {
            Value::Leaf { var, table, groups } if !is_free => Value::Block(self.look_up(var, table, groups)),
            _ => value,
        }
    }

    pub(super) fn push(&mut self, step: Step) -> BlockId {
        let out = step.out().expect("an upward step has an output");
        self.plan.steps.push(step);
        out
    }

    fn leaf(&mut self, layer: Layer, step: impl FnOnce(BlockId) -> Step) -> Value {
        let out = self.block(layer.groups, layer.width);
        Value::Block(self.push(step(out)))
    }

    fn input(&mut self, layer: Layer, var: VarId, table: ParamId) -> Value {
        match self.graph.param(table).shape {
            ParamShape::Input { family: Family::Gaussian(_), .. } => {
                self.leaf(layer, |out| Step::Normal { out, var, table })
            }
            _ => Value::Leaf { var, table, groups: layer.groups },
        }
    }

    /// The block of a discrete leaf: a product of one factor.
    pub(super) fn look_up(&mut self, var: VarId, table: ParamId, groups: u32) -> BlockId {
        let out = self.block(groups, self.plan.table(table).columns);
        self.push(Step::Multiply { out, factors: [Factor::Leaf { var, table }].into(), guard: UNKNOWN_GUARD })
    }

    /// A product without its constant factors; one factor alone is the product itself.
    fn product(&mut self, layer: Layer) -> Value {
        let values = layer.children.iter().map(|c| self.values[c.index()]);
        let factors: Vec<Value> = values.filter(|v| !matches!(v, Value::Constant)).collect();
        match factors[..] {
            [] => Value::Constant,
            [one] => one,
            _ => Value::Block(self.multiply(layer, &factors)),
        }
    }

    fn multiply(&mut self, layer: Layer, values: &[Value]) -> BlockId {
        let units = layer.groups * layer.width;
        let groups = values.iter().map(|&value| self.groups_of(value)).max().unwrap_or(1);
        if groups == units {
            let children = values.iter().map(|&value| self.factor_block(value)).collect();
            let out = self.block(units, 1);
            return self.push(Step::MultiplyUnits { out, children });
        }
        let factors = self.factors(values, groups);
        let out = self.block(groups, units / groups);
        self.push(Step::Multiply { out, factors, guard: UNKNOWN_GUARD })
    }

    /// What a product of that many groups multiplies: leaves with its groups and tables of one source as they
    /// are, anything else as blocks whose groups divide the product's.
    fn factors(&mut self, values: &[Value], groups: u32) -> Box<[Factor]> {
        let mut sources = None;
        let mut factor = |value| {
            if let Value::Leaf { var, table, groups: own } = value
                && let source = self.plan.table(table).source
                && own == groups
                && *sources.get_or_insert(source) == source
            {
                return Factor::Leaf { var, table };
            }
            let block = self.factor_block(value);
            match groups.is_multiple_of(self.plan.block(block).groups) {
                true => Factor::Block(block),
                false => Factor::Block(self.concat_blocks(&[block], groups)),
            }
        };
        values.iter().map(|&value| factor(value)).collect()
    }

    fn groups_of(&self, factor: Value) -> u32 {
        match factor {
            Value::Constant => 1,
            Value::Block(block) => self.plan.block(block).groups,
            Value::Leaf { groups, .. } => groups,
        }
    }

    fn factor_block(&mut self, value: Value) -> BlockId {
        match value {
            Value::Block(block) => block,
            Value::Leaf { var, table, groups } => self.look_up(var, table, groups),
            Value::Constant => unreachable!("a product has no constant factors"),
        }
    }

    fn outer(&mut self, layer: Layer) -> BlockId {
        let [left, right] = [0, 1].map(|c| self.concat(&layer.children[c..=c], layer.groups));
        let out = self.block(layer.groups, layer.width);
        self.push(Step::Outer { out, left, right, guard: UNKNOWN_GUARD })
    }

    fn sum(&mut self, layer: Layer, table: ParamId) -> BlockId {
        let blocks: Vec<BlockId> = layer.children.iter().map(|&c| self.block_of(c)).collect();
        let are_single = blocks.iter().all(|&b| self.plan.block(b).width == 1);
        if layer.width == 1 && are_single {
            let out = self.block(layer.groups, 1);
            return self.push(Step::SumUnits { out, children: blocks.into(), table });
        }
        let child = self.concat_blocks(&blocks, layer.groups);
        let out = self.block(layer.groups, layer.width);
        self.push(Step::Sum { out, child, table })
    }

    fn mix(&mut self, layer: Layer, table: ParamId) -> BlockId {
        let child = self.concat(layer.children, layer.groups);
        let out = self.block(layer.groups, layer.width);
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
        let out = self.block(groups, units / groups);
        self.push(Step::Concat { out, children: blocks.into() })
    }
}
