//! Passes over circuit graphs, and the pipeline that orders them.
//!
//! In comes a checked graph, out comes another with the same answer to every query and the same meaning of
//! every trainable table: tables keep their names, and [`carry_params`] brings their values along. A pass
//! changes no representation and knows nothing of machines. [`pipeline`] is the page to read first.

mod graph;
pub mod pipeline;
pub mod timing;

pub use graph::carry::carry_params;
pub use graph::divide::{Division, Part, Place, divide};
pub use graph::settled::{Settled, SettledCut, cut_settled};
pub use pipeline::{Config, Optimized, optimize};
pub use timing::{Pass, Timing};
