//! Irregular circuits of single units, shaped as compiled formulas are: along a balanced vtree every node has
//! a pool of units, each a sum over some pairs of a unit on the left and one on the right.
//!
//! This stands in for a compiled formula when no file is given. The tables are `W[..]` (one weight for each
//! element of a unit) and `E[..]` (the chance of a variable's being true).

use super::{Built, Maker};
use pcc_ir::family::Bernoulli;
use pcc_ir::random::Random;
use pcc_ir::{Domain, Family, Graph, GraphError, LayerId};

/// The most elements of one unit; the fewest are two.
const MOST_ELEMENTS: u32 = 9;

/// Units over one variable.
const UNITS_OF_A_VARIABLE: usize = 3;

/// About `elements` elements over `n` variables; the same for the same seed.
///
/// # Errors
/// When there are no variables.
pub fn logic(n: usize, elements: usize, seed: u64) -> Result<Graph, GraphError> {
    let maker = Maker::new(n, Domain::Bool, Family::Bernoulli(Bernoulli));
    let elements_of_a_unit = (2 + MOST_ELEMENTS) as usize / 2;
    let pool = (elements / elements_of_a_unit / n.saturating_sub(1).max(1)).max(2);
    let mut pools = Pools { maker, random: Random::new(seed), pool, sums: 0, leaves: 0 };
    let units = pools.of_variables(0, n, true)?;
    pools.maker.finish(units[0])
}

struct Pools {
    maker: Maker,
    random: Random,
    /// Units of an inner node of the vtree.
    pool: usize,
    sums: usize,
    leaves: usize,
}

impl Pools {
    /// The units over the variables `from..to`.
    fn of_variables(&mut self, from: usize, to: usize, is_root: bool) -> Result<Vec<LayerId>, GraphError> {
        if to - from <= 1 {
            return (0..UNITS_OF_A_VARIABLE).map(|_| self.leaf(from)).collect();
        }
        let middle = from + (to - from) / 2;
        let left = self.of_variables(from, middle, false)?;
        let right = self.of_variables(middle, to, false)?;
        let (mut left, mut right) = (Turns::new(left), Turns::new(right));
        let n = if is_root { 1 } else { self.pool };
        (0..n).map(|_| self.unit(&mut left, &mut right, is_root)).collect()
    }

    fn leaf(&mut self, variable: usize) -> Built {
        self.leaves += 1;
        self.maker.leaf(format!("E[{}]", self.leaves - 1), variable, 1)
    }

    /// A sum of products; the root reads every unit on both sides, so that none is lost.
    fn unit(&mut self, left: &mut Turns, right: &mut Turns, is_root: bool) -> Built {
        let n = match is_root {
            true => left.units.len().max(right.units.len()),
            false => 2 + self.random.below(MOST_ELEMENTS - 1) as usize,
        };
        let mut elements = Vec::with_capacity(n);
        for _ in 0..n {
            let pair = [left.next(&mut self.random), right.next(&mut self.random)];
            elements.push(self.maker.product(&pair)?);
        }
        self.sums += 1;
        self.maker.sum(format!("W[{}]", self.sums - 1), 1, &elements)
    }
}

/// Units dealt in random order, all of them before any comes again.
struct Turns {
    units: Vec<LayerId>,
    next: usize,
}

impl Turns {
    fn new(units: Vec<LayerId>) -> Self {
        Turns { next: units.len(), units }
    }

    fn next(&mut self, random: &mut Random) -> LayerId {
        if self.next == self.units.len() {
            for last in (1..self.units.len()).rev() {
                self.units.swap(last, random.below(last as u32 + 1) as usize);
            }
            self.next = 0;
        }
        self.next += 1;
        self.units[self.next - 1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pcc_ir::LayerKind;

    #[test]
    fn a_circuit_has_about_the_elements_asked_for() {
        for elements in [1_000, 20_000] {
            let graph = logic(40, elements, 1).expect("a circuit");
            let products = graph.layer_ids().filter(|&id| graph.layer(id).kind == LayerKind::Product).count();
            assert!(products.abs_diff(elements) < elements / 5, "{products} instead of {elements}");
            assert!(pcc_ir::Checked::new(graph).is_ok());
        }
    }
}
