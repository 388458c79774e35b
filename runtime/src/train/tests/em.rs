//! The M-step by hand, flows against gradients, and what EM promises.

use crate::exec::{Executor, Interpreter};
use crate::query::tests::circuits::*;
use crate::train::*;
use pcc_diag::Span;
use pcc_ir::recipe::{Per, Start};
use pcc_ir::{Batch, Domain, Flows, Graph, ParamId, ParamShape, Params, Value, VarId};
use proptest::prelude::*;

fn plain(held: &[bool]) -> Update<'_> {
    Update { step: 1.0, pseudocount: 0.0, per: Per::Node, rows: None, held, threads: 1 }
}

/// One table after an M-step on given statistics.
fn after(graph: &Graph, stats: &[f32], update: Update) -> Vec<f32> {
    let mut params = Params::of(graph);
    let mut flows = Flows::zero(graph);
    let last = ParamId::new(graph.params().len() - 1);
    flows.table_mut(last).copy_from_slice(stats);
    let held = vec![false; graph.params().len()];
    let held = if update.held.is_empty() { &held } else { update.held };
    maximize(graph, &flows, &Update { held, ..update }, &mut params);
    params.table(last).to_vec()
}

fn assert_close(found: &[f32], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (a, b) in found.iter().zip(expected) {
        assert!((f64::from(*a) - b).abs() < 1e-6, "{found:?}, not {expected:?}");
    }
}

/// One unit that mixes the two literals of a boolean.
fn coin(is_fixed: bool) -> Graph {
    let mut make = Make::new(1, Domain::Bool);
    let children = [make.literal(0, 0), make.literal(0, 1)];
    let shape = ParamShape::Sum { rows: 1, columns: 2 };
    let table = make.table(shape, Some(vec![0.5, 0.5]), is_fixed);
    let root = make.builder.sum(&children, table, 1, Span::NONE).unwrap();
    make.finish(root)
}

#[test]
fn weights_are_shares_of_flow() {
    let graph = coin(false);
    assert_close(&after(&graph, &[3.0, 1.0], plain(&[])), &[0.75, 0.25]);
    let smoothed = Update { pseudocount: 2.0, ..plain(&[]) };
    assert_close(&after(&graph, &[3.0, 1.0], smoothed), &[4.0 / 6.0, 2.0 / 6.0]);
    let per_cell = Update { pseudocount: 1.0, per: Per::Cell, ..plain(&[]) };
    assert_close(&after(&graph, &[3.0, 1.0], per_cell), &[4.0 / 6.0, 2.0 / 6.0]);
    let half = Update { step: 0.5, ..plain(&[]) };
    assert_close(&after(&graph, &[3.0, 1.0], half), &[0.625, 0.375]);
}

#[test]
fn a_unit_without_flow_a_fixed_table_and_a_held_one_stay() {
    let smoothed = Update { pseudocount: 2.0, ..plain(&[]) };
    assert_close(&after(&coin(false), &[0.0, 0.0], smoothed), &[0.5, 0.5]);
    assert_close(&after(&coin(true), &[3.0, 1.0], smoothed), &[0.5, 0.5]);
    assert_close(&after(&coin(false), &[3.0, 1.0], plain(&[true])), &[0.5, 0.5]);
}

#[test]
fn inputs_follow_their_closed_forms() {
    let leaf = |make: fn(&mut Make) -> pcc_ir::LayerId, domain| {
        let mut m = Make::new(1, domain);
        let root = make(&mut m);
        m.finish(root)
    };
    let bernoulli = leaf(|m| m.bernoulli(0, 1, Some(vec![0.5])), Domain::Bool);
    assert_close(&after(&bernoulli, &[1.0, 3.0], plain(&[])), &[0.75]);
    let step = Update { step: 0.2, pseudocount: 4.0, ..plain(&[]) };
    assert_close(&after(&bernoulli, &[1.0, 3.0], step), &[0.8 * 0.5 + 0.2 * 5.0 / 8.0]);
    let categorical = leaf(|m| m.categorical(0, 3, 1, Some(vec![0.2, 0.3, 0.5])), Domain::Cat(3));
    let cells = Update { pseudocount: 1.0, per: Per::Cell, ..plain(&[]) };
    assert_close(&after(&categorical, &[2.0, 0.0, 5.0], cells), &[0.3, 0.1, 0.6]);
    // Values 1 and 3 once each: mean 2, deviation 1.
    let gaussian = leaf(|m| m.gaussian(0, 1, Some(vec![0.0, 1.0])), Domain::Real);
    assert_close(&after(&gaussian, &[2.0, 4.0, 10.0], plain(&[])), &[2.0, 1.0]);
    // Half way in the moments: E x = 1, E x^2 = (1 + 5) / 2 = 3, so the variance is 2.
    let half = Update { step: 0.5, ..plain(&[]) };
    assert_close(&after(&gaussian, &[2.0, 4.0, 10.0], half), &[1.0, f64::sqrt(2.0)]);
}

#[test]
fn weights_that_do_not_sum_to_one_are_normalised() {
    let mut make = Make::new(1, Domain::Bool);
    let children = [make.literal(0, 0), make.literal(0, 1)];
    let root = make.sum(&children, 1, Some(vec![2.0, 6.0]));
    let graph = make.finish(root);
    let half = Update { step: 0.5, ..plain(&[]) };
    assert_close(&after(&graph, &[3.0, 1.0], half), &[0.5 * 0.25 + 0.5 * 0.75, 0.5]);
}

/// Two variables share one table: their flows add up, and the pseudocount counts once.
#[test]
fn a_tied_table_gets_its_pseudocount_once() {
    let mut make = Make::new(2, Domain::Bool);
    let shape = ParamShape::Input { family: pcc_ir::Family::Bernoulli(pcc_ir::family::Bernoulli), units: 1 };
    let table = make.table(shape, Some(vec![0.5]), false);
    let leaves = [0, 1].map(|v| make.builder.input(VarId(v), table, 1, Span::NONE).unwrap());
    let root = make.product(&leaves);
    let graph = make.finish(root);
    let mut executor = interpreter(&graph);
    let mut flows = Flows::zero(&graph);
    executor.flows(&evidence(&[&[Some(1), Some(1)], &[Some(1), Some(0)]]), None, &mut flows);
    let update = Update { pseudocount: 2.0, ..plain(&[false]) };
    let mut params = Params::of(&graph);
    maximize(&graph, &flows, &update, &mut params);
    // Three ones of four, and one imaginary one of two.
    assert_close(params.values(), &[4.0 / 6.0]);
}

#[test]
fn the_number_of_threads_does_not_change_a_bit() {
    let mut make = Make::new(64, Domain::Cat(64));
    let leaves: Vec<_> = (0..64).map(|v| make.categorical(v, 64, 32, None)).collect();
    let product = make.product(&leaves);
    let root = make.sum(&[product], 1, None);
    let graph = make.finish(root);
    let held = vec![false; graph.params().len()];
    let rows = EvidenceRows::new(random_rows(&graph, 50, 0.0, 1));
    let results = [1, 2, 3].map(|threads| {
        let mut params = Params::of(&graph);
        start(&graph, &rows, Start::Exponential, 1, &mut params);
        let mut flows = Flows::zero(&graph);
        for (i, f) in flows.values_mut().iter_mut().enumerate() {
            *f = (i % 97) as f32;
        }
        let update = Update { step: 0.3, pseudocount: 0.1, per: Per::Node, rows: None, held: &held, threads };
        maximize(&graph, &flows, &update, &mut params);
        params
    });
    assert!(results.iter().all(|r| r == &results[0]));
}

/// Many small steps must not let the sum of a row drift.
#[test]
fn rows_stay_normalised_over_many_updates() {
    let graph = random(5, 3, true);
    let held = vec![false; graph.params().len()];
    let mut params = Params::of(&graph);
    let mut stream = Stream::new(9, Purpose::Order, &[]);
    let mut flows = Flows::zero(&graph);
    for _ in 0..3000 {
        flows.values_mut().iter_mut().for_each(|f| *f = stream.uniform() as f32);
        maximize(&graph, &flows, &Update { step: 0.003, ..plain(&held) }, &mut params);
    }
    for (i, param) in graph.params().iter().enumerate() {
        let table = params.table(ParamId::new(i));
        let sums: Vec<f64> = match param.shape {
            ParamShape::Input { units, .. } => {
                let columns = (0..units as usize).map(|u| table.iter().skip(u).step_by(units as usize));
                columns.map(|c| c.map(|&x| f64::from(x)).sum()).collect()
            }
            ParamShape::Sum { columns: n, .. } | ParamShape::Mix { children: n, .. } => {
                table.chunks(n as usize).map(|row| row.iter().map(|&x| f64::from(x)).sum()).collect()
            }
        };
        assert!(sums.iter().all(|s| (s - 1.0).abs() < 1e-6), "{sums:?}");
    }
}

#[test]
fn only_unset_tables_start_and_noise_is_around_the_marginal() {
    let mut make = Make::new(2, Domain::Cat(3));
    let leaves = [make.categorical(0, 3, 400, None), make.categorical(1, 3, 400, None)];
    let product = make.product(&leaves);
    let written: Vec<f64> = (0..400).map(|_| 1.0 / 400.0).collect();
    let root = make.sum(&[product], 1, Some(written));
    let graph = make.finish(root);
    let rows = EvidenceRows::new(evidence(&[
        &[Some(0), Some(2)],
        &[Some(0), Some(2)],
        &[Some(1), Some(2)],
        &[Some(0), None],
    ]));
    let mut params = Params::of(&graph);
    start(&graph, &rows, Start::Exponential, 1, &mut params);
    assert!(params.first_unset().is_none());
    assert!(params.table(ParamId(2)).iter().all(|&w| w == 1.0 / 400.0), "a written table was overwritten");
    let mean_of = |table: u32, value: usize| {
        let units = &params.table(ParamId(table))[value * 400..(value + 1) * 400];
        (units.iter().map(|&p| f64::from(p)).sum::<f64>() / 400.0, units[0] != units[1])
    };
    // Value 0 was seen r = 3 times, value 1 once. The mean of r E0 / (r E0 + E1) with two exponentials is
    // the integral of r t / (1 + (r - 1) t) over t = E0 / (E0 + E1), which is uniform:
    // r (r - 1 - ln r) / (r - 1)^2.
    let expected = 3.0 * (2.0 - 3f64.ln()) / 4.0;
    let (mean, differs) = mean_of(0, 0);
    assert!((mean - expected).abs() < 0.06 && differs, "{mean} {expected}");
    let (never, only) = (mean_of(0, 2).0, mean_of(1, 2).0);
    assert!(never > 0.0 && never < 0.01, "a value that never occurs: {never}");
    assert!(only < 1.0 && only > 0.97, "the only value that occurs: {only}");
    let mut again = Params::of(&graph);
    start(&graph, &rows, Start::Exponential, 1, &mut again);
    assert_eq!(params, again);
    start(&graph, &rows, Start::Exponential, 2, &mut { again });
}

#[test]
fn uniform_starts_stay_within_their_share() {
    let mut make = Make::new(1, Domain::Real);
    let leaf = make.gaussian(0, 50, None);
    let root = make.sum(&[leaf], 1, None);
    let graph = make.finish(root);
    let mut batch = Batch::missing(1, 2);
    batch.set(0, VarId(0), Value::Real(1.0));
    batch.set(1, VarId(0), Value::Real(3.0));
    let mut params = Params::of(&graph);
    start(&graph, &EvidenceRows::new(batch), Start::Uniform(0.25), 1, &mut params);
    let theta = params.table(ParamId(0));
    // The data has mean 2 and deviation 1.
    assert!(theta[..50].iter().all(|m| (1.75..=2.25).contains(m)) && theta[0] != theta[1], "{theta:?}");
    assert!(theta[50..].iter().all(|sd| (sd - 1.0).abs() < 1e-5));
    let weights = params.table(ParamId(1));
    assert!(weights.iter().all(|w| (0.75 / 1.25 / 50.0..=1.25 / 0.75 / 50.0).contains(w)), "{weights:?}");
}

/// The parameters with one number changed.
fn changed(params: &Params, at: usize, to: f32) -> Params {
    let mut params = params.clone();
    params.values_mut()[at] = to;
    params
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// A likelihood is linear in a weight that is used once, f = a + b theta. The flow of its edge is
    /// theta * d log f / d theta = b theta / f = 1 - f(theta = 0) / f, without any step size to choose.
    #[test]
    fn flows_are_scaled_gradients(seed: u64, n in 2u32..5) {
        let graph = random(seed, n, true);
        let rows = random_rows(&graph, 3, 0.3, seed);
        let params = Params::of(&graph);
        let mut executor = Interpreter::new(graph.clone(), params.clone());
        let mut flows = Flows::zero(&graph);
        let logs = executor.flows(&rows, None, &mut flows);
        for (i, param) in graph.params().iter().enumerate() {
            let id = ParamId::new(i);
            if matches!(param.shape, ParamShape::Input { .. }) {
                continue;
            }
            for (cell, &flow) in flows.table(id).iter().enumerate() {
                let without = changed(&params, params.range(id).start + cell, 0.0);
                let zeroed = Interpreter::new(graph.clone(), without).log_likelihoods(&rows);
                let expected: f64 = logs.iter().zip(&zeroed).map(|(log, zero)| 1.0 - (zero - log).exp()).sum();
                prop_assert!((f64::from(flow) - expected).abs() < 1e-6, "{flow} {expected}");
            }
        }
    }

    /// Full-batch EM never loses likelihood. Parameters are rounded to 32-bit floats, which moves each of
    /// the at most 4 n factors of a row's terms by up to 2^-24 of itself, hence the tolerance.
    #[test]
    fn full_batch_em_is_monotone(seed: u64, n in 2u32..5) {
        let graph = random(seed, n, false);
        let rows = EvidenceRows::new(random_rows(&graph, 30, 0.2, seed));
        let mut params = Params::of(&graph);
        start(&graph, &rows, Start::Exponential, seed, &mut params);
        let mut executor = Interpreter::new(graph.clone(), params);
        let held = vec![false; graph.params().len()];
        let tolerance = 4.0 * f64::from(n) * 2f64.powi(-24);
        let mut before = f64::NEG_INFINITY;
        for _ in 0..12 {
            let mut flows = Flows::zero(&graph);
            let logs = executor.flows(rows.evidence(), None, &mut flows);
            let mean = logs.iter().sum::<f64>() / logs.len() as f64;
            prop_assert!(mean >= before - tolerance, "{mean} after {before}");
            before = mean;
            executor.update(&mut |params| maximize(&graph, &flows, &plain(&held), params));
        }
    }

    /// A row of weight two is two rows.
    #[test]
    fn weights_of_rows_are_repetitions(seed: u64) {
        let graph = random(seed, 3, true);
        let rows = random_rows(&graph, 4, 0.2, seed);
        let mut repeated = Batch::empty(3);
        (0..4).for_each(|row| (0..=row).for_each(|_| repeated.push(rows.row(row))));
        let mut executor = interpreter(&graph);
        let [mut weighted, mut plain] = [Flows::zero(&graph), Flows::zero(&graph)];
        executor.flows(&rows, Some(&[1.0, 2.0, 3.0, 4.0]), &mut weighted);
        executor.flows(&repeated, None, &mut plain);
        for (a, b) in weighted.values().iter().zip(plain.values()) {
            prop_assert!((a - b).abs() < 1e-5);
        }
    }
}

/// D11: a hidden Markov model of 1,024 steps with two states.
#[test]
fn em_on_a_deep_chain_stays_finite_and_does_not_lose_likelihood() {
    let graph = chain(1024);
    let mut batch = Batch::missing(1024, 4);
    let mut stream = Stream::new(4, Purpose::Order, &[]);
    for row in 0..4 {
        let mut state = 0;
        for t in 0..1024 {
            state = if stream.uniform() < 0.05 { 1 - state } else { state };
            let symbol = if stream.uniform() < 0.1 { 2 } else { state };
            batch.set(row, VarId(t), Value::Code(symbol));
        }
    }
    let rows = EvidenceRows::new(batch);
    let mut params = Params::of(&graph);
    start(&graph, &rows, Start::Exponential, 1, &mut params);
    let mut executor = Interpreter::new(graph.clone(), params);
    let held = vec![false; graph.params().len()];
    let mut before = f64::NEG_INFINITY;
    for _ in 0..6 {
        let mut flows = Flows::zero(&graph);
        let total: f64 = executor.flows(rows.evidence(), None, &mut flows).iter().sum();
        assert!(total.is_finite() && total >= before - 1e-3, "{total} after {before}");
        before = total;
        executor.update(&mut |params| maximize(&graph, &flows, &plain(&held), params));
        assert!(executor.params().values().iter().all(|p| p.is_finite()));
    }
}

fn chain(steps: u32) -> Graph {
    let mut make = Make::new(steps, Domain::Cat(3));
    let family = pcc_ir::Family::Categorical(pcc_ir::family::Categorical { n: 3 });
    let emit = make.table(ParamShape::Input { family, units: 2 }, None, false);
    let step = make.table(ParamShape::Sum { rows: 2, columns: 2 }, None, false);
    let mut rest = None;
    for t in (0..steps).rev() {
        let leaf = make.builder.input(VarId(t), emit, 1, Span::NONE).unwrap();
        rest = Some(match rest {
            None => leaf,
            Some(rest) => {
                let next = make.builder.sum(&[rest], step, 1, Span::NONE).unwrap();
                make.product(&[leaf, next])
            }
        });
    }
    let root = make.sum(&[rest.unwrap()], 1, None);
    make.finish(root)
}
