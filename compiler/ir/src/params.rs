//! Parameter values and flows of a graph: two flat arrays with one range for each table.

use crate::{Graph, ParamId, ParamShape};
use std::ops::Range;

/// The values of all tables, in 32-bit floats, table after table in the order of their ids.
///
/// A table that was never set holds NaN, so that no query can read an invented number from it.
#[derive(Clone, Debug, PartialEq)]
pub struct Params {
    starts: Vec<usize>,
    values: Vec<f32>,
}

impl Params {
    /// Tables of the right sizes; those with values in the source have them, the others are unset.
    pub fn of(graph: &Graph) -> Self {
        let starts = starts(graph.params().iter().map(|p| p.len()));
        let mut values = vec![f32::NAN; *starts.last().unwrap_or(&0)];
        for (param, &start) in graph.params().iter().zip(&starts) {
            for (i, &v) in param.initial.iter().flatten().enumerate() {
                values[start + i] = v as f32;
            }
        }
        Params { starts, values }
    }

    /// The range of a table in [`Params::values`].
    pub fn range(&self, id: ParamId) -> Range<usize> {
        self.starts[id.index()]..self.starts[id.index() + 1]
    }

    /// One table.
    pub fn table(&self, id: ParamId) -> &[f32] {
        &self.values[self.range(id)]
    }

    /// One table, to be changed.
    pub fn table_mut(&mut self, id: ParamId) -> &mut [f32] {
        let range = self.range(id);
        &mut self.values[range]
    }

    /// All values.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// All values, to be changed.
    pub fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }

    /// Whether a table has values.
    pub fn is_set(&self, id: ParamId) -> bool {
        !self.table(id).iter().any(|v| v.is_nan())
    }

    /// The first table without values.
    pub fn first_unset(&self) -> Option<ParamId> {
        (0..self.starts.len() - 1).map(ParamId::new).find(|&id| !self.is_set(id))
    }
}

/// Expected sufficient statistics of all tables: for sums and mixes the flow through each edge, which is
/// `theta * d log p / d theta`, for inputs [`crate::Family::n_stats`] rows of units, observed with the
/// parameters that the flows are computed with ([`crate::family::Distribution::observe`]).
#[derive(Clone, Debug, PartialEq)]
pub struct Flows {
    starts: Vec<usize>,
    values: Vec<f32>,
}

impl Flows {
    /// All zero.
    pub fn zero(graph: &Graph) -> Self {
        let starts = starts(graph.params().iter().map(|p| p.stats_len()));
        let values = vec![0.0; *starts.last().unwrap_or(&0)];
        Flows { starts, values }
    }

    /// The range of a table's statistics in [`Flows::values`].
    pub fn range(&self, id: ParamId) -> Range<usize> {
        self.starts[id.index()]..self.starts[id.index() + 1]
    }

    /// The statistics of one table.
    pub fn table(&self, id: ParamId) -> &[f32] {
        &self.values[self.range(id)]
    }

    /// The statistics of one table, to be changed.
    pub fn table_mut(&mut self, id: ParamId) -> &mut [f32] {
        let range = self.range(id);
        &mut self.values[range]
    }

    /// All statistics.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// All statistics, to be changed.
    pub fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }

    /// Sets all to zero.
    pub fn clear(&mut self) {
        self.values.fill(0.0);
    }

    /// Adds those of another, of the same graph.
    pub fn add(&mut self, other: &Flows) {
        for (a, b) in self.values.iter_mut().zip(&other.values) {
            *a += b;
        }
    }
}

fn starts(lens: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut starts = vec![0];
    for len in lens {
        starts.push(starts[starts.len() - 1] + len);
    }
    starts
}

/// The part of a table that serves one group of a layer.
pub fn group_table(graph: &Graph, id: ParamId, layer_groups: u32, group: u32) -> Range<usize> {
    let param = graph.param(id);
    let table = (u64::from(group) * u64::from(param.groups) / u64::from(layer_groups)) as usize;
    table * param.group_len()..(table + 1) * param.group_len()
}

/// The word for what a table is.
pub fn shape_word(shape: ParamShape) -> &'static str {
    match shape {
        ParamShape::Sum { .. } => "sum weights",
        ParamShape::Mix { .. } => "mixing weights",
        ParamShape::Input { family, .. } => family.name(),
    }
}
