//! `pcc fmt`: the one layout there is.

use crate::args::FmtArgs;
use crate::failure::Failure;
use crate::terminal::{Terminal, print_text};
use crate::world;
use pcc_diag::Sources;
use std::path::Path;

/// Formats files in place, or with `--check` says which would change.
pub fn run(args: &FmtArgs, terminal: &Terminal) -> Result<(), Failure> {
    let mut is_bad = false;
    for path in &args.files {
        is_bad |= !one(path, args.check, terminal)?;
    }
    if is_bad { Err(Failure::Shown) } else { Ok(()) }
}

/// Whether the file is (now) as it should be.
fn one(path: &Path, check: bool, terminal: &Terminal) -> Result<bool, Failure> {
    let is_stdin = path.as_os_str() == "-";
    let text = if is_stdin { world::read_stdin()? } else { world::read_text(path)? };
    let mut sources = Sources::new();
    let file = sources.add(path.display().to_string(), text.clone());
    let parse = pcc_grammar::parse(file, &text);
    if parse.errors.iter().any(|e| e.is_error()) {
        terminal.show(&parse.errors, &sources);
        return Ok(false);
    }
    let formatted = pcc_grammar::format(&text, &parse);
    match (check, is_stdin) {
        (true, _) if formatted != text => {
            terminal.say(&format!("{} is not formatted; `pcc fmt` changes it", path.display()));
            return Ok(false);
        }
        (true, _) => {}
        (false, true) => print_text(&formatted),
        (false, false) if formatted != text => world::write_text(path, &formatted)?,
        (false, false) => {}
    }
    Ok(true)
}
