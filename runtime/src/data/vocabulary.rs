//! Vocabularies: which code stands for which word. Code 0 stands for every word that has no other.

use rustc_hash::FxHashMap;

/// Words by code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vocabulary {
    tokens: Vec<String>,
    codes: FxHashMap<String, u32>,
}

/// What code 0 is called when the vocabulary is made from a text.
const UNKNOWN: &str = "<unk>";

impl Vocabulary {
    /// The vocabulary of given words; the word at position i has code i. Of equal words the first counts.
    pub fn of_tokens(tokens: Vec<String>) -> Self {
        let mut codes = FxHashMap::default();
        for (code, token) in tokens.iter().enumerate() {
            codes.entry(token.clone()).or_insert(code as u32);
        }
        Vocabulary { tokens, codes }
    }

    /// `<unk>` and the `size - 1` most frequent tokens of a text; of equally frequent ones, those that
    /// appear first.
    pub fn of_text<'t>(text: impl Iterator<Item = &'t str>, size: usize) -> Self {
        let mut counts: FxHashMap<&str, (u64, usize)> = FxHashMap::default();
        for (position, token) in text.enumerate() {
            counts.entry(token).or_insert((0, position)).0 += 1;
        }
        counts.remove(UNKNOWN);
        let mut ranked: Vec<(&str, (u64, usize))> = counts.into_iter().collect();
        ranked.sort_unstable_by_key(|&(_, (count, first))| (std::cmp::Reverse(count), first));
        let frequent = ranked.into_iter().map(|(token, _)| token.to_string());
        let tokens = std::iter::once(UNKNOWN.to_string()).chain(frequent.take(size.saturating_sub(1)));
        Self::of_tokens(tokens.collect())
    }

    /// The code of a word, 0 when it has none.
    pub fn code_of(&self, token: &str) -> u32 {
        self.codes.get(token).copied().unwrap_or(0)
    }

    /// The words, by code.
    pub fn tokens(&self) -> &[String] {
        &self.tokens
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequent_words_come_first_and_ties_keep_their_order() {
        let text = "b a b <unk> <unk> <unk> c a d".split(' ');
        let vocabulary = Vocabulary::of_text(text, 4);
        assert_eq!(vocabulary.tokens(), ["<unk>", "b", "a", "c"]);
        assert_eq!(["b", "c", "d", "<unk>"].map(|t| vocabulary.code_of(t)), [1, 3, 0, 0]);
    }
}
