//! Every pass, in order, with why it stands where it does.
//!
//! After each pass the graph is verified and checked again when [`Config::is_verifying`], and always at the
//! end: a pass that breaks a circuit stops the compiler, it never gives a wrong number.

use crate::graph::{collapse_unit_sums, drop_dead, flatten_products, share_layers};
use crate::timing::{Pass, Timing};
use pcc_ir::{Checked, Graph};
use std::time::Duration;

/// The passes in order.
pub const PASSES: [Pass; 4] = [
    // Sums that pass one layer through hide that the layers around them are products, so they go first.
    Pass::CollapseUnitSums,
    // Silenced alternatives go before sharing, so that nothing is kept alive by a weight of zero.
    Pass::DropDead,
    // Sharing comes before flattening: a product that two layers use is computed once and stays.
    Pass::ShareLayers,
    // What still has a single user is taken into it.
    Pass::FlattenProducts,
];

/// Which passes run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Run [`Pass::CollapseUnitSums`].
    pub collapses_unit_sums: bool,
    /// Run [`Pass::DropDead`].
    pub drops_dead: bool,
    /// Run [`Pass::ShareLayers`].
    pub shares_layers: bool,
    /// Run [`Pass::FlattenProducts`].
    pub flattens_products: bool,
    /// Check the graph after every pass, not only at the end.
    pub is_verifying: bool,
}

impl Config {
    /// All passes.
    pub const ALL: Config = Config {
        collapses_unit_sums: true,
        drops_dead: true,
        shares_layers: true,
        flattens_products: true,
        is_verifying: false,
    };

    /// No pass: the graph as it was elaborated.
    pub const NONE: Config = Config {
        collapses_unit_sums: false,
        drops_dead: false,
        shares_layers: false,
        flattens_products: false,
        is_verifying: false,
    };

    fn runs(&self, pass: Pass) -> bool {
        match pass {
            Pass::CollapseUnitSums => self.collapses_unit_sums,
            Pass::DropDead => self.drops_dead,
            Pass::ShareLayers => self.shares_layers,
            Pass::FlattenProducts => self.flattens_products,
        }
    }
}

/// What the pipeline gives.
#[derive(Clone, Debug)]
pub struct Optimized {
    /// The graph.
    pub graph: Checked,
    /// What each pass that ran did, in order.
    pub timings: Vec<Timing>,
}

/// Runs the passes of a config over a graph. `clock` tells the time since any fixed moment; this crate does
/// not read one itself.
///
/// # Panics
/// When a pass breaks the circuit, which is a fault of the pass.
pub fn optimize(graph: Checked, config: &Config, clock: &dyn Fn() -> Duration) -> Optimized {
    let mut timings = Vec::new();
    let mut graph = graph.into_graph();
    for pass in PASSES.into_iter().filter(|&pass| config.runs(pass)) {
        let (start, n_layers_before) = (clock(), graph.n_layers());
        graph = run(pass, &graph);
        let elapsed = clock().saturating_sub(start);
        timings.push(Timing { pass, elapsed, n_layers_before, n_layers_after: graph.n_layers() });
        if config.is_verifying {
            graph = checked(graph, pass.name()).into_graph();
        }
    }
    Optimized { graph: checked(graph, "the pipeline"), timings }
}

/// Runs one pass.
pub fn run(pass: Pass, graph: &Graph) -> Graph {
    match pass {
        Pass::CollapseUnitSums => collapse_unit_sums::run(graph),
        Pass::DropDead => drop_dead::run(graph),
        Pass::ShareLayers => share_layers::run(graph),
        Pass::FlattenProducts => flatten_products::run(graph),
    }
}

fn checked(graph: Graph, who: &str) -> Checked {
    match Checked::new(graph) {
        Ok(graph) => graph,
        Err(violations) => panic!("{who} broke the circuit: {violations:?}"),
    }
}
