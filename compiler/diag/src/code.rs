//! The pages of all diagnostic codes, built in from `docs/errors/`.

include!(concat!(env!("OUT_DIR"), "/pages.rs"));

/// The page of a code, in Markdown; none when there is no such code.
pub fn page(code: &str) -> Option<&'static str> {
    PAGES.binary_search_by_key(&code, |(known, _)| known).ok().map(|i| PAGES[i].1)
}

/// All codes that have a page, sorted.
pub fn codes() -> impl Iterator<Item = &'static str> {
    PAGES.iter().map(|(code, _)| *code)
}
