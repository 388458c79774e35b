//! Programs for one pattern of evidence: batches in which the same variables are unknown in every row.
//!
//! In: a batch, and the program that takes any evidence. Out: a program without what is one over the unknown
//! variables, where it saves more time than compiling it takes. Which program a batch gets depends on the batch
//! and the weights alone, never on earlier batches, so that equal batches have equal bits.
//! Such a program reads the same tables, and which layers it leaves out depends only on which tables have
//! weights that add up to one: learning changes nothing in it.

use super::CpuOptions;
use super::engine::{Engine, plan};
use pcc_cpu::DerivedTables;
use pcc_ir::lower::Options;
use pcc_ir::plan::Mode;
use pcc_ir::{Batch, Graph, MISSING, ParamId, ParamShape, Params, Scope, VarId};
use pcc_kernels::{Kernels, Loops, at_full_width};

/// Operations that take as long as compiling a step, about ten microseconds.
const FLOPS_OF_A_STEP: u64 = 500_000;

/// A batch is looked at when it takes this share of the time that compiling the whole circuit would: smaller
/// ones gain only where next to nothing is known, and looking for that would cost them more.
const LEAST_SHARE: u64 = 8;

/// Patterns that are kept; of more, those used longest ago go.
const MOST_KEPT: usize = 4;

/// How far the weights of a unit may be from one in all and count as adding up to it. Weights in 32 bits are
/// off by a tenth of that.
const LARGEST_DEVIATION: f64 = 1e-6;

/// The patterns that were met.
#[derive(Default)]
pub(super) struct Patterns {
    /// The one used last is last.
    kept: Vec<Pattern>,
    /// Whether the weights of each table add up to one; unknown when they have changed.
    normalised: Option<Vec<bool>>,
}

/// What is unknown, and what can be saved by that.
struct Pattern {
    unknown: Scope,
    /// What the program was made for.
    normalised: Vec<bool>,
    /// Operations for each row.
    flops: u64,
    n_steps: u64,
    /// Compiled when first worth while.
    engine: Option<Engine>,
}

/// What programs are made from.
#[derive(Clone, Copy)]
pub(super) struct Circuit<'a> {
    pub(super) graph: &'a Graph,
    pub(super) params: &'a Params,
    pub(super) derived: &'a DerivedTables,
    pub(super) kernels: &'static Kernels,
    pub(super) options: &'a CpuOptions,
}

impl Patterns {
    /// Takes note that weights have changed.
    pub(super) fn forget_weights(&mut self) {
        self.normalised = None;
    }

    /// The program for the likelihoods of a batch that the program for any evidence would take longer for,
    /// compiling included.
    pub(super) fn engine(&mut self, circuit: Circuit, whole: &Engine, batch: &Batch) -> Option<&Engine> {
        if batch.soft().is_some() {
            return None;
        }
        let n_rows = batch.n_rows() as u64;
        let most_saved = n_rows.saturating_mul(whole.flops);
        let n_steps = whole.program.plan().steps.len() as u64;
        if most_saved < n_steps * FLOPS_OF_A_STEP / LEAST_SHARE {
            return None;
        }
        let unknown = unknown(circuit.graph, batch)?;
        let pattern = self.pattern(circuit, unknown)?;
        let saved = n_rows.saturating_mul(whole.flops.saturating_sub(pattern.flops));
        if saved <= pattern.n_steps * FLOPS_OF_A_STEP {
            return None;
        }
        pattern.engine(circuit, whole)
    }

    /// What is known of a pattern, found out when it is first met. None where it can't be lowered, as the
    /// whole circuit can.
    fn pattern(&mut self, circuit: Circuit, unknown: Scope) -> Option<&mut Pattern> {
        let normalised = self.normalised.get_or_insert_with(|| normalised(circuit.graph, circuit.params));
        let is_same = |pattern: &Pattern| pattern.unknown == unknown && pattern.normalised == *normalised;
        let pattern = match self.kept.iter().position(is_same) {
            Some(position) => self.kept.remove(position),
            None => Pattern::of(circuit, unknown, normalised.clone())?,
        };
        if self.kept.len() == MOST_KEPT {
            self.kept.remove(0);
        }
        self.kept.push(pattern);
        self.kept.last_mut()
    }
}

impl Pattern {
    fn of(circuit: Circuit, unknown: Scope, normalised: Vec<bool>) -> Option<Self> {
        let plan = plan(circuit.graph, lowering(&unknown, &normalised)).ok()?;
        let (flops, n_steps) = (plan.cost().flops_up, plan.steps.len() as u64);
        Some(Pattern { unknown, normalised, flops, n_steps, engine: None })
    }

    /// Its program, brought up to date with the weights. None where there is no memory for it.
    fn engine(&mut self, circuit: Circuit, whole: &Engine) -> Option<&Engine> {
        if self.engine.is_none() {
            let plan = plan(circuit.graph, lowering(&self.unknown, &self.normalised)).ok()?;
            let Circuit { graph, kernels, options, .. } = circuit;
            self.engine = Engine::of(graph, plan, whole.purpose.clone(), kernels, options).ok();
        }
        let engine = self.engine.as_mut()?;
        engine.watch(circuit.derived);
        Some(engine)
    }
}

fn lowering(unknown: &Scope, normalised: &[bool]) -> Options {
    Options {
        mode: Mode::Forward,
        unobserved: unknown.clone(),
        are_normals_joined: true,
        normalised: normalised.to_vec(),
        given: Vec::new(),
        kept: Vec::new(),
    }
}

/// The variables that no row knows, unless all of them are latent.
fn unknown(graph: &Graph, batch: &Batch) -> Option<Scope> {
    let is_latent = |var: usize| graph.variable(VarId::new(var)).is_latent;
    let mut unknown: Vec<usize> = (0..batch.n_variables()).collect();
    for row in 0..batch.n_rows() {
        let row = batch.row(row);
        unknown.retain(|&var| row[var] == MISSING);
        if unknown.iter().all(|&var| is_latent(var)) {
            return None;
        }
    }
    let mut scope = Scope::empty(batch.n_variables());
    unknown.into_iter().for_each(|var| scope.insert(VarId::new(var)));
    Some(scope)
}

/// Whether the weights of each table add up to one for every unit.
fn normalised(graph: &Graph, params: &Params) -> Vec<bool> {
    let table = |(i, param): (usize, &pcc_ir::Param)| {
        let columns = match param.shape {
            ParamShape::Sum { columns, .. } => columns,
            ParamShape::Mix { children, .. } => children,
            ParamShape::Input { .. } => return false,
        };
        let weights = params.table(ParamId::new(i));
        at_full_width(Deviation { weights, columns: columns as usize }) <= LARGEST_DEVIATION
    };
    graph.params().iter().enumerate().map(table).collect()
}

/// The weights of a table, row by row.
struct Deviation<'a> {
    weights: &'a [f32],
    columns: usize,
}

impl Loops for Deviation<'_> {
    /// How far the sum of a row is from one, at most; infinite where one is no number.
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        let deviation = |row: &[f32]| (total(row) - 1.0).abs();
        let larger = |most: f64, x: f64| if x <= most { most } else { x };
        let most = self.weights.chunks_exact(self.columns).map(deviation).fold(0.0, larger);
        if most.is_nan() { f64::INFINITY } else { most }
    }
}

/// The sum of a row, eight numbers at a time.
#[inline(always)]
fn total(row: &[f32]) -> f64 {
    let mut sums = [0.0; 8];
    let (strips, rest) = row.as_chunks::<8>();
    for strip in strips {
        sums.iter_mut().zip(strip).for_each(|(sum, &x)| *sum += f64::from(x));
    }
    sums.iter().sum::<f64>() + rest.iter().map(|&x| f64::from(x)).sum::<f64>()
}

#[cfg(test)]
mod tests;
