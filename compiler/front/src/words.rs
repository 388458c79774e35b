//! Turns of phrase that several messages share.

/// The most names that a message lists.
const MOST_NAMES: usize = 8;

/// `` `a`, `b` and `c` ``; after eight names `and 12 more`.
pub(crate) fn listing<S: AsRef<str>>(names: &[S]) -> String {
    let quoted: Vec<String> = names.iter().take(MOST_NAMES).map(|n| format!("`{}`", n.as_ref())).collect();
    match (quoted.split_last(), names.len().checked_sub(MOST_NAMES)) {
        (None, _) => "nothing".into(),
        (Some(_), Some(more)) if more > 0 => format!("{} and {more} more", quoted.join(", ")),
        (Some((last, [])), _) => last.clone(),
        (Some((last, rest)), _) => format!("{} and {last}", rest.join(", ")),
    }
}

/// `1 unit`, `3 units`.
pub(crate) fn count(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

/// `a layer`, `an int`.
pub(crate) fn with_article(noun: &str) -> String {
    let article = if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {noun}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listings_stop_after_eight_names() {
        assert_eq!(listing(&["a"]), "`a`");
        assert_eq!(listing(&["a", "b", "c"]), "`a`, `b` and `c`");
        let many: Vec<String> = (0..10).map(|i| i.to_string()).collect();
        assert!(listing(&many).ends_with("`7` and 2 more"));
    }
}
