//! Cuts: what they promise, by enumeration, and what is refused.

use pcc_diag::Span;
use pcc_ir::props::{NoCut, cut_at, violations};
use pcc_ir::{
    Domain, Family, Graph, GraphBuilder, LayerId, LayerKind, Param, ParamId, ParamShape, VarId, family,
};

/// W = {X0, X1} under the latent Z (variable 4), and X2, X3 beside it.
struct Make(GraphBuilder);

impl Make {
    fn new() -> Make {
        let mut builder = GraphBuilder::new();
        builder.variables("X", &[4], Domain::Bool, false);
        builder.variables("Z", &[1], Domain::Cat(2), true);
        Make(builder)
    }

    fn param(&mut self, shape: ParamShape, groups: u32) -> ParamId {
        let name = String::new();
        self.0.param(Param {
            name,
            shape,
            span: Span::NONE,
            groups,
            initial: None,
            is_fixed: false,
            mask: None,
        })
    }

    fn leaf(&mut self, var: u32, units: u32) -> LayerId {
        let family = Family::Bernoulli(family::Bernoulli);
        let param = self.param(ParamShape::Input { family, units }, 1);
        self.0.input(VarId(var), param, 1, Span::NONE).unwrap()
    }

    fn product(&mut self, children: &[LayerId]) -> LayerId {
        self.0.product(children, Span::NONE).unwrap()
    }

    fn sum(&mut self, children: &[LayerId], rows: u32) -> LayerId {
        let columns = children.iter().map(|&child| self.0.graph().n_units(child) as u32).sum();
        let param = self.param(ParamShape::Sum { rows, columns }, 1);
        self.0.sum(children, param, 1, Span::NONE).unwrap()
    }

    /// Two cases over X0 and X1.
    fn heads(&mut self) -> LayerId {
        let leaves = [self.leaf(0, 2), self.leaf(1, 2)];
        self.product(&leaves)
    }

    fn indicated(&mut self, heads: LayerId) -> LayerId {
        let indicator = self.0.indicator(VarId(4), 0, 1, 2, Span::NONE);
        self.product(&[heads, indicator])
    }

    /// A mixture of two pairs, each of something over W and something over the rest.
    fn mixture(&mut self, of_w: [LayerId; 2]) -> LayerId {
        let pair = |make: &mut Make, w: LayerId| {
            let rest = [make.leaf(2, 1), make.leaf(3, 1)];
            let rest = make.product(&rest);
            make.product(&[w, rest])
        };
        let pairs = of_w.map(|w| pair(self, w));
        self.sum(&pairs, 1)
    }

    fn finish(self, root: LayerId) -> Graph {
        self.0.finish(root).unwrap()
    }
}

fn z(graph: &Graph) -> VarId {
    let is_latent = |i: &usize| graph.variable(VarId::new(*i)).is_latent;
    VarId::new((0..graph.variables().len()).find(is_latent).unwrap())
}

#[test]
fn one_set_of_cases_is_a_cut_even_under_several_sums() {
    let mut make = Make::new();
    let heads = make.heads();
    let cases = make.indicated(heads);
    let sums = [make.sum(&[cases], 1), make.sum(&[cases], 1)];
    let root = make.mixture(sums);
    let graph = make.finish(root);
    assert!(violations(&graph).is_empty());
    let cut = cut_at(&graph, z(&graph)).unwrap();
    assert_eq!(cut.products.len(), 1);
    assert_eq!(cut.products[0].1, 0..2);
}

#[test]
fn the_same_cases_indicated_twice_are_one_cut_and_others_are_not() {
    for is_same in [true, false] {
        let mut make = Make::new();
        let first = make.heads();
        let second = if is_same { first } else { make.heads() };
        let sums = [first, second].map(|heads| {
            let cases = make.indicated(heads);
            make.sum(&[cases], 1)
        });
        let root = make.mixture(sums);
        let graph = make.finish(root);
        assert!(violations(&graph).is_empty());
        match cut_at(&graph, z(&graph)) {
            Ok(cut) => assert!(is_same && cut.products.len() == 2),
            Err(why) => assert!(!is_same && matches!(why, NoCut::Twice(..)), "{why:?}"),
        }
    }
}

/// A part that splits W has no unit over W to be indicated; with the latent elsewhere it is not smooth.
#[test]
fn a_mixture_with_a_part_that_splits_the_scope_is_no_circuit() {
    let mut make = Make::new();
    let heads = make.heads();
    let cases = make.indicated(heads);
    let left = make.sum(&[cases], 1);
    let rest = [make.leaf(2, 1), make.leaf(3, 1)];
    let left = make.product(&[left, rest[0], rest[1]]);
    let factors: Vec<LayerId> = (0..4).map(|var| make.leaf(var, 1)).collect();
    let right = make.product(&factors);
    let root = make.sum(&[left, right], 1);
    let graph = make.finish(root);
    assert!(!violations(&graph).is_empty());
}

#[test]
fn sums_over_other_variables_leaves_and_copies_are_no_cuts() {
    // The latent under W in one part, and under X2 in the other.
    let mut make = Make::new();
    let heads = make.heads();
    let cases = make.indicated(heads);
    let w = make.sum(&[cases], 1);
    let rest = [make.leaf(2, 1), make.leaf(3, 1)];
    let left = make.product(&[w, rest[0], rest[1]]);
    let other = make.leaf(2, 2);
    let cases = make.indicated(other);
    let other = make.sum(&[cases], 1);
    let rest = [make.leaf(0, 1), make.leaf(1, 1), make.leaf(3, 1)];
    let right = make.product(&[other, rest[0], rest[1], rest[2]]);
    let root = make.sum(&[left, right], 1);
    let graph = make.finish(root);
    assert!(violations(&graph).is_empty());
    assert!(matches!(cut_at(&graph, z(&graph)), Err(NoCut::OtherScope(..))));

    let mut make = Make::new();
    let literal = make.0.literal(VarId(4), 1, 1, 1, Span::NONE);
    let leaf = make.leaf(0, 1);
    let root = make.product(&[literal, leaf]);
    let graph = make.finish(root);
    let Err(NoCut::NoIndex(id)) = cut_at(&graph, z(&graph)) else { panic!("a literal is no index") };
    assert!(matches!(graph.layer(id).kind, LayerKind::Literal { .. }));

    let mut make = Make::new();
    let indicator = make.0.indicator(VarId(4), 0, 2, 2, Span::NONE);
    let leaf = make.leaf(0, 4);
    let cases = make.product(&[leaf, indicator]);
    let root = make.sum(&[cases], 1);
    let graph = make.finish(root);
    assert!(matches!(cut_at(&graph, z(&graph)), Err(NoCut::InCopies(_))));

    let mut make = Make::new();
    let root = make.leaf(0, 1);
    let graph = make.finish(root);
    assert_eq!(cut_at(&graph, VarId(4)), Err(NoCut::Nowhere));
}
