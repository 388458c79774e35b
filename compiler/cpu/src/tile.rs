//! Evidence for one tile, as kernels read it: `[variable][64]` words.
//!
//! Kernels index tables by the codes found here, so every code is checked on its way in: one that a table
//! lacks is refused and stored as missing, and the caller must compute that sample by other means.

use pcc_ir::plan::{Plan, Step, TILE};
use pcc_ir::{MISSING, VarId};

/// Evidence of [`TILE`] samples.
#[derive(Clone, Debug)]
pub struct Tile {
    words: Vec<u32>,
    /// For each variable, the number of codes that all tables over it have.
    limits: Vec<u32>,
}

impl Tile {
    /// A tile for the plan in which nothing is known.
    pub fn of(plan: &Plan) -> Self {
        let limits = Tile::limits(plan);
        Tile { words: vec![MISSING; limits.len() * TILE], limits }
    }

    /// For each variable, how many codes all tables over it have.
    pub(crate) fn limits(plan: &Plan) -> Vec<u32> {
        let mut limits = vec![MISSING; plan.n_variables as usize];
        for step in plan.up() {
            if let Step::Gather { var, table, .. } = step {
                let limit = &mut limits[var.index()];
                *limit = plan.table(*table).rows.min(*limit);
            }
        }
        limits
    }

    /// Fills a sample with a row of words, one for each variable. Returns whether all were accepted; a code
    /// that is no row of the variable's tables becomes missing.
    #[must_use]
    pub fn set(&mut self, sample: usize, row: &[u32]) -> bool {
        assert!(sample < TILE && row.len() == self.limits.len(), "a row has one word for each variable");
        let mut is_whole = true;
        for (var, (&word, &limit)) in row.iter().zip(&self.limits).enumerate() {
            let is_known = word < limit || word == MISSING;
            self.words[var * TILE + sample] = if is_known { word } else { MISSING };
            is_whole &= is_known;
        }
        is_whole
    }

    /// Makes all values of a sample missing.
    pub fn clear(&mut self, sample: usize) {
        self.words.iter_mut().skip(sample).step_by(TILE).for_each(|word| *word = MISSING);
    }

    /// Makes a sample equal to another.
    pub fn copy(&mut self, from: usize, to: usize) {
        for words in self.words.chunks_exact_mut(TILE) {
            words[to] = words[from];
        }
    }

    /// The word of a variable and sample.
    pub fn word(&self, var: VarId, sample: usize) -> u32 {
        self.words[var.index() * TILE + sample]
    }

    /// All words, and for each variable how many codes its tables have.
    pub(crate) fn parts(&self) -> (&[u32], &[u32]) {
        (&self.words, &self.limits)
    }
}
