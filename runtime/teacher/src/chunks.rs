//! Making the vectors of many rows, a few hundred at a time, and keeping those that are made.

use crate::kept::Kept;
use crate::networks::{Doing, Progress};
use pcc_diag::Diagnostic;
use std::ops::Range;
use std::time::Instant;

/// Rows whose vectors are made, and kept, together.
const ROWS: usize = 256;

/// What vectors are made by: what is asked of some rows, a key of it, and the answer.
pub(crate) trait Reader {
    /// What is read for some rows.
    type Reading;

    /// What is read for these rows.
    fn reading(&self, rows: Range<usize>) -> Self::Reading;

    /// A key of everything that the vectors of a reading depend on.
    fn key(&self, reading: &Self::Reading) -> String;

    /// Those vectors.
    ///
    /// # Errors
    /// What the network library reports, and numbers that are not finite.
    fn vectors(&self, reading: &Self::Reading) -> Result<Vec<f32>, Diagnostic>;
}

/// The vectors of all rows; those made before are taken from `kept`.
///
/// # Errors
/// As [`Reader::vectors`].
pub(crate) fn read_all(
    reader: &impl Reader,
    n_rows: usize,
    teacher: &str,
    kept: &Kept,
    watch: &mut dyn FnMut(&Progress),
) -> Result<Vec<f32>, Diagnostic> {
    let mut values = Vec::new();
    let mut clock = Clock::default();
    for first in (0..n_rows).step_by(ROWS) {
        let rows_done = n_rows.min(first + ROWS);
        let reading = reader.reading(first..rows_done);
        let key = reader.key(&reading);
        match kept.get(&key) {
            Some(vectors) => values.extend(vectors),
            None => {
                let vectors = clock.time(rows_done - first, || reader.vectors(&reading))?;
                kept.put(&key, &vectors);
                values.extend(vectors);
            }
        }
        let seconds_left = clock.seconds(n_rows - rows_done);
        watch(&Progress { teacher, doing: Doing::Reading { rows_done, rows: n_rows }, seconds_left });
    }
    Ok(values)
}

/// How many rows have no vectors yet.
pub(crate) fn rows_left(reader: &impl Reader, n_rows: usize, kept: &Kept) -> usize {
    let left = |first: usize| {
        let rows = first..n_rows.min(first + ROWS);
        let key = reader.key(&reader.reading(rows.clone()));
        if kept.get(&key).is_some() { 0 } else { rows.len() }
    };
    (0..n_rows).step_by(ROWS).map(left).sum()
}

/// Seconds that a row takes, from some of the first.
///
/// # Errors
/// As [`Reader::vectors`].
pub(crate) fn seconds_a_row(reader: &impl Reader, n_rows: usize) -> Result<f64, Diagnostic> {
    if n_rows == 0 {
        return Ok(0.0);
    }
    let mut clock = Clock::default();
    let reading = reader.reading(0..n_rows);
    clock.time(n_rows, || reader.vectors(&reading))?;
    Ok(clock.seconds / n_rows as f64)
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
