//! A small random checkpoint against the same network written again in double precision, and its faults.

use crate::networks::{Doing, Networks};
use crate::sample::{table, text};
use pcc_diag::{Diagnostic, Span};
use pcc_ir::Domain;
use pcc_ir::recipe::{Network, Teacher, TeacherView};
use pcc_runtime::data::Dataset;
use pcc_runtime::learn::{Asked, FeatureRows, Teachers};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use safetensors::tensor::{Dtype, TensorView};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

const PIECES: [&str; 10] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "sun", "##set", "moon", "sea", "."];
const WIDTH: usize = 8;
const WIDE: usize = 12;
const HEADS: usize = 2;
const LONGEST: usize = 12;

/// Tensors by name, with their shapes.
type Weights = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

fn weights() -> Weights {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(11);
    let mut weights = Weights::new();
    let mut put = |name: String, shape: &[usize]| {
        let values = (0..shape.iter().product()).map(|_| random.random_range(-0.9..0.9)).collect();
        weights.insert(name, (shape.to_vec(), values));
    };
    for (name, rows) in [("word", PIECES.len()), ("position", LONGEST), ("token_type", 2)] {
        put(format!("embeddings.{name}_embeddings.weight"), &[rows, WIDTH]);
    }
    let mut norms = vec!["embeddings.LayerNorm".to_string()];
    for layer in 0..2 {
        let name = |part: &str| format!("encoder.layer.{layer}.{part}");
        norms.extend([name("attention.output.LayerNorm"), name("output.LayerNorm")]);
        let square =
            ["attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"];
        let maps = square.iter().map(|part| (*part, WIDTH, WIDTH));
        for (part, from, to) in
            maps.chain([("intermediate.dense", WIDTH, WIDE), ("output.dense", WIDE, WIDTH)])
        {
            put(name(&format!("{part}.weight")), &[to, from]);
            put(name(&format!("{part}.bias")), &[to]);
        }
    }
    for norm in norms {
        put(format!("{norm}.weight"), &[WIDTH]);
        put(format!("{norm}.bias"), &[WIDTH]);
    }
    weights
}

fn config() -> Value {
    json!({
        "model_type": "bert", "vocab_size": PIECES.len(), "hidden_size": WIDTH, "num_hidden_layers": 2,
        "num_attention_heads": HEADS, "intermediate_size": WIDE, "max_position_embeddings": LONGEST,
        "type_vocab_size": 2, "layer_norm_eps": 1e-12, "hidden_act": "gelu"
    })
}

fn tokenizer(pieces: &[&str]) -> Value {
    let vocab: BTreeMap<&str, usize> = pieces.iter().enumerate().map(|(id, piece)| (*piece, id)).collect();
    json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
        "normalizer": {
            "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null,
            "lowercase": true
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"}, "post_processor": null, "decoder": null,
        "model": {
            "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": vocab
        }
    })
}

/// A folder with a checkpoint.
struct Checkpoint {
    folder: tempfile::TempDir,
    /// Rows done, and whether any were computed, each time a teacher said how far it is.
    said: Rc<RefCell<Vec<(usize, bool)>>>,
}

impl Checkpoint {
    fn new(weights: &Weights) -> Self {
        let checkpoint = Checkpoint { folder: tempfile::tempdir().unwrap(), said: Rc::default() };
        std::fs::create_dir(checkpoint.path().join("tiny")).unwrap();
        checkpoint.write("config.json", &config());
        checkpoint.write("tokenizer.json", &tokenizer(&PIECES));
        checkpoint.write_weights(weights);
        checkpoint
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, name: &str, content: &Value) {
        std::fs::write(self.path().join("tiny").join(name), content.to_string()).unwrap();
    }

    fn write_weights(&self, weights: &Weights) {
        let bytes: Vec<(&String, &Vec<usize>, Vec<u8>)> = weights
            .iter()
            .map(|(name, (shape, values))| {
                (name, shape, values.iter().flat_map(|v| v.to_le_bytes()).collect())
            })
            .collect();
        let views = bytes
            .iter()
            .map(|(name, shape, bytes)| (name, TensorView::new(Dtype::F32, shape.to_vec(), bytes).unwrap()));
        let content = safetensors::serialize(views, None).unwrap();
        std::fs::write(self.path().join("tiny/model.safetensors"), content).unwrap();
    }

    fn networks(&self) -> Networks {
        let said = self.said.clone();
        Networks::new(Some(self.path().join("kept")), move |progress| {
            let Doing::Reading { rows_done, .. } = progress.doing else { return };
            said.borrow_mut().push((rows_done, progress.seconds_left.is_some()));
        })
    }

    fn key(&self) -> Result<String, Diagnostic> {
        self.networks().key(&teacher(), &[self.path().into()], Span::NONE)
    }

    fn features(&self, view: TeacherView, data: &Dataset) -> Result<FeatureRows, Diagnostic> {
        let (teacher, places) = (teacher(), [self.path().to_path_buf()]);
        let asked = Asked { teacher: &teacher, places: &places, key: "", span: Span::NONE };
        self.networks().features(asked, view, data, None)
    }

    fn refusal(&self) -> &'static str {
        let data = text("sun sea", 2, 4);
        self.features(TeacherView::Suffixes, &data).unwrap_err().code
    }
}

fn teacher() -> Teacher {
    let network = Network::Transformer { path: "tiny".into(), beside: String::new() };
    Teacher { name: "bert".into(), network, data: None }
}

/// The network in double precision, one sequence at a time.
struct Double<'w>(&'w Weights);

type States = Vec<Vec<f64>>;

impl Double<'_> {
    fn tensor(&self, name: &str) -> Vec<f64> {
        self.0[name].1.iter().map(|&v| f64::from(v)).collect()
    }

    fn row(&self, name: &str, row: usize) -> Vec<f64> {
        self.tensor(&format!("embeddings.{name}_embeddings.weight"))[row * WIDTH..][..WIDTH].to_vec()
    }

    fn dense(&self, name: &str, states: &States) -> States {
        let (weight, bias) = (self.tensor(&format!("{name}.weight")), self.tensor(&format!("{name}.bias")));
        let image = |state: &Vec<f64>| {
            weight.chunks(state.len()).zip(&bias).map(|(row, b)| b + dot(row, state)).collect()
        };
        states.iter().map(image).collect()
    }

    fn norm(&self, name: &str, states: &States) -> States {
        let (scale, shift) = (self.tensor(&format!("{name}.weight")), self.tensor(&format!("{name}.bias")));
        let normal = |state: &Vec<f64>| {
            let mean = state.iter().sum::<f64>() / WIDTH as f64;
            let variance = state.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / WIDTH as f64;
            (0..WIDTH).map(|i| (state[i] - mean) / (variance + 1e-12).sqrt() * scale[i] + shift[i]).collect()
        };
        states.iter().map(normal).collect()
    }

    fn attention(&self, layer: &str, states: &States) -> States {
        let of = |part: &str| self.dense(&format!("{layer}.attention.self.{part}"), states);
        let (query, key, value) = (of("query"), of("key"), of("value"));
        let size = WIDTH / HEADS;
        let mut attended = vec![vec![0.0; WIDTH]; states.len()];
        for (head, i) in (0..HEADS).flat_map(|head| (0..states.len()).map(move |i| (head, i))) {
            let part = head * size..(head + 1) * size;
            let answer =
                |j: usize| (dot(&query[i][part.clone()], &key[j][part.clone()]) / (size as f64).sqrt()).exp();
            let total: f64 = (0..states.len()).map(answer).sum();
            for (j, c) in (0..states.len()).flat_map(|j| part.clone().map(move |c| (j, c))) {
                attended[i][c] += answer(j) / total * value[j][c];
            }
        }
        attended
    }

    fn states(&self, ids: &[usize]) -> States {
        let embedded = ids.iter().enumerate().map(|(place, &id)| {
            add(&add(&self.row("word", id), &self.row("position", place)), &self.row("token_type", 0))
        });
        let mut states = self.norm("embeddings.LayerNorm", &embedded.collect());
        for layer in ["encoder.layer.0", "encoder.layer.1"] {
            let attended =
                self.dense(&format!("{layer}.attention.output.dense"), &self.attention(layer, &states));
            states = self.norm(&format!("{layer}.attention.output.LayerNorm"), &sum(&attended, &states));
            let mut wide = self.dense(&format!("{layer}.intermediate.dense"), &states);
            wide.iter_mut().flatten().for_each(|x| *x *= 0.5 * (1.0 + erf(*x / 2.0_f64.sqrt())));
            let changed = self.dense(&format!("{layer}.output.dense"), &wide);
            states = self.norm(&format!("{layer}.output.LayerNorm"), &sum(&changed, &states));
        }
        states
    }

    /// The mean of the states of some of the pieces.
    fn mean(&self, ids: &[usize], of: std::ops::Range<usize>) -> Vec<f64> {
        let states = self.states(ids);
        let total = states[of.clone()].iter().fold(vec![0.0; WIDTH], |total, state| add(&total, state));
        total.into_iter().map(|x| x / of.len() as f64).collect()
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn add(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(x, y)| x + y).collect()
}

fn sum(a: &States, b: &States) -> States {
    a.iter().zip(b).map(|(x, y)| add(x, y)).collect()
}

/// The error function by its power series, which converges everywhere.
fn erf(x: f64) -> f64 {
    let mut term = x;
    let mut total = x;
    for n in 1..200 {
        term *= -x * x / f64::from(n);
        total += term / f64::from(2 * n + 1);
    }
    total * 2.0 / std::f64::consts::PI.sqrt()
}

fn assert_vectors(found: &FeatureRows, wanted: &[Vec<f64>]) {
    assert_eq!((found.width, found.rows * found.positions), (WIDTH, wanted.len()));
    for (vector, (found, wanted)) in found.values.chunks_exact(WIDTH).zip(wanted).enumerate() {
        for (x, y) in found.iter().zip(wanted) {
            assert!((f64::from(*x) - y).abs() < 2e-5, "vector {vector}: {found:?} is not {wanted:?}");
        }
    }
}

#[test]
fn suffixes_prefixes_and_words_are_those_of_double_precision() {
    let weights = weights();
    let (checkpoint, double) = (Checkpoint::new(&weights), Double(&weights));
    // [CLS] is 2 and [SEP] 3; `Sunset` has two pieces, and `<unk>` and `stars` are unknown.
    let data = text("Sunset sea . <unk> moon stars", 3, 8);
    let pieces: [&[usize]; 6] = [&[5, 6], &[8], &[9], &[1], &[7], &[1]];
    let whole = |words: &[&[usize]]| {
        let ids = [&[2], words.concat().as_slice(), &[3]].concat();
        double.mean(&ids, 0..ids.len())
    };
    let (first, second) = pieces.split_at(3);
    let suffixes = [first, second].map(|row| [0, 1, 2].map(|t| whole(&row[t..])));
    assert_vectors(&checkpoint.features(TeacherView::Suffixes, &data).unwrap(), &suffixes.concat());
    let prefixes = [first, second].map(|row| [0, 1, 2].map(|t| whole(&row[..t])));
    assert_vectors(&checkpoint.features(TeacherView::Prefixes, &data).unwrap(), &prefixes.concat());
    let [one, two]: [&[usize]; 2] = [&[2, 5, 6, 8, 9, 3], &[2, 1, 7, 1, 3]];
    let words = [(one, 1..3), (one, 3..4), (one, 4..5), (two, 1..2), (two, 2..3), (two, 3..4)];
    let words = words.map(|(ids, of)| double.mean(ids, of));
    assert_vectors(&checkpoint.features(TeacherView::Words, &data).unwrap(), &words);
}

#[test]
fn a_missing_word_is_masked() {
    let weights = weights();
    let checkpoint = Checkpoint::new(&weights);
    let mut data = Dataset::clone(&text("sun sea sun moon", 2, 4));
    let mut mask = pcc_runtime::data::Mask::none(2, 2);
    mask.hide(1, 1);
    data.hide(&mask).unwrap();
    let found = checkpoint.features(TeacherView::Suffixes, &data).unwrap();
    let wanted = Double(&weights).mean(&[2, 4, 3], 0..3);
    assert!(found.values[3 * WIDTH..].iter().zip(wanted).all(|(x, y)| (f64::from(*x) - y).abs() < 2e-5));
}

#[test]
fn vectors_are_kept_until_the_checkpoint_changes() {
    let mut weights = weights();
    let checkpoint = Checkpoint::new(&weights);
    let data = text("sun sea sun moon", 2, 4);
    let (key, first) = (checkpoint.key().unwrap(), checkpoint.features(TeacherView::Words, &data).unwrap());
    assert_eq!(checkpoint.features(TeacherView::Words, &data).unwrap(), first);
    assert_eq!(*checkpoint.said.borrow(), [(2, true), (2, false)], "the second time nothing is computed");
    weights.values_mut().for_each(|(_, values)| values[0] += 0.5);
    checkpoint.write_weights(&weights);
    assert_ne!(checkpoint.key().unwrap(), key);
    assert_ne!(checkpoint.features(TeacherView::Words, &data).unwrap(), first);
}

#[test]
fn names_of_older_checkpoints_are_read() {
    let weights = weights();
    let older = |name: &String| {
        format!(
            "bert.{}",
            name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
        )
    };
    let renamed: Weights = weights.iter().map(|(name, tensor)| (older(name), tensor.clone())).collect();
    let data = text("sun sea", 2, 4);
    let of = |weights: &Weights| Checkpoint::new(weights).features(TeacherView::Words, &data).unwrap();
    assert_eq!(of(&weights), of(&renamed));
}

#[test]
fn what_can_not_be_run_is_refused() {
    let checkpoint = Checkpoint::new(&weights());
    for (name, value) in [
        ("model_type", json!("roberta")),
        ("hidden_act", json!("relu")),
        ("position_embedding_type", json!("relative_key")),
        ("is_decoder", json!(true)),
    ] {
        let mut changed = config();
        changed[name] = value;
        checkpoint.write("config.json", &changed);
        assert_eq!(checkpoint.refusal(), "unsupported-checkpoint", "{name}");
    }
}

#[test]
fn a_tokenizer_of_another_checkpoint_is_refused() {
    let checkpoint = Checkpoint::new(&weights());
    let mut other = PIECES;
    other[2] = "<s>";
    for pieces in [&PIECES[..9], &other] {
        checkpoint.write("tokenizer.json", &tokenizer(pieces));
        assert_eq!(checkpoint.refusal(), "tokenizer-differs");
    }
}

#[test]
fn damaged_files_are_told() {
    let whole = weights();
    let checkpoint = Checkpoint::new(&whole);
    let mut missing = whole.clone();
    missing.remove("encoder.layer.1.output.dense.bias");
    let mut misshapen = whole.clone();
    misshapen.insert("embeddings.LayerNorm.bias".into(), (vec![2], vec![0.0; 2]));
    let mut infinite = whole.clone();
    infinite.values_mut().for_each(|(_, values)| values[0] = f32::NAN);
    for damaged in [missing, misshapen, infinite] {
        checkpoint.write_weights(&damaged);
        assert_eq!(checkpoint.refusal(), "checkpoint-damaged");
    }
    checkpoint.write_weights(&whole);
    let mut heads = config();
    heads["num_attention_heads"] = json!(3);
    for config in [heads, json!({"model_type": "bert"})] {
        checkpoint.write("config.json", &config);
        assert_eq!(checkpoint.refusal(), "checkpoint-damaged");
    }
    checkpoint.write("config.json", &config());
    checkpoint.write("tokenizer.json", &json!({}));
    assert_eq!(checkpoint.refusal(), "checkpoint-damaged");
    std::fs::remove_file(checkpoint.path().join("tiny/model.safetensors")).unwrap();
    assert_eq!(checkpoint.refusal(), "missing-file");
    std::fs::remove_file(checkpoint.path().join("tiny/config.json")).unwrap();
    assert_eq!(checkpoint.key().unwrap_err().code, "missing-file");
}

#[test]
fn long_rows_and_codes_without_words_are_refused() {
    let checkpoint = Checkpoint::new(&weights());
    let long = text(&"sunset ".repeat(6), 6, 4);
    assert_eq!(checkpoint.features(TeacherView::Words, &long).unwrap_err().code, "data-shape");
    let codes = table("1,2\n", 2, Domain::Token(4));
    assert_eq!(checkpoint.features(TeacherView::Words, &codes).unwrap_err().code, "kind-mismatch");
}
