//! One layer to its upward step.

use super::{Leaf, Lowering, Value};
use crate::plan::{Factor, Mode, Step};
use crate::{BlockId, Family, Layer, LayerId, LayerKind, ParamId, ParamShape, VarId};

/// Stands for the guard of a step until [`super::guards`] knows it.
const UNKNOWN_GUARD: u32 = u32::MAX;

/// Normal leaves of a product that are worth a step of their own.
const FEWEST_JOINED: usize = 4;

impl Lowering<'_> {
    pub(super) fn lower_layer(&mut self, id: LayerId) {
        let value = self.constant(id).unwrap_or_else(|| self.step_of(id));
        self.values[id.index()] = self.settle(id, value);
    }

    fn step_of(&mut self, id: LayerId) -> Value {
        let layer = self.graph.layer(id);
        match layer.kind {
            LayerKind::Input { var, param } => self.input(layer, var, param),
            LayerKind::Literal { var, value } => {
                self.indicator(layer, |out| Step::Literal { out, var, value })
            }
            LayerKind::Indicator { var, first } => match self.given(var) {
                Some((start, slot)) => {
                    let first = start + first;
                    self.indicator(layer, |out| Step::Given { out, first, slot, guard: UNKNOWN_GUARD })
                }
                None => self.indicator(layer, |out| Step::Indicator { out, var, first }),
            },
            LayerKind::Product => self.product(layer),
            LayerKind::Outer => Value::Block(self.outer(layer)),
            LayerKind::Sum { param } => Value::Block(self.sum(layer, param)),
            LayerKind::Mix { param } => Value::Block(self.mix(layer, param)),
        }
    }

    /// Where the weights of a variable that is known softly start in a row, and its place among such variables.
    fn given(&self, var: VarId) -> Option<(u32, u32)> {
        let slot = self.options.given.iter().position(|&own| own == var)?;
        let n_values = |&var: &VarId| self.graph.variable(var).domain.n_values().unwrap_or(0);
        Some((self.options.given[..slot].iter().map(n_values).sum(), slot as u32))
    }

    /// Keeps a leaf without a block only where its one reader can compute it, and values are not asked for.
    fn settle(&mut self, id: LayerId, value: Value) -> Value {
        let Value::Leaf(leaf) = value else { return value };
        let is_asked_for = self.options.mode == Mode::Values || self.options.kept.contains(&id);
        let is_free = self.is_lone_factor[id.index()] && !is_asked_for;
        match is_free && (!leaf.is_normal || self.options.are_normals_joined) {
            true => value,
            false => Value::Block(self.leaf_block(leaf)),
        }
    }

    pub(super) fn push(&mut self, step: Step) -> BlockId {
        let out = step.out().expect("an upward step has an output");
        self.plan.steps.push(step);
        out
    }

    fn indicator(&mut self, layer: Layer, step: impl FnOnce(BlockId) -> Step) -> Value {
        let out = self.block(layer.groups, layer.width);
        Value::Block(self.push(step(out)))
    }

    fn input(&self, layer: Layer, var: VarId, table: ParamId) -> Value {
        let shape = self.graph.param(table).shape;
        let is_normal = matches!(shape, ParamShape::Input { family: Family::Gaussian(_), .. });
        Value::Leaf(Leaf { var, table, groups: layer.groups, is_normal })
    }

    /// The block of a leaf; that of a discrete one is a product of one factor.
    pub(super) fn leaf_block(&mut self, leaf: Leaf) -> BlockId {
        let Leaf { var, table, groups, is_normal } = leaf;
        let out = self.block(groups, self.plan.table(table).columns);
        self.push(match is_normal {
            true => Step::Normal { out, var, table },
            false => {
                let factors = [Factor::Leaf { var, table }].into();
                Step::Multiply { out, factors, guard: UNKNOWN_GUARD }
            }
        })
    }

    /// A product without its constant factors; one factor alone is the product itself.
    fn product(&mut self, layer: Layer) -> Value {
        let values = layer.children.iter().map(|c| self.values[c.index()]);
        let mut factors: Vec<Value> = values.filter(|v| !matches!(v, Value::Constant { .. })).collect();
        self.join_normals(&mut factors);
        match factors[..] {
            [one] => one,
            _ => Value::Block(self.multiply(layer, &factors)),
        }
    }

    /// Puts the product of all normal leaves in place of the first, where they are many with the same groups.
    fn join_normals(&mut self, factors: &mut Vec<Value>) {
        let normal =
            |f: &Value| if let Value::Leaf(leaf) = *f { leaf.is_normal.then_some(leaf) } else { None };
        let Some(first) = factors.iter().position(|f| normal(f).is_some()) else { return };
        let Some(Leaf { groups, table, .. }) = normal(&factors[first]) else { return };
        let joined = |f: &Value| normal(f).filter(|leaf| leaf.groups == groups);
        let leaves: Box<[_]> = factors.iter().filter_map(joined).map(|leaf| (leaf.var, leaf.table)).collect();
        if leaves.len() < FEWEST_JOINED {
            return;
        }
        let out = self.block(groups, self.plan.table(table).columns);
        let product = Value::Block(self.push(Step::NormalProduct { out, leaves }));
        factors.retain(|f| joined(f).is_none());
        factors.insert(first, product);
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
            if let Value::Leaf(Leaf { var, table, groups: own, is_normal: false }) = value
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
            Value::Constant { .. } => 1,
            Value::Block(block) => self.plan.block(block).groups,
            Value::Leaf(leaf) => leaf.groups,
        }
    }

    fn factor_block(&mut self, value: Value) -> BlockId {
        match value {
            Value::Block(block) => block,
            Value::Leaf(leaf) => self.leaf_block(leaf),
            Value::Constant { .. } => unreachable!("a product has no constant factors"),
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
        self.push(Step::Concat { out, children: blocks.into(), guard: UNKNOWN_GUARD })
    }
}
