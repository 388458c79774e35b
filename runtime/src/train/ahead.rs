//! Rows fetched ahead of their use.
//!
//! In: data and the numbers of the rows of each chunk. Out: their evidence, chunk by chunk and in order, while
//! another thread fetches the next one, so that reading and unpacking never wait for computing, nor the other
//! way round. What is computed does not depend on it.

use super::rows::Rows;
use pcc_ir::Batch;
use std::sync::mpsc::sync_channel;

/// Chunks that are in memory at a time: one in use, one that waits and one in the making.
const CHUNKS: usize = 3;

/// Below so many values in all, fetching them takes less time than starting a thread.
const WORTH_A_THREAD: usize = 1 << 17;

/// Calls `visit` with the position and the evidence of every chunk until it returns `false` or an error, which
/// are then the result.
pub(super) fn for_each_chunk_ahead<E>(
    n_variables: usize,
    data: &dyn Rows,
    chunks: &[&[u32]],
    mut visit: impl FnMut(usize, &Batch) -> Result<bool, E>,
) -> Result<bool, E> {
    let n_rows: usize = chunks.iter().map(|rows| rows.len()).sum();
    if chunks.len() == 1 || n_rows * n_variables < WORTH_A_THREAD {
        let mut batch = Batch::empty(n_variables);
        for (i, rows) in chunks.iter().enumerate() {
            data.batch(rows, &mut batch);
            if !visit(i, &batch)? {
                return Ok(false);
            }
        }
        return Ok(true);
    }
    std::thread::scope(|scope| {
        let (give, fetched) = sync_channel(CHUNKS);
        let (give_back, used) = sync_channel(CHUNKS);
        for _ in 0..CHUNKS {
            let is_room = give_back.send(Batch::empty(n_variables)).is_ok();
            debug_assert!(is_room, "the other end is open");
        }
        scope.spawn(move || {
            for rows in chunks {
                // An error means that the visitor has seen enough.
                let Ok(mut batch) = used.recv() else { return };
                data.batch(rows, &mut batch);
                if give.send(batch).is_err() {
                    return;
                }
            }
        });
        // The channels' ends are dropped on every way out, which ends the other thread.
        let (fetched, give_back) = (fetched, give_back);
        for (i, batch) in fetched.iter().enumerate() {
            if !visit(i, &batch)? {
                return Ok(false);
            }
            // No one waits for the last ones.
            give_back.send(batch).ok();
        }
        Ok(true)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::EvidenceRows;

    fn data(n_rows: u32, n_variables: usize) -> EvidenceRows {
        let mut batch = Batch::empty(n_variables);
        (0..n_rows).for_each(|row| batch.push(&vec![row; n_variables]));
        EvidenceRows::new(batch)
    }

    #[test]
    fn chunks_come_in_order_whether_they_are_fetched_ahead_or_not() {
        for n_variables in [1, 1000] {
            let data = data(600, n_variables);
            let numbers: Vec<u32> = (0..600).rev().collect();
            let chunks: Vec<&[u32]> = numbers.chunks(7).collect();
            let mut seen = Vec::new();
            let all = for_each_chunk_ahead(n_variables, &data, &chunks, |i, batch| {
                assert_eq!(batch.n_rows(), chunks[i].len());
                seen.extend((0..batch.n_rows()).map(|row| batch.row(row)[n_variables - 1]));
                Ok::<_, ()>(true)
            });
            assert_eq!((all, seen), (Ok(true), numbers.clone()));
        }
    }

    #[test]
    fn a_visitor_ends_it_at_any_chunk() {
        let data = data(600, 1000);
        let numbers: Vec<u32> = (0..600).collect();
        let chunks: Vec<&[u32]> = numbers.chunks(10).collect();
        for last in [0, 3, 59] {
            let mut n = 0;
            let mut stop = |answer: Result<bool, usize>| {
                n = 0;
                for_each_chunk_ahead(1000, &data, &chunks, |i, _| {
                    n += 1;
                    if i == last { answer } else { Ok(true) }
                })
            };
            assert_eq!(stop(Ok(false)), Ok(false));
            assert_eq!(stop(Err(last)), Err(last));
            assert_eq!(n, last + 1);
        }
    }
}
