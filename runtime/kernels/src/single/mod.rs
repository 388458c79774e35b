//! Circuits on a single row: a list of groups to compute, each vectorised over its units.
//!
//! A tile has 64 samples, of which one row would use one. Here a group's units lie side by side, so that a
//! product is an elementwise product of vectors, a look-up copies a table's row, and a sum is a
//! matrix-vector product over rows of weights. A step takes some tens of nanoseconds, so a list that is walked
//! is as quick as calls, and takes no time to compile.
//!
//! In: the groups, children first ([`Op`]), tables, and one row of codes. Out: mantissas and exponents in the
//! caller's numbers, by the rules of the crate's documentation, and whether the row must be computed again in
//! log space. What the fast ways can't be sure of is computed again in 64 bits.

mod exact;
mod normal;
mod product;
mod sum;

use crate::kernel::EXPONENT_LIMIT;
use crate::lanes::Vector;
use crate::{Factor, MISSING, NormalLeaf, Tier, ZERO_EXPONENT, kernels};

/// The units of one group: their number and where they and their exponent lie among the numbers of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group {
    /// How many.
    pub width: u32,
    /// The first mantissa.
    pub units: u32,
    /// The exponent.
    pub exponent: u32,
}

/// Consecutive entries of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The first.
    pub first: u32,
    /// How many.
    pub n: u32,
}

/// What a group is computed from. Tables are places among the parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Ones.
    Ones,
    /// Ones where the variable has the value or is missing, else zeros.
    Literal {
        /// The variable.
        var: u32,
        /// The value.
        value: u32,
    },
    /// One for the unit `value - first`, else zero; ones where the variable is missing.
    Indicator {
        /// The variable.
        var: u32,
        /// The value of the first unit.
        first: u32,
    },
    /// The product of the densities of normal leaves.
    Normals {
        /// Among [`Steps::normals`].
        leaves: Part,
    },
    /// The product of factors, unit by unit, of at least one.
    Product {
        /// Among [`Steps::factors`].
        factors: Part,
        /// Whether leaves look up prepared tables and not parameters.
        is_prepared: bool,
        /// The place of its guard bits.
        guard: u32,
    },
    /// All pairs of two groups.
    Outer {
        /// The group whose units change slowest.
        left: Group,
        /// The other.
        right: Group,
        /// The place of its guard bits.
        guard: u32,
    },
    /// Groups one after another under one exponent.
    Concat {
        /// Among [`Steps::groups`].
        groups: Part,
        /// The place of its guard bits.
        guard: u32,
    },
    /// Weights `[unit][term]` times a group.
    Sum {
        /// The terms.
        terms: Group,
        /// Where the weights start.
        table: u64,
    },
    /// Unit by unit a weighted sum, with weights `[unit][child]`, of children that lie one after another.
    Mix {
        /// All children.
        terms: Group,
        /// Where the weights start.
        table: u64,
    },
    /// One unit, a weighted sum of single units.
    SumUnits {
        /// Among [`Steps::groups`].
        groups: Part,
        /// Where the weights start.
        table: u64,
    },
    /// One unit, the product of single units.
    ProductUnits {
        /// Among [`Steps::groups`].
        groups: Part,
    },
}

/// A group and its rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Op {
    /// Where it goes.
    pub out: Group,
    /// How it is computed.
    pub rule: Rule,
}

/// A circuit for one row.
#[derive(Clone, Debug, Default)]
pub struct Steps {
    /// The groups in order.
    pub ops: Vec<Op>,
    /// What products multiply. Of a leaf [`Factor::rows`] is the variable, of a block `rows` is the first
    /// mantissa and `exponent` the exponent among the numbers of a run.
    pub factors: Vec<Factor>,
    /// Normal leaves; [`NormalLeaf::row`] is the variable.
    pub normals: Vec<NormalLeaf>,
    /// What groups with many children read.
    pub groups: Vec<Group>,
}

/// What a run reads.
#[derive(Clone, Copy)]
pub struct Tables<'a> {
    /// Parameters.
    pub params: &'a [f32],
    /// Prepared tables.
    pub prepared: &'a [f32],
    /// The exponents of the rows of leaves' tables.
    pub row_exponents: &'a [f32],
    /// Guard bits.
    pub guards: &'a [u64],
}

impl Steps {
    /// Computes all groups for a row of codes. Returns whether the row must be computed again in log space.
    ///
    /// # Safety
    /// Groups lie within `numbers` and don't overlap what they are computed from, tables and their exponents
    /// within `tables`, variables within `codes`, and every code is a row of its tables or missing. The thread
    /// has denormals off.
    pub unsafe fn run(&self, tables: Tables, codes: &[u32], numbers: &mut [f32]) -> bool {
        let run = Run { steps: self, tables, codes, numbers: numbers.as_mut_ptr(), is_marked: false };
        // SAFETY: a tier is only chosen when the CPU has its instructions; the rest is the caller's word.
        unsafe {
            match kernels().map_or(Tier::Portable, |kernels| kernels.tier) {
                #[cfg(target_arch = "x86_64")]
                Tier::Avx512 => with_avx512(run),
                #[cfg(target_arch = "x86_64")]
                Tier::Avx2 => with_avx2(run),
                _ => run.all::<crate::lanes::portable::Array>(),
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
unsafe fn with_avx512(run: Run) -> bool {
    // SAFETY: as for the caller.
    unsafe { run.all::<std::arch::x86_64::__m512>() }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn with_avx2(run: Run) -> bool {
    // SAFETY: as for the caller.
    unsafe { run.all::<std::arch::x86_64::__m256>() }
}

/// A run under way.
struct Run<'a> {
    steps: &'a Steps,
    tables: Tables<'a>,
    codes: &'a [u32],
    numbers: *mut f32,
    is_marked: bool,
}

impl Run<'_> {
    #[inline(always)]
    unsafe fn all<V: Vector>(mut self) -> bool {
        for &Op { out, rule } in &self.steps.ops {
            // SAFETY: the caller's groups and tables have these sizes.
            unsafe {
                match rule {
                    Rule::Product { factors, is_prepared, guard } => {
                        self.product::<V>(out, factors, is_prepared, guard)
                    }
                    Rule::Sum { terms, table } => self.sum::<V>(out, terms, table),
                    Rule::Outer { left, right, guard } => self.outer(out, left, right, guard),
                    Rule::Concat { groups, guard } => self.concat(out, groups, guard),
                    Rule::Mix { terms, table } => self.mix(out, terms, table),
                    Rule::SumUnits { groups, table } => self.sum_units(out, groups, table),
                    Rule::ProductUnits { groups } => self.product_units(out, groups),
                    Rule::Normals { leaves } => self.normals(out, leaves),
                    Rule::Ones => self.fill(out, |_| true),
                    Rule::Literal { var, value } => {
                        let code = self.codes[var as usize];
                        self.fill(out, |_| code == value || code == MISSING);
                    }
                    Rule::Indicator { var, first } => {
                        let code = self.codes[var as usize];
                        self.fill(out, |unit| code == MISSING || code == first + unit);
                    }
                }
            }
        }
        self.is_marked
    }

    /// Ones for some units, zeros for the others.
    #[inline(always)]
    unsafe fn fill(&mut self, out: Group, is_one: impl Fn(u32) -> bool) {
        let mut exponent = ZERO_EXPONENT;
        for unit in 0..out.width {
            let value = if is_one(unit) { 1.0 } else { 0.0 };
            exponent = if value > 0.0 { 0.0 } else { exponent };
            // SAFETY: the group lies within the caller's numbers.
            unsafe { self.set(out.units + unit, value) };
        }
        // SAFETY: as above.
        unsafe { self.set(out.exponent, exponent) }
    }

    #[inline(always)]
    unsafe fn get(&self, place: u32) -> f32 {
        // SAFETY: the place lies within the caller's numbers.
        unsafe { *self.numbers.add(place as usize) }
    }

    #[inline(always)]
    unsafe fn set(&mut self, place: u32, number: f32) {
        // SAFETY: as for `get`.
        unsafe { *self.numbers.add(place as usize) = number }
    }

    /// Stores the exponent of a group that is not zero, and marks the row where it is out of range.
    #[inline(always)]
    unsafe fn set_exponent(&mut self, out: Group, exponent: f32) {
        self.is_marked |= exponent.abs() > EXPONENT_LIMIT;
        // SAFETY: the group lies within the caller's numbers.
        unsafe { self.set(out.exponent, exponent) }
    }

    /// The groups of a list.
    #[inline(always)]
    fn groups(&self, part: Part) -> impl Iterator<Item = Group> + use<'_> {
        self.steps.groups[part.first as usize..][..part.n as usize].iter().copied()
    }
}
