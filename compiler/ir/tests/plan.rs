//! Plans: their text reads back, the verifier accepts what lowering makes, and refuses what was broken.

use pcc_diag::Span;
use pcc_ir::family::Categorical;
use pcc_ir::lower::{Options, graph_to_plan};
use pcc_ir::plan::{Factor, Fault, Mode, Source, Step, verify};
use pcc_ir::random::{Taste, circuit};
use pcc_ir::{Domain, Family, Graph, GraphBuilder, LayerId, Param, ParamId, ParamShape, Plan};

fn plans(graph: &Graph) -> Vec<Plan> {
    let both = |mode| [Options::latents_summed_out(graph, mode), Options::all_observed(graph, mode)];
    Mode::ALL.into_iter().flat_map(both).map(|options| graph_to_plan(graph, &options).unwrap()).collect()
}

fn random_graphs() -> impl Iterator<Item = Graph> {
    (0..120).map(|seed| {
        let n_variables = 1 + seed as u32 % 6;
        circuit(seed, Taste { n_variables, depth: 2, zero_weights: 0.2, is_single: seed % 5 == 0 })
    })
}

#[test]
fn lowered_plans_are_verified_and_read_back() {
    for (i, plan) in random_graphs().flat_map(|graph| plans(&graph)).enumerate() {
        assert_eq!(plan.to_string().parse::<Plan>().as_ref(), Ok(&plan), "plan {i}");
        let faults = verify(plan).err();
        assert_eq!(faults, None, "plan {i}");
    }
}

#[test]
fn random_circuits_reach_every_step() {
    let mut words = std::collections::BTreeSet::new();
    let (mut n_uneven, mut n_leaves, mut n_shared) = (0, 0, 0);
    for plan in random_graphs().flat_map(|graph| plans(&graph)) {
        for step in &plan.steps {
            words.insert(step.word());
            match step {
                Step::Concat { out, children, .. } => {
                    let groups = plan.block(*out).groups;
                    let is_even = |g: u32| g.is_multiple_of(groups) || groups.is_multiple_of(g);
                    n_uneven += usize::from(!children.iter().all(|&c| is_even(plan.block(c).groups)));
                }
                Step::Multiply { factors, .. } if factors.len() > 1 => {
                    n_leaves += factors.iter().filter(|f| f.leaf().is_some()).count();
                }
                Step::SumDown { child_flow: Some(into), .. } => n_shared += usize::from(into.is_added),
                _ => {}
            }
        }
    }
    assert_eq!(words.len(), 21, "{words:?}");
    assert!(n_uneven > 0 && n_leaves > 0 && n_shared > 0, "{n_uneven} {n_leaves} {n_shared}");
}

#[test]
fn a_plan_reads_as_its_steps() {
    let plan = hmm(1, Mode::Flows);
    let words: Vec<&str> = plan.steps.iter().map(Step::word).collect();
    let up = ["multiply", "sum", "multiply", "sum"];
    // What the sums were computed from is not kept.
    let down = ["seed", "multiply", "sum_down", "gather_down", "multiply", "sum_down", "gather_down"];
    assert_eq!(words, [&up[..], &down[..]].concat());
    assert_eq!(plan.n_up, 4);
    // The second leaf has no block: its product looks it up.
    assert!(plan.to_string().contains("\nmultiply out=b2 factors=[b1,v1:t2] guard=0\n"), "{plan}");
}

/// A hidden Markov model of `steps + 1` variables, each with two states and three values.
fn hmm_graph(steps: u32) -> Graph {
    let mut b = GraphBuilder::new();
    let group = b.variables("X", &[steps + 1], Domain::Cat(3), false);
    let mut vars = b.graph().var_group(group).variables();
    let table = |b: &mut GraphBuilder, shape| {
        let (name, span) = (String::new(), Span::default());
        b.param(Param { shape, groups: 1, initial: None, is_fixed: false, mask: None, name, span })
    };
    let family = Family::Categorical(Categorical { n: 3 });
    let mut leaf = |b: &mut GraphBuilder| -> LayerId {
        let emission = table(b, ParamShape::Input { family, units: 2 });
        b.input(vars.next().unwrap(), emission, 1, Span::default()).unwrap()
    };
    let mut below = leaf(&mut b);
    for _ in 0..steps {
        let transition = table(&mut b, ParamShape::Sum { rows: 2, columns: 2 });
        let moved = b.sum(&[below], transition, 1, Span::default()).unwrap();
        let emitted = leaf(&mut b);
        below = b.product(&[moved, emitted], Span::default()).unwrap();
    }
    let start = table(&mut b, ParamShape::Sum { rows: 1, columns: 2 });
    let root = b.sum(&[below], start, 1, Span::default()).unwrap();
    b.finish(root).unwrap()
}

fn hmm(steps: u32, mode: Mode) -> Plan {
    let graph = hmm_graph(steps);
    graph_to_plan(&graph, &Options::all_observed(&graph, mode)).unwrap()
}

#[test]
fn forward_plans_of_chains_need_the_same_rows_whatever_their_length() {
    assert_eq!(hmm(10, Mode::Forward).arena_rows, hmm(1000, Mode::Forward).arena_rows);
    // Each sum's output and input are kept until the way down.
    let kept = |steps| hmm(steps, Mode::Flows).arena_rows;
    assert_eq!(kept(30) - kept(20), kept(20) - kept(10));
}

#[test]
fn costs_are_those_of_the_matrix_products() {
    let cost = hmm(10, Mode::Flows).cost();
    // Ten transitions of 2 x 2, ten products of 2, one root of 1 x 2.
    assert_eq!(cost.flops_up, 10 * 8 + 10 * 2 + 4);
    assert_eq!(cost.table_bytes, 4 * (11 * 6 + 10 * 4 + 2));
    assert_eq!(cost.flow_bytes, cost.table_bytes);
    // Ten products of a sum and a leaf, while the eleventh leaf is alone.
    assert_eq!(cost.flops_again, 10 * 2);
    // Twice the products of the way up, and one addition for each leaf's unit.
    assert_eq!(cost.flops_down, 2 * (10 * 8 + 4) + 11 * 2);
}

/// The faults of a plan that was broken in one place.
fn faults(mode: Mode, break_it: impl FnOnce(&mut Plan)) -> Vec<Fault> {
    let mut plan = hmm(3, mode);
    break_it(&mut plan);
    verify(plan).expect_err("the plan is broken")
}

fn assert_refused(mode: Mode, problem: &str, break_it: impl FnOnce(&mut Plan)) {
    let faults = faults(mode, break_it);
    assert!(faults.iter().any(|f| f.problem == problem), "{problem} is not among {faults:?}");
}

#[test]
fn broken_entries_are_refused() {
    assert_refused(Mode::Forward, "it lies in the arena", |p| p.arena_rows -= 1);
    assert_refused(Mode::Forward, "its buffer has a row for each unit and each group", |p| {
        p.blocks[0].width = 3;
    });
    assert_refused(Mode::Forward, "the root has one unit", |p| p.root = pcc_ir::BlockId(0));
    assert_refused(Mode::Forward, "it has groups, rows and columns", |p| p.tables[0].groups = 0);
    assert_refused(Mode::Forward, "it starts after the one before it", |p| p.tables[1].start = 0);
    assert_refused(Mode::Flows, "only a plan for flows goes down", |p| p.mode = Mode::Forward);
    assert_refused(Mode::Flows, "upward steps compute blocks", |p| p.n_up += 1);
}

#[test]
fn broken_steps_are_refused() {
    let set_table = |p: &mut Plan, new: u32| {
        for step in &mut p.steps {
            if let Step::Sum { table, .. } = step {
                *table = ParamId(new);
                return;
            }
        }
    };
    assert_refused(Mode::Forward, "its table exists", |p| set_table(p, 99));
    let rule = "its table has a row for each unit and a column for each of the child's";
    assert_refused(Mode::Forward, rule, |p| set_table(p, 0));
    assert_refused(Mode::Forward, "its variable exists", |p| p.n_variables = 0);
    assert_refused(Mode::Forward, "its guard exists", |p| p.guards.clear());
}

#[test]
fn broken_products_are_refused() {
    let set_factors = |p: &mut Plan, new: &dyn Fn(&[Factor]) -> Vec<Factor>| {
        for step in &mut p.steps {
            if let Step::Multiply { factors, .. } = step
                && factors.len() > 1
            {
                *factors = new(factors).into();
                return;
            }
        }
    };
    let refused = |problem, new: &dyn Fn(&[Factor]) -> Vec<Factor>| {
        assert_refused(Mode::Forward, problem, |p| set_factors(p, new));
    };
    let leaf = |table| Factor::Leaf { var: pcc_ir::VarId(1), table: ParamId(table) };
    refused("it has two factors or more, or a leaf", &|_| vec![]);
    refused("it has two factors or more, or a leaf", &|old| vec![old[0]]);
    refused("its table exists", &|old| vec![old[0], leaf(99)]);
    let last_variable = Factor::Leaf { var: pcc_ir::VarId(4), table: ParamId(2) };
    refused("its variable exists", &|old| vec![old[0], last_variable]);
    assert_refused(Mode::Forward, "its leaves read tables of one source", |p| {
        p.tables[2].source = Source::Prepared;
        set_factors(p, &|old| vec![old[0], leaf(0), leaf(2)]);
    });
    assert_refused(Mode::Forward, "its table has a column for each unit of a group", |p| {
        p.tables[2].columns = 1;
    });
    assert_refused(Mode::Flows, "its flow has rows for each column of its table", |p| {
        let Step::Seed { flow: of_root } = p.down()[0] else { panic!("the root's flow comes first") };
        for step in &mut p.steps {
            if let Step::GatherDown { flow, .. } = step {
                *flow = of_root;
            }
        }
    });
}

#[test]
fn values_that_are_not_there_are_refused() {
    let missing = "what it reads was written and is still there";
    assert_refused(Mode::Forward, missing, |p| {
        p.steps.remove(0);
        p.n_up -= 1;
    });
    assert_refused(Mode::Forward, missing, |p| p.steps.swap(0, 1));
    // Every buffer at the same place: a later one takes over the rows of an earlier one.
    let faults = faults(Mode::Flows, |p| p.buffers.iter_mut().for_each(|b| b.first = 0));
    assert!(faults.len() > 3, "{faults:?}");
    assert_refused(Mode::Forward, "its value is there when the upward steps are done", |p| {
        p.steps.pop();
        p.n_up -= 1;
    });
}

#[test]
fn bad_text_names_its_line() {
    let text = hmm(1, Mode::Forward).to_string();
    let lines: Vec<&str> = text.lines().collect();
    for i in 0..lines.len() {
        let mut broken = lines.clone();
        let bad = format!("{} what", lines[i]);
        broken[i] = &bad;
        let error = broken.join("\n").parse::<Plan>().expect_err("a word too many");
        assert_eq!(error.line, i + 1, "{error}");
        broken.remove(i);
        // A plan without one of its entries reads, but is none; without its ends it doesn't read.
        let result = broken.join("\n").parse::<Plan>();
        assert!(result.map_or(true, |plan| verify(plan).is_err() || lines[i].starts_with("layer")));
    }
}
