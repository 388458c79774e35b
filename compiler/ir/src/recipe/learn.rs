//! Values that are learned from data before a circuit can be elaborated.

use super::DataView;
use pcc_diag::Span;
use serde::{Deserialize, Serialize};

/// A `learn` item with its arguments settled.
#[derive(Clone, Debug, PartialEq)]
pub struct LearnRequest {
    /// The name it gets.
    pub name: String,
    /// What is called.
    pub call: LearnCall,
    /// Where it was written.
    pub span: Span,
}

/// The learners that exist.
#[derive(Clone, Debug, PartialEq)]
pub enum LearnCall {
    /// `chow_liu(data)`: the maximum spanning tree of pairwise mutual information (Chow and Liu, 1968).
    ChowLiu {
        /// The data.
        data: DataView,
        /// How the tree is found.
        options: ChowLiuOptions,
    },
    /// `chow_liu(codes)`, on the labels that another learner gives.
    ChowLiuOfCodes {
        /// The name of the learned labels.
        codes: String,
        /// How the tree is found.
        options: ChowLiuOptions,
    },
    /// `kmeans(embeddings, k = ..)`: labels for a latent.
    Kmeans {
        /// What is clustered, as written.
        features: String,
        /// How many clusters.
        k: u32,
        /// The remaining arguments as written, by name.
        settings: Vec<(String, String)>,
    },
}

/// Settings of [`LearnCall::ChowLiu`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChowLiuOptions {
    /// At most so many rows are looked at, the first ones.
    pub max_rows: Option<u64>,
    /// Values are cut to so many of their highest bits before counting.
    pub bits: Option<u32>,
    /// Imaginary observations per pair of variables.
    pub pseudocount: f64,
    /// How many spanning trees are wanted, best first.
    pub trees: u32,
    /// Every so many of them is kept: 1 keeps all of the `trees` best.
    pub every: u32,
    /// Which variable is the root.
    pub root: RootChoice,
}

/// Which variable a learned tree hangs from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RootChoice {
    /// The one from which the tree is least deep.
    Centre,
    /// The first variable.
    First,
}

/// A rooted tree over variables, named by their position in the data (row-major).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VarTree {
    /// The parent of each variable; the root has none.
    pub parents: Vec<Option<u32>>,
}

impl VarTree {
    /// The variable without a parent.
    pub fn root(&self) -> u32 {
        self.parents.iter().position(Option::is_none).unwrap_or(0) as u32
    }

    /// The children of each variable, in increasing order.
    pub fn children(&self) -> Vec<Vec<u32>> {
        let mut children = vec![Vec::new(); self.parents.len()];
        for (child, parent) in self.parents.iter().enumerate() {
            if let Some(parent) = parent {
                children[*parent as usize].push(child as u32);
            }
        }
        children
    }
}

/// A learned value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Learned {
    /// One tree.
    Tree(VarTree),
    /// Trees, best first.
    Trees(Vec<VarTree>),
}
