//! RAT-SPNs (Peharz et al., 2019) with Gaussian inputs: random halves of the variables, `depth` times, whose
//! units are multiplied pairwise and mixed; several such trees are mixed at the root.
//!
//! Arrays: `perm` `[repetitions][variables]`, the order in which a repetition deals variables to its
//! leaf regions; `E` `[repetitions * variables][mean, standard deviation][K]` in that order; `W0` (the root's
//! children), `W1`, .. `[repetitions * 2^level][K, or 1 at level 0][K * K]`; `T` `[repetitions]`.

use super::{Built, Maker};
use pcc_ir::family::Gaussian;
use pcc_ir::{Domain, Family, Graph, GraphError, LayerId};

/// Sizes, and the order of the variables in each repetition.
#[derive(Clone, Debug)]
pub struct RatShape {
    /// For each repetition all variables in some order.
    pub orders: Vec<Vec<usize>>,
    /// How often scopes are halved.
    pub depth: u32,
    /// Units of a region.
    pub k: u32,
}

/// The circuit. The number of variables must be a multiple of `2^depth`.
///
/// # Errors
/// When there is no repetition, or a size is zero.
pub fn rat(shape: &RatShape) -> Result<Graph, GraphError> {
    let n = shape.orders.first().map_or(0, Vec::len);
    let mut maker = Maker::new(n, Domain::Real, Family::Gaussian(Gaussian::default()));
    let mut trees = Vec::new();
    for repetition in 0..shape.orders.len() {
        trees.push(tree(&mut maker, shape, repetition)?);
    }
    let root = maker.sum("T".into(), 1, &trees)?;
    maker.finish(root)
}

/// One repetition, from its leaf regions up.
fn tree(maker: &mut Maker, shape: &RatShape, repetition: usize) -> Built {
    let order = &shape.orders[repetition];
    let size = order.len() >> shape.depth;
    let mut regions = Vec::new();
    for (i, part) in order.chunks(size.max(1)).enumerate() {
        regions.push(leaves(maker, part, repetition * order.len() + i * size, shape.k)?);
    }
    for level in (0..shape.depth).rev() {
        let rows = if level == 0 { 1 } else { shape.k };
        let mut wholes = Vec::new();
        for (i, pair) in regions.chunks_exact(2).enumerate() {
            let pairs = maker.outer(pair[0], pair[1])?;
            let table = format!("W{level}[{}]", (repetition << level) + i);
            wholes.push(maker.sum(table, rows, &[pairs])?);
        }
        regions = wholes;
    }
    regions.first().copied().ok_or(GraphError::NoChildren)
}

/// The product of inputs of one region; `first` is the place of its first table.
fn leaves(maker: &mut Maker, variables: &[usize], first: usize, k: u32) -> Built {
    let inputs: Result<Vec<LayerId>, GraphError> =
        variables.iter().enumerate().map(|(i, &v)| maker.leaf(format!("E[{}]", first + i), v, k)).collect();
    maker.product(&inputs?)
}
