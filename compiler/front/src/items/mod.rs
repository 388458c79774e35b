//! What the items of a program say, apart from circuits: variables, data, learners, assertions, recipes.
//!
//! Each function runs through the items once, evaluates the numbers and names in them, and gives plain data
//! for the runtime. A faulty item goes to the sink and is left out.

mod assertion;
mod change;
mod data;
mod labels;
mod optimizer;
mod recipe;

pub use assertion::{Assertion, Bound, Property, Size, assertions};
pub(crate) use data::{Holds, embedding};
pub use data::{data_sources, weight_sources};
pub use recipe::{check_recipes, recipes};

use crate::elab::{Elaborator, Eval, parse_overrides};
use crate::modules::Program;
use crate::{Settings, World};
use pcc_diag::{Diagnostic, Sink, suggest};
use pcc_grammar::ast::ItemKind;
use pcc_ir::VarGroup;
use pcc_ir::recipe::{DataSource, LearnRequest, Learned};

/// A world in which nothing is at hand: items other than circuits need nothing of it.
struct Nowhere;

impl World for Nowhere {
    fn read(&self, path: &str) -> Result<String, String> {
        Err(format!("`{path}` is not at hand"))
    }

    fn learned(
        &self,
        _: &LearnRequest,
        _: &[DataSource],
        _: &[VarGroup],
    ) -> Result<Option<Learned>, Diagnostic> {
        Ok(None)
    }
}

/// Runs something with all variables of the program declared.
fn with_all_variables<T>(
    program: &Program,
    settings: &Settings,
    sink: &mut Sink,
    run: impl for<'p> FnOnce(&mut Elaborator<'p>, &'p Program, &mut Sink) -> T,
) -> Option<T> {
    let overrides = parse_overrides(program, settings, sink);
    let mut elaborator = Elaborator::new(program, &Nowhere, settings, &overrides);
    match elaborator.declare(None) {
        Ok(()) => Some(run(&mut elaborator, program, sink)),
        Err(fault) => {
            sink.push(elaborator.finished(fault));
            None
        }
    }
}

/// Keeps what came out well; the fault of the rest goes to the sink.
fn keep<T>(elaborator: &Elaborator, result: Eval<T>, into: &mut Vec<T>, sink: &mut Sink) {
    match result {
        Ok(value) => into.push(value),
        Err(fault) => sink.push(elaborator.finished(fault)),
    }
}

/// All variables that the program declares, in order, numbered through. (A circuit's graph has only those
/// that the circuit can reach.)
pub fn variables(program: &Program, settings: &Settings, sink: &mut Sink) -> Vec<VarGroup> {
    let groups = with_all_variables(program, settings, sink, |e, _, _| e.graph().var_groups().to_vec());
    groups.unwrap_or_default()
}

/// What the `learn` items ask for, in order.
pub fn learn_requests(program: &Program, settings: &Settings, sink: &mut Sink) -> Vec<LearnRequest> {
    let requests =
        with_all_variables(program, settings, sink, |elaborator, _, sink| match elaborator.gather() {
            Ok(requests) => requests,
            Err(fault) => {
                sink.push(elaborator.finished(fault));
                Vec::new()
            }
        });
    requests.unwrap_or_default()
}

/// Reports settings that set nothing: no `const` of the root file and no parameter of a recipe has the name.
pub fn check_settings(program: &Program, settings: &Settings, sink: &mut Sink) {
    let mut known: Vec<&str> = Vec::new();
    for item in program.root().into_iter().flat_map(|m| &m.file.items) {
        match &item.kind {
            ItemKind::Constant(constant) => known.push(&constant.name.text),
            ItemKind::Recipe(recipe) => known.extend(recipe.params.iter().map(|p| p.name.text.as_str())),
            _ => {}
        }
    }
    for (name, _) in settings.overrides.iter().filter(|(name, _)| !known.contains(&name.as_str())) {
        let message = format!("`{name}` can't be set: no `const` and no parameter of a recipe has that name");
        let error = Diagnostic::error("unknown-setting", message);
        sink.push(match suggest(name, known.iter().copied()) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error.help(format!("what can be set is {}", crate::words::listing(&known))),
        });
    }
}
