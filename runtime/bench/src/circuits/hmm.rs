//! Hidden Markov models that are not homogeneous: each step has its own transition and emission table.
//!
//! Arrays: `pi` `[K]`, `A` `[T - 1][state][next state]`, `E` `[T][value][state]`.

use super::Maker;
use pcc_ir::family::Categorical;
use pcc_ir::{Domain, Family, Graph, GraphError};

/// `steps` steps, `k` states, observations of `values` values.
///
/// # Errors
/// When a size is zero.
pub fn hmm(steps: usize, values: u32, k: u32) -> Result<Graph, GraphError> {
    let mut maker = Maker::new(steps, Domain::Cat(values), Family::Categorical(Categorical { n: values }));
    let mut last = None;
    for step in (0..steps).rev() {
        let mut factors = vec![maker.leaf(format!("E[{step}]"), step, k)?];
        if let Some(next) = last {
            factors.push(maker.sum(format!("A[{step}]"), k, &[next])?);
        }
        last = Some(maker.product(&factors)?);
    }
    let root = maker.sum("pi".into(), 1, &[last.ok_or(GraphError::NoChildren)?])?;
    maker.finish(root)
}
