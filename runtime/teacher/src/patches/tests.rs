//! Small networks on pictures whose patches are of planted kinds.

use super::autoencoder::Autoencoder;
use super::contexts::ancestors;
use super::pictures::Pictures;
use super::training::{Course, Lesson, State, Student};
use super::vq_vae::VqVae;
use super::weights::Matrix;
use super::{Room, trained};
use crate::kept::Kept;
use crate::networks::{Doing, Networks};
use crate::sample::pictures;
use candle_core::Tensor;
use pcc_diag::{Diagnostic, Span};
use pcc_ir::recipe::{
    AutoencoderOptions, Clusters, Context, KmeansOptions, Labels, Network, Teacher, TeacherView, VarTree,
    VqVaeOptions,
};
use pcc_ir::{Domain, MISSING};
use pcc_runtime::data::Dataset;
use pcc_runtime::learn::{Asked, FeatureRows, Teachers, cluster};
use pcc_runtime::train::{Purpose, Stream};
use rustc_hash::FxHashMap;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

const SIDE: usize = 6;
const DOMAIN: Domain = Domain::Cat(16);

/// What the four pixels of a patch of each kind are, before noise.
const KINDS: [[i64; 4]; 4] = [[1, 1, 14, 14], [14, 14, 1, 1], [1, 14, 1, 14], [8, 8, 8, 8]];

/// Rows of 6 x 6 pixels in patches of 2 x 2, and the kind of each patch.
fn planted(n_rows: usize, seed: u64) -> (String, Vec<u32>) {
    let mut stream = Stream::new(seed, Purpose::Sample, &[]);
    let (mut text, mut kinds) = (String::new(), Vec::new());
    for _ in 0..n_rows {
        let mut pixels = [[0; SIDE]; SIDE];
        for patch in 0..9 {
            let kind = stream.below(KINDS.len());
            kinds.push(kind as u32);
            for (i, value) in KINDS[kind].iter().enumerate() {
                let noise = stream.below(3) as i64 - 1;
                pixels[patch / 3 * 2 + i / 2][patch % 3 * 2 + i % 2] = value + noise;
            }
        }
        let words: Vec<String> = pixels.as_flattened().iter().map(i64::to_string).collect();
        text += &(words.join(",") + "\n");
    }
    (text, kinds)
}

fn data(text: &str) -> Arc<Dataset> {
    pictures(text, &[SIDE as u32, SIDE as u32], DOMAIN)
}

fn autoencoder(epochs: u32) -> AutoencoderOptions {
    AutoencoderOptions { patch: vec![2, 2], dim: 16, layers: 2, heads: 2, epochs, batch: 16, seed: 3 }
}

fn vq_vae(codes: u32, epochs: u32) -> VqVaeOptions {
    VqVaeOptions { patch: vec![2, 2], codes, dim: 8, epochs, batch: 16, seed: 3 }
}

fn teacher(network: Network) -> Teacher {
    Teacher { name: "it".into(), network, data: Some("train".into()) }
}

fn asked(teacher: &Teacher) -> Asked<'_> {
    Asked { teacher, places: &[], key: "key", span: Span::NONE }
}

fn features(options: &AutoencoderOptions, context: Context, data: &Dataset) -> FeatureRows {
    let teacher = teacher(Network::MaskedAutoencoder(options.clone()));
    let view = TeacherView::Patches(context);
    Networks::new(None, |_| ()).features(asked(&teacher), view, data, Some(data)).unwrap()
}

fn codes(options: &VqVaeOptions, data: &Dataset) -> Labels {
    let teacher = teacher(Network::VqVae(options.clone()));
    Networks::new(None, |_| ()).codes(asked(&teacher), data, Some(data)).unwrap()
}

/// The share of patches whose kind is the most frequent one of their label.
fn purity(labels: &[u32], kinds: &[u32], n_labels: u32) -> f64 {
    let of_label = |label: u32| {
        let count = |kind| labels.iter().zip(kinds).filter(|&(l, k)| (*l, *k) == (label, kind)).count();
        (0..KINDS.len() as u32).map(count).max().unwrap_or(0)
    };
    (0..n_labels).map(of_label).sum::<usize>() as f64 / labels.len() as f64
}

fn course<'c>(kept: &'c Kept, epochs: u32, n_rows: usize) -> Course<'c> {
    Course { teacher: "it", key: "key", epochs, batch: 16, n_rows, seed: 3, kept }
}

#[test]
fn the_loss_of_both_networks_falls() {
    let data = data(&planted(64, 1).0);
    let pictures = Pictures::of(&data, &[2, 2], Span::NONE).unwrap();
    let kept = Kept { folder: None };
    let loss_after = |epochs, make: &dyn Fn() -> Box<dyn FnOnce(&Course) -> State>| {
        make()(&course(&kept, epochs, 64)).loss
    };
    let scale = pictures.scale();
    let of_autoencoder = || -> Box<dyn FnOnce(&Course) -> State> {
        let mut student = Autoencoder::new(&autoencoder(1), &pictures, scale);
        Box::new(move |course| course.train(&mut student, &mut |_| ()).unwrap())
    };
    let of_vq_vae = || -> Box<dyn FnOnce(&Course) -> State> {
        let mut student = VqVae::new(&vq_vae(8, 1), &pictures, scale).unwrap();
        Box::new(move |course| course.train(&mut student, &mut |_| ()).unwrap())
    };
    for make in [&of_autoencoder as &dyn Fn() -> _, &of_vq_vae] {
        let (first, last) = (loss_after(1, make), loss_after(12, make));
        assert!(last < 0.7 * first, "{first} then {last}");
    }
}

#[test]
fn a_patch_alone_is_the_same_everywhere() {
    let mut rows = planted(32, 2).0;
    // One picture whose patches are all equal.
    rows += &(["3,9,3,9,3,9", "5,2,5,2,5,2"].repeat(3).join(",") + "\n");
    let found = features(&autoencoder(2), Context::Alone, &data(&rows));
    assert_eq!((found.rows, found.positions, found.width), (33, 9, 16));
    let last = &found.values[32 * 9 * 16..];
    last.chunks_exact(16).for_each(|vector| assert_eq!(vector, &last[..16]));
    assert_ne!(&found.values[..16], &last[..16]);
}

/// Which patches' vectors change when one patch does.
fn reach(contexts: &[Vec<u32>], changed: usize) -> Vec<usize> {
    let (before, _) = planted(1, 5);
    let mut pixels: Vec<i64> = before.trim().split(',').map(|x| x.parse().unwrap()).collect();
    let corner = changed / 3 * 2 * SIDE + changed % 3 * 2;
    pixels[corner] = 15 - pixels[corner];
    let after: Vec<String> = pixels.iter().map(i64::to_string).collect();
    let data = data(&format!("{before}{}\n", after.join(",")));
    let pictures = Pictures::of(&data, &[2, 2], Span::NONE).unwrap();
    let student = Autoencoder::new(&autoencoder(1), &pictures, pictures.scale());
    let weights = super::weights::start(&student.matrices(), 1);
    let states = student.states(&weights, 0..2, contexts).unwrap();
    let (first, second) = states.split_at(9 * 16);
    (0..9).filter(|i| first[i * 16..][..16] != second[i * 16..][..16]).collect()
}

#[test]
fn a_vector_depends_on_its_context_alone() {
    let data = data(&planted(1, 1).0);
    let pictures = Pictures::of(&data, &[2, 2], Span::NONE).unwrap();
    let neighbours = pictures.neighbours();
    assert_eq!(neighbours[0], [0, 1, 3, 4]);
    assert_eq!(neighbours[4], [4, 0, 1, 2, 3, 5, 6, 7, 8]);
    // A chain 4 - 1 - 0 - 3, the others below 4.
    let above = [1, 4, 4, 0, 9, 4, 4, 4, 4];
    let tree = VarTree { parents: above.iter().map(|&p| (p < 9).then_some(p)).collect() };
    let ancestors = ancestors(&tree);
    assert_eq!(ancestors[3], [3, 0, 1, 4]);
    assert_eq!(ancestors[4], [4]);
    assert_eq!(reach(&super::contexts::alone(&pictures), 1), [1]);
    assert_eq!(reach(&neighbours, 0), [0, 1, 3, 4]);
    assert_eq!(reach(&ancestors, 1), [0, 1, 3]);
    assert_eq!(reach(&ancestors, 4), (0..9).collect::<Vec<_>>());
}

#[test]
fn ancestors_come_from_dependence() {
    // All patches of a picture are of one kind, which the first row of patches shows.
    let mut rows = String::new();
    let mut stream = Stream::new(8, Purpose::Sample, &[]);
    for _ in 0..48 {
        let kind = KINDS[stream.below(3)];
        let pixel = |i: usize| kind[i / SIDE % 2 * 2 + i % 2] + stream.clone().below(2) as i64;
        let words: Vec<String> = (0..SIDE * SIDE).map(|i| pixel(i).to_string()).collect();
        stream.uniform();
        rows += &(words.join(",") + "\n");
    }
    let data = data(&rows);
    let alone = features(&autoencoder(2), Context::Alone, &data);
    let among = features(&autoencoder(2), Context::Ancestors, &data);
    let differing = alone.values.chunks_exact(16).zip(among.values.chunks_exact(16)).take(9);
    let same: Vec<usize> = differing.enumerate().filter(|(_, (a, b))| a == b).map(|(i, _)| i).collect();
    // The root of the tree sees itself alone.
    assert_eq!(same.len(), 1, "{same:?}");
}

#[test]
fn planted_kinds_are_recovered() {
    let (rows, kinds) = planted(64, 4);
    let data = data(&rows);
    let found = features(&autoencoder(6), Context::Alone, &data);
    let options =
        KmeansOptions { k: 4, clusters: Clusters::Shared, seed: 1, restarts: 3, iterations: 50, batch: None };
    let labels = cluster(&found, &options, 1, Span::NONE).unwrap();
    assert!(purity(&labels.labels, &kinds, 4) > 0.95);
    let labels = codes(&vq_vae(8, 10), &data);
    assert_eq!((labels.n_values, labels.positions, labels.centres.width), (8, 9, 0));
    assert!(purity(&labels.labels, &kinds, 8) > 0.95);
    let used = (0..8).filter(|code| labels.labels.contains(code)).count();
    assert!(used >= 6, "{used} of 8 codes are used");
}

#[test]
fn an_interruption_changes_nothing() {
    let data = data(&planted(40, 6).0);
    let pictures = Pictures::of(&data, &[2, 2], Span::NONE).unwrap();
    let scale = pictures.scale();
    let folder = tempfile::tempdir().unwrap();
    let (kept, none) = (Kept { folder: Some(folder.path().into()) }, Kept { folder: None });
    let book = || VqVae::new(&vq_vae(6, 4), &pictures, scale).unwrap();
    let whole = course(&none, 4, 40).train(&mut book(), &mut |_| ()).unwrap();
    course(&kept, 4, 40).train_until(&mut book(), 2, &mut |_| ()).unwrap();
    let mut student = book();
    assert_eq!(course(&kept, 4, 40).train(&mut student, &mut |_| ()).unwrap(), whole);
    assert_eq!(student.memory(), whole.memory);

    std::fs::remove_dir_all(folder.path()).unwrap();
    let masked = || Autoencoder::new(&autoencoder(3), &pictures, scale);
    let whole = course(&none, 3, 40).train(&mut masked(), &mut |_| ()).unwrap();
    course(&kept, 3, 40).train_until(&mut masked(), 1, &mut |_| ()).unwrap();
    let epochs = RefCell::new(Vec::new());
    let watch = |progress: &crate::networks::Progress| {
        if let Doing::Learning { epoch, .. } = progress.doing {
            epochs.borrow_mut().push(epoch);
        }
    };
    assert_eq!(course(&kept, 3, 40).train(&mut masked(), &mut { watch }).unwrap(), whole);
    assert_eq!(epochs.into_inner(), [2, 2, 2, 3, 3, 3], "three batches in each epoch that was left");
}

#[test]
fn answers_are_kept_by_what_they_depend_on() {
    let folder = tempfile::tempdir().unwrap();
    let data = data(&planted(24, 7).0);
    let ask = |options: &AutoencoderOptions, key: &str| {
        let teacher = teacher(Network::MaskedAutoencoder(options.clone()));
        let learned = Rc::new(RefCell::new(0));
        let told = learned.clone();
        let mut networks = Networks::new(Some(folder.path().into()), move |progress| {
            if let Doing::Learning { .. } = progress.doing {
                *told.borrow_mut() += 1;
            }
        });
        let asked = Asked { key, ..asked(&teacher) };
        let view = TeacherView::Patches(Context::Neighbours);
        let found = networks.features(asked, view, &data, Some(&data)).unwrap();
        let batches = *learned.borrow();
        (found, batches)
    };
    let (first, batches) = ask(&autoencoder(2), "a");
    assert_eq!(batches, 4);
    assert_eq!(ask(&autoencoder(2), "a"), (first.clone(), 0));
    let other = AutoencoderOptions { seed: 4, ..autoencoder(2) };
    let (other, batches) = ask(&other, "b");
    assert_eq!(batches, 4);
    assert_ne!(other, first);
}

#[test]
fn missing_values_are_no_news() {
    let (rows, _) = planted(24, 9);
    let mut lines: Vec<String> = rows.lines().map(String::from).collect();
    // The first patch of the second row is missing, and one pixel of the third.
    let blank = |line: &str, missing: &[usize]| {
        let pixels = line.split(',').enumerate();
        pixels.map(|(i, x)| if missing.contains(&i) { "" } else { x }).collect::<Vec<_>>().join(",")
    };
    lines[1] = blank(&lines[1], &[0, 1, 6, 7]);
    lines[2] = blank(&lines[2], &[14]);
    let data = data(&(lines.join("\n") + "\n"));
    let labels = codes(&vq_vae(4, 3), &data).labels;
    let missing: Vec<usize> = (0..labels.len()).filter(|&i| labels[i] == MISSING).collect();
    assert_eq!(missing, [9]);
    let found = features(&autoencoder(2), Context::Neighbours, &data);
    assert!(found.values.iter().all(|x| x.is_finite()));
}

#[test]
fn numbers_of_every_domain_are_scaled() {
    let scaled = |text: &str, domain| {
        let data = pictures(text, &[2], domain);
        let pictures = Pictures::of(&data, &[1], Span::NONE).unwrap();
        pictures.table(pictures.scale(), [0]).values
    };
    assert_eq!(scaled("0,255\n", Domain::Cat(256)), [-1.0, 1.0]);
    assert_eq!(scaled("0,1\n", Domain::Bool), [-1.0, 1.0]);
    assert_eq!(scaled("2,0\n", Domain::Cat(3)), [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
    assert_eq!(scaled("-2,2\n", Domain::Int(-2, 2)), [-1.0, 1.0]);
    // Mean 3 and deviation 1.
    assert_eq!(scaled("2.0,4.0\n", Domain::Real), [-1.0, 1.0]);
    assert_eq!(scaled("5.0,\n", Domain::Real), [0.0, 0.0]);
}

fn refusal(patch: &[u32], text: &str, extents: &[u32], domain: Domain) -> &'static str {
    let data = pictures(text, extents, domain);
    let options = AutoencoderOptions { patch: patch.into(), ..autoencoder(1) };
    let teacher = teacher(Network::MaskedAutoencoder(options));
    let view = TeacherView::Patches(Context::Alone);
    Networks::new(None, |_| ()).features(asked(&teacher), view, &data, Some(&data)).unwrap_err().code
}

#[test]
fn what_is_no_picture_is_refused() {
    let four = "1,2,3,4\n";
    assert_eq!(refusal(&[2, 3], four, &[2, 2], DOMAIN), "tiles-do-not-fit");
    assert_eq!(refusal(&[1, 1, 1], four, &[2, 2], DOMAIN), "tiles-do-not-fit");
    assert_eq!(refusal(&[0, 1], four, &[2, 2], DOMAIN), "tiles-do-not-fit");
    assert_eq!(refusal(&[2, 2], four, &[2, 2], DOMAIN), "tiles-do-not-fit");
    assert_eq!(refusal(&[1, 1], four, &[2, 2], Domain::Token(9)), "kind-mismatch");
}

/// A network whose loss is no number.
struct Wild;

impl Student for Wild {
    fn matrices(&self) -> Vec<Matrix> {
        vec![Matrix::map(1, 1)]
    }

    fn peak_rate(&self) -> f64 {
        1.0
    }

    fn lesson(&self, weights: &[Tensor], _: &[usize], _: &mut Stream) -> candle_core::Result<Lesson> {
        Ok(Lesson { loss: (weights[0].sum_all()? * f64::NAN)?, notes: Vec::new() })
    }
}

#[test]
fn a_loss_that_is_no_number_ends_training() {
    let (teacher, kept) = (teacher(Network::MaskedAutoencoder(autoencoder(1))), Kept { folder: None });
    let room = &mut Room { kept: &kept, trained: &mut FxHashMap::default(), watch: &mut |_| () };
    let fault = trained(&course(&kept, 1, 8), &mut Wild, asked(&teacher), room).unwrap_err();
    assert_eq!(fault.code, "training-failed");
}

#[test]
fn pictures_of_another_kind_are_refused() {
    let (own, other) = (data(&planted(8, 1).0), pictures("1,2,3,4\n", &[2, 2], DOMAIN));
    let teacher = teacher(Network::VqVae(vq_vae(4, 1)));
    let fault = Networks::new(None, |_| ()).codes(asked(&teacher), &other, Some(&own)).unwrap_err();
    assert_eq!(fault.code, "kind-mismatch");
}

#[test]
fn vectors_that_do_not_fit_are_refused_before_work() {
    let data = data(&planted(8, 1).0);
    let ask = |memory| -> Result<FeatureRows, Diagnostic> {
        let teacher = teacher(Network::MaskedAutoencoder(autoencoder(1)));
        let mut networks = Networks::new(None, |_| ());
        networks.limit_memory(memory);
        networks.features(asked(&teacher), TeacherView::Patches(Context::Alone), &data, Some(&data))
    };
    // 8 rows of 9 patches of 16 numbers.
    assert_eq!(ask(8 * 9 * 16 * 4 - 1).unwrap_err().code, "features-too-large");
    assert!(ask(8 * 9 * 16 * 4).is_ok());
}
