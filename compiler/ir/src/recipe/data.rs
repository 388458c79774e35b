//! Data sources and views of them.

use pcc_diag::Span;
use serde::{Deserialize, Serialize};

/// A named data set and how it is read.
#[derive(Clone, Debug, PartialEq)]
pub struct DataSource {
    /// Its name in the source.
    pub name: String,
    /// The groups of variables whose values a row holds, in the order of its columns.
    pub variables: Vec<String>,
    /// The file as written; looked for beside the source file, then under `PCC_DATA`.
    pub path: String,
    /// The folder of the source file that names it, for the first of these places.
    pub beside: String,
    /// How it is read.
    pub reader: Reader,
    /// Which rows are kept.
    pub rows: Rows,
    /// Where it was declared.
    pub span: Span,
}

/// How much each row of a data set counts: a file with one number for each of its rows.
#[derive(Clone, Debug, PartialEq)]
pub struct WeightSource {
    /// Its name in the source.
    pub name: String,
    /// The data set whose rows it weighs.
    pub of: String,
    /// The file as written; looked for like that of a [`DataSource`].
    pub path: String,
    /// The folder of the source file that names it.
    pub beside: String,
    /// How it is read; a format of numbers.
    pub reader: Reader,
    /// Which of its rows are kept.
    pub rows: Rows,
    /// Where it was declared.
    pub span: Span,
}

/// The formats of data files. Each may be compressed (`.gz`); the content decides, not the name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Reader {
    /// The idx format of the MNIST files.
    Idx,
    /// A numpy array.
    Npy,
    /// One array of a numpy archive.
    Npz {
        /// The array's name.
        array: String,
    },
    /// One tensor of a safetensors file.
    Safetensors {
        /// The tensor's name.
        array: String,
    },
    /// A Parquet file: the numbers of all columns, those of lists one after the other. Nulls are missing values.
    Parquet,
    /// Comma-separated values. An empty field, `?`, `NA` and `nan` are missing values.
    Csv {
        /// Whether the first line names the columns.
        has_header: bool,
        /// What stands between two fields.
        separator: char,
    },
    /// Lines of 0 and 1, with commas, blanks or nothing between them; `?` and `*` are missing.
    Bits,
    /// Text, cut into windows of tokens.
    Text(TextOptions),
}

/// How text becomes rows of tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TextOptions {
    /// Tokens of a row; equal to the number of variables.
    pub window: usize,
    /// Tokens from the start of a row to the start of the next.
    pub stride: usize,
    /// Whether tokens are characters instead of words between blanks.
    pub by_character: bool,
    /// A file with one token a line, code 0 first; token 0 stands for all that are not in it.
    /// Without it the vocabulary is that of [`TextOptions::vocabulary_of`].
    pub vocabulary: Option<String>,
    /// The data set whose most frequent tokens make the vocabulary: the first text over these variables.
    pub vocabulary_of: String,
}

/// A half-open range of rows; the end is open when `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rows {
    /// The first row.
    pub start: u64,
    /// One past the last row.
    pub end: Option<u64>,
}

/// A data set, or a part of it that a learner looks at.
#[derive(Clone, Debug, PartialEq)]
pub enum DataView {
    /// All of it.
    Whole(String),
    /// The tile of its variables that belongs to one index of a coarser grid: `train.tile(z)`.
    Tile {
        /// The data set.
        data: String,
        /// The extents of the coarser grid.
        tiles: Vec<u32>,
        /// The index in it, row-major.
        index: u32,
    },
    /// All tiles of its variables, each a row of its own: `train.tiles(Z)`.
    Tiles {
        /// The data set.
        data: String,
        /// The extents of the coarser grid.
        tiles: Vec<u32>,
    },
}

impl DataView {
    /// The data set it looks at.
    pub fn data(&self) -> &str {
        match self {
            DataView::Whole(data) | DataView::Tile { data, .. } | DataView::Tiles { data, .. } => data,
        }
    }
}
