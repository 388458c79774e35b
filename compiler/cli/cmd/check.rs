//! `pcc check`: what is wrong, and nothing else.

use crate::args::CheckArgs;
use crate::failure::Failure;
use crate::terminal::Terminal;
use crate::world::{Loaded, World};

/// Checks files one after the other; an error in any makes the exit code 1.
pub fn run(args: &CheckArgs, terminal: &Terminal) -> Result<(), Failure> {
    let mut is_bad = false;
    for path in &args.files {
        let world = World::of_lock(path, &args.source)?;
        let mut loaded = Loaded::from_file(path, &world, &args.source)?;
        loaded.check();
        loaded.check_options();
        for circuit in loaded.circuits() {
            if let Some(elaborated) = loaded.verify(&circuit, &world) {
                loaded.check_learners(&circuit, &elaborated.graph);
            }
        }
        is_bad |= loaded.has_errors();
        terminal.show_as(args.format, loaded.found(), loaded.sources());
    }
    if is_bad { Err(Failure::Shown) } else { Ok(()) }
}
