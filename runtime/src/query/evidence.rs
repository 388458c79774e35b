//! Checking and joining evidence before it is used.

use crate::exec::Executor;
use crate::train::refuse_unset;
use pcc_diag::Diagnostic;
use pcc_ir::{Batch, Graph, MISSING, Value};

/// Refuses to compute with unset parameters or values outside their domains.
///
/// # Errors
/// `unset-parameter`, or `value-out-of-domain` naming the first value at fault.
pub fn check(executor: &mut dyn Executor, evidence: &Batch) -> Result<(), Diagnostic> {
    let (graph, params) = executor.circuit();
    refuse_unset(graph, params)?;
    for row in 0..evidence.n_rows() {
        for (i, variable) in graph.variables().iter().enumerate() {
            let word = evidence.row(row)[i];
            let is_known = variable.domain.is_discrete() && word != MISSING;
            if let (true, Some(n)) = (is_known, variable.domain.n_values())
                && word >= n
            {
                return Err(out_of_domain(graph, row, i, word));
            }
        }
    }
    Ok(())
}

/// Refuses evidence that the circuit excludes. Rows are counted from `first`.
///
/// # Errors
/// `impossible-evidence` naming the first such row, and as [`check`].
pub fn refuse_impossible(
    executor: &mut dyn Executor,
    evidence: &Batch,
    first: u64,
) -> Result<(), Diagnostic> {
    check(executor, evidence)?;
    let logs = executor.log_likelihoods(evidence);
    match logs.iter().position(|&log| log == f64::NEG_INFINITY) {
        Some(row) => Err(impossible(first as usize - 1 + row)),
        None => Ok(()),
    }
}

fn out_of_domain(graph: &Graph, row: usize, variable: usize, word: u32) -> Diagnostic {
    let id = pcc_ir::VarId::new(variable);
    let (name, domain) = (graph.variable_name(id), graph.variable(id).domain);
    let message = format!("row {} has the code {word} for `{name}`, which is {domain}", row + 1);
    let last = domain.n_values().unwrap_or(1).saturating_sub(1);
    Diagnostic::error("value-out-of-domain", message).help(format!("codes of `{name}` go from 0 to {last}"))
}

/// Row by row, what both say; `None` for a row where they give one variable two values.
pub(super) fn joined(graph: &Graph, targets: &Batch, given: &Batch) -> Vec<Option<Vec<u32>>> {
    let join_row = |row: usize| {
        let mut words = given.row(row).to_vec();
        for (i, variable) in graph.variables().iter().enumerate() {
            let is_discrete = variable.domain.is_discrete();
            let target = targets.row(row)[i];
            let [wanted, known] = [target, words[i]].map(|w| Value::from_word(w, is_discrete));
            match (wanted, known) {
                (Value::Missing, _) => {}
                (_, Value::Missing) => words[i] = target,
                (wanted, known) if wanted != known => return None,
                _ => {}
            }
        }
        Some(words)
    };
    (0..targets.n_rows()).map(join_row).collect()
}

/// The error for evidence that the circuit excludes; rows are counted from one.
pub(super) fn impossible(row: usize) -> Diagnostic {
    let message = format!("the evidence of row {} has probability zero, so nothing follows from it", row + 1);
    Diagnostic::error("impossible-evidence", message)
        .help("remove a condition, or look with `pcc query` for the part of the evidence that is impossible")
}
