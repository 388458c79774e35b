//! Circuits and vtrees in the formats of other systems, and telling formats apart.
//!
//! A reader takes the decompressed content of a file and gives a [`Graph`] with its
//! parameters, and warnings. What a file is, is decided by its content ([`Content`]), never by its name,
//! and nothing that could run code (a pickle) is ever opened.

mod lines;
mod psdd;
mod sdd;
mod sniff;
#[cfg(test)]
mod tests;
mod vtree;

pub use psdd::read_psdd;
pub use sdd::read_sdd;
pub use sniff::Content;
pub use vtree::{Vtree, VtreeNode, read_vtree};

use crate::data::read_file;
use pcc_diag::Diagnostic;
use pcc_ir::{Graph, Params};
use std::path::Path;

/// A circuit that came from another system.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The circuit.
    pub graph: Graph,
    /// Its parameters, all set.
    pub params: Params,
    /// What is odd about the file but does no harm.
    pub warnings: Vec<Diagnostic>,
}

/// Reads a circuit file of another system, with the vtree it is structured by if there is one to check it
/// against. Both may be compressed.
///
/// # Errors
/// `missing-file`, `unreadable-file`; `missing-vtree` for an SDD without one; `circuit-format` when the content is no circuit that this version
/// reads, with what it is instead; `circuit-file-damaged` with the line that is wrong.
pub fn read_circuit(path: &Path, vtree: Option<&Path>) -> Result<Imported, Diagnostic> {
    let (content, name) = (read_file(path)?, path.display().to_string());
    let mut warnings = Vec::new();
    let vtree = match vtree {
        Some(path) => {
            let (vtree, found) = read_vtree(&read_file(path)?, &path.display().to_string())?;
            warnings.extend(found);
            Some(vtree)
        }
        None => None,
    };
    let mut circuit = match (Content::of(&content), &vtree) {
        (Content::Sdd, Some(vtree)) => read_sdd(&content, vtree, &name)?,
        (Content::Sdd, None) => return Err(missing_vtree(&name)),
        _ => read_psdd(&content, vtree.as_ref(), &name)?,
    };
    warnings.append(&mut circuit.warnings);
    Ok(Imported { warnings, ..circuit })
}

/// An SDD by itself does not say over which variables its nodes range.
fn missing_vtree(file: &str) -> Diagnostic {
    Diagnostic::error("missing-vtree", format!("`{file}` is an SDD, which is read with its vtree"))
        .help("name the vtree that it was compiled for: `--vtree FILE`")
}

/// The content is not what was asked for.
fn other_content(content: &[u8], wanted: &str, file: &str) -> Diagnostic {
    let found = Content::of(content);
    let fault = Diagnostic::error("circuit-format", format!("`{file}` is {found}, where {wanted} is wanted"));
    match found {
        Content::Pickle => {
            fault.help("a pickle could run any code when it is loaded, so pcc never opens one")
        }
        Content::Safetensors => fault.help("a model of pcc ends in `.pcm` and is loaded as it is"),
        Content::Nnf | Content::Spn => {
            fault.help("this version reads `.psdd` and `.sdd` circuits and `.vtree` files")
        }
        _ => fault,
    }
}
