//! The steps of a plan, and which buffers each of them touches.
//!
//! The list below is the whole instruction set; the macro gives every step its text form, so that the
//! printer and the reader cannot disagree. Sizes are not written in steps: they are those of the blocks.

use super::Plan;
use super::field::{Field, take_field};
use crate::{BlockId, BufferId, ParamId, VarId};

/// What a product multiplies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Factor {
    /// A block with as many units as the product, and groups that divide the product's.
    Block(BlockId),
    /// The table's row of a variable's value, or ones where it is missing: a leaf that has no block. Its layer
    /// has the product's groups.
    Leaf {
        /// The variable.
        var: VarId,
        /// Its table, with a row for each value and a column for each unit of a group.
        table: ParamId,
    },
}

impl Factor {
    /// The block, unless it is a leaf.
    pub fn block(self) -> Option<BlockId> {
        match self {
            Factor::Block(block) => Some(block),
            Factor::Leaf { .. } => None,
        }
    }

    fn block_mut(&mut self) -> Option<&mut BlockId> {
        match self {
            Factor::Block(block) => Some(block),
            Factor::Leaf { .. } => None,
        }
    }

    /// The variable and table of a leaf.
    pub fn leaf(self) -> Option<(VarId, ParamId)> {
        match self {
            Factor::Block(_) => None,
            Factor::Leaf { var, table } => Some((var, table)),
        }
    }
}

/// Rows that a step writes flows to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FlowInto {
    /// The rows.
    pub buffer: BufferId,
    /// Whether it adds to what is there, or is the first to write.
    pub is_added: bool,
}

macro_rules! steps {
    ($( $(#[$doc:meta])* $name:ident = $word:literal { $($field:ident: $type:ty),* $(,)? } )*) => {
        /// One step of a plan. Flows are rows without exponents, one for each unit of a block.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub enum Step {
            $( $(#[$doc])* #[allow(missing_docs, reason = "the step says what its operands are")]
               $name { $($field: $type),* }, )*
        }

        impl Step {
            /// Its word in text.
            pub fn word(&self) -> &'static str {
                match self { $( Step::$name { .. } => $word, )* }
            }

            /// Writes ` field=value` for every operand.
            pub(super) fn write_fields(&self, text: &mut String) {
                match self {
                    $( Step::$name { $($field),* } => { $(
                        text.push_str(concat!(" ", stringify!($field), "="));
                        $field.write(text);
                    )* } )*
                }
            }

            /// The step of a word and its `field=value` operands, in order.
            pub(super) fn read<'t>(word: &str, mut fields: impl Iterator<Item = &'t str>) -> Option<Step> {
                let step = match word {
                    $( $word => Step::$name {
                        $($field: take_field(&mut fields, stringify!($field))?),*
                    }, )*
                    _ => return None,
                };
                fields.next().is_none().then_some(step)
            }
        }
    };
}

steps! {
    /// `out` = 1.
    Ones = "ones" { out: BlockId }
    /// `out` = 1 where the variable has the value or is missing, else 0.
    Literal = "literal" { out: BlockId, var: VarId, value: u32 }
    /// Unit u of a group = 1 where the variable is `first + u` or missing, else 0.
    Indicator = "indicator" { out: BlockId, var: VarId, first: u32 }
    /// Unit u of a group = the weight at `first + u` of the row's soft evidence, under the exponent at `slot`. The
    /// guard is for weights that are lost far under the largest.
    Given = "given" { out: BlockId, first: u32, slot: u32, guard: u32 }
    /// `out` = normal densities at the variable's value, or 1 where it is missing.
    Normal = "normal" { out: BlockId, var: VarId, table: ParamId }
    /// `out` = product over leaves, of distinct variables, of the normal densities that [`Step::Normal`] gives.
    NormalProduct = "normal_product" { out: BlockId, leaves: Box<[(VarId, ParamId)]> }
    /// `out` = product of the factors, unit by unit; exponents of blocks with fewer groups are shared. A leaf
    /// alone is a product of one factor. Leaves of one product read tables of one source. The guard is a
    /// position in [`Plan::guards`].
    Multiply = "multiply" { out: BlockId, factors: Box<[Factor]>, guard: u32 }
    /// The same for groups of one unit: every unit has its own exponent.
    MultiplyUnits = "multiply_units" { out: BlockId, children: Box<[BlockId]> }
    /// Unit i * width(right) + j of each group = left i times right j.
    Outer = "outer" { out: BlockId, left: BlockId, right: BlockId, guard: u32 }
    /// Each group of `out` = its part of every child, one after another, under one exponent. The guard is
    /// for entries that are lost far under the largest.
    Concat = "concat" { out: BlockId, children: Box<[BlockId]>, guard: u32 }
    /// `out` = weights times child, group by group.
    Sum = "sum" { out: BlockId, child: BlockId, table: ParamId }
    /// Unit k of each group = sum over c of weight[k][c] times the child's unit c * width(out) + k.
    Mix = "mix" { out: BlockId, child: BlockId, table: ParamId }
    /// Sums with one unit in each group, over children whose units have exponents of their own.
    SumUnits = "sum_units" { out: BlockId, children: Box<[BlockId]>, table: ParamId }
    /// The root's flow = the rows' weights.
    Seed = "seed" { flow: BufferId }
    /// Rows = 0, before flows are added to them.
    Zero = "zero" { flow: BufferId }
    /// Counts flows by the variable's value. The leaf has as many groups as the flow has times the table's
    /// columns, here and below.
    GatherDown = "gather_down" { var: VarId, table: ParamId, flow: BufferId }
    /// Adds flows, and flows times the value's distance from the unit's mean and its square.
    NormalDown = "normal_down" { var: VarId, table: ParamId, flow: BufferId }
    /// The statistics of every leaf as [`Step::NormalDown`] adds them.
    NormalProductDown = "normal_product_down" { leaves: Box<[(VarId, ParamId)]>, flow: BufferId }
    /// Passes a product's flow to children.
    MultiplyDown = "multiply_down" { flow: BufferId, children: Box<[FlowInto]> }
    /// Passes an outer product's flow to its children, whose rows are added to.
    OuterDown = "outer_down" {
        left: BlockId, right: BlockId, flow: BufferId,
        into_left: Option<BufferId>, into_right: Option<BufferId>, groups: u32,
    }
    /// Passes a concatenation's flow back to the children.
    ConcatDown = "concat_down" {
        flow: BufferId, groups: u32, parts: Box<[u32]>, children: Box<[Option<FlowInto>]>,
    }
    /// Passes a sum's flow to its child and its weights. Works in rows outside the arena: see
    /// [`Plan::scratch_rows`].
    SumDown = "sum_down" {
        out: BlockId, child: BlockId, table: ParamId, flow: BufferId, child_flow: Option<FlowInto>,
    }
    /// Passes a mixture's flow to its child and its weights; the child's rows are added to. Scratch: a row
    /// for each unit of an `out` group.
    MixDown = "mix_down" {
        out: BlockId, child: BlockId, table: ParamId, flow: BufferId,
        child_flow: BufferId, scratch: BufferId,
    }
    /// Passes flows of single units to their children, whose rows are added to, and their weights.
    SumUnitsDown = "sum_units_down" {
        out: BlockId, children: Box<[BlockId]>, table: ParamId, flow: BufferId,
        child_flows: Box<[Option<BufferId>]>,
    }
}

/// The steps that compute a block, with its id.
macro_rules! computed {
    ($out:ident) => {
        Step::Ones { $out }
            | Step::Literal { $out, .. }
            | Step::Indicator { $out, .. }
            | Step::Given { $out, .. }
            | Step::Normal { $out, .. }
            | Step::NormalProduct { $out, .. }
            | Step::Multiply { $out, .. }
            | Step::MultiplyUnits { $out, .. }
            | Step::Outer { $out, .. }
            | Step::Concat { $out, .. }
            | Step::Sum { $out, .. }
            | Step::Mix { $out, .. }
            | Step::SumUnits { $out, .. }
    };
}

/// How a step uses a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reads what an earlier step wrote.
    Read,
    /// Writes all rows without reading them first.
    Write,
    /// Adds to what is there.
    Update,
}

impl Step {
    /// The block that a step computes; none for those that pass flows on.
    pub fn out(&self) -> Option<BlockId> {
        match *self {
            computed!(out) => Some(out),
            _ => None,
        }
    }

    /// The same, to be changed.
    pub(crate) fn out_mut(&mut self) -> Option<&mut BlockId> {
        match self {
            computed!(out) => Some(out),
            _ => None,
        }
    }

    /// The blocks that a step reads, with repetition.
    pub fn reads(&self) -> Vec<BlockId> {
        match self {
            Step::Multiply { factors, .. } => factors.iter().filter_map(|f| f.block()).collect(),
            Step::MultiplyUnits { children, .. }
            | Step::Concat { children, .. }
            | Step::SumUnits { children, .. } => children.to_vec(),
            Step::Outer { left, right, .. } => vec![*left, *right],
            Step::Sum { child, .. } | Step::Mix { child, .. } => vec![*child],
            Step::SumDown { out, child, .. } | Step::MixDown { out, child, .. } => vec![*out, *child],
            Step::SumUnitsDown { out, children, .. } => [&[*out], &children[..]].concat(),
            _ => Vec::new(),
        }
    }

    /// The same for steps that compute blocks, to be changed.
    pub(crate) fn reads_mut(&mut self) -> Vec<&mut BlockId> {
        match self {
            Step::Multiply { factors, .. } => factors.iter_mut().filter_map(Factor::block_mut).collect(),
            Step::MultiplyUnits { children, .. }
            | Step::Concat { children, .. }
            | Step::SumUnits { children, .. } => children.iter_mut().collect(),
            Step::Outer { left, right, .. } => vec![left, right],
            Step::Sum { child, .. } | Step::Mix { child, .. } => vec![child],
            _ => Vec::new(),
        }
    }

    /// The variables and tables of all leaves that a step computes or counts.
    pub fn leaves(&self) -> Vec<(VarId, ParamId)> {
        match self {
            Step::Multiply { factors, .. } => factors.iter().filter_map(|f| f.leaf()).collect(),
            Step::NormalProduct { leaves, .. } | Step::NormalProductDown { leaves, .. } => leaves.to_vec(),
            Step::Normal { var, table, .. }
            | Step::GatherDown { var, table, .. }
            | Step::NormalDown { var, table, .. } => vec![(*var, *table)],
            _ => Vec::new(),
        }
    }

    /// Calls `visit` for every use of a buffer: first what is read, then what is written.
    pub fn each_buffer(&self, plan: &Plan, visit: &mut impl FnMut(BufferId, Access)) {
        self.reads().into_iter().for_each(|b| visit(plan.block(b).buffer, Access::Read));
        if let Some(out) = self.out() {
            visit(plan.block(out).buffer, Access::Write);
        }
        match self {
            Step::Seed { flow } | Step::Zero { flow } => visit(*flow, Access::Write),
            Step::GatherDown { flow, .. }
            | Step::NormalDown { flow, .. }
            | Step::NormalProductDown { flow, .. } => visit(*flow, Access::Read),
            Step::MultiplyDown { flow, children } => {
                visit(*flow, Access::Read);
                children.iter().for_each(|into| into.visit(visit));
            }
            Step::OuterDown { flow, into_left, into_right, .. } => {
                visit(*flow, Access::Read);
                into_left.iter().chain(into_right).for_each(|&b| visit(b, Access::Update));
            }
            Step::ConcatDown { flow, children, .. } => {
                visit(*flow, Access::Read);
                children.iter().flatten().for_each(|into| into.visit(visit));
            }
            Step::SumDown { flow, child_flow, .. } => {
                visit(*flow, Access::Read);
                child_flow.iter().for_each(|into| into.visit(visit));
            }
            Step::MixDown { flow, child_flow, scratch, .. } => {
                visit(*flow, Access::Read);
                visit(*scratch, Access::Write);
                visit(*child_flow, Access::Update);
            }
            Step::SumUnitsDown { flow, child_flows, .. } => {
                visit(*flow, Access::Read);
                child_flows.iter().flatten().for_each(|&b| visit(b, Access::Update));
            }
            _ => {}
        }
    }
}

impl FlowInto {
    fn visit(self, visit: &mut impl FnMut(BufferId, Access)) {
        visit(self.buffer, if self.is_added { Access::Update } else { Access::Write });
    }
}
