//! Problems of a circuit that was cut, against the whole of it.

use crate::exec::{Executor, Interpreter};
use crate::train::*;
use pcc_diag::{Diagnostic, Span};
use pcc_ir::recipe::{BatchSize, EmOptions, Metric, Per, Rule, Schedule, Start};
use pcc_ir::{
    Batch, Domain, Family, Graph, GraphBuilder, LayerId, Param, ParamId, ParamShape, Params, VarId, family,
};
use pcc_opt::divide;

const LABELS: u32 = 3;

/// Which parts have tables in common.
#[derive(Clone, Copy, PartialEq)]
enum Tying {
    /// Every place and copy has its own.
    None,
    /// Both places have the same.
    Places,
    /// All copies have the same.
    Copies,
}

struct Make {
    builder: GraphBuilder,
}

impl Make {
    fn table(&mut self, name: &str, shape: ParamShape, groups: u32) -> ParamId {
        let (name, span) = (name.to_string(), Span::NONE);
        self.builder.param(Param { name, shape, span, groups, initial: None, is_fixed: false, mask: None })
    }

    /// Copies of a mixture of two products of two variables; `tables` are of the leaves and the mixture.
    fn copies(&mut self, first: u32, tables: [ParamId; 3]) -> LayerId {
        let [a, b, mix] = tables;
        let a = self.builder.input(VarId(first), a, LABELS, Span::NONE).unwrap();
        let b = self.builder.input(VarId(first + 1), b, LABELS, Span::NONE).unwrap();
        let product = self.builder.product(&[a, b], Span::NONE).unwrap();
        self.builder.sum(&[product], mix, LABELS, Span::NONE).unwrap()
    }

    fn tables(&mut self, place: &str, groups: u32) -> [ParamId; 3] {
        let family = Family::Categorical(family::Categorical { n: 4 });
        let input = ParamShape::Input { family, units: 2 };
        let sum = ParamShape::Sum { rows: 1, columns: 2 };
        [("a", input), ("b", input), ("mix", sum)]
            .map(|(name, shape)| self.table(&format!("{name}_{place}"), shape, groups))
    }

    fn by(&mut self, heads: LayerId, latent: u32, rows: u32) -> LayerId {
        let indicator = self.builder.indicator(VarId(latent), 0, 1, LABELS, Span::NONE);
        let product = self.builder.product(&[heads, indicator], Span::NONE).unwrap();
        let shape = ParamShape::Sum { rows, columns: LABELS };
        let param = self.table(&format!("of_{latent}"), shape, 1);
        self.builder.sum(&[product], param, 1, Span::NONE).unwrap()
    }
}

/// Two places with two variables each, and a mixture of two products over them.
fn circuit(tying: Tying) -> Graph {
    let mut make = Make { builder: GraphBuilder::new() };
    make.builder.variables("X", &[4], Domain::Cat(4), false);
    make.builder.variables("Z", &[2], Domain::Cat(LABELS), true);
    let groups = if tying == Tying::Copies { 1 } else { LABELS };
    let left = make.tables("left", groups);
    let right = if tying == Tying::Places { left } else { make.tables("right", groups) };
    let left = make.copies(0, left);
    let right = make.copies(2, right);
    let (left, right) = (make.by(left, 4, 2), make.by(right, 5, 2));
    let product = make.builder.product(&[left, right], Span::NONE).unwrap();
    let root = make.table("root", ParamShape::Sum { rows: 1, columns: 2 }, 1);
    let root = make.builder.sum(&[product], root, 1, Span::NONE).unwrap();
    make.builder.finish(root).unwrap()
}

fn rows(n: u32) -> EvidenceRows {
    let mut batch = Batch::empty(6);
    for i in 0..n {
        let hash = i.wrapping_mul(2_654_435_761);
        let word = |shift: u32, n: u32| (hash >> shift) % n;
        let labels = [word(3, LABELS), word(9, 2)];
        batch.push(&[
            (word(5, 4) + labels[0]) % 4,
            word(12, 4),
            word(16, 4),
            labels[1],
            labels[0],
            labels[1],
        ]);
    }
    EvidenceRows::new(batch)
}

fn params(graph: &Graph, data: &dyn Rows) -> Params {
    let mut params = Params::of(graph);
    start(graph, data, Start::Exponential, 5, &mut params);
    params
}

fn latents() -> [VarId; 2] {
    [VarId(4), VarId(5)]
}

fn options(batch: BatchSize, epochs: u32, graph: &Graph) -> FitOptions {
    let em = EmOptions {
        batch,
        epochs,
        step: Schedule::Linear(1.0, 0.4),
        pseudocount: 0.3,
        per: Per::Node,
        start: Start::Exponential,
        rule: Rule::Even,
        soften: 0.0,
        entropy: 0.0,
    };
    FitOptions { em, stop: None, seed: 3, held: vec![false; graph.params().len()], threads: 1 }
}

fn interpreter(graph: &Graph, params: &Params) -> Result<Box<dyn Executor>, Diagnostic> {
    Ok(Box::new(Interpreter::new(graph.clone(), params.clone())))
}

fn divided(graph: &Graph, data: &dyn Rows, options: &FitOptions, observer: &mut dyn Observer) -> TrainState {
    let division = divide(graph, &latents());
    let valid = options.stop.map(|_| data);
    let executors = &interpreter;
    let stage = DividedStage { graph, division: &division, train: data, valid, options, executors };
    let mut state = TrainState::new(params(graph, data));
    stage.train(&mut state, observer, &mut |_| Ok(())).unwrap();
    state
}

#[test]
fn the_likelihood_is_the_product_of_the_problems() {
    for (tying, n_parts, n_places) in [(Tying::None, 2, 1), (Tying::Places, 1, 2), (Tying::Copies, 0, 0)] {
        let graph = circuit(tying);
        let data = rows(40);
        let params = params(&graph, &data);
        let division = divide(&graph, &latents());
        assert_eq!(division.parts.len(), n_parts);
        let whole = Interpreter::new(graph.clone(), params.clone()).log_likelihoods(data.evidence());
        let mut rest =
            Interpreter::new(division.rest.clone(), pcc_opt::carry_params(&graph, &params, &division.rest));
        let mut sums = rest.log_likelihoods(data.evidence());
        for part in &division.parts {
            assert_eq!(part.places.len(), n_places);
            for (i, sum) in sums.iter_mut().enumerate() {
                let row = data.evidence().row(i);
                for place in &part.places {
                    let copy = row[place.latent.index()] as usize;
                    let mut own = Params::of(&part.graph);
                    for (table, &from) in part.tables.iter().enumerate() {
                        let table = own.table_mut(ParamId::new(table));
                        table.copy_from_slice(&params.table(from)[copy * table.len()..][..table.len()]);
                    }
                    let mut one = Batch::empty(place.variables.len());
                    one.push(&place.variables.iter().map(|var| row[var.index()]).collect::<Vec<_>>());
                    *sum += Interpreter::new(part.graph.clone(), own).log_likelihoods(&one)[0];
                }
            }
        }
        for (whole, sum) in whole.iter().zip(&sums) {
            assert!((whole - sum).abs() < 1e-10, "{whole} is not {sum}");
        }
    }
}

#[test]
fn full_batches_give_what_the_whole_circuit_gives() {
    for tying in [Tying::None, Tying::Places] {
        for epochs in 1..4 {
            let graph = circuit(tying);
            let data = rows(60);
            let options = options(BatchSize::Full, epochs, &graph);
            let state = divided(&graph, &data, &options, &mut Silent);
            let mut whole = Interpreter::new(graph.clone(), params(&graph, &data));
            let ended = fit(&mut whole, &data, None, &options, None, &mut Silent, &mut |_| Ok(()));
            let Ok(Ended::Done(wanted)) = ended else { panic!("{ended:?}") };
            for (found, wanted) in state.params.values().iter().zip(wanted.params.values()) {
                assert!((found - wanted).abs() < 1e-6, "{found} is not {wanted} after {epochs} epochs");
            }
            for (found, wanted) in state.history.iter().zip(&wanted.history) {
                let (found, wanted) = (found.train.mean(), wanted.train.mean());
                assert!((found - wanted).abs() < 1e-5, "{found} is not {wanted}");
            }
        }
    }
}

#[test]
fn held_tables_stay_and_labels_without_rows_keep_their_start() {
    let graph = circuit(Tying::None);
    let data = rows(60);
    let mut options = options(BatchSize::Rows(8), 3, &graph);
    let of = |name: &str| graph.params().iter().position(|param| param.name == name).unwrap();
    options.held[of("root")] = true;
    options.held[of("of_4")] = true;
    options.held[of("of_5")] = true;
    options.held[of("a_left")] = true;
    let before = params(&graph, &data);
    let after = divided(&graph, &data, &options, &mut Silent).params;
    let is_same = |name: &str| before.table(ParamId::new(of(name))) == after.table(ParamId::new(of(name)));
    assert!(is_same("root") && is_same("of_4") && is_same("a_left"));
    assert!(!is_same("b_left") && !is_same("mix_right"));
    // The second latent is never 2.
    let table = ParamId::new(of("b_right"));
    let third = 2 * 8..3 * 8;
    assert_eq!(before.table(table)[third.clone()], after.table(table)[third]);
}

#[test]
fn an_epoch_visits_one_copy_of_each_row_and_a_stopped_problem_none() {
    let graph = circuit(Tying::None);
    let data = rows(60);
    let mut options = options(BatchSize::Full, 3, &graph);
    let state = divided(&graph, &data, &options, &mut Silent);
    let division = divide(&graph, &latents());
    let of_row =
        division.rest.n_edges() + division.parts.iter().map(|part| part.graph.n_edges()).sum::<u64>();
    assert!(of_row < graph.n_edges());
    assert!(state.history.iter().all(|record| record.edge_visits == 60 * of_row));
    // Nothing improves by so much, so that all problems stop after the second epoch.
    options.stop = Some(StopRule { metric: Metric::LogLikelihood, patience: 1, min_delta: 1e9 });
    let state = divided(&graph, &data, &options, &mut Silent);
    let visits: Vec<u64> = state.history.iter().map(|record| record.edge_visits).collect();
    assert_eq!(visits, [60 * of_row, 60 * of_row, 0]);
}

/// Stops when it was asked so often.
struct Impatient(std::cell::Cell<u32>);

impl Observer for Impatient {
    fn event(&mut self, _: Event<'_>) {}

    fn is_cancelled(&self) -> bool {
        self.0.set(self.0.get() + 1);
        self.0.get() > 40
    }
}

#[test]
fn an_interrupted_stage_goes_on_to_the_same_bits() {
    let graph = circuit(Tying::None);
    let data = rows(60);
    let mut options = options(BatchSize::Rows(8), 4, &graph);
    options.stop = Some(StopRule { metric: Metric::LogLikelihood, patience: 2, min_delta: 0.0 });
    let whole = divided(&graph, &data, &options, &mut Silent);
    let division = divide(&graph, &latents());
    let executors = &interpreter;
    let (train, valid): (&dyn Rows, _) = (&data, Some(&data as &dyn Rows));
    let stage =
        DividedStage { graph: &graph, division: &division, train, valid, options: &options, executors };
    let mut state = TrainState::new(params(&graph, &data));
    let cut = stage.train(&mut state, &mut Impatient(Default::default()), &mut |_| Ok(())).unwrap();
    assert_eq!((cut, state.updates), (None, 1), "one part was done, and another begun");
    let done = stage.train(&mut state, &mut Silent, &mut |_| Ok(())).unwrap();
    assert_eq!(done, Some(Divided { problems: 5, empty: 1 }), "those of the part that was done before count");
    assert_eq!(state, whole);
}
