//! What is one whatever the evidence: layers over variables that no batch observes.
//!
//! ```text
//! X[1] is not observed
//! sum[4](prod(a(X[0]), sum[4](b(X[1]))))   ->   b0 = multiply a; b1 = sum b0
//! ```
//!
//! Leaves over such variables are one by definition, products of ones are ones, and so are sums and mixes of
//! ones with weights that add up to one. In: which variables and tables those are ([`super::Options`]).
//! Out: the layers that get no step. That weights do add up is for the caller to find out, and they do so
//! only but for rounding: no more sums are taken for one than keep the whole within the contract of 1e-5 nats
//! a variable.

use super::{Lowering, Value};
use crate::plan::Mode;
use crate::{LayerId, LayerKind};

/// A chain of so many sums for each variable may be taken for one: weights that count as adding up to one
/// miss it by a millionth at most.
const MOST_SUMS: usize = 5;

impl Lowering<'_> {
    /// One, where a layer is that whatever the evidence.
    pub(super) fn constant(&self, id: LayerId) -> Option<Value> {
        let layer = self.graph.layer(id);
        let of_children = || layer.children.iter().map(|&child| self.n_sums(child));
        let n_sums = match layer.kind {
            LayerKind::Input { var, .. }
            | LayerKind::Literal { var, .. }
            | LayerKind::Indicator { var, .. } => {
                let is_unknown = self.options.unobserved.contains(var) && !self.options.given.contains(&var);
                is_unknown.then_some(0)
            }
            LayerKind::Product | LayerKind::Outer => {
                of_children().try_fold(0, |all: u32, n| n?.checked_add(all))
            }
            LayerKind::Sum { param } | LayerKind::Mix { param } => {
                let is_normalised = self.options.normalised.get(param.index()) == Some(&true);
                let is_one = is_normalised && self.options.mode == Mode::Forward;
                is_one.then(|| of_children().try_fold(0, |most, n| Some(n?.max(most))))?.map(|n| n + 1)
            }
        }?;
        let is_close = n_sums == 0 || n_sums as usize <= MOST_SUMS * self.graph.scope(id).len();
        is_close.then_some(Value::Constant { n_sums })
    }

    /// How many sums lie between a constant layer and its leaves: the deviations from one add up along a chain
    /// of sums and over the factors of a product.
    fn n_sums(&self, id: LayerId) -> Option<u32> {
        match self.values[id.index()] {
            Value::Constant { n_sums } => Some(n_sums),
            _ => None,
        }
    }
}
