//! Weights of values row by row, against sums over all assignments.

use super::units;
use pcc_ir::random::{Random, Taste, circuit};
use pcc_ir::{Batch, Graph, Params, VarId};
use pcc_runtime::exec::{BadWeights, Executor, Interpreter, LiteralWeights};

/// Codes of all assignments to the variables with finitely many values; the others are missing.
fn assignments(graph: &Graph) -> Batch {
    let n_values: Vec<u32> = graph.variables().iter().map(|v| v.domain.n_values().unwrap_or(0)).collect();
    let mut all = Batch::empty(n_values.len());
    let mut row: Vec<u32> = n_values.iter().map(|&n| if n == 0 { pcc_ir::MISSING } else { 0 }).collect();
    loop {
        all.push(&row);
        let Some(next) = (0..row.len()).find(|&v| n_values[v] > 0 && row[v] + 1 < n_values[v]) else {
            return all;
        };
        (0..next).filter(|&v| n_values[v] > 0).for_each(|v| row[v] = 0);
        row[next] += 1;
    }
}

/// The value of a circuit under weights, and the derivative by one, by enumeration.
fn weighted(graph: &Graph, weights: &LiteralWeights, row: usize, by: Option<(VarId, u32)>) -> f64 {
    let all = assignments(graph);
    let values = Interpreter::new(graph.clone(), Params::of(graph)).log_likelihoods(&all);
    let weight = |at: usize, var: usize| match (all.row(at)[var], by) {
        (pcc_ir::MISSING, _) => 1.0,
        (code, Some((v, value))) if v.index() == var => f64::from(u8::from(code == value)),
        (code, _) => weights.of(VarId::new(var), code)[row],
    };
    let total = |at: usize| (0..graph.variables().len()).map(|var| weight(at, var)).product::<f64>();
    values.iter().enumerate().map(|(at, log)| log.exp() * total(at)).sum()
}

fn random_weights(graph: &Graph, n_rows: usize, random: &mut Random, scale: f64) -> LiteralWeights {
    let mut weights = LiteralWeights::ones(graph, n_rows);
    for var in 0..graph.variables().len() {
        for value in 0..graph.variables()[var].domain.n_values().unwrap_or(0) {
            let each = |_| if random.chance(0.15) { 0.0 } else { random.uniform() * scale };
            weights.set(VarId::new(var), value, &(0..n_rows).map(each).collect::<Vec<f64>>()).unwrap();
        }
    }
    weights
}

fn assert_close(found: f64, wanted: f64, place: &str) {
    let is_close = found == wanted || (found - wanted).abs() <= 1e-9 * (1.0 + wanted.abs());
    assert!(is_close, "{place}: {found} is not {wanted}");
}

fn check(seed: u64, scale: f64) -> usize {
    let taste = Taste { n_variables: 4, depth: 1, zero_weights: 0.3, is_single: seed.is_multiple_of(2) };
    let graph = circuit(seed, taste);
    let n_rows = 10;
    let weights = random_weights(&graph, n_rows, &mut Random::new(seed), scale);
    let mut executor = units(&graph, Params::of(&graph), 2);
    let logs = executor.log_weighted_counts(&weights).unwrap();
    let (same, derivatives) = executor.log_weighted_count_derivatives(&weights).unwrap();
    let factor =
        scale.ln() * graph.variables().iter().filter(|v| v.domain.n_values().is_some()).count() as f64;
    for row in 0..n_rows {
        // Enumerated with weights of ordinary size, so that the sum itself stays in range.
        let mut ordinary = LiteralWeights::ones(&graph, n_rows);
        for var in 0..graph.variables().len() {
            for value in 0..graph.variables()[var].domain.n_values().unwrap_or(0) {
                let own: Vec<f64> = weights.of(VarId::new(var), value).iter().map(|w| w / scale).collect();
                ordinary.set(VarId::new(var), value, &own).unwrap();
            }
        }
        let place = format!("seed {seed}, row {row}");
        let total = weighted(&graph, &ordinary, row, None);
        assert_close(logs[row], total.ln() + factor, &place);
        assert_close(same[row], logs[row], &place);
        for var in (0..graph.variables().len()).map(VarId::new) {
            for value in 0..graph.variable(var).domain.n_values().unwrap_or(0) {
                let wanted = match total {
                    0.0 => 0.0,
                    total => weighted(&graph, &ordinary, row, Some((var, value))) / total,
                };
                let found = derivatives.of(var, value)[row] * scale;
                assert_close(found, wanted, &format!("{place}, {var} = {value}"));
            }
        }
    }
    executor.n_marked()
}

#[test]
fn weighted_counts_and_derivatives_are_those_of_enumeration() {
    (0..60).for_each(|seed| assert_eq!(check(seed, 1.0), 0, "seed {seed}"));
}

#[test]
fn tiny_weights_are_in_range_again_or_computed_apart() {
    let n_marked: usize = (100..130).map(|seed| check(seed, 1e-120)).sum();
    assert!(n_marked < 30 * 20, "some rows are in range once their scale is known");
}

#[test]
fn bad_weights_are_refused() {
    let graph = circuit(3, Taste { n_variables: 1, depth: 1, zero_weights: 0.0, is_single: true });
    let mut weights = LiteralWeights::ones(&graph, 2);
    let var = VarId::new(0);
    assert_eq!(weights.set(var, 1, &[0.5]), Err(BadWeights::Rows { expected: 2, found: 1 }));
    let negative = weights.set(var, 1, &[0.5, -0.5]).unwrap_err();
    assert_eq!(negative, BadWeights::NotAWeight { row: 1, weight: -0.5 });
    assert!(
        weights.set(var, 1, &[f64::NAN, 1.0]).is_err() && weights.set(var, 1, &[f64::INFINITY, 1.0]).is_err()
    );
    let missing = weights.set(var, 7, &[1.0, 1.0]).unwrap_err();
    assert!(missing.to_string().contains("no value 7"), "{missing}");
    assert_eq!(weights.of(var, 1), [1.0, 1.0]);
}
