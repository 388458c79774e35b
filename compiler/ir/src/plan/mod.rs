//! The layered plan: what a CPU runs for one tile of samples.
//!
//! A plan is a straight list of steps over *blocks*. A block is a layer's units for one tile, as scaled
//! linear numbers: `groups * width` mantissa rows, then one exponent row for each group; the value of a
//! unit is its mantissa times two to the exponent of its group. Blocks and flows lie in *buffers*, ranges
//! of rows in one arena; buffers whose lives do not overlap share rows.
//! The first [`Plan::n_up`] steps go from the leaves to the root, the others back down with flows. Few blocks
//! are kept for the way down: among its steps are some that compute a block again just before it is read.
//!
//! In: a graph, by [`crate::graph_to_plan`], or text. Out: text ([`Plan`] is `Display`), or a [`Verified`]
//! plan, the only thing that code generation accepts.
//! Nothing here may compute a number of the circuit or know an instruction set.

mod cost;
mod field;
mod memory;
mod print;
mod read;
mod step;
mod verify;

pub use cost::Cost;
pub(crate) use memory::first_within;
pub use memory::{Memory, Run};
pub use read::ReadError;
pub use step::{Access, Factor, FlowInto, Step};
pub use verify::{Fault, Verified, verify};

use crate::{BlockId, BufferId, ParamId};

/// Samples in a tile.
pub const TILE: usize = 64;

/// Bytes of a row of the arena.
pub const ROW_BYTES: u64 = TILE as u64 * 4;

/// Rows after which an address has the same low twelve bits, by which a core tells loads from earlier stores
/// and finds the set of a first-level cache.
pub(crate) const PAGE_ROWS: u64 = 4096 / ROW_BYTES;

/// Rows, modulo [`PAGE_ROWS`], from a tile to the next: four tiles are evenly spread.
const TILE_PHASE: u64 = PAGE_ROWS / 4;

/// What a plan is for; decides how long a value is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// The root's value alone: few live buffers.
    Forward,
    /// The root's value, then the flows of all tables.
    Flows,
    /// Every layer's value, all kept to the end.
    Values,
}

impl Mode {
    /// All modes.
    pub const ALL: [Mode; 3] = [Mode::Forward, Mode::Flows, Mode::Values];

    /// Its word in text.
    pub fn word(self) -> &'static str {
        match self {
            Mode::Forward => "forward",
            Mode::Flows => "flows",
            Mode::Values => "values",
        }
    }
}

/// The units of a layer for one tile: see the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Groups, each with an exponent of its own.
    pub groups: u32,
    /// Units of a group.
    pub width: u32,
    /// Mantissa rows, then exponent rows.
    pub buffer: BufferId,
}

impl Block {
    /// Mantissa rows.
    pub fn units(&self) -> u32 {
        self.groups * self.width
    }

    /// Mantissa and exponent rows.
    pub fn rows(&self) -> u32 {
        self.units() + self.groups
    }
}

/// A range of rows of [`TILE`] samples in the arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buffer {
    /// How many.
    pub rows: u32,
    /// The first.
    pub first: u32,
}

/// Where a table's numbers come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// They are parameters.
    Params,
    /// They are computed from parameters by the family's `prepare`.
    Prepared,
}

/// A table that steps read, one for each parameter of the graph, in the same order. Each group is
/// `rows * columns` numbers, row-major: weights by unit and input, masses by value and unit, or the three
/// prepared rows of a normal. Its statistics have the same shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    /// Which array holds it.
    pub source: Source,
    /// Where it starts there.
    pub start: u64,
    /// Rows of a group.
    pub rows: u32,
    /// Columns of a group.
    pub columns: u32,
    /// Groups with numbers of their own; group `g` of a layer of `G` reads the group `g * groups / G`.
    pub groups: u32,
    /// Where its statistics start among all flows.
    pub stats: u64,
}

impl Table {
    /// Numbers of one group.
    pub fn group_len(&self) -> u64 {
        u64::from(self.rows) * u64::from(self.columns)
    }

    /// Numbers of all groups.
    pub fn len(&self) -> u64 {
        self.group_len() * u64::from(self.groups)
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// When the entries of a product, and not just their maximum, are watched for underflow: when something
/// further up may cancel what dominates them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Guard {
    /// Whatever the weights are: because a part of a group is read by itself, because the product is a factor
    /// of another or an alternative of a mix, because there are too many tables, or because every block is kept.
    pub is_always: bool,
    /// While one of these tables has weights under 2^-40, zeros included.
    pub tables: Box<[ParamId]>,
}

/// A program for one tile: see the module.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What it is for.
    pub mode: Mode,
    /// Variables of the graph: rows of the evidence tile.
    pub n_variables: u32,
    /// Tables of the graph.
    pub tables: Vec<Table>,
    /// Conditions that products name by position.
    pub guards: Vec<Guard>,
    /// Blocks.
    pub blocks: Vec<Block>,
    /// Buffers.
    pub buffers: Vec<Buffer>,
    /// Rows of the arena.
    pub arena_rows: u32,
    /// Steps, upward ones first.
    pub steps: Vec<Step>,
    /// How many steps go up.
    pub n_up: u32,
    /// The block whose one unit is the circuit.
    pub root: BlockId,
    /// The block of each layer of the graph; `None` where the layer is the constant one, or a leaf that is only
    /// a factor of a product. In a plan for values no leaf is.
    pub layers: Vec<Option<BlockId>>,
}

impl Plan {
    /// The steps from the leaves to the root.
    pub fn up(&self) -> &[Step] {
        &self.steps[..self.n_up as usize]
    }

    /// The steps from the root to the leaves.
    pub fn down(&self) -> &[Step] {
        &self.steps[self.n_up as usize..]
    }

    /// The block of an id.
    pub fn block(&self, id: BlockId) -> Block {
        self.blocks[id.index()]
    }

    /// The buffer of an id.
    pub fn buffer(&self, id: BufferId) -> Buffer {
        self.buffers[id.index()]
    }

    /// The table of a parameter.
    pub fn table(&self, id: ParamId) -> Table {
        self.tables[id.index()]
    }

    /// The first mantissa row of a block in the arena.
    pub fn mantissas(&self, id: BlockId) -> u32 {
        self.buffer(self.block(id).buffer).first
    }

    /// The first exponent row of a block in the arena.
    pub fn exponents(&self, id: BlockId) -> u32 {
        self.mantissas(id) + self.block(id).units()
    }

    /// How many groups a leaf has whose values or flow lie in that many rows.
    pub fn leaf_groups(&self, table: ParamId, rows: u32) -> u32 {
        rows / self.table(table).columns
    }

    /// Weights and exponents that a row's soft evidence must have at least.
    pub fn soft_sizes(&self) -> (usize, usize) {
        let sizes = self.steps.iter().filter_map(|step| match *step {
            Step::Given { out, first, slot, .. } => {
                Some((first as usize + self.block(out).width as usize, slot as usize + 1))
            }
            _ => None,
        });
        sizes.fold((0, 0), |(weights, exponents), (w, e)| (weights.max(w), exponents.max(e)))
    }

    /// Rows that a step needs for one tile outside the arena, one such place for each thread: for the downward
    /// step of a sum a row for each unit of an `out` group, and twice as many as the child's group has units,
    /// rounded up to 16; for that of normal leaves as many as a group has units, rounded up likewise.
    pub fn scratch_rows(&self) -> u32 {
        let rows = |step: &Step| match *step {
            Step::SumDown { out, child, .. } => {
                self.block(out).width + 2 * self.block(child).width.next_multiple_of(16)
            }
            Step::NormalDown { .. } | Step::NormalProductDown { .. } => {
                let widths = step.leaves().into_iter().map(|(_, table)| self.table(table).columns);
                widths.max().unwrap_or(0).next_multiple_of(16)
            }
            _ => 0,
        };
        self.down().iter().map(rows).max().unwrap_or(0)
    }

    /// Rows from a tile's evidence to that of the next: a row of evidence words for each variable, then the
    /// arena, then as many as it takes for the same rows of four tiles to lie apart in the cache.
    pub fn tile_rows(&self) -> u64 {
        let rows = u64::from(self.n_variables) + u64::from(self.arena_rows);
        rows + (TILE_PHASE + PAGE_ROWS - rows % PAGE_ROWS) % PAGE_ROWS
    }

    /// Bytes of the arena and the evidence of one tile.
    pub fn arena_bytes(&self) -> u64 {
        self.tile_rows() * ROW_BYTES
    }

    /// How many numbers are in the tables of a source.
    pub fn source_len(&self, source: Source) -> u64 {
        let ends = self.tables.iter().filter(|t| t.source == source).map(|t| t.start + t.len());
        ends.max().unwrap_or(0)
    }

    /// How many statistics the flows of all tables have.
    pub fn stats_len(&self) -> u64 {
        self.tables.iter().map(|t| t.stats + t.len()).max().unwrap_or(0)
    }
}
