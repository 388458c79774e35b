//! Smooth, decomposable, structured and compatible: against enumeration of all vtrees, and the defects found
//! in other systems.

mod circuits;

use circuits::{Dice, Shape, random, table};
use pcc_diag::Span;
use pcc_ir::props::{
    Checked, Compatibility, Overlap, Structure, Unequal, Violation, Vtree, VtreeNode, compatible, structured,
    structured_by, violations,
};
use pcc_ir::{Domain, Graph, GraphBuilder, LayerId, LayerKind, ParamShape, Scope, VarId};

fn scope(vars: &[u32]) -> Scope {
    let mut scope = Scope::empty(4);
    vars.iter().for_each(|&v| scope.insert(VarId(v)));
    scope
}

/// A builder with `n` boolean variables and a positive literal of each.
fn literals(n: u32) -> (GraphBuilder, Vec<LayerId>) {
    let mut b = GraphBuilder::new();
    b.variables("X", &[n], Domain::Bool, false);
    let all = (0..n).map(|v| b.literal(VarId(v), 1, 1, 1, Span::NONE)).collect();
    (b, all)
}

fn product(b: &mut GraphBuilder, children: &[LayerId]) -> LayerId {
    b.product(children, Span::NONE).unwrap()
}

fn sum(b: &mut GraphBuilder, children: &[LayerId]) -> LayerId {
    let param = b.param(table(ParamShape::Sum { rows: 1, columns: children.len() as u32 }, 1));
    b.sum(children, param, 1, Span::NONE).unwrap()
}

/// A product over {1, 2} x {2} is rejected, naming variable 2 and both children (an engine let it pass).
#[test]
fn overlapping_factors_are_named_with_what_they_share() {
    let (mut b, x) = literals(4);
    let left = product(&mut b, &[x[1], x[2]]);
    let root = product(&mut b, &[x[0], left, x[3], x[2]]);
    let graph = b.finish(root).unwrap();
    let found = violations(&graph);
    let expected = Overlap { layer: graph.root(), first: 1, second: 3, shared: scope(&[2]) };
    assert_eq!(found, [Violation::Overlap(expected)]);
    assert!(Checked::new(graph).is_err());
}

#[test]
fn unequal_alternatives_are_named_with_what_they_lack() {
    let (mut b, x) = literals(4);
    let left = product(&mut b, &[x[0], x[1], x[2]]);
    let right = product(&mut b, &[x[0], x[3]]);
    let root = sum(&mut b, &[left, left, right]);
    let graph = b.finish(root).unwrap();
    let (missing, extra) = (scope(&[1, 2]), scope(&[3]));
    let expected = Unequal { layer: graph.root(), child: 2, missing, extra };
    assert_eq!(violations(&graph), [Violation::Unequal(expected)]);
}

/// A factorised circuit, a balanced one, a chain, and one that splits the same scope in two ways.
fn four() -> [Graph; 4] {
    let factorised = {
        let (mut b, x) = literals(4);
        let root = product(&mut b, &x);
        b.finish(root).unwrap()
    };
    let balanced = {
        let (mut b, x) = literals(4);
        let left = product(&mut b, &[x[0], x[1]]);
        let left = sum(&mut b, &[left, left]);
        let right = product(&mut b, &[x[2], x[3]]);
        let right = sum(&mut b, &[right, right]);
        let root = product(&mut b, &[left, right]);
        b.finish(root).unwrap()
    };
    let chain = {
        let (mut b, x) = literals(4);
        let last = product(&mut b, &[x[0], x[2]]);
        let last = sum(&mut b, &[last, last]);
        let middle = product(&mut b, &[x[3], last]);
        let middle = sum(&mut b, &[middle, middle]);
        let root = product(&mut b, &[x[1], middle]);
        b.finish(root).unwrap()
    };
    let quad = {
        let (mut b, x) = literals(4);
        let pairs: Vec<LayerId> = [(0, 1), (2, 3), (0, 2), (1, 3)]
            .iter()
            .map(|&(i, j)| {
                let pair = product(&mut b, &[x[i], x[j]]);
                sum(&mut b, &[pair, pair])
            })
            .collect();
        let rows = product(&mut b, &pairs[..2]);
        let columns = product(&mut b, &pairs[2..]);
        let root = sum(&mut b, &[rows, columns]);
        b.finish(root).unwrap()
    };
    [factorised, balanced, chain, quad]
}

/// One engine gave different answers for (a, b) and (b, a), and refused the factorised circuit.
#[test]
fn compatibility_is_symmetric_and_a_factorised_circuit_fits_anything() {
    let all = four();
    for a in &all {
        assert_eq!(compatible(&all[0], a), Compatibility::Compatible);
        assert_eq!(compatible(a, &all[0]), Compatibility::Compatible);
    }
    for (i, a) in all.iter().enumerate() {
        for (j, b) in all.iter().enumerate() {
            let (ab, ba) = (compatible(a, b), compatible(b, a));
            let is_expected = i == 0 || j == 0 || (i == j && i != 3);
            assert_eq!(ab == Compatibility::Compatible, is_expected, "{i} {j}");
            assert_eq!(ba == Compatibility::Compatible, is_expected, "{j} {i}");
        }
    }
}

/// A sum over one layer of several units adds them up, as a sum over several layers does.
#[test]
fn a_dense_sum_over_one_child_is_a_sum() {
    let dense = |pair: [u32; 2], other: u32| {
        let mut b = GraphBuilder::new();
        b.variables("X", &[3], Domain::Bool, false);
        let leaf = |b: &mut GraphBuilder, v: u32| b.literal(VarId(v), 1, 1, 2, Span::NONE);
        let pair = pair.map(|v| leaf(&mut b, v));
        let pair = product(&mut b, &pair);
        let param = b.param(table(ParamShape::Sum { rows: 2, columns: 2 }, 1));
        let mixed = b.sum(&[pair], param, 1, Span::NONE).unwrap();
        let other = leaf(&mut b, other);
        let both = product(&mut b, &[mixed, other]);
        let param = b.param(table(ParamShape::Sum { rows: 1, columns: 2 }, 1));
        let root = b.sum(&[both], param, 1, Span::NONE).unwrap();
        b.finish(root).unwrap()
    };
    let (first, second) = (dense([0, 1], 2), dense([1, 2], 0));
    assert_eq!(compatible(&first, &first), Compatibility::Compatible);
    assert!(matches!(compatible(&first, &second), Compatibility::Incompatible { .. }));
    assert!(matches!(compatible(&second, &first), Compatibility::Incompatible { .. }));
}

#[test]
fn circuits_that_do_not_fit_name_a_product_of_each() {
    let [_, balanced, chain, _] = four();
    // {0, 1} and {2, 3} against {1} and {0, 2, 3}.
    let roots = Compatibility::Incompatible { first: balanced.root(), second: chain.root() };
    assert_eq!(compatible(&balanced, &chain), roots);
    let (mut b, x) = literals(3);
    let root = product(&mut b, &x);
    let three = b.finish(root).unwrap();
    let Compatibility::OtherVariables { only_first, only_second } = compatible(&three, &chain) else {
        panic!()
    };
    assert_eq!((only_first.len(), only_second), (0, vec!["X[3]".to_owned()]));
}

#[test]
fn a_circuit_that_splits_a_scope_in_two_ways_is_not_structured() {
    let [factorised, balanced, chain, quad] = four();
    for graph in [&factorised, &balanced, &chain] {
        let Structure::Structured(vtree) = structured(graph) else { panic!("these have a vtree") };
        assert_eq!(structured_by(graph, &vtree), Ok(()));
    }
    let Structure::NotStructured(conflict) = structured(&quad) else { panic!("rows and columns conflict") };
    let wholes: Vec<usize> = conflict.products.iter().map(|&p| quad.scope(p).len()).collect();
    assert_eq!(wholes, [4, 4]);
}

/// A circuit that is not smooth but structured was judged unstructured elsewhere.
#[test]
fn structure_does_not_depend_on_smoothness() {
    let (mut b, x) = literals(4);
    let left = product(&mut b, &[x[0], x[1]]);
    let left = sum(&mut b, &[left, x[1]]);
    let right = product(&mut b, &[x[2], x[3]]);
    let both = product(&mut b, &[left, right]);
    let less = product(&mut b, &[x[0], x[3]]);
    let root = sum(&mut b, &[both, less, right]);
    let graph = b.finish(root).unwrap();
    assert!(violations(&graph).iter().all(|v| matches!(v, Violation::Unequal(_))));
    let Structure::Structured(vtree) = structured(&graph) else { panic!("((0 1) (2 3)) admits it") };
    assert!(admits(&vtree, &graph));
}

/// Factors that overlap, up to the whole itself, are split no further each time they come.
#[test]
fn factors_that_overlap_have_an_answer() {
    let (mut b, x) = literals(4);
    let root = product(&mut b, &[x[0], x[0]]);
    structured(&b.finish(root).unwrap());

    let (mut b, x) = literals(4);
    let whole = product(&mut b, &x);
    let root = product(&mut b, &[whole, x[0]]);
    let graph = b.finish(root).unwrap();
    assert_eq!(violations(&graph).len(), 1);
    structured(&graph);
}

/// All vtrees over some variables: each variable is hung on every edge of every smaller one.
fn all_vtrees(vars: &[VarId]) -> Vec<Vtree> {
    #[derive(Clone)]
    enum Tree {
        Leaf(VarId),
        Inner(Box<Tree>, Box<Tree>),
    }
    fn insert(tree: &Tree, var: VarId) -> Vec<Tree> {
        let here = Tree::Inner(Box::new(tree.clone()), Box::new(Tree::Leaf(var)));
        let mut all = vec![here];
        if let Tree::Inner(a, b) = tree {
            all.extend(insert(a, var).into_iter().map(|a| Tree::Inner(Box::new(a), b.clone())));
            all.extend(insert(b, var).into_iter().map(|b| Tree::Inner(a.clone(), Box::new(b))));
        }
        all
    }
    fn push(tree: &Tree, nodes: &mut Vec<VtreeNode>) -> u32 {
        let node = match tree {
            Tree::Leaf(var) => VtreeNode::Leaf(*var),
            Tree::Inner(a, b) => {
                let a = push(a, nodes);
                VtreeNode::Inner(a, push(b, nodes))
            }
        };
        nodes.push(node);
        nodes.len() as u32 - 1
    }
    let mut trees = vec![Tree::Leaf(vars[0])];
    for &var in &vars[1..] {
        trees = trees.iter().flat_map(|tree| insert(tree, var)).collect();
    }
    let vtree = |tree: &Tree| {
        let mut nodes = Vec::new();
        push(tree, &mut nodes);
        Vtree::new(nodes).expect("each variable stands once")
    };
    trees.iter().map(vtree).collect()
}

/// The sets of variables under the nodes of a vtree.
fn clusters(vtree: &Vtree) -> Vec<Vec<VarId>> {
    let mut all: Vec<Vec<VarId>> = Vec::new();
    for node in vtree.nodes() {
        let vars = match *node {
            VtreeNode::Leaf(var) => vec![var],
            VtreeNode::Inner(a, b) => [all[a as usize].clone(), all[b as usize].clone()].concat(),
        };
        all.push(vars);
    }
    all
}

/// By definition: some node's variables, cut down to those of the product, are exactly the factor's.
fn admits(vtree: &Vtree, graph: &Graph) -> bool {
    let clusters = clusters(vtree);
    graph.layer_ids().filter(|&id| matches!(graph.layer(id).kind, LayerKind::Product | LayerKind::Outer)).all(
        |id| {
            let whole = graph.scope(id);
            graph.children(id).iter().all(|&c| {
                let factor: Vec<VarId> = graph.scope(c).iter().collect();
                clusters.iter().any(|cluster| {
                    let mut cut: Vec<VarId> =
                        cluster.iter().copied().filter(|&v| whole.contains(v)).collect();
                    cut.sort();
                    cut == factor
                })
            })
        },
    )
}

#[test]
fn inferred_vtrees_agree_with_the_enumeration_of_all() {
    assert_eq!(all_vtrees(&[0, 1, 2, 3, 4].map(VarId)).len(), 105);
    let (mut n_structured, mut n_not) = (0, 0);
    for seed in 0..400 {
        let mut dice = Dice::new(seed);
        let n_observed = 3 + dice.below(3);
        let shape = Shape { n_observed, n_latent: 0, is_structured: seed % 3 == 0, most_units: 2 };
        let graph = random(&mut dice, shape);
        let vars: Vec<VarId> = graph.scope(graph.root()).iter().collect();
        let vtrees = all_vtrees(&vars);
        let admitted: Vec<bool> = vtrees.iter().map(|vtree| admits(vtree, &graph)).collect();
        for (vtree, &is_admitted) in vtrees.iter().zip(&admitted) {
            assert_eq!(structured_by(&graph, vtree).is_ok(), is_admitted, "seed {seed}");
        }
        match structured(&graph) {
            Structure::Structured(vtree) => {
                assert!(admits(&vtree, &graph), "seed {seed}");
                n_structured += 1;
            }
            Structure::NotStructured(conflict) => {
                assert!(!admitted.contains(&true), "seed {seed}");
                assert!(conflict.products.len() > 1);
                n_not += 1;
            }
            Structure::Unknown(why) => panic!("{why}"),
        }
    }
    assert!(n_structured > 50 && n_not > 50, "{n_structured} {n_not}");
}

/// Circuits structured by one vtree are compatible, and the answer never depends on the order.
#[test]
fn compatibility_of_random_circuits_is_symmetric() {
    let (mut n_compatible, mut n_not) = (0, 0);
    for seed in 0..300 {
        let mut dice = Dice::new(seed);
        let mut graph =
            || random(&mut dice, Shape { n_observed: 4, n_latent: 0, is_structured: true, most_units: 2 });
        let (a, b) = (graph(), graph());
        let answers = [compatible(&a, &b), compatible(&b, &a)].map(|c| c == Compatibility::Compatible);
        assert_eq!(answers[0], answers[1], "seed {seed}");
        let vtrees = all_vtrees(&[0, 1, 2, 3].map(VarId));
        if vtrees.iter().any(|vtree| admits(vtree, &a) && admits(vtree, &b)) {
            assert!(answers[0], "seed {seed}");
        }
        *(if answers[0] { &mut n_compatible } else { &mut n_not }) += 1;
    }
    assert!(n_compatible > 20 && n_not > 20, "{n_compatible} {n_not}");
}

#[test]
fn a_long_chain_has_its_vtree_in_linear_time() {
    let n = 5_000;
    let (mut b, x) = literals(n);
    let mut rest = x[0];
    for &literal in &x[1..] {
        let both = product(&mut b, &[literal, rest]);
        rest = sum(&mut b, &[both, both]);
    }
    let graph = b.finish(rest).unwrap();
    let Structure::Structured(vtree) = structured(&graph) else { panic!("a chain has a vtree") };
    assert_eq!(structured_by(&graph, &vtree), Ok(()));
    assert_eq!(compatible(&graph, &graph), Compatibility::Compatible);
}
