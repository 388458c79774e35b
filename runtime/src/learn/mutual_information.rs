//! Pairwise mutual information, in nats.
//!
//! For discrete variables it is that of the joint counts c(u, v) with `pseudocount` imaginary observations
//! spread evenly over the cells of each pair: with x = c + pseudocount / cells, g(x) = x ln x, and T the
//! total, I = (sum g(x_uv) - sum g(x_u) - sum g(x_v)) / T + ln T. Rows in which one of the two is missing
//! don't count. For real variables it is that of two Gaussians with the correlation r of the data,
//! I = -ln(1 - r^2) / 2.
//!
//! Cost: the rows of the rarer variable's values other than its most frequent one, twice, for each pair; what
//! the most frequent value leaves over is found by subtraction. No table of all cells is ever made.

use super::view::View;
use pcc_diag::{Diagnostic, Span};
use pcc_ir::recipe::ChowLiuOptions;
use pcc_ir::{Domain, MISSING};

/// Mutual information of all pairs, in the order (0, 1), (0, 2), .., (1, 2), ..
///
/// # Errors
/// `mixed-domains` when some variables are real and others are not, `too-many-values` when a variable has
/// more than a million.
pub fn mutual_information(view: &View, options: &ChowLiuOptions, span: Span) -> Result<Vec<f64>, Diagnostic> {
    let n = view.n_variables();
    let n_rows = options.max_rows.map_or(view.n_rows(), |most| most.min(view.n_rows() as u64) as usize);
    let n_real = (0..n).filter(|&v| view.domain(v) == Domain::Real).count();
    match n_real {
        0 => {
            let column =
                |v| Discrete::of(view, v, n_rows, options.bits).ok_or_else(|| too_many(view, v, span));
            let columns: Vec<Discrete> = (0..n).map(column).collect::<Result<_, _>>()?;
            let pair = |counter: &mut Counter, a: usize, b: usize| {
                counter.pair(&columns[a], &columns[b], options.pseudocount)
            };
            Ok(all_pairs(n, || Counter::new(n_rows), pair))
        }
        all if all == n => {
            let columns: Vec<Vec<f32>> = (0..n).map(|v| reals(view, v, n_rows)).collect();
            Ok(all_pairs(n, || (), |(), a, b| gaussian_pair(&columns[a], &columns[b])))
        }
        _ => Err(Diagnostic::error(
            "mixed-domains",
            format!("`{}` mixes real and discrete variables, which chow_liu can't compare", view.name()),
        )
        .at(span, "asked for here")
        .help("learn one tree for each kind of variable")),
    }
}

/// Computes every pair, on all processors; a pair's number does not depend on who computes it.
fn all_pairs<S>(
    n: usize,
    scratch: impl Fn() -> S + Sync,
    pair: impl Fn(&mut S, usize, usize) -> f64 + Sync,
) -> Vec<f64> {
    let mut all = vec![0.0; n * n.saturating_sub(1) / 2];
    let mut rows: Vec<(usize, &mut [f64])> = Vec::with_capacity(n);
    let mut rest = all.as_mut_slice();
    for a in 0..n.saturating_sub(1) {
        let (row, after) = rest.split_at_mut(n - 1 - a);
        rows.push((a, row));
        rest = after;
    }
    let queue = std::sync::Mutex::new(rows);
    let work = || {
        let mut scratch = scratch();
        while let Some((a, row)) = { queue.lock().expect("no worker panics").pop() } {
            for (i, information) in row.iter_mut().enumerate() {
                *information = pair(&mut scratch, a, a + 1 + i);
            }
        }
    };
    let n_threads = std::thread::available_parallelism().map_or(1, usize::from).min(n);
    std::thread::scope(|scope| {
        for _ in 0..n_threads {
            scope.spawn(work);
        }
    });
    all
}

/// The most values that are counted apart.
const MOST_CODES: usize = 1 << 20;

fn too_many(view: &View, variable: usize, span: Span) -> Diagnostic {
    let message = format!(
        "variable {variable} of `{}` has more than {MOST_CODES} values, which chow_liu can't count",
        view.name()
    );
    Diagnostic::error("too-many-values", message)
        .at(span, "asked for here")
        .help("cut the values to their highest bits with `bits = ..`")
}

/// A column of small codes, grouped by code.
struct Discrete {
    /// The code of each row; `n_codes` stands for a missing value.
    codes: Vec<u32>,
    n_codes: usize,
    /// How often each code stands, the missing value last.
    counts: Vec<u32>,
    /// The most frequent code.
    mode: u32,
    /// The rows of every other code, code by code.
    others: Vec<(u32, Vec<u32>)>,
}

impl Discrete {
    /// The first rows of a variable, or `None` when there are too many values to count.
    fn of(view: &View, variable: usize, n_rows: usize, bits: Option<u32>) -> Option<Self> {
        let words = view.column(variable, n_rows);
        let largest = words.iter().copied().filter(|&w| w != MISSING).max().unwrap_or(0);
        let bound = view.domain(variable).n_values().unwrap_or(largest + 1).max(1);
        let width = u32::BITS - (bound - 1).leading_zeros();
        let cut = bits.map_or(0, |bits| width.saturating_sub(bits));
        let n_codes = (bound - 1).checked_shr(cut).unwrap_or(0) as usize + 1;
        let code = |w: u32| if w == MISSING { n_codes as u32 } else { w.checked_shr(cut).unwrap_or(0) };
        (n_codes <= MOST_CODES).then(|| Self::grouped(words.into_iter().map(code).collect(), n_codes))
    }

    fn grouped(codes: Vec<u32>, n_codes: usize) -> Self {
        let mut counts = vec![0; n_codes + 1];
        codes.iter().for_each(|&code| counts[code as usize] += 1);
        let mode = (0..=n_codes).rev().max_by_key(|&code| counts[code]).unwrap_or(0) as u32;
        let mut rows_of: Vec<Vec<u32>> = counts.iter().map(|&c| Vec::with_capacity(c as usize)).collect();
        for (row, &code) in codes.iter().enumerate().filter(|&(_, &code)| code != mode) {
            rows_of[code as usize].push(row as u32);
        }
        let others = rows_of.into_iter().enumerate().filter(|(_, rows)| !rows.is_empty());
        let others = others.map(|(code, rows)| (code as u32, rows)).collect();
        Discrete { codes, n_codes, counts, mode, others }
    }

    fn n_others(&self) -> usize {
        self.codes.len() - self.counts[self.mode as usize] as usize
    }
}

/// x ln x for x = a whole count plus a share, kept from pair to pair as long as the share is the same.
struct Memo {
    share: f64,
    known: Vec<f64>,
}

impl Memo {
    fn new(n_rows: usize) -> Self {
        Memo { share: f64::NAN, known: vec![f64::NAN; n_rows + 1] }
    }

    fn set_share(&mut self, share: f64) {
        if self.share != share {
            self.share = share;
            self.known.fill(f64::NAN);
        }
    }

    fn of(&mut self, count: u32) -> f64 {
        let known = &mut self.known[count as usize];
        if known.is_nan() {
            *known = x_ln_x(f64::from(count) + self.share);
        }
        *known
    }

    fn sum_of(&mut self, counts: &[u32]) -> f64 {
        counts.iter().map(|&count| self.of(count)).sum()
    }
}

fn x_ln_x(x: f64) -> f64 {
    if x > 0.0 { x * x.ln() } else { 0.0 }
}

/// Counts one pair at a time.
struct Counter {
    /// How often each code of b stands beside one code of a; all zero in between.
    joint: Vec<u32>,
    /// How often each code of b stands beside the most frequent code of a: what the others leave over.
    rest: Vec<u32>,
    /// How often each code stands where the other variable is known.
    margin_a: Vec<u32>,
    margin_b: Vec<u32>,
    /// The sum of g over the cells with observations, and how many cells those are.
    sum: f64,
    n_cells: usize,
    of_cell: Memo,
    of_a: Memo,
    of_b: Memo,
}

impl Counter {
    fn new(n_rows: usize) -> Self {
        let memo = || Memo::new(n_rows);
        let none = Vec::new;
        Counter {
            joint: none(),
            rest: none(),
            margin_a: none(),
            margin_b: none(),
            sum: 0.0,
            n_cells: 0,
            of_cell: memo(),
            of_a: memo(),
            of_b: memo(),
        }
    }

    fn pair(&mut self, a: &Discrete, b: &Discrete, pseudocount: f64) -> f64 {
        let (a, b) = if a.n_others() <= b.n_others() { (a, b) } else { (b, a) };
        let cells = a.n_codes as f64 * b.n_codes as f64;
        let share = pseudocount / cells;
        self.of_cell.set_share(share);
        self.of_a.set_share(share * b.n_codes as f64);
        self.of_b.set_share(share * a.n_codes as f64);
        self.count(a, b);
        let known: u64 = self.margin_a[..a.n_codes].iter().map(|&c| u64::from(c)).sum();
        let total = known as f64 + pseudocount;
        if total <= 0.0 {
            return 0.0;
        }
        let joint = self.sum + (cells - self.n_cells as f64) * x_ln_x(share);
        let apart =
            self.of_a.sum_of(&self.margin_a[..a.n_codes]) + self.of_b.sum_of(&self.margin_b[..b.n_codes]);
        // Rounding may leave the information of independent variables a little below zero.
        ((joint - apart) / total + total.ln()).max(0.0)
    }

    fn count(&mut self, a: &Discrete, b: &Discrete) {
        self.joint.resize(self.joint.len().max(b.n_codes + 1), 0);
        self.rest.clone_from(&b.counts);
        self.margin_a.clone_from(&a.counts);
        self.margin_b.clone_from(&b.counts);
        (self.sum, self.n_cells) = (0.0, 0);
        let missing = (a.n_codes as u32, b.n_codes);
        for (code, rows) in &a.others {
            rows.iter().for_each(|&row| self.joint[b.codes[row as usize] as usize] += 1);
            for &row in rows {
                let other = b.codes[row as usize] as usize;
                let count = std::mem::take(&mut self.joint[other]);
                if count > 0 {
                    self.rest[other] -= count;
                    self.add_cell(*code, other, count, missing);
                }
            }
        }
        for other in (0..=b.n_codes).filter(|&other| b.counts[other] > 0) {
            if self.rest[other] > 0 {
                self.add_cell(a.mode, other, self.rest[other], missing);
            }
        }
    }

    /// Where one value is missing, the rows leave the other's margin; elsewhere the cell adds its term.
    fn add_cell(&mut self, code: u32, other: usize, count: u32, missing: (u32, usize)) {
        match (code == missing.0, other == missing.1) {
            (false, false) => {
                self.sum += self.of_cell.of(count);
                self.n_cells += 1;
            }
            (true, false) => self.margin_b[other] -= count,
            (false, true) => self.margin_a[code as usize] -= count,
            (true, true) => (),
        }
    }
}

fn reals(view: &View, variable: usize, n_rows: usize) -> Vec<f32> {
    view.column(variable, n_rows).into_iter().map(f32::from_bits).collect()
}

/// A correlation of one would be worth infinitely much; it is worth as much as one that just differs from it.
const LEAST_REMAINDER: f64 = f64::EPSILON;

/// The information of two Gaussians with the correlation of the rows in which both are known.
fn gaussian_pair(a: &[f32], b: &[f32]) -> f64 {
    let known = || a.iter().zip(b).filter(|(x, y)| !x.is_nan() && !y.is_nan());
    let n = known().count() as f64;
    if n == 0.0 {
        return 0.0;
    }
    let mean_a = known().map(|(x, _)| f64::from(*x)).sum::<f64>() / n;
    let mean_b = known().map(|(_, y)| f64::from(*y)).sum::<f64>() / n;
    let (mut aa, mut ab, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in known() {
        let (x, y) = (f64::from(*x) - mean_a, f64::from(*y) - mean_b);
        aa += x * x;
        ab += x * y;
        bb += y * y;
    }
    if aa == 0.0 || bb == 0.0 {
        return 0.0;
    }
    let remainder = (1.0 - (ab / aa) * (ab / bb)).clamp(LEAST_REMAINDER, 1.0);
    -0.5 * remainder.ln()
}
