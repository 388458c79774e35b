//! Values that are learned from data before a circuit can be elaborated.

use super::{DataView, Features, Teacher};
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
        /// The labels.
        codes: Box<Codes>,
        /// How the tree is found.
        options: ChowLiuOptions,
    },
    /// `kmeans(features, k = ..)`: labels for a latent.
    Kmeans {
        /// What is clustered.
        features: Features,
        /// How.
        options: KmeansOptions,
    },
    /// `codes.assign(features)`: labels of other rows by the same clusters.
    Assign {
        /// Where the clusters come from.
        codes: Box<Codes>,
        /// What is labelled.
        features: Features,
    },
    /// `vq.codes(train)`: the codes that a teacher itself gives.
    TeacherCodes {
        /// The teacher.
        teacher: Teacher,
        /// The data set.
        data: String,
    },
}

/// Labels by the call that gives them: what is learned from labels, or attached to a latent, names them so.
#[derive(Clone, Debug, PartialEq)]
pub struct Codes {
    /// The name of their `learn` item.
    pub name: String,
    /// What is called for them.
    pub call: LearnCall,
}

impl Codes {
    /// How many values a label can take.
    pub fn n_values(&self) -> u32 {
        match &self.call {
            LearnCall::Kmeans { options, .. } => options.k,
            LearnCall::Assign { codes, .. } => codes.n_values(),
            LearnCall::TeacherCodes { teacher, .. } => match &teacher.network {
                super::Network::VqVae(options) => options.codes,
                _ => 0,
            },
            LearnCall::ChowLiu { .. } | LearnCall::ChowLiuOfCodes { .. } => 0,
        }
    }

    /// Whether a value means something else at each position.
    pub fn is_per_position(&self) -> bool {
        match &self.call {
            LearnCall::Kmeans { options, .. } => options.clusters == Clusters::PerPosition,
            LearnCall::Assign { codes, .. } => codes.is_per_position(),
            _ => false,
        }
    }

    /// The data set whose rows are labelled, when they are of one.
    pub fn data(&self) -> Option<&str> {
        match &self.call {
            LearnCall::Kmeans { features, .. } | LearnCall::Assign { features, .. } => features.data(),
            LearnCall::TeacherCodes { data, .. } => Some(data),
            LearnCall::ChowLiu { .. } | LearnCall::ChowLiuOfCodes { .. } => None,
        }
    }
}

/// Settings of [`LearnCall::Kmeans`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KmeansOptions {
    /// How many clusters.
    pub k: u32,
    /// Whether positions are clustered apart.
    pub clusters: Clusters,
    /// The seed of starts.
    pub seed: u64,
    /// How many starts are tried; the best end counts.
    pub restarts: u32,
    /// The most rounds of a start.
    pub iterations: u32,
    /// Vectors of a round; all of them when `None`.
    pub batch: Option<u32>,
}

/// Whether positions are clustered apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Clusters {
    /// Each position has clusters of its own.
    PerPosition,
    /// All positions share them.
    Shared,
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
    /// Labels.
    Labels(Labels),
}

/// Labels of rows and positions, and the centres they come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Labels {
    /// How many values a label can take.
    pub n_values: u32,
    /// Labels of a row.
    pub positions: usize,
    /// `[row][position]`; [`MISSING`](crate::MISSING) where there is none.
    pub labels: Vec<u32>,
    /// The centres.
    pub centres: Centres,
}

/// Centres of clusters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Centres {
    /// Whether each position has its own.
    pub clusters: Clusters,
    /// Numbers of a centre; zero when the labels come without centres.
    pub width: usize,
    /// `[position, when each has its own][cluster][width]`.
    pub values: Vec<f32>,
}
