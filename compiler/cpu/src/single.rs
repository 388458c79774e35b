//! A plan for one row: the groups that [`pcc_kernels::single`] computes, and where their numbers lie.
//!
//! In: a verified forward plan. Out: a [`SingleRow`]. Its numbers are laid out anew, since a unit takes one of them and
//! not a row of 64; blocks that never live at the same time share places.

use crate::arena::limits;
use crate::log::log;
use crate::tables::row_exponent_starts;
use crate::{DerivedTables, Inputs};
use pcc_ir::plan::{Factor, Mode, Plan, Source, Step};
use pcc_ir::{BlockId, MISSING, ParamId, VarId, Verified};
use pcc_kernels::single::{Group, Op, Part, Rule, Steps, Tables};
use pcc_kernels::{LEAF, NormalLeaf};
use std::collections::HashMap;

/// Blocks begin at cache lines.
const LINE: u32 = 16;

/// A plan's program for one row.
pub struct SingleRow {
    steps: Steps,
    root: Group,
    n_numbers: usize,
    /// For each variable, how many codes evidence may have.
    limits: Vec<u32>,
    sizes: Sizes,
}

/// How many numbers its steps may read.
struct Sizes {
    params: u64,
    prepared: u64,
    row_exponents: u64,
    guards: usize,
}

impl SingleRow {
    /// The program of a forward plan, if every step has a rule.
    pub fn of(plan: &Verified<Plan>) -> Option<Self> {
        if plan.mode != Mode::Forward {
            return None;
        }
        let layout = Layout::of(plan)?;
        let mut maker = Maker {
            plan,
            places: layout.places,
            row_exponents: row_exponent_starts(plan),
            steps: Steps::default(),
        };
        plan.up().iter().try_for_each(|step| maker.step(step))?;
        let sizes = Sizes {
            params: plan.source_len(Source::Params),
            prepared: plan.source_len(Source::Prepared),
            row_exponents: maker.row_exponents[plan.tables.len()],
            guards: plan.guards.len(),
        };
        let (root, n_numbers) = (maker.group(plan.root, 0), layout.n_numbers as usize);
        Some(SingleRow { root, steps: maker.steps, n_numbers, limits: limits(plan), sizes })
    }

    /// The logarithm of a row's likelihood; none where the row must be computed by other means. `numbers` is
    /// memory that is kept from row to row. The calling thread must have denormals off.
    ///
    /// # Panics
    /// When tables or the row were made for another plan.
    pub fn log(&self, inputs: Inputs, row: &[u32], numbers: &mut Vec<f32>) -> Option<f64> {
        let Inputs { params, derived, guards } = inputs;
        self.check(params.values(), derived, guards);
        assert_eq!(row.len(), self.limits.len(), "a row has one word for each variable");
        let is_known = |(&word, &limit): (&u32, &u32)| word < limit || word == MISSING;
        if !row.iter().zip(&self.limits).all(is_known) {
            return None;
        }
        numbers.resize(self.n_numbers, 0.0);
        let DerivedTables { prepared, row_exponents, .. } = derived;
        let tables = Tables { params: params.values(), prepared, row_exponents, guards };
        // SAFETY: the plan was verified: steps read blocks that were computed and tables that it has, whose
        // sizes `check` compared; every block has a place of its own within the numbers while it lives, and
        // words were looked at above.
        let is_marked = unsafe { self.steps.run(tables, row, numbers) };
        let [mantissa, exponent] = [self.root.units, self.root.exponent].map(|at| numbers[at as usize]);
        (!is_marked).then(|| log(mantissa, exponent))
    }

    fn check(&self, params: &[f32], derived: &DerivedTables, guards: &[u64]) {
        assert!(params.len() as u64 >= self.sizes.params, "parameters of this plan");
        assert_eq!(derived.prepared.len() as u64, self.sizes.prepared, "tables of this plan");
        assert_eq!(derived.row_exponents.len() as u64, self.sizes.row_exponents, "tables of this plan");
        assert_eq!(guards.len(), self.sizes.guards, "guards of this plan");
    }
}

/// Where the blocks of a plan lie.
struct Layout {
    /// The first number of each block.
    places: Vec<u32>,
    n_numbers: u32,
}

impl Layout {
    /// Gives places back when their block is read for the last time, to blocks of the same size. None where
    /// they are more than 2^32.
    fn of(plan: &Plan) -> Option<Self> {
        let mut last_reads = vec![usize::MAX; plan.buffers.len()];
        for (i, step) in plan.up().iter().enumerate() {
            step.each_buffer(plan, &mut |buffer, _| last_reads[buffer.index()] = i);
        }
        last_reads[plan.block(plan.root).buffer.index()] = usize::MAX;
        let mut places = vec![0; plan.buffers.len()];
        let mut free: HashMap<u32, Vec<u32>> = HashMap::new();
        let mut n_numbers = 0_u32;
        for (i, step) in plan.up().iter().enumerate() {
            let size = |buffer: pcc_ir::BufferId| plan.buffer(buffer).rows.next_multiple_of(LINE);
            if let Some(out) = step.out() {
                let buffer = plan.block(out).buffer;
                places[buffer.index()] = match free.get_mut(&size(buffer)).and_then(Vec::pop) {
                    Some(place) => place,
                    None => {
                        let place = n_numbers;
                        n_numbers = n_numbers.checked_add(size(buffer))?;
                        place
                    }
                };
            }
            step.each_buffer(plan, &mut |buffer, _| {
                if last_reads[buffer.index()] == i {
                    // A step may name a buffer twice.
                    last_reads[buffer.index()] = usize::MAX;
                    free.entry(size(buffer)).or_default().push(places[buffer.index()]);
                }
            });
        }
        let places = plan.blocks.iter().map(|block| places[block.buffer.index()]).collect();
        Some(Layout { places, n_numbers })
    }
}

struct Maker<'p> {
    plan: &'p Plan,
    places: Vec<u32>,
    row_exponents: Vec<u64>,
    steps: Steps,
}

impl Maker<'_> {
    /// Appends what a step computes, group by group; none where there is no rule for it.
    fn step(&mut self, step: &Step) -> Option<()> {
        let out = step.out()?;
        for group in 0..self.plan.block(out).groups {
            let rule = self.rule(step, out, group)?;
            self.steps.ops.push(Op { out: self.group(out, group), rule });
        }
        Some(())
    }

    fn rule(&mut self, step: &Step, out: BlockId, group: u32) -> Option<Rule> {
        let groups = self.plan.block(out).groups;
        Some(match *step {
            Step::Ones { .. } => Rule::Ones,
            Step::Literal { var, value, .. } => Rule::Literal { var: var.0, value },
            Step::Indicator { var, first, .. } => Rule::Indicator { var: var.0, first },
            Step::Normal { var, table, .. } => self.normals(&[(var, table)], group, groups),
            Step::NormalProduct { ref leaves, .. } => self.normals(leaves, group, groups),
            Step::Multiply { ref factors, guard, .. } => self.product(factors, group, groups, guard),
            Step::MultiplyUnits { ref children, .. } => {
                let list = children.iter().map(|&child| self.unit(child, group)).collect();
                Rule::ProductUnits { groups: self.list(list) }
            }
            Step::Outer { left, right, guard, .. } => {
                Rule::Outer { left: self.group(left, group), right: self.group(right, group), guard }
            }
            Step::Concat { ref children, guard, .. } => {
                let list = children.iter().flat_map(|&child| self.part(child, group, groups)).collect();
                Rule::Concat { groups: self.list(list), guard }
            }
            Step::Sum { child, table, .. } => {
                Rule::Sum { terms: self.group(child, group), table: self.table(table, group, groups) }
            }
            Step::Mix { child, table, .. } => {
                Rule::Mix { terms: self.group(child, group), table: self.table(table, group, groups) }
            }
            Step::SumUnits { ref children, table, .. } => {
                let list = children.iter().flat_map(|&child| self.part(child, group, groups)).collect();
                Rule::SumUnits { groups: self.list(list), table: self.table(table, group, groups) }
            }
            _ => return None,
        })
    }

    fn product(&mut self, factors: &[Factor], group: u32, groups: u32, guard: u32) -> Rule {
        let first = self.steps.factors.len() as u32;
        let mut is_prepared = false;
        for &factor in factors {
            let factor = match factor {
                Factor::Block(child) => {
                    let width = self.plan.block(child).groups * self.plan.block(child).width / groups;
                    let unit = self.unit(child, group * width);
                    pcc_kernels::Factor {
                        rows: unit.units,
                        exponent: unit.exponent,
                        table: 0,
                        row_exponents: 0,
                    }
                }
                Factor::Leaf { var, table } => {
                    let of_plan = self.plan.table(table);
                    is_prepared |= of_plan.source == Source::Prepared;
                    let of_table = u64::from(group / (groups / of_plan.groups));
                    pcc_kernels::Factor {
                        rows: var.0,
                        exponent: LEAF,
                        table: of_plan.start + of_table * of_plan.group_len(),
                        row_exponents: self.row_exponents[table.index()] + of_table * u64::from(of_plan.rows),
                    }
                }
            };
            self.steps.factors.push(factor);
        }
        let factors = Part { first, n: factors.len() as u32 };
        Rule::Product { factors, is_prepared, guard }
    }

    fn normals(&mut self, leaves: &[(VarId, ParamId)], group: u32, groups: u32) -> Rule {
        let first = self.steps.normals.len() as u32;
        for &(var, table) in leaves {
            let table = self.table(table, group, groups);
            self.steps.normals.push(NormalLeaf { row: var.0, table, stats: 0 });
        }
        Rule::Normals { leaves: Part { first, n: leaves.len() as u32 } }
    }

    fn list(&mut self, groups: Vec<Group>) -> Part {
        let part = Part { first: self.steps.groups.len() as u32, n: groups.len() as u32 };
        self.steps.groups.extend(groups);
        part
    }

    /// Where the numbers of a group's table lie.
    fn table(&self, id: ParamId, group: u32, groups: u32) -> u64 {
        let table = self.plan.table(id);
        table.start + u64::from(group / (groups / table.groups)) * table.group_len()
    }

    /// A whole group of a block.
    fn group(&self, block: BlockId, group: u32) -> Group {
        let (width, place) = (self.plan.block(block).width, self.places[block.index()]);
        let exponent = place + self.plan.block(block).units() + group;
        Group { width, units: place + group * width, exponent }
    }

    /// One unit of a block.
    fn unit(&self, block: BlockId, unit: u32) -> Group {
        let group = self.group(block, unit / self.plan.block(block).width);
        Group { width: 1, units: self.places[block.index()] + unit, ..group }
    }

    /// What one of `groups` groups reads of a block, cut where the block's own groups end.
    fn part(&self, block: BlockId, group: u32, groups: u32) -> Vec<Group> {
        let Group { width, .. } = self.group(block, 0);
        let n = self.plan.block(block).units() / groups;
        let (mut unit, end) = (group * n, (group + 1) * n);
        let mut parts = Vec::new();
        while unit < end {
            let n = ((unit / width + 1) * width).min(end) - unit;
            parts.push(Group { width: n, ..self.unit(block, unit) });
            unit += n;
        }
        parts
    }
}
