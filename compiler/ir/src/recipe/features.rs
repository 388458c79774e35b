//! What clusterings look at: a vector for each row of data and each position, and who makes it.
//!
//! A position is a variable of the latent that is to be labelled. All of it is settled words and numbers, so
//! that the description of features is part of the key of whatever is learned from them.

use super::{Reader, Rows};
use serde::{Deserialize, Serialize};

/// Vectors of one width for each row and position.
#[derive(Clone, Debug, PartialEq)]
pub enum Features {
    /// The values of each tile as they are: `train.tiles(Z)`.
    Tiles {
        /// The data set.
        data: String,
        /// The extents of the coarser grid.
        tiles: Vec<u32>,
    },
    /// Vectors made elsewhere.
    Array(EmbeddingSource),
    /// What a teacher makes of data.
    Teacher {
        /// The teacher.
        teacher: Teacher,
        /// What it is asked for.
        view: TeacherView,
        /// The data set.
        data: String,
    },
}

impl Features {
    /// The data set they are made of, if pcc makes them.
    pub fn data(&self) -> Option<&str> {
        match self {
            Features::Tiles { data, .. } | Features::Teacher { data, .. } => Some(data),
            Features::Array(_) => None,
        }
    }
}

/// `data teach : embedding(Z, 768) from npy("teacher.npy")`: an array of rows x positions x width.
#[derive(Clone, Debug, PartialEq)]
pub struct EmbeddingSource {
    /// Its name in the source.
    pub name: String,
    /// The latent whose variables are the positions.
    pub latent: String,
    /// How many positions there are.
    pub positions: usize,
    /// Numbers of a vector.
    pub width: usize,
    /// The file as written; looked for beside the source file, then under `PCC_DATA`.
    pub path: String,
    /// The folder of the source file that names it.
    pub beside: String,
    /// How it is read; a format of numbers.
    pub reader: Reader,
    /// Which of its rows are kept.
    pub rows: Rows,
}

/// A network that turns rows of data into vectors.
#[derive(Clone, Debug, PartialEq)]
pub struct Teacher {
    /// Its name in the source.
    pub name: String,
    /// What it is.
    pub network: Network,
    /// The data set that it is trained on, when it comes without weights.
    pub data: Option<String>,
}

/// The networks that exist.
#[derive(Clone, Debug, PartialEq)]
pub enum Network {
    /// A transformer of the BERT family, from a folder with `config.json`, `model.safetensors` and `tokenizer.json`.
    Transformer {
        /// The folder as written; looked for like a data file.
        path: String,
        /// The folder of the source file that names it.
        beside: String,
    },
    /// A masked autoencoder over patches of a picture (He et al., 2022).
    MaskedAutoencoder(AutoencoderOptions),
    /// A vector-quantised autoencoder over patches of a picture (van den Oord et al., 2017).
    VqVae(VqVaeOptions),
    /// Word vectors: a truncated factorisation of positive pointwise mutual information (Levy and Goldberg, 2014).
    WordVectors(WordVectorOptions),
}

impl Network {
    /// What it can be asked for.
    pub fn views(&self) -> &'static [&'static str] {
        match self {
            Network::Transformer { .. } | Network::WordVectors(_) => &["suffixes", "prefixes", "words"],
            Network::MaskedAutoencoder(_) => &["features"],
            Network::VqVae(_) => &["features", "codes"],
        }
    }

    /// The extents of the patches that it cuts pictures into, if it does.
    pub fn patch(&self) -> Option<&[u32]> {
        match self {
            Network::MaskedAutoencoder(options) => Some(&options.patch),
            Network::VqVae(options) => Some(&options.patch),
            Network::Transformer { .. } | Network::WordVectors(_) => None,
        }
    }

    /// Whether it is trained on data before it is asked.
    pub fn is_trained(&self) -> bool {
        !matches!(self, Network::Transformer { .. })
    }
}

/// Settings of [`Network::MaskedAutoencoder`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AutoencoderOptions {
    /// The extents of a patch.
    pub patch: Vec<u32>,
    /// The width of a token.
    pub dim: u32,
    /// Blocks of the encoder.
    pub layers: u32,
    /// Heads of each block.
    pub heads: u32,
    /// Passes over the data.
    pub epochs: u32,
    /// Rows of a mini-batch.
    pub batch: u32,
    /// The seed of weights, order and masks.
    pub seed: u64,
}

/// Settings of [`Network::VqVae`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VqVaeOptions {
    /// The extents of a patch.
    pub patch: Vec<u32>,
    /// Vectors of the code book.
    pub codes: u32,
    /// The width of a code.
    pub dim: u32,
    /// Passes over the data.
    pub epochs: u32,
    /// Rows of a mini-batch.
    pub batch: u32,
    /// The seed of weights and order.
    pub seed: u64,
}

/// Settings of [`Network::WordVectors`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WordVectorOptions {
    /// Numbers of a vector.
    pub dim: u32,
    /// Words on each side that count as context.
    pub window: u32,
    /// The seed of the factorisation's start.
    pub seed: u64,
}

/// What a teacher is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TeacherView {
    /// For each position, a vector of the words from there on.
    Suffixes,
    /// For each position, a vector of the words before it.
    Prefixes,
    /// For each position, a vector of its word alone.
    Words,
    /// For each patch, a vector.
    Patches(Context),
    /// For each patch, the number of its code.
    Codes,
}

/// What a vector of a patch may depend on besides the patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Context {
    /// Nothing.
    Alone,
    /// The patches around it.
    Neighbours,
    /// The patches above it in a maximum spanning tree of pairwise dependence (Liu, Zhang and Van den Broeck, 2023).
    Ancestors,
}
