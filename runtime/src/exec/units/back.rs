//! The way down of derivatives as a tape.
//!
//! The derivative of a unit is a sum over its readers: the reader's derivative times the weight times the other
//! factor. So it is computed as values are, by a tape over twice the rows, those of derivatives after those of
//! values. Each row is written once; to add to derivatives where they lie would make each addition to one row
//! wait for the last.
//!
//! In: a tape in which all units keep their rows. Out: that tape, and the weights of its terms.

use pcc_kernels::units::{ONE, Row, Tape, Term, UnitKernels, UnitSum};

/// A tape for derivatives.
pub(super) struct Back {
    tape: Tape,
    /// Which term of the way up each term is about.
    term_of: Vec<u32>,
    /// None where all are 1.
    weights: Option<Vec<f64>>,
}

impl Back {
    /// The way down of a tape, with weights 1.
    pub(super) fn of(tape: &Tape) -> Self {
        let (n_rows, readers) = (tape.n_rows(), Readers::of(tape));
        let derivative = |row: u32| row + n_rows as u32;
        let (mut sums, mut terms, mut term_of) = (Vec::new(), Vec::new(), Vec::new());
        let mut is_unit = vec![false; n_rows];
        tape.sums().iter().for_each(|sum| is_unit[sum.out as usize] = true);
        let units = tape.sums().iter().rev().map(|sum| sum.out);
        let leaves = (ONE + 1..n_rows as u32).filter(|&row| !is_unit[row as usize]);
        for row in units.chain(leaves) {
            let own = readers.of_row(row);
            if own.is_empty() {
                // The root's derivative is given.
                continue;
            }
            sums.push(UnitSum { out: derivative(row), n_terms: own.len() as u32 });
            terms.extend(own.iter().map(|reader| [derivative(reader.unit), reader.other]));
            term_of.extend(own.iter().map(|reader| reader.term));
        }
        Back { tape: Tape::new(2 * n_rows, sums, terms), term_of, weights: None }
    }

    /// Takes over the weights of the way up.
    pub(super) fn set_weights(&mut self, weights: Option<&[f64]>) {
        let own = |weights: &[f64]| self.term_of.iter().map(|&term| weights[term as usize]).collect();
        self.weights = weights.map(own);
    }

    /// Computes all derivatives from that of the root, which stands in its row. What leaves the range of plain
    /// numbers is for the caller to find.
    pub(super) fn run(&self, kernels: &UnitKernels, rows: &mut [Row]) {
        self.tape.up(kernels, self.weights.as_deref(), rows);
    }
}

/// One term that reads a row.
#[derive(Clone, Copy, Default)]
struct Reader {
    unit: u32,
    other: u32,
    term: u32,
}

/// All readers of all rows, row by row.
struct Readers {
    starts: Vec<u32>,
    readers: Vec<Reader>,
}

impl Readers {
    fn of(tape: &Tape) -> Self {
        let mut starts = vec![0; tape.n_rows() + 1];
        read(tape, |row, _| starts[row as usize + 1] += 1);
        (1..starts.len()).for_each(|row| starts[row] += starts[row - 1]);
        let mut readers = vec![Reader::default(); starts[tape.n_rows()] as usize];
        let mut next = starts.clone();
        read(tape, |row, reader| {
            readers[next[row as usize] as usize] = reader;
            next[row as usize] += 1;
        });
        Readers { starts, readers }
    }

    fn of_row(&self, row: u32) -> &[Reader] {
        &self.readers[self.starts[row as usize] as usize..self.starts[row as usize + 1] as usize]
    }
}

/// Calls `visit` with each row that is read and its reader, from the last term to the first.
fn read(tape: &Tape, mut visit: impl FnMut(u32, Reader)) {
    let mut end = tape.terms().len();
    for sum in tape.sums().iter().rev() {
        for term in end - sum.n_terms as usize..end {
            let [a, b]: Term = tape.terms()[term];
            for (row, other) in [(a, b), (b, a)].into_iter().filter(|&(row, _)| row != ONE) {
                visit(row, Reader { unit: sum.out, other, term: term as u32 });
            }
        }
        end -= sum.n_terms as usize;
    }
}
