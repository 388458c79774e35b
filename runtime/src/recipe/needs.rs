//! What the learners of a recipe need of its circuit, asked before anything runs.
//!
//! In: a recipe and the circuit it trains. Out: a refusal for each stage whose learner would refuse later.

use crate::train::{Need, refuse_unless_deterministic};
use pcc_diag::Diagnostic;
use pcc_ir::recipe::{Optimizer, Recipe, Step};
use pcc_ir::{Graph, VarGroupId};

/// Refusals (`unsupported-learner`) of stages that ask for a closed form where there is none. Labels that a
/// stage is given count as observed.
pub fn refusals(recipe: &Recipe, graph: &Graph) -> Vec<Diagnostic> {
    let stages = recipe.steps.iter().filter_map(|step| match step {
        Step::Stage(stage) => Some(stage),
        _ => None,
    });
    let closed_form = stages.filter(|stage| matches!(stage.fit.optimizer, Optimizer::Mle { .. }));
    closed_form
        .filter_map(|stage| {
            let given = groups(graph, &stage.fit.given);
            refuse_unless_deterministic(graph, &given, Need::ClosedFormMle, stage.fit.span).err()
        })
        .collect()
}

pub(super) fn groups(graph: &Graph, names: &[String]) -> Vec<VarGroupId> {
    let named = graph.var_groups().iter().enumerate().filter(|(_, group)| names.contains(&group.name));
    named.map(|(i, _)| VarGroupId::new(i)).collect()
}
