//! What is predicted of a program of units is what its executor holds, as counted by the allocator.
//!
//! A test of its own process, since others would hold memory beside it.

use pcc_bench::circuits::logic;
use pcc_ir::units::{UnitOptions, unit_program};
use pcc_ir::{Batch, Params};
use pcc_runtime::exec::{CpuOptions, Executor, UnitsExecutor};
use std::alloc::{GlobalAlloc, Layout, System};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The system's allocator, which counts the bytes that are held.
struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);

// SAFETY: memory comes from the system's allocator and goes back to it, as it would without the counts.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: as for the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as for the caller.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn held() -> u64 {
    HELD.load(Ordering::Relaxed) as u64
}

fn assert_near(found: u64, predicted: u64, what: &str) {
    assert!((found as f64 / predicted as f64 - 1.0).abs() < 0.1, "{what}: {found} bytes, not {predicted}");
}

#[test]
fn an_executor_of_units_holds_what_is_predicted() {
    let graph = logic(40, 100_000, 1).expect("a circuit");
    let mut params = Params::of(&graph);
    params.values_mut().fill(0.25);
    let parameters = 4 * params.values().len() as u64;
    let predict = |options| unit_program(&graph, options).expect("a program").memory(&graph, 2).total();
    let (forward, flows) = (predict(UnitOptions::forward(&graph)), predict(UnitOptions::FLOWS));
    let rows = Batch::missing(40, 64);
    let before = held() - parameters;
    let threads = NonZeroUsize::new(2).expect("two");
    let mut executor = UnitsExecutor::new(graph, params, CpuOptions::threads(threads)).expect("an executor");
    executor.log_likelihoods(&rows);
    assert_near(held() - before, forward, "likelihoods");
    executor.gather(&rows, None);
    // The parameters are there for both.
    assert_near(held() - before, forward + flows - parameters, "likelihoods and flows");
}
