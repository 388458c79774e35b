//! The only place of this crate that calls emitted code.
//!
//! In: a compiled plan, and buffers whose sizes are checked here against it. Out: numbers in the arena and
//! in the flows, and the tile's marks.

use crate::context::Context;
use crate::{DerivedTables, Tile};
use cranelift::jit::JITModule;
use pcc_ir::plan::{Plan, Source, TILE};
use pcc_ir::{BlockId, Params, Verified};

/// One row of a tile.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Row([f32; TILE]);

/// The working memory of one thread for one plan.
pub struct Arena {
    rows: Vec<Row>,
}

impl Arena {
    /// An arena of the plan's size.
    pub fn of(plan: &Plan) -> Self {
        Arena { rows: vec![Row([0.0; TILE]); plan.arena_rows as usize] }
    }

    /// One row.
    pub fn row(&self, row: u32) -> &[f32; TILE] {
        &self.rows[row as usize].0
    }

    /// The natural logarithm of a unit's value for each sample; exact zeros give minus infinity.
    pub fn logs(&self, plan: &Plan, block: BlockId, unit: u32) -> [f64; TILE] {
        let mantissas = self.row(plan.mantissas(block) + unit);
        let exponents = self.row(plan.exponents(block) + unit / plan.block(block).width);
        std::array::from_fn(|s| log(mantissas[s], exponents[s]))
    }

    /// Bit s: the unit's mantissa at sample s is positive but under 2^-120, at the end of what `f32` can hold
    /// beside its group's largest.
    pub fn faint(&self, plan: &Plan, block: BlockId, unit: u32) -> u64 {
        let mantissas = self.row(plan.mantissas(block) + unit);
        let is_faint = |m: f32| u64::from(m > 0.0 && m < FAINT);
        mantissas.iter().enumerate().fold(0, |bits, (s, &m)| bits | is_faint(m) << s)
    }
}

/// Positive mantissas under this may have been raised or rounded on the way.
const FAINT: f32 = f32::from_bits((127 - 120) << 23);

fn log(mantissa: f32, exponent: f32) -> f64 {
    match mantissa {
        0.0 => f64::NEG_INFINITY,
        _ => f64::from(mantissa).ln() + f64::from(exponent) * std::f64::consts::LN_2,
    }
}

type Entry = unsafe extern "C" fn(*const Context);

/// A compiled plan.
pub struct Program {
    plan: Verified<Plan>,
    /// Owns the machine code that `up` and `down` point into; `None` only while it is dropped.
    module: Option<JITModule>,
    up: Entry,
    down: Entry,
    /// Lists of arena rows that steps over single units read.
    rows: Vec<u32>,
    /// For each variable, how many codes evidence may have.
    limits: Vec<u32>,
}

// SAFETY: the module is never changed after `compile` finished it, and is only read (its code is run)
// until it is dropped; the code keeps no state of its own and writes only through the context.
unsafe impl Send for Program {}
// SAFETY: as above; concurrent runs write to the arenas and flows of their own callers.
unsafe impl Sync for Program {}

impl Program {
    /// Wraps finished code. `up` and `down` must be the entries that `module` holds for this plan and these
    /// row lists.
    pub(crate) fn new(
        plan: Verified<Plan>,
        module: JITModule,
        entries: [*const u8; 2],
        rows: Vec<u32>,
    ) -> Self {
        // SAFETY: both functions were declared with one pointer argument and the target's C convention.
        let [up, down] = entries.map(|entry| unsafe { std::mem::transmute::<*const u8, Entry>(entry) });
        let limits = Tile::limits(&plan);
        Program { plan, module: Some(module), up, down, rows, limits }
    }

    /// The plan that was compiled.
    pub fn plan(&self) -> &Verified<Plan> {
        &self.plan
    }

    /// Runs the upward steps; the calling thread must have denormals off. Returns the marks: bit s says that sample s must be computed by other means.
    ///
    /// # Panics
    /// When a buffer was made for another plan.
    pub fn up(
        &self,
        params: &Params,
        derived: &DerivedTables,
        guards: &[u64],
        tile: &Tile,
        arena: &mut Arena,
    ) -> u64 {
        self.run(self.up, params, derived, guards, tile, arena, &mut [], &[0.0; TILE])
    }

    /// Runs the downward steps over what the upward steps left in the arena, and adds to `flows`. Sums and
    /// mixtures get `d log p / d theta`, which times the parameter is the flow.
    ///
    /// # Panics
    /// As [`Program::up`], and when the plan is not for flows.
    pub fn down(
        &self,
        params: &Params,
        derived: &DerivedTables,
        guards: &[u64],
        tile: &Tile,
        arena: &mut Arena,
        flows: &mut [f32],
        weights: &[f32; TILE],
    ) {
        assert_eq!(flows.len() as u64, self.plan.stats_len(), "flows of this plan");
        self.run(self.down, params, derived, guards, tile, arena, flows, weights);
    }

    fn run(
        &self,
        entry: Entry,
        params: &Params,
        derived: &DerivedTables,
        guards: &[u64],
        tile: &Tile,
        arena: &mut Arena,
        flows: &mut [f32],
        weights: &[f32; TILE],
    ) -> u64 {
        let (evidence, limits) = tile.parts();
        let plan = &self.plan;
        assert!(params.values().len() as u64 >= plan.source_len(Source::Params), "parameters of this plan");
        assert_eq!(derived.prepared.len() as u64, plan.source_len(Source::Prepared), "tables of this plan");
        assert_eq!(derived.watch().floors.len(), plan.tables.len(), "tables of this plan");
        assert_eq!(guards.len(), plan.guards.len(), "guards of this plan");
        assert_eq!(arena.rows.len(), plan.arena_rows as usize, "an arena of this plan");
        assert_eq!(limits, self.limits, "evidence of this plan");
        let mut marks = 0_u64;
        let context = Context {
            params: params.values().as_ptr(),
            prepared: derived.prepared.as_ptr(),
            arena: arena.rows.as_mut_ptr().cast(),
            evidence: evidence.as_ptr(),
            flows: flows.as_mut_ptr(),
            marks: &mut marks,
            guards: guards.as_ptr(),
            watched: derived.watch().is_small.as_ptr(),
            floors: derived.watch().floors.as_ptr(),
            rows: self.rows.as_ptr(),
            weights: weights.as_ptr(),
        };
        // SAFETY: the code was emitted for a verified plan: it touches rows of the arena, entries of the
        // tables, guards, row lists and evidence below the sizes that were just compared with the plan's,
        // and flows only in the downward half, whose size `down` compared. A tile holds only codes that
        // its tables have. All buffers outlive the call, and those written are borrowed exclusively.
        unsafe { entry(&context) };
        marks
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Some(module) = self.module.take() {
            // SAFETY: `up` and `down` are private and are never called again.
            unsafe { module.free_memory() };
        }
    }
}
