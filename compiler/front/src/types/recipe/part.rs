//! Named parts of circuits: `Image.patch`.

use crate::ItemId;
use crate::modules::declared;
use crate::resolve::parts;
use crate::types::Check;
use crate::types::kind::Kind;
use crate::words::listing;
use pcc_diag::{Diagnostic, suggest};
use pcc_grammar::ast::Name;

/// The kind of `circuit.name`. Reports a part that the circuit has not.
pub(in crate::types) fn kind_of(cx: &mut Check, circuit: ItemId, name: &Name) -> Kind {
    let parts = parts::of_circuit(cx.program, circuit);
    if !parts.contains(&name.text) {
        let report = unknown_part(cx, circuit, name, &parts);
        cx.report(report);
    }
    Kind::Any
}

fn unknown_part(cx: &Check, circuit: ItemId, name: &Name, parts: &[String]) -> Diagnostic {
    let whole =
        cx.program.item(circuit).and_then(|item| declared(item).first().map(|name| name.text.as_str()));
    let message = format!("`{}` has no part `{}`", whole.unwrap_or("the circuit"), name.text);
    let report = Diagnostic::error("unknown-part", message).at(name.span, "");
    match suggest(&name.text, parts.iter().map(String::as_str)) {
        Some(near) => report.help(format!("did you mean `{near}`?")),
        None if parts.is_empty() => report.help("a part is named by a `let` in the circuit's structure"),
        None => {
            report.help(format!("a part is named by a `let` in the circuit's structure: {}", listing(parts)))
        }
    }
}
