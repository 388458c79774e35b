//! petgraph's algorithms on a graph's layers, and the Graphviz text.

mod circuits;

use circuits::{Dice, Shape, random};
use pcc_ir::graph::{Walk, dot};
use pcc_ir::{Graph, LayerId};
use petgraph::Direction;
use petgraph::algo::{dominators, is_cyclic_directed, kosaraju_scc, toposort};
use petgraph::visit::{Dfs, IntoNeighborsDirected, Reversed, Walker};

fn graph(seed: u64) -> Graph {
    let shape = Shape { n_observed: 6, n_latent: 1, is_structured: false, most_units: 3 };
    random(&mut Dice::new(seed), shape)
}

#[test]
fn petgraph_walks_layers() {
    for seed in 0..50 {
        let graph = graph(seed);
        let walk = Walk::new(&graph);
        assert!(!is_cyclic_directed(&walk));
        assert_eq!(kosaraju_scc(&walk).len(), graph.n_layers());
        let order = toposort(&walk, None).expect("a circuit has no cycle");
        assert_eq!(order.len(), graph.n_layers());
        let mut place = vec![0; graph.n_layers()];
        order.iter().enumerate().for_each(|(i, id)| place[id.index()] = i);
        for id in graph.layer_ids() {
            assert!(graph.children(id).iter().all(|c| place[id.index()] < place[c.index()]));
        }
        assert_eq!(Dfs::new(&walk, graph.root()).iter(&walk).count(), graph.n_layers());
        let dominators = dominators::simple_fast(&walk, graph.root());
        assert!(graph.layer_ids().all(|id| dominators.dominators(id).is_some()));
    }
}

#[test]
fn parents_are_children_turned_around() {
    for seed in 0..50 {
        let graph = graph(seed);
        let walk = Walk::new(&graph);
        for id in graph.layer_ids() {
            let mut expected: Vec<LayerId> = Vec::new();
            for parent in graph.layer_ids() {
                expected.extend(graph.children(parent).iter().filter(|&&c| c == id).map(|_| parent));
            }
            assert_eq!(walk.parents(id), expected);
            let incoming: Vec<LayerId> = (&walk).neighbors_directed(id, Direction::Incoming).collect();
            assert_eq!(incoming, expected);
        }
        let leaf = LayerId(0);
        assert!(Dfs::new(Reversed(&walk), leaf).iter(Reversed(&walk)).any(|id| id == graph.root()));
    }
}

#[test]
fn dot_shows_every_layer_or_says_how_many_are_left_out() {
    let graph = graph(3);
    let all = dot(&graph, usize::MAX);
    let n_edges: usize = graph.layer_ids().map(|id| graph.children(id).len()).sum();
    assert_eq!(all.matches(" -> ").count(), n_edges);
    assert_eq!(all.matches("variable").count(), graph.n_layers());
    assert!(!all.contains("not shown"));
    let few = dot(&graph, 3);
    let (n, left) = (graph.n_layers(), graph.n_layers() - 3);
    assert!(few.contains(&format!("{left} of {n} layers are not shown")), "{few}");
    assert_eq!(few.matches("variable").count(), 3);
    assert_eq!(few.matches('{').count(), few.matches('}').count());
}
