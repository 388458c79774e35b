//! What decides, besides a plan, which code is made for it.

use crate::CompileError;
use crate::context::Context;
use crate::kernel::Kernel;
use crate::module::target;
use pcc_kernels::{GUARD_ENTRY, LEAF, MAX_TILES, NO_FLOW, TILE};

/// The sources that turn steps into code and say how code is called.
const SOURCES: [&str; 10] = [
    include_str!("code.rs"),
    include_str!("context.rs"),
    include_str!("emit/ahead.rs"),
    include_str!("emit/down.rs"),
    include_str!("emit/mod.rs"),
    include_str!("emit/place.rs"),
    include_str!("emit/up.rs"),
    include_str!("kernel.rs"),
    include_str!("module.rs"),
    include_str!("tables.rs"),
];

/// A text that is the same only where [`crate::emit`] makes the same code of the same plan: versions, this
/// machine's instructions, the kernels and their numbers of arguments, and the compiler's own sources. It is
/// meant to be hashed.
///
/// # Errors
/// When this machine is none that the code generator knows.
pub fn fingerprint() -> Result<String, CompileError> {
    let target = target().map_err(CompileError)?;
    let kernels: Vec<String> =
        Kernel::ALL.iter().map(|kernel| format!("{kernel:?}/{}", kernel.n_arguments())).collect();
    let flags: Vec<String> = target.isa_flags().iter().map(ToString::to_string).collect();
    Ok(format!(
        "pcc {}\ncranelift {}\n{}\n{}\n{flags:?}\n{kernels:?}\n{:?}\n{}",
        env!("CARGO_PKG_VERSION"),
        cranelift::VERSION,
        target.triple(),
        target.flags(),
        [TILE, MAX_TILES, LEAF as usize, NO_FLOW as usize, GUARD_ENTRY, size_of::<Context>()],
        SOURCES.join("\n"),
    ))
}
