//! Transformers of the BERT family, read from a checkpoint on disk.
//!
//! Rows of words go in, a vector for each row and position comes out: the mean of the last hidden states over
//! the word pieces of a suffix or a prefix, [CLS] and [SEP] among them (Reimers and Gurevych, 2019), or over
//! those of one word within its row. Nothing is trained.

mod checkpoint;
mod encoder;
mod pieces;
mod readings;
#[cfg(test)]
mod tests;

use crate::chunks::{Reader, read_all, rows_left, seconds_a_row};
use crate::kept::Kept;
use crate::networks::Progress;
use crate::text::Text;
use checkpoint::Checkpoint;
use encoder::Encoder;
use pcc_diag::Diagnostic;
use pcc_ir::recipe::TeacherView;
use pcc_runtime::learn::{Asked, FeatureRows, Work};
use pieces::Pieces;
use readings::{Reading, read, readings};
use std::ops::Range;
use std::path::Path;

pub(crate) use checkpoint::{find, key};

/// What changes when the same checkpoint gives other vectors for the same words; it is part of every key.
const VERSION: &str = "transformer 2";

/// Rows that are timed to tell how long all will take.
const TIMED: usize = 4;

/// What the vectors that are not kept yet will cost, and their width.
///
/// # Errors
/// As [`features`].
pub(crate) fn cost(
    folder: &Path,
    asked: Asked,
    view: TeacherView,
    text: &Text,
    kept: &Kept,
) -> Result<(Work, usize), Diagnostic> {
    let reader = Vectors::open(folder, asked, view, text)?;
    let n_rows = text.data.n_rows();
    let left = rows_left(&reader, n_rows, kept);
    let timed = n_rows.min(TIMED);
    let (readings, _) = reader.reading(0..timed);
    let lengths = readings.iter().map(|reading| reading.ids.len());
    let of_timed: f64 = lengths.map(|length| reader.encoder.multiplications(length)).sum();
    let rows = left as f64 / timed.max(1) as f64;
    let seconds = left as f64 * seconds_a_row(&reader, timed)?;
    Ok((Work { multiplications: rows * of_timed, seconds }, reader.encoder.width()))
}

/// The vectors of all rows of a text. Those made before are taken from `kept`.
///
/// # Errors
/// What is wrong with the checkpoint, and `data-shape` for rows that are longer than what it reads.
pub(crate) fn features(
    folder: &Path,
    asked: Asked,
    view: TeacherView,
    text: &Text,
    kept: &Kept,
    watch: &mut dyn FnMut(&Progress),
) -> Result<FeatureRows, Diagnostic> {
    let reader = Vectors::open(folder, asked, view, text)?;
    let (rows, positions, width) = (text.data.n_rows(), text.n_positions(), reader.encoder.width());
    let values = read_all(&reader, rows, &asked.teacher.name, kept, watch)?;
    Ok(FeatureRows { rows, positions, width, values })
}

struct Vectors<'a> {
    checkpoint: Checkpoint,
    encoder: Encoder,
    pieces: Pieces,
    view: TeacherView,
    text: &'a Text<'a>,
}

impl<'a> Vectors<'a> {
    fn open(folder: &Path, asked: Asked, view: TeacherView, text: &'a Text<'a>) -> Result<Self, Diagnostic> {
        let checkpoint = Checkpoint::open(folder, asked.span)?;
        let pieces = Pieces::of(&checkpoint, text)?;
        pieces.check_lengths(&checkpoint, text)?;
        Ok(Vectors { encoder: Encoder::of(&checkpoint)?, checkpoint, pieces, view, text })
    }
}

impl Reader for Vectors<'_> {
    /// The sequences, and how many vectors they make.
    type Reading = (Vec<Reading>, usize);

    fn reading(&self, rows: Range<usize>) -> Self::Reading {
        let n_vectors = rows.len() * self.text.n_positions();
        let words: Vec<_> = rows.map(|row| self.text.row(row)).collect();
        (readings(&words, &self.pieces, self.view), n_vectors)
    }

    fn key(&self, (readings, _): &Self::Reading) -> String {
        key_of(&self.checkpoint, readings)
    }

    fn vectors(&self, (readings, n_vectors): &Self::Reading) -> Result<Vec<f32>, Diagnostic> {
        read(&self.encoder, readings, *n_vectors).map_err(|why| self.checkpoint.damaged(&why))
    }
}

/// A key of the vectors that a checkpoint makes of some readings.
fn key_of(checkpoint: &Checkpoint, readings: &[Reading]) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(checkpoint.key.as_bytes());
    for reading in readings {
        hasher.update(format!("{reading:?}").as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}
