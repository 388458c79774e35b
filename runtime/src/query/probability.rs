//! Probabilities of partial assignments, joint and conditional.

use super::evidence::{check, impossible, joined};
use crate::exec::Executor;
use pcc_diag::Diagnostic;
use pcc_ir::Batch;

/// The logarithm of p(targets | given) for each row, in nats: the difference of two log-likelihoods. Where
/// nothing is given it is divided by the circuit's total mass, so that circuits whose weights do not sum to
/// one have probabilities too. For `real` variables it is a density.
///
/// # Errors
/// `impossible-evidence` where the condition has probability zero, `value-out-of-domain`,
/// `unset-parameter`.
///
/// # Panics
/// When the two batches have different numbers of rows.
pub fn log_probability(
    executor: &mut dyn Executor,
    targets: &Batch,
    given: &Batch,
) -> Result<Vec<f64>, Diagnostic> {
    assert_eq!(targets.n_rows(), given.n_rows(), "every target has its condition");
    check(executor, targets)?;
    check(executor, given)?;
    let conditions = executor.log_likelihoods(given);
    if let Some(row) = conditions.iter().position(|&log| log == f64::NEG_INFINITY) {
        return Err(impossible(row));
    }
    let rows = joined(executor.graph(), targets, given);
    let mut both = Batch::empty(given.n_variables());
    rows.iter().flatten().for_each(|row| both.push(row));
    let mut logs = executor.log_likelihoods(&both).into_iter();
    let joint = |row: &Option<Vec<u32>>| match row {
        Some(_) => logs.next().unwrap_or(f64::NEG_INFINITY),
        None => f64::NEG_INFINITY,
    };
    Ok(rows.iter().map(joint).zip(&conditions).map(|(both, given)| both - given).collect())
}

/// The log-likelihood of each row, in nats; minus infinity where it is impossible.
///
/// # Errors
/// `value-out-of-domain`, `unset-parameter`.
pub fn log_likelihood(executor: &mut dyn Executor, rows: &Batch) -> Result<Vec<f64>, Diagnostic> {
    check(executor, rows)?;
    Ok(executor.log_likelihoods(rows))
}
