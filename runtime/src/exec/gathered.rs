//! Statistics of several batches, for executors that keep nothing but parameters.

use crate::train::{Update, maximize};
use pcc_ir::{Flows, Graph, Params};

/// Flows that wait for an M-step; `None` when there are none.
#[derive(Clone, Debug, Default)]
pub(super) struct Gathered(Option<Flows>);

impl Gathered {
    /// Takes them, zeros if there are none, so that more can be added.
    pub(super) fn take(&mut self, graph: &Graph) -> Flows {
        self.0.take().unwrap_or_else(|| Flows::zero(graph))
    }

    /// Puts them back.
    pub(super) fn put(&mut self, flows: Flows) {
        self.0 = Some(flows);
    }

    /// Moves parameters by them.
    pub(super) fn maximize(&mut self, graph: &Graph, update: &Update, params: &mut Params) {
        if let Some(flows) = self.0.take() {
            maximize(graph, &flows, update, params);
        }
    }

    /// Forgets them.
    pub(super) fn forget(&mut self) {
        self.0 = None;
    }
}
