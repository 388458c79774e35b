//! Did-you-mean: the known name that was probably meant.

/// The candidate nearest to `name`: one that differs only in case, else the one at the least edit distance,
/// at most a third of the name's length (but at least 1). The first of equals wins.
///
/// ```
/// assert_eq!(pcc_diag::suggest("choo_liu", ["chow_liu", "kmeans"]), Some("chow_liu"));
/// assert_eq!(pcc_diag::suggest("mnist", ["Mnist", "mist"]), Some("Mnist"));
/// assert_eq!(pcc_diag::suggest("x", ["weather"]), None);
/// ```
pub fn suggest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let mut candidates: Vec<&str> = candidates.into_iter().filter(|c| *c != name).collect();
    if let Some(same) = candidates.iter().find(|c| c.to_lowercase() == name.to_lowercase()) {
        return Some(same);
    }
    let length = name.chars().count();
    // A name of one letter is at distance 1 of every other, so nothing is near it.
    let most = if length < 2 { 0 } else { (length / 3).max(1) };
    candidates.retain(|c| c.chars().count().abs_diff(length) <= most);
    let near =
        candidates.into_iter().map(|c| (edit_distance(name, c), c)).filter(|(distance, _)| *distance <= most);
    near.min_by_key(|(distance, _)| *distance).map(|(_, candidate)| candidate)
}

/// How many insertions, deletions, replacements and swaps of neighbours turn one text into the other
/// (optimal string alignment).
fn edit_distance(from: &str, to: &str) -> usize {
    let from: Vec<char> = from.chars().collect();
    let to: Vec<char> = to.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    for i in 0..from.len() {
        let mut row = vec![i + 1];
        for j in 0..to.len() {
            let replaced = last[j] + usize::from(from[i] != to[j]);
            let mut least = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && from[i] == to[j - 1] && from[i - 1] == to[j] {
                least = least.min(before_last[j - 1] + 1);
            }
            row.push(least);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_the_definition() {
        for (from, to, distance) in [
            ("", "", 0),
            ("", "ab", 2),
            ("kitten", "sitting", 3),
            ("strcture", "structure", 1),
            ("ab", "ba", 1),
        ] {
            assert_eq!(edit_distance(from, to), distance, "{from} {to}");
            assert_eq!(edit_distance(to, from), distance, "{to} {from}");
        }
    }

    #[test]
    fn a_third_of_the_name_may_differ() {
        assert_eq!(suggest("abcdef", ["abcdxy"]), Some("abcdxy"));
        assert_eq!(suggest("abcdef", ["abcxyz"]), None);
        assert_eq!(suggest("a", ["b"]), None);
    }
}
