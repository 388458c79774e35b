//! Dense, row and leaf kernels behind one tile contract.
//!
//! Compiled circuits spend nearly all their time here: emitted code passes sizes and addresses, a
//! kernel does wide arithmetic on one batch tile, or on a bundle of them, and returns.
//! In: a [`Kernels`] table, chosen once for the CPU ([`kernels`]) or by name ([`tier`]).
//! Out: numbers in the caller's buffers, and marks for samples that need a second, slower pass.
//! A kernel never allocates, never locks, never looks at a circuit, and never panics; whoever calls it
//! answers for sizes and addresses.
//!
//! # The tile contract
//!
//! - A *tile* is [`TILE`] samples. A *row* is one unit over a tile: 64 contiguous `f32`, 64-byte
//!   aligned for speed (no kernel relies on it). `n` units are `n * 64` contiguous `f32`.
//! - Numbers are *scaled linear*: a group of units has one mantissa row for each unit and one
//!   exponent row, integer-valued `f32`; the value of unit `u` at sample `s` is
//!   `mantissa[u][s] * 2^exponent[s]`. A group counts as normalised when the largest mantissa of each
//!   sample is in `[2^-8, 2^8)`: at the usual layer nothing has to be rescaled. Where something has,
//!   the largest comes to `[1, 2)`.
//! - A *bundle* is a few tiles one after another, at one distance ([`Tiles`]). The kernels for layers run
//!   over a bundle, so that weights are read once for all of its tiles; the others run over one tile.
//! - A *zero group*, all mantissas of a sample exactly 0, has the exponent [`ZERO_EXPONENT`]. Sums of
//!   exponents keep it far below every ordinary exponent, so a plain maximum skips zero groups.
//! - Codes (discrete values) are `u32`, [`MISSING`] for a value that is not observed; real values are
//!   `f32`, NaN for a value that is not observed.
//! - Exact zeros stay zeros. Denormals are flushed: threads that call kernels hold the guard that
//!   [`denormals_off`] returns. Weights and tables hold no denormals.
//! - `marks` is one `u64` for the tile; a kernel sets bit `s` when sample `s` must be computed again
//!   in log space, and never clears one. What a marked sample's rows hold is finite and means nothing; on
//!   the way down it gets no flow, and a flow of 0 stays 0.
//!
//! # What is marked
//!
//! f32 mantissas lose what lies under `2^-126`, which matters when all that dominates it is later
//! multiplied by zero. The rules, chosen by the `guard` bits and each conservative:
//!
//! - [`GUARD_MAXIMUM`], products: the largest entry falls under `2^-60` although some unit was positive in
//!   the factors so far.
//! - [`GUARD_ENTRY`], products: factors are positive and their product is under `2^-120`.
//!   Needed where a group feeds a sum with weights under `2^-40` or structural zeros.
//! - Products of more than two factors: the whole fell by more than `2^56` under the product of its factors'
//!   maxima, or is all zero though some unit is positive in every factor.
//! - Sums: a positive entry is under `2^-100`, or under `2^-120` of the group's largest. A sum loses at most
//!   `k * 2^-126` to flushing, hence at `2^-100` a relative `k * 2^-26`; and no ratio of a flow to such a sum
//!   exceeds `2^100`. Where the table is watched: an entry became 0 although a term was positive.
//! - [`GUARD_ENTRY`], [`Kernels::align`]: a positive value is flushed.
//! - [`GUARD_RAISE`], where sums alone read a group: nothing is marked for a tiny entry. One that the last
//!   factor makes less than `2^-125`, or that aligning makes less than `2^-126`, stays positive: it is raised
//!   to at most that. Entries that tiny before the last of three or more factors are marked as for
//!   [`GUARD_ENTRY`], since the last may make them the largest.
//! - Always: a largest entry over `2^100`, an exponent beyond `2^23` in size (sums of two stay exact in
//!   `f32`).
//!
//! Raising is sound because the weights of a sum are at most 1 together. A sum of `2^-100` or more moves by at
//! most a relative `2^-25`, and so does what its terms get of its flow; one that is positive and less is
//! marked by the rule for sums; and one that became 0 is found where the table is watched, as its terms are
//! positive still.
//!
//! Products of at most four factors are formed in one pass, and accepted as they are when the largest entry
//! of every sample is at least `2^-40` and, where entries matter, every one `2^-100`: what was flushed on the
//! way is then under `2^-126` times `2^8` for each of at most two further factors, so under `2^-70` of the
//! largest. Only where that fails are they formed again factor by factor, by the rules above. Sums are
//! watched while they are in registers, and looked through again only where one is under `2^-100` or a
//! largest has left `[2^-8, 2^8)`.

mod denormals;
mod evidence;
mod kernel;
mod lanes;
mod peak;
pub mod single;
mod table;
mod tier;
mod tiles;
pub mod units;
mod widest;

pub use denormals::{DenormalsOff, denormals_off};
pub use evidence::pack;
pub use peak::Multiplication;
pub use table::Kernels;
pub use tier::{Tier, kernels, tier};
pub use tiles::{Ahead, Factor, GivenRows, LEAF, MAX_TILES, NormalLeaf, Tiles};
pub use widest::{Loops, at_full_width};

/// Samples in a tile, and `f32` values in a row.
pub const TILE: usize = 64;

/// Rows of data that are turned into samples of a tile together: a cache line of words.
pub const PACKED: usize = 16;

/// The code of a discrete value that is not observed.
pub const MISSING: u32 = u32::MAX;

/// In a table of flow rows: the child needs no flow.
pub const NO_FLOW: u32 = u32::MAX;

/// The exponent of a zero group: `-2^30`, exact in `f32`, and below every ordinary exponent by so much
/// that adding ordinary exponents or further zero exponents keeps it below `-2^29`.
pub const ZERO_EXPONENT: f32 = -1_073_741_824.0;

/// Guard bit: mark a product group whose largest entry is positive but under `2^-60`.
pub const GUARD_MAXIMUM: usize = 1;

/// Guard bit: mark tiny positive entries; the rule for products and the one for sums are in the crate's
/// documentation.
pub const GUARD_ENTRY: usize = 2;

/// Guard bit: keep tiny positive entries positive instead of marking them; for groups that sums alone read.
pub const GUARD_RAISE: usize = 4;
