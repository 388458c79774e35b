//! The one argument of emitted code: where everything lies.
//!
//! [`Context`] is laid out by C's rules; [`Field`] names a pointer of it and gives its offset, so that
//! emitted loads and the struct cannot disagree.

use std::mem::offset_of;

/// Addresses for one run over one tile.
#[repr(C)]
pub(crate) struct Context {
    /// All parameters.
    pub(crate) params: *const f32,
    /// All prepared tables.
    pub(crate) prepared: *const f32,
    /// The arena: rows of 64.
    pub(crate) arena: *mut f32,
    /// Evidence words, `[variable][64]`.
    pub(crate) evidence: *const u32,
    /// Statistics that flows are added to.
    pub(crate) flows: *mut f32,
    /// Bit s: sample s must be computed again in log space.
    pub(crate) marks: *mut u64,
    /// Guard bits of each of the plan's guards.
    pub(crate) guards: *const u64,
    /// For each table, whether terms of its sums must be watched.
    pub(crate) watched: *const u64,
    /// For each table, its smallest positive number.
    pub(crate) floors: *const f32,
    /// Lists of arena rows, for steps over single units.
    pub(crate) rows: *const u32,
    /// The weight of each sample.
    pub(crate) weights: *const f32,
}

/// A pointer of the context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Params,
    Prepared,
    Arena,
    Evidence,
    Flows,
    Marks,
    Guards,
    Watched,
    Floors,
    Rows,
    Weights,
}

impl Field {
    /// How many there are.
    pub(crate) const COUNT: usize = Field::Weights as usize + 1;

    /// Its offset in [`Context`], in bytes.
    pub(crate) fn offset(self) -> usize {
        match self {
            Field::Params => offset_of!(Context, params),
            Field::Prepared => offset_of!(Context, prepared),
            Field::Arena => offset_of!(Context, arena),
            Field::Evidence => offset_of!(Context, evidence),
            Field::Flows => offset_of!(Context, flows),
            Field::Marks => offset_of!(Context, marks),
            Field::Guards => offset_of!(Context, guards),
            Field::Watched => offset_of!(Context, watched),
            Field::Floors => offset_of!(Context, floors),
            Field::Rows => offset_of!(Context, rows),
            Field::Weights => offset_of!(Context, weights),
        }
    }
}
