//! Grouping things that share variables, directly or through others.

use crate::VarId;
use petgraph::unionfind::UnionFind;

/// The groups of one list of things after another, over the same variables. A list costs time linear in
/// the variables that its things name, not in all variables there are.
pub(super) struct Grouping {
    /// For each variable the list that named it last, and the thing of that list.
    owners: Vec<(u32, usize)>,
    list: u32,
    sets: UnionFind<usize>,
}

impl Grouping {
    pub fn new(n_variables: usize) -> Self {
        Grouping { owners: vec![(0, 0); n_variables], list: 0, sets: UnionFind::new_empty() }
    }

    /// Begins a list of that many things.
    pub fn start(&mut self, n: usize) {
        if self.list == u32::MAX {
            self.owners.fill((0, 0));
            self.list = 0;
        }
        self.list += 1;
        self.sets = UnionFind::new(n);
    }

    /// A thing of the list has this variable.
    pub fn own(&mut self, thing: usize, var: VarId) {
        match self.owners[var.index()] {
            (list, other) if list == self.list => drop(self.sets.union(other, thing)),
            _ => self.owners[var.index()] = (self.list, thing),
        }
    }

    /// A thing of the list that has a variable.
    pub fn owner(&self, var: VarId) -> Option<usize> {
        let (list, thing) = self.owners[var.index()];
        (list == self.list).then_some(thing)
    }

    /// Positions of the list, group by group, in order of the first of each.
    pub fn groups(&mut self) -> Vec<Vec<usize>> {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let mut group_of = vec![usize::MAX; self.sets.len()];
        for thing in 0..self.sets.len() {
            let set = self.sets.find_mut(thing);
            if group_of[set] == usize::MAX {
                group_of[set] = groups.len();
                groups.push(Vec::new());
            }
            groups[group_of[set]].push(thing);
        }
        groups
    }
}
