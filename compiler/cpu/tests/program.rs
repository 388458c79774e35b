//! Emitted programs: what the text shows, what evidence a tile accepts, and one value worked out by hand.

use pcc_cpu::{Arena, Code, DerivedTables, Inputs, Program, compile, emit, emit_text};
use pcc_diag::Span;
use pcc_ir::family::{Bernoulli, Categorical};
use pcc_ir::lower::{Options, graph_to_plan};
use pcc_ir::plan::{Mode, Plan, TILE, verify};
use pcc_ir::{Domain, Family, Graph, GraphBuilder, MISSING, Param, ParamShape, Params, VarId, Verified};
use pcc_kernels::{MAX_TILES, Tier, denormals_off, kernels, tier};

/// A mixture of two products of a coin and a die with three faces.
fn mixture() -> Graph {
    let mut b = GraphBuilder::new();
    let coin = b.variables("A", &[], Domain::Bool, false);
    let die = b.variables("B", &[], Domain::Cat(3), false);
    let [coin, die] = [coin, die].map(|g| b.graph().var_group(g).first);
    let mut table = |shape, values: &[f64]| {
        let (initial, name) = (Some(values.to_vec()), String::new());
        b.param(Param { shape, groups: 1, initial, is_fixed: false, mask: None, name, span: Span::default() })
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
        let inputs = Inputs { params: &params, derived: &derived, guards: &guards };
        let mut arena = Arena::of(plan, 1);
        assert_eq!(arena.pack(0, &[1, 0, 0, MISSING, 1, 2], TILE), 0);
        let _denormals = denormals_off();
        program.up(inputs, &mut arena);
        assert_eq!(arena.marks(0), 0);
        let logs = arena.logs(plan, 0, plan.root, 0);
        // Face 0 is impossible in the second product; a missing die leaves the coin.
        let expected: [f64; 3] = [0.5 * 0.25 * 0.5, 0.5, 0.5 * (0.25 * 0.25 + 0.75 * 0.5)];
        for (log, expected) in logs.iter().zip(expected) {
            assert!((log.exp() - expected).abs() < 1e-7, "{} instead of {expected}", log.exp());
        }
        let mut flows = vec![0.0; plan.stats_len() as usize];
        let mut weights = [[0.0; TILE]; MAX_TILES];
        weights[0][0] = 2.0;
        program.down(inputs, &mut arena, &mut flows, &weights);
        // The coin's counts by value and unit, the die's, then the weights' derivatives.
        let derivative = 2.0 * 0.25 * 0.5 / expected[0] as f32;
        let counts = [0.0, 0.0, 2.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, derivative, 0.0];
        for (i, (found, expected)) in flows.iter().zip(counts).enumerate() {
            assert!((found - expected).abs() < 1e-6, "flow {i}: {found} instead of {expected}");
        }
    }
}

#[test]
fn text_shows_each_half_and_calls_of_kernels() {
    let graph = mixture();
    let text = emit_text(&plan(&graph, Mode::Flows)).unwrap();
    for function in ["; up_0\n", "; down_0\n"] {
        assert!(text.contains(function), "{function} is not in\n{text}");
    }
    // The coin, for its table has another source than the die; product, sum. Seed, the coin and the product
    // again, sum, two leaves.
    assert_eq!(text.matches("call_indirect").count(), 3 + 6, "{text}");
}

#[test]
fn code_is_bytes_that_run_wherever_they_lie() {
    let graph = mixture();
    let plan = || plan(&graph, Mode::Forward);
    let bytes = emit(&plan()).unwrap().to_bytes();
    assert_eq!(bytes, emit(&plan()).unwrap().to_bytes(), "the same plan has the same code");
    let code = Code::from_bytes(&bytes).unwrap();
    let program = Program::new(plan(), code, kernels().unwrap()).unwrap();
    let params = Params::of(&graph);
    let derived = DerivedTables::of(&graph, program.plan(), &params);
    let guards = derived.watch().guard_bits(program.plan());
    let mut arena = Arena::of(program.plan(), 1);
    assert_eq!(arena.pack(0, &[1, 0], TILE), 0);
    let _denormals = denormals_off();
    program.up(Inputs { params: &params, derived: &derived, guards: &guards }, &mut arena);
    let root = program.plan().root;
    assert!((arena.logs(program.plan(), 0, root, 0)[0].exp() - 0.0625).abs() < 1e-7);
}

#[test]
fn arenas_refuse_codes_that_tables_lack() {
    let graph = mixture();
    let mut arena = Arena::of(&plan(&graph, Mode::Forward), 2);
    assert_eq!(arena.pack(1, &[0, 3, 2, 0, 1, 2], 16), 0b11);
    let [a, b] = [0, 1].map(|var| arena.words(1, VarId(var)).to_vec());
    assert_eq!([&a[..4], &b[..4]], [[0, MISSING, 1, 0], [MISSING, 0, 2, MISSING]]);
    // Samples past the last row repeat the first, up to those that count.
    assert_eq!([a[15], b[15], a[16], b[16]], [0, MISSING, 0, 0]);
    arena.copy_sample((1, 2), (1, 0));
    assert_eq!([arena.words(1, VarId(0))[0], arena.words(1, VarId(1))[0]], [1, 2]);
}

#[test]
fn evidence_of_many_variables_is_transposed() {
    let mut b = GraphBuilder::new();
    let group = b.variables("X", &[37], Domain::Cat(200), false);
    let vars: Vec<VarId> = b.graph().var_group(group).variables().collect();
    let leaves: Vec<_> = vars.iter().map(|&var| b.literal(var, 3, 1, 1, Span::default())).collect();
    let root = b.product(&leaves, Span::default()).unwrap();
    let graph = b.finish(root).unwrap();
    let rows: Vec<u32> = (0..37 * 50).map(|i| i * 7919 % 200).collect();
    let mut arena = Arena::of(&plan(&graph, Mode::Forward), 1);
    assert_eq!(arena.pack(0, &rows, TILE), 0);
    for (v, &var) in vars.iter().enumerate() {
        let words = arena.words(0, var);
        (0..TILE).for_each(|s| assert_eq!(words[s], rows[if s < 50 { s * 37 + v } else { v }]));
    }
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
    program.up(Inputs { params: &params, derived: &derived, guards: &guards }, &mut Arena::of(&other, 1));
}
