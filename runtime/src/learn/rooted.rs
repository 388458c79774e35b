//! Hanging a spanning tree from one of its variables.

use pcc_ir::recipe::{RootChoice, VarTree};

/// Hangs the tree with these edges over `n` variables from its root.
pub(super) fn rooted(n: usize, edges: &[(u32, u32)], choice: RootChoice) -> VarTree {
    let mut neighbours = vec![Vec::new(); n];
    for &(a, b) in edges {
        neighbours[a as usize].push(b);
        neighbours[b as usize].push(a);
    }
    let root = match choice {
        RootChoice::First => 0,
        RootChoice::Centre => centre(&neighbours),
    };
    let (_, parents) = walk(&neighbours, root);
    VarTree { parents }
}

/// The middle of a longest path: no other root makes the tree less deep. Of two middles, the smaller.
fn centre(neighbours: &[Vec<u32>]) -> u32 {
    let (order, _) = walk(neighbours, 0);
    let one_end = order.last().copied().unwrap_or(0);
    let (order, parents) = walk(neighbours, one_end);
    let mut path: Vec<u32> = order.last().copied().into_iter().collect();
    while let Some(parent) = path.last().and_then(|&v| parents[v as usize]) {
        path.push(parent);
    }
    match path.len() {
        0 => 0,
        n if n % 2 == 1 => path[n / 2],
        n => path[n / 2].min(path[n / 2 - 1]),
    }
}

/// The variables in breadth-first order from one of them, so a farthest one is last, and their parents.
fn walk(neighbours: &[Vec<u32>], from: u32) -> (Vec<u32>, Vec<Option<u32>>) {
    let mut parents = vec![None; neighbours.len()];
    let mut order = Vec::with_capacity(neighbours.len());
    order.extend((!neighbours.is_empty()).then_some(from));
    let mut next = 0;
    while let Some(&at) = order.get(next) {
        for &neighbour in &neighbours[at as usize] {
            if parents[at as usize] != Some(neighbour) {
                parents[neighbour as usize] = Some(at);
                order.push(neighbour);
            }
        }
        next += 1;
    }
    (order, parents)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn depth(tree: &VarTree) -> usize {
        let above =
            |v: usize| std::iter::successors(Some(v), |&v| tree.parents[v].map(|p| p as usize)).count();
        (0..tree.parents.len()).map(above).max().unwrap_or(0)
    }

    #[test]
    fn the_centre_is_the_least_deep_root() {
        let trees: [&[(u32, u32)]; 4] = [
            &[],
            &[(0, 1), (1, 2), (2, 3), (3, 4)],
            &[(0, 5), (5, 1), (1, 2), (2, 3), (3, 4)],
            &[(3, 0), (3, 1), (3, 2), (2, 4), (4, 5)],
        ];
        for edges in trees {
            let n = edges.len() + 1;
            let centre = rooted(n, edges, RootChoice::Centre);
            assert_eq!(centre.parents.iter().filter(|p| p.is_none()).count(), 1);
            // Hang the tree from every variable by renaming that one to 0.
            let swap = |v: u32, root: u32| {
                if v == root {
                    0
                } else if v == 0 {
                    root
                } else {
                    v
                }
            };
            let renamed =
                |root| -> Vec<_> { edges.iter().map(|&(a, b)| (swap(a, root), swap(b, root))).collect() };
            let depths = (0..n as u32).map(|root| depth(&rooted(n, &renamed(root), RootChoice::First)));
            assert_eq!(Some(depth(&centre)), depths.min(), "{edges:?}");
        }
    }
}
