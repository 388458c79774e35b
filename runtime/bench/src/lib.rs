//! Standard workloads of `pcc bench`, and how fast this machine runs them.
//!
//! In: the name of a workload and a size. Out: a [`Record`] for each operation and number of threads: time,
//! share of the machine's peak, memory. The circuits are those that other systems are compared on, so their
//! definitions, in [`circuits`], are part of what a published number means. Nothing here is fast by itself
//! or knows how the executor works: it builds a circuit, runs it, and looks at clocks.

mod arrays;
mod catalogue;
pub mod circuits;
mod clock;
mod growth;
mod machine;
mod measure;
mod memory;
mod numbers;
mod peak;
mod record;
mod table;
mod workload;

pub use arrays::Arrays;
pub use catalogue::{CATALOGUE, Entry, Size, chosen};
pub use growth::plot;
pub use measure::{Config, measure};
pub use record::{Operation, Record, Shape};
pub use table::{heading, line};
pub use workload::{Evidence, Workload, model_operations};
