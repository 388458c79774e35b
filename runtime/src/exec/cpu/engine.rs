//! A compiled plan for one use, with the working memory of each thread.

use pcc_cpu::{Arena, CompileError, DerivedTables, Program};
use pcc_ir::Graph;
use pcc_ir::lower::{Options, graph_to_plan};
use pcc_ir::plan::{Mode, Plan, Step, verify};
use pcc_kernels::{Kernels, MAX_TILES};
use std::sync::Mutex;

/// A normal density computed in 32 bits has a relative error of about 2e-7 in its logarithm, so that under
/// this the contract of 1e-5 nats a variable no longer holds.
pub(super) const FARTHEST_LOG: f64 = -40.0;

/// A program and what its runs need besides parameters.
pub(super) struct Engine {
    pub(super) mode: Mode,
    pub(super) are_latents_observed: bool,
    pub(super) program: Program,
    /// Rows with a smaller log-likelihood are computed again in 64 bits; minus infinity without normals.
    pub(super) farthest_log: f64,
    /// Guard bits, computed from the parameters.
    pub(super) guards: Vec<u64>,
    /// Tiles of a bundle.
    pub(super) n_tiles: usize,
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
        mode: Mode,
        are_latents_observed: bool,
        kernels: &Kernels,
    ) -> Result<Self, CompileError> {
        let options = match are_latents_observed {
            true => Options::all_observed(graph, mode),
            false => Options::latents_summed_out(graph, mode),
        };
        let options = Options { are_normals_joined: true, ..options };
        let plan = graph_to_plan(graph, &options).map_err(CompileError)?;
        let plan = verify(plan).map_err(|faults| {
            CompileError(format!("the compiler made a plan that its verifier refuses ({})", faults[0]))
        })?;
        let is_normal = |step: &Step| matches!(step, Step::Normal { .. } | Step::NormalProduct { .. });
        let has_normals = plan.up().iter().any(is_normal);
        let n = graph.variables().len() as f64;
        let farthest_log = if has_normals { FARTHEST_LOG * n } else { f64::NEG_INFINITY };
        let cost = plan.cost();
        let flops = cost.flops_up + cost.flops_down + cost.flops_again;
        let are_narrow_allowed = are_narrow_allowed(&plan);
        let program = pcc_cpu::compile(plan, kernels)?;
        let (guards, memory) = (Vec::new(), Vec::new());
        Ok(Engine {
            mode,
            are_latents_observed,
            program,
            farthest_log,
            guards,
            n_tiles: MAX_TILES,
            are_narrow_allowed,
            flops,
            memory,
        })
    }

    /// Brings the guards up to date with the parameters, and gives memory to each thread.
    pub(super) fn watch(&mut self, derived: &DerivedTables, threads: usize) {
        let plan = self.program.plan();
        self.guards = derived.watch().guard_bits(plan);
        while self.memory.len() < threads {
            self.memory.push(Mutex::new(Arena::of(plan, self.n_tiles)));
        }
    }
}

/// Only kernels that are told of it leave samples out. The others compute them from what earlier runs left
/// there, which no sample that counts can notice, unless they sum over samples.
fn are_narrow_allowed(plan: &Plan) -> bool {
    let sums_over_all = |step: &Step| matches!(step, Step::MixDown { .. } | Step::SumUnitsDown { .. });
    !plan.down().iter().any(sums_over_all)
}
