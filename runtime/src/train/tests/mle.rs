//! The closed form against counting.

use crate::exec::{Executor, Interpreter};
use crate::query::tests::circuits::*;
use crate::train::*;
use pcc_diag::Span;
use pcc_ir::recipe::Per;
use pcc_ir::{Domain, Graph, ParamId, Params};

fn options(graph: &Graph, pseudocount: f64) -> MleOptions {
    let held = vec![false; graph.params().len()];
    MleOptions { pseudocount, per: Per::Node, given: Vec::new(), held, threads: 1, span: Span::NONE }
}

/// The coin that picks the weather: `sum[1](prod(not Rain, Wet), prod(Rain, Wet))`.
fn weather() -> Graph {
    let mut make = Make::new(2, Domain::Bool);
    let parts = [0, 1].map(|rain| {
        let parts = [make.literal(0, rain), make.bernoulli(1, 1, None)];
        make.product(&parts)
    });
    let root = make.sum(&parts, 1, None);
    make.finish(root)
}

#[test]
fn the_estimate_is_what_counting_gives() {
    let graph = weather();
    // Rain in two of five rows; wet in one of three dry ones and in both rainy ones.
    let rows = EvidenceRows::new(evidence(&[
        &[Some(0), Some(0)],
        &[Some(1), Some(1)],
        &[Some(0), Some(1)],
        &[Some(1), Some(1)],
        &[Some(0), Some(0)],
    ]));
    for (count, expected) in
        [(0.0, [1.0 / 3.0, 1.0, 0.6, 0.4]), (2.0, [2.0 / 5.0, 3.0 / 4.0, 4.0 / 7.0, 3.0 / 7.0])]
    {
        let mut executor = Interpreter::new(graph.clone(), Params::of(&graph));
        assert!(mle(&mut executor, &rows, &options(&graph, count), &mut Silent).unwrap());
        for (found, expected) in executor.params().values().iter().zip(expected) {
            assert!((f64::from(*found) - expected).abs() < 1e-6, "{:?}", executor.params());
        }
    }
}

#[test]
fn weighted_rows_and_held_tables_are_respected() {
    let graph = weather();
    let rows = evidence(&[&[Some(0), Some(0)], &[Some(1), Some(1)]]);
    let rows = EvidenceRows::weighted(rows, vec![3.0, 1.0]);
    let mut params = Params::of(&graph);
    params.table_mut(ParamId(0)).fill(0.125);
    let mut executor = Interpreter::new(graph.clone(), params);
    let held = vec![true, false, false];
    mle(&mut executor, &rows, &MleOptions { held, ..options(&graph, 0.0) }, &mut Silent).unwrap();
    assert_eq!(executor.params().values(), [0.125, 1.0, 0.75, 0.25]);
}

#[test]
fn a_circuit_that_is_not_deterministic_or_a_missing_value_is_refused() {
    let refused = |graph: &Graph, row: &[Option<u32>]| {
        let mut executor = Interpreter::new(graph.clone(), Params::of(graph));
        let rows = EvidenceRows::new(evidence(&[row]));
        let fault = mle(&mut executor, &rows, &options(graph, 0.0), &mut Silent).unwrap_err();
        assert_eq!(fault.code, "unsupported-learner");
        fault.message
    };
    refused(&two_halves_beat_one(), &[Some(0)]);
    assert!(refused(&weather(), &[Some(0), None]).contains("row 1 has no value for `X[1]`"));
}
