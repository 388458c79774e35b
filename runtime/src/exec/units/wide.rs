//! Numbers with an exponent of their own, and runs of a tape on them, one row of evidence at a time.
//!
//! In: a tape, the weights of its terms, the values of its leaves. Out: the values of its units, the way
//! down, in 64-bit floats whose exponents have no bounds. What rows are computed with that left the range of
//! plain 64-bit floats, and what tells the scale that a unit's values have.

use pcc_kernels::units::{ONE, Tape};

/// `mantissa * 2^exponent`, the mantissa 0 or within `[1, 2)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Wide {
    mantissa: f64,
    exponent: i64,
}

impl Wide {
    pub(super) const ZERO: Wide = Wide { mantissa: 0.0, exponent: 0 };
    pub(super) const ONE: Wide = Wide { mantissa: 1.0, exponent: 0 };

    /// A number that is not negative.
    pub(super) fn of(value: f64) -> Self {
        if value == 0.0 {
            return Self::ZERO;
        }
        if value.is_subnormal() {
            return Wide::of(value * power_of_two(200)).scaled(-200);
        }
        let exponent = (value.to_bits() >> 52) as i64 - 1023;
        Wide { mantissa: value * power_of_two(-exponent), exponent }
    }

    /// The number with this natural logarithm.
    pub(super) fn exp(log: f64) -> Self {
        if log == f64::NEG_INFINITY {
            return Self::ZERO;
        }
        let exponent = (log * std::f64::consts::LOG2_E).floor();
        Wide::of((log - exponent * std::f64::consts::LN_2).exp()).scaled(exponent as i64)
    }

    pub(super) fn is_zero(self) -> bool {
        self.mantissa == 0.0
    }

    /// `floor(log2)` of a number that is not zero.
    pub(super) fn exponent(self) -> i64 {
        self.exponent
    }

    /// Times `2^by`.
    pub(super) fn scaled(self, by: i64) -> Self {
        if self.is_zero() { self } else { Wide { exponent: self.exponent + by, ..self } }
    }

    pub(super) fn times(self, other: Self) -> Self {
        let product = Wide::of(self.mantissa * other.mantissa);
        product.scaled(self.exponent + other.exponent)
    }

    pub(super) fn over(self, other: Self) -> Self {
        Wide::of(self.mantissa / other.mantissa).scaled(self.exponent - other.exponent)
    }

    pub(super) fn plus(self, other: Self) -> Self {
        let (large, small) = match self.is_zero() || !other.is_zero() && other.exponent > self.exponent {
            true => (other, self),
            false => (self, other),
        };
        // What lies 64 powers of two below is lost to rounding in any case.
        if small.is_zero() || large.exponent - small.exponent > 64 {
            return large;
        }
        let small = small.mantissa * power_of_two(small.exponent - large.exponent);
        Wide::of(large.mantissa + small).scaled(large.exponent)
    }

    /// The natural logarithm.
    pub(super) fn ln(self) -> f64 {
        self.mantissa.ln() + self.exponent as f64 * std::f64::consts::LN_2
    }

    /// As a plain number: 0 or infinite where it is beyond those.
    pub(super) fn to_f64(self) -> f64 {
        match self.exponent {
            ..-1000 => 0.0,
            1001.. if !self.is_zero() => f64::INFINITY,
            exponent => self.mantissa * power_of_two(exponent),
        }
    }
}

/// `2^exponent` for exponents of normal numbers.
fn power_of_two(exponent: i64) -> f64 {
    debug_assert!((-1022..=1023).contains(&exponent));
    f64::from_bits(((exponent + 1023) as u64) << 52)
}

/// A tape's rows, wide.
pub(super) struct WideRows {
    pub(super) values: Vec<Wide>,
    derivatives: Vec<Wide>,
}

impl WideRows {
    pub(super) fn of(tape: &Tape) -> Self {
        WideRows { values: vec![Wide::ONE; tape.n_rows()], derivatives: Vec::new() }
    }

    /// Computes all units from the leaves, whose rows are set. `visit` gets every sum's number and value.
    pub(super) fn up(
        &mut self,
        tape: &Tape,
        root: u32,
        weights: impl Fn(usize) -> f64,
        mut visit: impl FnMut(usize, Wide),
    ) -> Wide {
        let mut term = 0;
        for (i, sum) in tape.sums().iter().enumerate() {
            let mut total = Wide::ZERO;
            for _ in 0..sum.n_terms {
                let [a, b] = tape.terms()[term].map(|row| self.values[row as usize]);
                total = total.plus(a.times(b).times(Wide::of(weights(term))));
                term += 1;
            }
            self.values[sum.out as usize] = total;
            visit(i, total);
        }
        self.values[root as usize]
    }

    /// The way down from a derivative of the root, on a tape in which all units keep their rows. `visit` gets every term's
    /// number and share; the derivative of each leaf's row is left behind.
    pub(super) fn down(
        &mut self,
        tape: &Tape,
        weights: impl Fn(usize) -> f64,
        (root, start): (u32, Wide),
        mut visit: impl FnMut(usize, Wide),
    ) -> &[Wide] {
        self.derivatives.clear();
        self.derivatives.resize(tape.n_rows(), Wide::ZERO);
        self.derivatives[root as usize] = start;
        let mut end = tape.terms().len();
        for sum in tape.sums().iter().rev() {
            let first = end - sum.n_terms as usize;
            let derivative = self.derivatives[sum.out as usize];
            for term in (first..end).filter(|_| !derivative.is_zero()) {
                let of_term = derivative.times(Wide::of(weights(term)));
                let [a, b] = tape.terms()[term];
                let to_a = of_term.times(self.values[b as usize]);
                self.pass(a, to_a);
                if b != ONE {
                    self.pass(b, of_term.times(self.values[a as usize]));
                }
                visit(term, to_a.times(self.values[a as usize]));
            }
            end = first;
        }
        &self.derivatives
    }

    fn pass(&mut self, row: u32, derivative: Wide) {
        let own = &mut self.derivatives[row as usize];
        *own = own.plus(derivative);
    }
}

#[cfg(test)]
mod tests {
    use super::Wide;

    #[test]
    fn wide_numbers_follow_plain_ones() {
        let numbers = [0.0, 1e-310, 3e-200, 0.75, 1.0, 2.5, 7e180];
        for a in numbers {
            assert_eq!(Wide::of(a).to_f64(), if a < 1e-300 { 0.0 } else { a });
            for b in numbers {
                let (x, y) = (Wide::of(a), Wide::of(b));
                let near = |found: Wide, log: f64| {
                    let found = found.ln();
                    assert!(found == log || (found - log).abs() < 1e-9, "{a} {b}: {found} is not {log}");
                };
                near(x.times(y), a.ln() + b.ln());
                near(x.plus(y), (a + b).ln());
                if b > 0.0 {
                    near(x.over(y), a.ln() - b.ln());
                }
            }
        }
        let far = Wide::exp(-1e6);
        assert!((far.times(far).ln() + 2e6).abs() < 1e-6);
        assert_eq!((far.to_f64(), Wide::exp(1e4).to_f64()), (0.0, f64::INFINITY));
    }
}
