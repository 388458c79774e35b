//! The part of a data set that a learner looks at: all of it, one tile, or all tiles one below the other.

use crate::data::Dataset;
use pcc_diag::{Diagnostic, Span};
use pcc_ir::Domain;
use pcc_ir::recipe::DataView;

/// A view: which columns of a data set make a row. A view of tiles has one row for each tile of a row.
#[derive(Clone, Debug)]
pub struct View<'d> {
    dataset: &'d Dataset,
    /// The columns of each tile; one entry for a view of a single tile or of everything.
    tiles: Vec<Vec<u32>>,
}

impl<'d> View<'d> {
    /// Looks at a data set as a [`DataView`] says.
    ///
    /// # Errors
    /// `tiles-do-not-fit` when the coarser grid does not divide the extents of the variables.
    pub fn of(dataset: &'d Dataset, view: &DataView, span: Span) -> Result<Self, Diagnostic> {
        let tiles = match view {
            DataView::Whole(_) => return Ok(View::whole(dataset)),
            DataView::Tiles { tiles, .. } => all_tiles(dataset, tiles, span)?,
            DataView::Tile { tiles, index, .. } => {
                let mut all = all_tiles(dataset, tiles, span)?;
                let index = *index as usize;
                if index >= all.len() {
                    let message = format!("there is no tile {index}: `{}` has {}", dataset.name(), all.len());
                    return Err(Diagnostic::error("tiles-do-not-fit", message).at(span, ""));
                }
                vec![all.swap_remove(index)]
            }
        };
        Ok(View { dataset, tiles })
    }

    /// Looks at all of a data set.
    pub fn whole(dataset: &'d Dataset) -> Self {
        View { dataset, tiles: vec![(0..dataset.columns().len() as u32).collect()] }
    }

    /// How many rows it has.
    pub fn n_rows(&self) -> usize {
        self.dataset.n_rows() * self.tiles.len()
    }

    /// How many variables a row has.
    pub fn n_variables(&self) -> usize {
        self.tiles[0].len()
    }

    /// The domain of a variable of the view (the same in every tile).
    pub fn domain(&self, variable: usize) -> Domain {
        self.dataset.columns().get(self.tiles[0][variable] as usize).domain
    }

    /// The words of one variable in the first `n_rows` rows; the tiles of a data row follow each other.
    pub fn column(&self, variable: usize, n_rows: usize) -> Vec<u32> {
        let word = |row: usize| {
            let tile = &self.tiles[row % self.tiles.len()];
            self.dataset.word(row / self.tiles.len(), tile[variable] as usize)
        };
        (0..n_rows.min(self.n_rows())).map(word).collect()
    }

    /// The columns of each tile.
    pub fn tiles(&self) -> &[Vec<u32>] {
        &self.tiles
    }

    /// The name of the data set.
    pub fn name(&self) -> &str {
        self.dataset.name()
    }
}

/// The columns of every tile, row-major in the coarser grid and inside each tile.
fn all_tiles(dataset: &Dataset, tiles: &[u32], span: Span) -> Result<Vec<Vec<u32>>, Diagnostic> {
    let [group] = dataset.columns().groups() else {
        return Err(misfit(dataset, tiles, "its variables were not declared together", span));
    };
    let extents = &group.extents;
    let divides = |(extent, tile): (&u32, &u32)| *tile > 0 && extent.is_multiple_of(*tile);
    if tiles.is_empty() || tiles.len() > extents.len() || !extents.iter().zip(tiles).all(divides) {
        let declared = format!("`{}` has extents {extents:?}", group.name);
        return Err(misfit(dataset, tiles, &declared, span));
    }
    // Axes that the coarser grid doesn't have, such as colours, stay whole.
    let count = |axis: usize| tiles.get(axis).copied().unwrap_or(1);
    let n_tiles: u32 = tiles.iter().product();
    let mut all = vec![Vec::with_capacity(group.len() / n_tiles as usize); n_tiles as usize];
    for (column, variable) in group.variables().enumerate() {
        let mut tile = 0;
        for (axis, index) in group.index_of(variable).into_iter().enumerate() {
            tile = tile * count(axis) + index / (extents[axis] / count(axis));
        }
        all[tile as usize].push(column as u32);
    }
    Ok(all)
}

fn misfit(dataset: &Dataset, tiles: &[u32], why: &str, span: Span) -> Diagnostic {
    let message = format!("`{}` can't be cut into {tiles:?} tiles: {why}", dataset.name());
    Diagnostic::error("tiles-do-not-fit", message)
        .at(span, "")
        .help("the extents of the coarser grid must divide those of the variables")
}
