//! Region graphs of square pictures: quad trees, quad graphs, and that of Poon and Domingos (2011).
//!
//! In: the side of a picture. Out: regions over its pixels, row after row.

use super::{Region, Regions};
use std::collections::HashMap;

/// Blocks of two by two regions are joined until one is left: first left to right, then top to bottom.
pub fn quad_tree(side: usize) -> Regions {
    quad(side, |regions, [a, b, c, d]| {
        let halves = vec![join(regions, &[a, b]), join(regions, &[c, d])];
        join(regions, &halves)
    })
}

/// The same, but a block is both its rows and its columns.
pub fn quad_graph(side: usize) -> Regions {
    quad(side, |regions, [a, b, c, d]| {
        let rows = vec![join(regions, &[a, b]), join(regions, &[c, d])];
        let columns = vec![join(regions, &[a, c]), join(regions, &[b, d])];
        regions.push(Region::Partitions(vec![rows, columns]))
    })
}

fn join(regions: &mut Regions, parts: &[usize]) -> usize {
    regions.push(Region::Partitions(vec![parts.to_vec()]))
}

/// Joins blocks with `join_four`; at an odd border two are joined, or one is left as it is.
fn quad(mut side: usize, join_four: impl Fn(&mut Regions, [usize; 4]) -> usize) -> Regions {
    let mut regions = Regions::default();
    let mut grid: Vec<usize> =
        (0..side * side).map(|pixel| regions.push(Region::Inputs(vec![pixel]))).collect();
    while side > 1 {
        let half = side.div_ceil(2);
        let block = |y: usize, x: usize| {
            let at = |y: usize, x: usize| (y < side && x < side).then(|| grid[y * side + x]);
            [at(2 * y, 2 * x), at(2 * y, 2 * x + 1), at(2 * y + 1, 2 * x), at(2 * y + 1, 2 * x + 1)]
        };
        let cells = (0..half).flat_map(|y| (0..half).map(move |x| (y, x)));
        grid = cells
            .map(|(y, x)| match block(y, x) {
                [Some(a), Some(b), Some(c), Some(d)] => join_four(&mut regions, [a, b, c, d]),
                some => match some.into_iter().flatten().collect::<Vec<_>>()[..] {
                    [only] => only,
                    ref parts => join(&mut regions, parts),
                },
            })
            .collect();
        side = half;
    }
    regions
}

/// Every box is cut at every multiple of `step` inside it, along both sides; a box that can't be cut is a
/// product of pixels.
pub fn poon_domingos(side: usize, step: usize) -> Regions {
    let mut maker = Boxes { side, step, regions: Regions::default(), known: HashMap::new() };
    maker.region(Area { top: 0, left: 0, bottom: side, right: side });
    maker.regions
}

/// A rectangle, half open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Area {
    top: usize,
    left: usize,
    bottom: usize,
    right: usize,
}

struct Boxes {
    side: usize,
    step: usize,
    regions: Regions,
    known: HashMap<Area, usize>,
}

impl Boxes {
    fn region(&mut self, area: Area) -> usize {
        if let Some(&known) = self.known.get(&area) {
            return known;
        }
        let cuts = self.cuts(area);
        let region = match cuts.is_empty() {
            true => Region::Inputs(self.pixels(area)),
            false => Region::Partitions(
                cuts.into_iter().map(|(a, b)| vec![self.region(a), self.region(b)]).collect(),
            ),
        };
        let position = self.regions.push(region);
        self.known.insert(area, position);
        position
    }

    fn cuts(&self, area: Area) -> Vec<(Area, Area)> {
        let inside = |from: usize, to: usize| (from + 1..to).filter(|at| at.is_multiple_of(self.step));
        let across =
            inside(area.top, area.bottom).map(|at| (Area { bottom: at, ..area }, Area { top: at, ..area }));
        let down =
            inside(area.left, area.right).map(|at| (Area { right: at, ..area }, Area { left: at, ..area }));
        across.chain(down).collect()
    }

    fn pixels(&self, area: Area) -> Vec<usize> {
        let row = |y: usize| (area.left..area.right).map(move |x| y * self.side + x);
        (area.top..area.bottom).flat_map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers of regions and partitions of libcirkit 0.3.1 for one channel of 28 x 28 pixels, from
    /// `QuadTree`, `QuadGraph` and `PoonDomingos(delta=4)` by counting the nodes of each kind.
    #[test]
    fn pictures_have_the_regions_of_the_library_that_they_are_compared_with() {
        let counts = |regions: Regions| (regions.0.len(), regions.n_partitions());
        assert_eq!(counts(quad_tree(28)), (1567, 783));
        assert_eq!(counts(quad_graph(28)), (2085, 1560));
        assert_eq!(counts(poon_domingos(28, 4)), (784, 3136));
    }
}
