//! The only place of this crate that calls emitted code.
//!
//! In: machine code of a plan, and buffers whose sizes are checked here against it. Out: numbers in the
//! arena and in the flows, and the tiles' marks.

use crate::arena::{limits, scratch, stride};
use crate::context::Context;
use crate::kernel::Kernel;
use crate::tables::row_exponent_starts;
use crate::{Arena, Code, CompileError, DerivedTables};
use memmap2::{Mmap, MmapMut};
use pcc_ir::plan::{Plan, Source, TILE};
use pcc_ir::{Params, Verified};
use pcc_kernels::{Ahead, Kernels, MAX_TILES, Tiles};

type Function = unsafe extern "C" fn(*const Context);

/// A compiled plan.
pub struct Program {
    plan: Verified<Plan>,
    code: Code,
    /// The code's bytes, where they can be run.
    memory: Mmap,
    /// The kernels' addresses, in the order that the code knows.
    kernels: Vec<usize>,
    sizes: Sizes,
    /// For each variable, how many codes evidence may have.
    limits: Vec<u32>,
}

/// What buffers of a plan must have room for, in numbers: the plan would count again each time it is asked.
#[derive(Clone, Copy)]
struct Sizes {
    params: u64,
    prepared: u64,
    row_exponents: u64,
    statistics: u64,
    stride: usize,
    scratch: usize,
    /// Weights and exponents of a row of soft evidence.
    soft: (usize, usize),
}

impl Sizes {
    fn of(plan: &Plan) -> Self {
        Sizes {
            params: plan.source_len(Source::Params),
            prepared: plan.source_len(Source::Prepared),
            row_exponents: row_exponent_starts(plan)[plan.tables.len()],
            statistics: plan.stats_len(),
            stride: stride(plan),
            scratch: scratch(plan),
            soft: plan.soft_sizes(),
        }
    }
}

/// What runs read besides evidence.
#[derive(Clone, Copy)]
pub struct Inputs<'a> {
    /// The parameters.
    pub params: &'a Params,
    /// What is derived from them.
    pub derived: &'a DerivedTables,
    /// The bits of each of the plan's guards.
    pub guards: &'a [u64],
}

/// The weights of a bundle's samples.
pub type SampleWeights = [[f32; TILE]; MAX_TILES];

impl Program {
    /// Makes code runnable. It must have been emitted for this plan, by a compiler with this one's
    /// [`crate::fingerprint`].
    ///
    /// # Errors
    /// When memory for code can't be had.
    pub fn new(plan: Verified<Plan>, code: Code, kernels: &Kernels) -> Result<Self, CompileError> {
        let memory = executable(&code.bytes).map_err(|e| CompileError(e.to_string()))?;
        let kernels = Kernel::addresses(kernels);
        let (sizes, limits) = (Sizes::of(&plan), limits(&plan));
        Ok(Program { plan, code, memory, kernels, sizes, limits })
    }

    /// The plan that was compiled.
    pub fn plan(&self) -> &Verified<Plan> {
        &self.plan
    }

    /// How many statistics the downward half adds to.
    pub fn n_statistics(&self) -> usize {
        self.sizes.statistics as usize
    }

    /// Runs the upward steps over the arena's selected tiles, and sets their marks: bit s says that sample s
    /// must be computed by other means. The calling thread must have denormals off.
    ///
    /// # Panics
    /// When a buffer was made for another plan, and when the plan wants soft evidence that the arena hasn't.
    pub fn up(&self, inputs: Inputs, arena: &mut Arena) {
        let tiles = arena.tiles.clone();
        arena.marks[tiles].fill(0);
        self.run(&self.code.up, inputs, arena, &mut [], &[[0.0; TILE]; MAX_TILES]);
    }

    /// Runs the downward steps over what the upward steps left in the selected tiles, and adds to `flows`.
    /// Sums and mixtures get `d log p / d theta`, which times the parameter is the flow. The weights are those
    /// of the selected tiles, from the first on; samples that do not count must have none.
    ///
    /// # Panics
    /// As [`Program::up`], and when the plan is not for flows.
    pub fn down(&self, inputs: Inputs, arena: &mut Arena, flows: &mut [f32], weights: &SampleWeights) {
        assert_eq!(flows.len(), self.n_statistics(), "flows of this plan");
        self.run(&self.code.down, inputs, arena, flows, weights);
    }

    fn run(
        &self,
        functions: &[u32],
        inputs: Inputs,
        arena: &mut Arena,
        flows: &mut [f32],
        weights: &SampleWeights,
    ) {
        let Inputs { params, derived, guards } = inputs;
        self.check(inputs, arena);
        let [tiles, scratch] = arena.pointers();
        let given = arena.given_rows();
        let mut ahead = Ahead::NOTHING;
        let context = Context {
            tiles: Tiles {
                n: arena.tiles.len(),
                stride: arena.stride,
                lanes: arena.lanes,
                marks: arena.marks[arena.tiles.start..].as_mut_ptr(),
                ahead: &mut ahead,
            },
            kernels: self.kernels.as_ptr().cast(),
            params: params.values().as_ptr(),
            prepared: derived.prepared.as_ptr(),
            row_exponents: derived.row_exponents.as_ptr(),
            arena: tiles,
            scratch,
            flows: flows.as_mut_ptr(),
            guards: guards.as_ptr(),
            watched: derived.watch().is_small.as_ptr(),
            floors: derived.watch().floors.as_ptr(),
            rows: self.code.lists.rows.as_ptr(),
            factors: self.code.lists.factors.as_ptr(),
            normals: self.code.lists.normals.as_ptr(),
            weights: weights.as_ptr().cast(),
            given: &given,
        };
        for &start in functions {
            let function = self.memory[start as usize..].as_ptr();
            // SAFETY: a function of one pointer in the target's C convention starts there. It was emitted for
            // a verified plan: it touches rows of the selected tiles, scratch rows, and entries of the tables,
            // guards, lists and weights below the sizes that `check` compared with the plan's, and flows only
            // in the downward half, whose size `down` compared. Tiles hold only codes that the tables have, and
            // rows of soft evidence that there are.
            // All buffers outlive the call, and those written are borrowed exclusively.
            unsafe { std::mem::transmute::<*const u8, Function>(function)(&context) };
        }
    }

    fn check(&self, inputs: Inputs, arena: &Arena) {
        let (sizes, derived) = (self.sizes, inputs.derived);
        assert!(inputs.params.values().len() as u64 >= sizes.params, "parameters of this plan");
        assert_eq!(derived.prepared.len() as u64, sizes.prepared, "tables of this plan");
        assert_eq!(derived.row_exponents.len() as u64, sizes.row_exponents, "tables of this plan");
        assert_eq!(derived.watch().floors.len(), self.plan.tables.len(), "tables of this plan");
        assert_eq!(inputs.guards.len(), self.plan.guards.len(), "guards of this plan");
        let is_fit = arena.has_tiles_of(sizes.stride, sizes.scratch) && arena.limits == self.limits;
        assert!(is_fit, "an arena of this plan");
        assert!(arena.has_soft_rows_of(sizes.soft), "soft evidence for this plan");
    }
}

/// Copies code to memory that can be run but not written.
fn executable(code: &[u8]) -> std::io::Result<Mmap> {
    // No mapping is empty.
    let mut memory = MmapMut::map_anon(code.len().max(1))?;
    memory[..code.len()].copy_from_slice(code);
    let memory = memory.make_exec()?;
    publish(&memory)?;
    Ok(memory)
}

/// Lets the processor see new code: nothing to do where its caches do that.
#[cfg(target_arch = "x86_64")]
fn publish(_: &Mmap) -> std::io::Result<()> {
    Ok(())
}

/// Lets the processor see new code.
#[cfg(not(target_arch = "x86_64"))]
fn publish(memory: &Mmap) -> std::io::Result<()> {
    use wasmtime_internal_jit_icache_coherence::{clear_cache, pipeline_flush_mt};
    // SAFETY: the range is that of the mapping.
    unsafe { clear_cache(memory.as_ptr().cast(), memory.len()) }.map_err(std::io::Error::other)?;
    pipeline_flush_mt().map_err(std::io::Error::other)
}
