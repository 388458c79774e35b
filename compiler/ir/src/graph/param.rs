//! Parameter tables. Tying is sharing an id.

use super::EdgeMask;
use crate::Family;
use pcc_diag::Span;

/// What a table holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ParamShape {
    /// Weights of a sum layer: for each group `rows` by `columns`, row-major; rows are the layer's units.
    Sum {
        /// Units of the sum layer in one group.
        rows: u32,
        /// Units that one group reads from all children together.
        columns: u32,
    },
    /// Weights of a mixing layer: for each group `units` by `children`, row-major.
    Mix {
        /// Units of the layer in one group.
        units: u32,
        /// Children of the layer.
        children: u32,
    },
    /// Parameters of a family: for each group [`Family::n_params`] by `units`, row-major, so that a
    /// categorical table lies value-major and one value's row of units is contiguous.
    Input {
        /// The family.
        family: Family,
        /// Units of the layer in one group.
        units: u32,
    },
}

/// One table of parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// What it holds.
    pub shape: ParamShape,
    /// How many groups have a table of their own. A layer of G groups gives its group g the table
    /// `g * groups / G`, so one table may serve all copies.
    pub groups: u32,
    /// Values written in the source; [`Param::len`] of them.
    pub initial: Option<Vec<f64>>,
    /// Whether learning leaves it alone (`with fixed(..)`).
    pub is_fixed: bool,
    /// Which edges are there, where some were pruned; only weights of sums and mixes are edges.
    pub mask: Option<EdgeMask>,
    /// A name for people and files, such as `emit[3]`; unique in the graph, given by the builder when empty.
    pub name: String,
    /// Where it was declared, or first used.
    pub span: Span,
}

impl Param {
    /// How many numbers one group has.
    pub fn group_len(&self) -> usize {
        match self.shape {
            ParamShape::Sum { rows, columns } => rows as usize * columns as usize,
            ParamShape::Mix { units, children } => units as usize * children as usize,
            ParamShape::Input { family, units } => family.n_params() * units as usize,
        }
    }

    /// How many units the table has: rows of weights, or columns of an input table, of all groups together.
    pub fn n_units(&self) -> usize {
        let of_group = match self.shape {
            ParamShape::Sum { rows, .. } => rows,
            ParamShape::Mix { units, .. } | ParamShape::Input { units, .. } => units,
        };
        of_group as usize * self.groups as usize
    }

    /// How many numbers the table has.
    pub fn len(&self) -> usize {
        self.group_len() * self.groups as usize
    }

    /// How many numbers it has without those of edges that were pruned.
    pub fn n_live(&self) -> usize {
        self.mask.as_ref().map_or(self.len(), EdgeMask::n_live)
    }

    /// Whether a mask may be the table's.
    pub(super) fn takes_mask(&self, mask: Option<&EdgeMask>) -> bool {
        let has_edges = !matches!(self.shape, ParamShape::Input { .. });
        mask.is_none_or(|mask| has_edges && mask.len() == self.len())
    }

    /// How many edges or parameters a unit has.
    pub fn unit_len(&self) -> usize {
        match self.shape {
            ParamShape::Sum { columns: n, .. } | ParamShape::Mix { children: n, .. } => n as usize,
            ParamShape::Input { family, .. } => family.n_params(),
        }
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many sums of statistics one group gathers in learning.
    pub fn group_stats_len(&self) -> usize {
        match self.shape {
            ParamShape::Input { family, units } => family.n_stats() * units as usize,
            _ => self.group_len(),
        }
    }

    /// How many sums of statistics the table gathers.
    pub fn stats_len(&self) -> usize {
        self.group_stats_len() * self.groups as usize
    }
}
