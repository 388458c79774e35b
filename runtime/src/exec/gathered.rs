//! Statistics of several batches, for executors that keep nothing but parameters.

use crate::train::{Momentum, Update, maximize};
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

    /// Moves parameters by them, or by what they make of moving averages.
    pub(super) fn maximize(
        &mut self,
        graph: &Graph,
        update: &Update,
        momentum: Option<&mut Momentum>,
        params: &mut Params,
    ) {
        let Some(mut flows) = self.0.take() else { return };
        match momentum {
            None => maximize(graph, &flows, update, params),
            Some(momentum) => {
                momentum.add(flows.values_mut());
                let old = params.clone();
                maximize(graph, &flows, update, params);
                momentum.recentre(graph, &old, params);
            }
        }
    }

    /// Forgets them.
    pub(super) fn forget(&mut self) {
        self.0 = None;
    }
}
