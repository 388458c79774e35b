//! What is measured on data: mean log-likelihood, bits per dimension, perplexity.
//!
//! All three come from two sums over rows, the log-likelihoods and the numbers of known values, so that
//! any split of the rows gives the same numbers. Latents never count as known values: they are no part of
//! what is compressed or predicted.

use super::rows::{Rows, for_each_chunk, weights_of};
use super::unset::refuse_unset;
use crate::exec::Executor;
use pcc_diag::Diagnostic;
use pcc_ir::recipe::Metric;
use pcc_ir::{Batch, Graph, MISSING};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Sums over rows, from which every metric follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Rows seen.
    pub rows: u64,
    /// Their weights together; equal to the rows when none has a weight.
    pub weight: f64,
    /// Weighted sum of log-likelihoods, in nats, over rows that are possible.
    pub log_likelihood: f64,
    /// Weighted number of known values of variables that are not latent.
    pub values: f64,
    /// Rows of likelihood zero, which make every metric infinite.
    pub impossible_rows: u64,
    /// The first of them, counted from one.
    pub first_impossible_row: Option<u64>,
}

impl Measured {
    /// Mean log-likelihood of a row, in nats.
    pub fn mean(&self) -> f64 {
        match self.impossible_rows {
            0 => self.log_likelihood / self.weight,
            _ => f64::NEG_INFINITY,
        }
    }

    /// Minus the log-likelihood in bits, per known value.
    pub fn bits_per_dimension(&self) -> f64 {
        -self.mean() * self.weight / self.values / std::f64::consts::LN_2
    }

    /// exp of minus the mean log-likelihood of a known value.
    pub fn perplexity(&self) -> f64 {
        (-self.mean() * self.weight / self.values).exp()
    }

    /// One metric.
    pub fn get(&self, metric: Metric) -> f64 {
        match metric {
            Metric::LogLikelihood => self.mean(),
            Metric::BitsPerDimension => self.bits_per_dimension(),
            Metric::Perplexity => self.perplexity(),
        }
    }

    /// The sums over these rows and others. Rows count for both.
    pub(super) fn with(&self, other: &Measured) -> Measured {
        Measured {
            rows: self.rows + other.rows,
            weight: self.weight + other.weight,
            log_likelihood: self.log_likelihood + other.log_likelihood,
            values: self.values + other.values,
            impossible_rows: self.impossible_rows + other.impossible_rows,
            first_impossible_row: self.first_impossible_row.or(other.first_impossible_row),
        }
    }

    /// Adds rows. `numbers` are the rows' positions in the data, `weights` their weights if they have any.
    pub(super) fn add(
        &mut self,
        counted: &CountedVariables,
        numbers: &[u32],
        batch: &Batch,
        weights: Option<&[f32]>,
        logs: &[f64],
    ) {
        for (row, &log) in logs.iter().enumerate() {
            let weight = weights.map_or(1.0, |w| f64::from(w[row]));
            self.rows += 1;
            self.weight += weight;
            self.values += weight * (counted.known(batch.row(row)) + known_softly(batch, row)) as f64;
            if log > f64::NEG_INFINITY {
                self.log_likelihood += weight * log;
            } else if weight > 0.0 {
                self.impossible_rows += 1;
                self.first_impossible_row.get_or_insert(u64::from(numbers[row]) + 1);
            }
        }
    }
}

/// How many known values the soft evidence of a row stands for.
fn known_softly(batch: &Batch, row: usize) -> usize {
    batch.soft().map_or(0, |soft| soft.table().known(soft.rows()[row] as usize) as usize)
}

/// The variables whose values count as dimensions: those of the circuit that are not latent.
pub(super) struct CountedVariables {
    /// Runs of consecutive variables, with whether they are discrete.
    runs: Vec<(Range<usize>, bool)>,
}

impl CountedVariables {
    pub(super) fn of(graph: &Graph) -> Self {
        let all = graph.scope(graph.root()).iter();
        let counted = all.filter(|&var| !graph.variable(var).is_latent);
        let mut runs: Vec<(Range<usize>, bool)> = Vec::new();
        for var in counted {
            let (i, is_discrete) = (var.index(), graph.variable(var).domain.is_discrete());
            match runs.last_mut() {
                Some((run, same)) if run.end == i && *same == is_discrete => run.end += 1,
                _ => runs.push((i..i + 1, is_discrete)),
            }
        }
        CountedVariables { runs }
    }

    pub(super) fn known(&self, row: &[u32]) -> usize {
        let known = |(run, is_discrete): &(Range<usize>, bool)| {
            let words = &row[run.clone()];
            match is_discrete {
                true => words.iter().filter(|&&word| word != MISSING).count(),
                // A missing word is no number either.
                false => words.iter().filter(|&&word| !f32::from_bits(word).is_nan()).count(),
            }
        };
        self.runs.iter().map(known).sum()
    }
}

/// Measures a circuit on data. `visit` gets the log-likelihoods of each run of rows, in order.
///
/// # Errors
/// `unset-parameter` when a table has no values, `empty-data` when there is no row.
pub fn measure_rows(
    executor: &mut dyn Executor,
    data: &dyn Rows,
    visit: &mut dyn FnMut(&[f64]),
) -> Result<Measured, Diagnostic> {
    let (graph, params) = executor.circuit();
    refuse_unset(graph, params)?;
    if data.n_rows() == 0 {
        return Err(empty_data("there is nothing to measure"));
    }
    let counted = CountedVariables::of(executor.graph());
    let mut measured = Measured::default();
    for_each_chunk(executor.graph().variables().len(), data, |rows, batch| {
        let logs = executor.log_likelihoods(batch);
        measured.add(&counted, rows, batch, weights_of(data, rows).as_deref(), &logs);
        visit(&logs);
        true
    });
    Ok(measured)
}

/// Measures a circuit on data.
///
/// # Errors
/// As [`measure_rows`].
pub fn measure(executor: &mut dyn Executor, data: &dyn Rows) -> Result<Measured, Diagnostic> {
    measure_rows(executor, data, &mut |_| {})
}

/// The diagnostic for data without rows.
pub(super) fn empty_data(consequence: &str) -> Diagnostic {
    Diagnostic::error("empty-data", format!("the data has no rows, so {consequence}"))
        .help("check the file, and the range of rows that is taken from it")
}
