//! `pcc explain`: the page of a diagnostic.

use crate::args::ExplainArgs;
use crate::failure::Failure;
use crate::terminal::{print_line, print_text};

/// Prints the page of a code, or the list of codes.
pub fn run(args: &ExplainArgs) -> Result<(), Failure> {
    let Some(code) = &args.code else {
        pcc_diag::code::codes().for_each(print_line);
        return Ok(());
    };
    let code = code.strip_prefix("pcc::").unwrap_or(code);
    match pcc_diag::code::page(code) {
        Some(page) => print_text(page),
        None => {
            let meant = pcc_diag::suggest(code, pcc_diag::code::codes());
            let help =
                meant.map_or("`pcc explain` lists all codes".into(), |m| format!("did you mean `{m}`?"));
            return Err(Failure::Usage(format!("no diagnostic has the code `{code}`; {help}")));
        }
    }
    Ok(())
}
