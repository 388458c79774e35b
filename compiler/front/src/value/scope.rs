//! Scopes: sets of variables, ordered ones, and grids.

use pcc_ir::VarId;
use rustc_hash::FxHashSet;
use std::ops::Range;
use std::rc::Rc;

/// Variables, in the order in which they are run through.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ScopeValue {
    /// The variables, all different; row-major for a grid.
    pub(crate) vars: Rc<[VarId]>,
    /// What is known of their order.
    pub(crate) shape: Shape,
}

/// What is known of the order of a scope's variables.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Shape {
    /// Nothing: it is a set.
    Set,
    /// One follows the other.
    Sequence,
    /// A grid of these extents; their product is the number of variables.
    Grid(Vec<u32>),
}

/// Why an index does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum IndexFault {
    /// Another number of indices is needed.
    Rank { needed: usize, found: usize },
    /// An index or a range leaves its axis.
    Outside { axis: usize, extent: u32 },
    /// A set has no order.
    Unordered,
}

/// One index of several: a position or a half-open range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Index {
    At(i64),
    Part(i64, i64),
}

impl ScopeValue {
    /// Variables in order.
    pub(crate) fn sequence(vars: Vec<VarId>) -> Self {
        ScopeValue { vars: vars.into(), shape: Shape::Sequence }
    }

    /// Variables without order.
    pub(crate) fn set(vars: Vec<VarId>) -> Self {
        ScopeValue { vars: vars.into(), shape: Shape::Set }
    }

    /// Variables in a grid, row-major.
    pub(crate) fn grid(vars: Vec<VarId>, extents: Vec<u32>) -> Self {
        ScopeValue { vars: vars.into(), shape: Shape::Grid(extents) }
    }

    /// The word for it in messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self.shape {
            Shape::Set => "scope",
            Shape::Sequence => "seq",
            Shape::Grid(_) => "grid",
        }
    }

    /// Whether all variables are different.
    pub(crate) fn is_set(&self) -> bool {
        let mut seen = FxHashSet::default();
        self.vars.iter().all(|v| seen.insert(*v))
    }

    /// The extents of a grid; those of a sequence are its length.
    pub(crate) fn extents(&self) -> Option<Vec<u32>> {
        match &self.shape {
            Shape::Set => None,
            Shape::Sequence => Some(vec![self.vars.len() as u32]),
            Shape::Grid(extents) => Some(extents.clone()),
        }
    }

    /// The same variables as a plain sequence.
    pub(crate) fn flattened(&self) -> Self {
        ScopeValue { vars: self.vars.clone(), shape: Shape::Sequence }
    }

    /// What stands at the given indices: one for each axis, of which ranges keep their axis.
    /// `Ok` of one variable with no extents left is a single variable.
    pub(crate) fn at(&self, indices: &[Index]) -> Result<(Vec<VarId>, Vec<u32>), IndexFault> {
        let extents = self.extents().ok_or(IndexFault::Unordered)?;
        if indices.len() != extents.len() {
            return Err(IndexFault::Rank { needed: extents.len(), found: indices.len() });
        }
        let mut ranges = Vec::new();
        let mut kept = Vec::new();
        for (axis, (index, &extent)) in indices.iter().zip(&extents).enumerate() {
            let (start, end) = match index {
                Index::At(i) => (*i, i.saturating_add(1)),
                Index::Part(a, b) => (*a, *b),
            };
            if start < 0 || end < start || end > i64::from(extent) {
                return Err(IndexFault::Outside { axis, extent });
            }
            ranges.push(start as u32..end as u32);
            if let Index::Part(..) = index {
                kept.push((end - start) as u32);
            }
        }
        Ok((self.rectangle(&ranges).unwrap_or_default(), kept))
    }

    /// The variables of a rectangle, row-major; `None` when it leaves the grid.
    pub(crate) fn rectangle(&self, ranges: &[Range<u32>]) -> Option<Vec<VarId>> {
        let extents = self.extents()?;
        let is_inside = ranges.iter().zip(&extents).all(|(r, &e)| r.end <= e);
        if ranges.len() != extents.len() || !is_inside {
            return None;
        }
        let mut offsets = vec![0_usize];
        for (range, &extent) in ranges.iter().zip(&extents) {
            let next = |offset: &usize| {
                let row = *offset * extent as usize;
                range.clone().map(move |i| row + i as usize)
            };
            offsets = offsets.iter().flat_map(next).collect();
        }
        offsets.into_iter().map(|o| self.vars.get(o).copied()).collect()
    }
}

/// The ranges of the tile at an index of a coarser grid; `None` when the extents do not divide or the ranks
/// do not fit. Axes that the coarser grid lacks are kept whole.
pub(crate) fn tile_ranges(extents: &[u32], tiles: &[u32], index: &[u32]) -> Option<Vec<Range<u32>>> {
    let is_divided = extents.iter().zip(tiles).all(|(e, t)| *t > 0 && e % t == 0);
    if tiles.len() > extents.len() || index.len() != tiles.len() || !is_divided {
        return None;
    }
    let mut ranges = Vec::new();
    for (axis, &extent) in extents.iter().enumerate() {
        match (tiles.get(axis), index.get(axis)) {
            (Some(tiles), Some(i)) => {
                let size = extent / tiles;
                ranges.push(i * size..(i + 1) * size);
            }
            _ => ranges.push(0..extent),
        }
    }
    Some(ranges)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(extents: &[u32]) -> ScopeValue {
        let n: u32 = extents.iter().product();
        ScopeValue::grid((0..n).map(VarId).collect(), extents.to_vec())
    }

    #[test]
    fn slices_are_row_major() {
        let (vars, kept) = grid(&[3, 4]).at(&[Index::Part(1, 3), Index::At(2)]).unwrap();
        assert_eq!((vars, kept), (vec![VarId(6), VarId(10)], vec![2]));
        assert_eq!(
            grid(&[3, 4]).at(&[Index::At(3), Index::At(0)]),
            Err(IndexFault::Outside { axis: 0, extent: 3 })
        );
        assert_eq!(grid(&[3, 4]).at(&[Index::At(3)]), Err(IndexFault::Rank { needed: 2, found: 1 }));
    }

    #[test]
    fn tiles_keep_further_axes_whole() {
        let ranges = tile_ranges(&[4, 6, 3], &[2, 3], &[1, 2]).unwrap();
        assert_eq!(ranges, vec![2..4, 4..6, 0..3]);
        assert_eq!(tile_ranges(&[4, 5], &[2, 3], &[0, 0]), None);
    }
}
