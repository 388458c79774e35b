//! Changes against the circuits they were made of, on random circuits with every kind of layer.

use super::*;
use crate::exec::{CpuExecutor, CpuOptions, Executor, Interpreter, LogExecutor, UnitsExecutor};
use crate::query::tests::circuits::{Make, random, random_rows};
use crate::train::Update;
use pcc_diag::Span;
use pcc_ir::graph::{EdgeMask, print, read, verify};
use pcc_ir::random::{Random, Taste, batch, circuit};
use pcc_ir::recipe::Per;
use pcc_ir::{Batch, Domain, Flows, Graph, ParamId, ParamShape, Params};

fn taste(seed: u64) -> Taste {
    Taste {
        n_variables: 1 + seed as u32 % 6,
        depth: 1 + seed as u32 % 2,
        zero_weights: [0.0, 0.3][seed as usize % 2],
        is_single: seed % 7 == 6,
    }
}

fn logs(circuit: &Changed, rows: &Batch) -> Vec<f64> {
    Interpreter::new(circuit.graph.clone(), circuit.params.clone()).log_likelihoods(rows)
}

/// Fails unless two circuits give all rows the same likelihood.
fn assert_same(one: &Changed, other: &Changed, rows: &Batch, place: &str) {
    assert_eq!(verify(&other.graph), [], "{place}");
    for (row, (a, b)) in logs(one, rows).iter().zip(logs(other, rows)).enumerate() {
        assert!(*a == b || (a - b).abs() < 1e-4, "{place}, row {row}: {b}, not {a}");
    }
}

fn n_units(graph: &Graph) -> usize {
    graph.layer_ids().map(|id| graph.n_units(id)).sum()
}

/// A circuit with its values, and with some edges pruned at random but one of each unit.
fn masked(seed: u64, share: f64) -> Changed {
    let mut graph = circuit(seed, taste(seed));
    let mut params = Params::of(&graph);
    let mut random = Random::new(seed);
    for id in (0..graph.params().len()).map(ParamId::new) {
        let param = graph.param(id).clone();
        if matches!(param.shape, ParamShape::Input { .. }) {
            continue;
        }
        let mut is_live: Vec<bool> = (0..param.len()).map(|_| !random.chance(share)).collect();
        for (unit, live) in is_live.chunks_exact_mut(param.unit_len()).enumerate() {
            live[random.below(param.unit_len() as u32) as usize] = true;
            let row = &mut params.table_mut(id)[unit * param.unit_len()..(unit + 1) * param.unit_len()];
            row.iter_mut().zip(live.iter()).for_each(|(w, live)| *w = if *live { *w + 0.1 } else { 0.0 });
            let total: f32 = row.iter().sum();
            row.iter_mut().for_each(|w| *w /= total);
        }
        graph.set_mask(id, Some(EdgeMask::of(is_live)));
    }
    Changed { graph, params }
}

#[test]
fn growing_without_noise_changes_no_likelihood() {
    let mut n_grown = 0;
    for seed in 0..120 {
        let graph = circuit(seed, taste(seed));
        let params = Params::of(&graph);
        let rows = batch(&graph, seed, 12, 0.3, false);
        let once = grow(&graph, &params, 0.0, 1);
        n_grown += usize::from(n_units(&once.graph) > n_units(&graph));
        let before = Changed { graph, params };
        assert_same(&before, &once, &rows, &format!("seed {seed}"));
        let twice = grow(&once.graph, &once.params, 0.0, 1);
        assert_same(&before, &twice, &rows, &format!("seed {seed}, grown twice"));
    }
    assert!(n_grown > 60, "only {n_grown} of 120 circuits grew");
}

#[test]
fn a_dense_circuit_doubles_all_its_latents() {
    let graph = random(1, 3, true);
    let grown = grow(&graph, &Params::of(&graph), 0.0, 1);
    let wide = |graph: &Graph| graph.layer_ids().filter(|&id| graph.n_units(id) > 1).count();
    assert!(wide(&graph) > 0);
    for (old, new) in graph.layer_ids().zip(grown.graph.layer_ids()) {
        let (old, new) = (graph.n_units(old), grown.graph.n_units(new));
        assert!(new == old && old == 1 || new == 2 * old || new == 4 * old, "{old} units became {new}");
    }
}

#[test]
fn noise_keeps_distributions_and_tells_copies_apart() {
    for seed in 0..40 {
        let graph = circuit(seed, Taste { zero_weights: 0.0, ..taste(seed) });
        let params = Params::of(&graph);
        let [plain, noisy, again, other] =
            [(0.0, 1), (0.3, 1), (0.3, 1), (0.3, 2)].map(|(noise, seed)| grow(&graph, &params, noise, seed));
        assert!(plain.graph.same_as(&noisy.graph) && noisy.params == again.params);
        if n_units(&plain.graph) > n_units(&graph) {
            assert!(noisy.params != plain.params && noisy.params != other.params, "seed {seed}");
        }
        for (i, param) in noisy.graph.params().iter().enumerate() {
            let tables = [&noisy, &plain].map(|c| c.params.table(ParamId::new(i)).chunks(param.unit_len()));
            if let ParamShape::Sum { .. } | ParamShape::Mix { .. } = param.shape {
                let [noisy, plain] =
                    tables.map(|rows| rows.map(|row| row.iter().sum::<f32>()).collect::<Vec<_>>());
                let is_close = noisy.iter().zip(&plain).all(|(a, b)| (a - b).abs() < 1e-5);
                assert!(is_close, "seed {seed}: rows sum to {noisy:?}, not {plain:?}");
            }
        }
    }
}

#[test]
fn a_labelled_latent_keeps_its_values_while_what_is_below_it_grows() {
    let mut make = Make::new(2, Domain::Cat(3));
    let latent = make.builder.variables("Z", &[1], Domain::Cat(4), true);
    let latent = make.builder.graph().var_group(latent).variables().next().unwrap();
    let inner = [0, 1].map(|v| make.categorical(v, 3, 5, None));
    let below = make.product(&inner);
    let heads = make.sum(&[below], 4, None);
    let index = make.builder.indicator(latent, 0, 1, 4, Span::NONE);
    let cases = make.product(&[heads, index]);
    let root = make.sum(&[cases], 1, None);
    make.builder.label(heads, "patch");
    let graph = make.finish(root);
    let mut params = Params::of(&graph);
    let data = crate::train::EvidenceRows::new(random_rows(&graph, 20, 0.0, 1));
    crate::train::start(&graph, &data, pcc_ir::recipe::Start::Exponential, 1, &mut params);
    let grown = grow(&graph, &params, 0.0, 1);
    let widths = |graph: &Graph| graph.layer_ids().map(|id| graph.layer(id).width).collect::<Vec<_>>();
    assert_eq!(widths(&graph), [5, 5, 5, 4, 4, 4, 1]);
    assert_eq!(widths(&grown.graph), [10, 10, 10, 4, 4, 4, 1]);
    assert_eq!(grown.graph.labels().len(), 1);
    let rows = random_rows(&graph, 30, 0.2, 2);
    assert_same(&Changed { graph, params }, &grown, &rows, "labelled");
}

#[test]
fn leaving_out_what_nothing_reaches_changes_no_likelihood() {
    let mut n_smaller = 0;
    for seed in 0..150 {
        let before = masked(seed, [0.3, 0.6, 0.9][seed as usize % 3]);
        let rows = batch(&before.graph, seed, 12, 0.3, false);
        let after = drop_unreached(&before.graph, &before.params);
        assert_same(&before, &after, &rows, &format!("seed {seed}"));
        n_smaller += usize::from(n_units(&after.graph) < n_units(&before.graph));
        let twice = drop_unreached(&after.graph, &after.params);
        assert!(twice.graph.same_as(&after.graph), "seed {seed}: something was left");
        let grown = grow(&after.graph, &after.params, 0.0, 1);
        assert_same(&before, &grown, &rows, &format!("seed {seed}, grown"));
        let text = print(&grown.graph);
        assert!(read(&text).expect("a printed graph").same_as(&grown.graph), "seed {seed}");
    }
    assert!(n_smaller > 50, "only {n_smaller} of 150 circuits became smaller");
}

#[test]
fn small_weights_go_and_the_others_sum_to_one() {
    let mut make = Make::new(1, Domain::Cat(3));
    let leaf = make.categorical(
        0,
        3,
        4,
        Some([1.0, 0.0, 0.0, 0.2, 0.0, 1.0, 0.0, 0.3, 0.0, 0.0, 1.0, 0.5].to_vec()),
    );
    let inner = make.sum(&[leaf], 2, Some(vec![0.5, 0.3, 0.19, 0.01, 0.25, 0.25, 0.25, 0.25]));
    let root = make.sum(&[inner], 1, Some(vec![0.95, 0.05]));
    let graph = make.finish(root);
    let pruned = prune(&graph, &Params::of(&graph), Pruning::Below(0.1), &[true; 3]);
    // The second unit of the inner sum is gone with the edge to it, and then the last leaf that only it read.
    let [leaf, inner, root] = [0, 1, 2].map(|i| pruned.params.table(ParamId(i)).to_vec());
    assert_eq!((leaf.len(), inner.len(), root), (9, 3, vec![1.0]));
    for (weight, expected) in inner.iter().zip([0.5, 0.3, 0.19]) {
        assert!((f64::from(*weight) - expected / 0.99).abs() < 1e-6, "{inner:?}");
    }
    assert!(!pruned.graph.is_pruned(), "what is left is dense");
    // A held table stays whole.
    let held = prune(&graph, &Params::of(&graph), Pruning::Below(0.1), &[true, true, false]);
    assert_eq!(held.params.table(ParamId(2)), [0.95, 0.05]);
    // No unit loses all its edges.
    let last = prune(&graph, &Params::of(&graph), Pruning::Below(0.99), &[true; 3]);
    assert_eq!(last.params.table(ParamId(1)), [1.0]);
    assert_eq!(last.graph.layer(pcc_ir::LayerId(0)).width, 1);
}

#[test]
fn a_share_of_the_edges_stays_by_flow() {
    let graph = random(8, 4, true);
    let params = Params::of(&graph);
    let mut flows = Flows::zero(&graph);
    let rows = random_rows(&graph, 50, 0.0, 1);
    Interpreter::new(graph.clone(), params.clone()).flows(&rows, None, &mut flows);
    let chosen = vec![true; graph.params().len()];
    let is_weights = |i: &usize| !matches!(graph.params()[*i].shape, ParamShape::Input { .. });
    let all: Vec<f32> =
        (0..chosen.len()).filter(is_weights).flat_map(|i| flows.table(ParamId::new(i)).to_vec()).collect();
    let n_best = (0..chosen.len()).filter(is_weights).map(|i| graph.params()[i].n_units()).sum::<usize>();
    for share in [0.25, 0.5, 0.9, 1.0] {
        let pruned = prune(&graph, &params, Pruning::Keep(share, &flows), &chosen);
        let kept: usize = (pruned.graph.params().iter())
            .filter(|p| !matches!(p.shape, ParamShape::Input { .. }))
            .map(|p| p.n_live())
            .sum();
        let wanted = (share * all.len() as f64).round() as usize;
        // Units without an edge in the share keep one; unreached ones go.
        assert!(
            kept <= wanted + n_best && (share < 1.0 || kept == wanted),
            "{share}: {kept} of {}",
            all.len()
        );
        let mean = |c: &Changed| logs(c, &rows).iter().sum::<f64>() / 50.0;
        let loss = mean(&Changed { graph: graph.clone(), params: params.clone() }) - mean(&pruned);
        assert!(loss < 2.0, "{share}: {loss} nats were lost");
    }
}

/// All executors see the same circuit, and none brings an edge back.
#[test]
fn pruned_edges_stay_away_through_learning() {
    for seed in 0..40 {
        let Changed { graph, params } = masked(seed, [0.3, 0.7, 0.95][seed as usize % 3]);
        let rows = batch(&graph, seed, 70, 0.2, false);
        let held = vec![false; graph.params().len()];
        let options = CpuOptions::threads(std::num::NonZeroUsize::new(2).unwrap());
        let executors: Vec<Box<dyn Executor>> = vec![
            Box::new(Interpreter::new(graph.clone(), params.clone())),
            Box::new(LogExecutor::new(graph.clone(), params.clone())),
            Box::new(UnitsExecutor::new(graph.clone(), params.clone(), options.clone()).unwrap()),
            Box::new(CpuExecutor::new(graph.clone(), params.clone(), options).unwrap()),
        ];
        let mut expected: Option<(Vec<f64>, Params)> = None;
        for (i, mut executor) in executors.into_iter().enumerate() {
            let place = format!("seed {seed}, executor {i}");
            let logs = executor.log_likelihoods(&rows);
            for (step, per, count) in [(1.0, Per::Node, 0.5), (0.4, Per::Cell, 2.0)] {
                executor.gather(&rows, None);
                let update = Update { step, pseudocount: count, per, rows: None, held: &held, threads: 2 };
                executor.maximize(&update, None);
            }
            let after = executor.params().clone();
            for (id, param) in graph.params().iter().enumerate().map(|(i, p)| (ParamId::new(i), p)) {
                let Some(mask) = &param.mask else { continue };
                let table = after.table(id);
                assert!(
                    (0..table.len()).all(|at| mask.is_live(at) || table[at] == 0.0),
                    "{place}: it is back"
                );
                for row in table.chunks(param.unit_len()) {
                    let total: f32 = row.iter().sum();
                    assert!((total - 1.0).abs() < 1e-5, "{place}: a row sums to {total}");
                }
            }
            let Some((wanted, params)) = &expected else {
                expected = Some((logs, after));
                continue;
            };
            for (a, b) in logs.iter().zip(wanted) {
                assert!(a == b || (a - b).abs() < 1e-4, "{place}: {a}, not {b}");
            }
            for (a, b) in after.values().iter().zip(params.values()) {
                assert!((a - b).abs() <= 1e-3 * b.abs() + 1e-4, "{place}: {a}, not {b}");
            }
        }
    }
}
