//! The list of workloads with their sizes.

use crate::circuits::{self, RatShape, Tree};
use crate::numbers::Numbers;
use crate::record::Operation;
use pcc_diag::Diagnostic;
use pcc_ir::random::Random;
use pcc_ir::{Graph, GraphError};

/// How large a workload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Units of a layer.
    pub k: u32,
    /// Variables; for irregular circuits the number of elements.
    pub extent: usize,
    /// Values of a discrete variable.
    pub values: u32,
    /// Rows.
    pub batch: usize,
}

/// What rows that are drawn know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// Every variable.
    All,
    /// The last half of the variables, the lower half of a picture.
    LastHalf,
    /// The same, but all of the first row: then no program for half of the variables will do.
    LastHalfOfOthers,
}

const STEPS: &[Operation] = &[Operation::Forward, Operation::Em];

const LIKELIHOODS: &[Operation] = &[Operation::Forward];

/// A workload of the catalogue.
pub struct Entry {
    /// What it is asked for by.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// The sizes that are measured.
    pub sizes: &'static [Size],
    /// A size for tests, run in no time.
    pub quick: Size,
    /// What the rows know.
    pub(crate) known: Known,
    /// What is measured.
    pub operations: &'static [Operation],
    /// Builds the circuit.
    pub(crate) build: fn(Size, &Numbers) -> Result<Graph, Diagnostic>,
}

const fn size(k: u32, extent: usize, values: u32, batch: usize) -> Size {
    Size { k, extent, values, batch }
}

/// Pixels of a picture of 28 by 28.
const PIXELS: usize = 784;

/// Variables of an irregular circuit.
const LOGIC_VARIABLES: usize = 60;

/// Where the structure of Poon and Domingos is cut, in pixels.
const CUT_EVERY: usize = 4;

/// Halvings and repetitions of a RAT-SPN.
const RAT: (u32, usize) = (4, 10);

/// All workloads. `growth-*` are for plots and run only when asked for.
pub static CATALOGUE: [Entry; 18] = [
    Entry {
        name: "sweep",
        about: "a hidden tree over 28 x 28 pixels (14 x 14 from K = 128 on) of 256 values",
        sizes: &[
            size(8, PIXELS, 256, 4096),
            size(16, PIXELS, 256, 4096),
            size(32, PIXELS, 256, 4096),
            size(64, PIXELS, 256, 2048),
            size(128, 196, 256, 1024),
            size(256, 196, 256, 1024),
            size(512, 196, 256, 1024),
        ],
        quick: size(8, 36, 16, 128),
        known: Known::All,
        operations: STEPS,
        build: hidden_tree,
    },
    Entry {
        name: "w1",
        about: "a hidden Markov model of 32 steps with its own tables at each, 1,024 values",
        sizes: &[size(128, 32, 1024, 256), size(256, 32, 1024, 256), size(512, 32, 1024, 256)],
        quick: size(16, 8, 32, 64),
        known: Known::All,
        operations: STEPS,
        build: markov,
    },
    Entry {
        name: "w1-words",
        about: "the same with a vocabulary of 33,278 words",
        sizes: &[size(128, 32, 33_278, 256)],
        quick: size(16, 8, 1000, 64),
        known: Known::All,
        operations: STEPS,
        build: markov,
    },
    Entry {
        name: "w2",
        about: "a hidden tree over 28 x 28 pixels of 256 values",
        sizes: &[
            size(16, PIXELS, 256, 256),
            size(32, PIXELS, 256, 256),
            size(64, PIXELS, 256, 256),
            size(128, PIXELS, 256, 256),
        ],
        quick: size(16, 36, 16, 64),
        known: Known::All,
        operations: STEPS,
        build: hidden_tree,
    },
    Entry {
        name: "w2-large",
        about: "the same in batches of 4,096",
        sizes: &[
            size(16, PIXELS, 256, 4096),
            size(32, PIXELS, 256, 4096),
            size(64, PIXELS, 256, 4096),
            size(128, PIXELS, 256, 4096),
        ],
        quick: size(16, 36, 16, 256),
        known: Known::All,
        operations: STEPS,
        build: hidden_tree,
    },
    Entry {
        name: "w3-quad-tree",
        about: "a quad tree of CP layers over 28 x 28 pixels of 256 values",
        sizes: &[size(32, PIXELS, 256, 128)],
        quick: size(8, 49, 16, 64),
        known: Known::All,
        operations: STEPS,
        build: |size, numbers| regions(size, numbers, circuits::quad_tree),
    },
    Entry {
        name: "w3-quad-graph",
        about: "a quad graph of CP layers over 28 x 28 pixels of 256 values",
        sizes: &[size(16, PIXELS, 256, 128), size(32, PIXELS, 256, 128), size(64, PIXELS, 256, 128)],
        quick: size(8, 49, 16, 64),
        known: Known::All,
        operations: STEPS,
        build: |size, numbers| regions(size, numbers, circuits::quad_graph),
    },
    Entry {
        name: "w3-poon-domingos",
        about: "Poon and Domingos' boxes, cut every 4 pixels, of CP layers over 28 x 28 pixels of 256 values",
        sizes: &[size(16, PIXELS, 256, 128), size(32, PIXELS, 256, 128), size(64, PIXELS, 256, 128)],
        quick: size(8, 64, 16, 64),
        known: Known::All,
        operations: STEPS,
        build: |size, numbers| regions(size, numbers, |side| circuits::poon_domingos(side, CUT_EVERY)),
    },
    Entry {
        name: "w4",
        about: "a RAT-SPN of depth 4 with 10 repetitions over 784 normal variables",
        sizes: &[size(16, PIXELS, 0, 128), size(32, PIXELS, 0, 128)],
        quick: size(4, 32, 0, 64),
        known: Known::All,
        operations: STEPS,
        build: random_tensorised,
    },
    Entry {
        name: "w5",
        about: "an irregular circuit of single units, as a compiled formula is",
        sizes: &[size(1, 14_000, 2, 256), size(1, 89_000, 2, 256), size(1, 1_000_000, 2, 256)],
        quick: size(1, 1_000, 2, 64),
        known: Known::All,
        operations: STEPS,
        build: irregular,
    },
    Entry {
        name: "w6-16",
        about: "a small hidden tree over 4 x 4 variables of 16 values",
        sizes: &[size(4, 16, 16, 8192)],
        quick: size(4, 16, 16, 128),
        known: Known::All,
        operations: STEPS,
        build: hidden_tree,
    },
    Entry {
        name: "w6-64",
        about: "a small hidden tree over 8 x 8 variables of 16 values",
        sizes: &[size(4, 64, 16, 8192), size(8, 64, 16, 8192)],
        quick: size(4, 64, 16, 128),
        known: Known::All,
        operations: STEPS,
        build: hidden_tree,
    },
    Entry {
        name: "latency",
        about: "a single row: hidden trees over 8 x 8 variables of 16 values and over 28 x 28 pixels of 256",
        sizes: &[
            size(8, 64, 16, 1),
            size(8, PIXELS, 256, 1),
            size(16, PIXELS, 256, 1),
            size(64, PIXELS, 256, 1),
        ],
        quick: size(4, 16, 16, 1),
        known: Known::All,
        operations: LIKELIHOODS,
        build: hidden_tree,
    },
    Entry {
        name: "marginal",
        about: "the lower half of a picture: a hidden tree over 28 x 28 pixels of 256 values",
        sizes: &[size(32, PIXELS, 256, 4096)],
        quick: size(16, 36, 16, 256),
        known: Known::LastHalf,
        operations: LIKELIHOODS,
        build: hidden_tree,
    },
    Entry {
        name: "marginal-mixed",
        about: "the same with one whole picture among the rows",
        sizes: &[size(32, PIXELS, 256, 4096)],
        quick: size(16, 36, 16, 256),
        known: Known::LastHalfOfOthers,
        operations: LIKELIHOODS,
        build: hidden_tree,
    },
    Entry {
        name: "growth-samples",
        about: "a hidden tree over 14 x 14 variables, more and more rows",
        sizes: &[
            size(32, 196, 64, 256),
            size(32, 196, 64, 768),
            size(32, 196, 64, 2560),
            size(32, 196, 64, 7680),
            size(32, 196, 64, 25_600),
        ],
        quick: size(8, 16, 8, 64),
        known: Known::All,
        operations: STEPS,
        build: hidden_tree,
    },
    Entry {
        name: "growth-variables",
        about: "hidden trees over more and more variables",
        sizes: &[
            size(32, 16, 64, 1024),
            size(32, 49, 64, 1024),
            size(32, 144, 64, 1024),
            size(32, 484, 64, 1024),
            size(32, 1600, 64, 1024),
        ],
        quick: size(8, 16, 8, 64),
        known: Known::All,
        operations: STEPS,
        build: hidden_tree,
    },
    Entry {
        name: "growth-parameters",
        about: "hidden trees over 14 x 14 variables with more and more states",
        sizes: &[
            size(24, 196, 16, 1024),
            size(48, 196, 16, 1024),
            size(80, 196, 16, 1024),
            size(144, 196, 16, 1024),
            size(256, 196, 16, 1024),
        ],
        quick: size(8, 16, 8, 64),
        known: Known::All,
        operations: STEPS,
        build: hidden_tree,
    },
];

/// The workloads that some names ask for: a workload, or the first part of the names of several, as `w3` is
/// of `w3-quad-graph`. No name means all but the plots.
///
/// # Errors
/// `unknown-workload` with the list.
pub fn chosen(names: &[String]) -> Result<Vec<&'static Entry>, Diagnostic> {
    if names.is_empty() {
        return Ok(CATALOGUE.iter().filter(|entry| !entry.name.starts_with("growth-")).collect());
    }
    let mut found = Vec::new();
    for name in names {
        let is_first_part =
            |entry: &&Entry| entry.name.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('-'));
        let before = found.len();
        match CATALOGUE.iter().find(|entry| entry.name == name) {
            Some(entry) => found.push(entry),
            None => found.extend(CATALOGUE.iter().filter(is_first_part)),
        }
        if found.len() == before {
            return Err(unknown(name));
        }
    }
    Ok(found)
}

fn unknown(name: &str) -> Diagnostic {
    let known: Vec<&str> = CATALOGUE.iter().map(|entry| entry.name).collect();
    Diagnostic::error("unknown-workload", format!("there is no workload `{name}`"))
        .help(format!("there are `{}`; `pcc bench --list` says what they are", known.join("`, `")))
}

impl Size {
    /// The size that given arrays have: from the evidence `X` `[rows][variables]` and the inputs' tables `E`
    /// `[..][values][K]`.
    ///
    /// # Errors
    /// `arrays-differ` when there are no such arrays.
    pub fn of_arrays(arrays: &crate::Arrays) -> Result<Size, Diagnostic> {
        let (x, e) = (arrays.shape("X").unwrap_or_default(), arrays.shape("E").unwrap_or_default());
        match (&x[..], &e[..]) {
            (&[batch, extent], &[.., values, k]) => {
                Ok(Size { k: k as u32, extent, values: values as u32, batch })
            }
            _ => Err(arrays.differ(format!(
                "has `X` in shape {x:?} and `E` in shape {e:?} instead of `[rows, variables]` and `[.., values, K]`"
            ))),
        }
    }
}

/// A circuit of the catalogue is only malformed where given arrays are empty.
fn built(graph: Result<Graph, GraphError>) -> Result<Graph, Diagnostic> {
    graph.map_err(|error| {
        Diagnostic::error("arrays-differ", format!("the workload has no such size: {error}"))
    })
}

fn markov(size: Size, _: &Numbers) -> Result<Graph, Diagnostic> {
    built(circuits::hmm(size.extent, size.values, size.k))
}

fn hidden_tree(size: Size, numbers: &Numbers) -> Result<Graph, Diagnostic> {
    let tree = match numbers {
        Numbers::Drawn { seed } => Tree::of_grid(size.extent.isqrt(), *seed),
        Numbers::Given(arrays) => {
            let parents = arrays.integers("parent")?;
            let parents = parents.into_iter().map(|parent| usize::try_from(parent).ok()).collect();
            Tree::of_parents(parents).ok_or_else(|| arrays.differ("has a `parent` that is no tree".into()))?
        }
    };
    built(circuits::hclt(&tree, size.values, size.k))
}

fn regions(size: Size, numbers: &Numbers, of: fn(usize) -> circuits::Regions) -> Result<Graph, Diagnostic> {
    let side = size.extent.isqrt();
    match numbers {
        Numbers::Given(arrays) if side * side != size.extent => {
            Err(arrays.differ(format!("has {} variables in `X`, which is no square", size.extent)))
        }
        _ => built(of(side).circuit(size.extent, size.values, size.k)),
    }
}

fn random_tensorised(size: Size, numbers: &Numbers) -> Result<Graph, Diagnostic> {
    let n = size.extent;
    let orders = match numbers {
        Numbers::Drawn { seed } => {
            let mut random = Random::new(*seed);
            (0..RAT.1).map(|_| permutation(n, &mut random)).collect()
        }
        Numbers::Given(arrays) => given_orders(n, arrays)?,
    };
    built(circuits::rat(&RatShape { orders, depth: RAT.0, k: size.k }))
}

fn given_orders(n: usize, arrays: &crate::Arrays) -> Result<Vec<Vec<usize>>, Diagnostic> {
    let places = arrays.integers("perm")?;
    let orders: Vec<Vec<usize>> =
        places.chunks(n.max(1)).map(|row| row.iter().map(|&v| v as usize).collect()).collect();
    let is_permutation = |order: &Vec<usize>| {
        let mut sorted = order.clone();
        sorted.sort_unstable();
        sorted.into_iter().eq(0..n)
    };
    match orders.iter().all(is_permutation) && n.is_multiple_of(1 << RAT.0) {
        true => Ok(orders),
        false => {
            Err(arrays.differ(format!("has a `perm` whose rows are no orders of {n} variables in 16 parts")))
        }
    }
}

fn permutation(n: usize, random: &mut Random) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    (1..n).rev().for_each(|last| order.swap(last, random.below(last as u32 + 1) as usize));
    order
}

fn irregular(size: Size, numbers: &Numbers) -> Result<Graph, Diagnostic> {
    built(circuits::logic(LOGIC_VARIABLES, size.extent, numbers.seed()))
}
