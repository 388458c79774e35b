//! Programs for circuits of single units: each unit a sum of products of two rows.
//!
//! A circuit whose layers are single units (a PSDD, an SDD, a learned tree) is too fine for a step, a call
//! and a guard for each layer: a million of them would take seconds to compile. Its program is plain data
//! instead, units one after another in the order in which they are computed.
//!
//! In: a graph (of any width; wide layers are taken apart) and what the program is for. Out: a
//! [`UnitProgram`]. Nothing here knows parameters or evidence: a term says where its weight lies.
//!
//! - before: `e = prod(a, b)` with one parent → after: no unit of its own, but the term `a * b` of its
//!   parent; products of more factors get units for pairs of them ([`flatten`]).
//! - before: any order of layers → after: units of one scope that several units read lie together, scopes
//!   in depth-first order, and a unit with one reader is computed just before it ([`order`]). A sum of many
//!   such terms is computed piece by piece, so that what it reads never has to leave the cache.
//! - In a forward program rows are used again as soon as they are free ([`rows`]); in one for flows every
//!   unit keeps its row.

mod flatten;
mod memory;
mod order;
mod resolve;
mod rows;

pub use memory::SAMPLES_OF_A_ROW;

use crate::{Graph, ParamId, ParamShape, VarId};

/// The row that always holds ones.
pub const ONE_ROW: u32 = 0;

/// The place of a weight that is 1, or of a statistic that is not gathered.
pub const NO_PLACE: u32 = u32::MAX;

/// What a program is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UnitOptions {
    /// Whether every unit keeps its row, as the way down needs it.
    pub is_for_flows: bool,
    /// Whether the values of each variable's literals are known to sum to 1, as those of an observed
    /// variable do. Fixed sums with weights 1 over all values of a variable, which make an SDD smooth, are
    /// then left out.
    pub do_totals_vanish: bool,
}

impl UnitOptions {
    /// For the likelihoods of rows that know every variable.
    pub fn forward(graph: &Graph) -> Self {
        UnitOptions { is_for_flows: false, do_totals_vanish: has_totals(graph) }
    }

    /// For flows and derivatives.
    pub const FLOWS: UnitOptions = UnitOptions { is_for_flows: true, do_totals_vanish: false };
}

/// A unit that reads evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnitLeaf {
    /// The indicator of a value.
    Literal {
        /// The variable.
        var: VarId,
        /// The code of the value.
        value: u32,
    },
    /// A distribution of a family.
    Input {
        /// The variable.
        var: VarId,
        /// Its table.
        param: ParamId,
        /// The group of the table.
        table: u32,
        /// The unit within the group.
        unit: u32,
    },
}

/// One unit: the sum of the terms that follow those of the unit before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnitSum {
    /// The row that it goes to.
    pub out: u32,
    /// How many terms it has.
    pub n_terms: u32,
}

/// Where a term's weight lies and where its statistics go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TermPlaces {
    /// The place in [`crate::Params::values`], or [`NO_PLACE`].
    pub weight: u32,
    /// The place in [`crate::Flows::values`], or [`NO_PLACE`].
    pub stat: u32,
}

/// A circuit as sums of products of two rows. Row [`ONE_ROW`] holds ones, those after it the leaves.
#[derive(Clone, Debug)]
pub struct UnitProgram {
    /// What it is for.
    pub options: UnitOptions,
    /// How many rows there are.
    pub n_rows: usize,
    /// The leaves; the i-th has row `i + 1`.
    pub leaves: Vec<UnitLeaf>,
    /// All other units, children first.
    pub sums: Vec<UnitSum>,
    /// The rows that each term multiplies.
    pub terms: Vec<[u32; 2]>,
    /// Weights and statistics of the terms.
    pub places: Vec<TermPlaces>,
    /// The row of the circuit's value, once all sums are computed.
    pub root: u32,
}

/// A circuit with more units or parameters than 32 bits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyUnits;

impl std::fmt::Display for TooManyUnits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the circuit has more units or parameters than 2^31")
    }
}

impl std::error::Error for TooManyUnits {}

/// Makes the program of a circuit.
///
/// # Errors
/// When the circuit is too large to be counted in 32 bits.
pub fn unit_program(graph: &Graph, options: UnitOptions) -> Result<UnitProgram, TooManyUnits> {
    let units = resolve::Units::of(graph, options.do_totals_vanish)?;
    let flat = flatten::flatten(&units)?;
    Ok(order::order(flat, options))
}

/// Whether a circuit has sums that [`UnitOptions::do_totals_vanish`] leaves out.
pub fn has_totals(graph: &Graph) -> bool {
    graph.layer_ids().any(|id| resolve::is_total(graph, id))
}

/// Whether a circuit is so irregular that a program of units suits it: its layers have one unit each, or
/// nearly all of them, or hardly any edges are left of its sums.
pub fn is_irregular(graph: &Graph) -> bool {
    let n_units: usize = graph.layer_ids().map(|id| graph.n_units(id)).sum();
    4 * n_units <= 5 * graph.n_layers() || is_mostly_pruned(graph)
}

/// A dense kernel multiplies so many weights, zeros or not, in the time in which a program of units takes one edge.
const WEIGHTS_OF_AN_EDGE: u64 = 16;

fn is_mostly_pruned(graph: &Graph) -> bool {
    let tables = graph.params().iter().filter(|param| !matches!(param.shape, ParamShape::Input { .. }));
    let (all, live) = tables.fold((0, 0), |sum, param| (sum.0 + param.len(), sum.1 + param.n_live()));
    graph.is_pruned() && live as u64 * WEIGHTS_OF_AN_EDGE < all as u64
}
