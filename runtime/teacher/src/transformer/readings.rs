//! What an encoder is given to read for some rows, and which of its states make which vectors.
//!
//! Sequences are read in batches of one length, so none is padded and none is masked; a sequence that stands in
//! several places is read once.

use super::encoder::Encoder;
use super::pieces::Pieces;
use pcc_ir::recipe::TeacherView;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Word pieces that are read at once by a thread; the states of more would leave its cache.
const BATCH: usize = 1024;

/// A sequence of word pieces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    /// The pieces.
    pub(crate) ids: Vec<u32>,
    /// Vectors, and the states whose mean each is.
    pub(crate) vectors: Vec<(usize, Range<usize>)>,
}

/// The sequences to be read for a view of some rows, the shortest first. Vector `row * n_positions + position`
/// is that of a position.
pub(crate) fn readings(rows: &[Vec<Option<u32>>], pieces: &Pieces, view: TeacherView) -> Vec<Reading> {
    let mut readings = Vec::new();
    for (row, words) in rows.iter().enumerate() {
        let first = row * words.len();
        match view {
            TeacherView::Words => readings.push(in_context(words, pieces, first)),
            _ => readings.extend((0..words.len()).map(|position| {
                let (before, from_here) = words.split_at(position);
                let part = if view == TeacherView::Prefixes { before } else { from_here };
                whole(part, pieces, first + position)
            })),
        }
    }
    readings.sort_by(|a, b| (a.ids.len(), &a.ids).cmp(&(b.ids.len(), &b.ids)));
    readings.dedup_by(|next, kept| {
        let is_equal = next.ids == kept.ids;
        if is_equal {
            kept.vectors.append(&mut next.vectors);
        }
        is_equal
    });
    readings
}

/// One vector for a sequence of words.
fn whole(words: &[Option<u32>], pieces: &Pieces, vector: usize) -> Reading {
    let mut ids = vec![pieces.begin];
    words.iter().for_each(|word| ids.extend(pieces.of_word(*word)));
    ids.push(pieces.end);
    let states = 0..ids.len();
    Reading { ids, vectors: vec![(vector, states)] }
}

/// A vector for each word of a row, the first of which has the number `first`.
fn in_context(words: &[Option<u32>], pieces: &Pieces, first: usize) -> Reading {
    let (mut ids, mut vectors) = (vec![pieces.begin], Vec::new());
    for (position, word) in words.iter().enumerate() {
        let start = ids.len();
        ids.extend(pieces.of_word(*word));
        vectors.push((first + position, start..ids.len()));
    }
    ids.push(pieces.end);
    Reading { ids, vectors }
}

/// The vectors that an encoder makes of readings, `[vector][width]`. Threads take batches; each vector is that of
/// its own sequence, whoever reads it.
///
/// # Errors
/// What the network library reports, and numbers that are not finite, in words.
pub(crate) fn read(encoder: &Encoder, readings: &[Reading], n_vectors: usize) -> Result<Vec<f32>, String> {
    let batches: Vec<&[Reading]> = batches(readings).collect();
    let next = AtomicUsize::new(0);
    let vectors = Mutex::new(vec![0.0; n_vectors * encoder.width()]);
    let work = || -> Result<(), String> {
        while let Some(batch) = batches.get(next.fetch_add(1, Ordering::Relaxed)) {
            let states = states(encoder, batch)?;
            let mut vectors = vectors.lock().map_err(|_| "another thread has failed")?;
            pool(batch, &states, encoder.width(), &mut vectors);
        }
        Ok(())
    };
    let n_threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..n_threads).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|t| t.join().unwrap_or_else(|_| Err("a thread has failed".into())))
    })?;
    vectors.into_inner().map_err(|_| "a thread has failed".into())
}

/// Readings of one length, not too many at once.
fn batches(readings: &[Reading]) -> impl Iterator<Item = &[Reading]> {
    readings
        .chunk_by(|a, b| a.ids.len() == b.ids.len())
        .flat_map(|equal| equal.chunks((BATCH / equal[0].ids.len()).max(1)))
}

/// The last states of a batch, `[sequence][piece][width]`.
fn states(encoder: &Encoder, batch: &[Reading]) -> Result<Vec<f32>, String> {
    let ids: Vec<u32> = batch.iter().flat_map(|reading| reading.ids.iter().copied()).collect();
    let states = encoder.states(&ids, batch.len()).map_err(|error| error.to_string())?;
    match states.iter().all(|x| x.is_finite()) {
        true => Ok(states),
        false => Err("its states are not all finite".into()),
    }
}

/// Puts the mean of the states of each vector in its place.
fn pool(batch: &[Reading], states: &[f32], width: usize, vectors: &mut [f32]) {
    for (reading, states) in batch.iter().zip(states.chunks_exact(batch[0].ids.len() * width)) {
        for (vector, range) in &reading.vectors {
            let vector = &mut vectors[vector * width..][..width];
            for state in states[range.start * width..range.end * width].chunks_exact(width) {
                vector.iter_mut().zip(state).for_each(|(sum, x)| *sum += x);
            }
            let share = 1.0 / range.len() as f32;
            vector.iter_mut().for_each(|x| *x *= share);
        }
    }
}
