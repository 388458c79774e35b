//! Arrays of numbers, rows first: what idx, npy and npz files hold.
//!
//! The shape is held against the declared extents, so that an array with its axes in another order is
//! refused instead of being read askew. Pictures are bytes and stay bytes on the way, those of a mapped file
//! where they are.

use super::rows::{cells_for, check_range};
use crate::data::cells::Cells;
use crate::data::column::{Columns, join};
use crate::data::fault::{Origin, RowName};
use crate::data::map::FileContent;
use pcc_diag::Diagnostic;
use pcc_ir::recipe::Rows;
use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

/// The elements of an array, in the row-major order of its shape.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::data) enum Elements<'c> {
    /// Borrowed where they are the content's own.
    Bytes(Cow<'c, [u8]>),
    Integers(Vec<i64>),
    Numbers(Vec<f64>),
}

impl Elements<'_> {
    /// The elements as zeros and ones, or `None` when there are others.
    pub(in crate::data) fn into_bytes(self) -> Option<Vec<u8>> {
        let as_bit = |is_zero: bool, is_one: bool| (is_zero || is_one).then_some(u8::from(is_one));
        match self {
            Elements::Bytes(v) => v.iter().map(|&b| as_bit(b == 0, b == 1)).collect(),
            Elements::Integers(v) => v.into_iter().map(|i| as_bit(i == 0, i == 1)).collect(),
            Elements::Numbers(v) => v.into_iter().map(|x| as_bit(x == 0.0, x == 1.0)).collect(),
        }
    }
}

/// An array; `shape` has at least one extent, and their product is the number of elements.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::data) struct Array<'c> {
    pub(in crate::data) shape: Vec<usize>,
    pub(in crate::data) elements: Elements<'c>,
}

impl Array<'_> {
    /// The same, of its own.
    pub(super) fn into_owned(self) -> Array<'static> {
        let elements = match self.elements {
            Elements::Bytes(v) => Elements::Bytes(Cow::Owned(v.into_owned())),
            Elements::Integers(v) => Elements::Integers(v),
            Elements::Numbers(v) => Elements::Numbers(v),
        };
        Array { shape: self.shape, elements }
    }
}

/// Why there is no array, before it is known what for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::data) enum ArrayFault {
    /// The content is of another format.
    Format(String),
    /// It ends early, or its sizes are impossible.
    Shape(String),
}

impl ArrayFault {
    pub(in crate::data) fn about(self, origin: &Origin) -> Diagnostic {
        match self {
            ArrayFault::Format(message) => origin.format(message),
            ArrayFault::Shape(message) => origin.shape(message),
        }
    }

    pub(in crate::data) fn about_file(self, file: &str) -> Diagnostic {
        let (code, message) = match self {
            ArrayFault::Format(message) => ("data-format", message),
            ArrayFault::Shape(message) => ("data-shape", message),
        };
        Diagnostic::error(code, format!("{message} (file `{file}`)"))
    }
}

/// The product of extents, or `None` when it is too large to be true.
pub(super) fn n_elements(shape: &[usize]) -> Option<usize> {
    shape
        .iter()
        .try_fold(1_usize, |n, &extent| n.checked_mul(extent))
        .filter(|&n| n < isize::MAX as usize / 8)
}

/// Checks and packs the wanted rows of an array that was read from a file.
pub(super) fn pack(
    array: Array,
    file: &Arc<FileContent>,
    columns: &Columns,
    rows: Rows,
    origin: &Origin,
) -> Result<Cells, Diagnostic> {
    check_shape(&array.shape, columns, origin)?;
    let n_rows = array.shape[0] as u64;
    check_range(rows, n_rows, origin)?;
    let kept = rows.start as usize..rows.end.unwrap_or(n_rows) as usize;
    let mut cells = cells_for(columns);
    if let (Elements::Bytes(bytes), Some(bound)) = (&array.elements, one_bound(columns)) {
        let range = kept.start * columns.len()..kept.end * columns.len();
        check_bytes(bytes, bound, range.clone(), columns, origin)?;
        match (bytes, &**file) {
            (Cow::Borrowed(own), FileContent::Mapped(map)) => {
                let start = own.as_ptr().addr() - map.as_ptr().addr();
                cells.take_bytes(file, start + range.start..start + range.end);
            }
            _ => cells.extend_bytes(&bytes[range]),
        }
        return Ok(cells);
    }
    cells.reserve(kept.len() * columns.len());
    match &array.elements {
        Elements::Bytes(bytes) => {
            pack_each(kept, columns, origin, &mut cells, |i| Element::Integer(i64::from(bytes[i])))?;
        }
        Elements::Integers(v) => pack_each(kept, columns, origin, &mut cells, |i| Element::Integer(v[i]))?,
        Elements::Numbers(v) => pack_each(kept, columns, origin, &mut cells, |i| Element::Number(v[i]))?,
    }
    Ok(cells)
}

/// Rows come first; what follows is either flat or has the declared extents (extents of one don't count).
fn check_shape(shape: &[usize], columns: &Columns, origin: &Origin) -> Result<(), Diagnostic> {
    let rest: Vec<usize> = shape.iter().skip(1).copied().filter(|&extent| extent != 1).collect();
    let is_flat = rest.len() <= 1 && rest.iter().product::<usize>() == columns.len();
    let has_extents = match columns.groups() {
        [group] => rest.iter().copied().eq(group.extents.iter().map(|&e| e as usize).filter(|&e| e != 1)),
        _ => false,
    };
    if is_flat || has_extents {
        return Ok(());
    }
    let message = format!(
        "the array is {}, but rows of `{}` are {} values",
        join(shape, " x "),
        columns.declared(),
        columns.len()
    );
    Err(origin.shape(message).help("the first extent counts the rows; the others are those of the variables"))
}

/// The number of codes, when all columns have the same and write each code as itself.
fn one_bound(columns: &Columns) -> Option<u32> {
    let bound = columns.get(0).n_codes()?;
    columns.iter().all(|c| c.is_its_own_code() && c.n_codes() == Some(bound)).then_some(bound)
}

/// Checks that all bytes of a range are codes.
fn check_bytes(
    bytes: &[u8],
    bound: u32,
    range: Range<usize>,
    columns: &Columns,
    origin: &Origin,
) -> Result<(), Diagnostic> {
    let (first, wanted) = (range.start, &bytes[range]);
    let largest = wanted.iter().copied().max().unwrap_or(0);
    if u32::from(largest) < bound {
        return Ok(());
    }
    let at = wanted.iter().position(|&b| u32::from(b) >= bound).unwrap_or(0);
    let row = RowName::Row(((first + at) / columns.len()) as u64 + 1);
    Err(origin.outside(row, columns, at % columns.len(), wanted[at]))
}

/// One element on its way.
enum Element {
    Integer(i64),
    Number(f64),
}

fn pack_each(
    kept: Range<usize>,
    columns: &Columns,
    origin: &Origin,
    cells: &mut Cells,
    element: impl Fn(usize) -> Element,
) -> Result<(), Diagnostic> {
    let mut words = vec![0; columns.len()];
    for row in kept {
        for (i, column) in columns.iter().enumerate() {
            let element = element(row * columns.len() + i);
            let word = match element {
                Element::Integer(value) => column.word_of_integer(value),
                Element::Number(value) => column.word_of_number(value),
            };
            words[i] = word.ok_or_else(|| refuse(element, row, columns, i, origin))?;
        }
        cells.extend(&words);
    }
    Ok(())
}

fn refuse(element: Element, row: usize, columns: &Columns, column: usize, origin: &Origin) -> Diagnostic {
    let row = RowName::Row(row as u64 + 1);
    match element {
        Element::Integer(value) => origin.outside(row, columns, column, value),
        Element::Number(value) if value.is_nan() => origin.missing(row, columns, column),
        Element::Number(value) => origin.outside(row, columns, column, value),
    }
}
