//! The tape: a circuit's units in the order in which they are computed, checked once.

use super::down::Down;
use super::up::Up;
use super::{ONE, Row, UnitKernels};

/// One unit: a sum over the terms that follow those of the unit before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct UnitSum {
    /// The row that it goes to.
    pub out: u32,
    /// How many terms it has.
    pub n_terms: u32,
}

/// The two rows whose product a term is.
pub type Term = [u32; 2];

/// A circuit as a list of sums of products of two rows. All rows it names exist.
#[derive(Clone, Debug)]
pub struct Tape {
    n_rows: usize,
    sums: Vec<UnitSum>,
    terms: Vec<Term>,
}

/// Where each term's statistics are added: a place for each term of a tape, or [`Links::NOWHERE`].
#[derive(Clone, Debug)]
pub struct Links {
    places: Vec<u32>,
    n_places: usize,
}

impl Links {
    /// The place of a term whose statistics nobody wants.
    pub const NOWHERE: u32 = u32::MAX;

    /// Places of all terms, in their order.
    pub fn new(places: Vec<u32>) -> Self {
        let used = places.iter().filter(|&&place| place != Self::NOWHERE);
        let n_places = used.max().map_or(0, |&last| last as usize + 1);
        Links { places, n_places }
    }

    /// Whether no term has a place.
    pub fn is_empty(&self) -> bool {
        self.n_places == 0
    }
}

impl Tape {
    /// A tape over rows of which [`ONE`] holds ones and is never written.
    ///
    /// # Panics
    /// When a row is out of bounds, [`ONE`] is written, or the terms are not as many as the sums say: tapes
    /// are made by pcc alone.
    pub fn new(n_rows: usize, sums: Vec<UnitSum>, terms: Vec<Term>) -> Self {
        let n_terms: usize = sums.iter().map(|sum| sum.n_terms as usize).sum();
        assert_eq!(n_terms, terms.len(), "a tape has as many terms as its sums say");
        let is_row = |row: u32| (row as usize) < n_rows;
        assert!(sums.iter().all(|sum| is_row(sum.out) && sum.out != ONE), "a sum's row is out of bounds");
        assert!(terms.iter().all(|term| is_row(term[0]) && is_row(term[1])), "a term's row is out of bounds");
        Tape { n_rows, sums, terms }
    }

    /// How many rows it runs over.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Its sums, children first.
    pub fn sums(&self) -> &[UnitSum] {
        &self.sums
    }

    /// The terms of all sums.
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// Computes all units. `weights` has one number for each term; without it all are 1.
    /// Returns bit s when sample s must be computed in another way: some value left the range.
    pub fn up(&self, kernels: &UnitKernels, weights: Option<&[f64]>, rows: &mut [Row]) -> u8 {
        assert!(rows.len() >= self.n_rows, "there is a row for every unit");
        let weights = self.weights(weights);
        let up = Up { sums: &self.sums, terms: self.terms.as_ptr(), weights, rows: rows.as_mut_ptr().cast() };
        // SAFETY: the tape was checked against `n_rows`, and a table is only handed out where its
        // instructions exist.
        unsafe { (kernels.up)(up) }
    }

    /// The way down: from derivatives of all outputs, those of all units that a unit reads, and statistics.
    ///
    /// `derivatives` comes in with all zeros but at the outputs, and goes out with all zeros but at the rows
    /// that are no unit of the tape, the leaves ([`ONE`] holds nothing of meaning). With `stats`, every
    /// term's share, derivative times term, is added over all samples at the term's place; units of value
    /// zero then pass nothing on, so that what is added is finite. Rows of samples that do not count must be
    /// finite all the same, and their derivatives 0.
    pub fn down(
        &self,
        kernels: &UnitKernels,
        weights: Option<&[f64]>,
        rows: &[Row],
        derivatives: &mut [Row],
        stats: Option<(&Links, &mut [f64])>,
    ) {
        assert!(rows.len().min(derivatives.len()) >= self.n_rows, "there is a row for every unit");
        let (places, stats) = match stats {
            None => (std::ptr::null(), std::ptr::null_mut()),
            Some((links, stats)) => {
                assert_eq!(links.places.len(), self.terms.len(), "there is a link for every term");
                assert!(stats.len() >= links.n_places, "there is a place for every statistic");
                (links.places.as_ptr(), stats.as_mut_ptr())
            }
        };
        let down = Down {
            sums: &self.sums,
            terms: self.terms.as_ptr(),
            n_terms: self.terms.len(),
            weights: self.weights(weights),
            rows: rows.as_ptr().cast(),
            derivatives: derivatives.as_mut_ptr().cast(),
            places,
            stats,
        };
        // SAFETY: as for `up`; places were checked against the statistics.
        unsafe { (kernels.down)(down) }
    }

    fn weights(&self, weights: Option<&[f64]>) -> *const f64 {
        let Some(weights) = weights else { return std::ptr::null() };
        assert_eq!(weights.len(), self.terms.len(), "there is a weight for every term");
        weights.as_ptr()
    }
}
