//! Soft evidence: against enumeration, and on all executors, whatever the span of the weights.

use super::contract::{check, compiled};
use pcc_diag::Span;
use pcc_ir::family::Categorical;
use pcc_ir::random::{Random, Taste, batch, circuit};
use pcc_ir::{
    Batch, Domain, Family, Graph, GraphBuilder, LayerId, Param, ParamId, ParamShape, Params, SoftTable,
    Value, VarId,
};
use pcc_runtime::exec::{Executor, Interpreter};
use std::sync::Arc;

/// The span of weights, and the share of zeros among them.
#[derive(Clone, Copy)]
struct Weights {
    span: f64,
    zeros: f64,
}

/// Random weights for some variables of each row.
fn soft(
    graph: &Graph,
    vars: &[VarId],
    n_rows: usize,
    weights: Weights,
    random: &mut Random,
) -> Arc<SoftTable> {
    let mut table = SoftTable::new(graph, vars);
    for _ in 0..n_rows {
        let mut log = || match random.chance(weights.zeros) {
            true => f64::NEG_INFINITY,
            false => -weights.span * random.uniform() + 20.0,
        };
        let logs: Vec<f64> = (0..table.row_len()).map(|_| log()).collect();
        table.push(&logs, 0).expect("these are weights");
    }
    Arc::new(table)
}

/// Some of the variables with bounded domains.
fn some_discrete(graph: &Graph, random: &mut Random) -> Vec<VarId> {
    let all = (0..graph.variables().len()).map(VarId::new);
    let discrete = all.filter(|&var| graph.variable(var).domain.n_values().is_some());
    discrete.filter(|_| random.chance(0.6)).collect()
}

fn taste(seed: u64) -> Taste {
    let mut random = Random::new(seed ^ 0x50f7);
    let zero_weights = [0.0, 0.3][random.below(2) as usize];
    Taste { n_variables: 1 + random.below(5), depth: 1 + random.below(2), zero_weights, is_single: false }
}

/// Rows with random soft evidence, in an order that is not that of the table.
fn observed(graph: &Graph, seed: u64, n_rows: usize, weights: Weights) -> Batch {
    let mut random = Random::new(seed);
    let vars = some_discrete(graph, &mut random);
    let mut rows = batch(graph, seed, n_rows, 0.3, true);
    let table = soft(graph, &vars, n_rows, weights, &mut random);
    let order: Vec<u32> = (0..n_rows as u32).rev().collect();
    rows.observe_softly(&table, &order);
    rows
}

/// The logarithm of the sum over all values of the softly known variables of a row.
fn enumerated(graph: &Graph, oracle: &mut Interpreter, rows: &Batch, row: usize) -> f64 {
    let vars = rows.soft().expect("there is soft evidence").table().variables().to_vec();
    let mut cases = vec![(rows.row(row).to_vec(), 0.0)];
    for var in vars {
        let weights = rows.weights(row, var).expect("it is known softly");
        let n = graph.variable(var).domain.n_values().expect("it has finitely many values");
        let with = |(words, log): &(Vec<u32>, f64)| {
            let (words, log) = (words.clone(), *log);
            (0..n).map(move |code| {
                let mut words = words.clone();
                words[var.index()] = Value::Code(code).to_word();
                (words, log + weights.log(code))
            })
        };
        cases = cases.iter().flat_map(with).collect();
    }
    let mut hard = Batch::empty(rows.n_variables());
    cases.iter().for_each(|(words, _)| hard.push(words));
    let logs = oracle.log_likelihoods(&hard);
    let terms: Vec<f64> = logs.iter().zip(&cases).map(|(log, (_, weight))| log + weight).collect();
    let max = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if max == f64::NEG_INFINITY { max } else { max + terms.iter().map(|t| (t - max).exp()).sum::<f64>().ln() }
}

#[test]
fn soft_evidence_is_a_weighted_sum_over_values() {
    for seed in 0..60 {
        let graph = circuit(seed, taste(seed));
        let rows = observed(&graph, seed, 6, Weights { span: 30.0, zeros: 0.2 });
        let mut oracle = Interpreter::new(graph.clone(), Params::of(&graph));
        let found = oracle.log_likelihoods(&rows);
        for (row, log) in found.iter().enumerate() {
            let expected = enumerated(&graph, &mut oracle, &rows, row);
            let is_near = *log == expected || (log - expected).abs() < 1e-9 * expected.abs().max(1.0);
            assert!(is_near, "seed {seed}, row {row}: {log} instead of {expected}");
        }
    }
}

#[test]
fn executors_agree_whatever_the_span() {
    for seed in 0..120 {
        let graph = circuit(seed, taste(seed));
        let span = [5.0, 80.0, 1000.0][seed as usize % 3];
        let zeros = [0.0, 0.3][seed as usize % 2];
        let n_rows = [1, 2, 65, 130][seed as usize % 4];
        let rows = observed(&graph, seed, n_rows, Weights { span, zeros });
        check(&graph, &rows, None, &format!("seed {seed}, span {span}"));
    }
}

struct Make {
    builder: GraphBuilder,
    random: Random,
    zeros: f64,
}

impl Make {
    fn sum(&mut self, children: &[LayerId], rows: u32, columns: u32) -> LayerId {
        let weights = |_| self.random.simplex(columns as usize, self.zeros);
        let initial: Vec<f64> = (0..rows).flat_map(weights).collect();
        let table = self.table(ParamShape::Sum { rows, columns }, initial);
        self.builder.sum(children, table, 1, Span::default()).expect("it fits")
    }

    fn table(&mut self, shape: ParamShape, initial: Vec<f64>) -> ParamId {
        let initial = Some(initial);
        let (name, span) = (String::new(), Span::default());
        self.builder.param(Param { shape, groups: 1, initial, is_fixed: false, mask: None, name, span })
    }
}

const N_VALUES: u32 = 37;

/// A tree over five latents, each under a sum of its indicators, and one pixel.
fn tree(seed: u64, zeros: f64) -> Graph {
    let mut make = Make { builder: GraphBuilder::new(), random: Random::new(seed), zeros };
    make.builder.variables("X", &[1], Domain::Cat(4), false);
    make.builder.variables("Z", &[5], Domain::Cat(N_VALUES), true);
    let family = Family::Categorical(Categorical { n: 4 });
    let initial: Vec<f64> = make.random.simplex(4, 0.0).into_iter().flat_map(|p| [p; 8]).collect();
    let leaf = make.table(ParamShape::Input { family, units: 8 }, initial);
    let mut below = make.builder.input(VarId(0), leaf, 1, Span::default()).expect("it fits");
    for var in 1..=5 {
        let indicator = make.builder.indicator(VarId(var), 0, 1, N_VALUES, Span::default());
        let sum = make.sum(&[indicator], 8, N_VALUES);
        let product = make.builder.product(&[below, sum], Span::default()).expect("it fits");
        below = make.sum(&[product], if var == 5 { 1 } else { 8 }, 8);
    }
    make.builder.finish(below).expect("the root has one unit")
}

fn latents() -> Vec<VarId> {
    (1..=5).map(VarId).collect()
}

#[test]
fn indicators_are_compiled_and_dense_sums_mark_nothing() {
    let graph = tree(1, 0.0);
    for span in [3.0, 60.0, 1000.0] {
        let mut random = Random::new(7);
        let table = soft(&graph, &latents(), 300, Weights { span, zeros: 0.1 }, &mut random);
        let mut rows = batch(&graph, 5, 300, 0.2, false);
        rows.observe_softly(&table, &(0..300).collect::<Vec<_>>());
        check(&graph, &rows, None, &format!("span {span}"));
        let mut executor = compiled(&graph, 1);
        executor.log_likelihoods(&rows);
        assert_eq!(executor.n_marked(), 0, "span {span}");
    }
}

#[test]
fn what_zero_weights_bring_to_the_top_is_not_lost() {
    for seed in 0..6 {
        let graph = tree(seed, 0.7);
        let mut random = Random::new(seed);
        let table = soft(&graph, &latents(), 150, Weights { span: 1000.0, zeros: 0.3 }, &mut random);
        let mut rows = batch(&graph, seed, 150, 0.2, false);
        rows.observe_softly(&table, &(0..150).collect::<Vec<_>>());
        let marked = check(&graph, &rows, None, &format!("seed {seed}"));
        assert!(marked > 0, "seed {seed}");
    }
}

#[test]
fn some_layers_values_are_those_of_all() {
    for seed in 0..60 {
        let graph = circuit(seed, Taste { zero_weights: 0.0, ..taste(seed) });
        let rows = batch(&graph, seed, 100, 0.3, seed % 2 == 0);
        let mut random = Random::new(seed);
        let layers: Vec<LayerId> = graph.layer_ids().filter(|_| random.chance(0.4)).collect();
        let expected = Interpreter::new(graph.clone(), Params::of(&graph)).values(&rows);
        let found = compiled(&graph, 1).values_of(&layers, &rows);
        assert_eq!(found.layers().collect::<Vec<_>>(), layers);
        for &layer in &layers {
            let of_row = |row| (0..graph.n_units(layer)).map(move |u| (u, row));
            let largest =
                |row| of_row(row).map(|(u, row)| expected.get(layer, u, row)).fold(f64::MIN, f64::max);
            for (unit, row) in (0..graph.n_units(layer)).flat_map(|u| (0..100).map(move |row| (u, row))) {
                let [a, b] = [&found, &expected].map(|values| values.get(layer, unit, row));
                let is_near = a == b || (a - b).abs() <= 1e-5 * graph.variables().len() as f64;
                // 2^-125 is 86.6 nats.
                let is_raised = a > b && a < largest(row) - 80.0;
                assert!(
                    is_near || is_raised,
                    "seed {seed}, layer {layer}, unit {unit}, row {row}: {a} instead of {b}"
                );
            }
        }
    }
}
