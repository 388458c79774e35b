//! The text form: what is printed reads back as the same graph, and malformed text is an error at a line.

use pcc_diag::Span;
use pcc_ir::family::{Bernoulli, Binomial, Gaussian, MinSd};
use pcc_ir::graph::{InitialValues, print, print_with, read, verify};
use pcc_ir::{Domain, Family, Graph, GraphBuilder, Param, ParamShape};
use std::time::Instant;

fn table(shape: ParamShape, groups: u32, name: &str) -> Param {
    Param { shape, groups, initial: None, is_fixed: false, mask: None, name: name.into(), span: Span::NONE }
}

/// A graph with every kind of layer, domain and family, groups, tying, odd names and values.
fn everything() -> Graph {
    let mut b = GraphBuilder::new();
    b.variables("X", &[2, 2], Domain::Bool, false);
    b.variables("odd [name]", &[], Domain::Int(-3, 4), false);
    b.variables("R", &[1], Domain::Real, false);
    b.variables("Z", &[], Domain::Cat(2), true);
    let group = |b: &GraphBuilder, name: &str| b.graph().find_group(name).unwrap().first;
    let (x, odd, r, z) = (group(&b, "X"), group(&b, "odd [name]"), group(&b, "R"), group(&b, "Z"));
    let span = Span::new(pcc_diag::FileId(0), 3, 9);
    let bernoulli = ParamShape::Input { family: Family::Bernoulli(Bernoulli), units: 2 };
    let emit = b.param(table(bernoulli, 1, "emit[\"a\" \\ 3]"));
    let mut binomial =
        table(ParamShape::Input { family: Family::Binomial(Binomial { n: 7 }), units: 2 }, 2, "");
    binomial.initial = Some(vec![0.1, 1e-300, 0.3, 1.0]);
    let binomial = b.param(binomial);
    let gaussian = Gaussian { min_sd: MinSd::new(0.07).unwrap() };
    let gaussian = b.param(table(ParamShape::Input { family: Family::Gaussian(gaussian), units: 4 }, 1, "g"));
    let x0 = b.input(x, emit, 2, span).unwrap();
    let x1 = b.input(pcc_ir::VarId(x.0 + 1), emit, 2, span).unwrap();
    let odd = b.input(odd, binomial, 2, span).unwrap();
    let r = b.input(r, gaussian, 1, span).unwrap();
    let z = b.indicator(z, 0, 2, 2, span);
    let not_x2 = b.literal(pcc_ir::VarId(x.0 + 2), 0, 1, 4, span);
    let x3 = b.literal(pcc_ir::VarId(x.0 + 3), 1, 2, 2, span);
    let p = b.product(&[x0, x1, odd, r, z, not_x2], span).unwrap();
    let q = b.outer(p, x3, 2, span).unwrap();
    let dense = b.param(table(ParamShape::Sum { rows: 2, columns: 4 }, 1, "w"));
    let s = b.sum(&[q], dense, 2, span).unwrap();
    let t = b.sum(&[q], dense, 2, span).unwrap();
    let mix = b.param(table(ParamShape::Mix { units: 4, children: 2 }, 1, "m"));
    let m = b.mix(&[s, t], mix, 1, span).unwrap();
    let mut root = table(ParamShape::Sum { rows: 1, columns: 4 }, 1, "root");
    (root.initial, root.is_fixed) = (Some(vec![0.25; 4]), true);
    let root = b.param(root);
    let root = b.sum(&[m], root, 1, span).unwrap();
    b.label(s, "M.part one");
    b.label(t, "M.part one");
    b.finish(root).unwrap()
}

#[test]
fn what_is_printed_reads_back_as_the_same_graph() {
    let graph = everything();
    assert_eq!(verify(&graph), []);
    let text = print(&graph);
    let back = read(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    assert!(back.same_as(&graph), "{text}");
    assert_eq!(print(&back), text);
}

#[test]
fn values_can_be_left_out() {
    let back = read(&print_with(&everything(), InitialValues::LeftOut)).unwrap();
    assert!(back.params().iter().all(|p| p.initial.is_none()));
    assert_eq!(back.n_layers(), everything().n_layers());
}

const SMALL: &str = "pcg 1
vars A : bool
vars B : cat(3)

# The comment and the blank line mean nothing.
t0 = table \"w\" sum 1 x 1 groups 1 values 1.0
l0 = literal A 1 : 1 x 1
l1 = literal B 2 : 1 x 1
l2 = product l0 l1 : 1 x 1
l3 = sum t0 l2 : 1 x 1
root l3
";

#[test]
fn a_hand_written_text_is_read() {
    let graph = read(SMALL).unwrap();
    assert_eq!((graph.n_layers(), graph.variables().len(), graph.root().0), (4, 2, 3));
    assert_eq!(graph.scope(graph.root()).len(), 2);
}

#[track_caller]
fn check(old: &str, new: &str, line: usize, message: &str) {
    let text = SMALL.replace(old, new);
    assert_ne!(text, SMALL, "the replacement must do something");
    let error = read(&text).expect_err(new);
    assert_eq!(error.line, line, "{error}");
    assert!(error.message.contains(message), "{error}");
}

#[test]
fn malformed_text_is_an_error_at_its_line() {
    check("pcg 1", "pcg 2", 1, "version 2 is not known");
    check("pcg 1\n", "", 1, "does not begin with `pcg`");
    check("cat(3)", "cat(0)", 3, "`cat(0)` is not a domain");
    check("cat(3)", "int(-9223372036854775808..9223372036854775807)", 3, "not a domain");
    check("vars B", "vars A", 3, "`A` is declared twice");
    check("vars B", "vars B[4294967295,4294967295,4294967295]", 3, "variables are declared");
    check("values 1.0", "values 1.0 2.0", 6, "has 2 values, but its shape needs 1");
    check("values 1.0", "values one", 6, "`one` is not a number");
    check("values 1.0", "value 1.0", 6, "`value` is not known in a table");
    check("sum 1 x 1 groups 1", "sum 4000000000 x 4000000000 groups 4000000000", 6, "more than");
    check("\"w\"", "\"w", 6, "in quotes");
    check("l0 = literal A 1", "l5 = literal A 1", 7, "`l5` stands where `l0` should");
    check("literal A 1", "literal C 1", 7, "no variables are named `C`");
    check("literal A 1", "literal A[0] 1", 7, "no variable at [0]");
    check("literal A 1", "literal A 2", 7, "the code 2 is outside `bool`");
    check("A 1 : 1 x 1", "A 1 : 1 x 0", 7, "a width is zero");
    check("literal B 2 : 1 x 1", "literal B 2 : 1 x 2", 9, "child 1 has 2 units, but the first has 1");
    check("product l0 l1", "product l0 l7", 9, "`l7` is not defined before this line");
    check("product l0 l1 :", "product :", 9, "has no children");
    check("product l0 l1 : 1 x 1", "product l0 l1 : 1 x 3", 9, "says 1 x 3, but it is 1 x 1");
    check("product", "prodct", 9, "`prodct` is not a kind of layer");
    check("sum t0 l2", "sum t0 l2 l1", 10, "needs a table of");
    check("root l3", "root l3 l2", 11, "where the line should end");
    check("root l3\n", "", 10, "ends without a `root`");
    check("root l3", "root l2", 11, "does not reach");
    check("root l3", "roof l3", 11, "is not the start of any line");
}

#[test]
fn a_reader_s_error_names_the_file_and_the_line() {
    let found = read(&SMALL.replace("root l3", "root l9")).unwrap_err().diagnostic("small.pcg");
    assert_eq!(found.code, "graph-text-malformed");
    assert!(found.message.starts_with("line 11 of the graph in `small.pcg`: "), "{}", found.message);
}

#[test]
fn a_text_cut_anywhere_is_an_error_and_never_a_panic() {
    let text = print(&everything());
    for end in 0..text.trim_end().len() {
        if text.is_char_boundary(end) {
            assert!(read(&text[..end]).is_err(), "cut at {end}");
        }
    }
}

/// A chain of 100,000 sums and products of one unit over few variables.
#[test]
fn a_graph_of_100_000_layers_reads_back() {
    let mut b = GraphBuilder::new();
    let group = b.variables("X", &[16], Domain::Bool, false);
    let vars: Vec<_> = b.graph().var_group(group).variables().collect();
    let literals: Vec<_> = vars.iter().map(|&v| b.literal(v, 1, 1, 1, Span::NONE)).collect();
    let all = b.product(&literals, Span::NONE).unwrap();
    let mut top = all;
    for _ in 0..100_000 {
        let weights = b.param(table(ParamShape::Sum { rows: 1, columns: 2 }, 1, ""));
        top = b.sum(&[top, all], weights, 1, Span::NONE).unwrap();
    }
    let graph = b.finish(top).unwrap();
    let start = Instant::now();
    let text = print(&graph);
    let printed = start.elapsed();
    let back = read(&text).unwrap();
    println!("printed in {printed:?}, printed and read in {:?}: {} bytes", start.elapsed(), text.len());
    assert!(back.same_as(&graph));
}
