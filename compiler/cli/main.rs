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
    leave_threads_to_teachers();
    // Wrong usage ends here, with exit code 2; `--help` and `--version` with 0.
    let cli = args::Cli::parse();
    let terminal = terminal::Terminal::new(cli.color);
    match cmd::run(&cli.verb, &terminal) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.finish(&terminal),
    }
}

/// Teachers share out their rows among threads, each with operations of its own. The library of tensors would share
/// out each operation again, and its threads spin while they wait; it is told by two variables not to.
fn leave_threads_to_teachers() {
    for variable in ["RAYON_NUM_THREADS", "CANDLE_NUM_THREADS"] {
        if std::env::var_os(variable).is_none() {
            // SAFETY: the program begins here, so no other thread reads or writes the environment.
            unsafe { std::env::set_var(variable, "1") };
        }
    }
}
