//! Plan to machine code for a bundle of tiles, by Cranelift.
//!
//! In: a verified [`pcc_ir::Plan`] and a table of kernels. Out: a [`Program`] whose upward half computes
//! the root's value for evidence packed into an [`Arena`], and whose downward half adds flows.
//! The emitted code is straight-line calls to kernels with sizes and offsets burned in, and loops over tiles
//! and groups; every address reaches it through one context, so that the code is plain bytes ([`Code`]).
//! This crate reads no graph, makes no threads, opens no files, and decides nothing about samples that a guard
//! marks.

mod arena;
mod call;
mod code;
mod context;
mod emit;
mod fingerprint;
mod kernel;
mod log;
mod module;
mod single;
mod tables;

pub use arena::Arena;
pub use call::{Inputs, Program, SampleWeights};
pub use code::Code;
pub use fingerprint::fingerprint;
pub use module::{compile, emit, emit_text};
pub use single::SingleRow;
pub use tables::{DerivedPart, DerivedSize, DerivedTables, Extremes, Watch, row_exponent};

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
