//! Circuits made to leave the range of 32-bit mantissas: trees over leaves whose units differ by up to
//! e^200, with weights of which up to nine in ten are zero, so that what dominates is cancelled further up.

use super::contract::check;
use super::deep::table;
use pcc_diag::Span;
use pcc_ir::family::Gaussian;
use pcc_ir::random::Random;
use pcc_ir::{Batch, Domain, Family, Graph, GraphBuilder, LayerId, ParamShape, Value, VarId};

/// How awkward a tree is.
#[derive(Clone, Copy, Debug)]
struct Trial {
    k: u32,
    depth: u32,
    /// Logarithms of a leaf's units lie within this of each other.
    spread: f64,
    /// The share of zero weights.
    zero: f64,
    /// How sums read several blocks: 1 is a single child.
    blocks: u32,
}

struct Maker {
    b: GraphBuilder,
    random: Random,
    trial: Trial,
    vars: Vec<VarId>,
}

impl Maker {
    /// A normal leaf whose densities at 0 are e^-u for u uniform in [0, spread].
    fn leaf(&mut self) -> LayerId {
        let units = self.trial.k;
        let mut values: Vec<f64> =
            (0..units).map(|_| (2.0 * self.trial.spread * self.random.uniform()).sqrt()).collect();
        values.extend(vec![1.0; units as usize]);
        let family = Family::Gaussian(Gaussian::default());
        let param = table(&mut self.b, ParamShape::Input { family, units }, 1, values);
        let var = self.vars.pop().expect("a variable for each leaf");
        self.b.input(var, param, 1, Span::default()).unwrap()
    }

    /// Cubed exponentials, a share of them zero, none of the rows all zero.
    fn weights(&mut self, rows: u32, columns: u32) -> Vec<f64> {
        let mut all = Vec::new();
        for _ in 0..rows {
            let mut row: Vec<f64> = (0..columns)
                .map(|_| match self.random.chance(self.trial.zero) {
                    true => 0.0,
                    false => (-(1.0 - self.random.uniform()).ln()).powi(3),
                })
                .collect();
            let position = self.random.below(columns) as usize;
            row[position] += 1e-6 * self.random.uniform();
            let total: f64 = row.iter().sum();
            all.extend(row.iter().map(|w| w / total));
        }
        all
    }

    fn tree(&mut self, depth: u32) -> LayerId {
        if depth == 0 {
            return self.leaf();
        }
        let [left, right] = [0, 1].map(|_| self.tree(depth - 1));
        let k = self.trial.k;
        let mut blocks = vec![self.b.product(&[left, right], Span::default()).unwrap()];
        for _ in 1..self.trial.blocks {
            let values = self.weights(k, k);
            let param = table(&mut self.b, ParamShape::Sum { rows: k, columns: k }, 1, values);
            let block = blocks[0];
            blocks.push(self.b.sum(&[block], param, 1, Span::default()).unwrap());
        }
        let columns = k * self.trial.blocks;
        let values = self.weights(k, columns);
        let param = table(&mut self.b, ParamShape::Sum { rows: k, columns }, 1, values);
        self.b.sum(&blocks, param, 1, Span::default()).unwrap()
    }
}

fn tree(trial: Trial, seed: u64) -> Graph {
    let mut b = GraphBuilder::new();
    let group = b.variables("X", &[1 << trial.depth], Domain::Real, false);
    let vars = b.graph().var_group(group).variables().collect();
    let mut maker = Maker { b, random: Random::new(seed), trial, vars };
    let top = maker.tree(trial.depth);
    let values = maker.weights(1, trial.k);
    let param = table(&mut maker.b, ParamShape::Sum { rows: 1, columns: trial.k }, 1, values);
    let root = maker.b.sum(&[top], param, 1, Span::default()).unwrap();
    maker.b.finish(root).unwrap()
}

fn rows(graph: &Graph, seed: u64, n: usize) -> Batch {
    let mut random = Random::new(seed);
    let mut rows = Batch::missing(graph.variables().len(), n);
    for row in 0..n {
        for var in 0..graph.variables().len() {
            rows.set(row, VarId::new(var), Value::Real(random.uniform() - 0.5));
        }
    }
    rows
}

#[test]
fn adversarial_trees_keep_the_contract() {
    let mut n_marked = 0;
    for k in [2, 8, 20] {
        for depth in [2, 4] {
            for spread in [5.0, 90.0, 200.0] {
                for (zero, blocks) in [(0.0, 1), (0.5, 1), (0.9, 1), (0.5, 2)] {
                    let trial = Trial { k, depth, spread, zero, blocks };
                    let graph = tree(trial, u64::from(k));
                    let rows = rows(&graph, 9, if k == 20 { 20 } else { 70 });
                    n_marked += check(&graph, &rows, None, &format!("{trial:?}"));
                }
            }
        }
    }
    assert!(n_marked > 1000, "only {n_marked} rows were marked: the trees test no guard");
}

#[test]
fn dense_trees_of_modest_range_are_never_marked() {
    for (k, spread) in [(2, 5.0), (8, 5.0), (8, 30.0), (16, 30.0)] {
        let trial = Trial { k, depth: 4, spread, zero: 0.0, blocks: 1 };
        let graph = tree(trial, 7);
        let marked = super::contract::marked_in_flows(&graph, &rows(&graph, 8, 200));
        assert_eq!(marked, 0, "{trial:?}");
    }
}

/// A sum of a tiny product with a large weight and of the others with a small one or none: 2^70 of 2^-140, and
/// 2^-45 of 1.
fn lifting_sum(is_outer: bool) -> Graph {
    let mut b = GraphBuilder::new();
    let group = b.variables("X", &[2], Domain::Real, false);
    let vars: Vec<VarId> = b.graph().var_group(group).variables().collect();
    let far = (2.0 * 70.0 * std::f64::consts::LN_2).sqrt();
    let family = Family::Gaussian(Gaussian::default());
    let [left, right] = [0, 1].map(|i| {
        let shape = ParamShape::Input { family, units: 2 };
        let param = table(&mut b, shape, 1, vec![0.0, far, 1.0, 1.0]);
        b.input(vars[i], param, 1, Span::default()).unwrap()
    });
    let (small, large) = ((-45_f64).exp2(), 70_f64.exp2());
    let (pairs, weights) = match is_outer {
        true => (b.outer(left, right, 1, Span::default()), vec![small, 0.0, 0.0, large]),
        false => (b.product(&[left, right], Span::default()), vec![small, large]),
    };
    let shape = ParamShape::Sum { rows: 1, columns: weights.len() as u32 };
    let param = table(&mut b, shape, 1, weights);
    let root = b.sum(&[pairs.unwrap()], param, 1, Span::default()).unwrap();
    b.finish(root).unwrap()
}

/// Nothing tiny may be raised under a sum that is not normalised.
#[test]
fn large_weights_make_entries_matter() {
    for is_outer in [false, true] {
        let graph = lifting_sum(is_outer);
        let mut rows = Batch::missing(2, 1);
        (0..2).for_each(|var| rows.set(0, VarId::new(var), Value::Real(0.0)));
        assert!(check(&graph, &rows, None, "a large weight") > 0, "outer {is_outer}: the row is marked");
    }
}
