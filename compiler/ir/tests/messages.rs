//! The words of refusals: codes, labels on the right layers, names folded, each code with a page.

mod circuits;

use circuits::table;
use pcc_diag::{Diagnostic, FileId, Span};
use pcc_ir::family::Bernoulli;
use pcc_ir::graph::Fault;
use pcc_ir::props::{
    DeterminismConfig, Structure, Violation, compatibility_in_words, compatible, conflict_in_words,
    determinism_in_words, deterministic, scope_in_words, structured, support_in_words, supports,
    violation_in_words, violations,
};
use pcc_ir::{Domain, Family, Graph, GraphBuilder, LayerId, ParamShape, Scope, VarId};

/// A builder over `A`, `B` and `X[3, 40]` in which each layer gets the next span.
struct Circuit {
    b: GraphBuilder,
    n_spans: usize,
}

const A: VarId = VarId(0);
const B: VarId = VarId(1);

fn x(row: u32, column: u32) -> VarId {
    VarId(2 + 40 * row + column)
}

impl Circuit {
    fn new() -> Self {
        let mut b = GraphBuilder::new();
        b.variables("A", &[], Domain::Bool, false);
        b.variables("B", &[], Domain::Bool, false);
        b.variables("X", &[3, 40], Domain::Bool, false);
        Circuit { b, n_spans: 0 }
    }

    fn span(&mut self) -> Span {
        self.n_spans += 1;
        Span::new(FileId(0), self.n_spans * 10, self.n_spans * 10 + 5)
    }

    fn literal(&mut self, var: VarId, value: u32) -> LayerId {
        let span = self.span();
        self.b.literal(var, value, 1, 1, span)
    }

    fn input(&mut self, var: VarId, units: u32) -> LayerId {
        let span = self.span();
        let family = Family::Bernoulli(Bernoulli);
        let param = self.b.param(table(ParamShape::Input { family, units }, 1));
        self.b.input(var, param, 1, span).unwrap()
    }

    fn product(&mut self, children: &[LayerId]) -> LayerId {
        let span = self.span();
        self.b.product(children, span).unwrap()
    }

    fn sum(&mut self, children: &[LayerId]) -> LayerId {
        let span = self.span();
        let columns = children.iter().map(|&c| self.b.graph().n_units(c) as u32).sum();
        let param = self.b.param(table(ParamShape::Sum { rows: 1, columns }, 1));
        self.b.sum(children, param, 1, span).unwrap()
    }

    fn finish(self, root: LayerId) -> Graph {
        self.b.finish(root).unwrap()
    }
}

/// Code and message, the labels in order as `line number of the layer's span: text`, and a page for the code.
#[track_caller]
fn check(found: &Diagnostic, code: &str, message: &str, labels: &[(usize, &str)]) {
    assert_eq!((found.code, found.message.as_str()), (code, message));
    let all: Vec<(usize, &str)> =
        found.labels.iter().map(|l| (l.span.start as usize / 10, l.text.as_str())).collect();
    assert_eq!(all, labels);
    let page = format!("{}/../../docs/errors/{code}.md", env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(&page).unwrap_or_else(|e| panic!("{page}: {e}"));
    for part in [&format!("# {code}\n"), "## What it means", "## Why", "## Example", "## What to do"] {
        assert!(page.contains(part), "the page of {code} lacks {part}");
    }
}

#[test]
fn overlapping_scopes() {
    let mut c = Circuit::new();
    let (a, b) = (c.literal(A, 1), c.literal(B, 1));
    let (left, right) = (c.product(&[a, b]), c.literal(B, 0));
    let root = c.product(&[left, right]);
    let graph = c.finish(root);
    let all = violations(&graph);
    check(
        &violation_in_words(&graph, &all[0]),
        "overlapping-scopes",
        "product children share variables, so this circuit is not decomposable",
        &[(5, "both children contain B"), (3, "scope here: A, B"), (4, "scope here: B")],
    );
}

#[test]
fn a_broken_graph_contradicts_itself() {
    let mut c = Circuit::new();
    let root = c.literal(A, 1);
    let graph = c.finish(root);
    let fault = Fault { layer: Some(root), message: "it has no units".into() };
    check(
        &violation_in_words(&graph, &Violation::Fault(fault)),
        "graph-malformed",
        "the circuit contradicts itself: l0: it has no units",
        &[(1, "")],
    );
}

#[test]
fn unequal_scopes() {
    let mut c = Circuit::new();
    let (a, b) = (c.literal(A, 1), c.literal(B, 1));
    let both = c.product(&[a, b]);
    let root = c.sum(&[both, a]);
    let graph = c.finish(root);
    check(
        &violation_in_words(&graph, &violations(&graph)[0]),
        "unequal-scopes",
        "alternatives of a sum must cover the same variables; the second lacks B",
        &[(4, ""), (3, "scope here: A, B"), (1, "scope here: A")],
    );
}

#[test]
fn not_deterministic_names_the_assignment() {
    let mut c = Circuit::new();
    let (a, b, free) = (c.literal(A, 1), c.literal(B, 0), c.input(A, 1));
    let (left, right) = (c.product(&[a, b]), c.product(&[free, b]));
    let root = c.sum(&[left, right]);
    let graph = c.finish(root);
    let answer = deterministic(&graph, &DeterminismConfig::given(&graph, &[]));
    check(
        &determinism_in_words(&graph, &answer).expect("A does not tell them apart"),
        "not-deterministic",
        "not deterministic: these two alternatives of a sum are both possible for `A = true, B = false`",
        &[(6, ""), (4, "one alternative"), (5, "the other")],
    );
}

#[test]
fn two_units_of_one_child_are_named_by_number() {
    let mut c = Circuit::new();
    let wide = c.input(A, 4);
    let root = c.sum(&[wide]);
    let graph = c.finish(root);
    let answer = deterministic(&graph, &DeterminismConfig::given(&graph, &[]));
    check(
        &determinism_in_words(&graph, &answer).expect("inputs overlap"),
        "not-deterministic",
        "not deterministic: these two alternatives of a sum are both possible whatever the values, as for \
         `A = false`",
        &[(2, ""), (1, "its units 0 and 1 are the alternatives")],
    );
}

#[test]
fn what_is_not_known_is_not_proved() {
    let mut c = Circuit::new();
    let wide = c.input(A, 4);
    let root = c.sum(&[wide]);
    let graph = c.finish(root);
    let mut config = DeterminismConfig::given(&graph, &[]);
    config.budget = 1;
    check(
        &determinism_in_words(&graph, &deterministic(&graph, &config)).expect("one step is too few"),
        "not-proved",
        "asserted, but whether the circuit is deterministic is not known: the search for two alternatives that \
         are both possible took more than 1 steps",
        &[(2, "the check gave up here")],
    );
}

#[test]
fn not_structured_shows_both_splits() {
    let mut c = Circuit::new();
    let [p, q, r] = [0, 1, 2].map(|i| c.literal(x(0, i), 1));
    let (pq, qr) = (c.product(&[p, q]), c.product(&[q, r]));
    let (left, right) = (c.product(&[pq, r]), c.product(&[p, qr]));
    let root = c.sum(&[left, right]);
    let graph = c.finish(root);
    let Structure::NotStructured(conflict) = structured(&graph) else { panic!("the two conflict") };
    check(
        &conflict_in_words(&graph, &conflict),
        "not-structured",
        "these products split their variables in ways that no one vtree admits",
        &[(6, "splits X[0, 0], X[0, 1] | X[0, 2]"), (7, "splits X[0, 0] | X[0, 1], X[0, 2]")],
    );
}

#[test]
fn not_compatible_shows_a_product_of_each() {
    let circuit = |cut: usize| {
        let mut c = Circuit::new();
        let leaves = [0, 1, 2].map(|i| c.literal(x(0, i), 1));
        let (left, right) = (c.product(&leaves[..cut]), c.product(&leaves[cut..]));
        let (left, right) = (c.sum(&[left, left]), c.sum(&[right, right]));
        let root = c.product(&[left, right]);
        c.finish(root)
    };
    let (first, second) = (circuit(1), circuit(2));
    let found = compatibility_in_words(&first, &second, &compatible(&first, &second)).expect("they differ");
    check(
        &found,
        "not-compatible",
        "these products of the two circuits cannot be split alike",
        &[(8, "splits X[0, 0] | X[0, 1], X[0, 2]"), (8, "splits X[0, 0], X[0, 1] | X[0, 2]")],
    );
    assert_eq!(compatibility_in_words(&first, &first, &compatible(&first, &first)), None);
}

#[test]
fn a_support_that_differs_shows_where() {
    let mut c = Circuit::new();
    let (a, b) = (c.literal(A, 1), c.input(B, 1));
    let root = c.product(&[a, b]);
    let graph = c.finish(root);
    let (observed, mut names) = (DeterminismConfig::given(&graph, &[]).observed, Scope::empty(122));
    names.insert(A);
    names.insert(B);
    let answer = |formula: &dyn Fn(&[u64]) -> u64| {
        support_in_words(&graph, "F", &supports(&graph, &observed, &names, formula))
    };
    assert_eq!(answer(&|values| values[0]), None);
    let both = answer(&|values| values[0] & values[1]).expect("the circuit allows more");
    let message = "the circuit is possible for `A = true, B = false`, but `F` does not hold there";
    check(&both, "support-differs", message, &[(3, "")]);
    let either = answer(&|values| values[0] | values[1]).expect("the formula allows more");
    let message = "`F` holds for `A = false, B = true`, but the circuit is impossible there";
    check(&either, "support-differs", message, &[(3, "")]);
}

#[test]
fn scopes_are_folded_and_cut() {
    let mut c = Circuit::new();
    let root = c.literal(A, 1);
    let graph = c.finish(root);
    let words = |vars: &[VarId]| {
        let mut scope = Scope::empty(122);
        vars.iter().for_each(|&v| scope.insert(v));
        scope_in_words(&graph, &scope)
    };
    assert_eq!(words(&[]), "nothing");
    assert_eq!(words(&[A, x(0, 1), x(0, 2), x(0, 3)]), "A, X[0, 1], X[0, 2], X[0, 3]");
    let rows: Vec<VarId> = (0..80).map(|i| VarId(2 + i)).collect();
    assert_eq!(words(&rows), "X[0, 0..40], X[1, 0..40]");
    assert_eq!(words(&rows[38..44]), "X[0, 38], X[0, 39], X[1, 0..4]");
    let odd: Vec<VarId> = (0..20).map(|i| x(0, 2 * i)).collect();
    let first = "X[0, 0], X[0, 2], X[0, 4], X[0, 6], X[0, 8], X[0, 10], X[0, 12], X[0, 14]";
    assert_eq!(words(&odd), format!("{first} and 12 more"));
}
