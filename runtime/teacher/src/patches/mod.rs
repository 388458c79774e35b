//! Networks that are trained on pictures, and what they say of each patch.
//!
//! Pictures go in, a vector or a code for each row and patch comes out. A network is trained when it is first asked,
//! on the data behind its `on`; its weights and vectors are kept under keys of everything that they depend on.
//! A missing value counts as the middle of its range, and training does not ask for it.

mod adam;
mod autoencoder;
mod blocks;
mod contexts;
mod pictures;
#[cfg(test)]
mod tests;
mod training;
mod vq_vae;
mod weights;

use crate::chunks::{Reader, read_all, rows_left, seconds_a_row};
use crate::kept::Kept;
use crate::networks::Progress;
use autoencoder::Autoencoder;
use contexts::{MOST_ROWS, alone, ancestors, tree_of};
use pcc_diag::Diagnostic;
use pcc_ir::recipe::{AutoencoderOptions, Centres, Clusters, Context, Labels, VqVaeOptions};
use pcc_runtime::data::Dataset;
use pcc_runtime::learn::{Asked, FeatureRows, Work};
use pictures::Pictures;
use rustc_hash::FxHashMap;
use std::ops::Range;
use training::{Course, State, Student};
use vq_vae::VqVae;
use weights::start;

/// What changes when the same data and settings give other answers; it is part of every key.
pub(crate) const VERSION: &str = "patches 1";

/// Rows that are timed to tell how long all will take.
const TIMED: usize = 32;

/// What a question needs besides its data.
pub(crate) struct Room<'r> {
    pub(crate) kept: &'r Kept,
    /// Networks that were trained or read for earlier questions, by key.
    pub(crate) trained: &'r mut FxHashMap<String, State>,
    pub(crate) watch: &'r mut dyn FnMut(&Progress),
}

pub(crate) use training::State as Trained;

/// The vectors of a masked autoencoder.
///
/// # Errors
/// `tiles-do-not-fit`, `kind-mismatch` and `empty-data` for data that is no pictures, and `training-failed`.
pub(crate) fn autoencoder_features(
    options: &AutoencoderOptions,
    asked: Asked,
    context: Context,
    (data, own): (&Dataset, &Dataset),
    room: &mut Room,
) -> Result<FeatureRows, Diagnostic> {
    let (own, pictures) = pictures_of(&options.patch, asked, data, own)?;
    check_several_patches(&pictures, asked)?;
    let scale = own.scale();
    let mut student = Autoencoder::new(options, &own, scale);
    let course = course(asked, (options.epochs, options.batch, options.seed), &own, room.kept);
    let weights = trained(&course, &mut student, asked, room)?.weights.clone();
    let read = |network: Autoencoder, pictures: &Pictures, contexts, n_rows, room: &mut Room| {
        let width = network.width();
        let reader = StatesOf { network, weights: &weights, contexts, asked, pictures };
        let values = read_all(&reader, n_rows, &asked.teacher.name, room.kept, room.watch)?;
        Ok::<_, Diagnostic>(FeatureRows { rows: n_rows, positions: pictures.n_patches(), width, values })
    };
    let contexts = match context {
        Context::Alone => alone(&own),
        Context::Neighbours => own.neighbours(),
        Context::Ancestors => {
            let n_rows = own.data.n_rows().min(MOST_ROWS);
            let near = read(student, &own, own.neighbours(), n_rows, room)?;
            ancestors(&tree_of(&near, options.seed, asked.span)?)
        }
    };
    read(Autoencoder::new(options, &pictures, scale), &pictures, contexts, data.n_rows(), room)
}

/// What the vectors of a masked autoencoder will cost. The tree of ancestors is not known before training; they are
/// taken to be as many as neighbours.
///
/// # Errors
/// As [`autoencoder_features`].
pub(crate) fn autoencoder_cost(
    options: &AutoencoderOptions,
    asked: Asked,
    context: Context,
    (data, own): (&Dataset, &Dataset),
    room: &mut Room,
) -> Result<(Work, Work), Diagnostic> {
    let (own, pictures) = pictures_of(&options.patch, asked, data, own)?;
    check_several_patches(&pictures, asked)?;
    let scale = own.scale();
    let student = Autoencoder::new(options, &own, scale);
    let course = course(asked, (options.epochs, options.batch, options.seed), &own, room.kept);
    let learning = learning(&course, &student, student.of_learning(), asked)?;
    let contexts = if context == Context::Alone { alone(&own) } else { own.neighbours() };
    let network = Autoencoder::new(options, &pictures, scale);
    let of_reading = network.of_reading(&contexts);
    let weights = start(&network.matrices(), options.seed);
    let reader = StatesOf { network, weights: &weights, contexts, asked, pictures: &pictures };
    let of_tree = if context == Context::Ancestors { own.data.n_rows().min(MOST_ROWS) } else { 0 };
    let n_rows = rows_left(&reader, data.n_rows(), room.kept) + of_tree;
    Ok((learning, reading(&reader, n_rows, data.n_rows(), of_reading)?))
}

/// What the encodings or codes of a vector-quantised autoencoder will cost.
///
/// # Errors
/// As [`autoencoder_features`].
pub(crate) fn vq_cost(
    options: &VqVaeOptions,
    asked: Asked,
    (data, own): (&Dataset, &Dataset),
    room: &mut Room,
) -> Result<(Work, Work), Diagnostic> {
    let (own, pictures) = pictures_of(&options.patch, asked, data, own)?;
    let failed = |error: candle_core::Error| failed(asked, &error.to_string());
    let student = VqVae::new(options, &own, own.scale()).map_err(failed)?;
    let course = course(asked, (options.epochs, options.batch, options.seed), &own, room.kept);
    let learning = learning(&course, &student, student.of_learning(), asked)?;
    let (network, weights) = (student.of_other(&pictures), start(&student.matrices(), options.seed));
    let reader = EncodingsOf { network: &network, weights: &weights, asked, pictures: &pictures };
    let n_rows = rows_left(&reader, data.n_rows(), room.kept);
    Ok((learning, reading(&reader, n_rows, data.n_rows(), student.of_encoding())?))
}

fn learning(course: &Course, student: &impl Student, of_row: f64, asked: Asked) -> Result<Work, Diagnostic> {
    let (epochs, seconds) = course.left(student).map_err(|why| failed(asked, &why))?;
    let rows = f64::from(epochs) * course.n_rows as f64;
    Ok(Work { multiplications: rows * of_row, seconds: rows * seconds })
}

/// The work of so many rows, by some of those that there are.
fn reading(reader: &impl Reader, n_left: usize, n_rows: usize, of_row: f64) -> Result<Work, Diagnostic> {
    let rows = n_left as f64;
    Ok(Work { multiplications: rows * of_row, seconds: rows * seconds_a_row(reader, n_rows.min(TIMED))? })
}

/// What the encoder of a vector-quantised autoencoder makes of patches.
///
/// # Errors
/// As [`autoencoder_features`].
pub(crate) fn vq_features(
    options: &VqVaeOptions,
    asked: Asked,
    (data, own): (&Dataset, &Dataset),
    room: &mut Room,
) -> Result<FeatureRows, Diagnostic> {
    with_vq_vae(options, asked, (data, own), room, |_, features| features)
}

/// The codes that a vector-quantised autoencoder gives to patches.
///
/// # Errors
/// As [`autoencoder_features`].
pub(crate) fn vq_codes(
    options: &VqVaeOptions,
    asked: Asked,
    (data, own): (&Dataset, &Dataset),
    room: &mut Room,
) -> Result<Labels, Diagnostic> {
    with_vq_vae(options, asked, (data, own), room, |network, features| Labels {
        n_values: options.codes,
        positions: features.positions,
        labels: network.labels(&features.values),
        centres: Centres { clusters: Clusters::Shared, width: 0, values: Vec::new() },
    })
}

fn with_vq_vae<T>(
    options: &VqVaeOptions,
    asked: Asked,
    (data, own): (&Dataset, &Dataset),
    room: &mut Room,
    answer: impl FnOnce(&VqVae, FeatureRows) -> T,
) -> Result<T, Diagnostic> {
    let (own, pictures) = pictures_of(&options.patch, asked, data, own)?;
    let failed = |error: candle_core::Error| failed(asked, &error.to_string());
    let mut student = VqVae::new(options, &own, own.scale()).map_err(failed)?;
    let course = course(asked, (options.epochs, options.batch, options.seed), &own, room.kept);
    let state = trained(&course, &mut student, asked, room)?.clone();
    let network = student.of_other(&pictures);
    let (rows, positions, width) = (data.n_rows(), pictures.n_patches(), network.width());
    let reader = EncodingsOf { network: &network, weights: &state.weights, asked, pictures: &pictures };
    let values = read_all(&reader, rows, &asked.teacher.name, room.kept, room.watch)?;
    Ok(answer(&network, FeatureRows { rows, positions, width, values }))
}

/// The pictures that a network is trained on, and those it is asked about.
fn pictures_of<'d>(
    patch: &[u32],
    asked: Asked,
    data: &'d Dataset,
    own: &'d Dataset,
) -> Result<(Pictures<'d>, Pictures<'d>), Diagnostic> {
    let (own, pictures) = (Pictures::of(own, patch, asked.span)?, Pictures::of(data, patch, asked.span)?);
    if !own.is_like(&pictures) {
        let message = format!(
            "`{}` was trained on `{}`, whose variables have other extents or another domain than those of `{}`",
            asked.teacher.name,
            own.data.name(),
            data.name()
        );
        return Err(Diagnostic::error("kind-mismatch", message).at(asked.span, "asked for here"));
    }
    if own.data.n_rows() == 0 {
        let message = format!("`{}` has no rows, so nothing can be learned from it", own.data.name());
        return Err(Diagnostic::error("empty-data", message).at(asked.span, "asked for here"));
    }
    Ok((own, pictures))
}

fn check_several_patches(pictures: &Pictures, asked: Asked) -> Result<(), Diagnostic> {
    if pictures.n_patches() > 1 {
        return Ok(());
    }
    let message = "a masked autoencoder learns what some patches say of others, and there is one alone";
    Err(Diagnostic::error("tiles-do-not-fit", message)
        .at(asked.span, "asked for here")
        .help("take smaller patches"))
}

fn course<'c>(
    asked: Asked<'c>,
    (epochs, batch, seed): (u32, u32, u64),
    own: &Pictures,
    kept: &'c Kept,
) -> Course<'c> {
    let (teacher, n_rows) = (asked.teacher.name.as_str(), own.data.n_rows());
    Course { teacher, key: asked.key, epochs, batch, n_rows, seed, kept }
}

/// A trained network: from an earlier question, from what is kept, or trained now.
fn trained<'r>(
    course: &Course,
    student: &mut impl Student,
    asked: Asked,
    room: &'r mut Room,
) -> Result<&'r State, Diagnostic> {
    if !room.trained.contains_key(asked.key) {
        let state = course.train(student, room.watch).map_err(|why| failed(asked, &why))?;
        room.trained.insert(asked.key.into(), state);
    }
    let state = &room.trained[asked.key];
    student.remember(&state.memory);
    Ok(state)
}

fn failed(asked: Asked, why: &str) -> Diagnostic {
    let message = format!("the teacher `{}` can't be trained: {why}", asked.teacher.name);
    Diagnostic::error("training-failed", message).at(asked.span, "asked for here")
}

/// A key of the answers that a network gives to rows of words.
fn key_of(asked: Asked, what: &str, words: &[u32]) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(format!("{VERSION}\0{}\0{what}\0", asked.key).as_bytes());
    words.iter().for_each(|word| {
        hasher.update(&word.to_le_bytes());
    });
    hasher.finalize().to_hex().to_string()
}

/// Vectors, unless some are not finite.
fn checked(asked: Asked, vectors: Result<Vec<f32>, String>) -> Result<Vec<f32>, Diagnostic> {
    match vectors {
        Ok(vectors) if vectors.iter().all(|x| x.is_finite()) => Ok(vectors),
        Ok(_) => Err(failed(asked, "its states are not all finite")),
        Err(why) => Err(failed(asked, &why)),
    }
}

struct StatesOf<'a, 'd> {
    network: Autoencoder<'d>,
    weights: &'a [f32],
    contexts: Vec<Vec<u32>>,
    asked: Asked<'a>,
    pictures: &'d Pictures<'d>,
}

impl Reader for StatesOf<'_, '_> {
    type Reading = Range<usize>;

    fn reading(&self, rows: Range<usize>) -> Range<usize> {
        rows
    }

    fn key(&self, rows: &Range<usize>) -> String {
        key_of(self.asked, &format!("{:?}", self.contexts), &self.pictures.words(rows.clone()))
    }

    fn vectors(&self, rows: &Range<usize>) -> Result<Vec<f32>, Diagnostic> {
        checked(self.asked, self.network.states(self.weights, rows.clone(), &self.contexts))
    }
}

struct EncodingsOf<'a, 'd> {
    network: &'a VqVae<'d>,
    weights: &'a [f32],
    asked: Asked<'a>,
    pictures: &'a Pictures<'d>,
}

impl Reader for EncodingsOf<'_, '_> {
    type Reading = Range<usize>;

    fn reading(&self, rows: Range<usize>) -> Range<usize> {
        rows
    }

    fn key(&self, rows: &Range<usize>) -> String {
        key_of(self.asked, "encodings", &self.pictures.words(rows.clone()))
    }

    fn vectors(&self, rows: &Range<usize>) -> Result<Vec<f32>, Diagnostic> {
        checked(self.asked, self.network.encodings(self.weights, rows.clone()))
    }
}
