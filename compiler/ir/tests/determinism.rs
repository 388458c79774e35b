//! Determinism against enumeration, and the cases that the design names.

mod circuits;

use circuits::{Dice, Shape, random, table};
use pcc_diag::Span;
use pcc_ir::family::Categorical;
use pcc_ir::props::{
    BothPossible, Checked, Determinism, DeterminismConfig, Support, deterministic, deterministic_sums,
    supports,
};
use pcc_ir::{Domain, Family, Graph, GraphBuilder, LayerId, LayerKind, ParamShape, Value, VarGroupId, VarId};

/// Which units are possible under an assignment of all variables, latent ones included. The second
/// implementation of supports: it knows nothing of boxes or scopes.
fn possible(graph: &Graph, values: &[u32]) -> Vec<Vec<bool>> {
    let mut all: Vec<Vec<bool>> = Vec::new();
    for id in graph.layer_ids() {
        let layer = graph.layer(id);
        let (n, width, groups) = (layer.n_units(), layer.width as usize, layer.groups as usize);
        let of = |child: usize| &all[layer.children[child].index()];
        let units = match layer.kind {
            LayerKind::Input { .. } => vec![true; n],
            LayerKind::Literal { var, value } => vec![values[var.index()] == value; n],
            LayerKind::Indicator { var, first } => {
                (0..n).map(|u| values[var.index()] == first + (u % width) as u32).collect()
            }
            LayerKind::Product => (0..n).map(|u| (0..layer.children.len()).all(|c| of(c)[u])).collect(),
            LayerKind::Mix { .. } => (0..n).map(|u| (0..layer.children.len()).any(|c| of(c)[u])).collect(),
            LayerKind::Outer => (0..n)
                .map(|u| {
                    let (a, b) = (of(0).len() / groups, of(1).len() / groups);
                    let (g, k) = (u / width, u % width);
                    of(0)[g * a + k / b] && of(1)[g * b + k % b]
                })
                .collect(),
            LayerKind::Sum { .. } => (0..n)
                .map(|u| {
                    let g = u / width;
                    (0..layer.children.len()).any(|c| {
                        let part = of(c).len() / groups;
                        of(c)[g * part..(g + 1) * part].iter().any(|&p| p)
                    })
                })
                .collect(),
        };
        all.push(units);
    }
    all
}

/// For every layer and unit, whether it is possible under each assignment of the observed variables (some
/// value of the others makes it so).
struct Truth {
    by_assignment: Vec<Vec<Vec<bool>>>,
    observed: Vec<usize>,
}

impl Truth {
    fn of(graph: &Graph, config: &DeterminismConfig) -> Self {
        let n = graph.variables().len();
        let observed: Vec<usize> = (0..n).filter(|&v| config.observed.contains(VarId::new(v))).collect();
        let mut by_assignment: Vec<Vec<Vec<bool>>> = Vec::new();
        by_assignment.resize(1 << observed.len(), Vec::new());
        for bits in 0..1_usize << n {
            let values: Vec<u32> = (0..n).map(|v| (bits >> v & 1) as u32).collect();
            let units = possible(graph, &values);
            let seen = observed.iter().enumerate().map(|(i, &v)| (values[v] as usize) << i).sum::<usize>();
            let slot = &mut by_assignment[seen];
            if slot.is_empty() {
                *slot = units;
            } else {
                for (a, b) in slot.iter_mut().flatten().zip(units.iter().flatten()) {
                    *a |= b;
                }
            }
        }
        Truth { by_assignment, observed }
    }

    fn is_deterministic(&self, graph: &Graph, id: LayerId) -> bool {
        let layer = graph.layer(id);
        self.by_assignment.iter().all(|units| {
            (0..layer.n_units()).all(|u| {
                let n_possible = layer
                    .children
                    .iter()
                    .map(|c| {
                        let child = &units[c.index()];
                        match layer.kind {
                            LayerKind::Mix { .. } => usize::from(child[u]),
                            _ => {
                                let part = child.len() / layer.groups as usize;
                                let group = u / layer.width as usize;
                                child[group * part..(group + 1) * part].iter().filter(|&&p| p).count()
                            }
                        }
                    })
                    .sum::<usize>();
                n_possible < 2
            })
        })
    }

    /// The index of an assignment; variables that it lacks get the given code.
    fn index(&self, assignment: &[(VarId, Value)], other: u32) -> usize {
        let code = |v: usize| match assignment.iter().find(|(var, _)| var.index() == v) {
            Some((_, Value::Code(code))) => *code,
            _ => other,
        };
        self.observed.iter().enumerate().map(|(i, &v)| (code(v) as usize) << i).sum()
    }

    fn check_witness(&self, witness: &BothPossible) {
        assert_ne!(
            (witness.first_child, witness.first),
            (witness.second_child, witness.second),
            "two different inputs"
        );
        for other in [0, 1] {
            let decisive = &witness.assignment[..witness.n_decisive];
            for assignment in [decisive, &witness.assignment] {
                let units = &self.by_assignment[self.index(assignment, other)];
                for unit in [witness.first, witness.second] {
                    assert!(units[unit.layer.index()][unit.unit as usize], "{witness:?}");
                }
            }
        }
    }
}

fn check(graph: &Graph, config: &DeterminismConfig) -> (usize, usize) {
    let truth = Truth::of(graph, config);
    let (mut n_proved, mut n_refuted) = (0, 0);
    for (id, answer) in deterministic_sums(graph, config) {
        match answer {
            Determinism::Deterministic => {
                assert!(truth.is_deterministic(graph, id), "{id} in\n{}", pcc_ir::graph::print(graph));
                n_proved += 1;
            }
            Determinism::NotDeterministic(witness) => {
                assert!(!truth.is_deterministic(graph, id), "{id} in\n{}", pcc_ir::graph::print(graph));
                truth.check_witness(&witness);
                n_refuted += 1;
            }
            Determinism::Unknown { why, .. } => panic!("nothing this small is unknown: {why}"),
        }
    }
    (n_proved, n_refuted)
}

#[test]
fn random_circuits_agree_with_enumeration() {
    let (mut n_proved, mut n_refuted, mut n_hidden) = (0, 0, 0);
    for seed in 0..600 {
        let mut dice = Dice::new(seed);
        let shape = Shape {
            n_observed: 2 + dice.below(6),
            n_latent: dice.below(3),
            is_structured: seed % 2 == 0,
            most_units: 3,
        };
        let graph = random(&mut dice, shape);
        Checked::new(graph.clone()).unwrap_or_else(|e| panic!("{e:?}"));
        let (proved, refuted) = check(&graph, &DeterminismConfig::given(&graph, &[]));
        (n_proved, n_refuted) = (n_proved + proved, n_refuted + refuted);
        if graph.var_groups().len() > 1 {
            let given = DeterminismConfig::given(&graph, &[VarGroupId(1)]);
            n_hidden += check(&graph, &given).0 - proved;
        }
    }
    assert!(n_proved > 300 && n_refuted > 300 && n_hidden > 10, "{n_proved} {n_refuted} {n_hidden}");
}

/// Sums over products of a prime and a sub, where only the pairwise recursion tells primes apart:
/// `A xor B` and `A iff B`.
#[test]
fn primes_whose_boxes_meet_are_told_apart() {
    let mut b = GraphBuilder::new();
    b.variables("X", &[3], Domain::Bool, false);
    let [x, y, z] = [0, 1, 2].map(VarId);
    let lit = |b: &mut GraphBuilder, v, value| b.literal(v, value, 1, 1, Span::NONE);
    let dense = |b: &mut GraphBuilder, children: &[LayerId]| {
        let shape = ParamShape::Sum { rows: 1, columns: children.len() as u32 };
        let param = b.param(table(shape, 1));
        b.sum(children, param, 1, Span::NONE).unwrap()
    };
    let primes: Vec<LayerId> = [1, 0]
        .iter()
        .map(|flip| {
            let pairs: Vec<LayerId> = [0, 1]
                .iter()
                .map(|&v| {
                    let pair = [lit(&mut b, x, v), lit(&mut b, y, v ^ flip)];
                    b.product(&pair, Span::NONE).unwrap()
                })
                .collect();
            dense(&mut b, &pairs)
        })
        .collect();
    let elements: Vec<LayerId> = primes
        .iter()
        .map(|&prime| {
            let sub = lit(&mut b, z, 1);
            b.product(&[prime, sub], Span::NONE).unwrap()
        })
        .collect();
    let root = dense(&mut b, &elements);
    let graph = b.finish(root).unwrap();
    assert_eq!(deterministic(&graph, &DeterminismConfig::given(&graph, &[])), Determinism::Deterministic);
    check(&graph, &DeterminismConfig::given(&graph, &[]));
}

/// 256 heads told apart by the value of Z: proved given Z, refuted without it.
fn sum_by_latent(width: u32) -> Graph {
    let mut b = GraphBuilder::new();
    b.variables("X", &[], Domain::Cat(5), false);
    b.variables("Z", &[], Domain::Cat(width), true);
    let family = Family::Categorical(Categorical { n: 5 });
    let emit = b.param(table(ParamShape::Input { family, units: width }, 1));
    let x = b.input(VarId(0), emit, 1, Span::NONE).unwrap();
    let z = b.indicator(VarId(1), 0, 1, width, Span::NONE);
    let heads = b.product(&[x, z], Span::NONE).unwrap();
    let weights = b.param(table(ParamShape::Sum { rows: 1, columns: width }, 1));
    let root = b.sum(&[heads], weights, 1, Span::NONE).unwrap();
    b.finish(root).unwrap()
}

#[test]
fn a_sum_by_a_latent_is_deterministic_only_given_the_latent() {
    let graph = sum_by_latent(256);
    let mut given = DeterminismConfig::given(&graph, &[VarGroupId(1)]);
    // Far fewer steps than there are pairs: the latent's value tells all heads apart at once.
    given.budget = 2_000;
    assert!(deterministic(&graph, &given).is_proved());
    let summed_out = DeterminismConfig::given(&graph, &[]);
    let Determinism::NotDeterministic(witness) = deterministic(&graph, &summed_out) else {
        panic!("the heads share their support")
    };
    assert_eq!((witness.n_decisive, witness.assignment.as_slice()), (0, &[(VarId(0), Value::Code(0))][..]));
}

#[test]
fn past_its_budget_the_answer_is_unknown() {
    let graph = sum_by_latent(256);
    let mut config = DeterminismConfig::given(&graph, &[VarGroupId(1)]);
    config.budget = 10;
    let Determinism::Unknown { layer, why } = deterministic(&graph, &config) else {
        panic!("10 steps are few")
    };
    assert_eq!(layer, Some(graph.root()));
    assert!(why.contains("more than 10 steps"), "{why}");
}

/// A decision diagram over 64 variables in which boxes never tell apart what depends on parity: linear for
/// the pairwise recursion, 2^64 cases otherwise.
#[test]
fn parity_over_many_variables_is_decided_by_pairs() {
    let n = 64;
    let mut b = GraphBuilder::new();
    b.variables("X", &[n], Domain::Bool, false);
    let mut even_odd = [0, 1].map(|v| b.literal(VarId(n - 1), v, 1, 1, Span::NONE));
    for v in (0..n - 1).rev() {
        let literals = [0, 1].map(|value| b.literal(VarId(v), value, 1, 1, Span::NONE));
        even_odd = [0, 1].map(|parity: usize| {
            let same = b.product(&[literals[0], even_odd[parity]], Span::NONE).unwrap();
            let flipped = b.product(&[literals[1], even_odd[1 - parity]], Span::NONE).unwrap();
            let param = b.param(table(ParamShape::Sum { rows: 1, columns: 2 }, 1));
            b.sum(&[same, flipped], param, 1, Span::NONE).unwrap()
        });
    }
    let param = b.param(table(ParamShape::Sum { rows: 1, columns: 2 }, 1));
    let root = b.sum(&even_odd, param, 1, Span::NONE).unwrap();
    let graph = b.finish(root).unwrap();
    let mut config = DeterminismConfig::given(&graph, &[]);
    config.budget = 100_000;
    assert!(deterministic(&graph, &config).is_proved());
}

/// Supports against enumeration: the circuit's own truth table as the formula, and the same with one
/// assignment flipped, which must be found.
#[test]
fn supports_agree_with_enumeration() {
    for seed in 0..200 {
        let mut dice = Dice::new(seed);
        let n_observed = 1 + dice.below(8);
        let shape = Shape { n_observed, n_latent: dice.below(2), is_structured: false, most_units: 2 };
        let graph = random(&mut dice, shape);
        let config = DeterminismConfig::given(&graph, &[]);
        let truth = Truth::of(&graph, &config);
        let root = |seen: usize| truth.by_assignment[seen][graph.root().index()][0];
        let flipped = dice.below(truth.by_assignment.len());
        let table = |values: &[u64], flip: Option<usize>| {
            let seen = |lane: u32| {
                let bit = |(i, &v): (usize, &usize)| ((values[v] >> lane & 1) as usize) << i;
                truth.observed.iter().enumerate().map(bit).sum::<usize>()
            };
            (0..64).map(|lane| u64::from(root(seen(lane)) != (flip == Some(seen(lane)))) << lane).sum::<u64>()
        };
        let answer =
            |flip| supports(&graph, &config.observed, &config.observed, &|values| table(values, flip));
        assert_eq!(answer(None), Support::Equal, "seed {seed}");
        let Support::Differs { assignment, is_model } = answer(Some(flipped)) else { panic!("seed {seed}") };
        let found: usize =
            assignment.iter().enumerate().map(|(i, &(_, value))| usize::from(value) << i).sum();
        assert_eq!((found, is_model), (flipped, !root(flipped)), "seed {seed}");
    }
}

#[test]
fn supports_of_many_variables_are_unknown() {
    let mut b = GraphBuilder::new();
    b.variables("X", &[21], Domain::Bool, false);
    let literals: Vec<LayerId> = (0..21).map(|v| b.literal(VarId(v), 1, 1, 1, Span::NONE)).collect();
    let root = b.product(&literals, Span::NONE).unwrap();
    let graph = b.finish(root).unwrap();
    let observed = DeterminismConfig::given(&graph, &[]).observed;
    let all = |values: &[u64]| values.iter().fold(u64::MAX, |all, v| all & v);
    let Support::Unknown(why) = supports(&graph, &observed, &observed, &all) else {
        panic!("21 are too many")
    };
    assert!(why.contains("21 variables"), "{why}");
}

/// The PSDD of "exactly half of n variables are true" over a balanced vtree, with every count of every
/// vtree node as one decision: no box tells any two primes apart.
fn exactly_half(n: u32) -> Graph {
    fn counts(b: &mut GraphBuilder, vars: &[VarId]) -> Vec<LayerId> {
        if let [var] = *vars {
            return [0, 1].map(|value| b.literal(var, value, 1, 1, Span::NONE)).to_vec();
        }
        let (left, right) = vars.split_at(vars.len() / 2);
        let (left, right) = (counts(b, left), counts(b, right));
        let decision = |count: usize| {
            let of_left = (0..left.len()).filter(|i| (0..right.len()).contains(&count.wrapping_sub(*i)));
            let pairs: Vec<[LayerId; 2]> = of_left.map(|i| [left[i], right[count - i]]).collect();
            let elements: Vec<LayerId> = pairs.iter().map(|p| b.product(p, Span::NONE).unwrap()).collect();
            let param = b.param(table(ParamShape::Sum { rows: 1, columns: elements.len() as u32 }, 1));
            b.sum(&elements, param, 1, Span::NONE).unwrap()
        };
        (0..=vars.len()).map(decision).collect()
    }
    let mut b = GraphBuilder::new();
    b.variables("X", &[n], Domain::Bool, false);
    let vars: Vec<VarId> = (0..n).map(VarId).collect();
    let all = counts(&mut b, &vars);
    b.finish(all[n as usize / 2]).unwrap()
}

#[test]
fn a_large_psdd_is_proved_within_the_budget() {
    let graph = exactly_half(96);
    let n_elements = graph.layer_ids().filter(|&id| graph.layer(id).kind == LayerKind::Product).count();
    let start = std::time::Instant::now();
    let checked = Checked::new(graph).unwrap();
    println!("{n_elements} elements are smooth and decomposable: {:?}", start.elapsed());
    let config = DeterminismConfig::given(&checked, &[]);
    assert!(deterministic(&checked, &config).is_proved());
    println!("deterministic: {:?}", start.elapsed());
}

/// The PSDD of "the number of true variables is a multiple of eight" over a balanced vtree: at each vtree
/// node eight decisions of eight elements, one for each remainder on the left.
fn multiple_of_eight(n: u32) -> Graph {
    fn remainders(b: &mut GraphBuilder, vars: &[VarId]) -> Vec<Option<LayerId>> {
        if let [var] = *vars {
            return (0..8).map(|r| (r < 2).then(|| b.literal(var, r, 1, 1, Span::NONE))).collect();
        }
        let (left, right) = vars.split_at(vars.len() / 2);
        let (left, right) = (remainders(b, left), remainders(b, right));
        let mut decision = |remainder: usize| {
            let pairs = (0..8).filter_map(|i| Some([left[i]?, right[(8 + remainder - i) % 8]?]));
            let elements: Vec<LayerId> = pairs.map(|p| b.product(&p, Span::NONE).unwrap()).collect();
            (!elements.is_empty()).then(|| {
                let param = b.param(table(ParamShape::Sum { rows: 1, columns: elements.len() as u32 }, 1));
                b.sum(&elements, param, 1, Span::NONE).unwrap()
            })
        };
        (0..8).map(&mut decision).collect()
    }
    let mut b = GraphBuilder::new();
    b.variables("X", &[n], Domain::Bool, false);
    let vars: Vec<VarId> = (0..n).map(VarId).collect();
    let root = remainders(&mut b, &vars)[0].expect("zero is a multiple of eight");
    b.finish(root).unwrap()
}

#[test]
fn a_psdd_of_100_000_elements_is_proved_within_the_budget() {
    let graph = multiple_of_eight(8_192);
    let n_elements = graph.layer_ids().filter(|&id| graph.layer(id).kind == LayerKind::Product).count();
    assert!(n_elements > 100_000, "{n_elements}");
    let start = std::time::Instant::now();
    let checked = Checked::new(graph).unwrap();
    println!("{n_elements} elements are smooth and decomposable: {:?}", start.elapsed());
    let config = DeterminismConfig::given(&checked, &[]);
    assert!(deterministic(&checked, &config).is_proved());
    println!("deterministic: {:?}", start.elapsed());
}
