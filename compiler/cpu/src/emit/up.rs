//! Upward steps as calls of kernels.
//!
//! Each method emits one kind of step; what it computes is said at [`Step`], what a kernel does at
//! [`pcc_kernels::Kernels`]. A group's units are done with before the next group begins.

use super::place::row_of_tile;
use super::{Argument, Emitter, Layout, Lists, Place};
use crate::context::Field;
use crate::kernel::Kernel;
use pcc_ir::plan::{Factor, Plan, Source, Step};
use pcc_ir::{BlockId, ParamId, VarId};
use pcc_kernels::{GUARD_ENTRY, LEAF};

/// Calls a kernel with arguments of mixed kinds.
macro_rules! call {
    ($emitter:expr, $kernel:ident($($argument:expr),* $(,)?)) => {
        $emitter.call(Kernel::$kernel, &[$(Argument::from($argument)),*])
    };
}
pub(super) use call;

pub(super) const TILES: Argument = Argument::Tiles;
const MARKS: Place = Place::of(Field::Marks, 0);
pub(super) const ARENA: Place = Place::of(Field::Arena, 0);
const GIVEN: Place = Place::of(Field::Given, 0);
const ROW_EXPONENTS: Place = Place::of(Field::RowExponents, 0);

pub(super) struct Up<'e, 'f> {
    pub(super) plan: &'e Plan,
    pub(super) layout: &'e Layout<'e>,
    pub(super) lists: &'e mut Lists,
    pub(super) emitter: &'e mut Emitter<'f>,
}

impl Up<'_, '_> {
    pub(super) fn step(&mut self, step: &Step) {
        match step {
            Step::Ones { out } => self.ones(*out),
            Step::Literal { .. } | Step::Indicator { .. } => self.leaf(step),
            Step::Given { out, first, slot, guard } => self.given(*out, *first, *slot, *guard),
            Step::Normal { out, .. } | Step::NormalProduct { out, .. } => self.normal(*out, &step.leaves()),
            Step::Multiply { out, factors, guard } => self.multiply(*out, factors, *guard),
            Step::MultiplyUnits { out, children } => self.multiply_units(*out, children),
            Step::Outer { out, left, right, guard } => self.outer(*out, *left, *right, *guard),
            Step::Concat { out, children, guard } => self.concat(*out, children, *guard),
            Step::Sum { out, child, table } => self.sum(*out, *child, *table),
            Step::Mix { out, child, table } => self.mix(*out, *child, *table),
            Step::SumUnits { out, children, table } => self.sum_units(*out, children, *table),
            _ => unreachable!("a downward step has no output"),
        }
    }

    fn ones(&mut self, out: BlockId) {
        let block = self.plan.block(out);
        self.emitter.fill_ones(Place::mantissas(self.plan, out), block.units());
        call!(self.emitter, Zero(block.groups, Place::exponents(self.plan, out)));
    }

    fn leaf(&mut self, step: &Step) {
        let plan = self.plan;
        let Some(out) = step.out() else { return };
        let block = plan.block(out);
        let (units, exponent) = (block.width, Place::exponents(plan, out));
        let rows = Place::mantissas(plan, out);
        self.emitter.each_group(block.groups, |e| match *step {
            Step::Literal { var, value, .. } => {
                call!(e, LeafLiteral(units, value, Place::evidence(var), rows, exponent))
            }
            Step::Indicator { var, first, .. } => {
                call!(e, LeafIndicator(units, first, Place::evidence(var), rows, exponent))
            }
            _ => {}
        });
    }

    fn given(&mut self, out: BlockId, first: u32, slot: u32, guard: u32) {
        let block = self.plan.block(out);
        let (rows, exponent) = (Place::mantissas(self.plan, out), Place::exponents(self.plan, out));
        let bits = Argument::Word(Place::guard(guard));
        self.emitter.each_group(block.groups, |e| {
            call!(e, LeafGiven(TILES, GIVEN, block.width, first, slot, rows, exponent, bits));
        });
    }

    fn normal(&mut self, out: BlockId, leaves: &[(VarId, ParamId)]) {
        let plan = self.plan;
        let block = plan.block(out);
        let list = self.lists.normal_leaves(plan, leaves, block.groups);
        let (rows, exponent) = (Place::mantissas(plan, out), Place::exponents(plan, out));
        let (n, tables) = (leaves.len(), Place::source(Source::Prepared));
        self.emitter.each_group(block.groups, |e| {
            call!(e, Normal(TILES, n, block.width, ARENA, tables, list, rows, exponent));
        });
    }

    fn multiply(&mut self, out: BlockId, factors: &[Factor], guard: u32) {
        let plan = self.plan;
        let block = plan.block(out);
        let list = self.factor_list(out, factors);
        let source = factors.iter().find_map(|f| f.leaf()).map(|(_, table)| plan.table(table).source);
        let tables = Place::source(source.unwrap_or(Source::Params));
        let (rows, exponent) = (Place::mantissas(plan, out), Place::exponents(plan, out));
        let bits = Argument::Word(Place::guard(guard));
        self.emitter.each_group(block.groups, |e| {
            call!(
                e,
                Product(
                    TILES,
                    factors.len(),
                    block.width,
                    ARENA,
                    tables,
                    ROW_EXPONENTS,
                    list,
                    rows,
                    exponent,
                    bits
                )
            );
        });
    }

    /// Lists, for each group of a product, its factors.
    fn factor_list(&mut self, out: BlockId, factors: &[Factor]) -> Place {
        let first = self.lists.factors.len();
        let block = self.plan.block(out);
        for group in 0..block.groups {
            for &factor in factors {
                self.lists.factors.push(match factor {
                    Factor::Block(child) => self.block_factor(child, group * block.width),
                    Factor::Leaf { var, table } => self.leaf_factor(var, table, group, block.groups),
                });
            }
        }
        Place::factor_list(first, factors.len())
    }

    /// The part of a block from a unit on.
    fn block_factor(&self, block: BlockId, unit: u32) -> pcc_kernels::Factor {
        let [rows, exponent] = unit_pair(self.plan, block, unit);
        pcc_kernels::Factor { rows, exponent, table: 0, row_exponents: 0 }
    }

    fn leaf_factor(&self, var: VarId, id: ParamId, group: u32, groups: u32) -> pcc_kernels::Factor {
        let table = self.plan.table(id);
        let of_table = u64::from(group / (groups / table.groups));
        pcc_kernels::Factor {
            rows: var.0,
            exponent: LEAF,
            table: table.start + of_table * table.group_len(),
            row_exponents: self.layout.row_exponents[id.index()] + of_table * u64::from(table.rows),
        }
    }

    fn multiply_units(&mut self, out: BlockId, children: &[BlockId]) {
        let plan = self.plan;
        let list = self.unit_rows(out, children);
        let (rows, exponent) = (Place::mantissas(plan, out), Place::exponents(plan, out));
        self.emitter.each_group(plan.block(out).groups, |e| {
            call!(e, ProductUnits(children.len(), ARENA, list, rows, exponent, MARKS));
        });
    }

    /// Lists, for each group of one unit, the mantissa and exponent rows of the same unit of each child.
    fn unit_rows(&mut self, out: BlockId, children: &[BlockId]) -> Place {
        let first = self.lists.rows.len();
        for unit in 0..self.plan.block(out).units() {
            for &child in children {
                self.lists.rows.extend(unit_pair(self.plan, child, unit));
            }
        }
        Place::row_list(first, 2 * children.len())
    }

    fn outer(&mut self, out: BlockId, left: BlockId, right: BlockId, guard: u32) {
        let plan = self.plan;
        let part = |id| (Place::mantissas(plan, id), Place::exponents(plan, id));
        let [(a, a_exponent), (b, b_exponent), (rows, exponent)] = [left, right, out].map(part);
        let [n_a, n_b] = [left, right].map(|id| plan.block(id).width);
        let bits = Argument::Word(Place::guard(guard));
        self.emitter.each_group(plan.block(out).groups, |e| {
            call!(e, Outer(TILES, n_a, n_b, a, a_exponent, b, b_exponent, rows, exponent, bits));
        });
    }

    fn concat(&mut self, out: BlockId, children: &[BlockId], guard: u32) {
        let groups = self.plan.block(out).groups;
        let is_even = |of_child: u32| of_child.is_multiple_of(groups) || groups.is_multiple_of(of_child);
        if children.iter().all(|&c| is_even(self.plan.block(c).groups)) {
            let segments = self.even_segments(children, groups);
            let (rows, exponent) = (Place::mantissas(self.plan, out), Place::exponents(self.plan, out));
            self.emitter.each_group(groups, |e| align_segments(e, &segments, rows, exponent, guard));
        } else {
            self.concat_uneven(out, children, guard);
        }
    }

    /// What every group reads, in a loop over groups: for each child the units under each of its exponents.
    fn even_segments(&self, children: &[BlockId], groups: u32) -> Vec<Segment> {
        let plan = self.plan;
        let mut segments = Vec::new();
        for &child in children {
            let block = plan.block(child);
            let (part, exponents) = (block.units() / groups, Place::part_exponents(plan, child, groups));
            let n = block.groups.div_ceil(groups);
            let rows = Place::part(plan, child, groups);
            segments.extend((0..n).map(|i| Segment {
                n_rows: part / n,
                rows: rows.skip_rows(i * (part / n)),
                exponent: exponents.skip_rows(i),
            }));
        }
        segments
    }

    /// Groups whose parts begin and end within a child's groups, each in its own way.
    fn concat_uneven(&mut self, out: BlockId, children: &[BlockId], guard: u32) {
        let plan = self.plan;
        let block = plan.block(out);
        for group in 0..block.groups {
            let mut segments = Vec::new();
            for &child in children {
                let part = plan.block(child).units() / block.groups;
                segments.extend(uneven_segments(plan, child, group * part..(group + 1) * part));
            }
            let rows = Place::rows(plan, plan.mantissas(out) + group * block.width, 0);
            let exponent = Place::rows(plan, plan.exponents(out) + group, 0);
            align_segments(self.emitter, &segments, rows, exponent, guard);
        }
    }

    fn sum(&mut self, out: BlockId, child: BlockId, table: ParamId) {
        let plan = self.plan;
        let (block, k) = (plan.block(out), plan.block(child).width);
        let (rows, exponent) = (Place::mantissas(plan, out), Place::exponents(plan, out));
        let (terms, term_exponent) = (Place::mantissas(plan, child), Place::exponents(plan, child));
        let weights = Place::table(plan, table, block.groups);
        let floor = Place::of(Field::Floors, table.index() as i64 * 4);
        let is_watched = Argument::Word(Place::of(Field::Watched, table.index() as i64 * 8));
        self.emitter.each_group(block.groups, |e| {
            call!(
                e,
                Sum(TILES, block.width, k, weights, floor, is_watched, terms, term_exponent, rows, exponent)
            );
        });
    }

    fn mix(&mut self, out: BlockId, child: BlockId, table: ParamId) {
        let plan = self.plan;
        let (block, n) = (plan.block(out), plan.table(table).columns);
        let (rows, exponent) = (Place::mantissas(plan, out), Place::exponents(plan, out));
        let (terms, term_exponent) = (Place::mantissas(plan, child), Place::exponents(plan, child));
        let weights = Place::table(plan, table, block.groups);
        let part = |i: u32| (weights.skip_numbers(i as usize), terms.skip_rows(i * block.width));
        self.emitter.each_group(block.groups, |e| {
            for i in 0..n {
                let (weights, terms) = part(i);
                call!(e, MixForward(block.width, weights, n, terms, rows, u32::from(i > 0)));
            }
            call!(e, Copy(1_u32, term_exponent, exponent));
            for i in 0..n {
                let (weights, terms) = part(i);
                call!(e, GuardMix(block.width, weights, n, terms, rows, MARKS));
            }
            call!(e, Rescale(block.width, rows, exponent, GUARD_ENTRY, MARKS));
        });
    }

    fn sum_units(&mut self, out: BlockId, children: &[BlockId], table: ParamId) {
        let plan = self.plan;
        let block = plan.block(out);
        let list = input_rows(plan, &mut self.lists.rows, block.groups, children);
        let n = plan.table(table).columns;
        let weights = Place::table(plan, table, block.groups);
        let (rows, exponent) = (Place::mantissas(plan, out), Place::exponents(plan, out));
        self.emitter.each_group(block.groups, |e| {
            call!(e, SumUnits(n, weights, ARENA, list, rows, exponent, MARKS));
        });
    }
}

/// Units of one child under one exponent.
struct Segment {
    n_rows: u32,
    rows: Place,
    exponent: Place,
}

/// Brings segments under the largest of their exponents, one after another.
fn align_segments(e: &mut Emitter, segments: &[Segment], rows: Place, exponent: Place, guard: u32) {
    for (i, segment) in segments.iter().enumerate() {
        match i {
            0 => call!(e, Copy(1_u32, segment.exponent, exponent)),
            _ => call!(e, MaxExponent(exponent, segment.exponent, exponent)),
        }
    }
    let bits = Argument::Word(Place::guard(guard));
    let mut rows = rows;
    for segment in segments {
        call!(e, Align(segment.n_rows, segment.rows, segment.exponent, exponent, rows, bits, MARKS));
        rows = rows.skip_rows(segment.n_rows);
    }
}

/// The units of a range, cut where the child's groups end.
fn uneven_segments(plan: &Plan, child: BlockId, units: std::ops::Range<u32>) -> Vec<Segment> {
    let width = plan.block(child).width;
    let mut segments = Vec::new();
    let mut unit = units.start;
    while unit < units.end {
        let group = unit / width;
        let end = units.end.min((group + 1) * width);
        segments.push(Segment {
            n_rows: end - unit,
            rows: Place::rows(plan, plan.mantissas(child) + unit, 0),
            exponent: Place::rows(plan, plan.exponents(child) + group, 0),
        });
        unit = end;
    }
    segments
}

/// Lists, for each group, the mantissa and exponent rows of all single units that it reads.
pub(super) fn input_rows(plan: &Plan, rows: &mut Vec<u32>, groups: u32, children: &[BlockId]) -> Place {
    let first = rows.len();
    for group in 0..groups {
        for &child in children {
            let part = plan.block(child).units() / groups;
            (group * part..(group + 1) * part).for_each(|unit| rows.extend(unit_pair(plan, child, unit)));
        }
    }
    Place::row_list(first, (rows.len() - first) / groups as usize)
}

fn unit_pair(plan: &Plan, block: BlockId, unit: u32) -> [u32; 2] {
    let rows = [plan.mantissas(block) + unit, plan.exponents(block) + unit / plan.block(block).width];
    rows.map(|row| row_of_tile(plan, row))
}
