//! The one argument of emitted code: where everything lies.
//!
//! [`Context`] is laid out by C's rules; [`Field`] names a word of it and gives its offset, so that
//! emitted loads and the struct cannot disagree.

use pcc_kernels::{Factor, GivenRows, NormalLeaf, Tiles};
use std::mem::offset_of;

/// Addresses for one run over a bundle of tiles. Kernels that take [`Tiles`] are given the context's own
/// address.
#[repr(C)]
pub(crate) struct Context {
    /// The tiles of this run, with a word of marks for each: bit s says that sample s must be computed again
    /// in log space.
    pub(crate) tiles: Tiles,
    /// The addresses of the kernels, in the order of [`crate::kernel::Kernel`].
    pub(crate) kernels: *const *const u8,
    /// All parameters.
    pub(crate) params: *const f32,
    /// All prepared tables.
    pub(crate) prepared: *const f32,
    /// The exponents of the rows of tables that leaves look up.
    pub(crate) row_exponents: *const f32,
    /// The first tile: its evidence, then the plan's rows.
    pub(crate) arena: *mut f32,
    /// Rows outside the tiles, for kernels to work in.
    pub(crate) scratch: *mut f32,
    /// Statistics that flows are added to.
    pub(crate) flows: *mut f32,
    /// Guard bits of each of the plan's guards.
    pub(crate) guards: *const u64,
    /// For each table, whether terms of its sums must be watched.
    pub(crate) watched: *const u64,
    /// For each table, its smallest positive number.
    pub(crate) floors: *const f32,
    /// Lists of arena rows, for steps over single units.
    pub(crate) rows: *const u32,
    /// Lists of the factors of products.
    pub(crate) factors: *const Factor,
    /// Lists of normal leaves.
    pub(crate) normals: *const NormalLeaf,
    /// The weight of each sample, tile by tile.
    pub(crate) weights: *const f32,
    /// The soft evidence of the samples.
    pub(crate) given: *const GivenRows,
}

/// A word of the context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    /// The number of tiles.
    TileCount,
    /// Numbers between a row of a tile and the same row of the next.
    Stride,
    Marks,
    Kernels,
    Params,
    Prepared,
    RowExponents,
    Arena,
    Scratch,
    Flows,
    Guards,
    Watched,
    Floors,
    Rows,
    Factors,
    Normals,
    Weights,
    Given,
}

impl Field {
    /// How many there are.
    pub(crate) const COUNT: usize = Field::Given as usize + 1;

    /// Its offset in [`Context`], in bytes.
    pub(crate) fn offset(self) -> usize {
        match self {
            Field::TileCount => offset_of!(Context, tiles.n),
            Field::Stride => offset_of!(Context, tiles.stride),
            Field::Marks => offset_of!(Context, tiles.marks),
            Field::Kernels => offset_of!(Context, kernels),
            Field::Params => offset_of!(Context, params),
            Field::Prepared => offset_of!(Context, prepared),
            Field::RowExponents => offset_of!(Context, row_exponents),
            Field::Arena => offset_of!(Context, arena),
            Field::Scratch => offset_of!(Context, scratch),
            Field::Flows => offset_of!(Context, flows),
            Field::Guards => offset_of!(Context, guards),
            Field::Watched => offset_of!(Context, watched),
            Field::Floors => offset_of!(Context, floors),
            Field::Rows => offset_of!(Context, rows),
            Field::Factors => offset_of!(Context, factors),
            Field::Normals => offset_of!(Context, normals),
            Field::Weights => offset_of!(Context, weights),
            Field::Given => offset_of!(Context, given),
        }
    }
}

const _: () = assert!(offset_of!(Context, tiles) == 0, "a context's address is that of its tiles");
