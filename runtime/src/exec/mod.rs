//! Executors: what evaluates a circuit on rows of evidence.
//!
//! The interpreter ([`Interpreter`]) is the oracle: float64, straight from the graph, never optimised.
//! Compiled executors promise to agree with it within 1e-5 nats per variable, and flows within 1e-4
//! relative or 1e-7 absolute. An executor owns the parameters of its circuit, so that what it derives
//! from them (tables, guards) can't fall behind. All of them take soft evidence (see [`Batch`]).

mod cpu;
mod gathered;
mod interp;
mod log;
mod units;
mod values;

pub use cpu::{CpuExecutor, CpuOptions};
pub use interp::Interpreter;
pub use log::LogExecutor;
pub use units::{BadWeights, LiteralWeights, UnitsExecutor, compiled};
pub use values::Values;

use crate::train::{Momentum, Update};
use pcc_diag::Diagnostic;
use pcc_ir::{Batch, Flows, Graph, LayerId, Params};

/// Makes an executor for a circuit.
pub type MakeExecutor<'a> = &'a dyn Fn(&Graph, &Params) -> Result<Box<dyn Executor>, Diagnostic>;

/// Evaluates one circuit.
pub trait Executor {
    /// The circuit.
    fn graph(&self) -> &Graph;

    /// Its parameters.
    fn params(&mut self) -> &Params {
        self.circuit().1
    }

    /// The circuit and its parameters. It takes the executor for itself because one that trains may have to
    /// carry out first what it put off.
    fn circuit(&mut self) -> (&Graph, &Params);

    /// Changes the parameters, then brings up to date whatever is derived from them.
    fn update(&mut self, change: &mut dyn FnMut(&mut Params));

    /// The natural logarithm of the likelihood of each row; what a row does not know is summed out.
    /// Impossible evidence gives minus infinity.
    fn log_likelihoods(&mut self, batch: &Batch) -> Vec<f64>;

    /// Adds the expected statistics of all rows to `flows` (see [`Flows`]), each row times its weight
    /// (one when `weights` is `None`), and returns the log-likelihoods. A row of likelihood zero adds nothing.
    /// What was gathered is forgotten.
    fn flows(&mut self, batch: &Batch, weights: Option<&[f32]>, flows: &mut Flows) -> Vec<f64>;

    /// Gathers the expected statistics of all rows, each times its weight, for [`Executor::maximize`]. Calls
    /// add up. Returns the log-likelihoods.
    fn gather(&mut self, batch: &Batch, weights: Option<&[f32]>) -> Vec<f64>;

    /// Moves the parameters by the statistics that were gathered (see [`Update`]), and forgets these. With
    /// `momentum`, which must have counted the rows, they are moved by what the statistics make of its averages.
    fn maximize(&mut self, update: &Update, momentum: Option<&mut Momentum>);

    /// Forgets what was gathered.
    fn forget(&mut self);

    /// The logarithm of the value of every unit for every row. Meant for a few rows at a time: it takes
    /// eight bytes for each unit and row.
    fn values(&mut self, batch: &Batch) -> Values {
        let mut values = Values::of(self.graph(), batch.n_rows());
        self.fill(batch, &mut values);
        values
    }

    /// The same for the units of some layers.
    fn values_of(&mut self, layers: &[LayerId], batch: &Batch) -> Values {
        let mut values = Values::of_layers(self.graph(), layers, batch.n_rows());
        self.fill(batch, &mut values);
        values
    }

    /// Computes the values that there is room for. Where that is not for all layers, an entry may be given as
    /// larger than it is, by 2^-125 of its group's largest at most, if that makes no difference to any layer above.
    fn fill(&mut self, batch: &Batch, values: &mut Values);
}
