//! Feature vectors in memory: one for each row of data and each position.
//!
//! They are the tiles of data, arrays made elsewhere, or what a [`Teachers`] makes of data. All of them are
//! finite numbers: whatever is missing or not a number is refused here, with its row and position.

use super::view::View;
use crate::data::{Dataset, read};
use pcc_diag::{Diagnostic, Span};
use pcc_ir::recipe::{DataSource, DataView, EmbeddingSource, Labels, Teacher, TeacherView};
use pcc_ir::{Domain, MISSING, Value, VarGroup, VarId};
use std::path::PathBuf;

/// Vectors of `width` numbers, `[row][position][width]`.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureRows {
    /// How many rows there are.
    pub rows: usize,
    /// Vectors of a row.
    pub positions: usize,
    /// Numbers of a vector.
    pub width: usize,
    /// All numbers.
    pub values: Vec<f32>,
}

/// Networks that turn data into vectors. `places` are the folders in which their files are looked for.
pub trait Teachers {
    /// A key of everything that a teacher's answers depend on besides its settings and data: the contents of
    /// its files, the version of its code.
    ///
    /// # Errors
    /// When there is no such teacher, or its files are missing or damaged.
    fn key(&mut self, teacher: &Teacher, places: &[PathBuf], span: Span) -> Result<String, Diagnostic>;

    /// The vectors that a teacher makes of `data`. `own` is the data that it is trained on, if it is.
    ///
    /// # Errors
    /// When the data is nothing that the teacher can look at.
    fn features(
        &mut self,
        asked: Asked,
        view: TeacherView,
        data: &Dataset,
        own: Option<&Dataset>,
    ) -> Result<FeatureRows, Diagnostic>;

    /// What the answer to a question will cost, beside the data itself: nothing is trained and no vectors are kept.
    ///
    /// # Errors
    /// As [`Teachers::features`].
    fn cost(
        &mut self,
        asked: Asked,
        view: TeacherView,
        data: &Dataset,
        own: Option<&Dataset>,
    ) -> Result<TeacherCost, Diagnostic>;

    /// The codes that a teacher itself gives to `data`.
    ///
    /// # Errors
    /// As [`Teachers::features`].
    fn codes(&mut self, asked: Asked, data: &Dataset, own: Option<&Dataset>) -> Result<Labels, Diagnostic>;
}

/// Work that is to be done.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Work {
    /// Multiplications of numbers.
    pub multiplications: f64,
    /// How long they will take, from a small part that was timed.
    pub seconds: f64,
}

/// What the answer to a question will cost.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TeacherCost {
    /// Training the network, which is done once for all questions.
    pub learning: Work,
    /// Making vectors of the rows that have none yet.
    pub reading: Work,
    /// Bytes of all vectors.
    pub bytes: u64,
}

/// A teacher, and what is known where it is asked.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The teacher.
    pub teacher: &'a Teacher,
    /// The folders in which its files are looked for.
    pub places: &'a [PathBuf],
    /// A key of its weights, under which they can be kept.
    pub key: &'a str,
    /// Where it was asked.
    pub span: Span,
}

/// The values of each tile of a data set as they are.
///
/// # Errors
/// `tiles-do-not-fit`, `missing-value`, and `kind-mismatch` for words, whose numbers say nothing.
pub(super) fn of_tiles(dataset: &Dataset, tiles: &[u32], span: Span) -> Result<FeatureRows, Diagnostic> {
    let view =
        View::of(dataset, &DataView::Tiles { data: dataset.name().into(), tiles: tiles.into() }, span)?;
    let (width, positions) = (view.n_variables(), view.n_rows() / dataset.n_rows().max(1));
    if (0..width).any(|v| matches!(view.domain(v), Domain::Token(_))) {
        let message = format!("the numbers of the words of `{}` say nothing of their distances", view.name());
        return Err(Diagnostic::error("kind-mismatch", message)
            .at(span, "clustered here")
            .help("ask a teacher for vectors: `teacher words = word_vectors() on ..`"));
    }
    let mut values = vec![0.0; view.n_rows() * width];
    for v in 0..width {
        let is_coded = view.domain(v) != Domain::Real;
        for (i, word) in view.column(v, view.n_rows()).into_iter().enumerate() {
            if word == MISSING {
                return Err(missing(&view, i / positions, i % positions, span));
            }
            let number = || f32::from_bits(word);
            values[i * width + v] = if is_coded { word as f32 } else { number() };
        }
    }
    Ok(FeatureRows { rows: dataset.n_rows(), positions, width, values })
}

fn missing(view: &View, row: usize, tile: usize, span: Span) -> Diagnostic {
    let message = format!("row {} of `{}` lacks a value in tile {tile}", row + 1, view.name());
    Diagnostic::error("missing-value", message)
        .at(span, "clustered here")
        .help("clusters of tiles need every value; an array of vectors made elsewhere may stand in for them")
}

/// Reads vectors made elsewhere, and the key of their content. The file is looked for in `places`, in order.
///
/// # Errors
/// `missing-file`, `unreadable-file`, `data-format`, `data-shape` when rows are not `positions x width` numbers,
/// and `missing-value` or `value-out-of-domain`, with row and position, for what is no finite number.
pub(super) fn read_array(
    source: &EmbeddingSource,
    places: &[PathBuf],
    span: Span,
) -> Result<(FeatureRows, String), Diagnostic> {
    let EmbeddingSource { name, positions, width, .. } = source.clone();
    let group = VarGroup {
        name: name.clone(),
        extents: vec![positions as u32, width as u32],
        domain: Domain::Real,
        is_latent: false,
        first: VarId::new(0),
    };
    let data = DataSource {
        name: name.clone(),
        variables: vec![name],
        path: source.path.clone(),
        beside: source.beside.clone(),
        reader: source.reader.clone(),
        rows: source.rows,
        span,
    };
    let dataset = read(&data, &[group], places, None)?;
    let mut values = vec![0.0; dataset.n_rows() * positions * width];
    for (row, values) in values.chunks_exact_mut(positions * width).enumerate() {
        for (column, value) in values.iter_mut().enumerate() {
            match dataset.value(row, column) {
                Value::Real(number) => *value = number as f32,
                _ => return Err(no_number(source, row, column / width, span)),
            }
        }
    }
    Ok((FeatureRows { rows: dataset.n_rows(), positions, width, values }, dataset.key()))
}

fn no_number(source: &EmbeddingSource, row: usize, position: usize, span: Span) -> Diagnostic {
    let message = format!("row {} of `{}` has no number at position {position}", row + 1, source.name);
    Diagnostic::error("missing-value", message).at(span, "clustered here")
}
