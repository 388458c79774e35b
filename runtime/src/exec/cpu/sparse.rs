//! Categorical tables of so many values that a batch touches few of them: vocabularies.
//!
//! An M-step changes an untouched row of such a table by `theta <- keep theta + share` alone, with the same
//! two numbers for all rows of a unit. So these are kept apart: a row holds y, and its probabilities are
//! `scale y + offset`, unit by unit. A step then costs as much as the rows that it touched. The rows
//! that a batch will look up are written out beforehand and only those, so kernels never notice; when all are
//! wanted, all are written out ([`SparseTable::settle`]).
//!
//! In: the codes of each batch, then statistics. Out: the table's rows and their exponents. Nothing else may
//! read a row that was not written out.

use super::maximize::flush;
use super::rows::RowSet;
use super::statistics::Statistics;
use crate::train::blend::Blend;
use crate::train::em::TableUpdate;
use crate::train::leaf_tables::Blends;
use crate::train::strips::{add_column_sums, each_strip, strip, strip_mut};
use pcc_cpu::{DerivedSize, row_exponent};
use pcc_ir::plan::Plan;
use pcc_ir::{Batch, Family, Graph, LayerKind, ParamId, ParamShape, VarId};
use pcc_kernels::{Loops, at_full_width};

/// Tables of fewer values are read and written whole.
const FEWEST_VALUES: u32 = 1024;

/// A step that touches more than one row in so many moves the whole table.
const ROWS_OF_A_TOUCH: usize = 4;

/// Scales are taken into the rows when one falls under this, before y grow too large beside them.
const SMALLEST_SCALE: f64 = 1.0 / (1_u64 << 40) as f64;

/// One table. It is *plain* when every row holds its probabilities.
#[derive(Clone, Debug)]
pub(super) struct SparseTable {
    id: ParamId,
    /// Derived numbers of the tables before this one, and its own.
    before: DerivedSize,
    own: DerivedSize,
    /// Variables whose codes are its rows.
    variables: Vec<usize>,
    values: usize,
    groups: usize,
    units: usize,
    /// `[group][unit]`.
    scale: Vec<f64>,
    offset: Vec<f64>,
    /// The sum of each unit's probabilities, once an M-step needed it.
    mass: Option<Vec<f64>>,
    is_plain: bool,
    /// Whether the batches since the last M-step touched too many rows.
    is_dense: bool,
    /// Rows that batches touched since the last M-step. They hold probabilities.
    touched: RowSet,
    /// Their y, row after row, when the table is not plain.
    kept: Vec<f32>,
    support: Support,
}

/// Where y can be other than zero.
#[derive(Clone, Debug)]
struct Support {
    /// For each unit, whether it is among the rows; else it can be anywhere.
    is_bounded: Vec<bool>,
    rows: RowSet,
}

impl Support {
    fn anywhere(units: usize, rows: usize) -> Self {
        Support { is_bounded: vec![false; units], rows: RowSet::of(rows) }
    }

    fn forget(&mut self) {
        self.is_bounded.fill(false);
        self.rows.clear();
    }

    /// Adds rows that get a y.
    fn grow(&mut self, touched: &RowSet) {
        if self.is_bounded.contains(&true) {
            touched.rows().iter().for_each(|&row| self.rows.insert(row as usize));
            if self.rows.rows().len() * 2 > self.rows.bound() {
                self.forget();
            }
        }
    }

    /// Takes note that the y of some units were dropped, before the touched rows get new ones.
    fn bound(&mut self, is_dropped: &[bool], touched: &RowSet) {
        if self.is_bounded.iter().zip(is_dropped).all(|(&bounded, &dropped)| dropped || !bounded) {
            self.rows.clear();
        }
        self.is_bounded.iter_mut().zip(is_dropped).for_each(|(bounded, &dropped)| *bounded |= dropped);
        self.grow(touched);
    }
}

impl SparseTable {
    /// All such tables of a graph, in the order of their ids.
    pub(super) fn all(graph: &Graph, plan: &Plan) -> Vec<Self> {
        let mut before = DerivedSize::default();
        let mut tables = Vec::new();
        for (i, param) in graph.params().iter().enumerate() {
            let own = DerivedSize::of(&plan.tables[i]);
            if let ParamShape::Input { family: Family::Categorical(family), units } = param.shape
                && family.n >= FEWEST_VALUES
                && !param.is_fixed
            {
                let id = ParamId::new(i);
                let (values, groups, units) = (family.n as usize, param.groups as usize, units as usize);
                tables.push(SparseTable {
                    id,
                    before,
                    own,
                    variables: variables(graph, id),
                    values,
                    groups,
                    units,
                    scale: vec![1.0; groups * units],
                    offset: vec![0.0; groups * units],
                    mass: None,
                    is_plain: true,
                    is_dense: false,
                    touched: RowSet::of(groups * values),
                    kept: Vec::new(),
                    support: Support::anywhere(groups * units, groups * values),
                });
            }
            before = before.and(own);
        }
        tables
    }

    /// The table.
    pub(super) fn id(&self) -> ParamId {
        self.id
    }

    /// Derived numbers of the tables before this one, and its own.
    pub(super) fn derived(&self) -> [DerivedSize; 2] {
        [self.before, self.own]
    }

    /// Whether every row holds its probabilities.
    pub(super) fn is_plain(&self) -> bool {
        self.is_plain
    }

    /// Whether the next M-step moves the whole table, as if it were no sparse one.
    pub(super) fn is_dense(&self) -> bool {
        self.is_dense
    }

    /// How many numbers the next M-step reads and writes.
    pub(super) fn n_touched_numbers(&self) -> usize {
        self.touched.rows().len() * self.units
    }

    /// Writes out the rows that a batch will look up, and their exponents.
    pub(super) fn touch(&mut self, batch: &Batch, theta: &mut [f32], exponents: &mut [f32]) {
        if self.is_dense {
            return;
        }
        let first_new = self.touched.rows().len();
        // A row that knows a variable softly touches all values.
        let is_spread =
            batch.soft().is_some_and(|soft| self.variables.iter().any(|&var| soft.covers(VarId::new(var))));
        for row in batch.words().chunks_exact(batch.n_variables()) {
            for code in self.variables.iter().map(|&var| row[var] as usize) {
                if code < self.values {
                    (0..self.groups).for_each(|group| self.touched.insert(group * self.values + code));
                }
            }
        }
        if is_spread || self.touched.rows().len() * ROWS_OF_A_TOUCH > self.groups * self.values {
            self.touched.truncate(first_new);
            self.settle(theta, exponents);
            self.is_dense = true;
        } else if !self.is_plain {
            let _denormals = pcc_kernels::denormals_off();
            at_full_width(WriteOut { table: self, first: first_new, theta, exponents });
        }
    }

    /// Writes out all rows. Statistics that wait for an M-step are as good as before.
    pub(super) fn settle(&mut self, theta: &mut [f32], exponents: &mut [f32]) {
        if !self.is_plain {
            let _denormals = pcc_kernels::denormals_off();
            at_full_width(WriteOutAll { table: self, theta, exponents });
            self.become_plain();
        }
    }

    /// Takes note that the table was written by others, who left no row out.
    pub(super) fn become_plain(&mut self) {
        self.scale.fill(1.0);
        self.offset.fill(0.0);
        self.mass = None;
        self.is_plain = true;
        self.support.forget();
        self.kept.clear();
    }

    /// Takes note that the whole table was moved.
    pub(super) fn end_dense_step(&mut self) {
        if self.is_dense {
            self.is_dense = false;
            self.touched.clear();
            self.become_plain();
        }
    }

    /// Lets the next M-step move the whole table.
    pub(super) fn become_dense(&mut self, theta: &mut [f32], exponents: &mut [f32]) {
        self.settle(theta, exponents);
        self.is_dense = true;
    }

    /// Forgets what was touched.
    pub(super) fn forget(&mut self, theta: &mut [f32]) {
        for (i, &row) in self.touched.rows().iter().enumerate() {
            let range = row as usize * self.units..(row as usize + 1) * self.units;
            self.restore(i, &mut theta[range]);
        }
        self.touched.clear();
        self.kept.clear();
        self.is_dense = false;
    }

    /// Moves the table by the statistics of the rows that were touched, and sets these to zero. Without an
    /// update the table stays as it is.
    pub(super) fn maximize(
        &mut self,
        update: Option<TableUpdate>,
        statistics: &mut Statistics,
        theta: &mut [f32],
        exponents: &mut [f32],
    ) {
        match update {
            Some(update) => at_full_width(Move { table: self, update, statistics, theta }),
            None => {
                let units = self.units;
                let rows = self.touched.rows().iter().map(|&row| row as usize);
                rows.for_each(|row| statistics.clear(row * units..(row + 1) * units));
                self.forget(theta);
            }
        }
        if self.scale.iter().any(|&scale| scale < SMALLEST_SCALE) {
            self.settle(theta, exponents);
        }
    }

    /// The y of a touched row, which itself holds probabilities.
    #[inline(always)]
    fn restore(&self, position: usize, row: &mut [f32]) {
        if !self.is_plain {
            row.copy_from_slice(&self.kept[position * self.units..(position + 1) * self.units]);
        }
    }

    /// Writes probabilities over a row's y.
    #[inline(always)]
    fn write_row(&self, group: usize, row: &mut [f32]) -> f32 {
        let units = group * self.units..(group + 1) * self.units;
        let (scale, offset) = (&self.scale[units.clone()], &self.offset[units]);
        each_strip!(row.len(), |at, N| {
            let (scale, offset) = (strip::<N, f64>(scale, at), strip::<N, f64>(offset, at));
            let row = strip_mut::<N, f32>(row, at);
            for i in 0..N {
                row[i] = (scale[i] * f64::from(row[i]) + offset[i]) as f32;
            }
        });
        flush(row);
        row_exponent(row)
    }
}

/// The variables whose leaves have this table.
fn variables(graph: &Graph, id: ParamId) -> Vec<usize> {
    let leaf = |layer| match graph.layer(layer).kind {
        LayerKind::Input { var, param } if param == id => Some(var.index()),
        _ => None,
    };
    let mut variables: Vec<usize> = graph.layer_ids().filter_map(leaf).collect();
    variables.sort_unstable();
    variables.dedup();
    variables
}

/// Writes out the touched rows from a position on.
struct WriteOut<'t> {
    table: &'t mut SparseTable,
    first: usize,
    theta: &'t mut [f32],
    exponents: &'t mut [f32],
}

impl Loops for WriteOut<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let WriteOut { table, first, theta, exponents } = self;
        let mut kept = std::mem::take(&mut table.kept);
        for &row in &table.touched.rows()[first..] {
            let row = row as usize;
            let numbers = &mut theta[row * table.units..(row + 1) * table.units];
            kept.extend_from_slice(numbers);
            exponents[row] = table.write_row(row / table.values, numbers);
        }
        table.kept = kept;
    }
}

/// Writes out all rows but the touched ones, which are.
struct WriteOutAll<'t> {
    table: &'t SparseTable,
    theta: &'t mut [f32],
    exponents: &'t mut [f32],
}

impl Loops for WriteOutAll<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let rows = self.theta.chunks_exact_mut(self.table.units).zip(self.exponents);
        for (row, (numbers, exponent)) in rows.enumerate() {
            if !self.table.touched.contains(row) {
                *exponent = self.table.write_row(row / self.table.values, numbers);
            }
        }
    }
}

/// An M-step.
struct Move<'t, 's, 'u> {
    table: &'t mut SparseTable,
    update: TableUpdate<'u>,
    statistics: &'t mut Statistics<'s>,
    theta: &'t mut [f32],
}

impl Loops for Move<'_, '_, '_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Move { table, update, statistics, theta } = self;
        let used = table.used(statistics);
        let mut mass = table.mass.take().unwrap_or_else(|| table.masses(theta));
        let units = used.iter().zip(&mass).enumerate();
        let of_unit = |(unit, (&used, &mass)): (usize, (&f64, &f64))| {
            Blend::of(&update, unit, table.values, used, mass)
        };
        let blends: Vec<Blend> = units.map(of_unit).collect();
        table.drop_old(&blends, theta);
        let moves = table.rescale(&blends);
        for (i, &row) in table.touched.rows().iter().enumerate() {
            let range = row as usize * table.units..(row as usize + 1) * table.units;
            let numbers = &mut theta[range.clone()];
            table.restore(i, numbers);
            let counts = statistics.collected(range);
            moves[row as usize / table.values].blend_row(counts, numbers);
            flush(numbers);
            counts.fill(0.0);
        }
        // Old and new values are mixed so that they sum to one, whatever the old ones did.
        mass.iter_mut().zip(&used).for_each(|(mass, &used)| *mass = if used > 0.0 { 1.0 } else { *mass });
        table.mass = Some(mass);
        table.is_plain = false;
        table.touched.clear();
        table.kept.clear();
    }
}

impl SparseTable {
    /// Adds up the statistics of the touched rows, and how much each unit was used.
    #[inline(always)]
    fn used(&self, statistics: &mut Statistics) -> Vec<f64> {
        let mut used = vec![0.0; self.groups * self.units];
        for &row in self.touched.rows() {
            let (row, units) = (row as usize, self.units);
            let counts = statistics.collect(row * units..(row + 1) * units, None);
            let group = row / self.values * units;
            add_column_sums(counts, &mut used[group..group + units]);
        }
        used
    }

    /// The sum of each unit's probabilities in a plain table.
    #[inline(always)]
    fn masses(&self, theta: &[f32]) -> Vec<f64> {
        let mut masses = vec![0.0; self.groups * self.units];
        let groups = theta.chunks_exact(self.values * self.units);
        groups
            .zip(masses.chunks_exact_mut(self.units))
            .for_each(|(theta, mass)| add_column_sums(theta, mass));
        masses
    }

    /// Makes y zero for units that keep nothing of what they were.
    #[inline(always)]
    fn drop_old(&mut self, blends: &[Blend], theta: &mut [f32]) {
        let is_dropped: Vec<bool> = blends.iter().map(|blend| blend.keep == 0.0).collect();
        if !is_dropped.contains(&true) {
            self.support.grow(&self.touched);
            return;
        }
        let anywhere: Vec<bool> =
            is_dropped.iter().zip(&self.support.is_bounded).map(|(&d, &b)| d && !b).collect();
        if anywhere.contains(&true) {
            (0..self.groups * self.values).for_each(|row| self.drop_row(row, &anywhere, theta));
        }
        for &row in self.support.rows.rows() {
            self.drop_row(row as usize, &is_dropped, theta);
        }
        self.support.bound(&is_dropped, &self.touched);
    }

    #[inline(always)]
    fn drop_row(&self, row: usize, is_dropped: &[bool], theta: &mut [f32]) {
        let is_dropped = &is_dropped[row / self.values * self.units..][..self.units];
        let numbers = &mut theta[row * self.units..(row + 1) * self.units];
        numbers.iter_mut().zip(is_dropped).for_each(|(y, &dropped)| *y = if dropped { 0.0 } else { *y });
    }

    /// Takes a move into scales and offsets. Returns what is left of it for y, group by group.
    fn rescale(&mut self, blends: &[Blend]) -> Vec<Blends> {
        let mut moves = vec![Blends::default(); self.groups];
        for (unit, blend) in blends.iter().enumerate() {
            let is_kept = blend.keep > 0.0;
            self.scale[unit] = if is_kept { blend.keep * self.scale[unit] } else { 1.0 };
            self.offset[unit] = blend.keep * self.offset[unit] + blend.share;
            let keep = if is_kept { 1.0 } else { 0.0 };
            moves[unit / self.units].push(Blend { keep, scale: blend.scale / self.scale[unit], share: 0.0 });
        }
        moves
    }
}
