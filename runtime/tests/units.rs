//! Circuits run unit by unit, against the interpreter: every kind of layer, wide ones too.

#[path = "cpu/contract.rs"]
#[allow(dead_code)] // The other executors' tests use the rest.
mod contract;

#[path = "units/agree.rs"]
mod agree;
#[path = "units/memory.rs"]
mod memory;
#[path = "units/range.rs"]
mod range;
#[path = "units/weights.rs"]
mod weights;

use pcc_ir::{Graph, Params};
use pcc_runtime::exec::{CpuOptions, UnitsExecutor};
use std::num::NonZeroUsize;

/// An executor on that many threads.
fn units(graph: &Graph, params: Params, threads: usize) -> UnitsExecutor {
    let threads = NonZeroUsize::new(threads).expect("one thread at least");
    UnitsExecutor::new(graph.clone(), params, CpuOptions::threads(threads)).expect("it is small enough")
}
