//! What the steps of a recipe need of its circuit, asked before anything runs.
//!
//! In: a recipe and the circuit it trains. Out: a refusal for each step that would be refused later, or that
//! would compute something else than it says.

use crate::train::{Need, refuse_unless_deterministic};
use pcc_diag::Diagnostic;
use pcc_ir::props::{NoCut, cut_at};
use pcc_ir::recipe::{Materialize, Optimizer, Recipe, Stage, Step};
use pcc_ir::{Graph, LayerId, VarGroupId, VarId};

/// Refusals of stages that ask for a closed form where there is none (`unsupported-learner`; labels that a stage
/// is given count as observed), and of labels for latents that separate nothing (`latent-not-separating`).
pub fn refusals(recipe: &Recipe, graph: &Graph) -> Vec<Diagnostic> {
    let of_step = |step: &Step| match step {
        Step::Stage(stage) => no_closed_form(stage, graph),
        Step::Materialize(step) => no_cut(step, graph),
        _ => None,
    };
    recipe.steps.iter().filter_map(of_step).collect()
}

fn no_closed_form(stage: &Stage, graph: &Graph) -> Option<Diagnostic> {
    let Optimizer::Mle { .. } = stage.fit.optimizer else { return None };
    let given = groups(graph, &stage.fit.given);
    refuse_unless_deterministic(graph, &given, Need::ClosedFormMle, stage.fit.span).err()
}

/// The groups of variables with these names.
pub(super) fn groups(graph: &Graph, names: &[String]) -> Vec<VarGroupId> {
    let named = graph.var_groups().iter().enumerate().filter(|(_, group)| names.contains(&group.name));
    named.map(|(i, _)| VarGroupId::new(i)).collect()
}

/// The first variable of a latent at which the circuit can't be cut.
fn no_cut(step: &Materialize, graph: &Graph) -> Option<Diagnostic> {
    let latent = graph.find_group(&step.latent)?;
    let found = latent.variables().find_map(|var| cut_at(graph, var).err().map(|why| (var, why)));
    found.map(|(var, why)| not_separating(graph, var, why, step))
}

fn not_separating(graph: &Graph, var: VarId, why: NoCut, step: &Materialize) -> Diagnostic {
    let name = graph.variable_name(var);
    let refuse = |message: String| {
        Diagnostic::error("latent-not-separating", message).at(step.span, "labels are attached here")
    };
    let at = |id: LayerId| graph.layer(id).span;
    match why {
        NoCut::Nowhere => {
            let latent = &step.latent;
            refuse(format!("no sum of the circuit is indexed by `{name}`, so its value says nothing")).help(
                format!(
                    "write `sum[..](..) by` it where its cases are mixed, or leave `{latent}` without it"
                ),
            )
        }
        NoCut::NoIndex(id) => {
            refuse(format!("`{name}` is a leaf here, and not the index of a sum")).note(at(id), "used here")
        }
        NoCut::InCopies(id) => refuse(format!(
            "`{name}` indexes a sum inside `copies`, so its value does not say which copy is meant"
        ))
        .note(at(id), "inside `copies`")
        .help("let the copies be what the sum runs over: `sum[K](copies[N](..)) by Z`"),
        NoCut::Twice(one, other) => refuse(format!(
            "`{name}` stands for two different circuits, so its value does not separate either"
        ))
        .note(at(one), "one of them")
        .note(at(other), "the other")
        .help("give each sum a latent of its own"),
        NoCut::OtherScope(one, other) => {
            refuse(format!("`{name}` indexes sums over different variables, so its value separates neither"))
                .note(at(one), "one of them")
                .note(at(other), "the other")
                .help("give each sum a latent of its own")
        }
    }
}
