//! Tier 1 of determinism: telling the inputs of a sum apart by their boxes.
//!
//! Comparing all pairs would be quadratic. Instead a set of boxes is split by one variable that all of them
//! restrict, into groups whose values overlap, and each group is split again; 256 inputs that differ in the
//! value of `Z` fall apart at once, the leaves of a decision tree level by level. What no variable splits is
//! compared pair by pair.

use super::boxes::{BoxId, Boxes, UnitBox};
use super::overlap::{Overlap, Spent};
use crate::VarId;
use petgraph::unionfind::UnionFind;
use rustc_hash::FxHashMap;

/// Calls `undecided` with each pair of positions whose boxes meet, until it says to stop (`false`).
/// Steps are taken off the budget of `overlap`.
pub(super) fn pairs_that_meet(
    boxes: &Boxes,
    ids: &[BoxId],
    overlap: &mut Overlap<'_>,
    undecided: &mut dyn FnMut(&mut Overlap<'_>, usize, usize) -> Result<bool, Spent>,
) -> Result<(), Spent> {
    let mut open: Vec<Vec<usize>> = vec![(0..ids.len()).collect()];
    while let Some(group) = open.pop() {
        let all: Vec<&UnitBox> = group.iter().map(|&i| boxes.get(ids[i])).collect();
        if let Some(parts) = split(&all, overlap)? {
            let indices = |part: Vec<usize>| part.into_iter().map(|i| group[i]).collect();
            open.extend(parts.into_iter().filter(|part| part.len() > 1).map(indices));
            continue;
        }
        for (i, a) in all.iter().enumerate() {
            for (j, b) in all.iter().enumerate().skip(i + 1) {
                overlap.spend(1)?;
                if !a.is_disjoint(b) && !undecided(overlap, group[i], group[j])? {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

/// Splits boxes by the first variable that all of them restrict and that tells some apart.
fn split(all: &[&UnitBox], overlap: &mut Overlap<'_>) -> Result<Option<Vec<Vec<usize>>>, Spent> {
    // Only variables of the smallest box can be restricted in all.
    let Some(smallest) = all.iter().min_by_key(|b| b.restrictions.len()) else { return Ok(None) };
    for (var, _) in smallest.restrictions.iter() {
        overlap.spend(all.len())?;
        if let Some(parts) = split_by(all, *var).filter(|parts| parts.len() > 1) {
            return Ok(Some(parts));
        }
    }
    Ok(None)
}

/// Groups boxes whose values of a variable overlap, directly or through others; `None` when a box does not
/// restrict the variable.
fn split_by(all: &[&UnitBox], var: VarId) -> Option<Vec<Vec<usize>>> {
    let mut runs: Vec<(u32, u32, usize)> = Vec::with_capacity(all.len());
    for (i, unit_box) in all.iter().enumerate() {
        runs.extend(unit_box.values(var)?.runs().map(|(low, high)| (low, high, i)));
    }
    runs.sort_unstable();
    let mut sets = UnionFind::new(all.len());
    let mut reached: Option<(u32, usize)> = None;
    for (low, high, i) in runs {
        reached = match reached {
            Some((end, other)) if low <= end => {
                sets.union(other, i);
                Some((end.max(high), i))
            }
            _ => Some((high, i)),
        };
    }
    let mut parts: FxHashMap<usize, Vec<usize>> = FxHashMap::default();
    for i in 0..all.len() {
        parts.entry(sets.find_mut(i)).or_default().push(i);
    }
    Some(parts.into_values().collect())
}
