//! The executor for irregular circuits: tapes of single units in 64-bit floats.
//!
//! In: a graph and its parameters. It makes a program for each use (values, flows), runs it strip by strip on
//! several threads ([`work`]), and sends rows that leave the range of plain numbers through the same program
//! in wide ones ([`wide`]). Out: what [`Executor`] promises, to about the last digits of a 64-bit float.
//! Besides evidence it takes weights of values, row by row ([`LiteralWeights`]): weighted model counting, soft
//! evidence, and their derivatives.
//!
//! The same rows, parameters and number of threads give the same bits.

mod back;
mod engine;
mod leaf;
mod soft;
mod wide;
mod work;

pub use soft::{BadWeights, LiteralWeights};

use super::gathered::Gathered;
use super::{CpuExecutor, CpuOptions, Executor, LogExecutor, Values};
use crate::train::{Momentum, Update};
use engine::Engine;
use leaf::Evidence;
use pcc_cpu::CompileError;
use pcc_ir::units::{TooManyUnits, UnitOptions, is_irregular};
use pcc_ir::{Batch, Flows, Graph, Params};
use pcc_kernels::units::{LANES, UnitKernels, unit_kernels};
use work::{Job, Way, Worker};

/// The executor that suits a circuit: programs of units for an irregular one, machine code for others.
///
/// # Errors
/// As for [`CpuExecutor::new`] and [`UnitsExecutor::new`].
pub fn compiled(
    graph: Graph,
    params: Params,
    options: CpuOptions,
) -> Result<Box<dyn Executor>, CompileError> {
    match is_irregular(&graph) {
        true => Ok(Box::new(UnitsExecutor::new(graph, params, options)?)),
        false => Ok(Box::new(CpuExecutor::new(graph, params, options)?)),
    }
}

/// Whether every program of a circuit can be counted in 32 bits: none has more rows than the circuit has units,
/// and edges for pairs of factors and pieces of wide sums.
fn is_countable(graph: &Graph) -> bool {
    let n_units: u64 = graph.layer_ids().map(|id| graph.n_units(id) as u64).sum();
    n_units + 2 * graph.n_edges() < 1 << 31
}

/// Runs a circuit unit by unit.
pub struct UnitsExecutor {
    graph: Graph,
    params: Params,
    kernels: &'static UnitKernels,
    limits: CpuOptions,
    engines: Vec<Engine>,
    /// Programs that are too large for the memory that there is.
    refused: Vec<(UnitOptions, CompileError)>,
    workers: Vec<Worker>,
    /// What likelihoods of rows that know every variable are computed with.
    forward: UnitOptions,
    /// Every unit's value is a matter of the graph, not of a program; also what there is no memory for is
    /// computed here. Made when first asked for.
    log: Option<LogExecutor>,
    gathered: Gathered,
    n_marked: usize,
}

impl UnitsExecutor {
    /// Makes the program of a circuit.
    ///
    /// # Errors
    /// When `PCC_KERNELS` names kernels that this CPU lacks, when the circuit has more units, edges or
    /// parameters than 32 bits count, or when its likelihoods take more memory than they may.
    pub fn new(graph: Graph, params: Params, options: CpuOptions) -> Result<Self, CompileError> {
        let kernels = unit_kernels().map_err(CompileError)?;
        if !is_countable(&graph) {
            return Err(CompileError(TooManyUnits.to_string()));
        }
        let mut executor = UnitsExecutor {
            forward: UnitOptions::forward(&graph),
            graph,
            params,
            kernels,
            engines: Vec::new(),
            refused: Vec::new(),
            workers: (0..options.threads.get()).map(|_| Worker::default()).collect(),
            limits: options,
            log: None,
            gathered: Gathered::default(),
            n_marked: 0,
        };
        executor.engine(executor.forward)?;
        Ok(executor)
    }

    /// How many rows were computed in wide numbers since the executor was made.
    pub fn n_marked(&self) -> usize {
        self.n_marked
    }

    /// Makes the program for flows and derivatives, which otherwise is made when they are first asked for.
    ///
    /// # Errors
    /// When it takes more memory than it may.
    pub fn prepare_flows(&mut self) -> Result<(), CompileError> {
        self.engine(UnitOptions::FLOWS).map(drop)
    }

    /// The natural logarithm of the circuit's value under each row of weights: the logarithm of a weighted
    /// model count where the circuit is a logical one.
    ///
    /// # Errors
    /// When the program takes more memory than it may.
    pub fn log_weighted_counts(&mut self, weights: &LiteralWeights) -> Result<Vec<f64>, CompileError> {
        let options = self.options_for_values(|| weights.sum_to_one());
        Ok(self.work(Way::Up, options, Evidence::Weights(weights), None)?.0)
    }

    /// As [`UnitsExecutor::log_weighted_counts`], and the derivative of each row's logarithm by each weight;
    /// of a row whose value is zero, zeros.
    ///
    /// # Errors
    /// When the program takes more memory than it may.
    pub fn log_weighted_count_derivatives(
        &mut self,
        weights: &LiteralWeights,
    ) -> Result<(Vec<f64>, LiteralWeights), CompileError> {
        let (logs, engine) =
            self.work(Way::Derivatives, UnitOptions::FLOWS, Evidence::Weights(weights), None)?;
        let mut derivatives = weights.zeros();
        for worker in &mut self.workers {
            worker.add_derivatives(&self.engines[engine], &mut derivatives);
        }
        Ok((logs, derivatives))
    }

    /// The program for values; `is_known` says whether each row knows every variable.
    fn options_for_values(&self, is_known: impl Fn() -> bool) -> UnitOptions {
        UnitOptions { do_totals_vanish: self.forward.do_totals_vanish && is_known(), ..self.forward }
    }

    /// Notes that what is derived from the parameters is out of date.
    fn follow_params(&mut self) {
        self.engines.iter_mut().for_each(Engine::forget_weights);
        if let Some(log) = &mut self.log {
            let params = &self.params;
            log.update(&mut |own| own.values_mut().copy_from_slice(params.values()));
        }
    }

    fn log(&mut self) -> &mut LogExecutor {
        self.log.get_or_insert_with(|| LogExecutor::new(self.graph.clone(), self.params.clone()))
    }

    fn engine(&mut self, options: UnitOptions) -> Result<usize, CompileError> {
        if let Some(position) = self.engines.iter().position(|engine| engine.options == options) {
            return Ok(position);
        }
        if let Some((_, error)) = self.refused.iter().find(|(refused, _)| *refused == options) {
            return Err(error.clone());
        }
        match Engine::new(&self.graph, options, &self.limits) {
            Ok(engine) => self.engines.push(engine),
            Err(error) => {
                self.refused.push((options, error.clone()));
                return Err(error);
            }
        }
        Ok(self.engines.len() - 1)
    }

    /// Runs all rows. Returns their logarithms and the engine that was used.
    fn work(
        &mut self,
        way: Way,
        options: UnitOptions,
        evidence: Evidence,
        weights: Option<&[f32]>,
    ) -> Result<(Vec<f64>, usize), CompileError> {
        let at = self.engine(options)?;
        let n_rows = evidence.n_rows();
        self.engines[at].follow(&self.params);
        if !std::mem::replace(&mut self.engines[at].is_probed, n_rows > 0) {
            let mut logs = vec![0.0; n_rows.min(LANES)];
            self.run(at, Way::Up, evidence, None, &mut logs);
            self.calibrate(at, evidence, logs.len());
        }
        if way == Way::Derivatives {
            self.engines[at].prepare_back();
        }
        let mut logs = vec![0.0; n_rows];
        self.run(at, way, evidence, weights, &mut logs);
        self.n_marked += self.workers.iter().map(|worker| worker.marked.len()).sum::<usize>();
        self.calibrate(at, evidence, n_rows);
        Ok((logs, at))
    }

    fn run(
        &mut self,
        engine: usize,
        way: Way,
        evidence: Evidence,
        weights: Option<&[f32]>,
        logs: &mut [f64],
    ) {
        let (kernels, engine, params) = (self.kernels, &self.engines[engine], &self.params);
        self.workers.iter_mut().for_each(|worker| worker.marked.clear());
        work::share(&Job { kernels, engine, params, evidence, weights, way }, &mut self.workers, logs);
    }

    /// Finds the units' scale anew when many of the rows that were run left the range.
    fn calibrate(&mut self, engine: usize, evidence: Evidence, n_rows: usize) {
        let marked: Vec<usize> =
            self.workers.iter().flat_map(|worker| worker.marked.iter().copied()).collect();
        if 4 * marked.len() > n_rows {
            self.engines[engine].calibrate(evidence, &marked, &self.params);
        }
    }

    /// Whether each row says one value of every variable, so that the values of its literals sum to 1.
    fn knows_all(&self, batch: &Batch) -> bool {
        let n_values = self.graph.variables().iter().map(|v| v.domain.n_values().unwrap_or(u32::MAX));
        let n_values: Vec<u32> = n_values.collect();
        let is_whole = |row| batch.row(row).iter().zip(&n_values).all(|(word, n)| word < n);
        (0..batch.n_rows()).all(is_whole)
    }
}

impl Executor for UnitsExecutor {
    fn graph(&self) -> &Graph {
        &self.graph
    }

    fn circuit(&mut self) -> (&Graph, &Params) {
        (&self.graph, &self.params)
    }

    fn update(&mut self, change: &mut dyn FnMut(&mut Params)) {
        change(&mut self.params);
        self.follow_params();
    }

    fn log_likelihoods(&mut self, batch: &Batch) -> Vec<f64> {
        if batch.soft().is_some() {
            return self.log().log_likelihoods(batch);
        }
        let options = self.options_for_values(|| self.knows_all(batch));
        match self.work(Way::Up, options, Evidence::Batch(batch), None) {
            Ok((logs, _)) => logs,
            Err(_) => self.log().log_likelihoods(batch),
        }
    }

    fn flows(&mut self, batch: &Batch, weights: Option<&[f32]>, flows: &mut Flows) -> Vec<f64> {
        self.gathered.forget();
        if batch.soft().is_some() {
            return self.log().flows(batch, weights, flows);
        }
        let n_stats = flows.values().len();
        for worker in &mut self.workers {
            worker.stats.clear();
            worker.stats.resize(n_stats, 0.0);
        }
        let logs = match self.work(Way::Flows, UnitOptions::FLOWS, Evidence::Batch(batch), weights) {
            Ok((logs, _)) => logs,
            Err(_) => return self.log().flows(batch, weights, flows),
        };
        for (i, flow) in flows.values_mut().iter_mut().enumerate() {
            let total: f64 = self.workers.iter().map(|worker| worker.stats[i]).sum();
            *flow = (f64::from(*flow) + total) as f32;
        }
        logs
    }

    fn gather(&mut self, batch: &Batch, weights: Option<&[f32]>) -> Vec<f64> {
        let mut flows = self.gathered.take(&self.graph);
        let logs = self.flows(batch, weights, &mut flows);
        self.gathered.put(flows);
        logs
    }

    fn maximize(&mut self, update: &Update, momentum: Option<&mut Momentum>) {
        self.gathered.maximize(&self.graph, update, momentum, &mut self.params);
        self.follow_params();
    }

    fn forget(&mut self) {
        self.gathered.forget();
    }

    fn fill(&mut self, batch: &Batch, values: &mut Values) {
        self.log().fill(batch, values);
    }
}
