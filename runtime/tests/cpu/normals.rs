//! Products of many normal leaves, which compiled circuits compute as one: scales of all kinds, values far out
//! or missing, groups, and learning far from zero.

use super::contract::{answer, assert_agree, check, compiled, compiled_with};
use super::deep::{table, weights};
use pcc_diag::Span;
use pcc_ir::family::Gaussian;
use pcc_ir::random::Random;
use pcc_ir::recipe::Per;
use pcc_ir::{Batch, Domain, Family, Flows, Graph, GraphBuilder, LayerId, ParamShape, Params, Value, VarId};
use pcc_runtime::exec::{Executor, Interpreter};
use pcc_runtime::train::{Update, maximize};

/// Where the values of a variable lie.
#[derive(Clone, Copy)]
struct Scale {
    centre: f64,
    spread: f64,
}

/// A circuit over normal variables, with the scale of each.
struct Normals {
    builder: GraphBuilder,
    random: Random,
    scales: Vec<Scale>,
}

impl Normals {
    fn new(seed: u64, n: u32) -> Normals {
        let mut builder = GraphBuilder::new();
        builder.variables("X", &[n], Domain::Real, false);
        let mut random = Random::new(seed);
        let mut power = |from: f64, to: f64| 10_f64.powf(from + (to - from) * random.uniform());
        let scales = (0..n).map(|_| Scale { centre: power(-2.0, 4.0), spread: power(-2.0, 2.0) }).collect();
        Normals { builder, random, scales }
    }

    /// Leaves whose means are spread as values are; a third share one table among their groups.
    fn leaf(&mut self, var: u32, units: u32, groups: u32) -> LayerId {
        let of_table = if self.random.chance(0.3) { 1 } else { groups };
        let Scale { centre, spread } = self.scales[var as usize];
        let mut values = Vec::new();
        for _ in 0..of_table {
            values.extend((0..units).map(|_| centre + spread * (2.0 * self.random.uniform() - 1.0)));
            values.extend((0..units).map(|_| spread * (0.3 + self.random.uniform())));
        }
        let shape = ParamShape::Input { family: Family::Gaussian(Gaussian::default()), units };
        let leaves = table(&mut self.builder, shape, of_table, values);
        self.builder.input(VarId(var), leaves, groups, Span::default()).unwrap()
    }

    fn region(&mut self, vars: std::ops::Range<u32>, units: u32, groups: u32) -> LayerId {
        let leaves: Vec<LayerId> = vars.map(|var| self.leaf(var, units, groups)).collect();
        self.builder.product(&leaves, Span::default()).unwrap()
    }

    fn sum(&mut self, child: LayerId, rows: u32, columns: u32, groups: u32) -> LayerId {
        let table = weights(&mut self.builder, &mut self.random, rows, columns, groups);
        self.builder.sum(&[child], table, groups, Span::default()).unwrap()
    }

    /// Values about where the leaves expect them, some far out.
    fn batch(&mut self, n_rows: usize, missing: f64, far: f64) -> Batch {
        let mut batch = Batch::missing(self.scales.len(), n_rows);
        for row in 0..n_rows {
            for (var, &Scale { centre, spread }) in self.scales.iter().enumerate() {
                let factor = if self.random.chance(0.05) { far } else { 1.5 };
                let x = centre + factor * spread * (2.0 * self.random.uniform() - 1.0);
                if !self.random.chance(missing) {
                    batch.set(row, VarId(var as u32), Value::Real(x));
                }
            }
        }
        batch
    }
}

/// Two regions, the second with all pairs of the first, in groups that the root mixes.
fn two_regions(seed: u64, n: [u32; 2], units: u32, groups: u32) -> (Graph, Normals) {
    let mut normals = Normals::new(seed, n[0] + n[1]);
    let left = normals.region(0..n[0], units, groups);
    let right = normals.region(n[0]..n[0] + n[1], units, groups);
    let pairs = normals.builder.outer(left, right, groups, Span::default()).unwrap();
    let mixed = normals.sum(pairs, units, units * units, groups);
    let root = normals.sum(mixed, 1, units * groups, 1);
    let graph = std::mem::replace(&mut normals.builder, GraphBuilder::new()).finish(root).unwrap();
    (graph, normals)
}

#[test]
fn regions_of_normals_agree_with_the_oracle() {
    for seed in 0..40 {
        let n = [[4, 5], [1, 9], [3, 2], [20, 65], [7, 130]][seed as usize % 5];
        let units = [1, 2, 3, 8, 17][(seed / 5 + seed) as usize % 5];
        let groups = [1, 2, 3][seed as usize % 3];
        let (graph, mut normals) = two_regions(seed, n, units, groups);
        let n_rows = [1, 70, 20][seed as usize % 3];
        let batch = normals.batch(n_rows, [0.0, 0.3, 0.02, 1.0][seed as usize % 4], 1.5);
        let marked = check(&graph, &batch, None, &format!("seed {seed}"));
        assert_eq!(marked, 0, "seed {seed}: nothing here is out of range");
    }
}

/// Components of a mixture hundreds of nats apart: what is lost far under the largest is no reason to compute a
/// row again, as no weight is small.
#[test]
fn components_far_apart_are_not_marked() {
    let n = 200;
    let mut normals = Normals::new(3, n);
    let regions: Vec<LayerId> = (0..12).map(|_| normals.region(0..n, 3, 1)).collect();
    let table = weights(&mut normals.builder, &mut normals.random, 1, 36, 1);
    let root = normals.builder.sum(&regions, table, 1, Span::default()).unwrap();
    let batch = normals.batch(100, 0.0, 1.5);
    let graph = normals.builder.finish(root).unwrap();
    let mut oracle = Interpreter::new(graph.clone(), Params::of(&graph));
    let values = oracle.values(&batch);
    let spread = |row: usize| {
        let logs = || regions.iter().map(|&region| values.get(region, 0, row));
        logs().fold(f64::NEG_INFINITY, f64::max) - logs().fold(f64::INFINITY, f64::min)
    };
    assert!((0..100).any(|row| spread(row) > 100.0), "some component is lost");
    assert_eq!(check(&graph, &batch, None, "components"), 0);
}

#[test]
fn values_far_out_agree_with_the_oracle() {
    for seed in 100..120 {
        let (graph, mut normals) = two_regions(seed, [8, 6], 5, 2);
        let far = [10.0, 50.0, 1e4, f64::INFINITY][seed as usize % 4];
        let batch = normals.batch(66, 0.1, far);
        check(&graph, &batch, None, &format!("seed {seed}"));
    }
}

/// One update from a bad start finds the moments of the data, with means ten thousand deviations from zero.
#[test]
fn deviations_are_learned_far_from_zero() {
    let (n, n_rows) = (6, 500);
    let mut normals = Normals::new(7, n);
    normals.scales.fill(Scale { centre: 1e4, spread: 1.0 });
    let region = normals.region(0..n, 1, 1);
    let root = normals.sum(region, 1, 1, 1);
    let batch = normals.batch(n_rows, 0.0, 3.0);
    let graph = normals.builder.finish(root).unwrap();
    let mut executor = compiled(&graph, 1);
    let mut flows = Flows::zero(&graph);
    executor.flows(&batch, None, &mut flows);
    let held = vec![false; graph.params().len()];
    let update = Update { step: 1.0, pseudocount: 0.0, per: Per::Node, rows: None, held: &held, threads: 1 };
    let mut params = Params::of(&graph);
    maximize(&graph, &flows, &update, &mut params);
    for var in 0..n as usize {
        let values: Vec<f64> =
            (0..n_rows).map(|row| f64::from(f32::from_bits(batch.row(row)[var]))).collect();
        let mean = values.iter().sum::<f64>() / n_rows as f64;
        let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n_rows as f64;
        let found = params.values()[2 * var..2 * var + 2].to_vec();
        // A mean near 1e4 is a multiple of 2^-10.
        assert!((f64::from(found[0]) - mean).abs() < 1e-3, "mean {} instead of {mean}", found[0]);
        assert!((f64::from(found[1]) - variance.sqrt()).abs() < 1e-4, "{} for {variance}", found[1]);
    }
    let better: f64 = Interpreter::new(graph.clone(), params).log_likelihoods(&batch).iter().sum();
    let before: f64 = executor.log_likelihoods(&batch).iter().sum();
    assert!(better > before, "{better} after {before}");
}

/// Two regions with all pairs, trained until weights are far under 2^-40: what is tiny is raised where sums
/// alone read it, and no row is sent to log space.
#[test]
fn training_with_tiny_weights_marks_nothing() {
    for (seed, n, units, groups) in [(21, [30, 40], 6, 1), (22, [25, 25], 10, 2), (23, [1, 60], 5, 3)] {
        let (graph, mut normals) = two_regions(seed, n, units, groups);
        let batch = normals.batch(300, 0.0, 1.5);
        // Leaves stay far apart, so that weights are soon tiny.
        let is_leaf = |p: &pcc_ir::Param| matches!(p.shape, ParamShape::Input { .. });
        let held: Vec<bool> = graph.params().iter().map(is_leaf).collect();
        let update =
            Update { step: 0.9, pseudocount: 1e-20, per: Per::Node, rows: None, held: &held, threads: 2 };
        let mut executor = compiled(&graph, 2);
        for _ in 0..20 {
            executor.gather(&batch, None);
            executor.maximize(&update, None);
        }
        let params = executor.params().clone();
        let tables = (0..held.len()).filter(|&table| !held[table]).map(pcc_ir::ParamId::new);
        let weights: Vec<f32> = tables.flat_map(|table| params.table(table)).copied().collect();
        assert!(weights.iter().any(|&w| w > 0.0 && w < 1e-15), "seed {seed}: some weight is tiny");
        assert_eq!(executor.n_marked(), 0, "seed {seed}");
        let expected = answer(&mut Interpreter::new(graph.clone(), params.clone()), &batch, None);
        let found = answer(&mut compiled_with(&graph, params, 2), &batch, None);
        assert_agree(&graph, &found, &expected, &format!("seed {seed}"));
    }
}
