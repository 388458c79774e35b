//! A compiled plan for one use, with the working memory of each thread.

use super::CpuOptions;
use super::cache;
use pcc_cpu::{Arena, CompileError, DerivedTables, Program, SingleRow};
use pcc_ir::lower::{Options, graph_to_plan};
use pcc_ir::plan::{Mode, Plan, Run, Step, verify};
use pcc_ir::{Graph, LayerId, VarId, Verified};
use pcc_kernels::Kernels;
use std::sync::Mutex;

/// A normal density computed in 32 bits has a relative error of up to 4e-7 in its logarithm, so that under
/// this the contract of 1e-5 nats a variable no longer holds.
pub(super) const FARTHEST_LOG: f64 = -20.0;

/// What a program is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Purpose {
    pub(super) mode: Mode,
    pub(super) are_latents_observed: bool,
    /// Variables that every row knows softly.
    pub(super) given: Vec<VarId>,
    /// Layers whose values are asked for besides the root's.
    pub(super) kept: Vec<LayerId>,
}

impl Purpose {
    /// The root, under plain evidence.
    pub(super) fn plain(mode: Mode, are_latents_observed: bool) -> Self {
        Purpose { mode, are_latents_observed, given: Vec::new(), kept: Vec::new() }
    }

    fn lowering(&self, graph: &Graph) -> Options {
        let options = match self.are_latents_observed {
            true => Options::all_observed(graph, self.mode),
            false => Options::latents_summed_out(graph, self.mode),
        };
        Options { given: self.given.clone(), kept: self.kept.clone(), ..options }
    }
}

/// A program and what its runs need besides parameters.
pub(super) struct Engine {
    pub(super) purpose: Purpose,
    pub(super) program: Program,
    /// Likelihoods of a row by itself, where its steps allow that.
    pub(super) single: Option<SingleRow>,
    /// Rows with a smaller log-likelihood are computed again in 64 bits; minus infinity without normals.
    pub(super) farthest_log: f64,
    /// Guard bits, computed from the parameters.
    pub(super) guards: Vec<u64>,
    /// How it is run within the memory that there is.
    pub(super) run: Run,
    /// Whether a run can leave out the last samples of its tiles.
    pub(super) are_narrow_allowed: bool,
    /// Floating-point operations for each row.
    pub(super) flops: u64,
    /// The memory of each thread; a lock is only ever taken by its own thread.
    pub(super) memory: Vec<Mutex<Arena>>,
}

impl Engine {
    /// Lowers and compiles. Errors: see [`super::CpuExecutor::new`].
    pub(super) fn new(
        graph: &Graph,
        purpose: Purpose,
        kernels: &Kernels,
        options: &CpuOptions,
    ) -> Result<Self, CompileError> {
        let plan = plan(graph, purpose.lowering(graph))?;
        Engine::of(graph, plan, purpose, kernels, options)
    }

    /// Compiles a plan. Errors: as [`Engine::new`].
    pub(super) fn of(
        graph: &Graph,
        plan: Verified<Plan>,
        purpose: Purpose,
        kernels: &Kernels,
        options: &CpuOptions,
    ) -> Result<Self, CompileError> {
        let cost = plan.cost();
        Ok(Engine {
            purpose,
            farthest_log: farthest_log(graph, &plan),
            guards: Vec::new(),
            run: plan.fit(options.n_threads(), options.memory).map_err(|least| options.refuse(&least))?,
            are_narrow_allowed: are_narrow_allowed(&plan),
            flops: cost.flops_up + cost.flops_down + cost.flops_again,
            memory: Vec::new(),
            single: SingleRow::of(&plan),
            program: cache::compile(plan, kernels, options.code_folder.as_deref())?,
        })
    }

    /// Brings the guards up to date with the parameters, and gives memory to each thread.
    pub(super) fn watch(&mut self, derived: &DerivedTables) {
        let plan = self.program.plan();
        self.guards = derived.watch().guard_bits(plan);
        while self.memory.len() < self.run.threads as usize {
            self.memory.push(Mutex::new(Arena::of(plan, self.run.tiles as usize)));
        }
    }
}

/// Lowers a graph for this executor.
pub(super) fn plan(graph: &Graph, lowering: Options) -> Result<Verified<Plan>, CompileError> {
    let lowering = Options { are_normals_joined: true, ..lowering };
    let plan = graph_to_plan(graph, &lowering).map_err(CompileError)?;
    verify(plan).map_err(|faults| {
        CompileError(format!("the compiler made a plan that its verifier refuses ({})", faults[0]))
    })
}

fn farthest_log(graph: &Graph, plan: &Plan) -> f64 {
    let is_normal = |step: &Step| matches!(step, Step::Normal { .. } | Step::NormalProduct { .. });
    let has_normals = plan.up().iter().any(is_normal);
    let n = graph.variables().len() as f64;
    if has_normals { FARTHEST_LOG * n } else { f64::NEG_INFINITY }
}

/// Only kernels that are told of it leave samples out. The others compute them from what earlier runs left
/// there, which no sample that counts can notice, unless they sum over samples.
fn are_narrow_allowed(plan: &Plan) -> bool {
    let sums_over_all = |step: &Step| matches!(step, Step::MixDown { .. } | Step::SumUnitsDown { .. });
    !plan.down().iter().any(sums_over_all)
}
