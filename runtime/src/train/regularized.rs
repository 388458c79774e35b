//! An executor that learns from softened data, or with an eye to entropy.
//!
//! It has the circuit of another executor, which answers everything but what is gathered: that comes from the
//! [`Softened`] circuit where data are softened, and so are the likelihoods of rows while they are learned from.
//! The M-step is made here on copied flows, so it costs more than the executor's own.

use super::entropy::maximize_with_entropy;
use super::rows::Rows;
use super::softened::Softened;
use super::{Momentum, Update, maximize};
use crate::exec::{Executor, MakeExecutor, Values};
use pcc_diag::Diagnostic;
use pcc_ir::recipe::EmOptions;
use pcc_ir::{Batch, Flows, Graph, Params};

/// The executor.
pub struct Regularized<'e> {
    /// What has the parameters.
    plain: &'e mut dyn Executor,
    soft: Option<Soft>,
    /// The weight t of the entropy.
    entropy: f64,
    /// Flows that wait for an M-step, of the softened circuit where there is one, and the rows they are of.
    gathered: Option<Flows>,
    rows: f64,
}

struct Soft {
    softened: Softened,
    executor: Box<dyn Executor>,
    /// Whether its tables are those of the parameters.
    is_up_to_date: bool,
}

impl<'e> Regularized<'e> {
    /// Softens and wants entropy as the options say, softening by the values in `data`; `None` where data are to be
    /// softened and no observed variable is discrete.
    ///
    /// # Errors
    /// Those of making an executor.
    pub fn new(
        plain: &'e mut dyn Executor,
        options: &EmOptions,
        data: &dyn Rows,
        executors: MakeExecutor,
    ) -> Result<Option<Self>, Diagnostic> {
        let soft = match options.soften > 0.0 {
            false => None,
            true => {
                let Some(softened) = Softened::of(plain.graph(), data, options.soften) else {
                    return Ok(None);
                };
                let (graph, params) = plain.circuit();
                let params = softened.params(graph, params);
                let executor = executors(&softened.graph, &params)?;
                Some(Soft { softened, executor, is_up_to_date: true })
            }
        };
        Ok(Some(Regularized { plain, soft, entropy: options.entropy, gathered: None, rows: 0.0 }))
    }

    /// The softened circuit with the parameters of now.
    fn soft(&mut self) -> Option<&mut dyn Executor> {
        let Soft { softened, executor, is_up_to_date } = self.soft.as_mut()?;
        if !std::mem::replace(is_up_to_date, true) {
            let (graph, params) = self.plain.circuit();
            let params = softened.params(graph, params);
            executor.update(&mut |old| old.clone_from(&params));
        }
        Some(executor.as_mut())
    }
}

impl Executor for Regularized<'_> {
    fn graph(&self) -> &Graph {
        self.plain.graph()
    }

    fn circuit(&mut self) -> (&Graph, &Params) {
        self.plain.circuit()
    }

    fn update(&mut self, change: &mut dyn FnMut(&mut Params)) {
        self.forget();
        self.plain.update(change);
        self.soft.iter_mut().for_each(|soft| soft.is_up_to_date = false);
    }

    fn log_likelihoods(&mut self, batch: &Batch) -> Vec<f64> {
        self.plain.log_likelihoods(batch)
    }

    fn flows(&mut self, batch: &Batch, weights: Option<&[f32]>, flows: &mut Flows) -> Vec<f64> {
        self.forget();
        self.plain.flows(batch, weights, flows)
    }

    fn gather(&mut self, batch: &Batch, weights: Option<&[f32]>) -> Vec<f64> {
        self.rows += match weights {
            Some(weights) => weights.iter().map(|&weight| f64::from(weight)).sum(),
            None => batch.n_rows() as f64,
        };
        let gathered = self.gathered.take();
        let executor = if self.soft.is_some() { self.soft().expect("it is there") } else { &mut *self.plain };
        let mut flows = gathered.unwrap_or_else(|| Flows::zero(executor.graph()));
        let logs = executor.flows(batch, weights, &mut flows);
        self.gathered = Some(flows);
        logs
    }

    fn maximize(&mut self, update: &Update, momentum: Option<&mut Momentum>) {
        let Some(mut flows) = self.gathered.take() else { return };
        let rows = std::mem::take(&mut self.rows);
        let (graph, old) = self.plain.circuit();
        if let Some(soft) = &self.soft {
            flows = soft.softened.statistics(graph, old, &flows);
        }
        let mut new = old.clone();
        let mut momentum = momentum;
        if let Some(momentum) = &mut momentum {
            momentum.add(flows.values_mut());
        }
        match self.entropy > 0.0 {
            true => maximize_with_entropy(graph, &flows, update, self.entropy * rows, &mut new),
            false => maximize(graph, &flows, update, &mut new),
        }
        if let Some(momentum) = momentum {
            momentum.recentre(graph, old, &new);
        }
        self.update(&mut |params| params.clone_from(&new));
    }

    fn forget(&mut self) {
        self.gathered = None;
        self.rows = 0.0;
    }

    fn fill(&mut self, batch: &Batch, values: &mut Values) {
        self.plain.fill(batch, values);
    }
}
