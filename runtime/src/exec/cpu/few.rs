//! Likelihoods of few rows, one by one.
//!
//! In: a job of so few rows that a tile would mostly be empty, and the program for single rows. Out: their
//! log-likelihoods. Rows that it marks go to log space as those of tiles do.

use super::work::{Job, Worker};
use pcc_cpu::SingleRow;

/// So many rows are computed one by one. With 8 to 64 units a row takes 0.26 to 0.47 of the time of a tile of 16
/// samples, in all tiers.
const MOST_ROWS: usize = 2;

/// The program for single rows, where a job has few enough.
pub(super) fn single<'e>(job: &Job<'e>) -> Option<&'e SingleRow> {
    let is_few = job.question.batch.n_rows() <= MOST_ROWS;
    job.engine.single.as_ref().filter(|_| is_few)
}

impl Worker {
    /// Runs the rows of a job, and writes a logarithm for each.
    pub(super) fn run_one_by_one(&mut self, job: &Job, single: &SingleRow, logs: &mut [f64]) {
        let mut marked = Vec::new();
        {
            let _denormals = pcc_kernels::denormals_off();
            for (row, log) in logs.iter_mut().enumerate() {
                match single.log(job.inputs(), job.question.batch.row(row), &mut self.numbers) {
                    Some(found) if !is_too_far(found, job.engine.farthest_log) => *log = found,
                    _ => marked.push(row),
                }
            }
        }
        self.n_marked += marked.len();
        self.run_in_log_space(&job.question, &marked, 0, logs);
    }
}

/// Whether a possible row is too unlikely for 32-bit densities.
fn is_too_far(log: f64, limit: f64) -> bool {
    log > f64::NEG_INFINITY && log < limit
}

#[cfg(test)]
mod tests;
