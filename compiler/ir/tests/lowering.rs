//! What lowering decides: the order of layers, what is kept for the way down, where buffers lie, and what
//! memory a run takes.

use pcc_diag::Span;
use pcc_ir::family::{Categorical, Gaussian};
use pcc_ir::lower::{Options, graph_to_plan};
use pcc_ir::plan::{Access, Factor, Memory, Mode, Run, Step, verify};
use pcc_ir::{
    BlockId, Domain, Family, Graph, GraphBuilder, LayerId, Param, ParamId, ParamShape, Plan, VarId,
};

/// Layers of `width` units over variables with three values.
struct Maker {
    builder: GraphBuilder,
    vars: Vec<VarId>,
    width: u32,
}

impl Maker {
    fn new(n_variables: u32, width: u32) -> Self {
        let mut builder = GraphBuilder::new();
        let group = builder.variables("X", &[n_variables], Domain::Cat(3), false);
        let vars = builder.graph().var_group(group).variables().collect();
        Maker { builder, vars, width }
    }

    fn table(&mut self, shape: ParamShape) -> ParamId {
        let (name, span) = (String::new(), Span::default());
        self.builder.param(Param { shape, groups: 1, initial: None, is_fixed: false, mask: None, name, span })
    }

    fn leaf(&mut self, variable: usize) -> LayerId {
        let family = Family::Categorical(Categorical { n: 3 });
        let table = self.table(ParamShape::Input { family, units: self.width });
        self.builder.input(self.vars[variable], table, 1, Span::default()).unwrap()
    }

    fn product(&mut self, factors: &[LayerId]) -> LayerId {
        self.builder.product(factors, Span::default()).unwrap()
    }

    fn sum(&mut self, children: &[LayerId], rows: u32) -> LayerId {
        let columns = children.len() as u32 * self.width;
        let table = self.table(ParamShape::Sum { rows, columns });
        self.builder.sum(children, table, 1, Span::default()).unwrap()
    }

    fn finish(mut self, children: &[LayerId]) -> Graph {
        let root = self.sum(children, 1);
        self.builder.finish(root).unwrap()
    }
}

fn plan(graph: &Graph, mode: Mode) -> Plan {
    let plan = graph_to_plan(graph, &Options::all_observed(graph, mode)).unwrap();
    assert_eq!(verify(plan.clone()).err(), None);
    plan
}

/// A chain of sums in which every product has a small sum as well, before or after the chain's.
fn caterpillar(length: usize, is_small_first: bool) -> Graph {
    caterpillar_of(4, length, is_small_first)
}

fn caterpillar_of(width: u32, length: usize, is_small_first: bool) -> Graph {
    let mut maker = Maker::new(2 * length as u32, width);
    let mut below = maker.leaf(0);
    for i in 1..length {
        let leaf = maker.leaf(length + i);
        let small = maker.sum(&[leaf], width);
        let deep = maker.sum(&[below], width);
        let own = maker.leaf(i);
        let factors = if is_small_first { [small, deep, own] } else { [deep, small, own] };
        below = maker.product(&factors);
    }
    let last = maker.leaf(length);
    let whole = maker.product(&[below, last]);
    maker.finish(&[whole])
}

#[test]
fn the_child_that_needs_most_rows_is_computed_first() {
    let rows = |length, is_first| plan(&caterpillar(length, is_first), Mode::Forward).arena_rows;
    for is_small_first in [false, true] {
        assert_eq!(rows(5, is_small_first), rows(50, is_small_first));
    }
}

#[test]
fn only_sums_are_kept_for_the_way_down() {
    let rows = |length| plan(&caterpillar_of(40, length, true), Mode::Flows).arena_rows;
    // Two sums of forty units and an exponent for each place of the chain, but for a few rows left free.
    let more = rows(260) - rows(60);
    assert!(more.abs_diff(200 * 2 * 41) < 60, "{more}");
}

/// The blocks of all sums of a half of a plan, as they are numbered on the way up.
fn sums(steps: &[Step]) -> Vec<ParamId> {
    let table = |step: &Step| if let Step::Sum { table, .. } = step { Some(*table) } else { None };
    steps.iter().filter_map(table).collect()
}

#[test]
fn small_sums_are_kept_only_where_a_stretch_of_the_plan_reads_those_of_another() {
    let plans = [60, 1060].map(|length| plan(&caterpillar(length, true), Mode::Flows));
    let more = plans[1].arena_rows - plans[0].arena_rows;
    assert!(more < 1000 * 2 * 5 / 10, "{more}");
    // Each sum has a table of its own.
    let (n_up, mut again) = (sums(plans[1].up()).len(), sums(plans[1].down()));
    assert!((n_up * 9 / 10..n_up).contains(&again.len()), "{} of {n_up}", again.len());
    again.sort_unstable();
    assert!(again.windows(2).all(|pair| pair[0] < pair[1]), "a sum is computed again twice");
    // A plan that is near as a whole keeps all, and so does one whose sums are wide.
    for small in [caterpillar(10, true), caterpillar_of(40, 60, true)] {
        assert_eq!(sums(plan(&small, Mode::Flows).down()), []);
    }
}

/// How many products of the downward half have these factors or more.
fn n_products_again(plan: &Plan, n_factors: usize) -> usize {
    let is_product = |s: &&Step| matches!(s, Step::Multiply { factors, .. } if factors.len() >= n_factors);
    plan.down().iter().filter(is_product).count()
}

#[test]
fn sums_over_one_product_have_it_computed_again_once() {
    let mut maker = Maker::new(2, 4);
    let leaves = [maker.leaf(0), maker.leaf(1)];
    let both = maker.product(&leaves);
    let sums = [maker.sum(&[both], 4), maker.sum(&[both], 4), maker.sum(&[both], 4)];
    let plan = plan(&maker.finish(&sums), Mode::Flows);
    assert_eq!(n_products_again(&plan, 2), 1, "{plan}");
}

#[test]
fn products_of_many_factors_are_kept() {
    let naive_bayes = |n: usize| {
        let mut maker = Maker::new(n as u32, 4);
        let leaves: Vec<LayerId> = (0..n).map(|i| maker.leaf(i)).collect();
        let all = maker.product(&leaves);
        plan(&maker.finish(&[all]), Mode::Flows)
    };
    assert_eq!([2, 8, 9, 50].map(|n| n_products_again(&naive_bayes(n), 2)), [1, 1, 0, 0]);
}

/// Products over the first 1, 2, .. variables, each a factor of the next and summed as well.
fn prefixes(n: usize) -> Graph {
    let mut maker = Maker::new(n as u32, 4);
    let mut prefix = maker.leaf(0);
    let mut alternatives = Vec::new();
    let mut suffix: Vec<LayerId> = vec![maker.leaf(n - 1)];
    for i in (1..n - 1).rev() {
        let leaf = maker.leaf(i);
        let longer = maker.product(&[leaf, suffix[suffix.len() - 1]]);
        suffix.push(longer);
    }
    for i in 1..n - 1 {
        let sum = maker.sum(&[prefix], 4);
        alternatives.push(maker.product(&[sum, suffix[n - 1 - i]]));
        let leaf = maker.leaf(i);
        prefix = maker.product(&[prefix, leaf]);
    }
    maker.finish(&alternatives)
}

#[test]
fn products_of_products_are_not_computed_again_and_again() {
    let n_steps = |n| plan(&prefixes(n), Mode::Flows).steps.len();
    assert_eq!(n_steps(400) - n_steps(200), 2 * (n_steps(200) - n_steps(100)));
}

#[test]
fn rows_that_are_read_do_not_lie_shortly_before_those_written() {
    for width in [8, 16, 32, 64, 100] {
        let mut maker = Maker::new(20, width);
        let mut below = maker.leaf(0);
        for i in 1..20 {
            let leaf = maker.leaf(i);
            let (sum, other) = (maker.sum(&[below], width), maker.sum(&[leaf], width));
            below = maker.product(&[sum, other]);
        }
        let plan = plan(&maker.finish(&[below]), Mode::Forward);
        for step in plan.steps.iter().filter(|s| matches!(s, Step::Multiply { .. })) {
            let (mut read, mut written) = (Vec::new(), Vec::new());
            step.each_buffer(&plan, &mut |buffer, access| match access {
                Access::Read => read.push(plan.buffer(buffer).first),
                _ => written.push(plan.buffer(buffer).first),
            });
            // 4096 bytes are sixteen rows.
            let phases = read.iter().map(|row| row.wrapping_sub(written[0]) % 16);
            assert!(phases.clone().all(|phase| phase < 12), "{width}: {:?}", phases.collect::<Vec<_>>());
        }
    }
}

#[test]
fn another_value_than_that_of_the_way_up_is_refused() {
    let refused = |problem: &str, break_it: &dyn Fn(&mut Plan)| {
        let mut broken = plan(&caterpillar(4, true), Mode::Flows);
        break_it(&mut broken);
        let faults = verify(broken).expect_err("the plan is broken");
        assert!(faults.iter().any(|f| f.problem == problem), "{problem} is not among {faults:?}");
    };
    let first_again = |plan: &mut Plan| {
        let n_up = plan.n_up as usize;
        let is_product = |s: &Step| matches!(s, Step::Multiply { .. });
        n_up + plan.steps[n_up..].iter().position(is_product).expect("a product is computed again")
    };
    refused("the downward half computes only what the upward half did", &|plan| {
        let i = first_again(plan);
        if let Step::Multiply { factors, .. } = &mut plan.steps[i] {
            *factors = factors.iter().rev().copied().collect();
        }
    });
    refused("no block is computed twice", &|plan| {
        let i = first_again(plan);
        let again = plan.steps[i].clone();
        plan.steps.insert(i + 1, again);
    });
    // The sum's child is there, but it is that of another sum.
    refused("its flow goes down over what it was computed from", &|plan| {
        let of_sum = |s: &Step| if let Step::SumDown { child, .. } = s { Some(*child) } else { None };
        let children: Vec<(usize, BlockId)> =
            plan.steps.iter().enumerate().filter_map(|(i, s)| of_sum(s).map(|c| (i, c))).collect();
        let (n_rows, mut last) = (plan.arena_rows, plan.arena_rows);
        // Every buffer in rows of its own, so that all are there to the end.
        for buffer in &mut plan.buffers {
            buffer.first = last;
            last += buffer.rows;
        }
        plan.arena_rows = last;
        assert!(n_rows < last && children.len() > 2);
        if let Step::SumDown { child, .. } = &mut plan.steps[children[2].0] {
            *child = children[1].1;
        }
    });
}

#[test]
fn memory_is_that_of_tables_statistics_and_arenas() {
    let plan = plan(&caterpillar(4, true), Mode::Flows);
    let (n_numbers, n_rows, n_tables) = (8 * 12 + 6 * 16 + 4, 8 * 3 + 6 * 4 + 1, 15);
    let row = 64 * 4;
    let scratch = 4 + 2 * 16;
    let tile = row * (plan.tile_rows() + scratch);
    let expected = Memory {
        tables: 4 * (n_numbers + n_rows) + 12 * n_tables,
        statistics: 3 * 2 * 4 * n_numbers,
        arenas: 3 * 2 * tile,
    };
    assert_eq!(plan.memory(Run { threads: 3, tiles: 2, has_totals: true }), expected);
    assert_eq!(plan.tile_rows() % 16, 4);
    let taken = plan.tile_rows() - u64::from(plan.arena_rows + plan.n_variables);
    assert!(taken < 16, "{taken} rows are left free");
}

#[test]
fn tiles_go_before_threads_where_memory_is_short() {
    let plan = plan(&caterpillar(4, true), Mode::Flows);
    let run = |threads, tiles, has_totals| Run { threads, tiles, has_totals };
    let bytes = |run| plan.memory(run).total();
    let fit = |budget| plan.fit(3, Some(budget));
    assert_eq!(plan.fit(3, None), Ok(run(3, 8, true)));
    assert_eq!(fit(bytes(run(3, 8, true))), Ok(run(3, 8, true)));
    assert_eq!(fit(bytes(run(3, 8, true)) - 1), Ok(run(3, 8, false)));
    assert_eq!(fit(bytes(run(3, 8, false)) - 1), Ok(run(3, 4, false)));
    assert_eq!(fit(bytes(run(3, 4, false)) - 1), Ok(run(3, 2, false)));
    assert_eq!(fit(bytes(run(3, 2, false)) - 1), Ok(run(3, 1, false)));
    let less = fit(bytes(run(3, 1, false)) - 1).unwrap();
    assert_eq!(less.threads, 2, "{less:?}");
    let least = run(1, 1, false);
    assert_eq!(fit(bytes(least)), Ok(least));
    assert_eq!(fit(bytes(least) - 1), Err(plan.memory(least)));
}

#[test]
fn long_plans_run_over_fewer_tiles() {
    let graph = caterpillar_of(40, 1000, true);
    let tiles = |mode| plan(&graph, mode).fit(1, None).map(|run| run.tiles);
    assert_eq!([Mode::Forward, Mode::Flows].map(tiles), [Ok(8), Ok(4)]);
}

#[test]
fn a_leaf_with_several_readers_has_a_block() {
    let mut maker = Maker::new(2, 4);
    let (shared, others) = (maker.leaf(0), [maker.leaf(1), maker.leaf(1)]);
    let products = others.map(|other| maker.product(&[shared, other]));
    let plan = plan(&maker.finish(&products), Mode::Forward);
    let is_mixed = |s: &&Step| match s {
        Step::Multiply { factors, .. } => {
            matches!(factors[..], [Factor::Block(_), Factor::Leaf { .. }])
        }
        _ => false,
    };
    assert_eq!(plan.steps.iter().filter(is_mixed).count(), 2, "{plan}");
}

type Leaves = Vec<(VarId, ParamId)>;

/// A sum over a product of some normal leaves, a discrete one, and a sum of one more normal.
fn mixed_region(n_normals: u32) -> Graph {
    let mut maker = Maker::new(1, 4);
    let group = maker.builder.variables("Y", &[n_normals + 1], Domain::Real, false);
    let reals: Vec<VarId> = maker.builder.graph().var_group(group).variables().collect();
    let family = Family::Gaussian(Gaussian::default());
    let mut factors = vec![maker.leaf(0)];
    for &real in &reals {
        let table = maker.table(ParamShape::Input { family, units: 4 });
        factors.push(maker.builder.input(real, table, 1, Span::default()).unwrap());
    }
    let last = factors.pop().unwrap();
    factors.push(maker.sum(&[last], 4));
    let all = maker.product(&factors);
    maker.finish(&[all])
}

#[test]
fn many_normal_leaves_of_a_product_are_one_step() {
    let words = |n_normals, are_normals_joined, mode| {
        let graph = mixed_region(n_normals);
        let options = Options { are_normals_joined, ..Options::all_observed(&graph, mode) };
        let plan = graph_to_plan(&graph, &options).unwrap();
        assert_eq!(plan.to_string().parse().as_ref(), Ok(&plan));
        let words: Vec<&str> = plan.steps.iter().map(Step::word).collect();
        assert_eq!(verify(plan.clone()).err(), None, "{plan}");
        words.join(" ")
    };
    let joined = "normal sum normal_product multiply sum";
    assert_eq!(words(4, true, Mode::Forward), joined);
    // The joined densities are kept, as they take long; the product that they are a factor of is not.
    let down = "seed multiply sum_down sum_down normal_down normal_product_down gather_down";
    let flows = words(4, true, Mode::Flows);
    let (up, found) = flows.split_at(joined.len());
    let sorted = |words: &str| {
        let mut words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
        words.sort();
        words
    };
    assert_eq!((up, sorted(found)), (joined, sorted(down)));
    assert_eq!(words(3, true, Mode::Forward), "normal sum normal normal normal multiply sum");
    assert_eq!(words(4, false, Mode::Forward), "normal sum normal normal normal normal multiply sum");
    assert!(!words(4, true, Mode::Values).contains("product"));
}

#[test]
fn broken_products_of_normals_are_refused() {
    let graph = mixed_region(4);
    let options = Options { are_normals_joined: true, ..Options::all_observed(&graph, Mode::Flows) };
    let refused = |problem: &str, change: &dyn Fn(&mut Leaves), is_down: bool| {
        let mut plan = graph_to_plan(&graph, &options).unwrap();
        for step in plan.steps.iter_mut().filter(|s| s.out().is_none() == is_down) {
            if let Step::NormalProduct { leaves, .. } | Step::NormalProductDown { leaves, .. } = step {
                let mut new = leaves.to_vec();
                change(&mut new);
                *leaves = new.into();
            }
        }
        let faults = verify(plan).expect_err("the plan is broken");
        assert!(faults.iter().any(|f| f.problem == problem), "{problem} is not among {faults:?}");
    };
    for is_down in [false, true] {
        refused("it has several leaves, over distinct variables", &|l| l[1].0 = l[0].0, is_down);
        refused("it has several leaves, over distinct variables", &|l| l.truncate(1), is_down);
        refused("its variable exists", &|l| l[0].0 = VarId(6), is_down);
        refused("its table exists", &|l| l[3].1 = ParamId(99), is_down);
        // The first table is that of the discrete leaf.
        refused("its table is prepared and has three rows", &|l| l[2].1 = ParamId(0), is_down);
    }
}

#[test]
fn indicators_of_what_is_known_softly_read_weights_and_other_leaves_are_refused() {
    let mut maker = Maker::new(3, 4);
    let indicators = [1, 2].map(|var| maker.builder.indicator(VarId(var), 0, 1, 3, Span::default()));
    let sums = indicators.map(|indicator| {
        let table = maker.table(ParamShape::Sum { rows: 4, columns: 3 });
        maker.builder.sum(&[indicator], table, 1, Span::default()).unwrap()
    });
    let leaf = maker.leaf(0);
    let all = maker.product(&[leaf, sums[0], sums[1]]);
    let graph = maker.finish(&[all]);
    for mode in Mode::ALL {
        let options = |given: &[u32]| Options {
            given: given.iter().map(|&var| VarId(var)).collect(),
            ..Options::all_observed(&graph, mode)
        };
        let plan = graph_to_plan(&graph, &options(&[2, 1])).unwrap();
        assert_eq!(plan.to_string().parse().as_ref(), Ok(&plan));
        assert_eq!(plan.soft_sizes(), (6, 2));
        assert_eq!(verify(plan.clone()).err(), None, "{plan}");
        let places = plan.up().iter().filter_map(|step| match step {
            Step::Given { first, slot, .. } => Some((*first, *slot)),
            _ => None,
        });
        let mut places: Vec<(u32, u32)> = places.collect();
        places.sort_unstable();
        assert_eq!(places, [(0, 0), (3, 1)], "{plan}");
        assert!(graph_to_plan(&graph, &options(&[0])).is_err());
    }
}

#[test]
fn kept_layers_are_there_at_the_end() {
    let mut maker = Maker::new(6, 4);
    let leaves: Vec<LayerId> = (0..6).map(|var| maker.leaf(var)).collect();
    let sums: Vec<LayerId> = leaves.iter().map(|&leaf| maker.sum(&[leaf], 4)).collect();
    let mut chain = sums[0];
    for &sum in &sums[1..] {
        let product = maker.product(&[chain, sum]);
        chain = maker.sum(&[product], 4);
    }
    let graph = maker.finish(&[chain]);
    let kept = vec![leaves[3], sums[0], sums[4]];
    let options = Options { kept: kept.clone(), ..Options::all_observed(&graph, Mode::Forward) };
    let plan = graph_to_plan(&graph, &options).unwrap();
    assert_eq!(verify(plan.clone()).err(), None, "{plan}");
    let buffer = |id: &LayerId| plan.block(plan.layers[id.index()].expect("it has a block")).buffer;
    let rows = |buffer| {
        let buffer = plan.buffer(buffer);
        buffer.first..buffer.first + buffer.rows
    };
    for id in &kept {
        let own = buffer(id);
        let is_own = |step: &&Step| step.out().is_some_and(|out| plan.block(out).buffer == own);
        let computed = plan.up().iter().position(|step| is_own(&step)).expect("some step computes it");
        for step in &plan.up()[computed + 1..] {
            let other = rows(plan.block(step.out().unwrap()).buffer);
            assert!(other.end <= rows(own).start || rows(own).end <= other.start, "{plan}");
        }
    }
}
