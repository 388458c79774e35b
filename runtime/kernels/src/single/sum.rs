//! Sums over a single row's groups: matrix-vector products, mixes, and sums of single units.
//!
//! A sum is taken over rows of weights as they lie, four at a time, and their lanes are added up together.
//! It is accepted where all entries are of ordinary size; else, as every mix, it is brought to about one and
//! checked by the rules for sums.

use super::exact::two_to_wide;
use super::product::{exponent_of, two_to};
use super::{Group, Part, Run};
use crate::ZERO_EXPONENT;
use crate::kernel::{TWO_POW_100, TWO_POW_M100, TWO_POW_M120};
use crate::lanes::{Lanes, Vector};

/// Rows of weights that are multiplied together.
const ROWS: usize = 4;

/// The largest entries between which a group counts as normalised.
const LEAST_TOP: f32 = 1.0 / 256.0;
const MOST_TOP: f32 = 256.0;

/// The extremes of a group's entries.
#[derive(Clone, Copy)]
struct Range {
    most: f32,
    least: f32,
}

impl Range {
    const NOTHING: Range = Range { most: 0.0, least: f32::MAX };

    #[inline(always)]
    fn see(&mut self, x: f32) {
        self.most = self.most.max(x);
        self.least = self.least.min(x);
    }

    fn is_usual(self) -> bool {
        self.least >= TWO_POW_M100 && (LEAST_TOP..MOST_TOP).contains(&self.most)
    }
}

impl Run<'_> {
    #[inline(always)]
    pub(super) unsafe fn sum<V: Vector>(&mut self, out: Group, terms: Group, table: u64) {
        // SAFETY: the caller's groups and tables have these sizes.
        unsafe {
            let weights = self.tables.params.as_ptr().add(table as usize);
            let narrow = <V::Block as Lanes>::N;
            let range = match terms.width as usize <= narrow {
                true => self.multiply_rows::<V::Block>(out, terms, weights),
                false => self.multiply_rows::<V>(out, terms, weights),
            };
            if range.is_usual() {
                return self.set(out.exponent, self.get(terms.exponent));
            }
            let k = terms.width;
            let weight = |unit: u32, term: u32| *weights.add((unit * k + term) as usize);
            self.normalise_sum(out, terms.exponent, &|run, unit| {
                (0..k).any(|term| weight(unit, term) > 0.0 && run.get(terms.units + term) > 0.0)
            });
        }
    }

    /// The matrix-vector product, unscaled.
    #[inline(always)]
    unsafe fn multiply_rows<V: Vector>(&mut self, out: Group, terms: Group, weights: *const f32) -> Range {
        let (m, k) = (out.width as usize, terms.width as usize);
        let mut range = Range::NOTHING;
        // SAFETY: the caller's groups and tables have these sizes; of rows that are fewer than four the last
        // is taken again.
        unsafe {
            let from = self.numbers.add(terms.units as usize);
            for first in (0..m).step_by(ROWS) {
                let rows: [*const f32; ROWS] =
                    std::array::from_fn(|i| weights.add((first + i).min(m - 1) * k));
                let mut sums = [V::splat(0.0); ROWS];
                let mut term = 0;
                while term + V::N <= k {
                    let terms = V::load(from.add(term));
                    for i in 0..ROWS {
                        sums[i] = V::load(rows[i].add(term)).fma(terms, sums[i]);
                    }
                    term += V::N;
                }
                if term < k {
                    let terms = V::load_part(from.add(term), k - term);
                    for i in 0..ROWS {
                        sums[i] = V::load_part(rows[i].add(term), k - term).fma(terms, sums[i]);
                    }
                }
                for (i, sum) in V::totals(sums).into_iter().enumerate().take(m - first) {
                    range.see(sum);
                    self.set(out.units + (first + i) as u32, sum);
                }
            }
        }
        range
    }

    /// Brings the largest entry to about one, by the rules for sums: `has_term` says whether a unit has a term
    /// that is positive.
    #[cold]
    unsafe fn normalise_sum(&mut self, out: Group, exponent: u32, has_term: &dyn Fn(&Self, u32) -> bool) {
        // SAFETY: the group lies within the caller's numbers.
        unsafe {
            let power = self.get(exponent);
            let entries = |run: &Self, unit: u32| run.get(out.units + unit);
            let most = (0..out.width).map(|unit| entries(self, unit)).fold(0.0, f32::max).min(f32::MAX);
            let threshold = TWO_POW_M100.max(most * TWO_POW_M120);
            let is_lost = (0..out.width).any(|unit| match entries(self, unit) {
                0.0 => has_term(self, unit),
                entry => entry < threshold,
            });
            self.is_marked |= is_lost || most > TWO_POW_100;
            if most == 0.0 {
                return self.set(out.exponent, ZERO_EXPONENT);
            }
            let shift = exponent_of(most);
            for unit in out.units..out.units + out.width {
                self.set(unit, self.get(unit).min(f32::MAX) * two_to(-shift));
            }
            self.set_exponent(out, power + shift);
        }
    }

    /// Unit by unit a weighted sum of children that lie one after another.
    #[inline(always)]
    pub(super) unsafe fn mix(&mut self, out: Group, terms: Group, table: u64) {
        let (width, n) = (out.width, terms.width / out.width);
        // SAFETY: the caller's groups and tables have these sizes.
        unsafe {
            let weights = self.tables.params.as_ptr().add(table as usize);
            let weight = |unit: u32, child: u32| *weights.add((unit * n + child) as usize);
            for unit in 0..width {
                let sum = (0..n).fold(0.0, |sum, child| {
                    sum + weight(unit, child) * self.get(terms.units + child * width + unit)
                });
                self.set(out.units + unit, sum);
            }
            self.normalise_sum(out, terms.exponent, &|run, unit| {
                (0..n).any(|c| weight(unit, c) > 0.0 && run.get(terms.units + c * width + unit) > 0.0)
            });
        }
    }

    /// One unit, a weighted sum of single units, in 64 bits.
    #[inline(always)]
    pub(super) unsafe fn sum_units(&mut self, out: Group, groups: Part, table: u64) {
        let mut most = f32::NEG_INFINITY;
        let mut sum = 0.0;
        // SAFETY: the caller's groups and tables have these sizes.
        unsafe {
            let weights = self.tables.params.as_ptr().add(table as usize);
            let is_term = |run: &Self, i: usize, g: Group| *weights.add(i) > 0.0 && run.get(g.units) > 0.0;
            for (i, group) in self.groups(groups).enumerate().filter(|&(i, g)| is_term(self, i, g)) {
                most = most.max(self.get(group.exponent) + exponent_of(*weights.add(i)));
            }
            for (i, group) in self.groups(groups).enumerate().filter(|&(i, g)| is_term(self, i, g)) {
                let scale = two_to_wide((self.get(group.exponent) - most) as i32);
                sum += f64::from(*weights.add(i)) * f64::from(self.get(group.units)) * scale;
            }
            self.set_unit(out, sum, most);
        }
    }
}
