//! Small PSDDs written out here, against their distributions worked out by hand; and real ones where they
//! are at hand.

use super::*;
use crate::data::decompressed;
use crate::exec::{Executor, Interpreter};
use pcc_ir::{Batch, MISSING};
use proptest::prelude::*;

/// Over two variables: P(A) = 0.3; B follows A with probability 0.9, and not A with 0.2. The count is wrong.
const PAIR: &str = "c written by hand
psdd 99
L 10 0 1
L 11 0 -1
T 12 1 2 -0.10536051565782628
T 13 1 2 -1.6094379124341003
D 14 2 2 10 12 -1.2039728043259361 11 13 -0.35667494393873245
";
const PAIR_VTREE: &str = "vtree 3\nL 0 1\nL 1 2\nI 2 0 1\n";

/// Over four variables with the distribution of `little_4var`: two independent pairs, written with their
/// elements in another order and shape: the first pair is (0,0) with 0.7 and the rest with 0.1 each.
fn little() -> String {
    let ln = |p: f64| p.ln();
    let mut text = String::from("psdd 12\n");
    for variable in 1..=4 {
        text += &format!(
            "L {0} {1} {variable}\nL {2} {1} -{variable}\n",
            2 * variable,
            variable - 1,
            2 * variable + 1
        );
    }
    let given = |id, vtree, var, p: f64| format!("T {id} {vtree} {var} {}\n", ln(p));
    text += &given(20, 1, 2, 0.5);
    text += &given(21, 1, 2, 0.125);
    text += &format!("D 22 4 2 2 20 {} 3 21 {}\n", ln(0.2), ln(0.8));
    text += &given(30, 3, 4, 0.2 / 0.5);
    text += &given(31, 3, 4, 0.4 / 0.5);
    text += &format!("D 32 5 2 6 30 {} 7 31 {}\n", ln(0.5), ln(0.5));
    text += &format!("D 40 6 1 22 32 {}\n", ln(1.0));
    text
}
const LITTLE_VTREE: &str = "vtree 7\nL 0 1\nL 1 2\nL 2 3\nL 3 4\nI 4 0 1\nI 5 2 3\nI 6 4 5\n";

fn check(psdd: &str, vtree: Option<&str>) -> Result<Imported, Diagnostic> {
    let vtree = vtree.map(|text| read_vtree(text.as_bytes(), "v.vtree").unwrap().0);
    read_psdd(psdd.as_bytes(), vtree.as_ref(), "c.psdd")
}

fn log_likelihoods(circuit: &Imported, rows: &[&[u32]]) -> Vec<f64> {
    let mut batch = Batch::empty(circuit.graph.variables().len());
    rows.iter().for_each(|row| batch.push(row));
    Interpreter::new(circuit.graph.clone(), circuit.params.clone()).log_likelihoods(&batch)
}

fn check_probabilities(circuit: &Imported, rows: &[&[u32]], wanted: &[f64]) {
    for (found, wanted) in log_likelihoods(circuit, rows).into_iter().zip(wanted) {
        assert!((found.exp() - wanted).abs() < 1e-7, "{} is not {wanted}", found.exp());
    }
}

#[test]
fn a_pair() {
    let circuit = check(PAIR, Some(PAIR_VTREE)).unwrap();
    check_probabilities(
        &circuit,
        &[&[0, 0], &[0, 1], &[1, 0], &[1, 1], &[MISSING, 1], &[MISSING; 2]],
        &[0.7 * 0.8, 0.7 * 0.2, 0.3 * 0.1, 0.3 * 0.9, 0.7 * 0.2 + 0.3 * 0.9, 1.0],
    );
    assert_eq!(circuit.warnings.iter().map(|w| w.code).collect::<Vec<_>>(), ["node-count-differs"]);
    assert!(!circuit.warnings[0].is_error());
}

#[test]
fn four_variables_have_the_reference_values() {
    let circuit = check(&little(), Some(LITTLE_VTREE)).unwrap();
    let all: Vec<Vec<u32>> = (0..16).map(|i: u32| (0..4).map(|k| i >> (3 - k) & 1).collect()).collect();
    let rows: Vec<&[u32]> = all.iter().map(Vec::as_slice).collect();
    let wanted =
        [0.07, 0.28, 0.21, 0.14, 0.01, 0.04, 0.03, 0.02, 0.01, 0.04, 0.03, 0.02, 0.01, 0.04, 0.03, 0.02];
    check_probabilities(&circuit, &rows, &wanted);
    let m = MISSING;
    let marginals: [&[u32]; 5] = [&[0, 0, 0, m], &[m, 1, 0, m], &[0, m, m, m], &[m, 1, m, 1], &[m; 4]];
    check_probabilities(&circuit, &marginals, &[0.35, 0.10, 0.80, 0.12, 1.0]);
    assert!(circuit.warnings[0].message.contains("declares 12"), "{:?}", circuit.warnings);
}

/// A circuit over two variables with P(00), P(01), P(10), P(11) as given: a true node where B does not
/// depend on A, else a decision on A.
fn two(p: [f64; 4]) -> Imported {
    let given = |id: u32, yes: f64, no: f64| format!("T {id} 1 2 {}\n", (yes / (yes + no)).ln());
    let text = format!("psdd 5\nL 0 0 1\nL 1 0 -1\n{}{}", given(2, p[1], p[0]), given(3, p[3], p[2]));
    let [not_a, a] = [p[0] + p[1], p[2] + p[3]].map(f64::ln);
    check(&format!("{text}D 4 2 2 1 2 {not_a} 0 3 {a}\n"), Some(PAIR_VTREE)).unwrap()
}

#[test]
fn two_variables_have_the_reference_entropies() {
    let [a, b, c] = [[0.4, 0.1, 0.25, 0.25], [0.07, 0.03, 0.63, 0.27], [0.3, 0.2, 0.3, 0.2]];
    let logs = |p| log_likelihoods(&two(p), &[&[0, 0], &[0, 1], &[1, 0], &[1, 1]]);
    let entropy = |p| -logs(p).iter().map(|l| l.exp() * l).sum::<f64>();
    let kl = |p, q| logs(p).iter().zip(logs(q)).map(|(l, m)| l.exp() * (l - m)).sum::<f64>();
    let near = |found: f64, wanted: f64| assert!((found - wanted).abs() < 1e-6, "{found} is not {wanted}");
    near(entropy(a), 1.2899219826090118);
    near(entropy(b), 0.9359472745536583);
    near(entropy(c), 1.366158847569);
    near(kl(a, b), 0.5672800167911778);
    near(kl(b, c), 0.38966506);
}

fn check_fault(psdd: &str, vtree: Option<&str>, code: &str, words: &str) {
    let fault = check(psdd, vtree).unwrap_err();
    assert_eq!(fault.code, code, "{}", fault.message);
    assert!(fault.message.contains(words), "no `{words}` in: {}", fault.message);
}

#[test]
fn damaged_circuits() {
    let damaged = "circuit-file-damaged";
    check_fault("psdd 1\n", None, damaged, "no nodes");
    check_fault("psdd 1\nL 0 0 0\n", None, damaged, "counted from 1");
    check_fault("psdd 1\nL 0 0 99999999999\n", None, damaged, "beyond the largest");
    check_fault("psdd 1\nQ 0 0 1\n", None, damaged, "`Q`");
    check_fault("psdd 1\nL 0 0 1 7\n", None, damaged, "`7` follows");
    check_fault("psdd 2\nL 0 0 1\nL 0 0 1\n", None, damaged, "line 3: node 0 is there twice");
    check_fault(&PAIR.replace(" 12 -1.20", " 77 -1.20"), None, damaged, "line 7: there is no node 77");
    check_fault(&PAIR.replace("-0.356", "-0.956"), None, damaged, "sum to 0.6");
    check_fault(&PAIR.replace("-0.356", "nan-0.356"), None, damaged, "is no log weight");
    check_fault(&PAIR.replace("-0.10536051565782628", "0.5"), None, damaged, "no probability");
    check_fault(&PAIR[..PAIR.len() - 30], None, damaged, "line 7");
    check_fault("psdd 1\nD 0 0 0\n", None, damaged, "no elements");
    check_fault(PAIR, Some("vtree 3\nL 0 2\nL 1 1\nI 2 0 1\n"), damaged, "another variable");
    check_fault(PAIR, Some("vtree 3\nL 0 1\nL 1 2\nI 2 1 0\n"), damaged, "elsewhere in the vtree");
    check_fault(PAIR, Some("vtree 1\nL 5 1\n"), damaged, "no node 0");
}

#[test]
fn other_content_is_named() {
    check_fault("vtree 1\nL 0 1\n", None, "circuit-format", "is a vtree, where a PSDD is wanted");
    let pickle = read_psdd(b"\x80\x04\x95...", None, "model.jpc").unwrap_err();
    assert!(pickle.message.contains("Python pickle"), "{}", pickle.message);
    let fault = read_vtree(PAIR.as_bytes(), "v.vtree").unwrap_err();
    assert!(fault.message.contains("is a PSDD, where a vtree is wanted"), "{}", fault.message);
}

#[test]
fn damaged_vtrees() {
    for text in [
        "vtree 1\n",
        "vtree 1\nL 0 0\n",
        "vtree 3\nL 0 1\nL 1 1\nI 2 0 1\n",
        "vtree 2\nL 0 1\nI 2 0 1\n",
        "vtree 2\nL 0 1\nI 1 0 0\n",
        "vtree 3\nL 0 1\nL 1 2\nL 2 3\n",
        "vtree 1\nL 0 1 2\n",
    ] {
        assert_eq!(
            read_vtree(text.as_bytes(), "v.vtree").unwrap_err().code,
            "circuit-file-damaged",
            "{text}"
        );
    }
}

proptest! {
    /// Whatever is changed in a circuit, reading it answers, and what is read can be evaluated.
    #[test]
    fn no_change_makes_the_reader_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(b"0123 -LTD\n".to_vec())), 1..4),
        with_vtree in any::<bool>(),
    ) {
        let mut text = PAIR.as_bytes().to_vec();
        for (at, byte) in changes {
            let at = at.index(text.len());
            text[at] = byte;
        }
        let text = String::from_utf8(text).unwrap();
        if let Ok(circuit) = check(&text, with_vtree.then_some(PAIR_VTREE)) {
            prop_assert!(circuit.params.first_unset().is_none());
            let rows = vec![MISSING; circuit.graph.variables().len()];
            prop_assert!(log_likelihoods(&circuit, &[&rows])[0] < 0.1);
        }
    }
}

/// A chain of decisions, as long as the largest circuits that are met.
#[test]
fn a_hundred_thousand_elements() {
    let n = 50_000;
    let mut text = String::from("psdd 1\nL 0 0 1\nL 1 0 -1\nT 2 1 2 -0.6931471805599453\n");
    let half = 0.5_f64.ln();
    for id in 3..n + 3 {
        text += &format!("D {id} 2 2 0 2 {half} 1 2 {half}\n");
    }
    let circuit = check(&text, Some(PAIR_VTREE)).unwrap();
    check_probabilities(&circuit, &[&[1, 0]], &[0.25]);
}

/// The sets that the published PSDD was learned on, when `PCC_DATA` names the folder that has them.
#[test]
fn nltcs_has_its_published_likelihood() {
    let Some(folder) = std::env::var_os("PCC_DATA").map(std::path::PathBuf::from) else {
        eprintln!("skipped: PCC_DATA is not set");
        return;
    };
    let psdd = folder.join("circuits/psdds/nltcs.psdd.gz");
    let circuit = read_circuit(&psdd, Some(&folder.join("circuits/vtrees/nltcs.vtree"))).unwrap();
    assert_eq!(circuit.warnings.len(), 1);
    for (part, wanted) in [("test", -6.044764), ("valid", -5.972738)] {
        let data = std::fs::read(folder.join(format!("debd/nltcs/nltcs.{part}.data.gz"))).unwrap();
        let text = String::from_utf8(decompressed(data).unwrap()).unwrap();
        let row = |line: &str| line.split(',').map(|bit| bit.parse().unwrap()).collect::<Vec<u32>>();
        let rows: Vec<Vec<u32>> = text.lines().map(row).collect();
        let logs = log_likelihoods(&circuit, &rows.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let mean = logs.iter().sum::<f64>() / logs.len() as f64;
        assert!((mean - wanted).abs() < 1e-5, "{part}: {mean} is not {wanted}");
    }
    let all_missing = [MISSING; 16];
    assert!(log_likelihoods(&circuit, &[&all_missing])[0].abs() < 1e-6);
}
