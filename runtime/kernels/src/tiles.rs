//! What the kernels for layers are told besides sizes: which tiles they run over, and the factors of a
//! product.
//!
//! In and out: plain C structs that emitted code and its caller fill. Nothing here computes.

/// The most tiles that a kernel runs over in one call: weights are read once for all of them.
pub const MAX_TILES: usize = 8;

/// In a [`Factor`]'s `exponent`: the factor is a discrete leaf, looked up in its table.
pub const LEAF: u32 = u32::MAX;

/// The tiles that a kernel runs over, one after another in memory.
///
/// Pointers to rows that go with it are those of the first tile.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Tiles {
    /// How many there are, at most [`MAX_TILES`].
    pub n: usize,
    /// Numbers between a row of one tile and the same row of the next.
    pub stride: usize,
    /// How many samples of each tile count: 16, 32 or 64. Of the others nothing is read that is an index,
    /// nothing is added to statistics and nothing is marked.
    pub lanes: usize,
    /// One word of marks for each tile.
    pub marks: *mut u64,
    /// Table rows that will be needed soon, of the one thread that runs; null where nobody notes them.
    pub ahead: *mut Ahead,
}

/// Table rows that coming kernels will look up, for a matrix product to ask memory for while it computes.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Ahead {
    /// How many are noted.
    n: usize,
    notes: [Note; Ahead::MOST],
}

/// A table, and what will be read of it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Note {
    /// Numbers in a row.
    pub(crate) units: usize,
    /// The codes of the first tile, which choose rows; null where all rows will be read.
    pub(crate) codes: *const u32,
    pub(crate) table: *const f32,
    /// How many times to ask: for the row of each code, or for each line of the table.
    pub(crate) n_asks: usize,
}

impl Ahead {
    /// What is noted beyond this is forgotten: it is looked up without having been asked for.
    const MOST: usize = 4;

    /// Nothing noted.
    pub const NOTHING: Ahead = Ahead { n: 0, notes: [Note::NOTHING; Ahead::MOST] };

    pub(crate) fn note(&mut self, note: Note) {
        if let Some(place) = self.notes.get_mut(self.n) {
            *place = note;
            self.n += 1;
        }
    }

    /// Takes what was noted last.
    pub(crate) fn next(&mut self) -> Option<Note> {
        self.n = self.n.checked_sub(1)?;
        Some(self.notes[self.n])
    }

    /// How many times to ask for all that is noted.
    pub(crate) fn n_asks(&self) -> usize {
        self.notes[..self.n].iter().map(|note| note.n_asks).sum()
    }
}

impl Note {
    pub(crate) const NOTHING: Note =
        Note { units: 0, codes: std::ptr::null(), table: std::ptr::null(), n_asks: 0 };
}

impl Default for Ahead {
    fn default() -> Self {
        Ahead::NOTHING
    }
}

/// A factor of a product: a group of a block, or a discrete leaf.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Factor {
    /// Of a group its first mantissa row, of a leaf the row of its evidence words; rows of 64 from the base.
    pub rows: u32,
    /// Of a group its exponent row; [`LEAF`] of a leaf.
    pub exponent: u32,
    /// Where a leaf's table starts in `tables`, `[value][unit]`, linear probabilities, none over `2^8`.
    pub table: u64,
    /// Where a leaf's exponents start in `row_exponents`: for each value `floor(log2)` of its largest
    /// probability, anything where that is 0.
    pub row_exponents: u64,
}

/// A normal leaf of a product.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct NormalLeaf {
    /// The row of its values, from the base.
    pub row: u32,
    /// Where its table starts in `tables`.
    pub table: u64,
    /// Where its statistics start; for the downward pass.
    pub stats: u64,
}

/// Soft evidence for the samples of a bundle: rows of a table of weights.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct GivenRows {
    /// `row_len` numbers for each row: mantissas, or where negative binary logarithms of weights under `2^-125`.
    pub weights: *const f32,
    /// `n_slots` exponents for each row; [`ZERO_EXPONENT`](crate::ZERO_EXPONENT) where all weights are zero.
    pub exponents: *const f32,
    /// Numbers from a row of weights to the next.
    pub row_len: usize,
    /// Numbers from a row of exponents to the next.
    pub n_slots: usize,
    /// The row of each sample that counts, [`TILE`](crate::TILE) for each tile.
    pub rows: *const u32,
}
