//! A report as one page of HTML that needs no other file: results, learning curves, pictures, labels, sizes, origin.
//!
//! In: what the steps keep in their folders, the circuit with its parameters, and data. Out: text. Times are
//! those of the steps, so the page can be made again from a folder without training again.

mod facts;
mod html;
mod latents;
mod learning;
mod results;
mod samples;
pub(super) mod words;

use super::Setting;
use super::plan::PlannedStep;
use crate::exec::Executor;
use html::{Section, document};
use pcc_diag::{Diagnostic, grouped};
use pcc_ir::recipe::{Recipe, Step, TrainOn};

/// Rows that are sampled for a page, about.
pub(super) const ROWS: usize = samples::ROWS;

/// The page. `steps` are those before the report.
///
/// # Errors
/// Faults of data, of labels and of sampling.
pub(super) fn page(
    steps: &[PlannedStep],
    setting: &mut Setting,
    executor: &mut dyn Executor,
) -> Result<String, Diagnostic> {
    let sections = [
        ("results", "Results", results::body(steps)),
        ("learning", "Learning", learning::body(steps, setting.recipe)),
        ("samples", "Samples", samples::body(setting, executor)?),
        ("latents", "Labels", latents::body(setting)?),
        ("circuit", "Circuit", facts::circuit(setting.graph)),
        ("origin", "Origin", facts::origin(steps, setting)?),
    ];
    let sections: Vec<Section> = sections
        .into_iter()
        .filter(|(.., body)| !body.is_empty())
        .map(|(id, title, body)| Section { id, title, body })
        .collect();
    let recipe = setting.recipe;
    let lead = format!(
        "Circuit {} with {} parameters, seed {}.",
        recipe.circuit,
        grouped(setting.graph.n_parameters()),
        recipe.seed
    );
    Ok(document(&recipe.name, &lead, &sections))
}

/// The data sets that a recipe names, in the order in which it does.
fn data_of(recipe: &Recipe) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut add = |name: &str| {
        if !names.iter().any(|known| known == name) {
            names.push(name.into());
        }
    };
    for step in &recipe.steps {
        match step {
            Step::Stage(stage) => {
                if let TrainOn::Data(name) = &stage.fit.data {
                    add(name);
                }
                stage.until.iter().for_each(|until| add(&until.data));
            }
            Step::Evaluate(evaluate) => add(&evaluate.data),
            Step::Materialize(step) => {
                step.labels.iter().filter_map(|source| source.codes.data()).for_each(&mut add);
            }
            Step::Report(..) | Step::Marginalize(..) => {}
        }
    }
    names
}
