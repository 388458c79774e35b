//! Addresses as emitted code computes them: a pointer of the context, an offset, and a step for each group.

use super::{Argument, ROW};
use crate::context::Field;
use pcc_ir::plan::{Plan, Source};
use pcc_ir::{BlockId, BufferId, ParamId, VarId};

/// An address: `context.field + offset + group / divisor * stride`, in bytes; in a loop over tiles, in the
/// tile's part of what the field points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) field: Field,
    pub(crate) offset: i64,
    pub(crate) stride: i64,
    pub(crate) divisor: i64,
}

/// Where a row of the plan lies in a tile: the evidence comes first.
pub(crate) fn row_of_tile(plan: &Plan, row: u32) -> u32 {
    plan.n_variables + row
}

impl Place {
    /// The same address for every group.
    pub(crate) const fn of(field: Field, offset: i64) -> Self {
        Place { field, offset, stride: 0, divisor: 1 }
    }

    /// Rows of the plan, further on by `stride` rows for each group.
    pub(crate) fn rows(plan: &Plan, first: u32, stride: u32) -> Self {
        let first = i64::from(row_of_tile(plan, first)) * ROW;
        Place { stride: i64::from(stride) * ROW, ..Place::of(Field::Arena, first) }
    }

    /// Further on by that many rows.
    pub(crate) fn skip_rows(self, n: u32) -> Self {
        self.skip(i64::from(n) * ROW)
    }

    /// Further on by that many 32-bit numbers.
    pub(crate) fn skip_numbers(self, n: usize) -> Self {
        self.skip(n as i64 * 4)
    }

    fn skip(self, bytes: i64) -> Self {
        Place { offset: self.offset + bytes, ..self }
    }

    /// One step for every `divisor` groups.
    fn every(self, divisor: u32) -> Self {
        Place { divisor: i64::from(divisor), ..self }
    }

    /// The mantissas of one group of a block, in a loop over the block's groups.
    pub(crate) fn mantissas(plan: &Plan, id: BlockId) -> Self {
        Place::rows(plan, plan.mantissas(id), plan.block(id).width)
    }

    /// The exponents of one group of a block.
    pub(crate) fn exponents(plan: &Plan, id: BlockId) -> Self {
        Place::rows(plan, plan.exponents(id), 1)
    }

    /// The mantissas that one of `groups` groups reads of a block.
    pub(crate) fn part(plan: &Plan, id: BlockId, groups: u32) -> Self {
        Place::rows(plan, plan.mantissas(id), plan.block(id).units() / groups)
    }

    /// The exponents that one of `groups` groups reads of a block: its own, or one for several groups. The
    /// number of groups of one must divide that of the other.
    pub(crate) fn part_exponents(plan: &Plan, id: BlockId, groups: u32) -> Self {
        let first = plan.exponents(id);
        let of_block = plan.block(id).groups;
        match of_block >= groups {
            true => Place::rows(plan, first, of_block / groups),
            false => Place::rows(plan, first, 1).every(groups / of_block),
        }
    }

    /// The first row of one group of a flow or scratch buffer.
    pub(crate) fn flow(plan: &Plan, id: BufferId, rows_of_group: u32) -> Self {
        Place::rows(plan, plan.buffer(id).first, rows_of_group)
    }

    /// The numbers of a table that one group of a layer of `groups` reads.
    pub(crate) fn table(plan: &Plan, id: ParamId, groups: u32) -> Self {
        let table = plan.table(id);
        let field = Place::source(table.source).field;
        Place::numbers(field, table.start, table.group_len()).every(groups / table.groups)
    }

    /// All numbers of a source.
    pub(crate) fn source(source: Source) -> Self {
        match source {
            Source::Params => Place::of(Field::Params, 0),
            Source::Prepared => Place::of(Field::Prepared, 0),
        }
    }

    /// The statistics of a table that one group of a layer of `groups` adds to.
    pub(crate) fn stats(plan: &Plan, id: ParamId, groups: u32) -> Self {
        let table = plan.table(id);
        Place::numbers(Field::Flows, table.stats, table.group_len()).every(groups / table.groups)
    }

    fn numbers(field: Field, first: u64, stride: u64) -> Self {
        Place { stride: stride as i64 * 4, ..Place::of(field, first as i64 * 4) }
    }

    /// A list of rows, further on by `stride` entries for each group.
    pub(crate) fn row_list(first: usize, stride: usize) -> Self {
        Place::numbers(Field::Rows, first as u64, stride as u64)
    }

    /// A list of factors, further on by `stride` of them for each group.
    pub(crate) fn factor_list(first: usize, stride: usize) -> Self {
        let bytes = |n: usize| (n * size_of::<pcc_kernels::Factor>()) as i64;
        Place { stride: bytes(stride), ..Place::of(Field::Factors, bytes(first)) }
    }

    /// A list of normal leaves, likewise.
    pub(crate) fn normal_list(first: usize, stride: usize) -> Self {
        let bytes = |n: usize| (n * size_of::<pcc_kernels::NormalLeaf>()) as i64;
        Place { stride: bytes(stride), ..Place::of(Field::Normals, bytes(first)) }
    }

    /// The bits of a guard of the plan.
    pub(crate) fn guard(guard: u32) -> Self {
        Place::of(Field::Guards, i64::from(guard) * 8)
    }

    /// The evidence words of a variable.
    pub(crate) fn evidence(var: VarId) -> Self {
        Place::of(Field::Arena, i64::from(var.0) * ROW)
    }
}

impl From<Place> for Argument {
    fn from(place: Place) -> Self {
        Argument::Address(place)
    }
}

impl From<usize> for Argument {
    fn from(size: usize) -> Self {
        Argument::Size(size)
    }
}

impl From<u32> for Argument {
    fn from(size: u32) -> Self {
        Argument::Size(size as usize)
    }
}
