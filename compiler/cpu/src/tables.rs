//! What emitted code reads besides parameters: prepared tables, and what guards must watch.
//!
//! In: a plan, its graph's families, parameter values. Out: [`DerivedTables`], to be updated whenever the
//! parameters change.

use pcc_ir::plan::{Plan, Source, Table};
use pcc_ir::{Graph, Param, ParamId, ParamShape, Params};
use pcc_kernels::{GUARD_ENTRY, GUARD_MAXIMUM, GUARD_RAISE, Loops, at_full_width};

/// Weights under this are small enough to cancel what a product keeps in its 32 bits.
const SMALL_WEIGHT: f32 = f32::from_bits((127 - 40) << 23);

/// What guards watch, from the weights' sizes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Watch {
    /// For each table, 1 when it has weights under 2^-40 or zeros, else 0.
    pub(crate) is_small: Vec<u64>,
    /// For each table, its smallest positive number.
    pub(crate) floors: Vec<f32>,
    /// Whether each table has weights over 2, as those of no normalised sum are.
    is_large: Vec<bool>,
}

/// Everything that is computed from parameters before a tile can run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DerivedTables {
    pub(crate) prepared: Vec<f32>,
    /// For each row of a discrete leaf's table `floor(log2)` of its largest number, 0 for a row of zeros and for
    /// other tables. Where a table's start is for [`row_exponent_starts`] to say.
    pub(crate) row_exponents: Vec<f32>,
    watch: Watch,
}

impl DerivedTables {
    /// Computes them. The plan must have been made from the graph.
    pub fn of(graph: &Graph, plan: &Plan, params: &Params) -> Self {
        let n_rows = row_exponent_starts(plan)[plan.tables.len()];
        let mut derived = DerivedTables {
            prepared: vec![0.0; plan.source_len(Source::Prepared) as usize],
            row_exponents: vec![0.0; n_rows as usize],
            watch: Watch::default(),
        };
        let mut rest = derived.part();
        let mut watch = Watch::default();
        for (i, param) in graph.params().iter().enumerate() {
            let values = params.table(ParamId::new(i));
            rest.take(DerivedSize::of(&plan.tables[i])).set(param, values);
            let extremes = if is_input(param) { Extremes::NONE } else { Extremes::of(values) };
            watch.is_small.push(extremes.is_small());
            watch.floors.push(extremes.floor);
            watch.is_large.push(extremes.is_large());
        }
        derived.watch = watch;
        derived
    }

    /// What guards watch.
    pub fn watch(&self) -> &Watch {
        &self.watch
    }

    /// The derived numbers of all tables, in their order, to be written.
    pub fn part(&mut self) -> DerivedPart<'_> {
        DerivedPart { prepared: &mut self.prepared, row_exponents: &mut self.row_exponents }
    }

    /// Takes note of the sizes of a table's weights.
    pub fn watch_table(&mut self, id: ParamId, extremes: Extremes) {
        self.watch.is_small[id.index()] = extremes.is_small();
        self.watch.floors[id.index()] = extremes.floor;
        self.watch.is_large[id.index()] = extremes.is_large();
    }
}

/// How many derived numbers a table has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DerivedSize {
    prepared: usize,
    rows: usize,
}

impl DerivedSize {
    /// Those of a whole table.
    pub fn of(table: &Table) -> Self {
        let prepared = if table.source == Source::Prepared { table.len() as usize } else { 0 };
        DerivedSize { prepared, rows: table.rows as usize * table.groups as usize }
    }

    /// Those of both together.
    pub fn and(self, other: Self) -> Self {
        DerivedSize { prepared: self.prepared + other.prepared, rows: self.rows + other.rows }
    }

    /// Those of some rows of a table that is read as it is.
    pub fn of_rows(rows: usize) -> Self {
        DerivedSize { prepared: 0, rows }
    }
}

/// Derived numbers of consecutive tables, or of consecutive rows of one table.
#[derive(Debug)]
pub struct DerivedPart<'a> {
    prepared: &'a mut [f32],
    row_exponents: &'a mut [f32],
}

impl<'a> DerivedPart<'a> {
    /// Splits the first of them off.
    ///
    /// # Panics
    /// When there are fewer.
    pub fn take(&mut self, size: DerivedSize) -> DerivedPart<'a> {
        let (prepared, after) = std::mem::take(&mut self.prepared).split_at_mut(size.prepared);
        self.prepared = after;
        let (row_exponents, after) = std::mem::take(&mut self.row_exponents).split_at_mut(size.rows);
        self.row_exponents = after;
        DerivedPart { prepared, row_exponents }
    }

    /// Computes those of a table, or of some rows of a categorical one.
    pub fn set(self, param: &Param, values: &[f32]) {
        let ParamShape::Input { family, units } = param.shape else { return };
        let is_prepared = !self.prepared.is_empty();
        if is_prepared {
            prepare(param, values, self.prepared);
        }
        if family.get().n_values().is_some() {
            let looked_up = if is_prepared { &*self.prepared } else { values };
            at_full_width(RowExponents { table: looked_up, units: units as usize, into: self.row_exponents });
        }
    }

    /// Where the exponents of a categorical table's rows are written, row by row.
    pub fn row_exponents(&mut self) -> &mut [f32] {
        self.row_exponents
    }
}

/// The rows of a table, and where their exponents go.
struct RowExponents<'a> {
    table: &'a [f32],
    units: usize,
    into: &'a mut [f32],
}

impl Loops for RowExponents<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let rows = self.table.chunks_exact(self.units);
        rows.zip(self.into).for_each(|(row, exponent)| *exponent = row_exponent(row));
    }
}

/// Where the row exponents of each table start, then how many there are: one for each row of each group,
/// whatever the table is for, so that all plans of a graph agree.
pub(crate) fn row_exponent_starts(plan: &Plan) -> Vec<u64> {
    let mut starts = vec![0];
    for table in &plan.tables {
        starts.push(starts[starts.len() - 1] + u64::from(table.rows) * u64::from(table.groups));
    }
    starts
}

fn is_input(param: &Param) -> bool {
    matches!(param.shape, ParamShape::Input { .. })
}

/// `floor(log2(..))` of the largest number of a row, 0 when all are zero. Numbers are normal or zero, and none
/// is negative: then their bits are in the same order as they.
#[inline(always)]
pub fn row_exponent(row: &[f32]) -> f32 {
    let largest = row.iter().fold(0, |largest, x| x.to_bits().max(largest));
    if largest > 0 { ((largest >> 23) as i32 - 127) as f32 } else { 0.0 }
}

/// The sizes of a table's weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Extremes {
    /// The smallest, zeros included.
    smallest: f32,
    /// The smallest that is positive.
    floor: f32,
    /// The largest, 0 where there is none.
    largest: f32,
}

impl Extremes {
    /// Those of no weights at all.
    pub const NONE: Extremes = Extremes { smallest: f32::INFINITY, floor: f32::INFINITY, largest: 0.0 };

    /// Those of some weights, none negative.
    #[inline(always)]
    pub fn of(weights: &[f32]) -> Self {
        // Bits of numbers that are not negative are in the same order as they; one less than zero is beyond all.
        let none = f32::INFINITY.to_bits();
        let smallest = weights.iter().fold(none, |smallest, w| w.to_bits().min(smallest));
        let floor = weights.iter().fold(none - 1, |floor, w| w.to_bits().wrapping_sub(1).min(floor));
        let largest = weights.iter().fold(0, |largest, w| w.to_bits().max(largest));
        let [smallest, floor, largest] = [smallest, floor + 1, largest].map(f32::from_bits);
        Extremes { smallest, floor, largest }
    }

    /// Those of both together.
    pub fn and(self, other: Self) -> Self {
        Extremes {
            smallest: self.smallest.min(other.smallest),
            floor: self.floor.min(other.floor),
            largest: self.largest.max(other.largest),
        }
    }

    /// 1 when some weight is under 2^-40 or zero, else 0.
    fn is_small(self) -> u64 {
        u64::from(self.smallest < SMALL_WEIGHT)
    }

    /// Whether some weight is over 2.
    fn is_large(self) -> bool {
        self.largest > 2.0
    }
}

impl Watch {
    /// The guard bits of each of a plan's guards.
    pub fn guard_bits(&self, plan: &Plan) -> Vec<u64> {
        let is_small = |table: &ParamId| self.is_small[table.index()] != 0;
        let is_large = |table: &ParamId| self.is_large[table.index()];
        let bits = |guard: &pcc_ir::plan::Guard| {
            let is_small = guard.tables.iter().any(is_small);
            let of_entries = match guard.is_always || is_small && guard.tables.iter().any(is_large) {
                true => GUARD_ENTRY,
                // Sums alone read the group, and none makes much of a tiny entry.
                false if is_small => GUARD_RAISE,
                false => 0,
            };
            (GUARD_MAXIMUM | of_entries) as u64
        };
        plan.guards.iter().map(bits).collect()
    }
}

/// Fills the prepared table of a family, group by group and unit by unit.
fn prepare(param: &Param, values: &[f32], prepared: &mut [f32]) {
    let ParamShape::Input { family, units } = param.shape else { return };
    let units = units as usize;
    let family = family.get();
    let mut theta = vec![0.0; family.n_params()];
    let mut column = vec![0.0; family.n_prepared()];
    let groups =
        values.chunks_exact(theta.len() * units).zip(prepared.chunks_exact_mut(column.len() * units));
    for (values, prepared) in groups {
        for unit in 0..units {
            theta.iter_mut().enumerate().for_each(|(r, t)| *t = f64::from(values[r * units + unit]));
            family.prepare(&theta, &mut column);
            for (r, &value) in column.iter().enumerate() {
                prepared[r * units + unit] = normal_or_zero(value as f32);
            }
        }
    }
}

/// The number, or zero where it has no normal 32-bit form: kernels take denormals for zeros.
fn normal_or_zero(value: f32) -> f32 {
    if value.is_subnormal() { 0.0 } else { value }
}
