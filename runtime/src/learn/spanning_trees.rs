//! Maximum spanning trees of a complete graph: the best one, and the k best in order.
//!
//! The best tree is Kruskal's; edges of equal weight are taken in the order of their pairs, so the answer
//! never depends on chance. The next ones come from partitioning (Lawler, 1972, with the edge swaps of Gabow,
//! 1977): the trees that share a prefix of the best tree's edges but not the next edge are one part, and the
//! best tree of a part differs from its parent by one swap. Taking the best of all parts, and splitting it,
//! lists all spanning trees in order without repeating one. A tree takes O(m) and the parts of one tree
//! O(m a(n)) for m pairs of n variables.

use petgraph::unionfind::UnionFind;
use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::rc::Rc;

/// A spanning tree and the sum of its edges' weights.
#[derive(Clone, Debug, PartialEq)]
pub struct SpanningTree {
    /// The edges as pairs a < b, heaviest first.
    pub edges: Vec<(u32, u32)>,
    /// The sum of their weights.
    pub weight: f64,
}

/// The `most` heaviest spanning trees of the complete graph over `n` vertices, heaviest first, fewer when
/// there are not so many. `weights` are those of the pairs (0, 1), (0, 2), .., (1, 2), ..; they must be
/// finite. There is one tree of one vertex, and none of no vertices.
pub fn best_spanning_trees(n: usize, weights: &[f64], most: usize) -> Vec<SpanningTree> {
    assert_eq!(weights.len(), n * n.saturating_sub(1) / 2, "one weight for each pair");
    if n == 0 || most == 0 {
        return Vec::new();
    }
    let edges = Edges::heaviest_first(n, weights);
    let first = Rc::new(edges.maximum_tree());
    let mut found = vec![edges.named(&first)];
    let mut parts = Parts::default();
    if found.len() < most {
        edges.split(&first, &mut parts);
    }
    while found.len() < most {
        let Some(part) = parts.heap.pop() else { break };
        let tree = Rc::new(part.tree());
        found.push(edges.named(&tree));
        if found.len() < most {
            edges.split(&tree, &mut parts);
        }
    }
    found
}

/// The parts that no tree was taken from yet, heaviest best tree first.
#[derive(Default)]
struct Parts {
    heap: BinaryHeap<Part>,
    n_made: usize,
}

/// All pairs, sorted once.
struct Edges {
    n: usize,
    pairs: Vec<(u32, u32)>,
    weights: Vec<f64>,
}

/// The best tree of one part: which edges every tree of the part has, and which none has.
struct Tree {
    /// Edges by rank; the first `n_forced` are in every tree of the part.
    edges: Vec<u32>,
    n_forced: usize,
    /// Edges that no tree of the part has.
    excluded: Vec<u32>,
    weight: f64,
}

/// A part whose best tree is its parent's with one edge swapped for another; the tree is made when needed.
struct Part {
    parent: Rc<Tree>,
    position: usize,
    replacement: u32,
    weight: f64,
    /// Parts made earlier come first among equals.
    serial: usize,
}

impl Part {
    /// Every edge before the swapped one stays in all trees of the part, and the swapped one is in none.
    fn tree(&self) -> Tree {
        let mut edges = self.parent.edges.clone();
        let mut excluded = self.parent.excluded.clone();
        excluded.push(edges[self.position]);
        edges[self.position] = self.replacement;
        Tree { edges, n_forced: self.position, excluded, weight: self.weight }
    }
}

impl Ord for Part {
    fn cmp(&self, other: &Self) -> Ordering {
        self.weight.total_cmp(&other.weight).then(other.serial.cmp(&self.serial))
    }
}

impl PartialOrd for Part {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Part {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Part {}

impl Edges {
    fn heaviest_first(n: usize, weights: &[f64]) -> Self {
        let pairs: Vec<(u32, u32)> =
            (0..n as u32).flat_map(|a| (a + 1..n as u32).map(move |b| (a, b))).collect();
        let mut order: Vec<u32> = (0..pairs.len() as u32).collect();
        // The sort is stable, so equal weights keep the order of their pairs.
        order.sort_by(|&i, &j| weights[j as usize].total_cmp(&weights[i as usize]));
        Edges {
            n,
            pairs: order.iter().map(|&i| pairs[i as usize]).collect(),
            weights: order.iter().map(|&i| weights[i as usize]).collect(),
        }
    }

    fn maximum_tree(&self) -> Tree {
        let mut joined = UnionFind::<u32>::new(self.n);
        let is_taken = |rank: &u32| {
            let (a, b) = self.pairs[*rank as usize];
            joined.union(a, b)
        };
        let edges: Vec<u32> = (0..self.pairs.len() as u32).filter(is_taken).take(self.n - 1).collect();
        let weight = edges.iter().map(|&rank| self.weights[rank as usize]).sum();
        Tree { edges, n_forced: 0, excluded: Vec::new(), weight }
    }

    fn named(&self, tree: &Tree) -> SpanningTree {
        let mut ranks = tree.edges.clone();
        ranks.sort_unstable();
        let edges = ranks.into_iter().map(|rank| self.pairs[rank as usize]).collect();
        SpanningTree { edges, weight: tree.weight }
    }

    /// Splits what is left of a part when its best tree is taken out: one part for each edge that could go.
    fn split(&self, tree: &Rc<Tree>, parts: &mut Parts) {
        for (position, replacement) in self.replacements(tree).into_iter().enumerate().skip(tree.n_forced) {
            let Some(replacement) = replacement else { continue };
            let loss = self.weights[tree.edges[position] as usize] - self.weights[replacement as usize];
            let (parent, serial) = (tree.clone(), parts.n_made);
            parts.heap.push(Part { parent, position, replacement, weight: tree.weight - loss, serial });
            parts.n_made += 1;
        }
    }

    /// For each edge of a tree, the heaviest edge outside it that would join the two halves again.
    ///
    /// Edges are tried heaviest first, so the first one to span a tree edge is its replacement, and an edge
    /// that has one can be passed over from then on: paths are compressed as they are covered.
    fn replacements(&self, tree: &Tree) -> Vec<Option<u32>> {
        let hung = Hung::of(self, tree);
        let mut is_barred = vec![false; self.pairs.len()];
        tree.edges.iter().chain(&tree.excluded).for_each(|&rank| is_barred[rank as usize] = true);
        let mut replacements = vec![None; tree.edges.len()];
        let mut above: Vec<u32> = (0..self.n as u32).collect();
        let mut n_open = tree.edges.len();
        for (rank, &(a, b)) in self.pairs.iter().enumerate().filter(|&(rank, _)| !is_barred[rank]) {
            if n_open == 0 {
                break;
            }
            let (mut a, mut b) = (top(&mut above, a), top(&mut above, b));
            while a != b {
                // The deeper end climbs, so that both meet at or above their nearest common ancestor.
                if hung.depths[a as usize] < hung.depths[b as usize] {
                    std::mem::swap(&mut a, &mut b);
                }
                let (parent, position) = hung.up[a as usize];
                replacements[position] = Some(rank as u32);
                n_open -= 1;
                above[a as usize] = parent;
                a = top(&mut above, a);
            }
        }
        replacements
    }
}

/// The highest vertex that is reached by covered edges alone.
fn top(above: &mut [u32], vertex: u32) -> u32 {
    let mut at = vertex;
    while above[at as usize] != at {
        above[at as usize] = above[above[at as usize] as usize];
        at = above[at as usize];
    }
    at
}

/// A tree hung from vertex 0.
struct Hung {
    /// The parent of each vertex and the position of the edge to it; meaningless for vertex 0.
    up: Vec<(u32, usize)>,
    depths: Vec<u32>,
}

impl Hung {
    fn of(edges: &Edges, tree: &Tree) -> Self {
        let mut neighbours = vec![Vec::new(); edges.n];
        for (position, &rank) in tree.edges.iter().enumerate() {
            let (a, b) = edges.pairs[rank as usize];
            neighbours[a as usize].push((b, position));
            neighbours[b as usize].push((a, position));
        }
        let mut hung = Hung { up: vec![(0, usize::MAX); edges.n], depths: vec![0; edges.n] };
        let mut stack = vec![0_u32];
        while let Some(vertex) = stack.pop() {
            let from = hung.up[vertex as usize].1;
            for &(neighbour, position) in neighbours[vertex as usize].iter().filter(|(_, p)| *p != from) {
                hung.up[neighbour as usize] = (vertex, position);
                hung.depths[neighbour as usize] = hung.depths[vertex as usize] + 1;
                stack.push(neighbour);
            }
        }
        hung
    }
}
