//! Emitted programs: what the text shows, what evidence a tile accepts, and one value worked out by hand.

use pcc_cpu::{Arena, DerivedTables, Tile, compile, emit_text};
use pcc_diag::Span;
use pcc_ir::family::{Bernoulli, Categorical};
use pcc_ir::lower::{Options, graph_to_plan};
use pcc_ir::plan::{Mode, Plan, TILE, verify};
use pcc_ir::{Domain, Family, Graph, GraphBuilder, MISSING, Param, ParamShape, Params, VarId, Verified};
use pcc_kernels::{Tier, denormals_off, kernels, tier};

/// A mixture of two products of a coin and a die with three faces.
fn mixture() -> Graph {
    let mut b = GraphBuilder::new();
    let coin = b.variables("A", &[], Domain::Bool, false);
    let die = b.variables("B", &[], Domain::Cat(3), false);
    let [coin, die] = [coin, die].map(|g| b.graph().var_group(g).first);
    let mut table = |shape, values: &[f64]| {
        let (initial, name) = (Some(values.to_vec()), String::new());
        b.param(Param { shape, groups: 1, initial, is_fixed: false, name, span: Span::default() })
    };
    let coins = table(ParamShape::Input { family: Family::Bernoulli(Bernoulli), units: 2 }, &[0.25, 0.75]);
    let family = Family::Categorical(Categorical { n: 3 });
    let dice = table(ParamShape::Input { family, units: 2 }, &[0.5, 0.0, 0.25, 0.5, 0.25, 0.5]);
    let weights = table(ParamShape::Sum { rows: 1, columns: 2 }, &[0.5, 0.5]);
    let a = b.input(coin, coins, 1, Span::default()).unwrap();
    let c = b.input(die, dice, 1, Span::default()).unwrap();
    let both = b.product(&[a, c], Span::default()).unwrap();
    let root = b.sum(&[both], weights, 1, Span::default()).unwrap();
    b.finish(root).unwrap()
}

fn plan(graph: &Graph, mode: Mode) -> Verified<Plan> {
    verify(graph_to_plan(graph, &Options::all_observed(graph, mode)).unwrap()).unwrap()
}

#[test]
fn a_mixture_has_the_values_and_flows_worked_out_by_hand() {
    let graph = mixture();
    let params = Params::of(&graph);
    for kernels in Tier::ALL.into_iter().filter_map(tier) {
        let program = compile(plan(&graph, Mode::Flows), kernels).unwrap();
        let plan = program.plan();
        let derived = DerivedTables::of(&graph, plan, &params);
        let guards = derived.watch().guard_bits(plan);
        let (mut arena, mut tile) = (Arena::of(plan), Tile::of(plan));
        assert!(tile.set(0, &[1, 0]) && tile.set(1, &[0, MISSING]) && tile.set(2, &[1, 2]));
        let _denormals = denormals_off();
        assert_eq!(program.up(&params, &derived, &guards, &tile, &mut arena), 0);
        let logs = arena.logs(plan, plan.root, 0);
        // Face 0 is impossible in the second product; a missing die leaves the coin.
        let expected: [f64; 3] = [0.5 * 0.25 * 0.5, 0.5, 0.5 * (0.25 * 0.25 + 0.75 * 0.5)];
        for (log, expected) in logs.iter().zip(expected) {
            assert!((log.exp() - expected).abs() < 1e-7, "{} instead of {expected}", log.exp());
        }
        let mut flows = vec![0.0; plan.stats_len() as usize];
        let mut weights = [0.0; TILE];
        weights[0] = 2.0;
        program.down(&params, &derived, &guards, &tile, &mut arena, &mut flows, &weights);
        // The coin's counts by value and unit, the die's, then the weights' derivatives.
        let derivative = 2.0 * 0.25 * 0.5 / expected[0] as f32;
        let counts = [0.0, 0.0, 2.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, derivative, 0.0];
        for (i, (found, expected)) in flows.iter().zip(counts).enumerate() {
            assert!((found - expected).abs() < 1e-6, "flow {i}: {found} instead of {expected}");
        }
    }
}

#[test]
fn text_shows_each_direction_and_calls_of_kernels() {
    let graph = mixture();
    let text = emit_text(&plan(&graph, Mode::Flows), kernels().unwrap()).unwrap();
    for function in ["; up_0\n", "; up\n", "; down_0\n", "; down\n"] {
        assert!(text.contains(function), "{function} is not in\n{text}");
    }
    let n_calls = text.matches("call fn").count();
    // Two leaves; guard, multiply, add; matmul, copy, guard, rescale; one chunk. Seed; ratio, flow, matmul,
    // multiply; two leaves; one chunk.
    assert_eq!(n_calls, 2 + 3 + 4 + 1 + 1 + 4 + 2 + 1, "{text}");
}

#[test]
fn tiles_refuse_codes_that_tables_lack() {
    let graph = mixture();
    let mut tile = Tile::of(&plan(&graph, Mode::Forward));
    assert!(!tile.set(0, &[0, 3]) && !tile.set(1, &[2, 0]));
    assert_eq!([tile.word(VarId(0), 0), tile.word(VarId(1), 0)], [0, MISSING]);
    assert!(tile.set(5, &[1, 2]));
    tile.copy(5, 0);
    assert_eq!([tile.word(VarId(0), 0), tile.word(VarId(1), 0)], [1, 2]);
    tile.clear(5);
    assert_eq!([tile.word(VarId(0), 5), tile.word(VarId(1), 5)], [MISSING; 2]);
}

#[test]
#[should_panic(expected = "an arena of this plan")]
fn buffers_of_another_plan_are_refused() {
    let graph = mixture();
    let params = Params::of(&graph);
    let program = compile(plan(&graph, Mode::Flows), kernels().unwrap()).unwrap();
    let derived = DerivedTables::of(&graph, program.plan(), &params);
    let guards = derived.watch().guard_bits(program.plan());
    let other = plan(&graph, Mode::Forward);
    program.up(&params, &derived, &guards, &Tile::of(&other), &mut Arena::of(&other));
}
