//! Why a verb ended early, and the exit code that says so.

use crate::terminal::Terminal;
use pcc_diag::{Diagnostic, Sources};
use std::process::ExitCode;

/// Faults that are reported like those of a program, but are those of the machine.
const MACHINE_CODES: [&str; 3] = ["disk-full", "cannot-write", "machine"];

/// The reasons to end early.
#[derive(Debug)]
pub enum Failure {
    /// The program or the data is at fault; what is wrong is still to be shown.
    Program(Vec<Diagnostic>, Sources),
    /// The program or the data is at fault, and what is wrong was shown.
    Shown,
    /// The command line does not make sense.
    Usage(String),
    /// The machine could not do it: no such device, no memory, a full disk.
    Machine(String),
    /// Interrupted by the user, with everything finished saved.
    Interrupted,
}

impl Failure {
    /// A fault without a place in the source.
    pub fn of(diagnostic: Diagnostic) -> Self {
        Failure::Program(vec![diagnostic], Sources::new())
    }

    /// Says what is still to be said and gives the exit code (1 program, 2 usage, 3 machine, 130 interrupted).
    pub fn finish(self, terminal: &Terminal) -> ExitCode {
        match self {
            Failure::Program(found, sources) => {
                terminal.show(&found, &sources);
                let is_of_machine = found.iter().any(|d| MACHINE_CODES.contains(&d.code));
                ExitCode::from(if is_of_machine { 3 } else { 1 })
            }
            Failure::Shown => ExitCode::from(1),
            Failure::Usage(what) => {
                terminal.say(&format!("error: {what}"));
                ExitCode::from(2)
            }
            Failure::Machine(what) => {
                terminal.say(&format!("error: {what}"));
                ExitCode::from(3)
            }
            Failure::Interrupted => ExitCode::from(130),
        }
    }
}
