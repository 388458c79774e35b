//! Boxes: rectangles of a grid, by coordinates alone.

use std::ops::Range;

/// A non-empty rectangle of a grid with these extents.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct GridBox {
    /// The extents of the grid.
    pub(crate) grid: Vec<u32>,
    /// The coordinates on each axis.
    pub(crate) ranges: Vec<Range<u32>>,
}

impl GridBox {
    /// The whole of a grid.
    pub(crate) fn whole(grid: &[u32]) -> Self {
        GridBox { grid: grid.to_vec(), ranges: grid.iter().map(|&e| 0..e).collect() }
    }

    /// How many cells it has.
    pub(crate) fn area(&self) -> i64 {
        self.ranges.iter().map(|r| r.len() as i64).product()
    }

    /// Its extents.
    pub(crate) fn extents(&self) -> Vec<u32> {
        self.ranges.iter().map(|r| r.end - r.start).collect()
    }

    /// The two parts on either side of a cut.
    fn split(&self, axis: usize, at: u32) -> (GridBox, GridBox) {
        let (mut low, mut high) = (self.clone(), self.clone());
        if let (Some(l), Some(h)) = (low.ranges.get_mut(axis), high.ranges.get_mut(axis)) {
            l.end = at;
            h.start = at;
        }
        (low, high)
    }

    /// The two parts for every cut of every axis, at each multiple of `every` cells from the box's start.
    pub(crate) fn cuts(&self, every: u32) -> Vec<(GridBox, GridBox)> {
        let mut cuts = Vec::new();
        for (axis, range) in self.ranges.iter().enumerate() {
            for at in (range.start..range.end).step_by(every.max(1) as usize).skip(1) {
                cuts.push(self.split(axis, at));
            }
        }
        cuts
    }

    /// The two halves on every axis that is longer than one cell; of an odd length the first is longer.
    pub(crate) fn halves(&self) -> Vec<(GridBox, GridBox)> {
        let middle = |r: &Range<u32>| r.start + (r.end - r.start).div_ceil(2);
        let axes = self.ranges.iter().enumerate().filter(|(_, r)| r.len() > 1);
        axes.map(|(axis, r)| self.split(axis, middle(r))).collect()
    }

    /// What the halves of all axes together cut it into: four parts in two dimensions.
    pub(crate) fn quarters(&self) -> Vec<GridBox> {
        let mut parts = vec![self.clone()];
        for (axis, range) in self.ranges.iter().enumerate().filter(|(_, r)| r.len() > 1) {
            let middle = range.start + (range.end - range.start).div_ceil(2);
            parts = parts.iter().flat_map(|p| <[GridBox; 2]>::from(p.split(axis, middle))).collect();
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_and_quarters_of_small_boxes() {
        let whole = GridBox::whole(&[3, 4]);
        assert_eq!(whole.area(), 12);
        // Axis 0 can be cut at 2; axis 1 at 2.
        assert_eq!(whole.cuts(2).len(), 2);
        // Axis 0 can be cut at 1 and 2; axis 1 at 1, 2 and 3.
        assert_eq!(whole.cuts(1).len(), 5);
        let areas: Vec<i64> = whole.quarters().iter().map(GridBox::area).collect();
        assert_eq!(areas, [4, 4, 2, 2]);
        assert_eq!(GridBox::whole(&[1, 1]).quarters().len(), 1);
        assert!(GridBox::whole(&[1, 1]).halves().is_empty());
    }
}
