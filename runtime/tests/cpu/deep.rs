//! Deep chains, wide products, and copies that lie a thousand nats apart.

use super::contract::{answer, assert_agree, check, compiled};
use pcc_diag::Span;
use pcc_ir::family::{Bernoulli, Categorical};
use pcc_ir::random::{Random, batch};
use pcc_ir::{Domain, Family, Graph, GraphBuilder, LayerId, Param, ParamId, ParamShape, Params, VarId};
use pcc_runtime::exec::{Executor, Interpreter};

pub fn table(builder: &mut GraphBuilder, shape: ParamShape, groups: u32, values: Vec<f64>) -> ParamId {
    let initial = Some(values);
    builder.param(Param {
        shape,
        groups,
        initial,
        is_fixed: false,
        mask: None,
        name: String::new(),
        span: Span::default(),
    })
}

/// Sum weights, `rows` by `columns` in each group.
pub fn weights(b: &mut GraphBuilder, random: &mut Random, rows: u32, columns: u32, groups: u32) -> ParamId {
    let values = (0..rows * groups).flat_map(|_| random.simplex(columns as usize, 0.0)).collect();
    table(b, ParamShape::Sum { rows, columns }, groups, values)
}

fn categorical(b: &mut GraphBuilder, random: &mut Random, var: VarId, n: u32, units: u32) -> LayerId {
    let columns: Vec<Vec<f64>> = (0..units).map(|_| random.simplex(n as usize, 0.0)).collect();
    let values = (0..n as usize).flat_map(|v| columns.iter().map(move |c| c[v])).collect();
    let family = Family::Categorical(Categorical { n });
    let param = table(b, ParamShape::Input { family, units }, 1, values);
    b.input(var, param, 1, Span::default()).unwrap()
}

fn variables(b: &mut GraphBuilder, n: u32, domain: Domain) -> Vec<VarId> {
    let group = b.variables("X", &[n], domain, false);
    b.graph().var_group(group).variables().collect()
}

/// A hidden Markov model with `k` states and a transition table shared by all steps.
pub fn chain(n: u32, k: u32) -> Graph {
    let mut random = Random::new(u64::from(n + k));
    let mut b = GraphBuilder::new();
    let vars = variables(&mut b, n, Domain::Cat(6));
    let transition = weights(&mut b, &mut random, k, k, 1);
    let mut below = categorical(&mut b, &mut random, vars[0], 6, k);
    for &var in &vars[1..] {
        let emission = categorical(&mut b, &mut random, var, 6, k);
        let moved = b.sum(&[below], transition, 1, Span::default()).unwrap();
        below = b.product(&[moved, emission], Span::default()).unwrap();
    }
    let start = weights(&mut b, &mut random, 1, k, 1);
    let root = b.sum(&[below], start, 1, Span::default()).unwrap();
    b.finish(root).unwrap()
}

#[test]
fn a_chain_of_4096_steps_keeps_the_contract() {
    let graph = chain(4096, 3);
    assert_eq!(check(&graph, &batch(&graph, 1, 5, 0.1, false), None, "chain"), 0);
}

#[test]
fn a_chain_of_4096_single_units_keeps_the_contract() {
    let graph = chain(4096, 1);
    assert_eq!(check(&graph, &batch(&graph, 2, 5, 0.1, false), None, "single chain"), 0);
}

#[test]
fn wide_layers_keep_the_contract() {
    for k in [15, 16, 31, 33, 70] {
        let graph = chain(6, k);
        assert_eq!(check(&graph, &batch(&graph, 9, 67, 0.1, false), None, &format!("{k} states")), 0);
    }
}

#[test]
fn products_of_thousands_of_factors_keep_the_contract() {
    let mut random = Random::new(3);
    let mut b = GraphBuilder::new();
    let vars = variables(&mut b, 3000, Domain::Cat(6));
    let leaves: Vec<LayerId> = vars.iter().map(|&v| categorical(&mut b, &mut random, v, 6, 3)).collect();
    let mut below = b.product(&leaves[..1000], Span::default()).unwrap();
    for &leaf in &leaves[1000..] {
        below = b.product(&[below, leaf], Span::default()).unwrap();
    }
    let table = weights(&mut b, &mut random, 1, 3, 1);
    let root = b.sum(&[below], table, 1, Span::default()).unwrap();
    let graph = b.finish(root).unwrap();
    check(&graph, &batch(&graph, 3, 4, 0.1, false), None, "factors");
}

/// `n_copies` independent models of the same `n` variables, copy c giving each observed `true` a
/// probability from e^-5 to 1; `heads` rows over all copies.
fn copies(n: u32, n_copies: u32, heads: u32) -> Graph {
    let mut random = Random::new(4);
    let mut b = GraphBuilder::new();
    let vars = variables(&mut b, n, Domain::Bool);
    let shape = ParamShape::Input { family: Family::Bernoulli(Bernoulli), units: 2 };
    let leaves: Vec<LayerId> = vars
        .iter()
        .map(|&v| {
            let log = |c: u32| -5.0 * f64::from(c) / f64::from(n_copies) - 0.001;
            let values = (0..n_copies).flat_map(|c| [log(c).exp(), (log(c) - 0.01).exp()]).collect();
            let param = table(&mut b, shape, n_copies, values);
            b.input(v, param, n_copies, Span::default()).unwrap()
        })
        .collect();
    let all = b.product(&leaves, Span::default()).unwrap();
    let inner = weights(&mut b, &mut random, 2, 2, n_copies);
    let mixed = b.sum(&[all], inner, n_copies, Span::default()).unwrap();
    let outer = weights(&mut b, &mut random, heads, 2 * n_copies, 1);
    let top = b.sum(&[mixed], outer, 1, Span::default()).unwrap();
    let last = weights(&mut b, &mut random, 1, heads, 1);
    let root = b.sum(&[top], last, 1, Span::default()).unwrap();
    b.finish(root).unwrap()
}

#[test]
fn copies_a_thousand_nats_apart_keep_their_own_exponents() {
    for heads in [1, 3] {
        let graph = copies(200, 32, heads);
        let mut rows = batch(&graph, 5, 70, 0.0, false);
        (0..10).for_each(|row| rows.row_mut(row).fill(1));
        let mut oracle = Interpreter::new(graph.clone(), Params::of(&graph));
        let values = oracle.values(&rows);
        let mixed = graph.layer_ids().rev().nth(2).unwrap();
        let span = values.get(mixed, 0, 0) - values.get(mixed, 63, 0);
        assert!(span > 900.0, "the copies of row 0 span {span} nats");
        check(&graph, &rows, None, &format!("{heads} heads"));
    }
}

#[test]
fn codes_outside_of_tables_are_impossible_not_undefined() {
    let graph = chain(4, 2);
    let mut rows = batch(&graph, 6, 66, 0.0, false);
    rows.row_mut(3)[1] = 6;
    rows.row_mut(65)[2] = 4_000_000_000;
    let mut oracle = Interpreter::new(graph.clone(), Params::of(&graph));
    let expected = oracle.log_likelihoods(&rows);
    assert_eq!([expected[3], expected[65]], [f64::NEG_INFINITY; 2]);
    let found = compiled(&graph, 2).log_likelihoods(&rows);
    assert_eq!([found[3], found[65]], [f64::NEG_INFINITY; 2]);
    assert!((found[4] - expected[4]).abs() < 1e-5);
}

#[test]
fn repeated_runs_add_to_the_same_flows() {
    let graph = chain(20, 4);
    let rows = batch(&graph, 7, 200, 0.1, false);
    let mut executor = compiled(&graph, 2);
    let once = answer(&mut executor, &rows, None);
    let mut flows = pcc_ir::Flows::zero(&graph);
    executor.flows(&rows, None, &mut flows);
    executor.flows(&rows, None, &mut flows);
    for (twice, once) in flows.values().iter().zip(&once.flows) {
        assert!((twice - 2.0 * once).abs() <= 1e-6 * twice, "{twice} instead of twice {once}");
    }
    let mut oracle = Interpreter::new(graph.clone(), Params::of(&graph));
    assert_agree(&graph, &once, &answer(&mut oracle, &rows, None), "once");
}

#[test]
fn sums_over_many_rows_keep_small_terms() {
    let graph = chain(2, 2);
    let rows = batch(&graph, 8, 400_000, 0.1, false);
    // Large weights first: a running sum in 32 bits would be too large for the small ones that follow.
    let weights: Vec<f32> = (0..400_000).map(|i| if i < 200_000 { 1.0 } else { 1e-3 }).collect();
    let mut oracle = Interpreter::new(graph.clone(), Params::of(&graph));
    let [mut expected, mut found] = [pcc_ir::Flows::zero(&graph), pcc_ir::Flows::zero(&graph)];
    oracle.flows(&rows, Some(&weights), &mut expected);
    compiled(&graph, 1).flows(&rows, Some(&weights), &mut found);
    for (a, b) in found.values().iter().zip(expected.values()) {
        assert!((a - b).abs() <= 2e-5 * b, "{a} instead of {b}");
    }
}
