//! Circuits whose numbers leave the range of 64-bit floats: rows are marked and computed in wide numbers, and
//! the units' scale is found, so that most rows are not.

use super::contract::{answer, assert_agree};
use super::units;
use pcc_diag::Span;
use pcc_ir::family::{Bernoulli, Binomial, Gaussian};
use pcc_ir::random::Random;
use pcc_ir::{
    Batch, Domain, Family, Flows, Graph, GraphBuilder, LayerId, Param, ParamShape, Params, Value, VarId,
};
use pcc_runtime::exec::{Executor, Interpreter};

fn table(shape: ParamShape, initial: Vec<f64>) -> Param {
    let (initial, name) = (Some(initial), String::new());
    Param { shape, groups: 1, initial, is_fixed: false, mask: None, name, span: Span::NONE }
}

/// A chain of mixtures: each step one of two leaves times the rest.
fn chain(n: usize, domain: Domain, leaf: impl Fn(usize, usize) -> (Family, Vec<f64>)) -> Graph {
    let mut b = GraphBuilder::new();
    b.variables("X", &[n as u32], domain, false);
    let mut rest: Option<LayerId> = None;
    for step in 0..n {
        let children: Vec<LayerId> = (0..2)
            .map(|i| {
                let (family, theta) = leaf(step, i);
                let param = b.param(table(ParamShape::Input { family, units: 1 }, theta));
                let input = b.input(VarId::new(step), param, 1, Span::NONE).unwrap();
                match rest {
                    Some(rest) => b.product(&[input, rest], Span::NONE).unwrap(),
                    None => input,
                }
            })
            .collect();
        let weights = b.param(table(ParamShape::Sum { rows: 1, columns: 2 }, vec![0.75, 0.25]));
        rest = Some(b.sum(&children, weights, 1, Span::NONE).unwrap());
    }
    b.finish(rest.unwrap()).unwrap()
}

/// Fails unless all answers agree with the interpreter's. Gives the rows marked at first, and later.
fn check(graph: &Graph, rows: &Batch) -> (usize, usize) {
    let mut executor = units(graph, Params::of(graph), 2);
    let mut oracle = Interpreter::new(graph.clone(), Params::of(graph));
    let (found, expected) = (answer(&mut executor, rows, None), answer(&mut oracle, rows, None));
    assert_agree(graph, &found, &expected, "at first");
    let first = executor.n_marked();
    let again = answer(&mut executor, rows, None);
    assert_agree(graph, &again, &expected, "later");
    (first, executor.n_marked() - first)
}

#[test]
fn a_long_chain_of_small_probabilities_finds_its_scale() {
    let bernoulli = |step: usize, i: usize| {
        (Family::Bernoulli(Bernoulli), vec![[1e-3, 2e-3][i] * (1.0 + step as f64 / 1e4)])
    };
    let graph = chain(400, Domain::Bool, bernoulli);
    let mut rows = Batch::missing(400, 100);
    let mut random = Random::new(4);
    for row in 0..100 {
        (0..400).for_each(|v| rows.set(row, VarId::new(v), Value::Code(u32::from(random.chance(0.9)))));
    }
    assert_eq!(check(&graph, &rows), (0, 0), "the first strip tells the scale");
}

#[test]
fn rows_of_another_scale_are_computed_apart() {
    let bernoulli = |_, i: usize| (Family::Bernoulli(Bernoulli), vec![[1e-3, 2e-3][i]]);
    let graph = chain(400, Domain::Bool, bernoulli);
    let mut rows = Batch::missing(400, 64);
    for row in 0..64 {
        (0..400).for_each(|v| rows.set(row, VarId::new(v), Value::Code(u32::from(row % 16 != 9))));
    }
    // Four of the rows in each of two passes, of two calls each.
    assert_eq!(check(&graph, &rows), (8, 8));
}

#[test]
fn densities_far_from_their_means() {
    let gaussian = |step: usize, i: usize| {
        let family = Family::Gaussian(Gaussian::default());
        (family, vec![step as f64 / 10.0 + i as f64, 0.01])
    };
    let graph = chain(50, Domain::Real, gaussian);
    let mut random = Random::new(5);
    let mut rows = Batch::missing(50, 40);
    for row in 0..40 {
        (0..50).for_each(|v| rows.set(row, VarId::new(v), Value::Real(8.0 * random.uniform() - 2.0)));
    }
    let mut executor = units(&graph, Params::of(&graph), 1);
    let mut oracle = Interpreter::new(graph.clone(), Params::of(&graph));
    let found = answer(&mut executor, &rows, None);
    assert_agree(&graph, &found, &answer(&mut oracle, &rows, None), "far densities");
    assert!(executor.n_marked() > 0, "log-likelihoods of -1e5 and more are out of range");
}

#[test]
fn scales_do_not_change_a_bit_of_what_was_in_range() {
    let bernoulli = |_, i: usize| (Family::Bernoulli(Bernoulli), vec![[0.3, 0.6][i]]);
    let graph = chain(30, Domain::Bool, bernoulli);
    let mut near = Batch::missing(30, 8);
    (0..30).for_each(|v| near.set(3, VarId::new(v), Value::Code(1)));
    let mut executor = units(&graph, Params::of(&graph), 1);
    let before = executor.log_likelihoods(&near);
    let tiny = |params: &mut Params| params.values_mut().iter_mut().for_each(|value| *value *= 1e-30);
    executor.update(&mut |params| tiny(params));
    let mut known = Batch::missing(30, 8);
    (0..8).for_each(|row| (0..30).for_each(|v| known.set(row, VarId::new(v), Value::Code(1))));
    executor.log_likelihoods(&known);
    executor.log_likelihoods(&known);
    assert!(executor.n_marked() > 0);
    executor.update(&mut |params| params.clone_from(&Params::of(&graph)));
    let marked = executor.n_marked();
    let after = executor.log_likelihoods(&near);
    before.iter().zip(&after).for_each(|(a, b)| assert!((a - b).abs() < 1e-13, "{a} is not {b}"));
    assert!(executor.n_marked() >= marked);
}

#[test]
fn impossible_rows_have_no_flow() {
    let bernoulli = |_, _| (Family::Bernoulli(Bernoulli), vec![1.0]);
    let graph = chain(3, Domain::Bool, bernoulli);
    let mut rows = Batch::missing(3, 1);
    rows.set(0, VarId::new(1), Value::Code(0));
    let mut executor = units(&graph, Params::of(&graph), 1);
    let mut flows = Flows::zero(&graph);
    assert_eq!(executor.flows(&rows, None, &mut flows), [f64::NEG_INFINITY]);
    assert!(flows.values().iter().all(|&flow| flow == 0.0));
    assert_eq!(executor.n_marked(), 0, "an exact zero is no loss");
}

#[test]
fn masses_beyond_the_smallest_floats_are_no_zeros() {
    let binomial = |_, i: usize| (Family::Binomial(Binomial { n: 200 }), vec![[1e-30, 2e-30][i]]);
    let graph = chain(2, Domain::Int(0, 200), binomial);
    let mut rows = Batch::missing(2, 3);
    rows.set(0, VarId::new(0), Value::Code(200));
    rows.set(1, VarId::new(1), Value::Code(150));
    rows.set(2, VarId::new(1), Value::Code(0));
    let expected = Interpreter::new(graph.clone(), Params::of(&graph)).log_likelihoods(&rows);
    assert!(expected[0] < -10_000.0 && expected[1] < -10_000.0);
    let mut executor = units(&graph, Params::of(&graph), 1);
    for (found, expected) in executor.log_likelihoods(&rows).iter().zip(&expected) {
        assert!((found - expected).abs() < 1e-9 * (1.0 + expected.abs()), "{found} is not {expected}");
    }
}
