//! Pictures as networks see them: patches, each a row of numbers about zero.
//!
//! A data set over one grid of variables is cut into patches, row-major; axes that a patch doesn't have, such as
//! colours, stay whole. Values become numbers by a [`Scale`], which is that of the data a network is trained on.

use pcc_diag::{Diagnostic, Span};
use pcc_ir::recipe::DataView;
use pcc_ir::{Domain, MISSING};
use pcc_runtime::data::Dataset;
use pcc_runtime::learn::View;

/// Up to so many categories each get a number of their own: they need not be degrees of anything.
const MOST_KINDS: u32 = 8;

/// A data set cut into patches.
pub(crate) struct Pictures<'d> {
    pub(crate) data: &'d Dataset,
    /// How many patches there are along each axis.
    pub(crate) grid: Vec<u32>,
    /// The columns of each patch.
    columns: Vec<Vec<u32>>,
    domain: Domain,
}

/// How values become numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Scale {
    /// Codes from 0 to `largest` lie evenly between -1 and 1.
    Degrees {
        /// The largest code.
        largest: f32,
    },
    /// Each of so many categories has a number, which is one for it and zero otherwise.
    Kinds(usize),
    /// Numbers are moved and scaled to mean zero and variance one.
    Standard {
        /// Their mean.
        mean: f32,
        /// Their standard deviation.
        deviation: f32,
    },
}

/// Numbers of patches, `[row][patch][width]`.
pub(crate) struct Table {
    /// Zero where a value is missing: the middle of its range, or no category.
    pub(crate) values: Vec<f32>,
    /// One where there is a value, zero where none is.
    pub(crate) known: Vec<f32>,
}

impl<'d> Pictures<'d> {
    /// Cuts a data set into patches.
    ///
    /// # Errors
    /// `tiles-do-not-fit` when the patch does not divide the extents of the variables, `kind-mismatch` for words,
    /// whose codes are no degrees.
    pub(crate) fn of(data: &'d Dataset, patch: &[u32], span: Span) -> Result<Self, Diagnostic> {
        let grid = grid(data, patch).ok_or_else(|| misfit(data, patch, span))?;
        let tiles = DataView::Tiles { data: data.name().into(), tiles: grid.clone() };
        let columns = View::of(data, &tiles, span)?.tiles().to_vec();
        let domain = data.columns().get(0).domain;
        if let Domain::Token(_) = domain {
            let message = format!("`{}` holds words, and this teacher looks at pictures", data.name());
            return Err(Diagnostic::error("kind-mismatch", message)
                .at(span, "asked for here")
                .help("words have teachers of their own: `word_vectors`, `transformer`"));
        }
        Ok(Pictures { data, grid, columns, domain })
    }

    /// Patches of a picture.
    pub(crate) fn n_patches(&self) -> usize {
        self.columns.len()
    }

    /// Numbers of a patch.
    pub(crate) fn width(&self, scale: Scale) -> usize {
        self.columns[0].len() * scale.numbers()
    }

    /// Whether these are pictures of the same kind.
    pub(crate) fn is_like(&self, other: &Pictures) -> bool {
        (&self.grid, &self.columns, self.domain) == (&other.grid, &other.columns, other.domain)
    }

    /// Everything in some rows.
    pub(crate) fn words(&self, rows: std::ops::Range<usize>) -> Vec<u32> {
        let columns = 0..self.data.columns().len();
        rows.flat_map(|row| columns.clone().map(move |column| self.data.word(row, column))).collect()
    }

    /// How the values of these pictures become numbers.
    pub(crate) fn scale(&self) -> Scale {
        match self.domain.n_values() {
            Some(n) if (3..=MOST_KINDS).contains(&n) && matches!(self.domain, Domain::Cat(_)) => {
                Scale::Kinds(n as usize)
            }
            Some(n) => Scale::Degrees { largest: (n.max(2) - 1) as f32 },
            None => self.standard(),
        }
    }

    fn standard(&self) -> Scale {
        let (mut n, mut mean, mut squares) = (0.0, 0.0, 0.0);
        for row in 0..self.data.n_rows() {
            for x in (0..self.data.columns().len()).filter_map(|column| self.number(row, column)) {
                // Welford's update, which loses nothing to large means.
                n += 1.0;
                let distance = f64::from(x) - mean;
                mean += distance / n;
                squares += distance * (f64::from(x) - mean);
            }
        }
        let deviation = (squares / f64::max(n, 1.0)).sqrt();
        Scale::Standard { mean: mean as f32, deviation: if deviation > 0.0 { deviation as f32 } else { 1.0 } }
    }

    /// A value as it stands, `None` where it is missing.
    fn number(&self, row: usize, column: usize) -> Option<f32> {
        match (self.data.word(row, column), self.domain) {
            (MISSING, _) => None,
            (word, Domain::Real) => Some(f32::from_bits(word)).filter(|x| x.is_finite()),
            (word, _) => Some(word as f32),
        }
    }

    /// The numbers of some rows.
    pub(crate) fn table(&self, scale: Scale, rows: impl IntoIterator<Item = usize>) -> Table {
        let mut table = Table { values: Vec::new(), known: Vec::new() };
        for row in rows {
            for column in self.columns.iter().flatten() {
                scale.put(self.number(row, *column as usize), &mut table);
            }
        }
        table
    }

    /// The patches at most one step away from each, along every axis: first itself, then the others in order.
    pub(crate) fn neighbours(&self) -> Vec<Vec<u32>> {
        let places: Vec<Vec<u32>> = (0..self.n_patches() as u32).map(|i| self.place(i)).collect();
        let is_near = |a: &[u32], b: &[u32]| a.iter().zip(b).all(|(a, b)| a.abs_diff(*b) <= 1);
        (0..places.len())
            .map(|own| {
                let others = (0..places.len()).filter(|&i| i != own && is_near(&places[own], &places[i]));
                std::iter::once(own).chain(others).map(|i| i as u32).collect()
            })
            .collect()
    }

    /// Where a patch lies in the grid.
    fn place(&self, patch: u32) -> Vec<u32> {
        let mut rest = patch;
        let mut place: Vec<u32> = (self.grid.iter().rev())
            .map(|extent| {
                let index = rest % extent;
                rest /= extent;
                index
            })
            .collect();
        place.reverse();
        place
    }
}

impl Scale {
    /// Numbers of a value.
    fn numbers(self) -> usize {
        match self {
            Scale::Kinds(n) => n,
            Scale::Degrees { .. } | Scale::Standard { .. } => 1,
        }
    }

    fn put(self, value: Option<f32>, table: &mut Table) {
        let known = if value.is_some() { 1.0 } else { 0.0 };
        table.known.extend(std::iter::repeat_n(known, self.numbers()));
        match self {
            Scale::Kinds(n) => {
                table.values.extend((0..n).map(|kind| if value == Some(kind as f32) { 1.0 } else { 0.0 }));
            }
            Scale::Degrees { largest } => {
                table.values.push(value.map_or(0.0, |code| 2.0 * code / largest - 1.0));
            }
            Scale::Standard { mean, deviation } => {
                table.values.push(value.map_or(0.0, |x| (x - mean) / deviation));
            }
        }
    }
}

/// How many patches there are along each axis that a patch has; none when they don't fit.
fn grid(data: &Dataset, patch: &[u32]) -> Option<Vec<u32>> {
    let [group] = data.columns().groups() else { return None };
    let count = |(extent, size): (&u32, &u32)| match size {
        0 => None,
        _ => extent.is_multiple_of(*size).then(|| extent / size),
    };
    let is_right = !patch.is_empty() && patch.len() <= group.extents.len();
    is_right.then(|| group.extents.iter().zip(patch).map(count).collect()).flatten()
}

fn misfit(data: &Dataset, patch: &[u32], span: Span) -> Diagnostic {
    let message = format!("`{}` can't be cut into patches of {patch:?}", data.name());
    Diagnostic::error("tiles-do-not-fit", message)
        .at(span, "asked for here")
        .help("the extents of a patch divide those of the variables, which are declared together")
}
