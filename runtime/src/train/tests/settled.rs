//! The rest of a circuit over soft evidence, against the whole of it with tables held.

use crate::exec::{CpuExecutor, CpuOptions, Executor, Interpreter};
use crate::train::*;
use pcc_diag::{Diagnostic, Span};
use pcc_ir::recipe::{BatchSize, EmOptions, Metric, Per, Rule, Schedule, Start};
use pcc_ir::{
    Batch, Domain, Family, Graph, GraphBuilder, LayerId, MISSING, Param, ParamId, ParamShape, Params, VarId,
    family,
};
use pcc_opt::{Settled, cut_settled};
use std::num::NonZeroUsize;

const HEADS: u32 = 5;
const WIDTH: u32 = 6;
const PLACES: u32 = 3;

struct Make {
    builder: GraphBuilder,
}

impl Make {
    fn table(&mut self, name: &str, shape: ParamShape) -> ParamId {
        let (name, span) = (name.to_string(), Span::NONE);
        self.builder.param(Param { name, shape, span, groups: 1, initial: None, is_fixed: false, mask: None })
    }

    /// The heads of one body over three pixels, whose tables all places share.
    fn body(&mut self, first: u32, leaves: &[ParamId], mix: ParamId, heads: ParamId) -> LayerId {
        let leaf = |(i, &table): (usize, &ParamId)| {
            self.builder.input(VarId(first + i as u32), table, 1, Span::NONE).unwrap()
        };
        let leaves: Vec<LayerId> = leaves.iter().enumerate().map(leaf).collect();
        let product = self.builder.product(&leaves, Span::NONE).unwrap();
        let mixed = self.builder.sum(&[product], mix, 1, Span::NONE).unwrap();
        let body = self.builder.sum(&[mixed], heads, 1, Span::NONE).unwrap();
        self.builder.label(body, "body");
        body
    }
}

/// Three places with the heads of a shared body, each under a sum by a latent; a pixel outside; a chain above.
fn circuit() -> Graph {
    let mut make = Make { builder: GraphBuilder::new() };
    make.builder.variables("X", &[3 * PLACES + 1], Domain::Cat(4), false);
    make.builder.variables("Z", &[PLACES], Domain::Cat(HEADS), true);
    let leaf = ParamShape::Input { family: Family::Categorical(family::Categorical { n: 4 }), units: WIDTH };
    let square = ParamShape::Sum { rows: WIDTH, columns: WIDTH };
    let leaves = [0, 1, 2].map(|i| make.table(&format!("leaf_{i}"), leaf));
    let mix = make.table("mix", square);
    let heads = make.table("heads", ParamShape::Sum { rows: HEADS, columns: WIDTH });
    let outside = ParamShape::Input { family: Family::Categorical(family::Categorical { n: 4 }), units: 2 };
    let outside = make.table("outside", outside);
    let mut above = make.builder.input(VarId(3 * PLACES), outside, 1, Span::NONE).unwrap();
    for place in 0..PLACES {
        let body = make.body(3 * place, &leaves, mix, heads);
        let indicator = make.builder.indicator(VarId(3 * PLACES + 1 + place), 0, 1, HEADS, Span::NONE);
        let by = make.builder.product(&[body, indicator], Span::NONE).unwrap();
        let table = make.table(&format!("by_{place}"), ParamShape::Sum { rows: 2, columns: HEADS });
        let sum = make.builder.sum(&[by], table, 1, Span::NONE).unwrap();
        let product = make.builder.product(&[sum, above], Span::NONE).unwrap();
        let rows = if place + 1 == PLACES { 1 } else { 2 };
        let table = make.table(&format!("chain_{place}"), ParamShape::Sum { rows, columns: 2 });
        above = make.builder.sum(&[product], table, 1, Span::NONE).unwrap();
    }
    make.builder.finish(above).unwrap()
}

/// Rows in which some pixels are missing.
fn rows(n: u32) -> EvidenceRows {
    let mut batch = Batch::empty((4 * PLACES + 1) as usize);
    for i in 0..n {
        let word = |j: u32| {
            let hash = (i * 31 + j * 7 + 1).wrapping_mul(2_654_435_761) >> 8;
            let kind = (i.wrapping_mul(2_654_435_761) >> (9 + j / 3)) % 3;
            if hash.is_multiple_of(9) { MISSING } else { (hash % 2 + kind) % 4 }
        };
        let pixels = (0..3 * PLACES + 1).map(word);
        batch.push(&pixels.chain([MISSING; PLACES as usize]).collect::<Vec<u32>>());
    }
    let weights = (0..n).map(|i| [1.0, 0.5, 2.0][i as usize % 3]).collect();
    EvidenceRows::weighted(batch, weights)
}

fn params(graph: &Graph, data: &dyn Rows) -> Params {
    let mut params = Params::of(graph);
    start(graph, data, Start::Exponential, 5, &mut params);
    params
}

fn options(batch: BatchSize, graph: &Graph) -> FitOptions {
    let em = EmOptions {
        batch,
        epochs: 3,
        step: Schedule::Linear(1.0, 0.4),
        pseudocount: 0.3,
        per: Per::Node,
        start: Start::Exponential,
        rule: Rule::Even,
        soften: 0.0,
        entropy: 0.0,
    };
    let held = tables_of_parts(graph, &["body".into()], Span::NONE).unwrap();
    FitOptions { em, stop: None, seed: 3, held, threads: 1 }
}

fn settled(graph: &Graph, options: &FitOptions) -> Settled {
    cut_settled(graph, &options.held).expect("it is worth while")
}

fn interpreter(graph: &Graph, params: &Params) -> Result<Box<dyn Executor>, Diagnostic> {
    Ok(Box::new(Interpreter::new(graph.clone(), params.clone())))
}

fn compiled(graph: &Graph, params: &Params) -> Result<Box<dyn Executor>, Diagnostic> {
    let options = CpuOptions::threads(NonZeroUsize::MIN);
    Ok(Box::new(CpuExecutor::new(graph.clone(), params.clone(), options).expect("it compiles")))
}

type MakeExecutor = fn(&Graph, &Params) -> Result<Box<dyn Executor>, Diagnostic>;

/// Trains the whole, and then the rest alone.
fn both(data: &dyn Rows, options: &FitOptions, make: MakeExecutor) -> [TrainState; 2] {
    let graph = circuit();
    let valid = options.stop.map(|_| data);
    let begin = TrainState::new(params(&graph, data));
    let mut whole = make(&graph, &begin.params).unwrap();
    let from = Some(begin.clone());
    let ended = fit(whole.as_mut(), data, valid, options, from, &mut Silent, &mut |_| Ok(())).unwrap();
    let Ended::Done(expected) = ended else { panic!("nobody cancelled") };
    let settled = settled(&graph, options);
    let mut executor = make(&graph, &begin.params).unwrap();
    let stage =
        SettledStage { graph: &graph, settled: &settled, train: data, valid, options, executors: &make };
    let ended = stage.train(executor.as_mut(), begin, &mut Silent, &mut |_| Ok(())).unwrap();
    let Some(Ended::Done(found)) = ended else { panic!("nobody cancelled") };
    let best = found.best.as_ref().map_or(&found.params, |best| &best.params);
    assert_eq!(executor.params(), best, "the executor has what was learned");
    [expected, found]
}

fn assert_same([expected, found]: [TrainState; 2]) {
    for (a, b) in expected.params.values().iter().zip(found.params.values()) {
        assert!((a - b).abs() <= 1e-5, "{b} instead of {a}");
    }
    assert_eq!(expected.updates, found.updates);
    assert_eq!(expected.history.len(), found.history.len());
    for (a, b) in expected.history.iter().zip(&found.history) {
        assert_eq!(
            (a.train.rows, a.train.values, a.train.weight),
            (b.train.rows, b.train.values, b.train.weight)
        );
        assert!((a.train.mean() - b.train.mean()).abs() < 1e-5, "{a:?} {b:?}");
        let [a, b] = [a, b].map(|record| record.valid.map(|valid| valid.bits_per_dimension()));
        assert!(a.zip(b).is_none_or(|(a, b)| (a - b).abs() < 1e-5), "{a:?} {b:?}");
    }
}

#[test]
fn what_is_below_a_held_body_is_cut_off() {
    let graph = circuit();
    let settled = settled(&graph, &options(BatchSize::Full, &graph));
    let names: Vec<&str> = settled.rest.params().iter().map(|param| param.name.as_str()).collect();
    assert!(names.iter().all(|name| !["mix", "heads", "leaf_0"].contains(name)), "{names:?}");
    assert_eq!(names.len(), 1 + 2 * PLACES as usize);
    assert_eq!(settled.cuts.len(), PLACES as usize);
    // Sums of five by two, sums of two by two, and products of two factors with two units; then the heads.
    let edges = u64::from(PLACES * (10 + 4) - 2 + PLACES * 4);
    assert_eq!(settled.visits(&graph), edges + u64::from(PLACES * HEADS));
    let nothing = vec![false; graph.params().len()];
    assert!(cut_settled(&graph, &nothing).is_none());
    let everything = vec![true; graph.params().len()];
    assert!(cut_settled(&graph, &everything).is_none(), "nothing is left to learn");
}

#[test]
fn the_rest_learns_what_it_learns_in_the_whole() {
    for make in [interpreter as MakeExecutor, compiled] {
        for batch in [BatchSize::Full, BatchSize::Rows(50)] {
            let data = rows(230);
            assert_same(both(&data, &options(batch, &circuit()), make));
        }
    }
}

#[test]
fn early_stopping_sees_the_same_metrics() {
    let data = rows(120);
    let mut options = options(BatchSize::Rows(40), &circuit());
    options.stop = Some(StopRule { metric: Metric::BitsPerDimension, patience: 1, min_delta: 0.0 });
    let states = both(&data, &options, compiled);
    let [expected, found] = states.each_ref().map(|state| state.best.as_ref().expect("one epoch was best"));
    assert_eq!(expected.epoch, found.epoch);
    assert_same(states);
}

#[test]
fn a_stage_goes_on_from_the_state_that_it_kept() {
    let (graph, data) = (circuit(), rows(90));
    let options = options(BatchSize::Rows(30), &graph);
    let settled = settled(&graph, &options);
    let executors: MakeExecutor = interpreter;
    let stage = SettledStage {
        graph: &graph,
        settled: &settled,
        train: &data,
        valid: None,
        options: &options,
        executors: &executors,
    };
    let begin = TrainState::new(params(&graph, &data));
    let mut executor = Interpreter::new(graph.clone(), begin.params.clone());
    let mut kept = Vec::new();
    let mut keep = |state: &TrainState| {
        kept.push(state.clone());
        Ok(())
    };
    let whole = stage.train(&mut executor, begin, &mut Silent, &mut keep).unwrap();
    assert_eq!(kept.len(), 3);
    let visits: Vec<u64> = kept[2].history.iter().map(|record| record.edge_visits).collect();
    let (of_table, of_epoch) = (90 * graph.n_edges(), 90 * settled.visits(&graph));
    assert_eq!(visits, [of_table + of_epoch, of_epoch, of_epoch]);
    let again = stage.train(&mut executor, kept[0].clone(), &mut Silent, &mut |_| Ok(())).unwrap();
    assert_eq!(whole, again);
}
