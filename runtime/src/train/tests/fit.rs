//! Whole stages: reproducible, resumable, stopped at their best.

use crate::exec::{CpuExecutor, CpuOptions, Executor, Interpreter};
use crate::query::tests::circuits::*;
use crate::train::*;
use pcc_ir::recipe::{BatchSize, EmOptions, Metric, Per, Rule, Schedule, Start};
use pcc_ir::{Domain, Graph, Params};

fn options(graph: &Graph, epochs: u32) -> FitOptions {
    FitOptions {
        em: EmOptions {
            batch: BatchSize::Rows(8),
            epochs,
            step: Schedule::Linear(0.9, 0.1),
            pseudocount: 0.01,
            per: Per::Node,
            start: Start::Exponential,
            rule: Rule::Even,
            soften: 0.0,
            entropy: 0.0,
        },
        stop: None,
        seed: 7,
        held: vec![false; graph.params().len()],
        threads: 1,
    }
}

/// Watches a stage, and cancels it when so many batches of an epoch are done.
#[derive(Default)]
struct Watch {
    cancel_at: Option<(u32, usize)>,
    is_cancelled: bool,
    epochs: Vec<EpochReport>,
    restored: Option<(u32, f64)>,
}

impl Observer for Watch {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Batch { epoch, rows_done, .. } => {
                self.is_cancelled |= self.cancel_at.is_some_and(|(e, rows)| epoch == e && rows_done >= rows);
            }
            Event::Epoch(report) => self.epochs.push(report.clone()),
            Event::Restored { epoch, value } => self.restored = Some((epoch, value)),
            _ => {}
        }
    }

    fn is_cancelled(&self) -> bool {
        self.is_cancelled
    }
}

fn run(
    executor: &mut Interpreter,
    rows: &EvidenceRows,
    valid: Option<&dyn Rows>,
    options: &FitOptions,
    from: Option<TrainState>,
    watch: &mut Watch,
) -> Ended {
    fit(executor, rows, valid, options, from, watch, &mut |_| Ok(())).expect("training works")
}

fn fresh(graph: &Graph) -> Interpreter {
    Interpreter::new(graph.clone(), Params::of(graph))
}

#[test]
fn the_same_seed_gives_the_same_bits() {
    let graph = random(1, 4, false);
    let rows = EvidenceRows::new(random_rows(&graph, 37, 0.1, 1));
    let trained = [7, 7, 8].map(|seed| {
        let mut executor = fresh(&graph);
        let options = FitOptions { seed, ..options(&graph, 3) };
        run(&mut executor, &rows, None, &options, None, &mut Watch::default());
        executor.params().clone()
    });
    assert_eq!(trained[0], trained[1]);
    assert_ne!(trained[0], trained[2]);
}

/// Compiled code trains like the oracle: the same start and batches, within the executors' contract.
#[test]
fn compiled_code_trains_like_the_interpreter() {
    let graph = random(6, 4, false);
    let rows = EvidenceRows::new(random_rows(&graph, 200, 0.1, 1));
    let mut oracle = fresh(&graph);
    let threads = std::num::NonZeroUsize::new(2).unwrap();
    let mut compiled =
        CpuExecutor::new(graph.clone(), Params::of(&graph), CpuOptions::threads(threads)).unwrap();
    for executor in [&mut oracle as &mut dyn Executor, &mut compiled] {
        fit(executor, &rows, None, &options(&graph, 3), None, &mut Silent, &mut |_| Ok(())).unwrap();
    }
    for (a, b) in oracle.params().values().iter().zip(compiled.params().values()) {
        assert!((a - b).abs() < 1e-3 * a.max(0.01), "{a} {b}");
    }
    let [a, b] = [measure(&mut oracle, &rows).unwrap(), measure(&mut compiled, &rows).unwrap()];
    assert!((a.mean() - b.mean()).abs() < 4e-5, "{a:?} {b:?}");
}

#[test]
fn a_resumed_stage_gives_the_bits_of_an_uninterrupted_one() {
    for rule in [Rule::Even, Rule::Anemone { momentum: 0.0 }, Rule::Anemone { momentum: 0.9 }] {
        resumes_with_the_same_bits(rule);
    }
}

fn resumes_with_the_same_bits(rule: Rule) {
    let graph = random(2, 4, false);
    let [rows, valid] = [1, 2].map(|seed| EvidenceRows::new(random_rows(&graph, 37, 0.1, seed)));
    let stop = Some(StopRule { metric: Metric::LogLikelihood, patience: 50, min_delta: 0.0 });
    let mut options = FitOptions { stop, ..options(&graph, 6) };
    options.em.rule = rule;
    let mut whole = fresh(&graph);
    let Ended::Done(expected) = run(&mut whole, &rows, Some(&valid), &options, None, &mut Watch::default())
    else {
        panic!("nobody cancelled")
    };
    let mut watch = Watch { cancel_at: Some((4, 20)), ..Watch::default() };
    let Ended::Cancelled(state) = run(&mut fresh(&graph), &rows, Some(&valid), &options, None, &mut watch)
    else {
        panic!("it was cancelled")
    };
    assert_eq!(state.epoch(), 3, "the cancelled epoch does not count");
    let (tensors, json) = state.write();
    let tensor = |name: &str| tensors.iter().find(|(n, _)| *n == name).map(|(_, values)| *values);
    let read = TrainState::read(&graph, tensor, &json).expect("what was written can be read");
    assert_eq!(read, state);
    let mut resumed = fresh(&graph);
    let Ended::Done(found) =
        run(&mut resumed, &rows, Some(&valid), &options, Some(read), &mut Watch::default())
    else {
        panic!("nobody cancelled")
    };
    assert_eq!(found, expected);
    assert_eq!(resumed.params(), whole.params());
}

#[test]
fn a_state_of_another_graph_is_not_read() {
    let [graph, other] = [2, 3].map(|n| random(2, n, true));
    let state = TrainState::new(Params::of(&graph));
    let (tensors, json) = state.write();
    let tensor = |name: &str| tensors.iter().find(|(n, _)| *n == name).map(|(_, values)| *values);
    assert!(TrainState::read(&other, tensor, &json).is_none());
    assert!(TrainState::read(&graph, tensor, "{").is_none());
    assert!(TrainState::read(&graph, |_| None, &json).is_none());
}

/// D18: a mixture of many parts learns few rows by heart; validation gets worse, and the best comes back.
#[test]
fn early_stopping_restores_the_best_epoch_and_names_it() {
    let mut make = Make::new(6, Domain::Bool);
    let leaves: Vec<_> = (0..6).map(|v| make.bernoulli(v, 12, None)).collect();
    let product = make.product(&leaves);
    let root = make.sum(&[product], 1, None);
    let graph = make.finish(root);
    let [rows, valid] =
        [(12, 1), (300, 2)].map(|(n, seed)| EvidenceRows::new(random_rows(&graph, n, 0.0, seed)));
    let stop = StopRule { metric: Metric::BitsPerDimension, patience: 5, min_delta: 0.0 };
    let mut options = FitOptions { stop: Some(stop), ..options(&graph, 100) };
    options.em = EmOptions { batch: BatchSize::Full, step: Schedule::Constant(1.0), ..options.em };
    options.em.pseudocount = 0.3;
    let mut executor = fresh(&graph);
    let mut watch = Watch::default();
    let Ended::Done(state) = run(&mut executor, &rows, Some(&valid), &options, None, &mut watch) else {
        panic!("nobody cancelled")
    };
    let values: Vec<f64> = watch.epochs.iter().map(|e| e.valid.unwrap().bits_per_dimension()).collect();
    let best = (0..values.len()).min_by(|&a, &b| values[a].total_cmp(&values[b])).unwrap();
    assert_eq!(watch.restored, Some((best as u32 + 1, values[best])));
    assert_eq!(values.len(), best + 1 + 5, "patience of five epochs: {values:?}");
    assert!(values[best] < *values.last().unwrap());
    assert_eq!(executor.params(), &state.best.unwrap().params);
    assert_eq!(measure(&mut executor, &valid).unwrap().bits_per_dimension(), values[best]);
}

#[test]
fn an_epoch_is_cut_into_equal_batches() {
    assert_eq!(n_batches(BatchSize::Full, 0, 100), 1);
    assert_eq!(n_batches(BatchSize::Rows(30), 0, 100), 4);
    assert_eq!(n_batches(BatchSize::Rows(300), 0, 100), 1);
    let growing = (0..4).map(|epoch| n_batches(BatchSize::Growing(10, 40), epoch, 100));
    assert_eq!(growing.collect::<Vec<_>>(), [10, 5, 3, 3]);
}

#[test]
fn schedules_run_from_their_first_value_to_their_last() {
    let graph = random(4, 2, false);
    let rows = EvidenceRows::new(random_rows(&graph, 20, 0.0, 1));
    let mut watch = Watch::default();
    run(&mut fresh(&graph), &rows, None, &options(&graph, 4), None, &mut watch);
    // Batches of 8 cut 20 rows in three; the last of 12 updates takes the last step.
    let steps: Vec<f64> = watch.epochs.iter().map(|e| e.step).collect();
    let expected = [2, 5, 8, 11].map(|update| 0.9 - 0.8 * f64::from(update) / 11.0);
    assert!(steps.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{steps:?}");
    assert_eq!(watch.epochs[3].updates, 12);
}

#[test]
fn held_parts_stay_as_they_are() {
    let mut make = Make::new(2, Domain::Bool);
    let leaves = [make.bernoulli(0, 2, Some(vec![0.2, 0.7])), make.bernoulli(1, 2, Some(vec![0.4, 0.6]))];
    make.builder.label(leaves[0], "patch");
    let product = make.product(&leaves);
    let root = make.sum(&[product], 1, Some(vec![0.5, 0.5]));
    let graph = make.finish(root);
    let held = tables_of_parts(&graph, &["M.patch".into()], pcc_diag::Span::NONE).unwrap();
    assert_eq!(held, [true, false, false]);
    let unknown = tables_of_parts(&graph, &["pach".into()], pcc_diag::Span::NONE).unwrap_err();
    assert_eq!((unknown.code, unknown.help.as_deref()), ("unknown-part", Some("did you mean `patch`?")));
    let rows = EvidenceRows::new(random_rows(&graph, 20, 0.0, 1));
    let mut executor = fresh(&graph);
    run(&mut executor, &rows, None, &FitOptions { held, ..options(&graph, 2) }, None, &mut Watch::default());
    let [before, after] = [&Params::of(&graph), executor.params()];
    assert_eq!(before.table(pcc_ir::ParamId(0)), after.table(pcc_ir::ParamId(0)));
    assert_ne!(before.table(pcc_ir::ParamId(1)), after.table(pcc_ir::ParamId(1)));
}

#[test]
fn an_impossible_row_is_named_with_the_part_that_excludes_it() {
    let mut make = Make::new(3, Domain::Bool);
    let pairs = [(0, 0), (1, 1)].map(|(a, b)| {
        let literals = [make.literal(0, a), make.literal(1, b)];
        make.product(&literals)
    });
    let equal = make.sum(&pairs, 1, None);
    let other = make.bernoulli(2, 1, None);
    let root = make.product(&[equal, other]);
    let graph = make.finish(root);
    let rows = EvidenceRows::new(evidence(&[
        &[Some(0), Some(0), Some(1)],
        &[Some(1), Some(1), Some(0)],
        &[Some(1), Some(0), Some(1)],
    ]));
    let fault = fit(&mut fresh(&graph), &rows, None, &options(&graph, 2), None, &mut Silent, &mut |_| Ok(()));
    let fault = fault.unwrap_err();
    assert_eq!(fault.code, "zero-likelihood");
    assert!(fault.message.contains("row 3"), "{}", fault.message);
    // Either literal alone would be met by the other alternative; both together leave none.
    assert!(
        fault.message.ends_with("no alternative of a `sum` is possible for `X[0]` = 1, `X[1]` = 0"),
        "{fault:?}"
    );
}

/// All alternatives fail for the same reason, so the reason is named and not the alternatives.
#[test]
fn a_value_that_no_alternative_allows_is_named_alone() {
    let mut make = Make::new(2, Domain::Cat(3));
    let parts = [0, 1].map(|code| {
        let parts = [make.literal(0, code), make.categorical(1, 3, 1, Some(vec![0.5, 0.5, 0.0]))];
        make.product(&parts)
    });
    let root = make.sum(&parts, 1, None);
    let graph = make.finish(root);
    let rows = EvidenceRows::new(evidence(&[&[Some(0), Some(1)], &[Some(0), Some(2)], &[Some(1), Some(2)]]));
    let mut full = options(&graph, 1);
    full.em.batch = BatchSize::Full;
    let fault = fit(&mut fresh(&graph), &rows, None, &full, None, &mut Silent, &mut |_| Ok(())).unwrap_err();
    assert!(fault.message.starts_with("row 2 "), "{fault:?}");
    assert!(fault.message.ends_with("no unit of the input gives mass to `X[1]` = 2"), "{fault:?}");
    let one = EvidenceRows::new(evidence(&[&[Some(2), Some(0)]]));
    let fault = fit(&mut fresh(&graph), &one, None, &full, None, &mut Silent, &mut |_| Ok(())).unwrap_err();
    assert!(fault.message.contains("excludes `X[0]` = 2"), "{fault:?}");
}

#[test]
fn stages_without_rows_or_validation_are_refused() {
    let graph = random(4, 2, false);
    let none = EvidenceRows::new(pcc_ir::Batch::empty(2));
    let refused = |rows: &EvidenceRows, options: &FitOptions| {
        fit(&mut fresh(&graph), rows, None, options, None, &mut Silent, &mut |_| Ok(())).unwrap_err().code
    };
    assert_eq!(refused(&none, &options(&graph, 1)), "empty-data");
    let stop = Some(StopRule { metric: Metric::LogLikelihood, patience: 1, min_delta: 0.0 });
    let some = EvidenceRows::new(random_rows(&graph, 2, 0.0, 1));
    assert_eq!(refused(&some, &FitOptions { stop, ..options(&graph, 1) }), "missing-validation");
}

/// Two fair coins: ln 1/4 a row, one bit a value, perplexity 2; a missing value is no dimension.
#[test]
fn metrics_follow_their_definitions() {
    let mut make = Make::new(2, Domain::Bool);
    let leaves = [0, 1].map(|v| make.bernoulli(v, 1, Some(vec![0.5])));
    let root = make.product(&leaves);
    let graph = make.finish(root);
    let rows = evidence(&[&[Some(0), Some(1)], &[Some(1), Some(1)], &[None, Some(0)]]);
    let measured = measure(&mut fresh(&graph), &EvidenceRows::new(rows.clone())).unwrap();
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} {b}");
    close(measured.mean(), -(5.0 / 3.0) * std::f64::consts::LN_2);
    close(measured.bits_per_dimension(), 1.0);
    close(measured.perplexity(), 2.0);
    let weighted = EvidenceRows::weighted(rows, vec![1.0, 0.0, 3.0]);
    close(measure(&mut fresh(&graph), &weighted).unwrap().mean(), -1.25 * std::f64::consts::LN_2);
}

#[test]
fn an_impossible_row_makes_metrics_infinite_and_is_counted() {
    let mut make = Make::new(1, Domain::Bool);
    let root = make.bernoulli(0, 1, Some(vec![1.0]));
    let graph = make.finish(root);
    let rows = EvidenceRows::new(evidence(&[&[Some(1)], &[Some(0)], &[Some(0)]]));
    let measured = measure(&mut fresh(&graph), &rows).unwrap();
    assert_eq!((measured.impossible_rows, measured.first_impossible_row), (2, Some(2)));
    assert_eq!(measured.get(Metric::LogLikelihood), f64::NEG_INFINITY);
    assert_eq!(measured.get(Metric::BitsPerDimension), f64::INFINITY);
    assert_eq!(measured.get(Metric::Perplexity), f64::INFINITY);
}
