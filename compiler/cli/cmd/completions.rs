//! `pcc completions`: a completion script, made from the same flags as the parser.

use crate::args::{Cli, CompletionsArgs};
use crate::failure::Failure;
use crate::terminal::print_text;
use clap::CommandFactory;

/// Prints the script for a shell.
pub fn run(args: &CompletionsArgs) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "pcc", &mut script);
    print_text(&String::from_utf8_lossy(&script));
    Ok(())
}
