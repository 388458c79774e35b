//! What becomes of the circuit after a stage: `then prune(..)`, `then grow(..)`.
//!
//! In: the stage, and the circuit with the parameters that it ended with. Out: the circuit of all steps after it,
//! which its folder keeps, and what that did to its sizes. Whatever the changes, the circuit is still checked: a
//! change that broke one of its properties would be a fault of ours, and is told.

use super::Setting;
use super::plan::Training;
use super::stage::{held_tables, rows_of};
use crate::change::{Changed, Pruning, grow, prune};
use crate::exec::Executor;
use crate::train::{Event, Observer, for_each_chunk, weights_of};
use pcc_diag::Diagnostic;
use pcc_ir::props::{violation_in_words, violations};
use pcc_ir::recipe::Change;
use pcc_ir::{Flows, Graph};
use serde::{Deserialize, Serialize};

/// What one change did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    pub change: String,
    /// Before and after.
    pub parameters: [u64; 2],
    pub units: [u64; 2],
    pub edges: [u64; 2],
}

/// Carries out the changes of a stage; `None` when it was cancelled.
pub(super) fn restructure(
    training: &Training,
    setting: &mut Setting,
    executor: &mut dyn Executor,
    observer: &mut dyn Observer,
) -> Result<Option<(Changed, Vec<Record>)>, Diagnostic> {
    let (graph, params) = executor.circuit();
    let mut now = Changed { graph: graph.clone(), params: params.clone() };
    let mut records = Vec::new();
    for (i, (change, span)) in training.stage.then.iter().enumerate() {
        let before = sizes(&now.graph);
        let setting = &mut setting.with_graph(&now.graph);
        let chosen: Vec<bool> = held_tables(training, setting)?.iter().map(|held| !held).collect();
        let changed = match *change {
            Change::PruneBelow(least) => prune(&now.graph, &now.params, Pruning::Below(least), &chosen),
            Change::PruneKeep(share) => {
                let Some(flows) = flows(training, setting, &now, observer)? else { return Ok(None) };
                prune(&now.graph, &now.params, Pruning::Keep(share, &flows), &chosen)
            }
            Change::Grow(noise) => {
                let seed = seed_of(setting.recipe.seed, &training.stage.name, i);
                grow(&now.graph, &now.params, noise, seed)
            }
        };
        now = changed;
        refuse_broken(&now.graph).map_err(|fault| fault.note(*span, "after this change"))?;
        let after = sizes(&now.graph);
        let both = |at: usize| [before[at], after[at]];
        let record =
            Record { change: change.to_string(), parameters: both(0), units: both(1), edges: both(2) };
        observer.event(Event::Changed { change: &record.change, parameters: record.parameters });
        records.push(record);
    }
    Ok(Some((now, records)))
}

/// Parameters, units and edges.
fn sizes(graph: &Graph) -> [u64; 3] {
    let units = graph.layer_ids().map(|id| graph.n_units(id) as u64).sum();
    [graph.n_parameters(), units, graph.n_edges()]
}

/// The flows of all rows of a stage; `None` when it was cancelled.
fn flows(
    training: &Training,
    setting: &mut Setting,
    circuit: &Changed,
    observer: &mut dyn Observer,
) -> Result<Option<Flows>, Diagnostic> {
    let rows = rows_of(training, setting)?;
    let mut executor = (setting.executors)(&circuit.graph, &circuit.params)?;
    let mut flows = Flows::zero(&circuit.graph);
    let mut is_whole = true;
    for_each_chunk(circuit.graph.variables().len(), &rows, |chunk, batch| {
        is_whole = !observer.is_cancelled();
        if is_whole {
            executor.flows(batch, weights_of(&rows, chunk).as_deref(), &mut flows);
        }
        is_whole
    });
    Ok(is_whole.then_some(flows))
}

/// The seed of the noise of a change.
fn seed_of(seed: u64, stage: &str, change: usize) -> u64 {
    let key = blake3::hash(format!("{seed} {stage} {change}").as_bytes());
    u64::from_le_bytes(key.as_bytes()[..8].try_into().expect("a hash has eight bytes"))
}

/// The fault of a circuit that is no longer smooth and decomposable.
fn refuse_broken(graph: &Graph) -> Result<(), Diagnostic> {
    violations(graph).first().map_or(Ok(()), |violation| Err(violation_in_words(graph, violation)))
}
