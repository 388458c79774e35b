//! Region graphs (Dennis and Ventura, 2012), and the circuit of CP layers over one: every part of a region is
//! read through a square sum of its own, the parts of a partition are multiplied, and a region with several
//! partitions mixes them unit by unit (Mari, Vessio and Vergari, 2023).
//!
//! Arrays, in the order in which regions are built: `E` `[variables][value][K]`, `W` the square tables,
//! `R` `[partitions of the root][K]`, `M2`, `M3`, .. the mixing tables `[..][K][partitions]` by their number of
//! partitions, and `T` `[partitions of the root]`.

use super::{Built, Maker};
use pcc_ir::family::Categorical;
use pcc_ir::{Domain, Family, Graph, GraphError, LayerId};
use std::collections::BTreeMap;

/// A set of variables and the ways to take it apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Region {
    /// Independent inputs.
    Inputs(Vec<usize>),
    /// Partitions, each the positions of regions that come before this one.
    Partitions(Vec<Vec<usize>>),
}

/// A region graph: parts before wholes, the root last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Regions(pub Vec<Region>);

impl Regions {
    /// Adds a region and gives its position.
    pub fn push(&mut self, region: Region) -> usize {
        self.0.push(region);
        self.0.len() - 1
    }

    /// How many partitions all regions have together.
    pub fn n_partitions(&self) -> usize {
        let count = |region: &Region| match region {
            Region::Inputs(_) => 0,
            Region::Partitions(partitions) => partitions.len(),
        };
        self.0.iter().map(count).sum()
    }

    /// The circuit with `k` units in every region over variables of `values` values.
    ///
    /// # Errors
    /// When there is no root, or a size is zero.
    pub fn circuit(&self, n_variables: usize, values: u32, k: u32) -> Result<Graph, GraphError> {
        let family = Family::Categorical(Categorical { n: values });
        let maker = Maker::new(n_variables, Domain::Cat(values), family);
        let mut cp = Cp { maker, k, made: Vec::new(), used: BTreeMap::new() };
        let (root, inner) = self.0.split_last().ok_or(GraphError::NoChildren)?;
        for region in inner {
            let layer = cp.region(region)?;
            cp.made.push(layer);
        }
        let root = cp.root(root)?;
        cp.maker.finish(root)
    }
}

/// The circuit while it is built.
struct Cp {
    maker: Maker,
    k: u32,
    /// The layer of each region.
    made: Vec<LayerId>,
    /// How many tables of each array were given out.
    used: BTreeMap<String, usize>,
}

impl Cp {
    /// The next slice of an array.
    fn next(&mut self, array: String) -> String {
        let used = self.used.entry(array.clone()).or_default();
        *used += 1;
        format!("{array}[{}]", *used - 1)
    }

    fn region(&mut self, region: &Region) -> Built {
        match region {
            Region::Inputs(variables) => self.inputs(variables),
            Region::Partitions(partitions) => {
                let products = self.products(partitions)?;
                match products[..] {
                    [only] => Ok(only),
                    _ => {
                        let table = self.next(format!("M{}", products.len()));
                        self.maker.mix(table, &products)
                    }
                }
            }
        }
    }

    fn root(&mut self, region: &Region) -> Built {
        let products = match region {
            Region::Inputs(variables) => vec![self.inputs(variables)?],
            Region::Partitions(partitions) => self.products(partitions)?,
        };
        let mut ways = Vec::new();
        for product in products {
            let table = self.next("R".into());
            ways.push(self.maker.sum(table, 1, &[product])?);
        }
        match ways[..] {
            [only] => Ok(only),
            _ => self.maker.sum("T".into(), 1, &ways),
        }
    }

    fn inputs(&mut self, variables: &[usize]) -> Built {
        let k = self.k;
        let leaves: Result<Vec<LayerId>, GraphError> =
            variables.iter().map(|&v| self.maker.leaf(format!("E[{v}]"), v, k)).collect();
        self.maker.product(&leaves?)
    }

    /// For each partition the product of its parts, each read through a sum.
    fn products(&mut self, partitions: &[Vec<usize>]) -> Result<Vec<LayerId>, GraphError> {
        partitions.iter().map(|parts| self.partition(parts)).collect()
    }

    fn partition(&mut self, parts: &[usize]) -> Built {
        let mut factors = Vec::with_capacity(parts.len());
        for &part in parts {
            let table = self.next("W".into());
            factors.push(self.maker.sum(table, self.k, &[self.made[part]])?);
        }
        self.maker.product(&factors)
    }
}
