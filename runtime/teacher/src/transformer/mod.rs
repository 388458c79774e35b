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

use crate::kept::Kept;
use crate::networks::Progress;
use crate::text::Text;
use checkpoint::Checkpoint;
use encoder::Encoder;
use pcc_diag::Diagnostic;
use pcc_ir::recipe::TeacherView;
use pcc_runtime::learn::{Asked, FeatureRows};
use pieces::Pieces;
use readings::{Reading, read, readings};
use std::path::Path;
use std::time::Instant;

pub(crate) use checkpoint::{find, key};

/// What changes when the same checkpoint gives other vectors for the same words; it is part of every key.
const VERSION: &str = "transformer 1";

/// Rows whose vectors are made, and kept, together.
const ROWS: usize = 256;

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
    let checkpoint = Checkpoint::open(folder, asked.span)?;
    let pieces = Pieces::of(&checkpoint, text)?;
    pieces.check_lengths(&checkpoint, text)?;
    let encoder = Encoder::of(&checkpoint)?;
    let (rows, positions, width) = (text.data.n_rows(), text.n_positions(), encoder.width());
    let mut values = Vec::with_capacity(rows * positions * width);
    let mut clock = Clock::default();
    for first in (0..rows).step_by(ROWS) {
        let words: Vec<_> = (first..rows.min(first + ROWS)).map(|row| text.row(row)).collect();
        let readings = readings(&words, &pieces, view);
        let key = key_of(&checkpoint, &readings);
        let vectors = match kept.get(&key) {
            Some(vectors) => vectors,
            None => {
                let vectors = clock
                    .time(words.len(), || read(&encoder, &readings, words.len() * positions))
                    .map_err(|why| checkpoint.damaged(&why))?;
                kept.put(&key, &vectors);
                vectors
            }
        };
        values.extend(vectors);
        let rows_done = first + words.len();
        let seconds_left = clock.seconds(rows - rows_done);
        watch(&Progress { teacher: &asked.teacher.name, rows_done, rows, seconds_left });
    }
    Ok(FeatureRows { rows, positions, width, values })
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

/// How long rows take.
#[derive(Default)]
struct Clock {
    seconds: f64,
    rows: usize,
}

impl Clock {
    fn time<T>(&mut self, rows: usize, work: impl FnOnce() -> T) -> T {
        let started = Instant::now();
        let result = work();
        self.seconds += started.elapsed().as_secs_f64();
        self.rows += rows;
        result
    }

    /// Seconds that so many rows will take, when any were timed.
    fn seconds(&self, rows: usize) -> Option<f64> {
        (self.rows > 0).then(|| self.seconds / self.rows as f64 * rows as f64)
    }
}
