//! Chow-Liu trees: of all tree-shaped distributions, the one over a maximum spanning tree of pairwise mutual
//! information is nearest to the data (Chow and Liu, 1968).

use super::mutual_information::mutual_information;
use super::rooted::rooted;
use super::spanning_trees::best_spanning_trees;
use super::view::View;
use pcc_diag::{Diagnostic, Span};
use pcc_ir::recipe::{ChowLiuOptions, Learned};

/// The best tree, or the best trees when more than one is asked for (fewer when there are not so many).
/// Independent variables have information zero, not none, so there always is a tree.
///
/// # Errors
/// Those of [`mutual_information`].
///
/// # Panics
/// Without variables.
pub fn learn(view: &View, options: &ChowLiuOptions, span: Span) -> Result<Learned, Diagnostic> {
    let n = view.n_variables();
    let weights = mutual_information(view, options, span)?;
    let found = best_spanning_trees(n, &weights, options.trees.max(1) as usize);
    let kept = found.iter().step_by(options.every.max(1) as usize);
    let mut trees: Vec<_> = kept.map(|tree| rooted(n, &tree.edges, options.root)).collect();
    match options.trees {
        0 | 1 => Ok(Learned::Tree(trees.remove(0))),
        _ => Ok(Learned::Trees(trees)),
    }
}
