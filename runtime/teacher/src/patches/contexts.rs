//! What else is visible when a patch's vector is made, patch by patch; the patch itself comes first.

use super::pictures::Pictures;
use pcc_diag::{Diagnostic, Span};
use pcc_ir::recipe::{ChowLiuOptions, Clusters, KmeansOptions, Learned, RootChoice, VarTree};
use pcc_runtime::data::Dataset;
use pcc_runtime::learn::{FeatureRows, View, cluster, learn_trees};

/// At most so many rows tell how patches depend on each other.
pub(super) const MOST_ROWS: usize = 1 << 12;
/// Clusters of each patch's vectors; dependence is that of the clusters.
const CLUSTERS: u32 = 32;
const ROUNDS: u32 = 20;
/// Imaginary rows of each pair of patches.
const PSEUDOCOUNT: f64 = 0.1;

/// Nothing besides the patch.
pub(super) fn alone(pictures: &Pictures) -> Vec<Vec<u32>> {
    (0..pictures.n_patches() as u32).map(|patch| vec![patch]).collect()
}

/// The patches above each in a tree.
pub(super) fn ancestors(tree: &VarTree) -> Vec<Vec<u32>> {
    let path = |patch| std::iter::successors(Some(patch), |&at: &u32| tree.parents[at as usize]).collect();
    (0..tree.parents.len() as u32).map(path).collect()
}

/// The tree of strongest dependence between patches (Liu, Zhang and Van den Broeck, 2023): vectors are clustered
/// patch by patch, and a maximum spanning tree of the labels' mutual information hangs from its centre.
///
/// # Errors
/// `empty-data` without rows.
pub(super) fn tree_of(features: &FeatureRows, seed: u64, span: Span) -> Result<VarTree, Diagnostic> {
    let options = KmeansOptions {
        k: CLUSTERS,
        clusters: Clusters::PerPosition,
        seed,
        restarts: 1,
        iterations: ROUNDS,
        batch: None,
    };
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let labels = Dataset::of_labels("patches", &cluster(features, &options, threads, span)?);
    let options = ChowLiuOptions {
        max_rows: None,
        bits: None,
        pseudocount: PSEUDOCOUNT,
        trees: 1,
        every: 1,
        root: RootChoice::Centre,
    };
    match learn_trees(&View::whole(&labels), &options, span)? {
        Learned::Tree(tree) => Ok(tree),
        Learned::Trees(_) | Learned::Labels(_) => unreachable!("one tree was asked for"),
    }
}
