//! The refusal of what only a deterministic circuit allows.

use pcc_diag::{Diagnostic, Span};
use pcc_ir::props::{BothPossible, Determinism, DeterminismConfig, deterministic};
use pcc_ir::{Graph, Value, VarGroupId, VarId};

/// What asks for determinism.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Exact most probable completions.
    ExactMap,
    /// Closed-form maximum likelihood.
    ClosedFormMle,
}

impl Need {
    fn code(self) -> &'static str {
        match self {
            Need::ExactMap => "unsupported-query",
            Need::ClosedFormMle => "unsupported-learner",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Need::ExactMap => "exact MAP",
            Need::ClosedFormMle => "the closed form `mle(..)`",
        }
    }

    fn help(self) -> &'static str {
        match self {
            Need::ExactMap => {
                "`pcc query --approx` takes what max-product finds, which may not be the maximum"
            }
            Need::ClosedFormMle => "use `em(batch = full, ..)`, which needs no such property",
        }
    }
}

/// Goes on only when the circuit is proved deterministic over its observed variables and the given latents.
///
/// # Errors
/// The need's code, with the sum that is not deterministic as label, or with the reason why that is open.
pub(crate) fn refuse_unless_deterministic(
    graph: &Graph,
    given: &[VarGroupId],
    need: Need,
    asked: Span,
) -> Result<(), Diagnostic> {
    let fault = match deterministic(graph, &DeterminismConfig::given(graph, given)) {
        Determinism::Deterministic => return Ok(()),
        Determinism::NotDeterministic(witness) => {
            let layer = graph.layer(witness.layer);
            let word = layer.kind.word();
            let message = format!(
                "{} needs a deterministic circuit, but children of this `{word}` are possible together{}",
                need.name(),
                under(graph, &witness)
            );
            Diagnostic::error(need.code(), message).at(layer.span, "two of these are possible at once")
        }
        Determinism::Unknown { layer, why } => {
            let message = format!(
                "{} needs a deterministic circuit, and this one could not be proved so: {why}",
                need.name()
            );
            let span = layer.map_or(Span::NONE, |id| graph.layer(id).span);
            Diagnostic::error(need.code(), message).at(span, "here the proof gave up")
        }
    };
    Err(fault.note(asked, "asked for here").help(need.help()))
}

/// The assignment of the witness, as ` for A = 1, B = 0`.
fn under(graph: &Graph, witness: &BothPossible) -> String {
    let decisive = witness.assignment.iter().take(witness.n_decisive);
    let named: Vec<String> = decisive.take(8).filter_map(|&(var, value)| named(graph, var, value)).collect();
    match named.is_empty() {
        true => String::new(),
        false => format!(" for {}", named.join(", ")),
    }
}

fn named(graph: &Graph, var: VarId, value: Value) -> Option<String> {
    match value {
        Value::Missing => None,
        Value::Code(code) => {
            Some(format!("`{}` = {}", graph.variable_name(var), graph.variable(var).domain.value_of(code)))
        }
        Value::Real(x) => Some(format!("`{}` = {x}", graph.variable_name(var))),
    }
}
