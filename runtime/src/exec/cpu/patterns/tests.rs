//! Programs for a pattern against the float64 interpreter.

use super::*;
use crate::exec::cpu::work::{Job, Question, share};
use crate::exec::{CpuExecutor, Executor, Interpreter};
use pcc_diag::Span;
use pcc_ir::family::Categorical;
use pcc_ir::random::{Random, Taste, batch, circuit};
use pcc_ir::{Domain, Family, GraphBuilder, Param};
use std::num::NonZeroUsize;

fn compiled(graph: &Graph, params: &Params) -> CpuExecutor {
    let options = CpuOptions::threads(NonZeroUsize::MIN);
    CpuExecutor::new(graph.clone(), params.clone(), options).expect("it compiles")
}

/// Likelihoods by the program for what no row knows, whether it is worth while or not, with its operations and
/// those of the whole program.
fn by_pattern(executor: &mut CpuExecutor, rows: &Batch, unknown: Scope) -> (Vec<f64>, [u64; 2]) {
    let whole = executor.engine_for(Mode::Forward, rows).expect("it compiles");
    let CpuExecutor { graph, params, derived, kernels, options, engines, workers, .. } = executor;
    let (graph, params, derived, options) = (&*graph, &*params, &*derived, &*options);
    let circuit = Circuit { graph, params, derived, kernels, options };
    let mut pattern = Pattern::of(circuit, unknown, normalised(graph, params)).expect("it can be lowered");
    let engine = pattern.engine(circuit, &engines[whole]).expect("it compiles");
    let question = Question { graph, params, batch: rows, weights: None, mode: Mode::Forward };
    let job = Job { question, derived, engine };
    let mut logs = vec![0.0; rows.n_rows()];
    share(&job, workers, &mut logs);
    (logs, [pattern.flops, engines[whole].flops])
}

fn assert_close(found: &[f64], expected: &[f64], n_variables: usize, place: &str) {
    for (row, (&a, &b)) in found.iter().zip(expected).enumerate() {
        let is_close = a == b || (a - b).abs() <= 1e-5 * n_variables as f64;
        assert!(is_close, "{place}, row {row}: {a} instead of {b}");
    }
}

/// Rows in which some variables are unknown throughout.
fn rows(graph: &Graph, seed: u64, share_unknown: f64) -> (Batch, Scope) {
    let mut random = Random::new(seed);
    let mut rows = batch(graph, seed, 70, 0.1, seed.is_multiple_of(3));
    let mut unknown = Scope::empty(graph.variables().len());
    for var in 0..graph.variables().len() {
        if random.chance(share_unknown) {
            (0..rows.n_rows()).for_each(|row| rows.row_mut(row)[var] = MISSING);
        }
        if (0..rows.n_rows()).all(|row| rows.row(row)[var] == MISSING) {
            unknown.insert(VarId::new(var));
        }
    }
    (rows, unknown)
}

fn taste(seed: u64) -> Taste {
    Taste {
        n_variables: 1 + seed as u32 % 9,
        depth: 1 + seed as u32 % 3,
        zero_weights: [0.0, 0.4][seed as usize % 2],
        is_single: false,
    }
}

#[test]
fn patterns_agree_with_the_oracle_and_never_cost_more() {
    let mut n_saved = 0;
    for seed in 0..150 {
        let graph = circuit(seed, taste(seed));
        let mut params = Params::of(&graph);
        if seed.is_multiple_of(4) {
            // Weights that do not add up to one are read as they are.
            let of_first_sum = |p: &Param| !matches!(p.shape, ParamShape::Input { .. });
            let first = graph.params().iter().position(of_first_sum).expect("the root is a sum");
            params.table_mut(ParamId::new(first)).iter_mut().for_each(|w| *w *= 0.75);
        }
        let share_unknown = [0.0, 0.3, 0.6, 1.0][seed as usize / 3 % 4];
        let (rows, unknown) = rows(&graph, seed, share_unknown);
        let expected = Interpreter::new(graph.clone(), params.clone()).log_likelihoods(&rows);
        let mut executor = compiled(&graph, &params);
        let (found, [flops, all]) = by_pattern(&mut executor, &rows, unknown);
        assert_close(&found, &expected, graph.variables().len(), &format!("seed {seed}"));
        assert!(flops <= all, "seed {seed}");
        n_saved += usize::from(flops < all);
    }
    assert!(n_saved > 50, "{n_saved} programs are smaller");
}

/// A chain of hidden states over `n` variables, which only the first table may make unnormalised.
fn chain(n: u32, k: u32) -> Graph {
    let mut builder = GraphBuilder::new();
    let group = builder.variables("X", &[n], Domain::Cat(3), false);
    let variables: Vec<VarId> = builder.graph().var_group(group).variables().collect();
    let mut random = Random::new(1);
    let mut values = |rows: u32, columns: u32| -> Vec<f64> {
        (0..rows).flat_map(|_| random.simplex(columns as usize, 0.0)).collect()
    };
    let table = |builder: &mut GraphBuilder, shape, initial| {
        let (name, span) = (String::new(), Span::NONE);
        builder.param(Param {
            shape,
            groups: 1,
            initial: Some(initial),
            is_fixed: false,
            mask: None,
            name,
            span,
        })
    };
    let mut below = None;
    for (i, &var) in variables.iter().enumerate() {
        let family = Family::Categorical(Categorical { n: 3 });
        let leaves = values(k, 3);
        let by_value =
            (0..3).flat_map(|v| (0..k as usize).map(move |u| (u, v))).map(|(u, v)| leaves[u * 3 + v]);
        let emission = table(&mut builder, ParamShape::Input { family, units: k }, by_value.collect());
        let leaf = builder.input(var, emission, 1, Span::NONE).unwrap();
        let factors: Vec<_> = below.into_iter().chain([leaf]).collect();
        let product = builder.product(&factors, Span::NONE).unwrap();
        let rows = if i + 1 == variables.len() { 1 } else { k };
        let weights = table(&mut builder, ParamShape::Sum { rows, columns: k }, values(rows, k));
        below = Some(builder.sum(&[product], weights, 1, Span::NONE).unwrap());
    }
    builder.finish(below.unwrap()).unwrap()
}

/// Rows in which only the last variables are known, so that all below them is one.
fn upper_part(graph: &Graph, n_rows: usize) -> Batch {
    let mut rows = batch(graph, 5, n_rows, 0.0, false);
    let n = graph.variables().len();
    (0..n_rows).for_each(|row| rows.row_mut(row)[..n * 3 / 4].fill(MISSING));
    rows
}

#[test]
fn a_pattern_is_used_where_it_pays_and_follows_the_weights() {
    let graph = chain(24, 32);
    let params = Params::of(&graph);
    let mut executor = compiled(&graph, &params);
    let mut oracle = Interpreter::new(graph.clone(), params);
    let made = |executor: &CpuExecutor| executor.patterns.kept.iter().filter(|p| p.engine.is_some()).count();
    for (n_rows, n_made) in [(1, 0), (60, 0), (2000, 1), (2100, 1)] {
        let rows = upper_part(&graph, n_rows);
        let expected = oracle.log_likelihoods(&rows);
        assert_close(&executor.log_likelihoods(&rows), &expected, 24, &format!("{n_rows} rows"));
        assert_eq!(made(&executor), n_made, "{n_rows} rows");
        // Batches that know everything have no pattern.
        executor.log_likelihoods(&batch(&graph, 7, n_rows, 0.0, false));
        assert_eq!(made(&executor), n_made, "{n_rows} whole rows");
    }
    let rows = upper_part(&graph, 2000);
    let mut halve =
        |params: &mut Params| params.table_mut(ParamId::new(1)).iter_mut().for_each(|w| *w *= 0.5);
    executor.update(&mut halve);
    oracle.update(&mut halve);
    assert_close(&executor.log_likelihoods(&rows), &oracle.log_likelihoods(&rows), 24, "half of the weights");
}

#[test]
fn few_patterns_are_kept() {
    let graph = chain(24, 32);
    let mut executor = compiled(&graph, &Params::of(&graph));
    for n_known in 1..=MOST_KEPT + 2 {
        let mut rows = batch(&graph, 5, 2000, 0.0, false);
        (0..2000).for_each(|row| rows.row_mut(row)[..24 - n_known].fill(MISSING));
        executor.log_likelihoods(&rows);
        assert_eq!(executor.patterns.kept.len(), n_known.min(MOST_KEPT));
    }
}

#[test]
fn weights_are_normalised_only_where_every_unit_is() {
    let deviation = |weights: &[f32]| at_full_width(Deviation { weights, columns: 10 });
    let mut weights = vec![0.1; 30];
    assert!(deviation(&weights) < 1e-7);
    weights[25] = 0.2;
    assert!((deviation(&weights) - 0.1).abs() < 1e-7);
    weights[25] = f32::NAN;
    assert_eq!(deviation(&weights), f64::INFINITY);
}
