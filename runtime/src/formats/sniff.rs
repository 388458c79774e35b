//! What a file is, by its content. Names lie: `.jpc` is a pickle to one system and text to another, and a
//! `.gz` may have been unpacked without being renamed.

use std::fmt;

/// The kinds of content that are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Content {
    /// Nothing at all.
    Empty,
    /// A gzip stream.
    Gzip,
    /// One numpy array.
    Npy,
    /// A zip archive, such as `.npz`.
    Zip,
    /// A Python pickle, alone or inside a zip archive as deep-learning checkpoints have it.
    Pickle,
    /// A safetensors file, such as a `.pcm` model.
    Safetensors,
    /// A table in the Parquet format.
    Parquet,
    /// An idx array.
    Idx,
    /// A PNG picture.
    Png,
    /// A probabilistic sentential decision diagram.
    Psdd,
    /// A vtree.
    Vtree,
    /// A sentential decision diagram.
    Sdd,
    /// A circuit in negation normal form.
    Nnf,
    /// A sum-product network in the text form of Libra.
    Spn,
    /// Other text.
    Text,
    /// Other bytes.
    Binary,
}

impl Content {
    /// The kind of some (decompressed) content.
    pub fn of(content: &[u8]) -> Content {
        match content {
            [] => Content::Empty,
            // First, because the length in front may begin as any other format does.
            _ if is_safetensors(content) => Content::Safetensors,
            [0x1f, 0x8b, ..] => Content::Gzip,
            [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => Content::Npy,
            [b'P', b'K', 3 | 5, 4 | 6, ..] if holds(content, b"data.pkl") => Content::Pickle,
            [b'P', b'K', 3 | 5, 4 | 6, ..] => Content::Zip,
            [b'P', b'A', b'R', b'1', ..] => Content::Parquet,
            [0x89, b'P', b'N', b'G', ..] => Content::Png,
            // Protocols 2 to 5 begin with their number.
            [0x80, 2..=5, ..] => Content::Pickle,
            [0, 0, 8..=14, 1..=255, ..] => Content::Idx,
            _ => of_text(content),
        }
    }
}

/// Eight bytes of header length, then a JSON object.
fn is_safetensors(content: &[u8]) -> bool {
    let length = content.first_chunk::<8>().map(|bytes| u64::from_le_bytes(*bytes));
    length.is_some_and(|n| n < 1 << 32) && content.get(8) == Some(&b'{')
}

fn holds(content: &[u8], part: &[u8]) -> bool {
    content.windows(part.len()).take(4096).any(|window| window == part)
}

/// Text formats are told by the first word of the first line that is no comment (`c ..` or `# ..`).
fn of_text(content: &[u8]) -> Content {
    let Ok(text) = std::str::from_utf8(content) else { return Content::Binary };
    if text.contains('\0') {
        return Content::Binary;
    }
    let is_comment = |line: &&str| {
        line.trim().is_empty() || *line == "c" || line.starts_with("c ") || line.starts_with('#')
    };
    let Some(line) = text.lines().find(|line| !is_comment(line)) else { return Content::Text };
    let mut words = line.split_whitespace();
    match (words.next(), words.next().is_some_and(|word| word.parse::<u64>().is_ok())) {
        (Some("psdd"), true) => Content::Psdd,
        (Some("vtree"), true) => Content::Vtree,
        (Some("sdd"), true) => Content::Sdd,
        (Some("nnf"), true) => Content::Nnf,
        _ if is_spn(text) => Content::Spn,
        _ => Content::Text,
    }
}

/// Libra's text begins with the numbers of values of all variables, in parentheses.
fn is_spn(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default().trim();
    let inside = first.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or_default();
    !inside.is_empty() && inside.split_whitespace().all(|word| word.parse::<u32>().is_ok())
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Content::Empty => "an empty file",
            Content::Gzip => "gzip-compressed data",
            Content::Npy => "a numpy array",
            Content::Zip => "a zip archive",
            Content::Pickle => "a Python pickle",
            Content::Safetensors => "a safetensors file",
            Content::Parquet => "a Parquet table",
            Content::Idx => "an idx array",
            Content::Png => "a PNG picture",
            Content::Psdd => "a PSDD",
            Content::Vtree => "a vtree",
            Content::Sdd => "an SDD",
            Content::Nnf => "an NNF circuit",
            Content::Spn => "an SPN of Libra",
            Content::Text => "text",
            Content::Binary => "binary data of no known kind",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Content;

    #[test]
    fn content_decides() {
        let header = [&8_u64.to_le_bytes()[..], b"{}      "].concat();
        let like_a_pickle = [&0x480_u64.to_le_bytes()[..], b"{}"].concat();
        let cases: [(&[u8], Content); 14] = [
            (b"", Content::Empty),
            (&[0x1f, 0x8b, 8], Content::Gzip),
            (b"\x93NUMPY\x01\x00", Content::Npy),
            (b"PK\x03\x04rest of it", Content::Zip),
            (b"PK\x03\x04....archive/data.pkl", Content::Pickle),
            (b"\x80\x04\x95...", Content::Pickle),
            (&header, Content::Safetensors),
            (&like_a_pickle, Content::Safetensors),
            (&[0, 0, 8, 1, 0, 0, 0, 0], Content::Idx),
            (b"c a comment\nc\npsdd 3\n", Content::Psdd),
            (b"vtree 1\nL 0 1\n", Content::Vtree),
            (b"nnf 2 1 1\n", Content::Nnf),
            (b"(2 2 3)\nn 0.5\n", Content::Spn),
            (b"To be, or not to be", Content::Text),
        ];
        for (content, kind) in cases {
            assert_eq!(Content::of(content), kind, "{}", String::from_utf8_lossy(content));
        }
    }
}
