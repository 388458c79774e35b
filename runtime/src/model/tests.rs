//! Models written and read again, damaged in every way, and read by the Python of the book.

use super::*;
use crate::exec::{Executor, Interpreter};
use pcc_diag::Span;
use pcc_ir::family::{Bernoulli, Binomial, Categorical, Gaussian};
use pcc_ir::graph::{InitialValues, print_with};
use pcc_ir::{Batch, Domain, Family, GraphBuilder, LayerId, MISSING, Param, ParamShape, VarId};
use std::path::Path;

/// Adds a table with the given values.
fn table(
    b: &mut GraphBuilder,
    name: &str,
    shape: ParamShape,
    groups: u32,
    values: &[f64],
) -> pcc_ir::ParamId {
    let initial = Some(values.to_vec());
    b.param(Param {
        shape,
        groups,
        initial,
        is_fixed: false,
        mask: None,
        name: name.into(),
        span: Span::NONE,
    })
}

/// A circuit with every kind of layer and family, a table shared by two copies and one with a part for each.
/// Its rows are A, B : bool, C : cat(3), D : int(0 .. 4), E : real, and the latent Z : cat(2).
fn every_kind() -> Model {
    let mut b = GraphBuilder::new();
    for (name, domain) in
        [("A", Domain::Bool), ("B", Domain::Bool), ("C", Domain::Cat(3)), ("D", Domain::Int(0, 4))]
    {
        b.variables(name, &[], domain, false);
    }
    b.variables("E", &[1], Domain::Real, false);
    b.variables("Z", &[], Domain::Cat(2), true);
    let input = |family, units| ParamShape::Input { family, units };
    let a = table(&mut b, "a", input(Family::Bernoulli(Bernoulli), 2), 2, &[0.1, 0.9, 0.3, 0.6]);
    let c = table(
        &mut b,
        "c",
        input(Family::Categorical(Categorical { n: 3 }), 2),
        1,
        &[0.2, 0.5, 0.3, 0.25, 0.5, 0.25],
    );
    let d = table(&mut b, "d", input(Family::Binomial(Binomial { n: 4 }), 4), 1, &[0.2, 0.4, 0.6, 0.8]);
    let e = table(&mut b, "e", input(Family::Gaussian(Gaussian::default()), 1), 1, &[0.5, 1.5]);
    let (no, at) = (Span::NONE, VarId);
    let a = b.input(at(0), a, 2, no).unwrap();
    let c = b.input(at(2), c, 2, no).unwrap();
    let ac = b.product(&[a, c], no).unwrap();
    let weights = ParamShape::Sum { rows: 2, columns: 2 };
    let step = table(&mut b, "step", weights, 2, &[0.3, 0.7, 0.6, 0.4, 0.1, 0.9, 0.5, 0.5]);
    let step = b.sum(&[ac], step, 2, no).unwrap();
    let d = b.input(at(3), d, 1, no).unwrap();
    let acd = b.product(&[step, d], no).unwrap();
    let other = b.product(&[ac, d], no).unwrap();
    let mix = ParamShape::Mix { units: 4, children: 2 };
    let mix = table(&mut b, "mix", mix, 1, &[0.5, 0.5, 0.1, 0.9, 1.0, 0.0, 0.25, 0.75]);
    let mixed = b.mix(&[acd, other], mix, 1, no).unwrap();
    let heads = ParamShape::Sum { rows: 2, columns: 4 };
    let heads = table(&mut b, "heads", heads, 1, &[0.1, 0.2, 0.3, 0.4, 0.25, 0.25, 0.5, 0.0]);
    let heads = b.sum(&[mixed], heads, 1, no).unwrap();
    let z = b.indicator(at(5), 0, 1, 2, no);
    let by_z = b.product(&[heads, z], no).unwrap();
    let yes = b.literal(at(1), 1, 1, 1, no);
    let nay = b.literal(at(1), 0, 1, 1, no);
    let e = b.input(at(4), e, 1, no).unwrap();
    let e_yes = b.product(&[e, yes], no).unwrap();
    let e_nay = b.product(&[e, nay], no).unwrap();
    let pairs: Vec<LayerId> = [e_yes, e_nay].map(|e| b.outer(by_z, e, 1, no).unwrap()).into();
    let root = ParamShape::Sum { rows: 1, columns: 4 };
    let root = table(&mut b, "root", root, 1, &[0.4, 0.1, 0.2, 0.3]);
    let root = b.sum(&pairs, root, 1, no).unwrap();
    b.label(root, "whole");
    let graph = b.finish(root).unwrap();
    let params = Params::of(&graph);
    Model::new(graph, params)
}

fn rows() -> Batch {
    let mut batch = Batch::empty(6);
    let m = MISSING;
    for row in [
        [1, 0, 2, 3, 0.25_f32.to_bits(), m],
        [0, 1, 0, 0, (-1.5_f32).to_bits(), 1],
        [m, m, 1, m, m, 0],
        [0, m, m, 4, 2.5_f32.to_bits(), m],
        [m; 6],
    ] {
        batch.push(&row);
    }
    batch
}

fn log_likelihoods(model: &Model) -> Vec<f64> {
    Interpreter::new(model.graph.clone(), model.params.clone()).log_likelihoods(&rows())
}

fn saved(model: &Model) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.pcm");
    model.save(&path).unwrap();
    (folder, path)
}

#[test]
fn what_was_saved_is_loaded() {
    let mut model = every_kind();
    let words = ["<unk>", "to", "be"].map(str::to_string).to_vec();
    model.vocabularies.insert("C".into(), Arc::new(Vocabulary::of_tokens(words)));
    model.properties.insert("smooth".into(), "true".into());
    model.provenance.seed = Some(7);
    model.provenance.metrics.insert("test.ll".into(), serde_json::json!(-1.5));
    let (_folder, path) = saved(&model);
    let loaded = Model::load(&path).unwrap();
    let text = |model: &Model| print_with(&model.graph, InitialValues::LeftOut);
    assert_eq!(text(&loaded), text(&model));
    assert_eq!(loaded.params, model.params);
    assert_eq!(loaded.vocabularies, model.vocabularies);
    assert_eq!(loaded.properties, model.properties);
    assert_eq!(loaded.provenance, model.provenance);
    assert_eq!(log_likelihoods(&loaded), log_likelihoods(&model));
    let bytes = std::fs::read(&path).unwrap();
    loaded.save(&path).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), bytes, "the same model gives the same bytes");
}

#[test]
fn the_circuit_is_normalised() {
    // Summed by hand over all discrete values, with E missing: what the fixture promises.
    let model = every_kind();
    let mut batch = Batch::empty(6);
    for i in 0..2 * 2 * 3 * 5 * 2 {
        batch.push(&[i % 2, i / 2 % 2, i / 4 % 3, i / 12 % 5, MISSING, i / 60]);
    }
    let logs = Interpreter::new(model.graph.clone(), model.params.clone()).log_likelihoods(&batch);
    let total: f64 = logs.iter().map(|l| l.exp()).sum();
    assert!((total - 1.0).abs() < 1e-6, "{total}");
}

#[test]
fn an_unset_table_is_not_saved() {
    let mut model = every_kind();
    model.params.table_mut(pcc_ir::ParamId(0))[0] = f32::NAN;
    let folder = tempfile::tempdir().unwrap();
    let fault = model.save(&folder.path().join("model.pcm")).unwrap_err();
    assert_eq!(fault.code, "unset-parameter");
    assert!(fault.message.contains("`a`"), "{}", fault.message);
}

fn check_load(bytes: &[u8], code: &str, words: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.pcm");
    std::fs::write(&path, bytes).unwrap();
    let fault = Model::load(&path).unwrap_err();
    assert_eq!(fault.code, code, "{}", fault.message);
    assert!(fault.message.contains(words), "no `{words}` in: {}", fault.message);
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    let (_folder, path) = saved(&every_kind());
    let bytes = std::fs::read(&path).unwrap();
    for length in (9..bytes.len()).step_by(97).chain([bytes.len() - 1]) {
        check_load(&bytes[..length], "model-file-damaged", "");
    }
    check_load(&bytes[..5], "not-a-model", "");
    check_load(b"", "not-a-model", "an empty file");
    check_load(b"\x80\x04\x95", "not-a-model", "Python pickle");
}

#[test]
fn a_flipped_byte_is_noticed() {
    let (_folder, path) = saved(&every_kind());
    let bytes = std::fs::read(&path).unwrap();
    let header = 8 + u64::from_le_bytes(*bytes.first_chunk().unwrap()) as usize;
    for at in header..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1;
        check_load(&flipped, "model-file-damaged", "");
    }
}

/// Loads the model's tensors, changes them, and says which fault loading finds.
fn check_changed(change: impl FnOnce(&mut Tensors), code: &str, words: &str) {
    let (_folder, path) = saved(&every_kind());
    let mut tensors = load_tensors(&path).unwrap();
    change(&mut tensors);
    save_tensors(&path, &tensors).unwrap();
    check_load(&std::fs::read(&path).unwrap(), code, words);
}

#[test]
fn faults_inside_a_whole_file() {
    let damaged = "model-file-damaged";
    let version = |t: &mut Tensors| t.metadata.insert("pcc.format".into(), "99".into());
    check_changed(|t| drop(version(t)), "model-version", "version 99");
    check_changed(|t| drop(t.metadata.remove("pcc.format")), "not-a-model", "no model of pcc");
    check_changed(|t| drop(t.metadata.remove("pcc.graph_hash")), damaged, "`pcc.graph_hash`");
    check_changed(
        |t| drop(t.metadata.insert("pcc.vocabulary".into(), "{".into())),
        damaged,
        "pcc.vocabulary",
    );
    check_changed(|t| drop(t.tensors.remove("pcc.graph")), damaged, "`pcc.graph`");
    check_changed(|t| drop(t.tensors.remove("mix")), damaged, "tensors");
    check_changed(
        |t| {
            let table = t.tensors.remove("mix").unwrap();
            t.tensors.insert("mux".into(), table);
        },
        damaged,
        "no table `mix`",
    );
    check_changed(|t| t.tensors.get_mut("mix").unwrap().shape = vec![1, 2, 4], damaged, "[1, 2, 4]");
    let set = |value: f32| {
        move |t: &mut Tensors| match &mut t.tensors.get_mut("mix").unwrap().values {
            Values::F32(values) => values[0] = value,
            other => panic!("{other:?}"),
        }
    };
    check_changed(set(f32::NAN), damaged, "NaN");
    check_changed(set(-0.5), damaged, "-0.5");
    check_changed(set(0.75), damaged, "not those that were written");
}

#[test]
fn training_state_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.safetensors");
    let mut state = Tensors::default();
    state.metadata.insert("epoch".into(), "3".into());
    let values = [
        ("flows", Values::F32(vec![0.5, f32::NEG_INFINITY]), vec![2, 1]),
        ("losses", Values::F64(vec![1e-300]), vec![1]),
        ("random", Values::U64(vec![u64::MAX, 1]), vec![2]),
        ("bytes", Values::U8(vec![1, 2, 3]), vec![3]),
        ("none", Values::F32(vec![]), vec![0]),
    ];
    for (name, values, shape) in values {
        state.tensors.insert(name.into(), Tensor { shape, values });
    }
    save_tensors(&path, &state).unwrap();
    assert_eq!(load_tensors(&path).unwrap(), state);
    assert_eq!(load_tensors(&folder.path().join("none")).unwrap_err().code, "missing-file");
}

/// The Python that has what the book's page needs: `PCC_PYTHON`, or `python3`.
fn python() -> Option<String> {
    let python = std::env::var("PCC_PYTHON").unwrap_or_else(|_| "python3".into());
    let probe = std::process::Command::new(&python).args(["-c", "import numpy, safetensors"]).output();
    probe.is_ok_and(|output| output.status.success()).then_some(python)
}

#[test]
fn the_book_page_gives_the_same_likelihoods() {
    let Some(python) = python() else {
        eprintln!("skipped: there is no python3 with numpy and safetensors (PCC_PYTHON names another)");
        return;
    };
    let model = every_kind();
    let (folder, path) = saved(&model);
    let data = folder.path().join("rows.csv");
    crate::data::write_atomically(&data, |to| crate::data::write_csv(to, model.graph.var_groups(), &rows()))
        .unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/book/load_model.py");
    let output = std::process::Command::new(python).args([script, path, data]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let found: f64 = text.trim().parse().unwrap();
    let logs = log_likelihoods(&model);
    let wanted = logs.iter().sum::<f64>() / logs.len() as f64;
    assert!((found - wanted).abs() < 1e-6, "{found} is not {wanted}");
}
