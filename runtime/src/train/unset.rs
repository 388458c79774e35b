//! The refusal to compute with parameters that were never set.

use pcc_diag::Diagnostic;
use pcc_ir::{Graph, Params, shape_word};

/// # Errors
/// `unset-parameter`, naming the first table without values.
pub fn refuse_unset(graph: &Graph, params: &Params) -> Result<(), Diagnostic> {
    let Some(id) = params.first_unset() else { return Ok(()) };
    let param = graph.param(id);
    let what = shape_word(param.shape);
    Err(Diagnostic::error("unset-parameter", format!("`{}` ({what}) has no values yet", param.name))
        .at(param.span, "used here")
        .help("train the circuit with `pcc run`, or write the values with `with [..]`"))
}
