//! Words of a vocabulary as the pieces that a checkpoint knows (WordPiece; Wu et al., 2016).
//!
//! A tokenizer of the BERT family cuts text at blanks first, so the pieces of a row are those of its words, one
//! after the other, and every word of the vocabulary is cut once.

use super::checkpoint::Checkpoint;
use crate::text::Text;
use pcc_diag::{Diagnostic, grouped};
use tokenizers::Tokenizer;

/// How a vocabulary calls every word that it does not know.
const UNKNOWN: &str = "<unk>";

/// The pieces of each word of a vocabulary.
pub(crate) struct Pieces {
    /// What a sequence begins with, [CLS].
    pub(crate) begin: u32,
    /// What a sequence ends with, [SEP].
    pub(crate) end: u32,
    /// What stands for a missing word, [MASK].
    missing: [u32; 1],
    words: Vec<Vec<u32>>,
}

impl Pieces {
    /// Cuts the words of a text.
    ///
    /// # Errors
    /// `kind-mismatch` for numbers without words, `tokenizer-differs` when the tokenizer is not that of a BERT.
    pub(crate) fn of(checkpoint: &Checkpoint, text: &Text) -> Result<Self, Diagnostic> {
        let Some(vocabulary) = text.data.vocabulary() else {
            let message = format!("`{}` has the codes of words, and not the words", text.data.name());
            return Err(Diagnostic::error("kind-mismatch", message)
                .at(checkpoint.span, "a transformer reads words")
                .help("read the text itself: `from text(..)`"));
        };
        let special = |token: &str| {
            let id = checkpoint.tokenizer.token_to_id(token);
            id.ok_or_else(|| checkpoint.tokenizer_differs(&format!("the tokenizer has no `{token}`")))
        };
        let unknown = special("[UNK]")?;
        let cut = |word: &String| match word.as_str() {
            UNKNOWN => Ok(vec![unknown]),
            word => {
                pieces(&checkpoint.tokenizer, word, unknown).map_err(|why| checkpoint.tokenizer_differs(&why))
            }
        };
        let words: Vec<Vec<u32>> = vocabulary.tokens().iter().map(cut).collect::<Result<_, _>>()?;
        if let Some(id) = words.iter().flatten().find(|id| **id as usize >= checkpoint.config.vocab_size) {
            return Err(checkpoint.tokenizer_differs(&format!("the tokenizer gives piece {id}")));
        }
        Ok(Pieces { begin: special("[CLS]")?, end: special("[SEP]")?, missing: [special("[MASK]")?], words })
    }

    /// The pieces of a word. A vocabulary may be smaller than its domain; what no text has is unknown as well.
    pub(crate) fn of_word(&self, code: Option<u32>) -> &[u32] {
        code.map_or(&self.missing, |code| self.words.get(code as usize).map_or(&self.words[0], |p| p))
    }

    /// Refuses rows that are longer than what the network reads at once.
    ///
    /// # Errors
    /// `data-shape`.
    pub(crate) fn check_lengths(&self, checkpoint: &Checkpoint, text: &Text) -> Result<(), Diagnostic> {
        let most = checkpoint.config.max_position_embeddings;
        for row in 0..text.data.n_rows() {
            let pieces: usize = text.row(row).into_iter().map(|word| self.of_word(word).len()).sum();
            if pieces + 2 > most {
                let message = format!(
                    "row {} of `{}` has {} word pieces, and the network reads {most} at once",
                    grouped(row as u64 + 1),
                    text.data.name(),
                    grouped(pieces as u64 + 2)
                );
                return Err(Diagnostic::error("data-shape", message)
                    .at(checkpoint.span, "asked for here")
                    .help("cut the text into shorter windows"));
            }
        }
        Ok(())
    }
}

/// The pieces of a word as it stands in a text; a word of which nothing is left is unknown.
fn pieces(tokenizer: &Tokenizer, word: &str, unknown: u32) -> Result<Vec<u32>, String> {
    let encoding = tokenizer.encode(word, false).map_err(|error| error.to_string())?;
    match encoding.get_ids() {
        [] => Ok(vec![unknown]),
        ids => Ok(ids.to_vec()),
    }
}
