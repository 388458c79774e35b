//! Carrying out recipes: cached steps, training stages, evaluations, reports.
//!
//! A recipe becomes a list of planned steps, each with the steps it depends on and a key of everything its
//! result depends on: settings, the keys of its inputs, the circuit, the contents of data, the seed, the
//! numerics, the number of threads and the version. What a step makes lies in a folder named by its key.
//! A step whose folder is finished is not run again; a stage that was cut off goes on after its last whole
//! epoch. Nothing here knows the terminal: progress goes to an [`Observer`](crate::train::Observer).

mod attach;
pub mod compare;
mod estimate;
mod json;
mod key;
mod needs;
mod page;
mod pictures;
mod plan;
mod report;
mod restructure;
mod run;
mod spent;
mod stage;
mod step_folder;
mod why;

#[cfg(test)]
mod tests;

pub use attach::Keyed;
pub use needs::refusals;
pub use plan::{PlannedStep, RecipePlan, StepKind, Visits};
pub use report::write_samples;
pub use run::{Ended, Evaluation, run};

use crate::data::DataSets;
use crate::exec::MakeExecutor;
use pcc_diag::{Diagnostic, Span};
use pcc_ir::Graph;
use pcc_ir::recipe::{Codes, Recipe};
use std::collections::BTreeMap;
use std::path::Path;

/// Gives labels and their key, learning them when they are not kept.
pub type GetLabels<'a> = &'a dyn Fn(&Codes, Span) -> Result<Keyed, Diagnostic>;

/// Gives the seconds that learning took, by the name of what was learned before the first step.
pub type GetSeconds<'a> = &'a dyn Fn() -> BTreeMap<String, f64>;

/// What a recipe is carried out with.
pub struct Setting<'a> {
    /// The recipe.
    pub recipe: &'a Recipe,
    /// The circuit it trains.
    pub graph: &'a Graph,
    /// Its data sets.
    pub data: &'a mut DataSets,
    /// Where labels come from.
    pub labels: GetLabels<'a>,
    /// What learning labels and structures took.
    pub learning: GetSeconds<'a>,
    /// Where results go; steps are kept in `steps/` below it. It is made when first needed.
    pub folder: &'a Path,
    /// How circuits are run.
    pub executors: MakeExecutor<'a>,
    /// What numbers depend on beside the recipe.
    pub machine: Machine,
    /// A hash of the program's source. Reports show it; no key covers it, as layout changes no result.
    pub source_hash: String,
}

impl<'a> Setting<'a> {
    /// The same with another circuit over the same variables, as stages make of the first.
    pub(crate) fn with_graph<'b>(&'b mut self, graph: &'b Graph) -> Setting<'b>
    where
        'a: 'b,
    {
        Setting {
            recipe: self.recipe,
            graph,
            data: self.data,
            labels: self.labels,
            folder: self.folder,
            executors: self.executors,
            learning: self.learning,
            machine: self.machine.clone(),
            source_hash: self.source_hash.clone(),
        }
    }
}

/// What the bits of a result depend on beside the recipe and its inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// The number representation and the kind of device, such as `linear cpu`.
    pub numerics: String,
    /// How many threads share the rows.
    pub threads: usize,
    /// The version of pcc.
    pub version: String,
}
