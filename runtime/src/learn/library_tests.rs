//! What the library learns, keeps and learns again; labels against distances by hand.

use super::*;
use crate::data::{DataSets, Dataset};
use pcc_diag::{Diagnostic, Span};
use pcc_ir::recipe::*;
use pcc_ir::{Domain, VarGroup, VarId};
use std::path::{Path, PathBuf};

/// A teacher that says of each value of a row its square, and counts how often it was asked.
#[derive(Default)]
struct Squares {
    asked: usize,
    version: u32,
}

impl Teachers for Squares {
    fn key(&mut self, _: &Teacher, _: &[PathBuf], _: Span) -> Result<String, Diagnostic> {
        Ok(self.version.to_string())
    }

    fn features(
        &mut self,
        _: Asked,
        _: TeacherView,
        data: &Dataset,
        own: Option<&Dataset>,
    ) -> Result<FeatureRows, Diagnostic> {
        self.asked += 1;
        assert_eq!(own.map(Dataset::name), Some("train"));
        let (rows, positions) = (data.n_rows(), data.columns().len());
        let square = |i: usize| (data.word(i / positions, i % positions) as f32).powi(2);
        Ok(FeatureRows { rows, positions, width: 1, values: (0..rows * positions).map(square).collect() })
    }

    fn cost(
        &mut self,
        _: Asked,
        _: TeacherView,
        data: &Dataset,
        _: Option<&Dataset>,
    ) -> Result<TeacherCost, Diagnostic> {
        Ok(TeacherCost { bytes: data.n_rows() as u64, ..TeacherCost::default() })
    }

    fn codes(&mut self, _: Asked, _: &Dataset, _: Option<&Dataset>) -> Result<Labels, Diagnostic> {
        unreachable!("squares are no codes")
    }
}

const TRAIN: &str = "0,1,9,9\n1,0,8,8\n0,0,1,1\n9,9,0,1\n";

struct World {
    folder: tempfile::TempDir,
    teachers: Squares,
}

impl World {
    fn new() -> World {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("train.csv"), TRAIN).unwrap();
        std::fs::write(folder.path().join("valid.csv"), "1,1,1,1\n9,8,8,9\n").unwrap();
        World { folder, teachers: Squares::default() }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn library<T>(&mut self, ask: impl FnOnce(&mut Library) -> T) -> T {
        let source = |name: &str| DataSource {
            name: name.into(),
            variables: vec!["X".into()],
            path: format!("{name}.csv"),
            beside: self.folder.path().display().to_string(),
            reader: Reader::Csv { has_header: false, separator: ',' },
            rows: Rows::default(),
            span: Span::NONE,
        };
        let x = VarGroup {
            name: "X".into(),
            extents: vec![4],
            domain: Domain::Cat(10),
            is_latent: false,
            first: VarId(0),
        };
        let mut data = DataSets::new(vec![source("train"), source("valid")], vec![x], None);
        let mut lock = Lock::open(self.folder.path()).unwrap();
        let teachers = &mut self.teachers;
        ask(&mut Library { lock: &mut lock, program: "model", data: &mut data, teachers, threads: 2 })
    }

    fn labels(&mut self, codes: &Codes) -> Result<Labels, Diagnostic> {
        self.library(|library| library.labels(codes, Span::NONE)).map(|(labels, _)| labels)
    }
}

fn tiles(data: &str) -> Features {
    Features::Tiles { data: data.into(), tiles: vec![2] }
}

fn squares(data: &str) -> Features {
    let options = WordVectorOptions { dim: 1, window: 1, seed: 0 };
    let network = Network::WordVectors(options);
    let teacher = Teacher { name: "squares".into(), network, data: Some("train".into()) };
    Features::Teacher { teacher, view: TeacherView::Words, data: data.into() }
}

fn kmeans(features: Features, k: u32, clusters: Clusters) -> Codes {
    let options = KmeansOptions { k, clusters, seed: 0, restarts: 4, iterations: 20, batch: None };
    Codes { name: "codes".into(), call: LearnCall::Kmeans { features, options } }
}

#[test]
fn tiles_are_clustered_together_or_apart() {
    let mut world = World::new();
    let shared = world.labels(&kmeans(tiles("train"), 2, Clusters::Shared)).unwrap();
    assert_eq!((shared.n_values, shared.positions, shared.labels.len()), (2, 2, 8));
    // Tiles of small numbers are one cluster, those of large ones the other, wherever they are.
    let small = shared.labels[0];
    let wanted = [true, false, true, false, true, true, false, true];
    assert!(shared.labels.iter().zip(wanted).all(|(&label, is_small)| (label == small) == is_small));
    let apart = world.labels(&kmeans(tiles("train"), 3, Clusters::PerPosition)).unwrap();
    assert_eq!(apart.centres.values.len(), 2 * 3 * 2, "each position has centres of its own");
    let first: std::collections::BTreeSet<u32> = apart.labels.iter().step_by(2).copied().collect();
    assert_eq!(first.len(), 3, "no cluster of the first position is empty");
}

#[test]
fn other_rows_get_the_nearest_centre() {
    let mut world = World::new();
    let codes = kmeans(tiles("train"), 2, Clusters::Shared);
    let of_train = world.labels(&codes).unwrap();
    let call = LearnCall::Assign { codes: Box::new(codes.clone()), features: tiles("valid") };
    let assigned = world.labels(&Codes { name: "vcodes".into(), call }).unwrap();
    let (small, large) = (of_train.labels[0], of_train.labels[1]);
    assert_eq!(assigned.labels, [small, small, large, large]);
    let call = LearnCall::Assign { codes: Box::new(codes), features: squares("valid") };
    let fault = world.labels(&Codes { name: "wrong".into(), call }).unwrap_err();
    assert_eq!(fault.code, "data-shape");
}

#[test]
fn a_teacher_is_asked_once_and_again_when_it_changes() {
    let mut world = World::new();
    let codes = kmeans(squares("train"), 3, Clusters::Shared);
    let first = world.labels(&codes).unwrap();
    assert_eq!(first.positions, 4);
    assert_eq!(world.labels(&codes).unwrap(), first);
    assert_eq!(world.teachers.asked, 1);
    world.teachers.version = 1;
    let kept = |world: &mut World| world.library(|library| library.kept_labels(&codes, Span::NONE)).unwrap();
    assert_eq!(kept(&mut world), None, "what is kept is of another version");
    world.labels(&codes).unwrap();
    assert_eq!(world.teachers.asked, 2);
    let (labels, key) = kept(&mut world).expect("they were learned again");
    let (same, its_key) = world.library(|library| library.labels(&codes, Span::NONE)).unwrap();
    assert_eq!((labels, key), (same, its_key));
}

#[test]
fn what_is_kept_costs_nothing() {
    let mut world = World::new();
    let Codes { name, call } = kmeans(squares("valid"), 2, Clusters::Shared);
    let request = LearnRequest { name, call, span: Span::NONE };
    let cost = |world: &mut World| {
        let of_teacher = |library: &mut Library| {
            library
                .cost(&request)
                .map(|found| found.map(|(teacher, cost)| (teacher.name.clone(), cost.bytes)))
        };
        world.library(of_teacher).unwrap()
    };
    assert_eq!(cost(&mut world), Some(("squares".into(), 2)));
    world.library(|library| library.learned(&request)).unwrap();
    assert_eq!(cost(&mut world), None);
    assert!(
        world.library(|library| library.learned(&request).map(|_| library.lock.seconds()["codes"])).unwrap()
            > 0.0
    );
}

#[test]
fn a_tree_of_labels_follows_what_they_follow() {
    let mut world = World::new();
    let options = ChowLiuOptions {
        max_rows: None,
        bits: None,
        pseudocount: 0.0,
        trees: 1,
        every: 1,
        root: RootChoice::First,
    };
    let codes = kmeans(squares("train"), 3, Clusters::Shared);
    let call = LearnCall::ChowLiuOfCodes { codes: Box::new(codes), options };
    let request = LearnRequest { name: "top".into(), call, span: Span::NONE };
    let learn = |world: &mut World| world.library(|library| library.learned(&request)).unwrap();
    let Learned::Tree(tree) = learn(&mut world) else { panic!("one tree") };
    assert_eq!(tree.parents.len(), 4);
    learn(&mut world);
    assert_eq!(world.teachers.asked, 1);
    std::fs::write(world.path().join("train.csv"), TRAIN.replace('9', "7")).unwrap();
    learn(&mut world);
    assert_eq!(world.teachers.asked, 2, "other data, other labels, another tree");
}

#[test]
fn arrays_are_read_with_their_faults() {
    let mut world = World::new();
    let source = |width| EmbeddingSource {
        name: "teach".into(),
        latent: "Z".into(),
        positions: 2,
        width,
        path: "teach.csv".into(),
        beside: world.folder.path().display().to_string(),
        reader: Reader::Csv { has_header: false, separator: ',' },
        rows: Rows::default(),
    };
    let array = |width| kmeans(Features::Array(source(width)), 2, Clusters::Shared);
    let [good, wrong] = [array(2), array(3)];
    let file = world.path().join("teach.csv");
    std::fs::write(&file, "0,0,5,5\n5,5,0,0\n").unwrap();
    let labels = world.labels(&good).unwrap().labels;
    assert!(labels[0] == labels[3] && labels[1] == labels[2] && labels[0] != labels[1]);
    assert_eq!(world.labels(&wrong).unwrap_err().code, "data-shape");
    for hole in ["0,0,5,nan\n", "0,0,?,1\n", "0,,1,1\n"] {
        std::fs::write(&file, hole).unwrap();
        assert_eq!(world.labels(&good).unwrap_err().code, "missing-value", "{hole}");
    }
    std::fs::write(&file, "0,0,5,1e99\n").unwrap();
    assert_eq!(world.labels(&good).unwrap_err().code, "value-out-of-domain");
}
