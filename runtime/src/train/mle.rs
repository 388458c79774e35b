//! Closed-form maximum likelihood for deterministic circuits.
//!
//! In a deterministic circuit at most one edge of a unit is possible for a complete row, so the flow of an
//! edge is one or zero whatever the parameters: it counts the rows that take the edge. One pass of flows
//! under any positive parameters followed by one M-step is therefore the maximum (Kisa et al., 2014).
//! Neither holds when the circuit is not deterministic over what the data covers, or when values are
//! missing; both are refused.

use super::determinism::{Need, refuse_unless_deterministic};
use super::em::Update;
use super::impossible::{first_impossible, zero_likelihood};
use super::metrics::empty_data;
use super::observe::{Event, Observer};
use super::rows::{Rows, for_each_chunk, weights_of};
use super::start::start;
use super::unset::refuse_unset;
use crate::exec::Executor;
use pcc_diag::{Diagnostic, Span};
use pcc_ir::recipe::{Per, Start};
use pcc_ir::{Batch, Graph, ParamId, Params, Value, VarGroupId, VarId};

/// Settings of the estimate.
#[derive(Clone, Debug)]
pub struct MleOptions {
    /// Imaginary observations.
    pub pseudocount: f64,
    /// What each of them is given to.
    pub per: Per,
    /// Latents that are observed beside what the data covers.
    pub given: Vec<VarGroupId>,
    /// For each table, whether it stays as it is beside those that are fixed.
    pub held: Vec<bool>,
    /// How many threads the M-step uses.
    pub threads: usize,
    /// Where the estimate was asked for.
    pub span: Span,
}

/// Sets the parameters of a deterministic circuit to their maximum-likelihood estimate. Returns `false`
/// when it was cancelled; the parameters are then those of before.
///
/// # Errors
/// `unsupported-learner` when the circuit is not deterministic or a value is missing, `empty-data` without
/// rows, `zero-likelihood` for a row that the circuit excludes, `unset-parameter` for a fixed table
/// without values.
pub fn mle(
    executor: &mut dyn Executor,
    data: &dyn Rows,
    options: &MleOptions,
    observer: &mut dyn Observer,
) -> Result<bool, Diagnostic> {
    let graph = executor.graph().clone();
    refuse_unless_deterministic(&graph, &options.given, Need::ClosedFormMle, options.span)?;
    if data.n_rows() == 0 {
        return Err(empty_data("there is nothing to learn from"));
    }
    let before = executor.params().clone();
    let neutral = neutral_start(&graph, data, options, &before);
    refuse_unset(&graph, &neutral)?;
    executor.update(&mut |params| params.clone_from(&neutral));
    let counted = count(executor, &graph, data, options, observer);
    match counted {
        Ok(true) => {
            let MleOptions { pseudocount, per, ref held, threads, .. } = *options;
            executor.maximize(&Update { step: 1.0, pseudocount, per, rows: None, held, threads }, None);
            Ok(true)
        }
        unfinished => {
            executor.update(&mut |params| params.clone_from(&before));
            unfinished
        }
    }
}

/// The same parameters with every table that is to be learned uniform: positive wherever the structure is.
fn neutral_start(graph: &Graph, data: &dyn Rows, options: &MleOptions, before: &Params) -> Params {
    let mut params = before.clone();
    for (i, param) in graph.params().iter().enumerate() {
        if !param.is_fixed && !options.held[i] {
            params.table_mut(ParamId::new(i)).fill(f32::NAN);
        }
    }
    start(graph, data, Start::Uniform(0.0), 0, &mut params);
    params
}

/// Gathers all rows; `false` when cancelled.
fn count(
    executor: &mut dyn Executor,
    graph: &Graph,
    data: &dyn Rows,
    options: &MleOptions,
    observer: &mut dyn Observer,
) -> Result<bool, Diagnostic> {
    let mut fault = None;
    let mut is_cancelled = false;
    let mut rows_done = 0;
    let rows = data.n_rows();
    observer.event(Event::Stage { first_epoch: 1, epochs: 1, rows });
    for_each_chunk(graph.variables().len(), data, |numbers, batch| {
        is_cancelled = observer.is_cancelled();
        fault = missing_value(graph, numbers, batch, options).or_else(|| {
            let weights = weights_of(data, numbers);
            let logs = executor.gather(batch, weights.as_deref());
            impossible_row(executor, numbers, batch, weights.as_deref(), &logs)
        });
        rows_done += numbers.len();
        observer.event(Event::Batch { epoch: 1, rows_done, rows });
        fault.is_none() && !is_cancelled
    });
    match fault {
        Some(fault) => Err(fault),
        None => Ok(!is_cancelled),
    }
}

fn missing_value(graph: &Graph, numbers: &[u32], batch: &Batch, options: &MleOptions) -> Option<Diagnostic> {
    let span = options.span;
    let scope = graph.scope(graph.root());
    let is_needed =
        |&var: &VarId| !graph.variable(var).is_latent || options.given.contains(&graph.variable(var).group);
    let needed: Vec<VarId> = scope.iter().filter(is_needed).collect();
    for (row, number) in numbers.iter().enumerate() {
        if let Some(var) = needed.iter().find(|&&var| batch.get(graph, row, var) == Value::Missing) {
            let name = graph.variable_name(*var);
            let message =
                format!("`mle(..)` needs complete data, and row {} has no value for `{name}`", number + 1);
            return Some(
                Diagnostic::error("unsupported-learner", message)
                    .at(span, "asked for here")
                    .help("use `em(batch = full, ..)`, which sums missing values out"),
            );
        }
    }
    None
}

fn impossible_row(
    executor: &mut dyn Executor,
    numbers: &[u32],
    batch: &Batch,
    weights: Option<&[f32]>,
    logs: &[f64],
) -> Option<Diagnostic> {
    let row = first_impossible(logs, weights)?;
    Some(zero_likelihood(executor, batch, row, u64::from(numbers[row]) + 1))
}
