//! The compiled executor for CPUs.
//!
//! In: a graph and its parameters. It lowers the graph to a plan for each use (likelihoods, flows, values;
//! latents observed or not), compiles that when first needed, and runs it tile by tile on several threads
//! ([`engine`], [`work`]). Out: what [`Executor`] promises.
//! Rows that the guards mark are computed in log space before anything is summed up, so that no number
//! that left the linear code's range reaches a result.
//!
//! Threads take tiles in a fixed assignment, and their flows are added in the order of the threads: the
//! same rows, parameters and number of threads give the same bits.

mod cache;
mod engine;
mod few;
mod gathered;
mod maximize;
mod patterns;
mod pieces;
mod rows;
mod shares;
mod sparse;
mod statistics;
mod work;

use super::log::LogSpace;
use super::{Executor, Values};
use crate::train::{Momentum, Update};
use engine::{Engine, Purpose};
use patterns::{Circuit, Patterns};
use pcc_cpu::{CompileError, DerivedTables};
use pcc_ir::plan::{Memory, Mode};
use pcc_ir::{Batch, Flows, Graph, LayerId, MISSING, ParamId, ParamShape, Params};
use pcc_kernels::Kernels;
use sparse::SparseTable;
use statistics::Statistics;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use work::{Job, Question, Worker};

/// How to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CpuOptions {
    /// How many threads take tiles.
    pub threads: NonZeroUsize,
    /// Bytes that tables, statistics and working memory may take for each use of a circuit (likelihoods, flows,
    /// values); as much as it is fastest with when `None`.
    pub memory: Option<u64>,
    /// Where machine code of large circuits is kept for the next run, if anywhere.
    pub code_folder: Option<PathBuf>,
}

impl CpuOptions {
    /// So many threads, all memory, and no code kept.
    pub fn threads(threads: NonZeroUsize) -> Self {
        CpuOptions { threads, memory: None, code_folder: None }
    }

    /// As many threads as this process may use at once.
    pub fn all_threads() -> Self {
        CpuOptions::threads(std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN))
    }

    pub(super) fn n_threads(&self) -> u32 {
        u32::try_from(self.threads.get()).unwrap_or(u32::MAX)
    }

    /// Says in words that even the least run takes too much memory.
    pub(super) fn refuse(&self, least: &Memory) -> CompileError {
        let mebibytes = |bytes: u64| bytes.div_ceil(1 << 20);
        let (needed, given) = (mebibytes(least.total()), mebibytes(self.memory.unwrap_or(0)));
        CompileError(format!("a run takes {needed} MiB of memory, more than the {given} MiB that it may"))
    }
}

/// Runs a circuit as machine code. Parameters too small for a normal 32-bit float (under 2^-126) are kept
/// as zero.
pub struct CpuExecutor {
    graph: Graph,
    params: Params,
    kernels: &'static Kernels,
    options: CpuOptions,
    derived: DerivedTables,
    engines: Vec<Engine>,
    /// Those for one pattern of evidence.
    patterns: Patterns,
    workers: Vec<Worker>,
    /// Tables of which batches touch few rows.
    sparse: Vec<SparseTable>,
    /// Whether workers hold statistics.
    is_gathered: bool,
    /// Positions of the latent variables in a row.
    latents: Vec<usize>,
    n_marked: usize,
}

impl CpuExecutor {
    /// Compiles a circuit.
    ///
    /// # Errors
    /// When `PCC_KERNELS` names kernels that this CPU lacks, when the circuit is too large for one plan or for
    /// the memory that it may take, or when there is no memory for machine code.
    pub fn new(graph: Graph, mut params: Params, options: CpuOptions) -> Result<Self, CompileError> {
        let kernels = pcc_kernels::kernels().map_err(CompileError)?;
        flush_denormals(&mut params);
        let engine = Engine::new(&graph, Purpose::plain(Mode::Forward, false), kernels, &options)?;
        let derived = DerivedTables::of(&graph, engine.program.plan(), &params);
        let sparse = SparseTable::all(&graph, engine.program.plan());
        let worker = Worker::of(LogSpace::of(&graph));
        let variables = graph.variables().iter().enumerate();
        let latents = variables.filter(|(_, v)| v.is_latent).map(|(i, _)| i).collect();
        let mut executor = CpuExecutor {
            latents,
            graph,
            params,
            kernels,
            derived,
            engines: vec![engine],
            patterns: Patterns::default(),
            workers: vec![worker; options.threads.get()],
            sparse,
            is_gathered: false,
            n_marked: 0,
            options,
        };
        executor.engines[0].watch(&executor.derived);
        Ok(executor)
    }

    /// How many rows the guards have sent to log space since the executor was made. Many of them make
    /// training slow: then the circuit's weights or leaves differ by more than 32-bit floats can hold.
    pub fn n_marked(&self) -> usize {
        self.n_marked
    }

    /// The compiled plan for a use, made when first asked for.
    ///
    /// # Errors
    /// As for [`CpuExecutor::new`].
    pub fn prepare(
        &mut self,
        mode: Mode,
        are_latents_observed: bool,
    ) -> Result<&pcc_cpu::Program, CompileError> {
        let position = self.engine(Purpose::plain(mode, are_latents_observed))?;
        Ok(&self.engines[position].program)
    }

    fn engine(&mut self, purpose: Purpose) -> Result<usize, CompileError> {
        if let Some(position) = self.engines.iter().position(|engine| engine.purpose == purpose) {
            return Ok(position);
        }
        let mut engine = Engine::new(&self.graph, purpose, self.kernels, &self.options)?;
        engine.watch(&self.derived);
        self.engines.push(engine);
        Ok(self.engines.len() - 1)
    }

    /// The engine for a batch, unless there is no memory for it, or soft evidence that no program can take: the
    /// circuit itself was found fit by [`CpuExecutor::new`].
    fn engine_for(&mut self, mode: Mode, batch: &Batch) -> Option<usize> {
        self.engine_that_keeps(Vec::new(), mode, batch)
    }

    fn engine_that_keeps(&mut self, kept: Vec<LayerId>, mode: Mode, batch: &Batch) -> Option<usize> {
        let given = batch.soft().map_or(Vec::new(), |soft| soft.table().variables().to_vec());
        let plain = Purpose::plain(mode, self.observes_latents(batch));
        self.engine(Purpose { given, kept, ..plain }).ok()
    }

    fn observes_latents(&self, batch: &Batch) -> bool {
        let is_known = |row: usize| self.latents.iter().any(|&var| batch.row(row)[var] != MISSING);
        (0..batch.n_rows()).any(is_known)
    }

    /// Runs all rows of a batch on the workers, in log space where there is no memory for compiled code.
    fn work(&mut self, mode: Mode, batch: &Batch, weights: Option<&[f32]>) -> Vec<f64> {
        let position = self.engine_for(mode, batch);
        let question = Question { graph: &self.graph, params: &self.params, batch, weights, mode };
        let mut logs = vec![0.0; batch.n_rows()];
        match position {
            Some(position) => {
                let whole = &self.engines[position];
                let circuit = Circuit {
                    graph: &self.graph,
                    params: &self.params,
                    derived: &self.derived,
                    kernels: self.kernels,
                    options: &self.options,
                };
                let engine = match mode {
                    Mode::Forward => self.patterns.engine(circuit, whole, batch).unwrap_or(whole),
                    _ => whole,
                };
                let job = Job { question, derived: &self.derived, engine };
                work::share(&job, &mut self.workers, &mut logs);
            }
            None => {
                let rows: Vec<usize> = (0..batch.n_rows()).collect();
                self.workers[0].run_in_log_space(&question, &rows, 0, &mut logs);
            }
        }
        self.n_marked += self.workers.iter_mut().map(|w| std::mem::take(&mut w.n_marked)).sum::<usize>();
        logs
    }

    /// Brings all programs' guards up to date with the parameters.
    fn watch(&mut self) {
        self.patterns.forget_weights();
        self.engines.iter_mut().for_each(|engine| engine.watch(&self.derived));
    }

    /// Writes out what the last M-steps put off, so that all parameters can be read.
    fn settle(&mut self) {
        if self.sparse.iter().any(|table| !table.is_plain()) {
            self.each_sparse(SparseTable::settle);
        }
    }

    /// Calls `visit` for each table of which batches touch few rows, with its parameters and row exponents.
    fn each_sparse(&mut self, mut visit: impl FnMut(&mut SparseTable, &mut [f32], &mut [f32])) {
        for table in &mut self.sparse {
            let [before, own] = table.derived();
            let mut derived = self.derived.part();
            derived.take(before);
            visit(table, self.params.table_mut(table.id()), derived.take(own).row_exponents());
        }
    }

    /// Adds the workers' flows in their order, sums and mixtures times their weights.
    fn reduce(&self, flows: &mut Flows) {
        for (i, param) in self.graph.params().iter().enumerate() {
            let id = ParamId::new(i);
            let is_weighted = !matches!(param.shape, ParamShape::Input { .. });
            let weights = is_weighted.then(|| self.params.table(id));
            let range = flows.range(id);
            for worker in &self.workers {
                worker.gathered.add_flows(range.clone(), weights, flows.table_mut(id));
            }
        }
    }
}

impl Executor for CpuExecutor {
    fn graph(&self) -> &Graph {
        &self.graph
    }

    fn circuit(&mut self) -> (&Graph, &Params) {
        self.settle();
        (&self.graph, &self.params)
    }

    fn update(&mut self, change: &mut dyn FnMut(&mut Params)) {
        self.forget();
        self.settle();
        change(&mut self.params);
        flush_denormals(&mut self.params);
        self.sparse.iter_mut().for_each(SparseTable::become_plain);
        self.derived = DerivedTables::of(&self.graph, self.engines[0].program.plan(), &self.params);
        self.watch();
    }

    fn log_likelihoods(&mut self, batch: &Batch) -> Vec<f64> {
        self.settle();
        self.work(Mode::Forward, batch, None)
    }

    fn flows(&mut self, batch: &Batch, weights: Option<&[f32]>, flows: &mut Flows) -> Vec<f64> {
        self.forget();
        self.settle();
        self.is_gathered = true;
        let logs = self.work(Mode::Flows, batch, weights);
        self.reduce(flows);
        self.forget();
        logs
    }

    fn gather(&mut self, batch: &Batch, weights: Option<&[f32]>) -> Vec<f64> {
        self.is_gathered = true;
        self.each_sparse(|table, theta, exponents| table.touch(batch, theta, exponents));
        self.work(Mode::Flows, batch, weights)
    }

    fn maximize(&mut self, update: &Update, momentum: Option<&mut Momentum>) {
        if !std::mem::take(&mut self.is_gathered) {
            return;
        }
        if momentum.is_some() {
            // Earlier batches touched other rows.
            self.each_sparse(SparseTable::become_dense);
        }
        let plan = self.engines[0].program.plan();
        // Rows of which all went to log space left no sums of the linear code, which take all others.
        self.workers[0].gathered.flows_of(plan.stats_len() as usize);
        let mut statistics = Statistics::default();
        self.workers.iter_mut().for_each(|worker| worker.gathered.push_to(&mut statistics));
        if let Some(momentum) = momentum {
            let share = momentum.share() as f32;
            statistics.average(momentum.values_mut(), share);
        }
        let (params, derived) = (&mut self.params, &mut self.derived);
        maximize::maximize(&self.graph, plan, update, statistics, params, derived, &mut self.sparse);
        self.sparse.iter_mut().for_each(SparseTable::end_dense_step);
        self.workers.iter_mut().for_each(|worker| worker.gathered.begin_step());
        self.watch();
    }

    fn forget(&mut self) {
        if std::mem::take(&mut self.is_gathered) {
            self.workers.iter_mut().for_each(|worker| worker.gathered.clear());
            self.each_sparse(|table, theta, _| table.forget(theta));
        }
    }

    fn fill(&mut self, batch: &Batch, values: &mut Values) {
        self.settle();
        let (mode, kept) = match values.is_whole() {
            true => (Mode::Values, Vec::new()),
            false => (Mode::Forward, values.layers().collect()),
        };
        let position = self.engine_that_keeps(kept, mode, batch);
        let (graph, params) = (&self.graph, &self.params);
        let question = Question { graph, params, batch, weights: None, mode };
        match position {
            Some(position) => {
                let job = Job { question, derived: &self.derived, engine: &self.engines[position] };
                work::values(&job, &mut self.workers[0], values);
            }
            None => work::values_in_log_space(&question, &mut self.workers[0], values),
        }
    }
}

fn flush_denormals(params: &mut Params) {
    params.values_mut().iter_mut().filter(|v| v.is_subnormal()).for_each(|v| *v = 0.0);
}
