//! Plan to machine code for one tile of samples, by Cranelift.
//!
//! In: a verified [`pcc_ir::Plan`] and a table of kernels. Out: a [`Program`] whose upward half computes
//! the root's value for a [`Tile`] of evidence, and whose downward half adds flows.
//! The emitted code is straight-line calls to kernels with sizes and offsets burned in, loops over groups,
//! and a few branches on guards; every address reaches it through one context, so it holds none but the
//! kernels'. This crate reads no graph, makes no threads, and decides nothing about samples that a guard
//! marks.

mod call;
mod context;
mod emit;
mod kernel;
mod module;
mod tables;
mod tile;

pub use call::{Arena, Program};
pub use module::{compile, emit_text};
pub use tables::{DerivedTables, Watch};
pub use tile::Tile;

const _: () = assert!(pcc_ir::plan::TILE == pcc_kernels::TILE, "plans and kernels agree on the tile");

/// Why no code could be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompileError(pub String);

impl std::fmt::Display for CompileError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "no machine code for this circuit: {}", self.0)
    }
}

impl std::error::Error for CompileError {}
