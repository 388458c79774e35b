//! Learned trees against brute force: information by its definition, all spanning trees listed.

use super::*;
use crate::data::{Dataset, read};
use pcc_diag::{Diagnostic, Span};
use pcc_ir::recipe::{ChowLiuOptions, DataSource, DataView, Learned, Reader, RootChoice, Rows};
use pcc_ir::{Domain, MISSING, VarGroup, VarId};
use proptest::prelude::*;

const OPTIONS: ChowLiuOptions = ChowLiuOptions {
    max_rows: None,
    bits: None,
    pseudocount: 0.0,
    trees: 1,
    every: 1,
    root: RootChoice::First,
};

fn source() -> DataSource {
    DataSource {
        name: "train".into(),
        variables: vec!["X".into()],
        path: "train.csv".into(),
        beside: String::new(),
        reader: Reader::Csv { has_header: false, separator: ',' },
        rows: Rows::default(),
        span: Span::NONE,
    }
}

fn dataset(csv: &str, extents: &[u32], domain: Domain) -> Dataset {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("train.csv"), csv).unwrap();
    let first = VarId(0);
    let groups = [VarGroup { name: "X".into(), extents: extents.into(), domain, is_latent: false, first }];
    read(&source(), &groups, &[folder.path().into()], None).unwrap()
}

fn table(rows: &[Vec<Option<u32>>]) -> String {
    let field = |v: &Option<u32>| v.map_or("?".into(), |v| v.to_string());
    rows.iter().map(|row| row.iter().map(field).collect::<Vec<_>>().join(",") + "\n").collect()
}

fn learn(options: &ChowLiuOptions, data: &Dataset) -> Result<Learned, Diagnostic> {
    chow_liu::learn(&View::whole(data), options, Span::NONE)
}

fn whole() -> DataView {
    DataView::Whole("train".into())
}

fn information(data: &Dataset, view: &DataView, options: &ChowLiuOptions) -> Vec<f64> {
    mutual_information(&View::of(data, view, Span::NONE).unwrap(), options, Span::NONE).unwrap()
}

/// I(X; Y) = sum over u, v of p(u, v) ln (p(u, v) / (p(u) p(v))), from the smoothed joint table.
fn by_definition(pairs: &[(Option<u32>, Option<u32>)], n: u32, pseudocount: f64) -> f64 {
    let n = n as usize;
    let mut joint = vec![pseudocount / (n * n) as f64; n * n];
    for (u, v) in pairs.iter().filter_map(|&(u, v)| Some((u? as usize, v? as usize))) {
        joint[u * n + v] += 1.0;
    }
    let total: f64 = joint.iter().sum();
    joint.iter_mut().for_each(|p| *p /= total);
    let row = |u: usize| (0..n).map(|v| joint[u * n + v]).sum::<f64>();
    let column = |v: usize| (0..n).map(|u| joint[u * n + v]).sum::<f64>();
    let term = |u: usize, v: usize| match joint[u * n + v] {
        p if p > 0.0 => p * (p / (row(u) * column(v))).ln(),
        _ => 0.0,
    };
    let sum: f64 = (0..n).flat_map(|u| (0..n).map(move |v| (u, v))).map(|(u, v)| term(u, v)).sum();
    if total > 0.0 { sum } else { 0.0 }
}

/// The weights of all spanning trees of the complete graph, heaviest first, by trying all sets of edges.
fn all_trees(n: usize, weights: &[f64]) -> Vec<f64> {
    let pairs: Vec<(usize, usize)> = (0..n).flat_map(|a| (a + 1..n).map(move |b| (a, b))).collect();
    let mut found = Vec::new();
    for set in 0_u32..1 << pairs.len() {
        let chosen: Vec<usize> = (0..pairs.len()).filter(|&i| set >> i & 1 == 1).collect();
        let mut colour: Vec<usize> = (0..n).collect();
        let joins = |&i: &usize| {
            let (a, b) = (colour[pairs[i].0], colour[pairs[i].1]);
            colour.iter_mut().filter(|c| **c == b).for_each(|c| *c = a);
            a != b
        };
        if chosen.len() + 1 == n && chosen.iter().all(joins) {
            found.push(chosen.iter().map(|&i| weights[i]).sum());
        }
    }
    found.sort_by(|a: &f64, b| b.total_cmp(a));
    found
}

fn is_tree(n: usize, tree: &SpanningTree) -> bool {
    let mut joined = petgraph::unionfind::UnionFind::<u32>::new(n);
    tree.edges.len() + 1 == n && tree.edges.iter().all(|&(a, b)| joined.union(a, b))
}

fn cells(n: u32) -> impl Strategy<Value = Option<u32>> {
    prop_oneof![6 => (0..n).prop_map(Some), 3 => Just(Some(0)), 1 => Just(None)]
}

proptest! {
    #[test]
    fn information_is_that_of_the_definition(
        rows in prop::collection::vec(prop::collection::vec(cells(5), 4), 1..40),
        pseudocount in prop_oneof![Just(0.0), Just(0.5), Just(7.0)],
    ) {
        let data = dataset(&table(&rows), &[4], Domain::Cat(5));
        let options = ChowLiuOptions { pseudocount, ..OPTIONS };
        let found = information(&data, &whole(), &options);
        let pairs = (0..4).flat_map(|a| (a + 1..4).map(move |b| (a, b)));
        for ((a, b), found) in pairs.zip(found) {
            let pairs: Vec<_> = rows.iter().map(|row| (row[a], row[b])).collect();
            let wanted = by_definition(&pairs, 5, pseudocount);
            prop_assert!((found - wanted).abs() < 1e-12, "{found} is not {wanted}");
        }
    }

    #[test]
    fn the_best_trees_are_those_of_the_whole_list(
        n in 2_usize..6,
        weights in prop::collection::vec(prop_oneof![Just(0.0), Just(1.0), 0.0..2.0], 10),
        most in 1_usize..140,
    ) {
        let weights = &weights[..n * (n - 1) / 2];
        let wanted = all_trees(n, weights);
        // Cayley's formula counts them.
        prop_assert_eq!(wanted.len(), n.pow(n as u32 - 2));
        let found = best_spanning_trees(n, weights, most);
        prop_assert_eq!(found.len(), most.min(wanted.len()));
        for (i, (tree, wanted)) in found.iter().zip(wanted).enumerate() {
            prop_assert!((tree.weight - wanted).abs() < 1e-12, "tree {}: {} is not {}", i, tree.weight, wanted);
            prop_assert!(is_tree(n, tree));
        }
        let distinct: std::collections::HashSet<_> = found.iter().map(|t| &t.edges).collect();
        prop_assert_eq!(distinct.len(), found.len());
    }
}

#[test]
fn values_are_cut_to_their_highest_bits_and_rows_to_the_first() {
    let rows = [[3, 4, 0], [7, 0, 4], [0, 7, 3], [4, 3, 7], [1, 1, 1]].map(|row| row.map(Some).to_vec());
    let cut: Vec<Vec<_>> = rows[..4].iter().map(|r| r.iter().map(|v| v.map(|v| v >> 2)).collect()).collect();
    let data = dataset(&table(&rows), &[3], Domain::Cat(8));
    let options = ChowLiuOptions { bits: Some(1), max_rows: Some(4), pseudocount: 0.1, ..OPTIONS };
    for (i, (a, b)) in [(0, 1), (0, 2), (1, 2)].into_iter().enumerate() {
        let pairs: Vec<_> = cut.iter().map(|row| (row[a], row[b])).collect();
        let wanted = by_definition(&pairs, 2, 0.1);
        assert!((information(&data, &whole(), &options)[i] - wanted).abs() < 1e-12);
    }
}

#[test]
fn real_variables_have_the_information_of_their_correlation() {
    // The correlation of (0, 1, 2, 3) and (1, 0, 3, 2) is 0.6; the third column is the first, doubled.
    let data = dataset("0,1,0\n1,0,2\n2,3,4\n3,2,6\n?,9,1\n", &[3], Domain::Real);
    let found = information(&data, &whole(), &OPTIONS);
    assert!((found[0] + 0.5 * (1.0_f64 - 0.36).ln()).abs() < 1e-12, "{found:?}");
    assert!(found[1] > 17.0 && found[1].is_finite(), "{found:?}");
}

#[test]
fn a_chain_is_found() {
    // X[0] decides X[2], X[2] mostly decides X[1], and X[3] is alone.
    let rows = [[0, 0, 0, 0], [0, 0, 0, 1], [1, 1, 1, 0], [1, 1, 1, 1], [1, 0, 1, 0], [1, 0, 1, 1]];
    let data = dataset(&table(&rows.map(|r| r.map(Some).to_vec())), &[4], Domain::Bool);
    let Learned::Tree(tree) = learn(&OPTIONS, &data).unwrap() else { panic!("one tree") };
    // X[0] and X[2] are copies, so X[1] is as near to one as to the other: the earlier pair wins.
    assert_eq!(tree.parents, [None, Some(0), Some(0), Some(0)]);
}

#[test]
fn independent_variables_still_give_a_tree() {
    let rows: Vec<_> = (0..8_u32).map(|i| [i & 1, i >> 1 & 1, i >> 2 & 1].map(Some).to_vec()).collect();
    let data = dataset(&table(&rows), &[3], Domain::Bool);
    for root in [RootChoice::First, RootChoice::Centre] {
        let options = ChowLiuOptions { trees: 10, root, ..OPTIONS };
        let Learned::Trees(trees) = learn(&options, &data).unwrap() else { panic!("trees") };
        // There are three trees of three variables.
        assert_eq!(trees.len(), 3);
        assert!(trees.iter().all(|t| t.parents.iter().filter(|p| p.is_none()).count() == 1));
    }
    let one = dataset("0\n1\n", &[], Domain::Bool);
    let Learned::Tree(tree) = learn(&OPTIONS, &one).unwrap() else { panic!("one tree") };
    assert_eq!(tree.parents, [None]);
}

#[test]
fn every_second_tree_can_be_kept() {
    let rows =
        [[0, 1, 2, 0], [1, 1, 0, 2], [2, 0, 1, 1], [0, 0, 2, 2], [2, 2, 1, 0]].map(|r| r.map(Some).to_vec());
    let data = dataset(&table(&rows), &[4], Domain::Cat(3));
    let trees = |trees, every| match learn(&ChowLiuOptions { trees, every, ..OPTIONS }, &data) {
        Ok(Learned::Trees(trees)) => trees,
        other => panic!("{other:?}"),
    };
    let all = trees(6, 1);
    assert_eq!(trees(6, 2), [all[0].clone(), all[2].clone(), all[4].clone()]);
}

#[test]
fn tiles_are_rows_of_their_own() {
    let data = dataset("0,1,2,3,4,5,6,7\n8,9,10,11,12,13,14,15\n", &[2, 4], Domain::Cat(16));
    let columns = |view: DataView| -> Vec<Vec<u32>> {
        let view = View::of(&data, &view, Span::NONE).unwrap();
        (0..view.n_variables()).map(|v| view.column(v, view.n_rows())).collect()
    };
    // Cut into 1 x 2 tiles of extents 2 x 2, the first tile of the first row is 0 1 / 4 5.
    let tiles = vec![1, 2];
    let all = columns(DataView::Tiles { data: "train".into(), tiles: tiles.clone() });
    assert_eq!(all, [[0, 2, 8, 10], [1, 3, 9, 11], [4, 6, 12, 14], [5, 7, 13, 15]]);
    let second = columns(DataView::Tile { data: "train".into(), tiles, index: 1 });
    assert_eq!(second, [[2, 10], [3, 11], [6, 14], [7, 15]]);
    let beyond = DataView::Tile { data: "train".into(), tiles: vec![1, 2], index: 2 };
    assert_eq!(View::of(&data, &beyond, Span::NONE).unwrap_err().code, "tiles-do-not-fit");
    for tiles in [vec![], vec![0, 1], vec![1, 3], vec![1, 1, 1]] {
        let view = DataView::Tiles { data: "train".into(), tiles };
        assert_eq!(View::of(&data, &view, Span::NONE).unwrap_err().code, "tiles-do-not-fit");
    }
}

#[test]
fn what_can_not_be_learned_is_said() {
    let data = dataset("0,4294967290\n", &[2], Domain::Nat);
    assert_eq!(data.word(0, 0), 0);
    assert_ne!(data.word(0, 1), MISSING);
    assert_eq!(learn(&OPTIONS, &data).unwrap_err().code, "too-many-values");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("train.csv"), "0,0.5\n").unwrap();
    let group = |name: &str, domain, first| VarGroup {
        name: name.into(),
        extents: vec![],
        domain,
        is_latent: false,
        first: VarId(first),
    };
    let groups = [group("A", Domain::Bool, 0), group("B", Domain::Real, 1)];
    let both = DataSource { variables: vec!["A".into(), "B".into()], ..source() };
    let mixed = read(&both, &groups, &[folder.path().into()], None).unwrap();
    assert_eq!(learn(&OPTIONS, &mixed).unwrap_err().code, "mixed-domains");
}
