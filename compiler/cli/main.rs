//! The `pcc` binary: flags, files, the terminal, exit codes. It decides nothing about the language.

mod args;
mod cmd;
mod failure;
mod opened;
mod progress;
mod rows;
mod size;
mod teachers;
mod terminal;
mod world;

use clap::Parser;
use std::process::ExitCode;

#[global_allocator]
static MEMORY: pcc_runtime::LargePages = pcc_runtime::LargePages;

fn main() -> ExitCode {
    // Wrong usage ends here, with exit code 2; `--help` and `--version` with 0.
    let cli = args::Cli::parse();
    let terminal = terminal::Terminal::new(cli.color);
    match cmd::run(&cli.verb, &terminal) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.finish(&terminal),
    }
}
