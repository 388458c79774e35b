//! The order of a program: what is read often lies together, what is read once is made just before.
//!
//! In: nodes in depth-first order. Out: the program. *Shared* nodes, which several terms read, are sorted by
//! scope: those of one scope follow each other and take rows side by side, so that their readers find them in
//! a small part of memory. All other nodes are made when their only reader needs them.

use super::flatten::{Flat, ONE_NODE};
use super::rows::Rows;
use super::{NO_PLACE, ONE_ROW, TermPlaces, UnitOptions, UnitProgram, UnitSum};
use std::ops::Range;

/// A forward sum reads so many terms at a time, when it has far more and their factors are made for it alone.
const PIECE: usize = 16;

/// A node that is being made.
struct Frame {
    node: u32,
    /// Factors that were looked at, two to a term.
    n_seen: usize,
    /// Terms that were already summed.
    n_summed: usize,
    is_in_pieces: bool,
}

struct Ordering {
    flat: Flat,
    options: UnitOptions,
    uses: Vec<u32>,
    /// The row of each node that has one.
    row_of: Vec<u32>,
    /// The group of each shared node, then of each group its rows and how often they are still to be read.
    group_of: Vec<u32>,
    groups: Vec<Group>,
    rows: Rows,
    sums: Vec<UnitSum>,
    terms: Vec<[u32; 2]>,
    places: Vec<TermPlaces>,
}

#[derive(Clone, Copy, Debug)]
struct Group {
    first_row: u32,
    n_nodes: u32,
    n_reads: u64,
}

const NO_GROUP: u32 = u32::MAX;

/// Makes the program.
pub(super) fn order(flat: Flat, options: UnitOptions) -> UnitProgram {
    let n_nodes = flat.n_nodes();
    let mut uses = vec![0; n_nodes];
    flat.terms.iter().flatten().for_each(|&factor| uses[factor as usize] += 1);
    let mut row_of = vec![ONE_ROW; n_nodes];
    let leaves = (ONE_NODE + 1..n_nodes as u32).filter(|&node| flat.is_leaf(node));
    leaves.zip(1..).for_each(|(node, row)| row_of[node as usize] = row);
    let rows = Rows::after(flat.leaves.len() as u32 + 1);
    let shared = shared_in_order(&flat, &uses);
    let mut ordering = Ordering {
        options,
        uses,
        row_of,
        group_of: vec![NO_GROUP; n_nodes],
        groups: Vec::new(),
        rows,
        sums: Vec::with_capacity(n_nodes),
        terms: Vec::with_capacity(flat.terms.len()),
        places: Vec::with_capacity(flat.terms.len()),
        flat,
    };
    shared.chunk_by(|a, b| a.0 == b.0).for_each(|group| ordering.make_group(group));
    ordering.finish()
}

/// The shared nodes and the root, each with the rank of its scope, in their order.
fn shared_in_order(flat: &Flat, uses: &[u32]) -> Vec<(u32, u32)> {
    let ranks = scope_ranks(flat);
    let is_shared = |node: &u32| !flat.is_leaf(*node) && (uses[*node as usize] != 1 || *node == flat.root);
    let nodes = (0..flat.n_nodes() as u32).filter(is_shared);
    let mut shared: Vec<(u32, u32)> =
        nodes.map(|node| (ranks[flat.scopes[node as usize] as usize], node)).collect();
    shared.sort_unstable();
    shared
}

/// Numbers scopes so that one whose nodes read those of another comes after it, depth first.
fn scope_ranks(flat: &Flat) -> Vec<u32> {
    let reads = scope_reads(flat);
    let n_scopes = reads.len();
    let mut ranks = vec![u32::MAX; n_scopes];
    let mut is_open = vec![false; n_scopes];
    let (mut stack, mut next) = (Vec::new(), 0);
    for scope in 0..n_scopes {
        stack.push((scope, 0));
        while let Some((scope, n_seen)) = stack.pop() {
            if n_seen == 0 && std::mem::replace(&mut is_open[scope], true) {
                continue;
            }
            match reads[scope].get(n_seen) {
                Some(&below) => stack.extend([(scope, n_seen + 1), (below as usize, 0)]),
                None => {
                    ranks[scope] = next;
                    next += 1;
                }
            }
        }
    }
    ranks
}

/// For each scope, those that its nodes read; one may be listed more than once.
fn scope_reads(flat: &Flat) -> Vec<Vec<u32>> {
    let n_scopes = flat.scopes.iter().filter(|&&scope| scope != u32::MAX).max().map_or(0, |&last| last + 1);
    let mut reads = vec![Vec::new(); n_scopes as usize];
    for node in (0..flat.n_nodes() as u32).filter(|&node| !flat.is_leaf(node)) {
        let scope = flat.scopes[node as usize];
        let below: &mut Vec<u32> = &mut reads[scope as usize];
        for &factor in flat.terms[flat.range(node)].iter().flatten().filter(|&&factor| !flat.is_leaf(factor))
        {
            let read = flat.scopes[factor as usize];
            // Terms of a structured circuit read two scopes in turn, so a look at the last few finds most.
            if read != scope && !below.iter().rev().take(4).any(|&known| known == read) {
                below.push(read);
            }
        }
    }
    reads
}

impl Ordering {
    fn make_group(&mut self, nodes: &[(u32, u32)]) {
        let n_nodes = nodes.len() as u32;
        let group = self.groups.len() as u32;
        let first_row = if self.options.is_for_flows { 0 } else { self.rows.take(n_nodes) };
        let n_reads = nodes.iter().map(|&(_, node)| u64::from(self.uses[node as usize])).sum();
        self.groups.push(Group { first_row, n_nodes, n_reads });
        for (i, &(_, node)) in nodes.iter().enumerate() {
            self.group_of[node as usize] = group;
            self.row_of[node as usize] = first_row + i as u32;
        }
        nodes.iter().for_each(|&(_, node)| self.make(node));
    }

    /// Makes a node, and before that the nodes that only it needs.
    fn make(&mut self, node: u32) {
        let mut stack = vec![self.frame(node)];
        while let Some(frame) = stack.last_mut() {
            let range = self.flat.range(frame.node);
            let n_whole = frame.n_seen / 2;
            let is_piece_whole = frame.is_in_pieces && n_whole - frame.n_summed == PIECE;
            if frame.n_seen.is_multiple_of(2) && (n_whole == range.len() || is_piece_whole) {
                let is_done = n_whole == range.len();
                let terms = range.start + frame.n_summed..range.start + n_whole;
                let (node, is_first) = (frame.node, frame.n_summed == 0);
                frame.n_summed = n_whole;
                self.sum(node, terms, is_first);
                if is_done {
                    stack.pop();
                    continue;
                }
            }
            let Some(frame) = stack.last_mut() else { break };
            let factor = self.flat.terms[range.start + frame.n_seen / 2][frame.n_seen % 2];
            frame.n_seen += 1;
            if self.is_single(factor) {
                stack.push(self.frame(factor));
            }
        }
    }

    fn frame(&self, node: u32) -> Frame {
        let terms = &self.flat.terms[self.flat.range(node)];
        let is_in_pieces = !self.options.is_for_flows
            && terms.len() > 2 * PIECE
            && terms.iter().flatten().any(|&factor| self.is_single(factor));
        Frame { node, n_seen: 0, n_summed: 0, is_in_pieces }
    }

    /// Whether one term reads a node, so that it is made just before.
    fn is_single(&self, node: u32) -> bool {
        self.uses[node as usize] == 1 && node != self.flat.root && !self.flat.is_leaf(node)
    }

    /// Sums some terms of a node, on top of those that were summed before.
    fn sum(&mut self, node: u32, terms: Range<usize>, is_first: bool) {
        let mut n_terms = terms.len() as u32;
        if !is_first {
            self.terms.push([self.row_of[node as usize], ONE_ROW]);
            self.places.push(TermPlaces { weight: NO_PLACE, stat: NO_PLACE });
            n_terms += 1;
        }
        for at in terms {
            let term = self.flat.terms[at];
            self.terms.push(term.map(|factor| self.row_of[factor as usize]));
            self.places.push(self.flat.places[at]);
            if !self.options.is_for_flows {
                term.into_iter().for_each(|factor| self.release(factor));
            }
        }
        if is_first && (self.options.is_for_flows || self.is_single(node)) {
            let row = if self.options.is_for_flows { self.rows.take(1) } else { self.rows.take_of_pool() };
            self.row_of[node as usize] = row;
        }
        self.sums.push(UnitSum { out: self.row_of[node as usize], n_terms });
    }

    /// One of a node's readers is done. Its row may be written by that reader: all is read before.
    fn release(&mut self, node: u32) {
        if self.is_single(node) {
            self.rows.free_of_pool(self.row_of[node as usize]);
        }
        let Some(group) = self.groups.get_mut(self.group_of[node as usize] as usize) else { return };
        group.n_reads -= 1;
        if group.n_reads == 0 {
            let group = *group;
            self.rows.free(group.first_row, group.n_nodes);
        }
    }

    fn finish(self) -> UnitProgram {
        let (n_rows, last) = self.rows.finish();
        let mut program = UnitProgram {
            options: self.options,
            n_rows,
            leaves: self.flat.leaves,
            sums: self.sums,
            terms: self.terms,
            places: self.places,
            root: last(self.row_of[self.flat.root as usize]),
        };
        program.sums.iter_mut().for_each(|sum| sum.out = last(sum.out));
        program.terms.iter_mut().flatten().for_each(|row| *row = last(*row));
        // Sums in pieces take more terms than there were to begin with.
        program.terms.shrink_to_fit();
        program.places.shrink_to_fit();
        program
    }
}
