//! The working memory of one thread: a bundle of tiles, each its evidence and then the plan's rows.
//!
//! In: rows of evidence ([`Arena::pack`], [`Arena::give`]). Out: what a run left in a tile. Kernels index tables by the codes
//! found here, so every code is checked on its way in: one that a table lacks is stored as missing and its
//! sample reported, to be computed by other means.

use crate::log::log;
use pcc_ir::plan::{Factor, Plan, Step, TILE};
use pcc_ir::{BlockId, MISSING, SoftRows, SoftTable, VarId};
use pcc_kernels::{GivenRows, Loops, MAX_TILES, PACKED, at_full_width};
use std::ops::Range;
use std::sync::Arc;

/// Words between two boundaries of a cache line.
const LINE: usize = 16;

/// Working memory for up to [`MAX_TILES`] tiles. It takes up memory only where it is written to.
pub struct Arena {
    /// The tiles, `stride` words apart, then rows for kernels to work in.
    words: Vec<u32>,
    /// Where the first tile starts: at a cache line.
    first: usize,
    /// Words of a tile.
    pub(crate) stride: usize,
    /// How many tiles there is room for.
    n_tiles: usize,
    /// Tiles that the next run is over.
    pub(crate) tiles: Range<usize>,
    /// Samples of each that count.
    pub(crate) lanes: usize,
    /// Of each tile, the samples that guards marked.
    pub(crate) marks: [u64; MAX_TILES],
    /// For each variable, how many codes evidence may have.
    pub(crate) limits: Vec<u32>,
    /// What samples know softly, if anything.
    soft: Option<Arc<SoftTable>>,
    /// Of each tile, each sample's row of it.
    soft_rows: [[u32; TILE]; MAX_TILES],
}

impl Arena {
    /// Room for `n_tiles` tiles of a plan, of which the next run is over all.
    ///
    /// # Panics
    /// When they are none or more than [`MAX_TILES`].
    pub fn of(plan: &Plan, n_tiles: usize) -> Self {
        assert!((1..=MAX_TILES).contains(&n_tiles), "{n_tiles} tiles of a bundle");
        let stride = stride(plan);
        let words = vec![0; (stride + scratch(plan)) * n_tiles + LINE];
        let first = words.as_ptr().align_offset(LINE * size_of::<u32>()).min(LINE);
        let marks = [0; MAX_TILES];
        Arena {
            words,
            first,
            stride,
            n_tiles,
            tiles: 0..n_tiles,
            lanes: TILE,
            marks,
            limits: limits(plan),
            soft: None,
            soft_rows: [[0; TILE]; MAX_TILES],
        }
    }

    /// How many tiles there is room for.
    pub fn n_tiles(&self) -> usize {
        self.n_tiles
    }

    /// Chooses the tiles that the next run is over, and how many samples of each count.
    ///
    /// # Panics
    /// When there are none or no such tiles, or `lanes` is not 16, 32 or 64.
    pub fn select(&mut self, tiles: Range<usize>, lanes: usize) {
        assert!(!tiles.is_empty() && tiles.end <= self.n_tiles, "tiles {tiles:?} of {}", self.n_tiles);
        assert!(matches!(lanes, 16 | 32 | 64), "{lanes} samples of a tile");
        (self.tiles, self.lanes) = (tiles, lanes);
    }

    /// The samples of a tile that the last run's guards marked.
    pub fn marks(&self, tile: usize) -> u64 {
        self.marks[tile]
    }

    /// Fills a tile's samples with rows of words, one word for each variable, one row after another; samples
    /// past the last row, up to `lanes`, repeat the first. Returns the samples in which a word is no row of
    /// the variable's tables; there it is missing.
    ///
    /// # Panics
    /// When there are no rows, or more than `lanes`.
    pub fn pack(&mut self, tile: usize, rows: &[u32], lanes: usize) -> u64 {
        let n_variables = self.limits.len();
        let n = rows.len().checked_div(n_variables).unwrap_or(1);
        assert!((1..=lanes).contains(&n) && lanes <= TILE, "{n} rows for {lanes} samples");
        assert_eq!(rows.len(), n * n_variables, "a row has one word for each variable");
        let evidence = self.evidence(tile);
        let row = |sample: usize| {
            let row = if sample < n { sample } else { 0 };
            &rows[row * n_variables..][..n_variables]
        };
        for first in (0..lanes).step_by(PACKED) {
            let rows = std::array::from_fn(|i| row(first + i));
            pcc_kernels::pack(rows, first, &mut self.words[evidence.clone()]);
        }
        let refused = at_full_width(Refused { rows, limits: &self.limits });
        if refused != 0 {
            let is_bad = |sample: &usize| refused >> if *sample < n { *sample } else { 0 } & 1 == 1;
            (0..lanes).filter(is_bad).for_each(|sample| self.forget_unknown(tile, sample));
        }
        refused
    }

    /// Gives a tile's samples the soft evidence of some rows of a batch; samples past the last, up to `lanes`,
    /// repeat the first. All tiles of a run must have that of one table.
    ///
    /// # Panics
    /// When there are no rows, or more than `lanes`.
    pub fn give(&mut self, tile: usize, soft: &SoftRows, rows: Range<usize>, lanes: usize) {
        assert!(
            (1..=lanes).contains(&rows.len()) && lanes <= TILE,
            "{} rows for {lanes} samples",
            rows.len()
        );
        if !self.soft.as_ref().is_some_and(|own| Arc::ptr_eq(own, soft.table())) {
            self.soft = Some(soft.table().clone());
            self.soft_rows = [[0; TILE]; MAX_TILES];
        }
        let rows = &soft.rows()[rows];
        for (sample, own) in self.soft_rows[tile][..lanes].iter_mut().enumerate() {
            *own = rows.get(sample).copied().unwrap_or(rows[0]);
        }
    }

    /// The soft evidence of the selected tiles. The rows are those of the table that is held here.
    pub(crate) fn given_rows(&self) -> GivenRows {
        let (weights, exponents) =
            self.soft.as_ref().map_or((&[][..], &[][..]), |t| (t.weights(), t.exponents()));
        GivenRows {
            weights: weights.as_ptr(),
            exponents: exponents.as_ptr(),
            row_len: self.soft.as_ref().map_or(0, |table| table.row_len()),
            n_slots: self.soft.as_ref().map_or(0, |table| table.variables().len()),
            rows: self.soft_rows[self.tiles.start..].as_ptr().cast(),
        }
    }

    /// Whether every sample has so many weights and exponents at least.
    pub(crate) fn has_soft_rows_of(&self, (weights, exponents): (usize, usize)) -> bool {
        let is_enough = |table: &Arc<SoftTable>| {
            table.n_rows() > 0 && table.row_len() >= weights && table.variables().len() >= exponents
        };
        exponents == 0 || self.soft.as_ref().is_some_and(is_enough)
    }

    /// Makes a sample's words missing where tables lack them.
    fn forget_unknown(&mut self, tile: usize, sample: usize) {
        let evidence = self.evidence(tile);
        let words = self.words[evidence].iter_mut().skip(sample).step_by(TILE);
        let unknown = words.zip(&self.limits).filter(|(word, limit)| !is_known(**word, **limit));
        unknown.for_each(|(word, _)| *word = MISSING);
    }

    /// Makes a sample equal to another; both are a tile and a place in it.
    pub fn copy_sample(&mut self, from: (usize, usize), to: (usize, usize)) {
        let (source, target) = (self.evidence(from.0), self.evidence(to.0));
        for row in (0..source.len()).step_by(TILE) {
            self.words[target.start + row + to.1] = self.words[source.start + row + from.1];
        }
        self.soft_rows[to.0][to.1] = self.soft_rows[from.0][from.1];
    }

    /// The words of a variable, one for each sample of a tile.
    pub fn words(&self, tile: usize, var: VarId) -> &[u32] {
        &self.words[self.evidence(tile)][var.index() * TILE..][..TILE]
    }

    fn evidence(&self, tile: usize) -> Range<usize> {
        assert!(tile < self.n_tiles, "tile {tile} of {}", self.n_tiles);
        let first = self.first + tile * self.stride;
        first..first + self.limits.len() * TILE
    }

    fn row(&self, tile: usize, row: u32) -> impl Iterator<Item = f32> {
        let first = self.evidence(tile).end + row as usize * TILE;
        self.words[first..first + TILE].iter().map(|&word| f32::from_bits(word))
    }

    /// The natural logarithm of a unit's value for each sample of a tile; exact zeros give minus infinity.
    pub fn logs(&self, plan: &Plan, tile: usize, block: BlockId, unit: u32) -> [f64; TILE] {
        let mut logs = [0.0; TILE];
        self.write_logs(plan, tile, block, unit, &mut logs);
        logs
    }

    /// The same for as many samples as there is room for.
    pub fn write_logs(&self, plan: &Plan, tile: usize, block: BlockId, unit: u32, logs: &mut [f64]) {
        let mantissas = self.row(tile, plan.mantissas(block) + unit);
        let exponents = self.row(tile, plan.exponents(block) + unit / plan.block(block).width);
        logs.iter_mut().zip(mantissas.zip(exponents)).for_each(|(to, (m, e))| *to = log(m, e));
    }

    /// Bit s: the unit's mantissa at sample s is positive but under 2^-120, at the end of what `f32` can hold
    /// beside its group's largest.
    pub fn faint(&self, plan: &Plan, tile: usize, block: BlockId, unit: u32) -> u64 {
        let mantissas = self.row(tile, plan.mantissas(block) + unit);
        let is_faint = |m: f32| u64::from(m > 0.0 && m < FAINT);
        mantissas.enumerate().fold(0, |bits, (s, m)| bits | is_faint(m) << s)
    }

    /// Where the selected tiles start, and the rows that kernels may work in.
    pub(crate) fn pointers(&mut self) -> [*mut f32; 2] {
        let first = self.first + self.tiles.start * self.stride;
        let scratch = self.first + self.n_tiles * self.stride;
        [first, scratch].map(|place| self.words[place..].as_mut_ptr().cast())
    }

    /// Whether its tiles have so many words, and so many more each for kernels to work in.
    pub(crate) fn has_tiles_of(&self, stride: usize, scratch: usize) -> bool {
        let room = self.words.len() - self.first - self.n_tiles * self.stride;
        self.stride == stride && room >= scratch * self.n_tiles
    }
}

/// Positive mantissas under this may have been raised or rounded on the way.
const FAINT: f32 = f32::from_bits((127 - 120) << 23);

/// Words of a tile. The same row of four tiles must not fall on the same lines of the first-level cache, whose
/// ways are 4 KiB, 16 rows.
pub(crate) fn stride(plan: &Plan) -> usize {
    let rows = plan.n_variables as usize + plan.arena_rows as usize;
    let padding = (20 - rows % 16) % 16;
    (rows + padding) * TILE
}

/// Words for kernels to work in, for each tile.
pub(crate) fn scratch(plan: &Plan) -> usize {
    plan.scratch_rows() as usize * TILE
}

/// For each variable, how many codes all tables over it have.
pub(crate) fn limits(plan: &Plan) -> Vec<u32> {
    let mut limits = vec![MISSING; plan.n_variables as usize];
    for step in &plan.steps {
        let factors: &[Factor] = if let Step::Multiply { factors, .. } = step { factors } else { &[] };
        let mut leaves: Vec<_> = factors.iter().filter_map(|factor| factor.leaf()).collect();
        if let Step::GatherDown { var, table, .. } = *step {
            leaves.push((var, table));
        }
        for (var, table) in leaves {
            let limit = &mut limits[var.index()];
            *limit = plan.table(table).rows.min(*limit);
        }
    }
    limits
}

/// Whether a word is missing or a code that tables have.
#[inline(always)]
fn is_known(word: u32, limit: u32) -> bool {
    (word < limit) | (word == MISSING)
}

/// Bit s: row s has a word that is neither missing nor under its variable's limit.
struct Refused<'a> {
    rows: &'a [u32],
    limits: &'a [u32],
}

impl Loops for Refused<'_> {
    type Output = u64;

    #[inline(always)]
    fn run(self) -> u64 {
        let mut refused = 0;
        for (sample, row) in self.rows.chunks_exact(self.limits.len().max(1)).enumerate() {
            let words = row.iter().zip(self.limits);
            let n_unknown: u32 = words.map(|(&word, &limit)| u32::from(!is_known(word, limit))).sum();
            refused |= u64::from(n_unknown != 0) << sample;
        }
        refused
    }
}
